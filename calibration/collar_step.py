"""A slow turn of the collar before the camera, pictures taken by themselves until every side was seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calibration.advice import Advice, Sight
from calibration.collar import APART_S, FEWEST_VIEWS, LIMIT_MM, own_bounds
from calibration.nozzle_seen import not_yet
from calibration.nozzle_words import way_words
from models.geometry import Bools, Floats, unit
from models.rig import Nozzle, Rig
from models.sightings import NozzleSighting
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack

ASKED_MM = 0.5
"""Of the tip, by the tags alone: a fifth of what `tip` is refused for."""

TIP_LIMIT_MM = 5.0 * LIMIT_MM
"""A tag 0.2 mm off puts the tip off by about 1 mm (`calibration.collar`)."""

SIDES, LEANS = 12, 2
LEAN_DEG = 18.0
"""Views from both ends of the collar, so that rings and faces are tied to each other."""

APART_DEG = 14.0
"""Views nearer to each other tell the same."""

MOVING_SHARE = 0.04
"""Of the picture's width a second: at 1/50 s a smear of 1 px of 1280; one of 1.5 px teaches nothing."""

MOST_PICTURES = 60


@dataclass(frozen=True, eq=False)
class CollarStep:
    """What was taken so far."""

    rig: Rig
    nozzle: Nozzle
    asked_mm: float = ASKED_MM
    taken: tuple[Sight, ...] = ()
    sides: tuple[Floats, ...] = ()
    """Where the camera was at each, nozzle frame, unit vectors from the tags' middle."""
    track: NozzleTrack | None = None
    """What the pictures taken say of the tags."""
    error_mm: float | None = None
    u95_mm: float = np.inf
    last: Sight | None = None
    name: str = "collar"

    @property
    def views(self) -> Floats:
        """In how many pictures each tag was used, shape (n,)."""
        collar = self.track.collar if self.track is not None else None
        return np.zeros(len(self.nozzle.tags.ids)) if collar is None else collar.views.astype(float)

    @property
    def refusal(self) -> str | None:
        """Why it would be refused as it stands."""
        few = self.views.min() < FEWEST_VIEWS
        return "some tags were seen too seldom" if few or self.u95_mm > LIMIT_MM else None

    @property
    def done(self) -> bool:
        """Whether every tag was seen often, every side once, and the tip is known well enough by them."""
        if self.error_mm is None or self.refusal is not None:
            return False
        enough = len(self.taken) >= MOST_PICTURES
        return (not self._open().any() and self.error_mm <= self.asked_mm) or enough

    def look(self, sight: Sight) -> tuple[CollarStep, Advice]:
        """Take a picture, or tell why not."""
        why = self.why_not(sight)
        after = replace(self, last=sight)
        if not why:
            after = after.with_(sight)
        return after, after.advise(sight, why)

    def side_of(self, sighting: NozzleSighting) -> Floats:
        """Where the camera is, seen from the tags' middle, nozzle frame."""
        middle = self.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0)
        return unit(sighting.rgb_from_nozzle.inverse.translation_mm - middle)

    def why_not(self, sight: Sight) -> str:
        """Why a picture is not to be taken; empty = take it."""
        if self.done:
            return "It is good enough."
        corners_mm = self.nozzle.tags.corners_mm.reshape(-1, 3)
        if why := not_yet(
            sight, self.last, self.rig, corners_mm, most_share=MOVING_SHARE, begin="Turn it slowly."
        ):
            return why
        assert isinstance(sight.nozzle, NozzleSighting)
        side = self.side_of(sight.nozzle)
        near = any(side @ other > np.cos(np.radians(APART_DEG)) for other in self.sides)
        return "This side was taken; turn on." if near else ""

    def with_(self, sight: Sight) -> CollarStep:
        """With what this sight shows."""
        assert isinstance(sight.nozzle, NozzleSighting)
        track = self.track if self.track is not None else NozzleTrack.start()
        if sight.bgr is not None:
            t_s = APART_S * (1 + len(self.taken))
            _, track = track_nozzle(track, sight.bgr, t_s=t_s, rig=replace(self.rig, nozzle=self.nozzle))
        u95_mm, error_mm = np.inf, None
        if track.collar is not None and track.collar.views.min() >= 2:
            each, error_mm = own_bounds(track.collar, self.nozzle.tags.corners_mm)
            u95_mm = float(each.max())
        return replace(
            self,
            taken=(*self.taken, sight),
            sides=(*self.sides, self.side_of(sight.nozzle)),
            track=track,
            error_mm=error_mm,
            u95_mm=u95_mm,
        )

    def _open(self) -> Bools:
        """Sides that no picture shows yet, shape (LEANS, SIDES)."""
        still = np.ones((LEANS, SIDES), bool)
        for side in self.sides:
            lean, k = _bin(side)
            still[lean, k] = False
        return still

    def next_side(self, here: Floats) -> Floats | None:
        """The nearest side to be shown."""
        goals = [_middle(lean, k) for lean, k in zip(*np.nonzero(self._open()), strict=True)]
        if not goals:
            few = np.flatnonzero(self.views < FEWEST_VIEWS)
            if len(few) == 0:
                return None
            corners = self.nozzle.tags.corners_mm[few[0]]
            return unit(np.cross(corners[3] - corners[0], corners[1] - corners[0]))
        return max(goals, key=lambda goal: float(goal @ here))

    def advise(self, sight: Sight, why: str) -> Advice:
        """What is told after it."""
        goal, ghost = None, ()
        say = plain = "Good enough. Keep the nozzle."
        if not self.done:
            say = plain = "Show the collar, 35 cm from the camera, and turn it slowly"
            here = sight.nozzle
            if isinstance(here, NozzleSighting) and (goal := self.next_side(self.side_of(here))) is not None:
                say, plain = (self._turn_words(here, goal, mirrored=m) for m in (True, False))
                ghost = self._ghost(here, goal)
        few = int(np.sum(self.views < FEWEST_VIEWS))
        missing = [f"{int(self._open().sum())} of {LEANS * SIDES} sides"] if self._open().any() else []
        missing += (
            [f"{few} tag{'s' if few > 1 else ''} seen in fewer than {FEWEST_VIEWS} pictures"] if few else []
        )
        return Advice(
            step=self.name,
            taken=not why,
            say=say,
            say_plain=plain,
            why=why,
            warnings=("Too fast: turn it slowly.",) if why == "Slower." else (),
            count=len(self.taken),
            least=LEANS * SIDES,
            error_mm=self.error_mm,
            foretold_mm=None,
            asked_mm=self.asked_mm,
            limit_mm=TIP_LIMIT_MM,
            missing=tuple(missing),
            done=self.done,
            seen_px=self._seen_px(sight),
            ghost_px=ghost,
        )

    def _turn_words(self, here: NozzleSighting, goal: Floats, *, mirrored: bool) -> str:
        side = self.side_of(here)
        turn = _azimuth(goal) - _azimuth(side)
        turn = (turn + np.pi) % (2.0 * np.pi) - np.pi
        rise = float(goal[2] - side[2])
        if abs(turn) < np.radians(20.0) and abs(rise) > 0.15:
            return f"Lean the tip {'towards' if rise > 0.0 else 'away from'} the camera"
        x, y = here.axis_rgb[0], here.axis_rgb[1]
        way = np.sign(turn) * np.array([y, -x, 0.0])
        tip = "towards" if goal[2] > 0.0 else "away from"
        where = way_words(way, mirrored=mirrored)
        return f"Turn it: near side goes {where}, tip {tip} the camera"

    def _ghost(self, here: NozzleSighting, goal: Floats) -> tuple[Floats, ...]:
        """Tags as they would face the camera."""
        side, middle = self.side_of(here), self.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0)
        turned = turning(goal, side)
        own = (self.nozzle.tags.corners_mm - middle) @ turned.T + middle
        there = here.rgb_from_nozzle.apply(own)
        into = np.cross(there[:, 1] - there[:, 0], there[:, 3] - there[:, 0])
        facing = np.sum(into * there.mean(axis=1), axis=1) > 0.0
        return tuple(self.rig.rgb.project(quad) for quad in there[facing])

    def _seen_px(self, sight: Sight) -> Floats | None:
        return tags_px(self.rig, self.nozzle, sight)


