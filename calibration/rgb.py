"""A camera's intrinsics from a folder of pictures: what was used and refused, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import MIRRORED, Board, BoardView
from calibration.intrinsics import Calibrated, calibrate_camera, focal_of_each
from calibration.skin_error import CameraErrorOnSkin, camera_errors, nine_places
from models.geometry import Bools, Floats, rotation_from_rvec

LEAST_PICTURES = 6
LEAST_COVERED = 0.4
"""Share of the picture inside the outline of all corners seen. A lens is judged by what lies inside: beyond,
it is only extrapolated, and bounds are told and used that grow with the place."""

_PLACES = 9
"""Each way, of which those inside the outline are judged."""

LEAST_TILT_DEG = 15.0
"""Between the most different boards: seen square on, distance and focal length change the picture alike."""

LEAST_APART = 1.15
"""Farthest by nearest board."""

LIMIT_MM = 4.0
"""95 % bound on the skin, 0.8 m away, above which a calibration is refused: 0.5 % of the focal length, of
which 0.3 % alone puts the tip off by 3 mm (measured on simulated nozzles)."""

_AT_MM = 800.0

PRINT_SHARE, PRINT_MM = 0.9, 0.1
"""Of an error on the skin, what is left of it were the print's directions known, and by how much that is less
at least: then their doubt limits it. No further upright board mends that, one turned by a quarter does (own
choice: a tenth is worth a picture, and nothing else of a rig is known to 0.1 mm)."""

_STRAY_SIGMA, _STRAY_SHARE, _OWN_SHARE = 4.0, 0.02, 0.005
"""A picture whose own focal length is off the others' by more standard deviations, and a larger share, was
taken with another camera, zoom or focus. The last comes on top of a picture's own sigma: on public sets of
one camera pictures differ by up to 1.8 %, 2.6 sigma with it."""


ANOTHER = " was taken with another zoom or focus"
"""What is said of a picture that is left out for that."""


@dataclass(frozen=True, eq=False)
class CameraFound:
    """What the pictures say."""

    calibrated: Calibrated
    views: tuple[BoardView, ...]
    size_px: tuple[int, int]
    errors: tuple[CameraErrorOnSkin, ...]
    """Where boards were seen: what is judged."""
    everywhere: tuple[CameraErrorOnSkin, ...]
    """In the whole picture."""
    known_print: CameraErrorOnSkin
    """What is judged 0.8 m away, were it known by how much the print is longer one way."""
    covered: float
    tilt_deg: float
    apart: float
    left_out: tuple[str, ...]
    """A sentence for each picture that was not used."""
    refusal: str | None

    @property
    def print_limits(self) -> tuple[tuple[str, float, float], ...]:
        """Errors that the doubt of the print's directions limits: which, as told, were they known."""
        told, known = _here(self.errors), self.known_print
        both = (("across", told.across_mm, known.across_mm), ("along", told.along_mm, known.along_mm))
        return tuple(one for one in both if one[2] < PRINT_SHARE * one[1] and one[1] - one[2] > PRINT_MM)

    @property
    def print_words(self) -> str:
        """What is to be done about it; empty where it is not so."""
        if not self.print_limits:
            return ""
        which = " and ".join(
            f"the error {name} {told:.1f} mm instead of {known:.1f}"
            for name, told, known in self.print_limits
        )
        return (
            f"That the print may be longer one way makes {which} 0.8 m away: take some pictures with the"
            " board turned by a quarter, its upper edge to the left or right, which show it."
        )


def find_camera(
    views: Sequence[BoardView],
    board: Board,
    *,
    size_px: tuple[int, int],
    left_out: Sequence[str] = (),
    flat: bool = False,
) -> CameraFound | str:
    """Solve and judge.

    Args:
        views: Of one camera.
        board: What was seen.
        size_px: Width and height.
        left_out: Sentences about pictures that show no board.
        flat: See `calibration.intrinsics.calibrate_camera`.

    Returns:
        What was found, with a refusal where it is not good enough; or only why nothing was.
    """
    mirrored = sum(sentence.endswith(MIRRORED) for sentence in left_out)
    if len(views) < LEAST_PICTURES <= len(views) + mirrored:
        return (
            f"{mirrored} of {len(views) + len(left_out)} pictures are mirrored: switch off the camera's"
            " mirror mode and take them again."
        )
    if not views and left_out:
        return (
            f"No picture shows a {board.words}: name the board that they show with --board, or take some from"
            " near and far, with it leaning to all sides."
        )
    if len(views) < LEAST_PICTURES:
        return (
            f"{len(views)} pictures show the board (at least {LEAST_PICTURES}, better 20); take more, from"
            f" near and"
            " far, with the board leaning to all sides."
        )
    out = list(left_out)
    found = calibrate_camera(views, board, size_px=size_px, flat=flat)
    tilt = _tilt_deg(found.poses)
    if tilt < LEAST_TILT_DEG:
        return _square_on(tilt)
    stray = _stray(found, views, board)
    if stray.any():
        named = ", ".join(view.name for view, wrong in zip(views, stray, strict=True) if wrong)
        if stray.sum() > len(views) // 4:
            return (
                f"The pictures were taken with different cameras, zooms or focuses ({named} against the"
                f" others);"
                " keep those of one camera, zoom and focus locked."
            )
        strays = [view.name for view, wrong in zip(views, stray, strict=True) if wrong]
        out += [f"{name}{ANOTHER}" for name in strays]
        views = [view for view, wrong in zip(views, stray, strict=True) if not wrong]
        found = calibrate_camera(views, board, size_px=size_px, flat=flat)
    freedom = max(2.0 * sum(len(v.ids) for v in views) - 6.0 * len(views) - 9.0, 1.0)
    # What few views tell of each other has its own freedom in the covariance already.
    seen_px = seen_places(views, size_px)
    errors, everywhere = (
        camera_errors(found.values, found.covariance, size_px=size_px, freedom=freedom, at_px=at_px)
        for at_px in (seen_px, nine_places(size_px))
    )
    known = errors
    if found.by_stretch.any():
        less = found.covariance - np.outer(found.by_stretch, found.by_stretch)
        known = camera_errors(found.values, less, size_px=size_px, freedom=freedom, at_px=seen_px)
    covered, tilt, apart = _covered(views, size_px), _tilt_deg(found.poses), _apart(found.poses, board)
    return CameraFound(
        calibrated=found,
        views=tuple(views),
        size_px=size_px,
        errors=errors,
        everywhere=everywhere,
        known_print=_here(known),
        covered=covered,
        tilt_deg=tilt,
        apart=apart,
        left_out=tuple(out),
        refusal=_refusal(
            errors, covered=covered, tilt_deg=tilt, apart=apart, values=found.values, size_px=size_px
        ),
    )


