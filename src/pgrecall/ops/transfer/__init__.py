"""Memories out to files, and in from files and from other systems' tables.

A reader of a source is a generator over an open file or over rows, one memory at a time: an `Item`,
or a `Malformed` with its place and the reason. `importing` sends them on; it knows no source.
"""
