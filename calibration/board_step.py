"""Pictures of a board taken by themselves, one after the other, until the error on the skin is small enough.

A picture is taken when the board is seen by all cameras of the step, held still, sharp and lit, and tells at
least half as much as the one that is asked for would: what counts is by how much it lowers the error on the
skin, not whether the technician did as told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.advice import Advice, Sight
from calibration.asking import alike, best_way, kind_of, needed_ways
from calibration.board import Board, BoardView
from calibration.board_solved import BoardSolved, solved, spans_of
from calibration.coverage import Coverage, coverage_of
from calibration.foretell import (
    LensForetold,
    ThermalForetold,
    camera_known,
    lens_guess,
    thermal_guess,
)
from calibration.holding import Hold, held_as, outline_mm, ways_to_hold
from calibration.rgb import LEAST_PICTURES
from calibration.rgb import LIMIT_MM as RGB_LIMIT_MM
from calibration.seeing import HOLD_S, STILL_SHARE, motion_px_s
from calibration.thermal import LEAST_PAIRS
from calibration.thermal import LIMIT_MM as THERMAL_LIMIT_MM
from calibration.thermal_pair import RgbKnown, board_pose
from models.camera import Camera
from models.geometry import Floats, rotation_from_rvec

RGB_ASKED_MM, THERMAL_ASKED_MM = 2.5, 2.0
"""Asked unless told otherwise, 95 % at 0.8 m: half a cell of the exposure map, at the worst place where
boards were; half a pixel of usual thermal cameras."""

MOST_PICTURES = 25
"""From here on what is within the limit is good enough: more pictures of the same kind hardly help."""

SHARE_OF_BEST = 0.5
"""Of what the picture that is asked for would take off the error, to be taken."""

PATIENCE_S = 12.0
"""What did not come in so long is not asked for again: it may be out of reach, or not seen there."""

TURNED = "a board turned by a quarter: its print may be longer one way"
"""What is missing where that is what limits."""


@dataclass(frozen=True, eq=False)
class BoardStep:
    """What was taken so far, and what is asked for next."""

    name: str
    """``rgb`` or ``thermal``."""
    board: Board
    asked_mm: float
    prior: LensForetold | ThermalForetold
    """Before any picture."""
    found: BoardSolved
    """With what was taken."""
    taken: tuple[Sight, ...] = ()
    before_mm: float | None = None
    """The error as it was one picture ago."""
    wanted: Hold | None = None
    best_mm: float | None = None
    """Error foretold with the picture that is asked for."""
    last: Sight | None = None
    asked_s: float = -1.0
    """Since when that is asked for; below 0 = no picture came since."""
    avoided: tuple[Hold, ...] = ()
    """Asked for in vain."""
    moved_s: float = -1.0
    """When the board last moved."""

    @staticmethod
    def rgb(board: Board, *, size_px: tuple[int, int], asked_mm: float = RGB_ASKED_MM) -> BoardStep:
        """The colour camera, of which nothing is known."""
        guess = lens_guess(board, size_px=size_px)
        return _asking(BoardStep("rgb", board, asked_mm, guess, BoardSolved(guess)))

    @staticmethod
    def thermal(
        board: Board,
        known: RgbKnown,
        *,
        size_px: tuple[int, int],
        rgb_size_px: tuple[int, int],
        asked_mm: float = THERMAL_ASKED_MM,
    ) -> BoardStep:
        """The thermal camera, the colour camera being known."""
        guess = thermal_guess(board, known, size_px=size_px, rgb_size_px=rgb_size_px)
        return _asking(BoardStep("thermal", board, asked_mm, guess, BoardSolved(guess)))

    @property
    def limit_mm(self) -> float:
        """Above it the step is refused."""
        return RGB_LIMIT_MM if self.name == "rgb" else THERMAL_LIMIT_MM

    @property
    def least(self) -> int:
        """Pictures needed at least."""
        return LEAST_PICTURES if self.name == "rgb" else LEAST_PAIRS

    @property
    def foretold(self) -> LensForetold | ThermalForetold:
        """What is known now, to foretell what a further picture would tell."""
        return self.found.foretold

    @property
    def error_mm(self) -> float | None:
        """On the skin, 95 % at 0.8 m; None = too few pictures."""
        return self.found.error_mm

    @property
    def refusal(self) -> str | None:
        """Why it is not good enough yet."""
        return self.found.refusal

    @property
    def done(self) -> bool:
        """Whether it is good enough, or within the limit and hardly gets better."""
        if self.error_mm is None or self.refusal is not None:
            return False
        # Stopping at the first bound below picks those low by chance: another picture has to confirm it.
        sure = self.before_mm is not None and self.before_mm <= self.asked_mm
        return (sure and self.error_mm <= self.asked_mm) or len(self.taken) >= MOST_PICTURES

    def having(self, sights: Sequence[Sight]) -> BoardStep:
        """The same with pictures that were taken before, each with the board found in it."""
        if not sights:
            return self
        before = _solved(replace(self, taken=tuple(sights[:-1]))) if len(sights) > 1 else self
        return _asking(_solved(replace(before, taken=tuple(sights))))

    def look(self, sight: Sight) -> tuple[BoardStep, Advice]:
        """Take a picture, or tell why not."""
        width = camera_known(self.foretold).width_px
        why, moved_s = self.why_not(sight, width)
        seen = replace(self, last=sight, moved_s=moved_s)
        after = seen.with_(sight) if not why else seen.patient(sight.t_s)
        return after, after.advise(sight, why, width)

    def patient(self, t_s: float) -> BoardStep:
        """Ask for something else where what is asked for does not come: it may not be possible here."""
        if self.asked_s < 0.0 or self.wanted is None:
            return replace(self, asked_s=t_s)
        if t_s - self.asked_s < PATIENCE_S:
            return self
        return _asking(replace(self, avoided=(*self.avoided, self.wanted), asked_s=t_s))

    def why_not(self, sight: Sight, width_px: int) -> tuple[str, float]:
        """Why a picture is not to be taken (empty = take it), and when the board last moved."""
        view = sight.colour
        if self.done:
            return "It is good enough.", self.moved_s
        if isinstance(view, str):
            return f"The colour picture {view}.", sight.t_s
        before = self.last.colour if self.last is not None else "none"
        if isinstance(before, str) or self.last is None:
            return "Hold still.", sight.t_s
        moves = motion_px_s(before, view, dt_s=sight.t_s - self.last.t_s) > STILL_SHARE * width_px
        moved_s = sight.t_s if moves else self.moved_s
        if self.name == "thermal" and isinstance(sight.thermal, str):
            return f"The thermal picture {sight.thermal}.", moved_s
        if sight.t_s - moved_s < HOLD_S:
            return "Hold still.", moved_s
        if self.name == "thermal" and not isinstance(sight.thermal, BoardView):
            return "Waiting for a thermal picture.", moved_s
        if sight.colour_quality is not None and (bad := sight.colour_quality.complaint(width_px=width_px)):
            return bad, moved_s
        return self._useless(sight, view), moved_s

    def _useless(self, sight: Sight, view: BoardView) -> str:
        if self.best_mm is None:
            return ""
        pose = board_pose(view, self.board.corners_mm, self._values)
        if any(alike(pose, other, self.board) for other in self.found.poses):
            return "This was taken; hold it as asked."
        thermal = sight.thermal if isinstance(sight.thermal, BoardView) else None
        gain = self.foretold.gain(pose, thermal if self.name == "thermal" else view)
        now_mm = self.foretold.error_mm()
        fall_mm = now_mm - (self.foretold.error_mm(gain) if gain is not None else now_mm)
        if fall_mm < SHARE_OF_BEST * (now_mm - self.best_mm) and not self._as_wanted(pose):
            return "This place tells little new."
        return ""

    def _as_wanted(self, pose: Floats) -> bool:
        """Whether the board is held as was asked: then it is taken, whatever the figures."""
        if self.wanted is None:
            return False
        held = held_as(pose, self.board, camera_known(self.foretold), spans=spans_of(self.prior))
        near = float(np.hypot(*(np.array(held.at) - self.wanted.at))) < 0.15
        alike_held = (held.lean, held.far, held.turned) == (
            self.wanted.lean,
            self.wanted.far,
            self.wanted.turned,
        )
        return near and alike_held

    @property
    def _values(self) -> Floats:
        known = self.foretold
        return known.values if isinstance(known, LensForetold) else known.rgb.values

    def with_(self, sight: Sight) -> BoardStep:
        """With what this sight shows."""
        return _asking(_solved(replace(self, taken=(*self.taken, sight), asked_s=sight.t_s)))

    def advise(self, sight: Sight, why: str, width_px: int) -> Advice:
        """What is told after it."""
        view = sight.colour
        told = "" if sight.colour_quality is None else sight.colour_quality.complaint(width_px=width_px)
        warnings = [told] if told else []
        thing = "board" if self.name == "rgb" else "target"
        if self.done:
            say = plain = "Good enough. Put the board down."
        elif self.wanted is None:
            say = plain = f"Show the {thing} to the camera"
        else:
            say, plain = self.wanted.words(), self.wanted.words(mirrored=False)
        ghost = ()
        if self.wanted is not None and not self.done:
            there = outline_mm(self.board) @ rotation_from_rvec(self.wanted.pose[:3]).T + self.wanted.pose[3:]
            ghost = (camera_known(self.foretold).project(there),)
        coverage = self.coverage()
        return Advice(
            step=self.name,
            taken=not why,
            say=say,
            say_plain=plain,
            why=why,
            warnings=tuple(warnings),
            count=len(self.taken),
            least=self.least,
            error_mm=self.error_mm,
            foretold_mm=self._falls_to(),
            asked_mm=self.asked_mm,
            limit_mm=self.limit_mm,
            missing=(*coverage.missing(), *([TURNED] if self.found.print_limits else [])),
            done=self.done,
            coverage=coverage,
            seen_px=None if isinstance(view, str) else view.corners_px,
            ghost_px=ghost,
        )

    def _falls_to(self) -> float | None:
        if self.error_mm is None or self.best_mm is None:
            return None
        return self.error_mm * self.best_mm / self.foretold.error_mm()

    def coverage(self) -> Coverage:
        """What is covered so far."""
        camera = camera_known(self.foretold)
        views = [one.colour for one in self.taken if isinstance(one.colour, BoardView)]
        return coverage_of(views, self.found.holds, size_px=(camera.width_px, camera.height_px))


def _solved(step: BoardStep) -> BoardStep:
    """With what was taken so far."""
    found = solved(step.board, step.prior, step.taken)
    return replace(step, before_mm=step.error_mm, found=found)


def _asking(step: BoardStep) -> BoardStep:
    """Choose what to ask for: the way to hold the board that lowers the error on the skin most."""
    if step.done:
        return replace(step, wanted=None, best_mm=None)
    camera = camera_known(step.foretold)
    ways = ways_to_hold(step.board, camera, spans=spans_of(step.prior))
    if step.found.print_limits:
        turned = _quarter_turned(step, camera)
        if turned[0] is not None:
            return replace(step, wanted=turned[0], best_mm=turned[1])
    shown = {kind_of(hold) for hold in (*step.found.holds, *step.avoided)}
    new = [way for way in ways if kind_of(way) not in shown]
    needed = new
    if not step.taken:
        needed = [way for way in new if way.lean == 0 and way.far == 1 and way.at == (0.5, 0.5)]
    elif step.name == "rgb":
        views = [one.colour for one in step.taken if isinstance(one.colour, BoardView)]
        needed = needed_ways(new, views, step.found.poses, step.found.holds, camera)
    best, least = best_way(step.foretold, needed, new, ways)
    return replace(step, wanted=best, best_mm=least)


def _quarter_turned(step: BoardStep, camera: Camera) -> tuple[Hold | None, float | None]:
    """The way to hold it turned by a quarter that helps most; None where none can be seen."""
    ways = ways_to_hold(step.board, camera, spans=spans_of(step.prior), turned=True)
    shown = {kind_of(hold) for hold in (*step.found.holds, *step.avoided) if hold.turned}
    return best_way(step.foretold, [way for way in ways if kind_of(way) not in shown], ways)
