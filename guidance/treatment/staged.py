"""One treatment, set up to be guided, wherever its pictures come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from guidance.live.loop import Replay, Source
from guidance.live.pace import Pace
from guidance.stages.state import Setup
from guidance.treatment.course import Course
from guidance.treatment.gas_by_hand import GasByHand
from guidance.treatment.preflight import Check, hello, recorded_checks
from models.contraindications import Question, Questions
from vision.recording import Recording
from vision.source import Source as Session

FIRST_LOOK_S = 10.0
"""A recording waits for Start at its first gas, and no later than this."""
BEFORE_S = 1e-3
"""A capture at the very time at which gas begins has gas in it already."""


@dataclass(frozen=True, eq=False)
class Staged:
    """What a console guides."""

    setup: Setup
    listed: Questions
    asked: tuple[Question, ...]
    session: Session
    """As reports and recordings name it."""
    pictures: Callable[[], Source]
    """Captures as they happen."""
    label: str
    """Where pictures come from, for the page's head."""
    checks: tuple[Check, ...] = ()
    pace: Pace | None = None
    """Clock of a replay; None where cameras set the pace."""
    gas_first: bool = False
    """Gas flows from its beginning, so that its zone cannot be awaited."""
    gas: GasByHand | None = None
    """Where the operator says whether gas flows; None = the recording does."""
    go_on: Callable[[Setup], Setup] | None = None
    """Called as it begins: takes over what an interrupted session hands on."""
    course: Course = field(default_factory=Course)
    """Where the treatment stands when the console opens: what an interrupted one had answered."""

    def hello(self) -> dict[str, object]:
        """What a page is told first."""
        return hello(
            self.setup,
            asked=self.asked,
            listed=self.listed,
            checks=self.checks,
            source=self.label,
            by_hand=self.gas is not None,
        )


def rehearsed(
    recording: Recording,
    setup: Setup,
    *,
    listed: Questions,
    asked: tuple[Question, ...],
    checks: tuple[Check, ...] = (),
    speed: float = 1.0,
    source: Callable[[Recording, Pace], Source] = Replay,
    course: Course | None = None,
    go_on: Callable[[Setup], Setup] | None = None,
) -> Staged:
    """A recording, to be played as if live.

    Args:
        recording: The session folder.
        setup: Of it.
        listed: All questions before the gas.
        asked: Those for this treatment.
        checks: What was looked at beside the recording itself.
        speed: Faster than life for tests only.
        source: Makes captures of the recording; in real time where none is given.
        course: Where the treatment stands when the console opens.
        go_on: Takes over what an interrupted session hands on, as it begins.
    """
    valve_s = recording.treatment.valve_s
    first_s = None if valve_s is None else min((start for start, _ in valve_s), default=FIRST_LOOK_S)
    begins_s = float(recording.rgb_times_s[0]) if recording.frames else 0.0
    gas_first = first_s is None or first_s <= begins_s
    pace = Pace(
        hold_at_s=begins_s if gas_first or first_s is None else min(first_s, FIRST_LOOK_S) - BEFORE_S,
        speed=speed,
    )
    return Staged(
        setup=setup,
        listed=listed,
        asked=asked,
        session=recording,
        pictures=lambda: source(recording, pace),
        label=f"Replay of {recording.name}",
        checks=recorded_checks(recording, setup) + checks,
        pace=pace,
        gas_first=gas_first,
        course=course or Course(),
        go_on=go_on,
    )
