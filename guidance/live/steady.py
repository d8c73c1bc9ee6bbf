"""A process whose threads do not wait for one another longer than they must, and that does not grow.

Two things of Python itself hold up every thread at once. Collecting garbage in its oldest generation walks
over all that was ever made, compiled code and networks included: 0.1 to 0.3 s. And a thread that computes
gives way only each 5 ms, several times on the way of a word from the step to the page. The allocator of the
C library would keep pictures that were freed (`guidance.allocator`).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

from guidance.allocator import keep_large_apart

SWITCH_S = 0.001
"""A thread that waits for its turn asks for it after this. Python's own 5 ms suits programs that nobody waits
for. Measured in alternation on two cores that 12 processes wanted: from the step to the page 97 ms in one of
a hundred at 5 ms, 26 ms at 1 and at 2 ms, 35 ms at 0.5 ms."""

YOUNG, MIDDLE, OLD = 5000, 20, 20
"""Objects made until the youngest are looked through, and how often each generation is before the next one:
what a step makes goes without a collector, by its count of users (own choice)."""


@contextmanager
def steady() -> Generator[None]:
    """Hurry the change of threads and put off the collector for as long as it lasts.

    That what is large goes back at once stays so: the allocator's own way cannot be had again.
    """
    keep_large_apart()
    switch_s, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(switch_s)


def settle() -> None:
    """Leave all that there is now out of later collections: once it is loaded and compiled, before gas."""
    gc.collect()
    gc.freeze()
