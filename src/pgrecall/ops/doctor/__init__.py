"""`pgrecall doctor`: what is wrong with a database, the evidence, and what cures it.

One file a check, in `checks`. Each reads a frozen value from the database and judges it purely.
Nothing is written while it looks; `cures` applies the safe ones when it is asked to.
"""
