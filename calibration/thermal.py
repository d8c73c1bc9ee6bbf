"""Where the thermal camera stands to the colour camera: which pairs were used, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.board import Board
from calibration.carried import carried
from calibration.one_rig import moved_words
from calibration.pair_equations import PairView
from calibration.placed import skin_errors_mm, stated_covariance
from calibration.print_doubt import doubts_mm
from calibration.skin_error import DISTANCES_MM
from calibration.tag_gaps import gaps_words
from calibration.thermal_pair import RgbKnown, ThermalFound, calibrate_thermal, transfer_px
from models.geometry import Bools, Floats

LEAST_PAIRS = 5

MOST_TRANSFER_PX = 1.0
"""Root mean square, in thermal pixels, by which corners of a pair that the calibration did not see may come
out
elsewhere: what one rig explains comes out within the noise of thermal corners, 0.5 to 0.7 px on soft
edges."""

LIMIT_MM = 8.0
"""95 % bound on the skin, 0.8 m away, above which a calibration is refused: two pixels of usual cameras."""

_AT_MM = 800.0
_BLOOMS = np.linspace(-0.06, 0.06, 13).tolist()


@dataclass(frozen=True, eq=False)
class ThermalJudged:
    """What the pairs say."""

    found: ThermalFound
    within_px: tuple[float, ...]
    """Of each pair by itself: tags held out, and brought over by the others of the pair."""
    held_out_px: tuple[float, ...]
    """Of each pair, by a calibration from all the others."""
    on_skin_mm: tuple[float, ...]
    """95 % bound of where a thermal pixel is placed, at nine places of the picture at once, at
    `calibration.skin_error.DISTANCES_MM`."""
    covariance: Floats
    """Of `ThermalFound.free` and `calibration.thermal_pair.TURN_AND_SHIFT`, as the rig states it."""
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
    doubts = doubts_mm(board)
    found = calibrate_thermal(pairs, corners_mm, known=known, size_px=size_px, doubts=doubts)
    on_solved()
    held_out = []
    for k, pair in enumerate(pairs):
        others = [*pairs[:k], *pairs[k + 1 :]]
        again = calibrate_thermal(others, corners_mm, known=known, size_px=size_px, near=found, bounded=False)
        on_solved()
        held_out.append(_rms(transfer_px(pair, corners_mm, again)))
    found = carried(found, known.values, rgb_size_px=rgb_size_px)
    on_skin = skin_errors_mm(found, rgb_size_px=rgb_size_px)
    return ThermalJudged(
        found=found,
        within_px=tuple(within_pair_px(pair) for pair in pairs),
        held_out_px=tuple(held_out),
        on_skin_mm=on_skin,
        covariance=stated_covariance(found, on_skin, rgb_size_px=rgb_size_px),
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
