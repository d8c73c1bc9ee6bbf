"""A pivot watched as it happens: poses taken by themselves until the tip is known well enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from calibration.advice import Advice, Sight
from calibration.collar_step import MOVING_SHARE, tags_px
from calibration.nozzle_seen import not_yet
from calibration.nozzle_words import way_words
from calibration.poses_file import TrackedPoses
from calibration.tag_leverage import TagsPlaced
from calibration.tip import LEAST_POSES, LEAST_TURN_DEG, LIMIT_MM, find_tip, turn_deg
from models.geometry import Floats, rotation_from_rvec, unit
from models.rig import Nozzle, Rig
from models.sightings import NozzleSighting

ASKED_MM = 1.5
"""Of the tip, 95 %: well within what is refused (2.5 mm, half a cell of the exposure map)."""

LEAN_DEG, LEANS = 25.0, 8
REACHED_DEG = 6.0
APART_DEG = 2.5
"""Poses nearer to the one before say the same again."""

FIRST, MOST_POSES = 20, 120
SOLVE_EACH = 4


@dataclass(frozen=True, eq=False)
class TipStep:
    """What was taken so far."""

    rig: Rig
    nozzle: Nozzle
    asked_mm: float = ASKED_MM
    taken: tuple[Sight, ...] = ()
    error_mm: float | None = None
    refusal: str | None = "no pose yet"
    turned_deg: float = 0.0
    last: Sight | None = None
    goal: Floats | None = None
    """Rotation that is asked for, ``rgb_from_nozzle``; it stays until it is reached."""
    name: str = "tip"

    @property
    def done(self) -> bool:
        """Whether the tip is known well enough, or within the limit with many poses."""
        if self.error_mm is None or self.refusal is not None or len(self.taken) < FIRST:
            return False
        return self.error_mm <= self.asked_mm or len(self.taken) >= MOST_POSES

    def look(self, sight: Sight) -> tuple[TipStep, Advice]:
        """Take a pose, or tell why not."""
        why = self.why_not(sight)
        after = replace(self, last=sight)
        if not why:
            after = after.with_(sight)
        after = after.aiming(sight)
        return after, after.advise(sight, why)

    def poses(self) -> TrackedPoses:
        """All that were taken."""
        seen = [one.nozzle for one in self.taken if isinstance(one.nozzle, NozzleSighting)]
        names = tuple(f"pose {k + 1}" for k in range(len(seen)))
        rotations = np.array([one.rgb_from_nozzle.rotation for one in seen])
        return TrackedPoses(names, rotations, np.array([one.rgb_from_nozzle.translation_mm for one in seen]))

    def why_not(self, sight: Sight) -> str:
        """Why a pose is not to be taken; empty = take it."""
        if self.done:
            return "It is good enough."
        # The tracker itself allows for smear.
        if why := not_yet(
            sight,
            self.last,
            self.rig,
            self._middle[None],
            most_share=2.0 * MOVING_SHARE,
            begin="Lean it slowly.",
        ):
            return why
        here = sight.nozzle
        assert isinstance(here, NozzleSighting)
        if self.taken and isinstance(self.taken[-1].nozzle, NozzleSighting):
            cosine = here.axis_rgb @ self.taken[-1].nozzle.axis_rgb
            if cosine > np.cos(np.radians(APART_DEG)):
                return "Lean it on."
        return ""

    @property
    def _middle(self) -> Floats:
        return self.nozzle.tags.corners_mm.reshape(-1, 3).mean(axis=0)

    def with_(self, sight: Sight) -> TipStep:
        """With what this sight shows."""
        after = replace(self, taken=(*self.taken, sight))
        n = len(after.taken)
        if n < LEAST_POSES or n % SOLVE_EACH:
            return after
        poses = after.poses()
        placed = TagsPlaced(self.nozzle.tags.corners_mm, self.rig.nozzle_errors.tag_mm2)
        found = find_tip(poses, marker_tool_mm=self._middle, placed=placed)
        error = found.robust.tip_u95_mm
        return replace(
            after,
            error_mm=float(error) if np.isfinite(error) else None,
            refusal=found.refusal,
            turned_deg=found.turn_deg,
        )

    def advise(self, sight: Sight, why: str) -> Advice:
        """What is told after it."""
        here, ghost, say, plain = sight.nozzle, (), "", ""
        if self.done:
            say = plain = "Good enough."
        elif not isinstance(here, NozzleSighting) and not self.taken:
            say = plain = "Put the tip into the dimple, collar in sight"
        else:
            goal = self.next_lean()
            if goal is not None:
                way = (goal - self._upright()) @ self._middle
                say, plain = (f"Tip at rest. Lean it {way_words(way, mirrored=m)}" for m in (True, False))
                ghost = self._ghost(goal)
            else:
                say = plain = "Tip at rest. Lean it by 25 degrees to all sides"
        turned = turn_deg(self.poses().rotations) if len(self.taken) > 1 else 0.0
        missing = [] if turned >= LEAST_TURN_DEG else [f"{LEAST_TURN_DEG - turned:.0f} degrees more of turn"]
        if len(self.taken) < FIRST:
            lacking = FIRST - len(self.taken)
            missing.append(f"{lacking} pose{'s' if lacking > 1 else ''}")
        return Advice(
            step=self.name,
            taken=not why,
            say=say,
            say_plain=plain,
            why=why,
            warnings=("Too fast: lean it slowly.",) if why == "Slower." else (),
            count=len(self.taken),
            least=FIRST,
            error_mm=self.error_mm,
            foretold_mm=None,
            asked_mm=self.asked_mm,
            limit_mm=LIMIT_MM,
            missing=tuple(missing),
            done=self.done,
            seen_px=tags_px(self.rig, self.nozzle, sight),
            ghost_px=ghost,
        )

    def _upright(self) -> Floats:
        """Rotation of the first pose."""
        first = self.taken[0].nozzle
        assert isinstance(first, NozzleSighting)
        return first.rgb_from_nozzle.rotation

    def aiming(self, sight: Sight) -> TipStep:
        """The same, asking for another lean where the one that was asked for is reached."""
        here, goal = sight.nozzle, self.goal
        if goal is not None and isinstance(here, NozzleSighting):
            reached = here.axis_rgb @ goal[:, 2] > np.cos(np.radians(REACHED_DEG))
            goal = None if reached else goal
        return replace(self, goal=goal if goal is not None else self._most_telling())

    def next_lean(self) -> Floats | None:
        """The lean that is asked for; None before there is a pose."""
        return self.goal

    def _most_telling(self) -> Floats | None:
        """The lean that lowers the variance of the tip most."""
        if not self.taken:
            return None
        upright, taken = self._upright(), self.poses().rotations
        axis = upright[:, 2]
        first = unit(np.cross(axis, (0.3, 0.1, 1.0)))
        second = np.cross(axis, first)
        best, least = None, np.inf
        for angle in np.arange(LEANS) * 2.0 * np.pi / LEANS:
            about = np.cos(angle) * first + np.sin(angle) * second
            lean = rotation_from_rvec(np.radians(LEAN_DEG) * about) @ upright
            every = np.concatenate([taken, lean[None]])
            n, total = len(every), every.sum(axis=0)
            normal = n * np.eye(3) - total.T @ total / n
            left = float(np.trace(np.linalg.inv(normal + 1e-6 * np.eye(3))))
            if left < least:
                best, least = lean, left
        return best

    def _ghost(self, goal: Floats) -> tuple[Floats, ...]:
        """Tags as they would be seen, the tip staying where it was."""
        first = self.taken[0].nozzle
        assert isinstance(first, NozzleSighting)
        there = self.nozzle.tags.corners_mm @ goal.T + first.tip_rgb_mm
        into = np.cross(there[:, 1] - there[:, 0], there[:, 3] - there[:, 0])
        facing = np.sum(into * there.mean(axis=1), axis=1) > 0.0
        return tuple(self.rig.rgb.project(quad) for quad in there[facing])
