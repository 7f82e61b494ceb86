"""Names and texts inside of a backup."""

from __future__ import annotations

README_NAME = "pgrecall-backup.txt"
MANIFEST = "manifest.json"
CHECKSUM = "manifest.sha256"
# Beside the dump of a whole database.
SIDECAR = ".json"

README = b"""\
A backup of one organization, made by pgrecall.

Each folder is a table. Its files, in the order of their names, hold one JSON object a row, without
the column organization_id, ordered by the table's key: zcat public.ai_memories/*.jsonl.gz

manifest.json says which tables, columns and files there are, how many rows, the SHA-256 of each
file, and of each table's lines; manifest.sha256 is the manifest's own (sha256sum -c).

pgrecall restore puts it into a database.
"""
