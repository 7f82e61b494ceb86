"""Backups of one organization, and of the whole database; restoring and verifying them.

    archive.py       the file: a tar whose every byte is checked
    places.py        where it lies: a path, or a URL of fsspec
    encryption.py    age, in a stream
    reading.py       an organization's rows, of one snapshot
    making.py        a backup, made of those
    checking.py      a backup, read and compared with its manifest
    restoring.py     its rows put into a database
    ledger.py        what was done, in the database

All of it is blocking: its work is compressing, hashing and copying. A service calls it in a thread.
"""
