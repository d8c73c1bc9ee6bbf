"""What the allocator of the C library keeps of memory that is free again, and what goes back to the system.

glibc keeps freed memory for what is asked for next. A live session asks for pictures of megabytes, of several
sizes, on several threads, between small things that stay: what it keeps grows for half an hour.
"""

from __future__ import annotations

import ctypes
from functools import cache

LARGE_BYTES = 1 << 19
"""What is larger is mapped by itself and goes back when it is freed. glibc begins with a quarter of that and
raises it to the size of any picture that it has seen freed, up to 32 MB: 125 MB were kept then of 720p30 (13
MB with this), at the same time of processor a capture."""

_MMAP_THRESHOLD = -3
"""Of `mallopt(3)`."""


def keep_large_apart() -> bool:
    """Let what is large go back to the system as soon as it is freed, from now on; for good.

    Returns:
        Whether this system can be asked.
    """
    ask = _asked("mallopt")
    return ask is not None and ask(_MMAP_THRESHOLD, LARGE_BYTES) == 1


def give_back() -> bool:
    """Return what is kept of memory that is free again: glibc keeps pages between those still in use.

    A live session at 720p30 whose disk was full for 50 s stayed 160 MB larger for good; this call took 240 MB
    back (11 to 45 ms on two cores, once all was written).

    Returns:
        Whether this system can be asked.
    """
    trim = _asked("malloc_trim")
    if trim is not None:
        trim(0)
    return trim is not None


@cache
def _asked(name: str) -> ctypes._NamedFuncPointer | None:  # pyright: ignore[reportPrivateUsage] # the type has no other name
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return None