def _here(errors: Sequence[CameraErrorOnSkin]) -> CameraErrorOnSkin:
    """Where it is judged."""
    return next(e for e in errors if e.distance_mm == _AT_MM)


def _stray(found: Calibrated, views: Sequence[BoardView], board: Board) -> Bools:
    share, sigma = focal_of_each(found, views, board)
    off = np.abs(share - float(np.median(share)))
    return (off > _STRAY_SIGMA * np.hypot(sigma, _OWN_SHARE)) & (off > _STRAY_SHARE)


def _covered(views: Sequence[BoardView], size_px: tuple[int, int]) -> float:
    return float(cv2.contourArea(_outline_px(views))) / (size_px[0] * size_px[1])


def _outline_px(views: Sequence[BoardView]) -> NDArray[np.float32]:
    every = np.concatenate([view.corners_px for view in views]).astype(np.float32)
    return np.asarray(cv2.convexHull(every), np.float32)


def seen_places(views: Sequence[BoardView], size_px: tuple[int, int]) -> Floats:
    """Places all over the picture inside the outline of what was seen, and its middle, shape (n, 2)."""
    outline_px = _outline_px(views)
    shares = (np.arange(_PLACES) + 0.5) / _PLACES
    at_px = np.stack(np.meshgrid(shares * size_px[0], shares * size_px[1]), axis=-1).reshape(-1, 2)
    inside = [cv2.pointPolygonTest(outline_px, (float(x), float(y)), False) >= 0.0 for x, y in at_px]
    return np.vstack([at_px[inside], outline_px.reshape(-1, 2).mean(axis=0)])


def _tilt_deg(poses: Floats) -> float:
    normals = np.array([rotation_from_rvec(pose[:3])[:, 2] for pose in poses])
    return float(np.degrees(np.arccos(np.clip(normals @ normals.T, -1.0, 1.0))).max())


def _apart(poses: Floats, board: Board) -> float:
    middle_mm = board.corners_mm.mean(axis=0)
    away = [float(np.linalg.norm(rotation_from_rvec(pose[:3]) @ middle_mm + pose[3:])) for pose in poses]
    return max(away) / min(away)


def _refusal(
    errors: Sequence[CameraErrorOnSkin],
    *,
    covered: float,
    tilt_deg: float,
    apart: float,
    values: Floats,
    size_px: tuple[int, int],
) -> str | None:
    if tilt_deg < LEAST_TILT_DEG:
        return _square_on(tilt_deg)
    if apart < LEAST_APART:
        return (
            f"All boards are at one distance (farthest by nearest {apart:.2f}, at least {LEAST_APART});"
            f" hold the board"
            " nearer and farther too."
        )
    if covered < LEAST_COVERED:
        return (
            f"Only {100.0 * covered:.0f} % of the picture were covered (at least"
            f" {100.0 * LEAST_COVERED:.0f} %); hold"
            " the board into the corners of the picture too."
        )
    if not (0.0 < values[2] < size_px[0] and 0.0 < values[3] < size_px[1]):
        return (
            "The middle of the lens came out outside the picture; take pictures that were not cut out"
            " of others."
        )
    here = _here(errors)
    if not here.worst_mm <= LIMIT_MM:
        return (
            f"A point on the skin {_AT_MM / 1000.0:g} m away could be off by {here.worst_mm:.1f} mm where"
            f" boards were seen (95 %, limit {LIMIT_MM:g} mm); take more pictures, nearer, leaning more, in"
            " the corners too."
        )
    return None


def _square_on(tilt_deg: float) -> str:
    return (
        f"All boards lie within {tilt_deg:.0f} degrees of each other (at least {LEAST_TILT_DEG:.0f}); lean"
        " the board by 30 degrees to the left, right, top and bottom."
    )
