"""pgrecall beside other memory systems, on the same server, with the same texts and vectors."""
