"""How the process and its database do, as metrics."""
