-- Run once, by a single-user server on a new data directory; file_copy is the quickest there.
create database pgrecall strategy file_copy;
