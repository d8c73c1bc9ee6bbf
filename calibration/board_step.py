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
from calibration.carried import carried
from calibration.coverage import Coverage, coverage_of
from calibration.foretell import (
    LensForetold,
    ThermalForetold,
    camera_known,
    lens_guess,
    lens_known,
    thermal_guess,
    thermal_known,
)
from calibration.holding import SPANS, Hold, held_as, outline_mm, ways_to_hold
from calibration.intrinsics import calibrate_camera
from calibration.pair_equations import PairView
from calibration.placed import skin_errors_mm
from calibration.print_doubt import doubts_mm
from calibration.rgb import (
    LEAST_PICTURES,
    CameraFound,
    find_camera,
)
from calibration.rgb import LIMIT_MM as RGB_LIMIT_MM
from calibration.seeing import HOLD_S, STILL_SHARE, motion_px_s
from calibration.skin_error import DISTANCES_MM
from calibration.thermal import LEAST_PAIRS
from calibration.thermal import LIMIT_MM as THERMAL_LIMIT_MM
from calibration.thermal_pair import RgbKnown, board_pose, calibrate_thermal
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

THERMAL_SPANS = (0.55, 0.40, 0.28)
"""Of the colour picture: a thermal camera sees less of the scene, and tags must be told from 0.5 to 1.2 m."""

TURNED = "a board turned by a quarter: its print may be longer one way"
"""What is missing where that is what limits."""

_AT = DISTANCES_MM.index(800.0)
_SOLVES_FROM = 4


@dataclass(frozen=True, eq=False)
class BoardStep:
    """What was taken so far, and what is asked for next."""

    name: str
    """``rgb`` or ``thermal``."""
    board: Board
    asked_mm: float
    foretold: LensForetold | ThermalForetold
    """With the information of all pictures taken."""
    prior: LensForetold | ThermalForetold
    """Before any picture."""
    taken: tuple[Sight, ...] = ()
    poses: tuple[Floats, ...] = ()
    holds: tuple[Hold, ...] = ()
    error_mm: float | None = None
    before_mm: float | None = None
    """The error as it was one picture ago."""
    refusal: str | None = "no picture yet"
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
    print_limits: bool = False
    """Whether the doubt of the print's directions is what limits the error: a quarter turn is asked for."""

    @staticmethod
    def rgb(board: Board, *, size_px: tuple[int, int], asked_mm: float = RGB_ASKED_MM) -> BoardStep:
        """The colour camera, of which nothing is known."""
        guess = lens_guess(board, size_px=size_px)
        return _asking(BoardStep("rgb", board, asked_mm, guess, guess))

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
        return _asking(BoardStep("thermal", board, asked_mm, guess, guess))

    @property
    def limit_mm(self) -> float:
        """Above it the step is refused."""
        return RGB_LIMIT_MM if self.name == "rgb" else THERMAL_LIMIT_MM

    @property
    def least(self) -> int:
        """Pictures needed at least."""
        return LEAST_PICTURES if self.name == "rgb" else LEAST_PAIRS

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
        if any(alike(pose, other, self.board) for other in self.poses):
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
        held = held_as(pose, self.board, camera_known(self.foretold), spans=self._spans)
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

    @property
    def _spans(self) -> tuple[float, ...]:
        return SPANS if self.name == "rgb" else THERMAL_SPANS

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
            missing=(*coverage.missing(), *([TURNED] if self.print_limits else [])),
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
        return coverage_of(views, self.holds, size_px=(camera.width_px, camera.height_px))


def _solved(step: BoardStep) -> BoardStep:
    """Solve with what was taken, and count its information where the solution has it."""
    step = replace(step, before_mm=step.error_mm)
    if isinstance(step.prior, LensForetold):
        return _solved_rgb(step, step.prior)
    return _solved_thermal(step, step.prior)


