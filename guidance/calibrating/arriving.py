"""Captures of a sitting as they arrive: each one is taken at once, the newest is looked at.

A look at a board, or at a nozzle, takes longer than the next picture is away. What is recorded meanwhile must
not wait for it, and what is looked at must not lag behind the hand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from guidance.calibrating.supply import Supply
from guidance.live.loop import Mailbox
from models.capture import Capture

ASK_S = 0.1
"""So often it is asked whether to end while nothing comes."""


def arriving(supply: Supply, take: Callable[[Capture], None], *, stop: threading.Event) -> Iterator[Capture]:
    """What is to be looked at, each capture taken as it comes.

    Args:
        supply: Where pictures come from.
        take: Told of each.
        stop: Ends it.

    Raises:
        Exception: What the supply or ``take`` raised, after what came before it.
    """
    came = supply.pictures(stop)
    return newest_of(came, take, stop=stop) if supply.hurries else one_by_one(came, take)


def one_by_one(captures: Iterator[Capture], take: Callable[[Capture], None]) -> Iterator[Capture]:
    """Of a source that waits: each is taken and then looked at, before the next is asked for.

    Args:
        captures: In order of time.
        take: Told of each.
    """
    for capture in captures:
        take(capture)
        yield capture


def newest_of(
    captures: Iterator[Capture], take: Callable[[Capture], None], *, stop: threading.Event
) -> Iterator[Capture]:
    """Of cameras, which do not wait: each is taken on a thread of its own, the newest is looked at.

    Args:
        captures: In order of time; they end once ``stop`` is set.
        take: Told of each as it comes, whatever a look takes.
        stop: Ends it.

    Yields:
        The newest picture with all that was measured since the one before, as a live session has it.

    Raises:
        Exception: What ``captures`` or ``take`` raised, after what came before it.
    """
    mailbox, troubles = Mailbox(), list[Exception]()

    def read() -> None:
        try:
            for capture in captures:
                if stop.is_set():
                    return
                take(capture)
                mailbox.put(capture)
        except Exception as trouble:  # it is the looking thread's to tell
            troubles.append(trouble)
        finally:
            mailbox.end()

    reader = threading.Thread(target=read, name="calibration pictures", daemon=True)
    reader.start()
    while not mailbox.over and not stop.is_set():
        found = mailbox.take(within_s=ASK_S)
        if found is not None:
            yield found[0]
    if troubles:
        raise troubles[0]
