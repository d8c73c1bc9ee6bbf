"""Where the thermal camera stands to the colour camera: which pairs were used, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.alike import open_freedom
from calibration.board import Board
from calibration.bounds import radius_95
from calibration.intrinsics import PARAMETERS
from calibration.one_rig import moved_words
from calibration.pair_equations import PairView
from calibration.skin_error import DISTANCES_MM
from calibration.tag_gaps import gaps_words
from calibration.thermal_pair import RgbKnown, ThermalFound, calibrate_thermal, transfer_px
from models.geometry import Bools, Floats, rotation_from_rvec

LEAST_PAIRS = 5

MOST_TRANSFER_PX = 1.0
"""Root mean square, in thermal pixels, by which corners of a pair that the calibration did not see may come
out
elsewhere: what one rig explains comes out within the noise of thermal corners, 0.5 to 0.7 px on soft
edges."""

LIMIT_MM = 8.0
"""95 % bound on the skin, 0.8 m away, above which a calibration is refused: two pixels of usual cameras."""

_AT_MM = 800.0
_FREEDOM = 1e4
"""Of the noise of single corners: hundreds of them tell it."""

_BLOOMS = np.linspace(-0.06, 0.06, 13).tolist()
_FIELD = (0.25, 0.5, 0.75)
"""Where in the colour picture the error is worked out: what the thermal camera sees of it."""


@dataclass(frozen=True, eq=False)
class ThermalJudged:
    """What the pairs say."""

    found: ThermalFound
    within_px: tuple[float, ...]
    """Of each pair by itself: tags held out, and brought over by the others of the pair."""
    held_out_px: tuple[float, ...]
    """Of each pair, by a calibration from all the others."""
    on_skin_mm: tuple[float, ...]
    """95 % bound of where a thermal pixel is placed, at `calibration.skin_error.DISTANCES_MM`."""
    refusal: str | None


def find_thermal(
    pairs: Sequence[PairView],
    board: Board,
    *,
    known: RgbKnown,
    size_px: tuple[int, int],
    rgb_size_px: tuple[int, int],
    on_solved: Callable[[], None] = lambda: None,
) -> ThermalJudged | str:
    """Solve and judge.

    Args:
        pairs: Target found in both cameras.
        board: The target.
        known: The colour camera.
        size_px: Of the thermal picture.
        rgb_size_px: Of the colour picture.
        on_solved: Called after each of `solves` solutions.

    Returns:
        What was found, with a refusal where it is not good enough; or only why nothing was.
    """
    if len(pairs) < LEAST_PAIRS:
        return (
            f"{len(pairs)} pairs show the target in both cameras (at least {LEAST_PAIRS}, better 15); take"
            f" more,"
            " from 0.5 to 1.2 m, leaning to all sides, warm enough to be seen by both."
        )
    corners_mm = board.corners_mm
    found = calibrate_thermal(pairs, corners_mm, known=known, size_px=size_px)
    on_solved()
    held_out = []
    for k, pair in enumerate(pairs):
        others = [*pairs[:k], *pairs[k + 1 :]]
        again = calibrate_thermal(others, corners_mm, known=known, size_px=size_px, near=found)
        on_solved()
        held_out.append(_rms(transfer_px(pair, corners_mm, again)))
    on_skin = skin_errors_mm(found, rgb_size_px=rgb_size_px)
    return ThermalJudged(
        found=found,
        within_px=tuple(within_pair_px(pair) for pair in pairs),
        held_out_px=tuple(held_out),
        on_skin_mm=on_skin,
        refusal=_refusal(pairs, held_out, on_skin, board),
    )


def solves(pairs: int) -> int:
    """How often `find_thermal` solves for so many pairs: with all, then without each."""
    return 1 + pairs


def within_pair_px(pair: PairView) -> float:
    """Corners of each tag brought over by a homography of the pair's others: root mean square, thermal px.

    It knows nothing of the rig: it says how well the corners themselves were found.
    """
    both = np.intersect1d(pair.rgb.ids, pair.thermal.ids)
    rgb = pair.rgb.corners_px[np.searchsorted(pair.rgb.ids, both)]
    thermal = pair.thermal.corners_px[np.searchsorted(pair.thermal.ids, both)]
    off: list[Floats] = []
    for tag in np.unique(both // 4):
        own = both // 4 == tag
        if np.sum(~own) < 8:
            return float("inf")
        tries = [_brought_off(rgb, thermal, own, share) for share in _BLOOMS]
        off.append(min(tries, key=lambda one: one[0])[1])
    return _rms(np.concatenate(off))


def _brought_off(rgb: Floats, thermal: Floats, own: Bools, share: float) -> tuple[float, Floats]:
    """Residual of the other tags, and how far this one comes out, were tags larger by a share."""
    tags = rgb.reshape(-1, 4, 2)
    middles = tags.mean(axis=1, keepdims=True)
    larger = ((tags - middles) * (1.0 + share) + middles).reshape(-1, 2)
    over, _ = cv2.findHomography(larger[~own], thermal[~own], 0)
    seen = cv2.perspectiveTransform(larger.reshape(-1, 1, 2), np.asarray(over, float))
    off = np.linalg.norm(np.asarray(seen, float).reshape(-1, 2) - thermal, axis=1)
    return _rms(off[~own]), off[own]


def skin_errors_mm(found: ThermalFound, *, rgb_size_px: tuple[int, int]) -> tuple[float, ...]:
    """95 % bounds, mm on the skin, of where the thermal picture is laid on what the colour camera sees.

    Args:
        found: With its covariance.
        rgb_size_px: Width and height.
    """
    inner = 9 + len(found.free) + 6
    covariance = found.covariance[:inner, :inner]
    weight = np.array([w for w, _ in found.by_width])
    bounds = []
    for distance_mm in DISTANCES_MM:
        slopes = placed_slopes(found, rgb_size_px=rgb_size_px, distance_mm=distance_mm)
        here = []
        for slope in slopes:
            totals = np.array([np.trace(slope @ c[:inner, :inner] @ slope.T) for _, c in found.by_width])
            freedom = open_freedom(totals, weight / weight.sum(), _FREEDOM)
            here.append(radius_95(slope @ covariance @ slope.T, freedom=freedom))
        bounds.append(max(here))
    return tuple(bounds)


def placed_slopes(found: ThermalFound, *, rgb_size_px: tuple[int, int], distance_mm: float) -> Floats:
    """How parameters move the thermal picture on what the colour camera sees, mm on the skin by each.

    Args:
        found: Where the slopes are taken.
        rgb_size_px: Width and height.
        distance_mm: From the cameras to the skin.

    Returns:
        At nine places, by the nine rgb parameters, the free thermal ones and the stand, shape (9, 2, k).
    """
    turn, _ = cv2.Rodrigues(found.thermal_from_rgb.rotation)
    stand = np.concatenate([np.ravel(turn).astype(float), found.thermal_from_rgb.translation_mm])
    at = [PARAMETERS.index(name) for name in found.free]
    middle = np.concatenate([found.rgb_values, found.values[at], stand])
    field = np.array([(x * rgb_size_px[0], y * rgb_size_px[1]) for x in _FIELD for y in _FIELD])
    inner = len(middle)
    slopes = np.zeros((len(field), 2, inner))
    for k in range(inner):
        step = np.zeros(inner)
        step[k] = 1e-3 if k < 4 or k >= inner - 3 or abs(middle[k]) > 10.0 else 1e-5
        apart = [_placed_px(middle + side * step, found, field, distance_mm) for side in (1.0, -1.0)]
        slopes[:, :, k] = (apart[0] - apart[1]) / (2.0 * step[k])
    return slopes * (distance_mm / found.values[0])


def _placed_px(x: Floats, found: ThermalFound, field: Floats, distance_mm: float) -> Floats:
    rgb, t = x[:9], len(found.free)
    values = found.values.copy()
    values[[PARAMETERS.index(name) for name in found.free]] = x[9 : 9 + t]
    if "fy_px" not in found.free:
        values[1] = values[0]
    matrix = np.array([[rgb[0], 0.0, rgb[2]], [0.0, rgb[1], rgb[3]], [0.0, 0.0, 1.0]])
    rays = np.asarray(cv2.undistortPoints(field.reshape(-1, 1, 2), matrix, rgb[4:]), float).reshape(-1, 2)
    points = np.column_stack([rays, np.ones(len(rays))]) * distance_mm
    there = points @ rotation_from_rvec(x[9 + t : 12 + t]).T + x[12 + t : 15 + t]
    own = np.array([[values[0], 0.0, values[2]], [0.0, values[1], values[3]], [0.0, 0.0, 1.0]])
    px, _ = cv2.projectPoints(there, np.zeros(3), np.zeros(3), own, values[4:])
    return np.asarray(px, float).reshape(-1, 2)


def _rms(off_px: Floats) -> float:
    return float(np.sqrt(np.mean(off_px**2)))


def _refusal(
    pairs: Sequence[PairView], held_out: Sequence[float], on_skin: Sequence[float], board: Board
) -> str | None:
    worst = int(np.argmax(held_out))
    if float(np.sqrt(np.mean(np.square(held_out)))) > MOST_TRANSFER_PX:
        return (
            f"The pairs do not fit one rig: corners of a pair come out {_rms(np.array(held_out)):.1f}"
            f" thermal px"
            f" off by what the others say (limit {MOST_TRANSFER_PX:g}; the worst is {pairs[worst].name});"
            f" fix the"
            " cameras to each other, hold still, check the target's measures, and take the pairs again."
            + "".join(
                f" {told}" for told in (gaps_words([p.rgb for p in pairs], board), moved_words(pairs)) if told
            )
        )
    here = on_skin[DISTANCES_MM.index(_AT_MM)]
    if not here <= LIMIT_MM:
        return (
            f"A thermal pixel could be placed {here:.1f} mm off on the skin {_AT_MM / 1000.0:g} m away (95"
            f" %, limit"
            f" {LIMIT_MM:g} mm); take more pairs, from 0.5 to 1.2 m, leaning to all sides."
        )
    return None
