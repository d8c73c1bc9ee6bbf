"""The depth camera's place and readings from pairs of pictures of a board: what was used, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.alike import open_freedom
from calibration.board import Board
from calibration.depth_fit import DepthFound, Grounds, fit_depth
from calibration.depth_start import started
from calibration.depth_views import DepthView
from calibration.skin_error import DISTANCES_MM, at_once_95
from models.camera import Camera
from models.depth_place import placed_slopes, seen_at
from models.geometry import Floats, frozen, unit
from models.rig import DepthCamera
from models.sightings import radius_95_mm

LEAST_PAIRS = 6
LEAST_LEAN_DEG = 8.0
"""Root mean square, in the direction in which boards lean least: a shift along the board is told by its lean
alone. Boards that lean by up to 25 degrees to all sides have 12."""

LEAST_APART = 1.25
"""Farthest by nearest board: below, scale and offset change readings alike."""

LIMIT_ALONG_MM, LIMIT_ACROSS_MM = 6.0, 8.0
"""95 % bounds on the skin, 0.8 m away, above which a calibration is refused: what one reading is off by
(`vision.depth.NOISE_U95_MM`), and what `calibrate thermal` allows."""

MOST_OFF = 0.12
"""Readings that are off by a larger share are not millimetres: makers allow 2 %."""

_AT_MM = 800.0
_FIELD = (0.25, 0.5, 0.75)
"""Where in the colour picture the error is worked out, as a share of its width and height."""


@dataclass(frozen=True, eq=False)
class DepthJudged:
    """What the pairs say."""

    found: DepthFound
    along_mm: tuple[float, ...]
    """95 % bound of the distance, at nine places of the picture at once, at
    `calibration.skin_error.DISTANCES_MM`."""
    across_mm: tuple[float, ...]
    """The same beside the line of sight."""
    camera: DepthCamera
    """With the covariance as the rig states it."""
    lean_deg: float
    """Root mean square of how far boards lean, in the direction in which they lean least."""
    apart: float
    """Farthest by nearest board."""
    refusal: str | None


def find_depth(
    views: Sequence[DepthView], board: Board, *, camera: DepthCamera, rgb: Camera, grounds: Grounds
) -> DepthJudged | str:
    """Solve and judge.

    Args:
        views: The board found in the colour camera, and the depth picture of the same moment.
        board: What was seen.
        camera: The depth camera's lens, and about where it stands.
        rgb: The colour camera.
        grounds: What all this rests on.

    Returns:
        What was found, with a refusal where it is not good enough; or only why nothing was.
    """
    if len(views) < LEAST_PAIRS:
        return _too_few(len(views))
    if (lean_deg := lean_deg_of(views)) < LEAST_LEAN_DEG:  # the solution would run off sideways
        return _parallel(lean_deg)
    start, ratio = started(views, board, camera)
    if not np.isfinite(ratio):
        return (
            "The depth camera reads nothing where the board is: show it the board in the middle of its"
            " picture, from 0.5 to 1.2 m, and check that pictures of one moment have one name."
        )
    if abs(np.log(ratio)) > np.log1p(MOST_OFF):
        return (
            f"Depth readings are not millimetres: the board is {ratio:.3g} times as far away as is read;"
            " give pictures of 16 bits in mm, each pixel the distance along the camera's axis."
        )
    found = fit_depth(views, board, start=start, grounds=grounds)
    if isinstance(found, str):
        return f"{found}; take pairs in which the board is read by both cameras, 0.5 to 1.2 m away."
    if int(found.used.sum()) < LEAST_PAIRS:
        return " ".join([_too_few(int(found.used.sum())), *(f"{why}." for why in found.left_out[:3])])
    used = [view for view, here in zip(views, found.used, strict=True) if here]
    lean_deg, apart = lean_deg_of(used), apart_of(used, board)
    along, across = skin_errors_mm(found, rgb)
    covariance = stated_covariance(found, along, across, rgb)
    return DepthJudged(
        found=found,
        along_mm=along,
        across_mm=across,
        camera=replace(found.camera, covariance=frozen(covariance)),
        lean_deg=lean_deg,
        apart=apart,
        refusal=_refusal(found, used, board, along, across, lean_deg=lean_deg, apart=apart),
    )


def skin_errors_mm(found: DepthFound, rgb: Camera) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """95 % bounds along and across the line of sight, at `DISTANCES_MM`, at nine places at once.

    They are of what calibration leaves open, not of a reading's own error.
    """
    bounds: list[tuple[float, float]] = []
    for distance_mm in DISTANCES_MM:
        along, across = _slopes(found.camera, rgb, distance_mm)
        bounds.append((_bound(found, along), _bound(found, across)))
    return tuple(one for one, _ in bounds), tuple(one for _, one in bounds)


def stated_covariance(
    found: DepthFound, along_mm: Sequence[float], across_mm: Sequence[float], rgb: Camera
) -> Floats:
    """Covariance as the rig states it: a normal error at its worst place then tells what holds at all."""
    share = 1.0
    for distance_mm, *told in zip(DISTANCES_MM, along_mm, across_mm, strict=True):
        for slopes, bound_mm in zip(_slopes(found.camera, rgb, distance_mm), told, strict=True):
            plain_mm = max((radius_95_mm(one @ found.covariance @ one.T) for one in slopes), default=0.0)
            if plain_mm > 0.0 and np.isfinite(bound_mm):
                share = max(share, bound_mm / plain_mm)
    return found.covariance * share**2


def _slopes(camera: DepthCamera, rgb: Camera, distance_mm: float) -> tuple[Floats, Floats]:
    """Slopes along and across the line of sight, shapes (n, 1, 17) and (n, 3, 17); n places seen by both."""
    at_px = np.array([(x * rgb.width_px, y * rgb.height_px) for x in _FIELD for y in _FIELD])
    sight = unit(rgb.unproject(at_px))
    points = sight * distance_mm
    px, _ = seen_at(camera, points)
    seen = np.isfinite(px).all(axis=1) & camera.camera.inside(px)
    slopes, sight = placed_slopes(camera, points[seen]), sight[seen]
    along = np.einsum("ni,nij->nj", sight, slopes)[:, None]
    return along, slopes - sight[:, :, None] * along


def _bound(found: DepthFound, slopes: Floats) -> float:
    if not len(slopes):
        return float("inf")
    totals = np.einsum("nia,kab,nib->nk", slopes, found.each, slopes)
    worst = totals[int(np.argmax(totals @ found.step.weight))]
    freedom = open_freedom(worst, found.step.weight, found.step.freedom)
    return at_once_95(slopes, found.covariance, freedom=freedom)


def lean_deg_of(views: Sequence[DepthView]) -> float:
    """How far normals lean from their mean, in the direction in which they lean least."""
    normals = np.array([view.rgb_from_board.rotation[:, 2] for view in views])
    normals *= np.sign(normals[:, 2:])
    size = np.linalg.svd(normals - normals.mean(axis=0), compute_uv=False)
    return float(np.degrees(size[1] / np.sqrt(len(views))))


def apart_of(views: Sequence[DepthView], board: Board) -> float:
    """Farthest by nearest board."""
    away = _away_mm(views, board)
    return float(away.max() / away.min())


def _away_mm(views: Sequence[DepthView], board: Board) -> Floats:
    middle = board.corners_mm.mean(axis=0)
    return np.array([float(np.linalg.norm(view.rgb_from_board.apply(middle))) for view in views])


def _refusal(
    found: DepthFound,
    views: Sequence[DepthView],
    board: Board,
    along_mm: Sequence[float],
    across_mm: Sequence[float],
    *,
    lean_deg: float,
    apart: float,
) -> str | None:
    if lean_deg < LEAST_LEAN_DEG:
        return _parallel(lean_deg)
    if apart < LEAST_APART:
        away_mm = float(np.median(_away_mm(views, board)))
        near = int(np.argmin(np.abs(np.array(DISTANCES_MM) - away_mm)))
        return (
            f"All boards are at one distance (farthest by nearest {apart:.2f}, at least {LEAST_APART}): scale"
            f" and offset of the readings are not told apart, only their sum {away_mm / 1000.0:.2f} m away"
            f" (the bound {DISTANCES_MM[near] / 1000.0:g} m away is {along_mm[near]:.1f} mm); hold the board"
            " nearer and farther too, from 0.5 to 1.2 m."
        )
    if abs(found.camera.scale - 1.0) > MOST_OFF:
        return (
            f"Readings grow {1.0 / found.camera.scale:.3f} times as much as the distance: they are not"
            " millimetres along the camera's axis; give pictures of 16 bits in mm."
        )
    here = DISTANCES_MM.index(_AT_MM)
    if not along_mm[here] <= LIMIT_ALONG_MM:
        return (
            f"Skin {_AT_MM / 1000.0:g} m away could be shown {along_mm[here]:.1f} mm too near or too far (95"
            f" %, limit {LIMIT_ALONG_MM:g} mm); take more pairs, from 0.5 to 1.2 m, leaning to all sides, and"
            " measure the rulers of the board's sheet (--measured-mm)."
        )
    if not across_mm[here] <= LIMIT_ACROSS_MM:
        return (
            f"Skin {_AT_MM / 1000.0:g} m away could be shown {across_mm[here]:.1f} mm beside its place (95 %,"
            f" limit {LIMIT_ACROSS_MM:g} mm); take more pairs, leaning by 25 degrees and more to all sides."
        )
    return None


def _too_few(count: int) -> str:
    return (
        f"{count} pairs show the board to both cameras (at least {LEAST_PAIRS}, better 15); take more, from"
        " 0.5 to 1.2 m, leaning to all sides."
    )


def _parallel(lean_deg: float) -> str:
    return (
        f"All boards lie nearly parallel, or lean one way only ({lean_deg:.0f} degrees in the direction in"
        f" which they lean least, at least {LEAST_LEAN_DEG:.0f}): how far the depth camera stands beside the"
        " colour camera is not told; lean the board by 25 degrees to the left, right, top and bottom."
    )
