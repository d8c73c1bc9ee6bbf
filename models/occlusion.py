"""What the nozzle and the hand that holds it hide from a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.compiled import compiled
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
        sections = np.array(self.sections)
        starts = tip_mm - sections[:, :1] * axis
        runs = (sections[:, :1] - sections[:, 1:2]) * axis
        # One form of arrays, frozen or not: another one would be compiled anew in the midst of a session.
        points, viewpoint = (np.require(a, np.float64, ("C", "W")) for a in (points_mm, viewpoint_mm))
        return _hidden(points, viewpoint, starts, runs, sections[:, 2] + margin_mm)

    def holds(self, points_mm: Floats, *, tip_mm: Floats, axis: Floats, margin_mm: float) -> Bools:
        """Which points (n, 3) belong to the nozzle or the hand."""
        behind = (tip_mm - points_mm) @ axis
        away = np.linalg.norm(points_mm - tip_mm + behind[:, None] * axis, axis=1)
        inside = np.zeros(len(points_mm), bool)
        for start, end, radius in self.sections:
            inside |= (behind > start - margin_mm) & (behind < end + margin_mm) & (away < radius + margin_mm)
        return inside


@compiled
def _hidden(points: Floats, viewpoint: Floats, starts: Floats, runs: Floats, radii: Floats) -> Bools:
    """Which points' lines of sight pass one of the segments, start to start + run, within its radius."""
    hidden = np.zeros(len(points), np.bool_)
    for i in range(len(points)):
        sx, sy, sz = points[i, 0] - viewpoint[0], points[i, 1] - viewpoint[1], points[i, 2] - viewpoint[2]
        a = sx * sx + sy * sy + sz * sz
        for k in range(len(radii)):
            rx, ry, rz = runs[k]
            ox, oy, oz = viewpoint[0] - starts[k, 0], viewpoint[1] - starts[k, 1], viewpoint[2] - starts[k, 2]
            b, c = sx * rx + sy * ry + sz * rz, rx * rx + ry * ry + rz * rz
            d, e = sx * ox + sy * oy + sz * oz, rx * ox + ry * oy + rz * oz
            along_sight = min(max((b * e - c * d) / max(a * c - b * b, 1e-9), 0.0), 1.0)
            along_run = min(max((b * along_sight + e) / c, 0.0), 1.0)
            along_sight = min(max((b * along_run - d) / max(a, 1e-9), 0.0), 1.0)
            gx = ox + along_sight * sx - along_run * rx
            gy = oy + along_sight * sy - along_run * ry
            gz = oz + along_sight * sz - along_run * rz
            if gx * gx + gy * gy + gz * gz < radii[k] * radii[k]:
                hidden[i] = True
                break
    return hidden