def tags_px(rig: Rig, nozzle: Nozzle, sight: Sight) -> Floats | None:
    """Corners of the tags that face the camera, where the nozzle is seen, shape (k, 2)."""
    if not isinstance(sight.nozzle, NozzleSighting):
        return None
    there = sight.nozzle.rgb_from_nozzle.apply(nozzle.tags.corners_mm)
    into = np.cross(there[:, 1] - there[:, 0], there[:, 3] - there[:, 0])
    facing = np.sum(into * there.mean(axis=1), axis=1) > 0.0
    return rig.rgb.project(there[facing].reshape(-1, 3))


def _azimuth(side: Floats) -> float:
    return float(np.arctan2(side[1], side[0]))


def _bin(side: Floats) -> tuple[int, int]:
    k = int(np.floor(_azimuth(side) / (2.0 * np.pi) * SIDES + 0.5)) % SIDES
    return int(side[2] > 0.0), k


def _middle(lean: int, k: int) -> Floats:
    angle, rise = 2.0 * np.pi * k / SIDES, np.radians(LEAN_DEG) * (1.0 if lean else -1.0)
    return np.array([np.cos(angle) * np.cos(rise), np.sin(angle) * np.cos(rise), np.sin(rise)])


def turning(first: Floats, second: Floats) -> Floats:
    """The rotation that takes a side to another: about the nozzle's axis, and what is square to it."""

    def frame(side: Floats) -> Floats:
        angle, rise = _azimuth(side), np.arcsin(np.clip(side[2], -1.0, 1.0))
        c, s, d, e = np.cos(angle), np.sin(angle), np.cos(rise), np.sin(rise)
        return np.array([[c * d, -s, -c * e], [s * d, c, -s * e], [e, 0.0, d]])

    return frame(second) @ frame(first).T
