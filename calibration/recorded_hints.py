"""What cheap looks at live pictures say of a recorded step: streams that come, things that are seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from calibration.axis import LEAST_SPIN_DEG
from calibration.board import Board, is_shown
from calibration.depth_settled import LEAST_HELD, BoardsHeld
from calibration.edge_settled import EdgeHeld
from calibration.pictures import spread_grey
from calibration.recorded_plan import CHECK, RecordedStep
from calibration.reference_reading import MATERIALS, shown_degc
from calibration.reference_region import found_mask, region_of
from calibration.reference_settled import Readings
from calibration.spin import spun_deg
from calibration.spread import at_straight_edge
from models.capture import Capture
from models.geometry import Bytes, Counts, Floats
from models.jet_cooling import ROOM_DEGC
from models.rig import Rig
from models.sightings import Lost
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack
from vision.point_spread import relied_on

GOOD, BAD, WAITS = "good", "bad", "waits"

RATE_S = 2.0
"""Over which pictures a second are told; without one for so long a stream does not come."""

EVERY_S: Mapping[str, float] = {
    "depth": 0.5,
    "spread": 1.0,
    "radiometry": 1.0,
    "time": 0.1,
    "axis": 0.1,
    "jet": 0.2,
    CHECK: 0.5,
}
"""So often it is looked for: a look takes 2 ms (motion) to 60 ms (an edge, a board) on one core."""

SMALL = (24, 18)
"""Pictures for motion are shrunk to this: noise of single pixels is averaged out."""

WHOLE_TURN_DEG = 330.0
"""A spin is over once so much was seen: where tags stand aslant no pose is told for up to
30 degrees."""

MOVED_SIGMAS = 4.0
"""Motion differs from picture to picture by so many times what still pictures differ by."""


@dataclass(frozen=True)
class Hint:
    """One line beside the picture."""

    state: str
    """`GOOD`, `BAD` or `WAITS` (not looked yet)."""
    words: str


@dataclass(eq=False)
class Hints:
    """Looks at captures of one step."""

    step: RecordedStep
    rig: Rig
    board: Board
    """The target of a check, or the board of the depth camera."""
    entries: Mapping[str, str] = field(default_factory=dict[str, str])
    """What was told of the recording under way."""
    anew: bool = False
    """A recording has begun: what is counted over it starts anew with the next look."""
    readings: Readings = field(default_factory=Readings)
    """Of the reference that is shown."""
    edges: EdgeHeld = field(default_factory=EdgeHeld)
    """Held before the thermal camera."""
    boards: BoardsHeld | None = None
    """Held for the depth camera; None = that is not what is done."""
    _times: dict[str, deque[float]] = field(
        default_factory=lambda: {name: deque[float](maxlen=200) for name in ("colour", "thermal", "depth")}
    )
    _looked_s: float = -np.inf
    _first_s: float | None = None
    _said: tuple[Hint, ...] = ()
    _track: NozzleTrack | None = None
    _turns: list[Floats] = field(default_factory=list[Floats])
    _all_round: bool = False
    _small: dict[str, Floats] = field(default_factory=dict[str, Floats])
    _motion: dict[str, deque[tuple[float, float]]] = field(
        default_factory=lambda: {
            name: deque[tuple[float, float]](maxlen=120) for name in ("colour", "thermal")
        }
    )

    def __post_init__(self) -> None:
        """With what this step counts."""
        if self.step.name == "depth":
            self.boards = BoardsHeld(self.board, self.rig)

    def look(self, capture: Capture) -> tuple[Hint, ...]:
        """See one more; the lines to show."""
        return (*self.came(capture), *self.see(capture))

    def came(self, capture: Capture) -> tuple[Hint, ...]:
        """Count one more; the lines that tell which streams come. This takes no time."""
        self._first_s = capture.t_s if self._first_s is None else self._first_s
        if capture.bgr is not None:
            self._times["colour"].append(capture.t_s)
        for name, pictures in (("thermal", capture.thermal), ("depth", capture.depth)):
            self._times[name].extend(capture.t_s for _ in pictures)
        if self.step.name in ("radiometry", "spread"):
            looks = self.readings if self.step.name == "radiometry" else self.edges
            for one in capture.thermal:
                if not one.shutter:
                    looks.take(capture.t_s, one.centikelvin)
        return self._streams(capture.t_s)

    def see(self, capture: Capture) -> tuple[Hint, ...]:
        """Look at one more, where it is time to; the lines that tell what is seen.

        Another thread may count meanwhile what comes.
        """
        if self.anew:
            self._turns, self._all_round, self._looked_s = [], False, -np.inf
            self.anew = False
            if self.boards is not None:
                self.boards.begin()
            if self.step.name == "axis":
                self._said = ()
        if self.boards is not None:
            self.boards.came(capture.depth)
        if capture.t_s - self._looked_s >= EVERY_S[self.step.name]:
            said = self._see(capture)
            if said is not None:
                self._said, self._looked_s = said, capture.t_s
        return self._said

    def begin(self, entries: Mapping[str, str]) -> None:
        """A recording begins: what is counted over it starts anew."""
        self.entries, self.anew = entries, True
        self.readings.forget()
        self.edges.forget()

    def settled(self, since_s: float) -> bool:
        """Whether what was seen since a time has told enough: a whole turn, boards, an edge, a drift."""
        if self.step.name == "spread":
            return self.edges.still(since_s)
        if self.boards is not None:
            return not self.anew and self.boards.settled
        if self.step.name == "axis":
            return not self.anew and self._all_round
        return self.readings.settled(since_s)

    def ready(self, since_s: float) -> bool:
        """Whether what is to be moved between two looks was moved since a time, and is still again."""
        return self.step.name == "spread" and self.edges.elsewhere(since_s)

    def _streams(self, now_s: float) -> tuple[Hint, ...]:
        may = ("thermal",) if self.step.name == CHECK and self.rig.thermal is not None else ()
        wanted = (*(("colour",) if self.step.colour else ()), *self.step.needs, *may)
        told: list[Hint] = []
        for name in wanted:
            recent = [t_s for t_s in self._times[name] if now_s - t_s <= RATE_S]
            title = name.capitalize()
            if recent:
                span_s = min(RATE_S, max(now_s - (self._first_s or 0.0), 0.2))
                told.append(Hint(GOOD, f"{title} pictures come, {len(recent) / span_s:.0f} a second"))
            elif self._first_s is not None and now_s - self._first_s < RATE_S:
                told.append(Hint(WAITS, f"{title} pictures: waiting"))
            else:
                told.append(Hint(BAD, f"No {name} picture comes: look after that camera"))
        return tuple(told)

    def _see(self, capture: Capture) -> tuple[Hint, ...] | None:
        """What this capture shows; None where there is nothing in it to look at."""
        warm = next((one.centikelvin for one in reversed(capture.thermal) if not one.shutter), None)
        name = self.step.name
        if name == "time":
            return self._moving(capture, warm)
        if name in ("spread", "radiometry"):
            if warm is None:
                return None
            return self._edge(warm) if name == "spread" else self._reference(warm)
        if capture.bgr is None:
            return None
        if self.boards is not None:
            self.boards.look(capture)
            return board_hints(self.boards)
        return self._target(capture.bgr, warm) if name == CHECK else self._nozzle(capture)

    def _edge(self, warm: Counts) -> tuple[Hint, ...]:
        found = at_straight_edge(_degc(warm))
        if isinstance(found, str):
            return (Hint(BAD, f"The thermal picture {found}"),)
        return (Hint(GOOD, "One straight edge is seen"),)

    def _reference(self, warm: Counts) -> tuple[Hint, ...]:
        thermal, told = self.rig.thermal, self.entries.get("degc", "").replace(",", ".")
        try:
            degc = float(told)
        except ValueError:
            return (Hint(WAITS, "Tell the temperature of the reference"),)
        if thermal is None:
            return ()
        emissivity = MATERIALS.get(self.entries.get("material", ""), MATERIALS["water"])
        try:
            room_degc = float(self.entries.get("room_degc", "").replace(",", "."))
        except ValueError:
            room_degc = ROOM_DEGC
        should = shown_degc(
            degc, emissivity=emissivity, camera_emissivity=thermal.emissivity, room_degc=room_degc
        )
        picture = _degc(warm)
        mask = found_mask(picture, should)
        if mask is None:
            return (Hint(BAD, "No even part stands out that could be the reference"),)
        region = region_of(picture, mask, spread=relied_on(thermal.spread, None))
        if isinstance(region, str):
            return (Hint(BAD, f"The reference is seen, but {region}"),)
        if self.readings.core is None:
            self.readings.core = region.core
        reads = float(np.median(picture[region.core]))
        return (Hint(GOOD, f"The reference is seen: it reads {reads:.1f} degC (should show {should:.1f})"),)

    def _moving(self, capture: Capture, warm: Counts | None) -> tuple[Hint, ...] | None:
        if capture.bgr is not None:
            self._add_motion("colour", capture.t_s, np.asarray(capture.bgr[..., 1], float))
        if warm is not None:
            self._add_motion("thermal", capture.t_s, warm.astype(float))
        told: list[Hint] = []
        for name, changes in self._motion.items():
            if len(changes) < 5:
                told.append(Hint(WAITS, f"Motion in the {name} picture: waiting"))
                continue
            still = float(np.percentile([change for _, change in changes], 10.0))
            lately = max(
                change for t_s, change in changes if capture.t_s - t_s <= RATE_S or t_s == changes[-1][0]
            )
            moves = lately > MOVED_SIGMAS * max(still, 1e-9) or lately > _PLAIN[name]
            words = f"The {name} camera sees motion" if moves else f"The {name} camera sees no motion"
            told.append(Hint(GOOD if moves else BAD, words))
        return tuple(told)

    def _add_motion(self, name: str, t_s: float, picture: Floats) -> None:
        small = np.asarray(cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA), float)
        if (before := self._small.get(name)) is not None and not np.array_equal(before, small):
            self._motion[name].append((t_s, float(np.sqrt(np.mean((small - before) ** 2)))))
        self._small[name] = small

    def _nozzle(self, capture: Capture) -> tuple[Hint, ...]:
        assert capture.bgr is not None
        if self.rig.nozzle is None or capture.bgr.shape[:2] != (
            self.rig.rgb.height_px,
            self.rig.rgb.width_px,
        ):
            return (Hint(BAD, "The pictures are not of the size of the rig's colour camera"),)
        track = self._track or NozzleTrack.start()
        found, self._track = track_nozzle(track, capture.bgr, t_s=capture.t_s, rig=self.rig)
        if isinstance(found, Lost):
            seen = Hint(BAD, f"The nozzle is not seen: {found.reason}")
        else:
            seen = Hint(GOOD, "The nozzle's tags are seen")
            if found.state == "tracked":
                self._turns.append(found.rgb_from_nozzle.rotation)
        if self.step.name != "axis":
            return (seen,)
        arc = arc_deg(self._turns)
        self._all_round, enough = arc >= WHOLE_TURN_DEG, arc >= LEAST_SPIN_DEG
        return (
            seen,
            Hint(GOOD if enough else WAITS, f"Spun over {arc:.0f} of at least {LEAST_SPIN_DEG:.0f} degrees"),
        )

    def _target(self, bgr: Bytes, warm: Counts | None) -> tuple[Hint, ...]:
        return target_hints(bgr, warm, self.board)


def arc_deg(turns: Sequence[Floats]) -> float:
    """Arc that rotations of a nozzle about its own axis cover, each shape (3, 3)."""
    return spun_deg(np.array(turns), np.array([0.0, 0.0, 1.0])) if len(turns) > 2 else 0.0


def board_hints(boards: BoardsHeld) -> tuple[Hint, ...]:
    """Whether the board is seen by which the depth camera is placed, and what was held so far."""
    if boards.trouble:
        return (Hint(BAD, boards.trouble),)
    if boards.seen:
        words = "The colour camera does not see the board: show more of it, sharp and lit"
        shown = Hint(BAD, words)
    else:
        shown = Hint(GOOD, "The colour camera sees the board")
    count, missing = len(boards.pairs), boards.missing()
    words = f"Held still in {count} of at least {LEAST_HELD} places"
    enough = count >= LEAST_HELD and not missing
    return (shown, Hint(GOOD if enough else WAITS, f"{words}: {missing}" if missing else words))


def target_hints(bgr: Bytes, warm: Counts | None, board: Board) -> tuple[Hint, ...]:
    """Whether the target of a check is seen.

    Args:
        bgr: Colour picture, shape (h, w, 3).
        warm: Thermal picture, centikelvin, shape (h, w); None = there is none.
        board: The target.
    """
    grey = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
    told = [
        Hint(GOOD, "The colour camera sees the target")
        if is_shown(grey, board)
        else Hint(BAD, "The colour camera does not see the target")
    ]
    if warm is not None:
        told.append(
            Hint(GOOD, "The thermal camera sees the target")
            if is_shown(spread_grey(warm), board)
            else Hint(BAD, "The thermal camera does not see the target: warm or cool it")
        )
    return tuple(told)


_PLAIN = {"colour": 6.0, "thermal": 60.0}
"""So much change is motion even where all pictures moved: 6 of 255 shades, 0.6 degC, rms of small pixels."""


def _degc(warm: Counts) -> Floats:
    return np.where(warm > 0, warm / 100.0 - 273.15, np.nan)
