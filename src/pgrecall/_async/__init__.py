"""The client, written once: _sync is generated from here by scripts/generate_sync.py."""
