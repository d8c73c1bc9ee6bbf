"""Pictures of simulated cameras: each pixel is as light or warm as what its rays meet in the scene."""

from __future__ import annotations

import math

import numpy as np

from models.compiled import compiled
from vision.synthetic_rays import FACES, arc_at, between_nodes, meet_body, meet_nozzle, ray_between


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
            along = meet_body(eye[0], eye[1], eye[2], dx, dy, dz, body)
            if along < 0.0:
                continue
            x, y, z = eye[0] + along * dx, eye[1] + along * dy, eye[2] + along * dz
            nx, ny = x / body[0] ** 2, -body[2] * (1.0 + body[2] * y)
            nz = (z - body[1]) / body[1] ** 2
            lit = -(nx * dx + ny * dy + nz * dz)
            lit /= math.sqrt((nx * nx + ny * ny + nz * nz) * (dx * dx + dy * dy + dz * dz))
            albedo = between_nodes(texture, arc_at(arcs, x, z, body) % side, y % side)
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
                rx, ry = ray_between(
                    rays, col + (k % fine + 0.5) / fine - 0.5, row + (k // fine + 0.5) / fine - 0.5
                )
                dx = turn[0, 0] * rx + turn[0, 1] * ry + turn[0, 2]
                dy = turn[1, 0] * rx + turn[1, 1] * ry + turn[1, 2]
                dz = turn[2, 0] * rx + turn[2, 1] * ry + turn[2, 2]
                along = meet_body(eye[0], eye[1], eye[2], dx, dy, dz, body)
                if along < 0.0:
                    continue
                x, y, z = eye[0] + along * dx, eye[1] + along * dy, eye[2] + along * dz
                s = (arc_at(arcs, x, z, body) - tag[0]) * (1.0 + body[2] * y)
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
                rx, ry = ray_between(
                    rays, col + (k % fine + 0.5) / fine - 0.5, row + (k // fine + 0.5) / fine - 0.5
                )
                for m in range(len(eyes)):
                    r = turns[m]
                    dx = r[0, 0] * rx + r[0, 1] * ry + r[0, 2]
                    dy = r[1, 0] * rx + r[1, 1] * ry + r[1, 2]
                    dz = r[2, 0] * rx + r[2, 1] * ry + r[2, 2]
                    ex, ey, ez = eyes[m, 0], eyes[m, 1], eyes[m, 2]
                    along, part, face = meet_nozzle(ex, ey, ez, dx, dy, dz, prism)
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
                rx, ry = ray_between(rays, x, y) if fine > 1 else (rays[row, col, 0], rays[row, col, 1])
                r = nozzle_turn
                along, part, _ = meet_nozzle(
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
                along = meet_body(eye[0], eye[1], eye[2], dx, dy, dz, body)
                if along < 0.0:
                    depth[row, col] += (couch_mm - eye[2]) / dz if dz > 0.05 else 0.0
                    degc[row, col] += values[0]
                    continue
                depth[row, col] += along
                arc = arc_at(arcs, eye[0] + along * dx, eye[2] + along * dz, body)
                at_y = eye[1] + along * dy
                degc[row, col] += between_nodes(skin, (arc - grid[0]) / grid[2], (at_y - grid[1]) / grid[2])
    return depth / (fine * fine), degc / (fine * fine)
