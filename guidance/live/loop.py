"""A session as it happens: captures from a source through `step` to whoever listens; the newest capture wins.

Two threads: one takes captures from the source and never waits for guidance, one steps. What `step` sees is
told by the captures alone; clocks are here, at the edge.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from guidance.live.pace import Pace, paced
from guidance.run import Run
from guidance.session import Guidance, OperatorAction
from models.capture import Capture
from models.problems import InputError
from vision.recording import Recording

PICTURES_KEPT = 64
"""Thermal and depth pictures that wait for a step at most, each: 2.5 s at 25 Hz. Oldest go first."""
ACT_WITHIN_S = 0.05
"""An operator's action waits no longer than this for a capture before it shows."""


class Source(Protocol):
    """Where captures come from as they happen."""

    def captures(self) -> Iterator[Capture]:
        """Each capture when it is there; ends when the source ends or is closed."""
        ...

    def close(self) -> None:
        """End: whoever waits for a capture waits no longer."""
        ...


class Replay:
    """A recorded session as if live: each capture comes when its time has come on a clock one can hold."""

    def __init__(self, recording: Recording, pace: Pace) -> None:
        """Nothing is decoded before the first capture is asked for."""
        self.recording, self.pace = recording, pace

    @property
    def waits(self) -> bool:
        """Whether each capture waits for the step that looks at the one before.

        Before a replayed treatment begins nothing hurries: a slow machine, too, looks at every picture.
        """
        return self.pace.to_be_held

    def captures(self) -> Iterator[Capture]:
        """As `Recording.captures`, in real time."""
        return paced(self.recording.captures(), self.pace)

    def close(self) -> None:
        """Stop playing."""
        self.pace.close()


@dataclass(frozen=True, eq=False)
class Stepped:
    """One step that was done live."""

    number: int
    """Counts up from 1 for the life of the session, also where only the announcement changed."""
    capture: Capture
    guidance: Guidance
    arrived_s: float
    """Real time (monotonic) at which the capture was there."""
    left_out: int
    """Captures so far whose picture no step saw, since a newer one had come."""


Listener = Callable[[Capture, Guidance, Sequence[OperatorAction]], None]
"""Told of each step: what went in, what came out. It must return at once."""


def merged(before: Capture, after: Capture) -> Capture:
    """Two captures as one step sees them: the later picture, and all that is measured in either.

    Args:
        before: A capture that no step has seen yet.
        after: The next one.

    Returns:
        ``after`` with the gas seconds, thermal and depth pictures of both, at most `PICTURES_KEPT` of each.
    """
    return replace(
        after,
        thermal=(*before.thermal, *after.thermal)[-PICTURES_KEPT:],
        depth=(*before.depth, *after.depth)[-PICTURES_KEPT:],
        gas_s=before.gas_s + after.gas_s,
    )


