"""How much memory there is for a server on this machine."""

from __future__ import annotations

from pathlib import Path

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_MB = 2**20


def memory() -> int:
    """Bytes of this machine, or what its container allows."""
    import psutil

    total: int = psutil.virtual_memory().total
    return min([total, *filter(None, map(_read_limit, _LIMITS))])


def buffers(total: int) -> int:
    """Bytes for `shared_buffers` where `total` is all memory: an eighth, from 128 MB to 1 GB.

    A server of one developer shares the machine with all else, and takes no page of it before it
    has rows to put there.
    """
    return min(max(total // 8 // _MB * _MB, 128 * _MB), 1024 * _MB)


def _read_limit(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max" is no limit
        return None
