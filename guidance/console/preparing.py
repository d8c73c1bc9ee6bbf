"""What is done before the first capture, while pages can be seen already."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from guidance.live.steady import settle

Prepare = Callable[[Callable[[int, int], None]], None]
"""What is done before the first capture; tells steps done and steps in all."""


class _EndingError(Exception):
    """The program is told to end while it gets ready."""


async def get_ready(
    prepare: Prepare, *, told: Callable[[tuple[int, int] | None], None], ending: Callable[[], bool]
) -> str | None:
    """Do it on a thread of its own.

    Args:
        prepare: What is done.
        told: Told here of steps done and in all; of None once all are done.
        ending: Whether the program is told to end, so that the next step is not begun.

    Returns:
        One sentence where it could not be done; None where it was, or is not needed any more.
    """
    loop = asyncio.get_running_loop()

    def tell(done: int, of: int) -> None:
        if ending():
            raise _EndingError
        with contextlib.suppress(RuntimeError):  # the server has gone
            loop.call_soon_threadsafe(told, (done, of))

    told((0, 0))
    try:
        await asyncio.to_thread(prepare, tell)
        settle()
    except _EndingError:
        return None
    except Exception as problem:
        return f"Guidance could not be made ready ({type(problem).__name__}: {problem})."
    # What was told on the way comes first.
    loop.call_soon(told, None)
    return None
