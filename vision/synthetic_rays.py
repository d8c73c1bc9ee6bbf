"""Rays of simulated cameras: what each meets, and how light or warm that is. Nothing here predicts; it draws.

Every pixel sends its rays into the scene. They are tried against the body (a quadric, solved exactly), the
nozzle (a hexagonal prism, a tube, a grip, a fist) and the plane of each tag.
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
def _meet_body(ex: float, ey: float, ez: float, dx: float, dy: float, dz: float, body: np.ndarray) -> float:
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
def _meet_nozzle(
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
def _ray(rays: np.ndarray, x: float, y: float) -> tuple[float, float]:
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
def _grid(grid: np.ndarray, x: float, y: float) -> float:
    """Between the nodes of a grid; its edge goes on outside."""
    rows, cols = grid.shape
    x, y = min(max(x, 0.0), cols - 1.001), min(max(y, 0.0), rows - 1.001)
    i, j = int(x), int(y)
    a, b = x - i, y - j
    return (1 - b) * ((1 - a) * grid[j, i] + a * grid[j, i + 1]) + b * (
        (1 - a) * grid[j + 1, i] + a * grid[j + 1, i + 1]
    )


@compiled
def _arc(arcs: np.ndarray, x: float, z: float, body: np.ndarray) -> float:
    """Arc length (at y = 0) of a place on the skin."""
    turn = math.atan2(x / body[0], (body[1] - z) / body[1])
    place = (turn + math.pi) / (2.0 * math.pi) * (len(arcs) - 1)
    i = min(int(place), len(arcs) - 2)
    return arcs[i] + (place - i) * (arcs[i + 1] - arcs[i])


@compiled
def paint_skin(
    light: np.ndarray,
    rays: np.ndarray,
    window: tuple[int, int, int, int],
    turn: np.ndarray,
    eye: np.ndarray,
    body: np.ndarray,
    arcs: np.ndarray,
    texture: np.ndarray,
) -> None:
    """Lay textured skin, lit from the camera, over a window (x0, y0, x1, y1) of the picture.

    ``turn`` and ``eye`` bring rays and the camera into the body's frame; ``texture`` repeats, a value a mm.
    """
    side = texture.shape[0] - 1
    for row in range(window[1], window[3]):
        for col in range(window[0], window[2]):
            rx, ry = rays[row, col, 0], rays[row, col, 1]
            dx = turn[0, 0] * rx + turn[0, 1] * ry + turn[0, 2]
            dy = turn[1, 0] * rx + turn[1, 1] * ry + turn[1, 2]
            dz = turn[2, 0] * rx + turn[2, 1] * ry + turn[2, 2]
            along = _meet_body(eye[0], eye[1], eye[2], dx, dy, dz, body)
            if along < 0.0:
                continue
            x, y, z = eye[0] + along * dx, eye[1] + along * dy, eye[2] + along * dz
            nx, ny = x / body[0] ** 2, -body[2] * (1.0 + body[2] * y)
            nz = (z - body[1]) / body[1] ** 2
            lit = -(nx * dx + ny * dy + nz * dz)
            lit /= math.sqrt((nx * nx + ny * ny + nz * nz) * (dx * dx + dy * dy + dz * dz))
            albedo = _grid(texture, _arc(arcs, x, z, body) % side, y % side)
            light[row, col] = albedo * (0.3 + 0.7 * lit)


@compiled
def paint_skin_tag(
    light: np.ndarray,
    rays: np.ndarray,
    window: tuple[int, int, int, int],
    turn: np.ndarray,
    eye: np.ndarray,
    body: np.ndarray,
    arcs: np.ndarray,
    bits: np.ndarray,
    tag: np.ndarray,
    fine: int,
) -> None:
    """Lay one tag, bent with the skin; tag = arc, y, cos, sin of its turn, side in mm."""
    modules = bits.shape[0]
    for row in range(window[1], window[3]):
        for col in range(window[0], window[2]):
            cover, value = 0, 0.0
            for k in range(fine * fine):
                rx, ry = _ray(rays, col + (k % fine + 0.5) / fine - 0.5, row + (k // fine + 0.5) / fine - 0.5)
                dx = turn[0, 0] * rx + turn[0, 1] * ry + turn[0, 2]
                dy = turn[1, 0] * rx + turn[1, 1] * ry + turn[1, 2]
                dz = turn[2, 0] * rx + turn[2, 1] * ry + turn[2, 2]
                along = _meet_body(eye[0], eye[1], eye[2], dx, dy, dz, body)
                if along < 0.0:
                    continue
                x, y, z = eye[0] + along * dx, eye[1] + along * dy, eye[2] + along * dz
                s = (_arc(arcs, x, z, body) - tag[0]) * (1.0 + body[2] * y)
                t = y - tag[1]
                u = ((s * tag[2] + t * tag[3]) / tag[4] + 0.5) * modules
                v = ((t * tag[2] - s * tag[3]) / tag[4] + 0.5) * modules
                if min(u, v) <= -1.0 or max(u, v) >= modules + 1.0:
                    continue
                nx, ny = x / body[0] ** 2, -body[2] * (1.0 + body[2] * y)
                nz = (z - body[1]) / body[1] ** 2
                lit = -(nx * dx + ny * dy + nz * dz)
                lit /= math.sqrt((nx * nx + ny * ny + nz * nz) * (dx * dx + dy * dy + dz * dz))
                white = min(u, v) < 0.0 or max(u, v) >= modules or bits[int(v), int(u)] > 0.5
                value += (0.9 if white else 0.04) * (0.3 + 0.7 * lit)
                cover += 1
            light[row, col] += (value - cover * light[row, col]) / (fine * fine)


@compiled
def paint_nozzle(
    light: np.ndarray,
    rays: np.ndarray,
    window: tuple[int, int, int, int],
    turns: np.ndarray,
    eyes: np.ndarray,
    prism: np.ndarray,
    bits: np.ndarray,
    plates: np.ndarray,
    covers: np.ndarray,
    fine: int,
) -> None:
    """Lay nozzle and hand over a window, averaged over sub-frames.

    Args:
        light: Linear light of the picture.
        rays: Direction (x, y, 1) of each pixel, shape (h, w, 2).
        window: x0, y0, x1, y1.
        turns: Rotation from the camera into the nozzle's frame at each sub-frame, shape (m, 3, 3).
        eyes: The camera in the nozzle's frame, shape (m, 3).
        prism: Reach of the faces, and where the collar begins and ends.
        bits: 1 = white, shape (12, n, n).
        plates: First corner, step of one module right and down, of each real tag, shape (12, 3, 3).
        covers: Share hidden by a finger and by frost, shape (12, 2).
        fine: Rays along a pixel's edge.
    """
    modules = bits.shape[1]
    for row in range(window[1], window[3]):
        for col in range(window[0], window[2]):
            cover, value = 0, 0.0
            for k in range(fine * fine):
                rx, ry = _ray(rays, col + (k % fine + 0.5) / fine - 0.5, row + (k // fine + 0.5) / fine - 0.5)
                for m in range(len(eyes)):
                    r = turns[m]
                    dx = r[0, 0] * rx + r[0, 1] * ry + r[0, 2]
                    dy = r[1, 0] * rx + r[1, 1] * ry + r[1, 2]
                    dz = r[2, 0] * rx + r[2, 1] * ry + r[2, 2]
                    ex, ey, ez = eyes[m, 0], eyes[m, 1], eyes[m, 2]
                    along, part, face = _meet_nozzle(ex, ey, ez, dx, dy, dz, prism)
                    if part == 0:
                        continue
                    cover += 1
                    if part != 1:
                        value += 0.10 if part < 5 else 0.30
                        continue
                    length = math.sqrt(dx * dx + dy * dy + dz * dz)
                    lit = 0.25 - 0.65 * (dx * FACES[face, 0] + dy * FACES[face, 1]) / length
                    ring = 0 if ez + along * dz > 0.5 * (prism[1] + prism[2]) else 1
                    tag = 6 * ring + face
                    p = plates[tag]
                    # Where the ray meets the plane of the real tag, in modules from its first corner.
                    nx = p[1, 1] * p[2, 2] - p[1, 2] * p[2, 1]
                    ny = p[1, 2] * p[2, 0] - p[1, 0] * p[2, 2]
                    nz = p[1, 0] * p[2, 1] - p[1, 1] * p[2, 0]
                    far = (p[0, 0] - ex) * nx + (p[0, 1] - ey) * ny + (p[0, 2] - ez) * nz
                    far /= dx * nx + dy * ny + dz * nz
                    qx, qy, qz = ex + far * dx - p[0, 0], ey + far * dy - p[0, 1], ez + far * dz - p[0, 2]
                    per = 1.0 / (p[1, 0] ** 2 + p[1, 1] ** 2 + p[1, 2] ** 2)
                    u = (qx * p[1, 0] + qy * p[1, 1] + qz * p[1, 2]) * per
                    v = (qx * p[2, 0] + qy * p[2, 1] + qz * p[2, 2]) * per
                    inside = min(u, v) >= 0.0 and max(u, v) < modules
                    shade = 0.04 if inside and bits[tag, int(v), int(u)] < 0.5 else 0.95
                    shade += covers[tag, 1] * (0.7 + 0.1 * math.sin(1.7 * u + 0.9 * v) - shade)
                    if u < covers[tag, 0] * (modules + 2.0) - 1.0:
                        shade = 0.35
                    value += shade * lit
            light[row, col] += (value - cover * light[row, col]) / (fine * fine * len(eyes))


@compiled
def expose(light: np.ndarray, code: np.ndarray, grain: np.ndarray, first: int) -> np.ndarray:
    """Linear light 0..1 to 8-bit numbers (h, w, 3), all channels alike, with noise from a store of it."""
    height, width = light.shape
    bgr = np.empty((height, width, 3), np.uint8)
    top, many = len(code) - 1, len(grain)
    for row in range(height):
        place = (first + row * 7919) % many
        for col in range(width):
            level = code[min(max(int(light[row, col] * top + 0.5), 0), top)]
            number = np.uint8(min(max(level + grain[place] + 0.5, 0.0), 255.0))
            bgr[row, col, 0] = number
            bgr[row, col, 1] = number
            bgr[row, col, 2] = number
            place += 1
            if place == many:
                place = 0
    return bgr


@compiled
def measure(
    rays: np.ndarray,
    turn: np.ndarray,
    eye: np.ndarray,
    body: np.ndarray,
    nozzle_turn: np.ndarray,
    nozzle_eye: np.ndarray,
    prism: np.ndarray,
    arcs: np.ndarray,
    skin: np.ndarray,
    grid: np.ndarray,
    couch_mm: float,
    values: np.ndarray,
    fine: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Depth along z and temperature of every pixel, averaged over ``fine`` squared rays.

    Args:
        rays: As in `paint_nozzle`.
        turn: Rotation from the camera into the body's frame.
        eye: The camera in the body's frame.
        body: Across, deep, taper, half length.
        nozzle_turn: As ``turn``, into the nozzle's frame.
        nozzle_eye: As ``eye``.
        prism: As in `paint_nozzle`.
        arcs: Arc length on a uniform grid of angles.
        skin: Temperature of the skin on a grid of (y, arc).
        grid: First arc, first y, spacing of that grid.
        couch_mm: Plane behind the body, z in its frame.
        values: Temperatures of room, nozzle, hand.
        fine: Rays along a pixel's edge.
    """
    height, width = rays.shape[0], rays.shape[1]
    depth, degc = np.zeros((height, width)), np.zeros((height, width))
    for row in range(height):
        for col in range(width):
            for k in range(fine * fine):
                x, y = col + (k % fine + 0.5) / fine - 0.5, row + (k // fine + 0.5) / fine - 0.5
                rx, ry = _ray(rays, x, y) if fine > 1 else (rays[row, col, 0], rays[row, col, 1])
                r = nozzle_turn
                along, part, _ = _meet_nozzle(
                    nozzle_eye[0],
                    nozzle_eye[1],
                    nozzle_eye[2],
                    r[0, 0] * rx + r[0, 1] * ry + r[0, 2],
                    r[1, 0] * rx + r[1, 1] * ry + r[1, 2],
                    r[2, 0] * rx + r[2, 1] * ry + r[2, 2],
                    prism,
                )
                if part > 0:
                    depth[row, col] += along
                    degc[row, col] += values[1] if part < 5 else values[2]
                    continue
                r = turn
                dx = r[0, 0] * rx + r[0, 1] * ry + r[0, 2]
                dy = r[1, 0] * rx + r[1, 1] * ry + r[1, 2]
                dz = r[2, 0] * rx + r[2, 1] * ry + r[2, 2]
                along = _meet_body(eye[0], eye[1], eye[2], dx, dy, dz, body)
                if along < 0.0:
                    depth[row, col] += (couch_mm - eye[2]) / dz if dz > 0.05 else 0.0
                    degc[row, col] += values[0]
                    continue
                depth[row, col] += along
                arc = _arc(arcs, eye[0] + along * dx, eye[2] + along * dz, body)
                at_y = eye[1] + along * dy
                degc[row, col] += _grid(skin, (arc - grid[0]) / grid[2], (at_y - grid[1]) / grid[2])
    return depth / (fine * fine), degc / (fine * fine)
