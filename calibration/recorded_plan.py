"""The steps that are recorded first and solved then: what to set up, how to move, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calibration.further_steps import TITLES as FURTHER
from models.catalogue import load_devices

CHECK = "check"
GUIDED = ("rgb", "thermal", "collar", "tip")
RECORDED = ("depth", "spread", "radiometry", "time", "axis", "jet")
SITTING = (*GUIDED, *RECORDED)
"""The order in which a page goes through them: what is held in hand first; each after what it rests on."""

LOOK_S, LEAST_LOOK_S, LOOKS = 30.0, 10.0, 3
"""Of a reference: at most, and at least. A look is over once its drift is known well enough
(`calibration.reference_settled`); the shortest that tells one has 9 s
(`calibration.reference_reading.LEAST_SLOPE_S`). Three are the fewest."""

PAUSE_S = 3.0
"""Without a picture for so long a look has ended, where the camera does not say that its shutter closed
(`calibration.reference_looks.RECORDED_PAUSE_S`, and one second)."""

WAVE_S = 15.0
"""Of a hand. 24 drawn waves of 15 s were known to 2.4 ms (95 %, median; most 4.5), off by 0.8 (rms); those of
20 s to 1.8 (most 3.4), off by 0.6. The limit is 10 ms (`calibration.time_offset.LIMIT_S`)."""

SPIN_S, LEAST_SPIN_S = 24.0, 12.0
"""A turn of the nozzle: over once it was all the way round. In 12 s, tags on a
collar of 60 mm move by 0.5 mm in a thirtieth of a second, a sixth of a module: quicker is not asked for."""

SPREAD_PICTURES, HOLD_S, LEAST_HOLD_S = 5, 2.0, 1.0
"""Pictures of the edge, each elsewhere; held for so long at most, of which the stillest moment is taken. The
first hold lasts the whole time: what still pictures differ by is learnt from it."""

TURN_S, LEAST_TURN_S = 3.0, 1.25
"""To turn or shift the edge; over once it is still elsewhere. More than half of `HOLD_S`, by which holds are
told apart (`calibration.recorded_solve.still_pictures`)."""


DEPTH_S, LEAST_DEPTH_S = 60.0, 15.0
"""Of boards held: over once those held still tell enough (`calibration.depth_settled`), ten at least."""


@dataclass(frozen=True)
class Stretch:
    """One part of a recording."""

    say: str
    """What to do meanwhile."""
    lasts_s: float
    kept: bool = True
    """Whether it is recorded."""
    gas: bool = False
    """Whether gas is asked for in it."""
    ends_by_shutter: bool = False
    """Over as soon as the camera's shutter has closed."""
    shutter_parts: bool = False
    """A look at a reference: over when the shutter closes, if it was long enough, else begun anew."""
    least_s: float | None = None
    """Over after so long already, once it has told enough; None = it always lasts as long."""


@dataclass(frozen=True)
class Entry:
    """What the technician tells before a recording."""

    key: str
    label: str
    unit: str = ""
    value: str = ""
    """What stands there at first; empty = must be told."""
    choices: tuple[str, ...] = ()
    """To be picked; empty = a number is typed."""
    joined: bool = False
    """Whether it stands in the row of the one before: a bound beside its figure."""
    unknown: str = ""
    """What stands for an empty field that may stay empty; empty = it must be told."""


@dataclass(frozen=True)
class RecordedStep:
    """One step."""

    name: str
    title: str
    say: str
    """What to do, in one sentence."""
    set_up: tuple[str, ...]
    """What to set up, how to move, what to tell."""
    plan: tuple[Stretch, ...]
    needs: tuple[str, ...]
    """Streams beside colour: ``thermal``, ``depth``."""
    parts: tuple[str, ...] = ()
    """Of the rig, which must be there."""
    takes: int = 1
    """Recordings that it needs at least."""
    more: str = ""
    """Asks for one more than that; empty = there are no more."""
    entries: tuple[Entry, ...] = ()
    """Asked before each recording."""
    take_words: tuple[str, ...] = ()
    """What each recording is of."""
    colour: bool = True
    """Whether colour pictures are recorded."""

    @property
    def lasts_s(self) -> float:
        """One recording, at most."""
        return sum(one.lasts_s for one in self.plan)

    @property
    def least_s(self) -> float:
        """One recording, at least."""
        return sum(one.lasts_s if one.least_s is None else one.least_s for one in self.plan)

    def take_title(self, number: int) -> str:
        """What recording ``number`` (from 0) is of; empty where there is only one."""
        if not self.take_words:
            return ""
        return self.take_words[min(number, len(self.take_words) - 1)]


_LOOK = "Leave camera and reference as they are"
_HOLD, _TURN = "Hold the edge still", "Now turn or shift the edge a little"

