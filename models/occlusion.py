"""What the nozzle and the hand that holds it hide from a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.geometry import Bools, Floats
from models.rig import Nozzle

HAND_RADIUS_MM = 80.0
"""A gloved fist about a handle: hand breadth of 95th percentile men is about 95 mm (ISO 7250 class figure),
half of it, and 30 mm of thumb and wrist."""

HAND_REACH_MM = 350.0
"""Hand, wrist and hose behind the collar; farther back the arm leaves the treated region's pictures."""


@dataclass(frozen=True, eq=False)
class NozzleShape:
    """The nozzle as a chain of capsules about its axis: (from, to) behind the orifice, and radius, mm."""

    sections: tuple[tuple[float, float, float], ...]

    @staticmethod
    def of(nozzle: Nozzle) -> NozzleShape:
        """From the collar's size; the shaft in front of it is taken as a cone from the orifice."""
        corners = nozzle.tags.corners_mm.reshape(-1, 3)
        collar_mm = float(np.hypot(corners[:, 0], corners[:, 1]).max()) + 5.0
        start, end = float(-corners[:, 2].max()) - 10.0, float(-corners[:, 2].min()) + 10.0
        rim = nozzle.bore_mm / 2.0 + 6.0
        cone = [
            (a * start, b * start, rim + b * (0.7 * collar_mm - rim))
            for a, b in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0))
        ]
        return NozzleShape((*cone, (start, end, collar_mm), (end, end + HAND_REACH_MM, HAND_RADIUS_MM)))

    def hides(
        self, points_mm: Floats, *, viewpoint_mm: Floats, tip_mm: Floats, axis: Floats, margin_mm: float
    ) -> Bools:
        """Which points (n, 3) nozzle or hand hide from a viewpoint, with a margin. One frame for all."""
        hidden = np.zeros(len(points_mm), bool)
        sight = points_mm - viewpoint_mm
        for start, end, radius in self.sections:
            near = tip_mm - start * axis
            hidden |= _between(viewpoint_mm, sight, near, (start - end) * axis) < radius + margin_mm
        return hidden

    def holds(self, points_mm: Floats, *, tip_mm: Floats, axis: Floats, margin_mm: float) -> Bools:
        """Which points (n, 3) belong to the nozzle or the hand."""
        behind = (tip_mm - points_mm) @ axis
        away = np.linalg.norm(points_mm - tip_mm + behind[:, None] * axis, axis=1)
        inside = np.zeros(len(points_mm), bool)
        for start, end, radius in self.sections:
            inside |= (behind > start - margin_mm) & (behind < end + margin_mm) & (away < radius + margin_mm)
        return inside


def _between(origin: Floats, rays: Floats, start: Floats, run: Floats) -> Floats:
    """Distance from each segment origin..origin + ray, (n, 3), to the segment start..start + run."""
    offset = origin - start
    a = (rays * rays).sum(1)
    b = rays @ run
    c = float(run @ run)
    d = rays @ offset
    e = float(run @ offset)
    denominator = np.maximum(a * c - b * b, 1e-9)
    along_ray = np.clip((b * e - c * d) / denominator, 0.0, 1.0)
    along_run = np.clip((b * along_ray + e) / c, 0.0, 1.0)
    along_ray = np.clip((b * along_run - d) / np.maximum(a, 1e-9), 0.0, 1.0)
    gap = offset + along_ray[:, None] * rays - along_run[:, None] * run
    return np.linalg.norm(gap, axis=1)
