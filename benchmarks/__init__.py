"""Measurements of pgrecall on public sets; the sets themselves are brought by `--data`."""
