"""Rays of simulated cameras: what each meets. Nothing here predicts.

Each is tried against the body (a quadric, solved exactly) and the nozzle (a hexagonal prism, a tube, a grip,
a fist).
"""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled

TUBE_MM, GRIP_MM, FIST_MM, ARM_MM = 8.0, 14.0, 42.0, 28.0
"""Radii of the parts of the nozzle and of the hand that holds it."""
FIST_AT_MM, ARM_END_MM = -215.0, -420.0
"""Where fist and arm are on the nozzle's z axis."""
FACES = np.array([[math.cos(k * math.pi / 3.0), math.sin(k * math.pi / 3.0)] for k in range(6)])
"""Outward normals of the collar's faces."""


@compiled
def meet_body(ex: float, ey: float, ez: float, dx: float, dy: float, dz: float, body: np.ndarray) -> float:
    """Distance along a ray to the skin, -1 where it is not met; body = across, deep, taper, half length."""
    a, b, k = body[0], body[1], body[2]
    px, pz, qx, qz = ex / a, (ez - b) / b, dx / a, dz / b
    wide, grows = 1.0 + k * ey, k * dy
    square = qx * qx + qz * qz - grows * grows
    half = px * qx + pz * qz - wide * grows
    root = half * half - square * (px * px + pz * pz - wide * wide)
    if root <= 0.0 or square <= 0.0:
        return -1.0
    along = (-half - math.sqrt(root)) / square
    return along if along > 0.0 and abs(ey + along * dy) <= body[3] else -1.0


@compiled
def _meet_round(
    ex: float, ey: float, ez: float, dx: float, dy: float, dz: float, radius: float, low: float, high: float
) -> float:
    """Distance to the side of a cylinder about z between two heights, -1 where it is not met."""
    a, b = dx * dx + dy * dy, ex * dx + ey * dy
    root = b * b - a * (ex * ex + ey * ey - radius * radius)
    if root <= 0.0 or a <= 0.0:
        return -1.0
    along = (-b - math.sqrt(root)) / a
    z = ez + along * dz
    return along if along > 0.0 and low <= z <= high else -1.0


@compiled
def meet_nozzle(
    ex: float, ey: float, ez: float, dx: float, dy: float, dz: float, prism: np.ndarray
) -> tuple[float, int, int]:
    """Distance, part and face of the nozzle that a ray meets first; prism = reach, from, to.

    Parts: 0 nothing, 1 a face of the collar, 2 its end, 3 tube, 4 grip, 5 fist or arm.
    """
    enter, leave, face = 0.0, 1e9, -2
    beside = (ex * dy - ey * dx) ** 2 / max(dx * dx + dy * dy, 1e-12)
    if beside > FIST_MM * FIST_MM:
        return 1e9, 0, -1
    for k in range(8 if beside < 1.34 * prism[0] ** 2 else 0):
        if k < 6:
            nx, ny, nz, reach = FACES[k, 0], FACES[k, 1], 0.0, prism[0]
        else:
            nx, ny, nz = 0.0, 0.0, 1.0 if k == 6 else -1.0
            reach = prism[2] if k == 6 else -prism[1]
        towards = dx * nx + dy * ny + dz * nz
        away = reach - (ex * nx + ey * ny + ez * nz)
        if towards < 0.0:
            if away / towards > enter:
                enter, face = away / towards, k
        elif towards > 0.0:
            leave = min(leave, away / towards)
        elif away < 0.0:
            leave = -1.0
    best, part, side = 1e9, 0, -1
    if face > -2 and enter < leave:
        best, part, side = enter, 1 if face < 6 else 2, face
    for k in range(3):
        radius = TUBE_MM if k == 0 else GRIP_MM if k == 1 else ARM_MM
        low = prism[2] if k == 0 else FIST_AT_MM if k == 1 else ARM_END_MM
        high = 0.0 if k == 0 else prism[1] if k == 1 else FIST_AT_MM
        along = _meet_round(ex, ey, ez, dx, dy, dz, radius, low, high)
        if 0.0 < along < best:
            best, part = along, 3 + k
    fz = ez - FIST_AT_MM
    a, b = dx * dx + dy * dy + dz * dz, ex * dx + ey * dy + fz * dz
    root = b * b - a * (ex * ex + ey * ey + fz * fz - FIST_MM * FIST_MM)
    if root > 0.0:
        along = (-b - math.sqrt(root)) / a
        if 0.0 < along < best:
            best, part = along, 5
    return best, part, side


@compiled
def ray_between(rays: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """Direction (x, y, 1) between pixel centres, from the grid of their directions."""
    height, width = rays.shape[0], rays.shape[1]
    i, j = min(max(int(x), 0), width - 2), min(max(int(y), 0), height - 2)
    a, b = x - i, y - j
    rx = (1 - b) * ((1 - a) * rays[j, i, 0] + a * rays[j, i + 1, 0])
    rx += b * ((1 - a) * rays[j + 1, i, 0] + a * rays[j + 1, i + 1, 0])
    ry = (1 - b) * ((1 - a) * rays[j, i, 1] + a * rays[j, i + 1, 1])
    ry += b * ((1 - a) * rays[j + 1, i, 1] + a * rays[j + 1, i + 1, 1])
    return rx, ry


@compiled
def between_nodes(grid: np.ndarray, x: float, y: float) -> float:
    """Between the nodes of a grid; its edge goes on outside."""
    rows, cols = grid.shape
    x, y = min(max(x, 0.0), cols - 1.001), min(max(y, 0.0), rows - 1.001)
    i, j = int(x), int(y)
    a, b = x - i, y - j
    return (1 - b) * ((1 - a) * grid[j, i] + a * grid[j, i + 1]) + b * (
        (1 - a) * grid[j + 1, i] + a * grid[j + 1, i + 1]
    )


@compiled
def arc_at(arcs: np.ndarray, x: float, z: float, body: np.ndarray) -> float:
    """Arc length (at y = 0) of a place on the skin."""
    turn = math.atan2(x / body[0], (body[1] - z) / body[1])
    place = (turn + math.pi) / (2.0 * math.pi) * (len(arcs) - 1)
    i = min(int(place), len(arcs) - 2)
    return arcs[i] + (place - i) * (arcs[i + 1] - arcs[i])
