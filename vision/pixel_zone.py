"""A zone in the colour picture's pixels, from landmarks alone: no rig, no millimetres."""

from __future__ import annotations

import numpy as np

from models.geometry import Floats
from models.sightings import Landmarks
from models.zone import Zone
from models.zone_chart import outline_of
from vision.landmarks import LANDMARKS


def pixel_zone(landmarks: Landmarks, *, zone: Zone) -> Floats | None:
    """Outline (n, 2) of a zone in one picture; None where its landmarks are not believed.

    Lengths come from the distance of two landmarks in the picture, with no regard for how the body is turned:
    good enough to show the place, not to measure it.
    """
    anchor = zone.anchor
    if anchor is None:
        return None
    names = {
        *(name for name, _ in anchor.centre),
        *anchor.v_from,
        *anchor.v_to,
        *anchor.scale_from,
    }
    at = {name: LANDMARKS[name] for name in names}
    needed = [at[name] for name in at]
    if not landmarks.believed[needed].all():
        return None
    px = landmarks.points_px
    centre = np.sum([weight * px[at[name]] for name, weight in anchor.centre], axis=0)
    v = np.mean([px[at[n]] for n in anchor.v_to], axis=0) - np.mean(
        [px[at[n]] for n in anchor.v_from], axis=0
    )
    length = float(np.linalg.norm(v))
    px_per_mm = (
        float(np.linalg.norm(px[at[anchor.scale_from[0]]] - px[at[anchor.scale_from[1]]])) / anchor.scale_mm
    )
    if length < 1.0 or px_per_mm <= 0.0:
        return None
    v /= length
    u = np.array([-v[1], v[0]])
    outline = outline_of(zone, scale=1.0).polygon_mm * px_per_mm
    return centre + outline[:, :1] * u + outline[:, 1:] * v
