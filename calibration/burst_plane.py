"""The flat surface that a burst blows on, as the depth camera sees it, or as tags that lie on it tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.geometry import Floats, unit
from models.problems import InputError
from models.sightings import NozzleSighting, TagPatch

FIELD_MM = 78.0
"""The surface is looked at so far round where the jet meets it."""

LEAST_TAGS = 3
"""Fewer lie on many planes; a single tag tells its own tilt worse than three tell theirs."""

LEAST_ACROSS_MM = 40.0
"""Of the tags, in the direction in which they lie closest together."""

MOST_PLANE_MM = 4.0
"""95 % bound of where the jet meets a plane by tags beyond which it is refused: a twentieth of 75 mm."""


@dataclass(frozen=True, eq=False)
class Plane:
    """Where the jet meets a surface, in the rgb frame."""

    centre_rgb_mm: Floats
    turn: Floats
    """Rotation from rgb into the surface's frame, whose z axis points into it, shape (3, 3)."""
    rough_mm: float
    """How far the surface is off it, root mean square."""
    u95_mm: float
    """95 % bound of its place along the jet, beyond what a depth camera leaves open."""


def plane_of_depth(cloud: Floats, sightings: Sequence[NozzleSighting], *, where: str) -> Plane:
    """The plane where the nozzle points.

    Args:
        cloud: Points of the depth camera, rgb frame, shape (n, 3).
        sightings: Of the nozzle.
        where: The recording, for messages.

    Raises:
        InputError: If there is none, or the jet grazes it.
    """
    tip, axis = _jet(sightings)
    away = cloud - tip
    along = away @ axis
    beside = np.linalg.norm(away - along[:, None] * axis, axis=1)
    near = cloud[(along > 15.0) & (along < 450.0) & (beside < 45.0)]
    centre = tip
    for _ in range(3):
        if len(near) < 50:
            raise InputError(
                f"{where}: no surface is seen by the depth camera where the nozzle points; turn nozzle or"
                " camera."
            )
        mean, normal = _through(near, axis)
        centre = _met(tip, axis, mean, normal, where=where)
        flat = np.abs((cloud - mean) @ normal) < 12.0
        near = cloud[flat & (np.linalg.norm(cloud - centre, axis=1) < FIELD_MM)]
    mean, normal = _through(near, axis)
    centre = _met(tip, axis, mean, normal, where=where)
    # Noise of single depth readings is no roughness: blocks of a centimetre are looked at.
    off, place = (near - mean) @ normal, np.floor((near - centre) / 10.0).astype(int)
    _, block = np.unique(place, axis=0, return_inverse=True)
    block = block.ravel()
    counts = np.bincount(block)
    means = np.bincount(block, off)[counts >= 8] / counts[counts >= 8]
    rough = float(np.sqrt(np.mean(means**2))) if len(means) else 0.0
    return Plane(centre, _frame(normal), rough, 0.0)


def plane_of_tags(patches: Sequence[TagPatch], sightings: Sequence[NozzleSighting], *, where: str) -> Plane:
    """The plane through tags that lie flat on the surface round the spot.

    Args:
        patches: One a tag.
        sightings: Of the nozzle.
        where: The recording, for messages.

    Raises:
        InputError: If they do not tell a plane well enough, or the jet grazes it.
    """
    remedy = f"lay {LEAST_TAGS} skin tags flat round the spot, 8 to 15 cm apart, or use a depth camera"
    if len(patches) < LEAST_TAGS:
        raise InputError(f"{where}: {len(patches)} skin tags are seen on the surface; {remedy}.")
    tip, axis = _jet(sightings)
    at = np.array([one.rgb_from_tag.translation_mm for one in patches])
    mean, normal = _through(at, axis)
    centre = _met(tip, axis, mean, normal, where=where)
    turn = _frame(normal)
    flat = (at - mean) @ turn[:2].T
    spread2 = np.linalg.eigvalsh(flat.T @ flat)
    across_mm = 2.0 * float(np.sqrt(max(spread2[0], 0.0) / len(at)))
    if across_mm < LEAST_ACROSS_MM:
        raise InputError(f"{where}: the skin tags lie nearly on one line; {remedy}.")
    off = (at - mean) @ normal
    rough = float(np.sqrt(np.sum(off**2) / max(len(at) - 3, 1))) if len(at) > 3 else 0.0
    # Of each tag's place the part along the normal, spread over all of them, at the spot.
    sigma = max(max(one.position_u95_mm for one in patches) / 1.96, rough)
    spot = (centre - mean) @ turn[:2].T
    lever2 = 1.0 / len(at) + float(spot @ np.linalg.inv(flat.T @ flat) @ spot)
    u95_mm = 1.96 * sigma * float(np.sqrt(lever2)) / float(normal @ axis)
    if u95_mm > MOST_PLANE_MM:
        raise InputError(
            f"{where}: the skin tags tell the surface to {u95_mm:.1f} mm only where the jet meets it (at most"
            f" {MOST_PLANE_MM:g}); {remedy}."
        )
    return Plane(centre, turn, rough, u95_mm)


def _jet(sightings: Sequence[NozzleSighting]) -> tuple[Floats, Floats]:
    middle = sightings[len(sightings) // 2]
    return middle.tip_rgb_mm, middle.axis_rgb


def _through(points: Floats, axis: Floats) -> tuple[Floats, Floats]:
    """Middle, and normal that points the way the jet blows."""
    mean = points.mean(axis=0)
    _, _, vt = np.linalg.svd(points - mean, full_matrices=False)
    return mean, vt[2] * np.sign(float(vt[2] @ axis))


def _met(tip: Floats, axis: Floats, mean: Floats, normal: Floats, *, where: str) -> Floats:
    slant = float(normal @ axis)
    if slant < 0.3:
        raise InputError(f"{where}: the jet grazes the surface; hold it squarer.")
    return tip + axis * float((mean - tip) @ normal) / slant


def _frame(normal: Floats) -> Floats:
    one = unit(np.asarray(np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))]), float))
    return np.stack([one, np.asarray(np.cross(normal, one), float), normal])
