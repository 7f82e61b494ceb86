"""A PostgreSQL server of one's own: started with the first user, stopped with the last.

`join` gives a lease on the server of a home directory; `start`, `stop` and `status` are for the
command line. Nothing listens on the network, and only the owner (and root) gets in.
"""

from pgrecall.embedded.binaries import binary
from pgrecall.embedded.control import ServerStatus, psql_command, restart, start, status, stop
from pgrecall.embedded.layout import default_home
from pgrecall.embedded.lease import ServerLease, join

__all__ = [
    "ServerLease",
    "ServerStatus",
    "binary",
    "default_home",
    "join",
    "psql_command",
    "restart",
    "start",
    "status",
    "stop",
]
