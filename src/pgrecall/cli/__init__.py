"""The command line: `pgrecall --help`."""
