"""What a calibration leaves open, told where it matters: in millimetres on the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.camera import Camera
from models.geometry import Floats
from models.lens_errors import lens_slopes

DISTANCES_MM = (600.0, 800.0, 1000.0, 1200.0)
"""Working distances of the camera."""

_FIELD = (0.1, 0.5, 0.9)
"""Where in the whole picture it is worked out, as a share of its width and height."""


@dataclass(frozen=True)
class CameraErrorOnSkin:
    """95 % bounds of where a point on the skin is placed by one camera."""

    distance_mm: float
    across_mm: float
    """Square to the line of sight, at all of the places at once, against the rest of them: what turns
    them all moves nozzle and skin alike."""
    along_mm: float
    """Along it, for what is placed by the size that it appears in: the nozzle, tags on the skin."""

    @property
    def worst_mm(self) -> float:
        """The larger of the two."""
        return max(self.across_mm, self.along_mm)


def camera_of(values: Floats, *, size_px: tuple[int, int]) -> Camera:
    """A camera from parameters in the order of `calibration.intrinsics.PARAMETERS`."""
    fx, fy, cx, cy = (float(v) for v in values[:4])
    return Camera(size_px[0], size_px[1], fx, fy, cx, cy, np.asarray(values[4:], float))


def nine_places(size_px: tuple[int, int]) -> Floats:
    """Pixels that stand for the whole of a picture, shape (9, 2)."""
    return np.array([(x * size_px[0], y * size_px[1]) for x in _FIELD for y in _FIELD])


def camera_errors(
    values: Floats, covariance: Floats, *, size_px: tuple[int, int], freedom: float, at_px: Floats
) -> tuple[CameraErrorOnSkin, ...]:
    """Bounds at the working distances.

    Args:
        values: In the order of `calibration.intrinsics.PARAMETERS`, shape (9,).
        covariance: Of them, shape (9, 9).
        size_px: Width and height.
        freedom: Degrees of freedom of the noise behind the covariance.
        at_px: Places in the picture at all of which they are to hold, shape (n, 2).
    """
    by_lens, by_size = place_slopes(values, size_px=size_px, at_px=at_px)
    across = at_once_95(by_lens, covariance, freedom=freedom)
    along = at_once_95(by_size[:, None], covariance, freedom=freedom)
    return tuple(CameraErrorOnSkin(d, across * d, along * d) for d in DISTANCES_MM)


def at_once_95(slopes: Floats, covariance: Floats, *, freedom: float) -> float:
    """What holds at all places at once in 95 of 100 cases: the largest of several errors is larger.

    By draws that are always the same.
    """
    if not (np.all(np.isfinite(covariance)) and np.all(np.isfinite(slopes))) or freedom < 1.0:
        return float("inf")
    values, vectors = np.linalg.eigh(covariance)
    rng = np.random.default_rng(0)
    drawn = (vectors * np.sqrt(np.maximum(values, 0.0))) @ rng.normal(size=(len(values), _DRAWS))
    drawn /= np.sqrt(rng.chisquare(freedom, _DRAWS) / freedom)
    return float(np.quantile(np.linalg.norm(slopes @ drawn, axis=1).max(axis=0), 0.95))


_DRAWS = 4000
"""Of which 200 lie beyond the quantile."""


def place_slopes(values: Floats, *, size_px: tuple[int, int], at_px: Floats) -> tuple[Floats, Floats]:
    """How parameters move rays against the rest of these places, and sizes.

    Args:
        values: In the order of `calibration.intrinsics.PARAMETERS`, shape (9,).
        size_px: Width and height.
        at_px: Where, shape (n, 2).

    Returns:
        Tangents of the rays and shares of sizes by each parameter, shapes (n, 2, 9) and (n, 9).
    """
    camera = camera_of(values, size_px=size_px)
    rays = camera.unproject(at_px)[:, :2]
    by_lens, by_size = lens_slopes(camera, rays)
    return _without_turns(by_lens, rays) if np.all(np.isfinite(rays)) else by_lens, by_size


def _without_turns(slopes: Floats, rays: Floats) -> Floats:
    """Take out of the derivatives of rays what a small turn of the camera does as well."""
    x, y = rays.T
    by_turn = np.stack(
        [np.stack([-x * y, -(1.0 + y * y)], 1), np.stack([1.0 + x * x, x * y], 1), np.stack([-y, x], 1)],
        axis=2,
    )
    turn, *_ = np.linalg.lstsq(by_turn.reshape(-1, 3), slopes.reshape(-1, slopes.shape[2]), rcond=None)
    return slopes - by_turn @ turn
