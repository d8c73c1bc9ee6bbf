"""What is done before the first capture, while pages can be seen already."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

from guidance.live.steady import settle

Prepare = Callable[[Callable[[int, int], None]], None]
"""What is done before the first capture; tells steps done and steps in all."""

HEED_S = 0.1
"""So often it is asked whether the program is told to end."""


class _EndingError(Exception):
    """The program is told to end while it gets ready."""


class Preparing:
    """One preparation, on a thread that nobody waits for once the program is told to end.

    A compiler is asked nothing while it compiles: on a busy machine a step takes a minute.
    """

    def __init__(self, prepare: Prepare, *, ending: Callable[[], bool]) -> None:
        """Nothing is done yet.

        Args:
            prepare: What is done.
            ending: Whether the program is told to end, so that the next step is not begun.
        """
        self._prepare, self._ending = prepare, ending
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> bool:
        """Whether it is being done, also where nobody waits for it any more."""
        return self._thread is not None and self._thread.is_alive()

    async def get_ready(self, *, told: Callable[[tuple[int, int] | None], None]) -> str | None:
        """Do it.

        Args:
            told: Told here of steps done and in all; of None once all are done.

        Returns:
            One sentence where it could not be done; None where it was, or is not needed any more.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str | None] = loop.create_future()

        def soon(call: Callable[..., None], *what: object) -> None:
            with contextlib.suppress(RuntimeError):  # the server has gone
                loop.call_soon_threadsafe(call, *what)

        def tell(steps: int, of: int) -> None:
            if self._ending():
                raise _EndingError
            soon(told, (steps, of))

        def work() -> None:
            trouble: str | None = None
            try:
                self._prepare(tell)
                settle()
            except _EndingError:
                return
            except Exception as problem:
                trouble = f"Guidance could not be made ready ({type(problem).__name__}: {problem})."
            soon(_end, done, trouble)

        told((0, 0))
        self._thread = threading.Thread(target=work, name="getting ready", daemon=True)
        self._thread.start()
        while not self._ending():
            with contextlib.suppress(TimeoutError):
                trouble = await asyncio.wait_for(asyncio.shield(done), HEED_S)
                if trouble is None:
                    # What was told on the way has come before.
                    told(None)
                return trouble
        return None


def _end(done: asyncio.Future[str | None], trouble: str | None) -> None:
    if not done.done():
        done.set_result(trouble)
