"""How far a long step has come: a bar on stderr, plain lines at every tenth where it is no terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Steps:
    """Pieces of work, counted as they are done.

    Args:
        words: What is being done.
        total: How many pieces; None where nobody knows yet.
        console: Where to show it (default: stderr).
    """

    def __init__(self, words: str, total: int | None, *, console: Console | None = None) -> None:
        """Show nothing yet."""
        self._console = console or Console(stderr=True)
        self._words, self._total, self._done, self._said = words, total, 0, 0
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.fields[of]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(words, total=total, of="?" if total is None else str(total))

    def __enter__(self) -> Self:
        """Show the bar."""
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._console.is_terminal:
            self._bar.stop()

    def one_done(self) -> None:
        """One piece more."""
        self._done += 1
        if self._console.is_terminal:
            self._bar.update(self._task, completed=self._done)
            return
        tenth = 10 * self._done // self._total if self._total else self._done
        if tenth > self._said:
            self._said = tenth
            told = f"{100 * self._done // self._total} %" if self._total else str(self._done)
            self._console.print(f"{self._words}: {told}", highlight=False, markup=False)
