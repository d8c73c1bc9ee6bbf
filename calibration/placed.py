"""Where the thermal picture is laid on what the colour camera sees, and by how much that may be off."""

from __future__ import annotations

import cv2
import numpy as np

from calibration.alike import open_freedom
from calibration.intrinsics import PARAMETERS
from calibration.skin_error import DISTANCES_MM, at_once_95
from calibration.thermal_pair import ThermalFound
from models.geometry import Floats, rotation_from_rvec
from models.sightings import radius_95_mm

_FREEDOM = 1e4
"""Of the noise of single corners: hundreds of them tell it."""

_FIELD = (0.25, 0.5, 0.75)
"""Where in the colour picture the error is worked out: what the thermal camera sees of it."""


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


def skin_errors_mm(found: ThermalFound, *, rgb_size_px: tuple[int, int]) -> tuple[float, ...]:
    """95 % bounds, mm on the skin, of where the thermal picture is laid on what the colour camera sees.

    They hold at nine places at once: the largest of nine errors is larger than one of them.

    Args:
        found: With its covariance.
        rgb_size_px: Width and height.
    """
    inner = 9 + len(found.free) + 6
    covariance = found.covariance[:inner, :inner]
    weight = np.array([w for w, _ in found.by_width])
    each = np.array([c[:inner, :inner] for _, c in found.by_width])
    bounds = []
    for distance_mm in DISTANCES_MM:
        slopes = placed_slopes(found, rgb_size_px=rgb_size_px, distance_mm=distance_mm)
        worst = slopes[int(np.argmax(np.einsum("kia,ab,kib->k", slopes, covariance, slopes)))]
        totals = np.einsum("ia,kab,ib->k", worst, each, worst)
        freedom = open_freedom(totals, weight / weight.sum(), _FREEDOM)
        bounds.append(at_once_95(slopes, covariance, freedom=freedom))
    return tuple(bounds)


def stated_covariance(
    found: ThermalFound, on_skin_mm: tuple[float, ...], *, rgb_size_px: tuple[int, int]
) -> Floats:
    """Covariance of the thermal parameters and the stand as the rig states it.

    What uses it takes it for normal and well known: it is made so many times larger that the worst place by
    itself then tells what holds at all places at once, few pairs and all.

    Args:
        found: With its covariance.
        on_skin_mm: `skin_errors_mm` of it.
        rgb_size_px: Width and height.
    """
    inner = slice(9, 9 + len(found.free) + 6)
    covariance, share = found.covariance[inner, inner], 1.0
    for distance_mm, told_mm in zip(DISTANCES_MM, on_skin_mm, strict=True):
        slopes = placed_slopes(found, rgb_size_px=rgb_size_px, distance_mm=distance_mm)[:, :, inner]
        plain_mm = max(radius_95_mm(one @ covariance @ one.T) for one in slopes)
        share = max(share, told_mm / max(plain_mm, 1e-12))
    return covariance * share**2
