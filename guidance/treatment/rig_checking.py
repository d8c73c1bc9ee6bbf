"""The quick check of the rig before a treatment: the target held up, five seconds looked at, the verdict.

What is seen and what it says of the rig is told by a `Look` that the top floor brings: calibrating is no
business of a treatment. It runs on a thread of its own and takes the cameras' pictures meanwhile, so it is
for preflight alone, when nothing else takes them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from guidance.treatment.commands import CheckRig
from guidance.treatment.course import PREFLIGHT
from guidance.treatment.session import NotNowError
from models.capture import Capture
from models.problems import InputError
from models.rig_checked import CheckedPart, RigChecked

LOOK_S = 5.0
"""As the check is meant: long enough to lean the target once to each side, and for a time offset (4 s)."""
WAIT_S = 60.0
"""For the target to be seen: the way from the screen to the cameras and back, several times (own choice)."""

IDLE, WAITING, LOOKING, JUDGING, TOLD = "idle", "waiting", "looking", "judging", "told"

VERDICTS = {"valid": "still valid", "unknown": "could not be judged", "not looked at": "could not be judged"}
SIGNS = {"valid": "ok", "moved": "warn", "unknown": "unknown", "not looked at": "unknown"}
TITLES = {
    "cameras": "Cameras",
    "tip": "Nozzle tip",
    "temperature": "Temperature",
    "time": "Times",
    "calibration": "Calibration",
}
"""Of the parts of a check, for the operator."""


@dataclass(frozen=True)
class Seen:
    """One line of what is seen now."""

    good: bool
    words: str


class Look(Protocol):
    """One check; for one thread at a time."""

    def see(self, capture: Capture) -> tuple[Seen, ...]:
        """What there is to be seen in the newest capture, or was a moment ago."""
        ...

    @property
    def shown(self) -> bool:
        """Whether all cameras see what is to be shown."""
        ...

    def take(self, capture: Capture) -> None:
        """One capture of the seconds that count.

        Raises:
            InputError: If it cannot be kept.
        """
        ...

    def judge(self) -> RigChecked:
        """What they say.

        Raises:
            InputError: If they cannot be judged.
        """
        ...

    def keep(self, checked: RigChecked) -> None:
        """Write it beside the rig.

        Raises:
            InputError: If it cannot be written.
        """
        ...

    def close(self) -> None:
        """Nothing of them stays."""
        ...


@dataclass(frozen=True)
class RigCheckTold:
    """How a check stands."""

    state: str = IDLE
    left_s: float = LOOK_S
    """Of the seconds that count, or of those that the target is waited for."""
    seen: tuple[Seen, ...] = ()
    checked: RigChecked | None = None
    trouble: str = ""
    """Why nothing was judged; empty where something was."""

    @property
    def under_way(self) -> bool:
        """Whether cameras or processor are taken by it."""
        return self.state in (WAITING, LOOKING, JUDGING)

    def told(self) -> dict[str, object]:
        """As a page gets it."""
        return {
            "state": self.state,
            "left_s": round(self.left_s, 1),
            "of_s": LOOK_S,
            "seen": [{"good": one.good, "words": one.words} for one in self.seen],
            "parts": [part_told(part) for part in self.checked.parts] if self.checked is not None else [],
            "trouble": self.trouble,
        }


def part_told(part: CheckedPart) -> dict[str, str]:
    """A part of a check as a page gets it: sign, what it is, the verdict in few words, and what was found."""
    words = part.words.replace("+-", "±")
    return {
        "name": part.name,
        "title": TITLES.get(part.name, part.name),
        "state": SIGNS[part.state],
        "verdict": VERDICTS.get(part.state, part.how_much).replace("+-", "±"),
        "words": words[:1].upper() + words[1:],
    }


class RigChecking:
    """Checks, one after the other; all but its own thread's work is called on the event loop's."""

    def __init__(
        self,
        look: Callable[[], Look],
        captures: Callable[[threading.Event], Iterator[Capture]],
        *,
        look_s: float = LOOK_S,
        wait_s: float = WAIT_S,
    ) -> None:
        """Nothing is checked yet.

        Args:
            look: Begins a check.
            captures: Of the cameras, until the event is set; also without pictures, some a second.
            look_s: How long is looked; only tests give another.
            wait_s: How long the target is waited for.
        """
        self._look, self._captures, self._look_s, self._wait_s = look, captures, look_s, wait_s
        self._told = RigCheckTold()
        self._stop, self._now = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def told(self) -> RigCheckTold:
        """How it stands."""
        return self._told

    def begin(self) -> None:
        """Wait for the target and look; nothing where that is under way."""
        if self._told.under_way:
            return
        if self._thread is not None and self._thread.is_alive():
            self._told = RigCheckTold(TOLD, trouble="The check before is just ending: try again in a moment.")
            return
        self._stop, self._now = threading.Event(), threading.Event()
        self._told = RigCheckTold(WAITING, self._wait_s)
        work, stop, now = self._work, self._stop, self._now
        self._thread = threading.Thread(target=lambda: work(stop, now), name="rig check", daemon=True)
        self._thread.start()

    def begin_now(self) -> None:
        """Wait no longer for the target."""
        self._now.set()

    def leave(self) -> None:
        """End it; where it was not told yet, nothing of it stays."""
        self._stop.set()
        self._told = RigCheckTold()

    def close(self, *, within_s: float = 5.0) -> None:
        """End it, and wait until the cameras are free."""
        self._stop.set()
        self.wait(within_s=within_s)

    def wait(self, *, within_s: float) -> None:
        """Until nothing is under way."""
        if self._thread is not None:
            self._thread.join(within_s)

    # --- on its own thread ----------------------------------------------------------------------------------

    def _work(self, stop: threading.Event, now: threading.Event) -> None:
        try:
            with closing(self._look()) as look:
                self._watch(look, stop, now)
        except InputError as trouble:
            self._tell(stop, RigCheckTold(TOLD, trouble=str(trouble)))
        except Exception as trouble:  # it must not stay under way: the treatment waits for its end
            what = f"{type(trouble).__name__}: {trouble}"
            self._tell(stop, RigCheckTold(TOLD, trouble=f"The check failed ({what}); nothing was judged."))

    def _watch(self, look: Look, stop: threading.Event, now: threading.Event) -> None:
        from_s: float | None = None
        until_s, seen = self._wait_s, tuple[Seen, ...]()
        with closing(self._each(stop)) as captures:
            for capture in captures:
                seen = look.see(capture)
                if from_s is None and (look.shown or now.is_set()):
                    from_s, until_s = capture.t_s, capture.t_s + self._look_s
                state, left_s = WAITING if from_s is None else LOOKING, max(0.0, until_s - capture.t_s)
                self._tell(stop, RigCheckTold(state, left_s, seen))
                if from_s is not None:
                    look.take(capture)
                if left_s <= 0.0:
                    break
        if stop.is_set():
            return
        if from_s is None:
            why = "; ".join(one.words for one in seen if not one.good) or "nothing was shown"
            words = f"For {self._wait_s:.0f} s: {why}. Nothing was judged: the rig is known as before."
            self._tell(stop, RigCheckTold(TOLD, trouble=words))
            return
        self._tell(stop, RigCheckTold(JUDGING, 0.0, seen))
        checked = look.judge()
        if not stop.is_set():
            look.keep(checked)
        self._tell(stop, RigCheckTold(TOLD, checked=checked))

    def _each(self, stop: threading.Event) -> Generator[Capture]:
        """As the cameras give them, to be let go of at once."""
        yield from self._captures(stop)

    def _tell(self, stop: threading.Event, told: RigCheckTold) -> None:
        """One that was left says nothing more."""
        if not stop.is_set():
            self._told = told


def follow_check(
    checking: RigChecking | None, wanted: CheckRig, *, phase: str, preparing: bool = False
) -> None:
    """Do what is wanted of a check.

    Args:
        checking: Where it is done; None = it cannot be here.
        wanted: Begin, look at once, or leave it.
        phase: Where the treatment stands: it takes the cameras, so only as long as nobody is treated.
        preparing: Whether what comes before the first capture is still being done.

    Raises:
        NotNowError: If it cannot be done now.
    """
    if phase != PREFLIGHT:
        raise NotNowError("The rig is checked before a treatment only, on the first page.")
    if checking is None:
        raise NotNowError("This page cannot check the rig of a recording.")
    if wanted.name == "leave_rig_check":
        checking.leave()
    elif wanted.name == "check_rig_now":
        checking.begin_now()
    elif preparing:
        raise NotNowError("Getting ready: wait a moment.")
    else:
        checking.begin()
