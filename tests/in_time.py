"""Claims about real time that hold on a machine which other programs use as well."""

from __future__ import annotations

from collections.abc import Callable

TRIES = 5


def in_time(once: Callable[[], float], *, within_s: float) -> bool:
    """Whether something is done in time where the machine lets it.

    Another program may hold it up now and then; what is late by itself is late each time.

    Args:
        once: Does it, and gives how long it took.
        within_s: So long it may take.
    """
    return any(once() < within_s for _ in range(TRIES))
