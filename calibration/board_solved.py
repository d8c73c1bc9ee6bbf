"""What pictures of a board tell so far: the camera, its error on the skin, how the board was held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.advice import Sight
from calibration.board import Board, BoardView
from calibration.carried import carried
from calibration.foretell import LensForetold, ThermalForetold, camera_known, lens_known, thermal_known
from calibration.holding import SPANS, Hold, held_as
from calibration.intrinsics import calibrate_camera
from calibration.pair_equations import PairView
from calibration.placed import skin_errors_mm
from calibration.print_doubt import doubts_mm
from calibration.rgb import LEAST_PICTURES, CameraFound, find_camera
from calibration.rgb import LIMIT_MM as RGB_LIMIT_MM
from calibration.skin_error import DISTANCES_MM
from calibration.thermal import LEAST_PAIRS
from calibration.thermal import LIMIT_MM as THERMAL_LIMIT_MM
from calibration.thermal_pair import board_pose, calibrate_thermal
from models.geometry import Floats

THERMAL_SPANS = (0.55, 0.40, 0.28)
"""Of the colour picture: a thermal camera sees less of the scene, and tags must be told from 0.5 to 1.2 m."""

_AT = DISTANCES_MM.index(800.0)
_SOLVES_FROM = 4


@dataclass(frozen=True, eq=False)
class BoardSolved:
    """Solved with the pictures taken so far."""

    foretold: LensForetold | ThermalForetold
    """With the information of all pictures taken."""
    poses: tuple[Floats, ...] = ()
    """Of the board in each, rgb frame: rotation vector and shift in mm, shape (6,)."""
    holds: tuple[Hold, ...] = ()
    error_mm: float | None = None
    """On the skin, 95 % at 0.8 m; None = too few pictures."""
    refusal: str | None = "no picture yet"
    print_limits: bool = False
    """Whether the doubt of the print's directions is what limits the error: a quarter turn is asked for."""


def spans_of(prior: LensForetold | ThermalForetold) -> tuple[float, ...]:
    """How much of the colour picture the board is to fill, near to far."""
    return SPANS if isinstance(prior, LensForetold) else THERMAL_SPANS


def solved(board: Board, prior: LensForetold | ThermalForetold, taken: Sequence[Sight]) -> BoardSolved:
    """Solve for the camera of the prior, and count the pictures' information where the solution has it.

    Args:
        board: As it was printed.
        prior: Before any picture; the colour camera's lens, or the thermal camera with a known colour one.
        taken: Each with the board found in it.
    """
    if isinstance(prior, LensForetold):
        return _solved_rgb(board, prior, taken)
    return _solved_thermal(board, prior, taken)


def _solved_rgb(board: Board, prior: LensForetold, taken: Sequence[Sight]) -> BoardSolved:
    views = [one.colour for one in taken if isinstance(one.colour, BoardView)]
    known, found = prior, None
    if len(views) >= LEAST_PICTURES:
        found = find_camera(views, board, size_px=prior.size_px)
        values = found.calibrated.values if isinstance(found, CameraFound) else None
    elif len(views) >= _SOLVES_FROM:
        values = calibrate_camera(views, board, size_px=prior.size_px).values
    else:
        values = None
    if values is not None and 0.4 < values[0] / prior.size_px[0] < 4.0:
        known = lens_known(prior, values)
    poses = tuple(board_pose(view, board.corners_mm, known.values) for view in views)
    gains = [known.gain(pose, view) for pose, view in zip(poses, views, strict=True)]
    error_mm, refusal = None, "too few pictures"
    if isinstance(found, CameraFound):
        error_mm, refusal = found.errors[_AT].worst_mm, found.refusal
        if found.everywhere[_AT].worst_mm > RGB_LIMIT_MM:
            refusal = refusal or "edges and corners are only guessed"
    elif isinstance(found, str):
        refusal = found
    return BoardSolved(
        foretold=known.with_(np.sum([g for g in gains if g is not None], axis=0)),
        poses=poses,
        holds=_holds(board, known, poses),
        error_mm=error_mm,
        refusal=refusal,
        print_limits=isinstance(found, CameraFound) and bool(found.print_limits),
    )


def _solved_thermal(board: Board, prior: ThermalForetold, taken: Sequence[Sight]) -> BoardSolved:
    corners_mm, pairs = board.corners_mm, list[PairView]()
    for k, one in enumerate(taken):
        if isinstance(one.colour, BoardView) and isinstance(one.thermal, BoardView):
            pairs.append(PairView(f"{k:02d}", one.colour, one.thermal))
    known, error_mm, refusal = prior, None, "too few pairs"
    if len(pairs) >= _SOLVES_FROM:
        doubts = doubts_mm(board)
        found = calibrate_thermal(pairs, corners_mm, known=prior.rgb, size_px=prior.size_px, doubts=doubts)
        found = carried(found, prior.rgb.values, rgb_size_px=prior.rgb_size_px)
        known = thermal_known(
            found,
            board,
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
    return BoardSolved(
        foretold=known.with_(np.sum([g for g in gains if g is not None], axis=0)),
        poses=poses,
        holds=_holds(board, known, poses),
        error_mm=error_mm,
        refusal=refusal,
    )


def _holds(board: Board, known: LensForetold | ThermalForetold, poses: Sequence[Floats]) -> tuple[Hold, ...]:
    camera, spans = camera_known(known), spans_of(known)
    return tuple(held_as(pose, board, camera, spans=spans) for pose in poses)
