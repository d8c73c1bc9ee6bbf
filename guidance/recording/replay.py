"""A recorded session replayed from what was seen: the same numbers and alarms, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from guidance.outcome import Outcome
from guidance.recording.told import Told, told_in
from guidance.session import Guidance, OperatorAction
from guidance.stages.state import Setup
from guidance.zone_actions import ZONE_ACTIONS, TouchChecked, TouchSkipped
from models.capture import Capture
from models.collar import Collar
from models.exact_text import from_text, to_text
from models.problems import InputError
from vision.mcap_recording import McapRecording, looked_at_again
from vision.source import Source


@dataclass(frozen=True, eq=False)
class Recorded:
    """One step as it was recorded."""

    capture: Capture
    actions: tuple[OperatorAction, ...]
    setup: Setup
    told: str | None
    """What was told then; None where nothing was recorded."""


def steps(recording: McapRecording, *, pictures: bool) -> Iterator[Recorded]:
    """What each step of a recorded session was given, and told.

    Args:
        recording: The recording.
        pictures: Whether to bring the colour pictures, which a replay does not look at.

    Raises:
        InputError: If settings or actions cannot be read.
    """
    setup: Setup | None = None
    for tick in recording.ticks(pictures=pictures):
        try:
            if tick.settings is not None:
                setup = from_text(tick.settings, Setup)
            actions = tuple(from_text(text, OperatorAction) for text in tick.actions)
        except ValueError as trouble:
            raise InputError(
                f"{recording.name} holds settings or actions that cannot be read ({trouble}); replay it with"
                f" the version that recorded it ({recording.version})."
            ) from trouble
        if setup is None:
            raise InputError(f"{recording.name} holds captures before any settings; it is damaged.")
        told = tick.told.decode() if tick.told is not None else None
        yield Recorded(tick.capture, actions, setup, told)


def inputs(source: Source, setup: Setup, *, pictures: bool = True) -> Iterator[Recorded]:
    """What each step of any source is given.

    Args:
        source: A session folder or a recording.
        setup: In force where the source does not bring its own.
        pictures: Whether a recording replayed from what was seen brings its colour pictures as well.
    """
    if isinstance(source, McapRecording) and source.from_sightings:
        yield from steps(source, pictures=pictures)
        return
    if isinstance(source, McapRecording):
        # Looked at again: what the operator made of the zone, and the touch check, are as they were then.
        kept = (*ZONE_ACTIONS, TouchChecked, TouchSkipped)
        for recorded in steps(source, pictures=True):
            made = tuple(action for action in recorded.actions if isinstance(action, kept))
            yield Recorded(looked_at_again(recorded.capture), made, setup, None)
        return
    for capture in source.captures():
        yield Recorded(capture, (), setup, None)


def setup_then(recording: McapRecording) -> Setup:
    """What a recorded session was set up with at its beginning.

    Raises:
        InputError: If that cannot be read.
    """
    try:
        return from_text(recording.settings, Setup)
    except ValueError as trouble:
        raise InputError(
            f"{recording.name} holds settings that cannot be read ({trouble}); replay it with the version"
            f" that recorded it ({recording.version})."
        ) from trouble


def collar_then(recording: McapRecording) -> Collar | None:
    """What was known of the nozzle's tags at the end; None where nothing was."""
    try:
        return from_text(recording.collar, Collar) if recording.collar is not None else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Agreement:
    """How a replay compares with what was told when the session was recorded."""

    steps: int
    differing: int
    first_s: float | None
    """Session time of the first step that differs."""
    what: str
    """The first figure that differs, then and now."""


class Comparison:
    """Holds what is told now against what was told then."""

    def __init__(self) -> None:
        self._steps = self._differing = 0
        self._first_s: float | None = None
        self._what = ""

    def add(self, then: str | None, guidance: Guidance) -> None:
        """One step; nothing is compared where nothing was recorded."""
        if then is None:
            return
        self._steps += 1
        now = told_in(guidance)
        if to_text(now) == then:
            return
        self._differing += 1
        if self._first_s is None:
            self._first_s, self._what = guidance.t_s, _first_difference(then, now)

    @property
    def agreement(self) -> Agreement:
        """So far."""
        return Agreement(self._steps, self._differing, self._first_s, self._what)


def _first_difference(then_text: str, now: Told) -> str:
    try:
        then = from_text(then_text, Told)
    except ValueError:
        return "what was told is of another version"
    for name, value in vars(now).items():
        if to_text(getattr(then, name)) != to_text(value):
            return f"{name}: {getattr(then, name)} then, {value} now"
    return ""


def replayed(
    recording: McapRecording, take: Callable[[Recorded], Guidance], *, pictures: bool = False
) -> Agreement:
    """Run all steps of a recording.

    Args:
        recording: The recording.
        take: Advances the session by one step.
        pictures: Whether to bring the colour pictures as well.
    """
    compared = Comparison()
    for recorded in steps(recording, pictures=pictures):
        compared.add(recorded.told, take(recorded))
    return compared.agreement


def with_agreement(outcome: Outcome, found: Agreement) -> Outcome:
    """Say in summary and warnings how a replay compares with the session."""
    told = {"steps": found.steps, "differing": found.differing, "first_s": found.first_s, "what": found.what}
    remark = ""
    if found.differing:
        remark = (
            f"Replayed from its sightings, {found.differing} of {found.steps} steps differ from what was told"
            f" then, the first at {found.first_s:.3f} s ({found.what})."
        )
    return replace(
        outcome,
        summary=outcome.summary | {"replay": told},
        warnings=(*outcome.warnings, *((remark,) if remark else ())),
    )