def _solved_rgb(step: BoardStep, prior: LensForetold) -> BoardStep:
    views = [one.colour for one in step.taken if isinstance(one.colour, BoardView)]
    known, found = prior, None
    if len(views) >= LEAST_PICTURES:
        found = find_camera(views, step.board, size_px=prior.size_px)
        values = found.calibrated.values if isinstance(found, CameraFound) else None
    elif len(views) >= _SOLVES_FROM:
        values = calibrate_camera(views, step.board, size_px=prior.size_px).values
    else:
        values = None
    if values is not None and 0.4 < values[0] / prior.size_px[0] < 4.0:
        known = lens_known(prior, values)
    poses = tuple(board_pose(view, step.board.corners_mm, known.values) for view in views)
    gains = [known.gain(pose, view) for pose, view in zip(poses, views, strict=True)]
    print_limits = isinstance(found, CameraFound) and bool(found.print_limits)
    error_mm, refusal = None, "too few pictures"
    if isinstance(found, CameraFound):
        error_mm, refusal = found.errors[_AT].worst_mm, found.refusal
        if found.everywhere[_AT].worst_mm > RGB_LIMIT_MM:
            refusal = refusal or "edges and corners are only guessed"
    elif isinstance(found, str):
        refusal = found
    return replace(
        step,
        foretold=known.with_(np.sum([g for g in gains if g is not None], axis=0)),
        poses=poses,
        holds=_holds(step, known, poses),
        print_limits=print_limits,
        error_mm=error_mm,
        refusal=refusal,
    )


def _solved_thermal(step: BoardStep, prior: ThermalForetold) -> BoardStep:
    corners_mm, pairs = step.board.corners_mm, []
    for k, one in enumerate(step.taken):
        if isinstance(one.colour, BoardView) and isinstance(one.thermal, BoardView):
            pairs.append(PairView(f"{k:02d}", one.colour, one.thermal))
    known, error_mm, refusal = prior, None, "too few pairs"
    if len(pairs) >= _SOLVES_FROM:
        doubts = doubts_mm(step.board)
        found = calibrate_thermal(pairs, corners_mm, known=prior.rgb, size_px=prior.size_px, doubts=doubts)
        found = carried(found, prior.rgb.values, rgb_size_px=prior.rgb_size_px)
        known = thermal_known(
            found,
            step.board,
            prior.rgb,
            prior.information,
            size_px=prior.size_px,
            rgb_size_px=prior.rgb_size_px,
        )
        if len(pairs) >= LEAST_PAIRS:
            errors = skin_errors_mm(found, rgb_size_px=prior.rgb_size_px)
            error_mm = float(errors[_AT])
            refusal = None if error_mm <= THERMAL_LIMIT_MM else "too large"
    poses = tuple(board_pose(pair.rgb, corners_mm, prior.rgb.values) for pair in pairs)
    gains = [known.gain(pose, pair.thermal) for pose, pair in zip(poses, pairs, strict=True)]
    return replace(
        step,
        foretold=known.with_(np.sum([g for g in gains if g is not None], axis=0)),
        poses=poses,
        holds=_holds(step, known, poses),
        error_mm=error_mm,
        refusal=refusal,
    )


def _holds(
    step: BoardStep, known: LensForetold | ThermalForetold, poses: Sequence[Floats]
) -> tuple[Hold, ...]:
    camera, spans = camera_known(known), SPANS if step.name == "rgb" else THERMAL_SPANS
    return tuple(held_as(pose, step.board, camera, spans=spans) for pose in poses)


def _asking(step: BoardStep) -> BoardStep:
    """Choose what to ask for: the way to hold the board that lowers the error on the skin most."""
    if step.done:
        return replace(step, wanted=None, best_mm=None)
    camera = camera_known(step.foretold)
    ways = ways_to_hold(step.board, camera, spans=SPANS if step.name == "rgb" else THERMAL_SPANS)
    if step.print_limits:
        turned = _quarter_turned(step, camera)
        if turned[0] is not None:
            return replace(step, wanted=turned[0], best_mm=turned[1])
    shown = {kind_of(hold) for hold in (*step.holds, *step.avoided)}
    new = [way for way in ways if kind_of(way) not in shown]
    needed = new
    if not step.taken:
        needed = [way for way in new if way.lean == 0 and way.far == 1 and way.at == (0.5, 0.5)]
    elif step.name == "rgb":
        views = [one.colour for one in step.taken if isinstance(one.colour, BoardView)]
        needed = needed_ways(new, views, step.poses, step.holds, camera)
    best, least = best_way(step.foretold, needed, new, ways)
    return replace(step, wanted=best, best_mm=least)


def _quarter_turned(step: BoardStep, camera: Camera) -> tuple[Hold | None, float | None]:
    """The way to hold it turned by a quarter that helps most; None where none can be seen."""
    ways = ways_to_hold(step.board, camera, spans=SPANS, turned=True)
    shown = {kind_of(hold) for hold in (*step.holds, *step.avoided) if hold.turned}
    return best_way(step.foretold, [way for way in ways if kind_of(way) not in shown], ways)
