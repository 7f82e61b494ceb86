"""Backups of one organization, and of the whole database; restoring and verifying them.

    archive.py       the file: a tar whose every byte is checked
    places.py        where it lies: a path, or a URL of fsspec
    encryption.py    age, in a stream
    tables.py        the tables of organizations, as a database has them
    rows.py          an organization's rows, of one snapshot
    writer.py        a backup, made of those
    reader.py        a backup, read and compared with its manifest
    restore.py       its rows put into a database
    tombstones.py    what of them was erased since, and is left out
    indexes.py       the indexes of search, built when all rows are in
    dump.py          the whole database, by pg_dump
    verification.py  the proof that a backup can be restored
    folder.py        a folder of backups: the newest, and those that can go
    schedules.py     files for cron and systemd
    ledger.py        what was done, in the database

All of it is blocking: its work is compressing, hashing and copying. A service calls it in a thread.
"""
