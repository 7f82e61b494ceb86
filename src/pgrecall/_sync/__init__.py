"""The client without await: generated from _async by scripts/generate_sync.py, but waiting.py."""
