"""What a calibration leaves open, told where it matters: in millimetres on the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calibration.bounds import radius_95
from calibration.intrinsics import PARAMETERS
from models.camera import Camera
from models.geometry import Floats

DISTANCES_MM = (600.0, 800.0, 1000.0, 1200.0)
"""Working distances of the camera."""

_FIELD = (0.1, 0.5, 0.9)
"""Where in the picture it is worked out, as a share of its width and height."""


@dataclass(frozen=True)
class CameraErrorOnSkin:
    """95 % bounds of where a point on the skin is placed by one camera."""

    distance_mm: float
    across_mm: float
    """Square to the line of sight, at all of nine places in the picture, against the rest of the picture:
    what turns the whole of it moves nozzle and skin alike."""
    along_mm: float
    """Along it, for what is placed by the size that it appears in: the nozzle, tags on the skin."""


def camera_of(values: Floats, *, size_px: tuple[int, int]) -> Camera:
    """A camera from parameters in the order of `calibration.intrinsics.PARAMETERS`."""
    fx, fy, cx, cy = (float(v) for v in values[:4])
    return Camera(size_px[0], size_px[1], fx, fy, cx, cy, np.asarray(values[4:], float))


def camera_errors(
    values: Floats, covariance: Floats, *, size_px: tuple[int, int], freedom: float
) -> tuple[CameraErrorOnSkin, ...]:
    """Bounds at the working distances.

    Args:
        values: In the order of `calibration.intrinsics.PARAMETERS`, shape (9,).
        covariance: Of them, shape (9, 9).
        size_px: Width and height.
        freedom: Degrees of freedom of the noise behind the covariance.
    """
    slopes = across_slopes(values, size_px=size_px)
    across = _at_once_95(slopes, covariance, freedom=freedom) if np.all(np.isfinite(slopes)) else np.inf
    by_size = np.zeros(len(PARAMETERS))
    by_size[:2] = 0.5 / values[:2]
    along = radius_95(np.array([[by_size @ covariance @ by_size]]), freedom=freedom)
    return tuple(CameraErrorOnSkin(d, across * d, along * d) for d in DISTANCES_MM)


def _at_once_95(slopes: Floats, covariance: Floats, *, freedom: float) -> float:
    """What holds at all nine places at once in 95 of 100 cases: the largest of several errors is larger.

    By draws that are always the same.
    """
    if not np.all(np.isfinite(covariance)) or freedom < 1.0:
        return float("inf")
    values, vectors = np.linalg.eigh(covariance)
    rng = np.random.default_rng(0)
    drawn = (vectors * np.sqrt(np.maximum(values, 0.0))) @ rng.normal(size=(len(values), _DRAWS))
    drawn /= np.sqrt(rng.chisquare(freedom, _DRAWS) / freedom)
    return float(np.quantile(np.linalg.norm(slopes @ drawn, axis=1).max(axis=0), 0.95))


_DRAWS = 4000
"""Of which 200 lie beyond the quantile."""


def across_slopes(values: Floats, *, size_px: tuple[int, int]) -> Floats:
    """How parameters move nine rays against the rest of the picture: tangents by each, shape (9, 2, 9)."""
    at_px = np.array([(x * size_px[0], y * size_px[1]) for x in _FIELD for y in _FIELD])
    return _without_turns(_ray_slopes(values, at_px, size_px), camera_of(values, size_px=size_px), at_px)


def _without_turns(slopes: Floats, camera: Camera, at_px: Floats) -> Floats:
    """Take out of the derivatives of rays what a small turn of the camera does as well."""
    x, y = camera.unproject(at_px)[:, 0], camera.unproject(at_px)[:, 1]
    by_turn = np.stack(
        [np.stack([-x * y, -(1.0 + y * y)], 1), np.stack([1.0 + x * x, x * y], 1), np.stack([-y, x], 1)],
        axis=2,
    ).reshape(-1, 3)
    flat = slopes.reshape(-1, slopes.shape[2])
    turn, *_ = np.linalg.lstsq(by_turn, flat, rcond=None)
    return (flat - by_turn @ turn).reshape(slopes.shape)


def _ray_slopes(values: Floats, at_px: Floats, size_px: tuple[int, int]) -> Floats:
    """Derivative of rays (tangents) by the parameters, shape (n, 2, 9)."""
    slopes = np.zeros((len(at_px), 2, len(PARAMETERS)))
    for k, value in enumerate(values):
        step = np.zeros(len(values))
        step[k] = 1e-4 * max(abs(float(value)), 1.0) if k < 4 else 1e-5
        rays = [
            camera_of(values + side * step, size_px=size_px).unproject(at_px)[:, :2] for side in (1.0, -1.0)
        ]
        slopes[:, :, k] = (rays[0] - rays[1]) / (2.0 * step[k])
    return slopes