_STEPS = (
    RecordedStep(
        name="depth",
        title=FURTHER["depth"],
        say="Hold the board before colour and depth camera, leaning it to all sides, near and far.",
        set_up=(
            "The board glued to something flat and stiff, held at its edges.",
            "From 0.5 to 1.2 m away; lean it by 25 degrees to the left, right, top and bottom.",
            "Hold it still for a second each time, in the middle and towards the sides of the picture.",
        ),
        plan=(Stretch("Hold it still, then lean or move it, and again", DEPTH_S, least_s=LEAST_DEPTH_S),),
        needs=("depth",),
        parts=("rgb", "depth"),
    ),
    RecordedStep(
        name="spread",
        title=FURTHER["spread"],
        say="Hold a long straight edge between warm and cold across the whole thermal picture.",
        set_up=(
            "A warm plate half covered by a cool one, or a book edge on a hot-water pad: even on both sides,"
            " 5 degC apart or more.",
            "The edge runs from one side of the picture to the other, 20 px or more from the other two.",
            f"When it is told, turn or shift it a little: {SPREAD_PICTURES} times held still.",
        ),
        plan=tuple(
            stretch
            for k in range(SPREAD_PICTURES)
            for stretch in ((Stretch(_TURN, TURN_S, kept=False, least_s=LEAST_TURN_S),) if k else ())
            + (
                Stretch(
                    f"{_HOLD}: {k + 1} of {SPREAD_PICTURES}", HOLD_S, least_s=LEAST_HOLD_S if k else None
                ),
            )
        ),
        needs=("thermal",),
        parts=("thermal",),
        colour=False,
    ),
    RecordedStep(
        name="radiometry",
        title=FURTHER["radiometry"],
        say="Show the thermal camera one reference of known temperature after the other.",
        set_up=(
            "The camera has been on for 30 minutes.",
            "First an ice slurry: crushed ice in water, stirred, a thermometer in it. Then a block of 30 to"
            " 35 degC with a contact thermometer under tape.",
            "Each by itself, large and even in the middle of the picture, 20 degC apart or more.",
            "The temperature that the thermometer shows is told before each recording; that of the room,"
            " which references mirror, where it was measured.",
        ),
        plan=tuple(
            stretch
            for k in range(LOOKS)
            for stretch in (
                (Stretch("Pause: the shutter may close now", PAUSE_S, kept=False, ends_by_shutter=True),)
                if k
                else ()
            )
            + (
                Stretch(
                    f"{_LOOK}: look {k + 1} of {LOOKS}", LOOK_S, shutter_parts=True, least_s=LEAST_LOOK_S
                ),
            )
        ),
        needs=("thermal",),
        parts=("thermal",),
        takes=2,
        more="One more reference",
        entries=(
            Entry("degc", "Temperature", "degC"),
            Entry("u95_degc", "95 % bound of its temperature", "degC", "0.3", joined=True),
            Entry("material", "Its surface", choices=("water", "ice", "tape")),
            Entry("room_degc", "The room, if measured", "degC", unknown="not known"),
        ),
        take_words=("the ice slurry", "the warm block", "one more reference"),
        colour=False,
    ),
    RecordedStep(
        name="time",
        title=FURTHER["time"],
        say="Wave a hand or the warm target before all cameras, now quick, now slow, with pauses.",
        set_up=(
            "Everything that moves is warmer or colder than what is behind it.",
            "Over much of the picture, irregularly: no beat, no gas.",
            "The whole rig may be shaken before a still scene instead.",
        ),
        plan=(Stretch("Move it: quick, slow, pause, and on", WAVE_S),),
        needs=("thermal",),
        parts=("thermal",),
    ),
    RecordedStep(
        name="axis",
        title=FURTHER["axis"],
        say="Spin the nozzle about itself, slowly, a whole turn, tags towards the camera.",
        set_up=(
            "Rest it in a V-block or between two fingers; it may slide along, but not wobble.",
            "0.3 to 0.5 m before the colour camera, well lit.",
            "A whole turn in the time shown, or to and fro as far as its hose allows.",
        ),
        plan=(Stretch("Spin it slowly, all the way round", SPIN_S, least_s=LEAST_SPIN_S),),
        needs=(),
        parts=("nozzle",),
    ),
    RecordedStep(
        name="jet",
        title=FURTHER["jet"],
        say="Blow short bursts on a plain warm surface, each from another distance.",
        set_up=(
            "A flat surface of 30 to 36 degC (agar of 1 to 2 %, or skin), in still air, seen by all cameras.",
            "The nozzle in a stand, tags in sight; another spot of the surface each time.",
            "Gas on and off when it is told; without a switch, hold the large button as long as it flows.",
        ),
        plan=(
            Stretch("No gas yet", 2.0),
            Stretch("GAS ON", 3.0, gas=True),
            Stretch("GAS OFF, and wait", 2.0),
        ),
        needs=("thermal", "depth"),
        parts=("thermal", "depth", "nozzle"),
        takes=3,
        more="One more burst",
        entries=(
            Entry("device", "Device", choices=tuple(load_devices())),
            Entry("surface", "Surface", choices=("agar", "skin")),
        ),
        take_words=("a burst from about 70 mm", "a burst from about 100 mm", "a burst from about 150 mm"),
    ),
    RecordedStep(
        name=CHECK,
        title="Check before a session",
        say="Hold the warm or cold target before both cameras, and lean it once to each side.",
        set_up=(
            "The target fills about a third of the picture.",
            "Better still: rest the nozzle's tip on a corner of it for half a second.",
            "What is not shown is not looked at, and that is said.",
        ),
        plan=(Stretch("Hold the target, lean it to each side", 5.0),),
        needs=(),
        parts=("rgb",),
    ),
)

STEPS: Mapping[str, RecordedStep] = {one.name: one for one in _STEPS}