class Mailbox:
    """Holds at most one capture; a newer one takes its place and takes over what it had measured."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        """Empty."""
        self._changed = threading.Condition()
        self._now_s = now_s
        self._waiting: Capture | None = None
        self._arrived_s = 0.0
        self._ended = False
        self.left_out = 0

    def put(self, capture: Capture) -> None:
        """Put a capture; never waits."""
        with self._changed:
            if self._waiting is not None:
                self.left_out += self._waiting.bgr is not None
                capture = merged(self._waiting, capture)
            self._waiting, self._arrived_s = capture, self._now_s()
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing will be put any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def over(self) -> bool:
        """Whether there is nothing, and nothing will come."""
        with self._changed:
            return self._ended and self._waiting is None

    def wait_taken(self) -> None:
        """Wait until nothing waits to be taken."""
        with self._changed:
            while self._waiting is not None and not self._ended:
                self._changed.wait()

    def take(self, *, within_s: float) -> tuple[Capture, float] | None:
        """The waiting capture and when it arrived; None where none came in time."""
        with self._changed:
            if self._waiting is None and not self._ended:
                self._changed.wait(within_s)
            capture, self._waiting = self._waiting, None
            self._changed.notify_all()
            return None if capture is None else (capture, self._arrived_s)


class LiveRun:
    """Steps a session in threads of its own."""

    def __init__(
        self,
        run: Run,
        source: Source,
        *,
        told: Callable[[Stepped], None],
        ended: Callable[[str | None], None],
        listener: Listener | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            run: State and setup; belongs to this until it has ended.
            source: Where captures come from.
            told: Called on the stepping thread after each step; must return at once.
            ended: Called once when no more steps will come: None, or a sentence where something failed.
            listener: The recorder. Where it fails the session goes on, and `unrecorded` says so.
        """
        self.run, self.source = run, source
        self.trouble: str | None = None
        self.unrecorded: str | None = None
        """Why the listener is told of no more steps."""
        self._told, self._ended, self._listener = told, ended, listener
        self._mailbox = Mailbox()
        self._acting = threading.Lock()
        self._actions: list[Callable[[float], OperatorAction]] = []
        self._shown: list[OperatorAction] = []
        """Actions that show already and that no step has taken yet."""
        self._last: Stepped | None = None
        self._last_told: Guidance | None = None
        """By the last step, without what was only shown since."""
        self._number = 0
        self._closing = False
        self._busy_since_s: float | None = None
        self._threads = [
            threading.Thread(target=self._read, name="captures", daemon=True),
            threading.Thread(target=self._steps, name="guidance", daemon=True),
        ]

    def start(self) -> None:
        """Begin to take captures and to step."""
        for thread in self._threads:
            thread.start()

    def act(self, make: Callable[[float], OperatorAction]) -> None:
        """Something the operator did now.

        Args:
            make: Makes the action, given its session time.
        """
        with self._acting:
            self._actions.append(make)

    def untaken(self) -> tuple[OperatorAction, ...]:
        """What the operator did that no step has taken, once the run has ended; no listener knows of it."""
        t_s = self._last.guidance.t_s if self._last is not None else 0.0
        self._shown += self._done_by_now(t_s)
        return tuple(self._shown)

    @property
    def busy_s(self) -> float:
        """How long the step that is being done has taken so far; 0 between steps."""
        since_s = self._busy_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def close(self, *, within_s: float = 5.0) -> bool:
        """End the source and wait for the threads; False where one still runs."""
        self._closing = True
        self.source.close()
        self._mailbox.end()
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(within_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _read(self) -> None:
        try:
            for capture in self.source.captures():
                self._mailbox.put(capture)
                if isinstance(self.source, Replay) and self.source.waits:
                    self._mailbox.wait_taken()
        except InputError as trouble:
            self.trouble = str(trouble)
        except Exception as trouble:
            self.trouble = f"The source of pictures failed ({type(trouble).__name__}: {trouble})."
        finally:
            self._mailbox.end()

    def _steps(self) -> None:
        fault: str | None = None
        try:
            while not self._closing and not self._mailbox.over:
                found = self._mailbox.take(within_s=ACT_WITHIN_S)
                if found is not None:
                    self._step(*found)
                else:
                    self._show()
        except Exception as trouble:
            fault = f"Guidance has failed ({type(trouble).__name__}: {trouble})."
            self._busy_since_s = None
        self._ended(fault or self.trouble)

    def _step(self, capture: Capture, arrived_s: float) -> None:
        self._shown += self._done_by_now(capture.t_s)
        actions = tuple(self._shown)  # a step that fails has taken none of them
        self._busy_since_s = time.monotonic()
        guidance = self.run.take(capture, actions)
        self._busy_since_s = None
        self._shown = []
        self._last_told = guidance
        self._publish(Stepped(self._number + 1, capture, guidance, arrived_s, self._mailbox.left_out))
        if self._listener is None:
            return
        try:
            self._listener(capture, guidance, actions)
        except Exception as trouble:
            self.unrecorded = f"Recording has failed ({type(trouble).__name__}: {trouble})."
            self._listener = None

    def _show(self) -> None:
        """Actions show at once though no capture comes; the next step takes them all the same."""
        if self._last is None:
            return
        actions = self._done_by_now(self._last.guidance.t_s)
        if not actions:
            return
        self._shown += actions
        told = self._last_told or self._last.guidance
        guidance = self.run.preview(told, self._last.capture, self._shown)
        self._publish(replace(self._last, number=self._number + 1, guidance=guidance))

    def _done_by_now(self, t_s: float) -> list[OperatorAction]:
        with self._acting:
            made, self._actions = self._actions, []
        return [make(t_s) for make in made]

    def _publish(self, stepped: Stepped) -> None:
        self._number, self._last = stepped.number, stepped
        self._told(stepped)
