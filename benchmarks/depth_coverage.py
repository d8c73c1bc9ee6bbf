"""Whether the promised error of the depth camera's place holds the true one: the solution, on drawn rigs.

    python -m benchmarks.depth_coverage --rigs 200
    python -m benchmarks.depth_coverage --doubted --pairs 12 --near-mm 450 --far-mm 1000  # lens as doubted

Each rig has its own place of the depth camera, scale and offset of its readings, errors of both lenses and of
the print, noise of the corners, and of the readings: a pattern that stays with the pixels, smooth over 15 mm,
and a part of each picture by itself. "Held" asks that nine places of the picture hold at once.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter

from benchmarks.stopwatch import machine
from calibration.board import OWN, BoardView
from calibration.depth import DepthJudged, find_depth
from calibration.depth_command import LENS_SHARE, MIDDLE_SHARE
from calibration.depth_fit import Grounds
from calibration.depth_views import depth_views, plane_z_mm
from calibration.skin_error import DISTANCES_MM, camera_of
from models.depth_place import placed_mm, seen_at
from models.geometry import Counts, Floats, Pose, rotation_from_rvec, unit
from models.rig import DepthCamera

RGB_PX, DEPTH_PX = (1280, 720), (848, 480)
RGB = np.array([920.0, 920.0, 645.0, 352.0, 0.08, -0.12, 0.0, 0.0, 0.0])
LENS = np.array([425.0, 425.0, 423.5, 239.5, 0.0, 0.0, 0.0, 0.0, 0.0])
RGB_SIGMA = np.array([1.5, 1.5, 1.0, 1.0, 0.003, 0.006, 0.0, 0.0, 0.0])
LENS_SIGMA = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
SIZE_U95 = 0.002
GROUNDS = Grounds(np.diag(LENS_SIGMA**2), np.diag(RGB_SIGMA**2), SIZE_U95)
FOCAL_SIGMA, MIDDLE_SIGMA_PX = LENS_SHARE * LENS[0], MIDDLE_SHARE * DEPTH_PX[0]
BEHIND_MM = 500.0
"""From the board to what is behind it."""


@dataclass(frozen=True)
class Noise:
    """Of depth readings, mm, 1 sigma, at 0.8 m."""

    pattern_mm: float = 2.3
    own_mm: float = 1.0
    smooth_px: float = 5.8
    """15 mm at 1.1 m."""
    power: float = 0.0
    """With which power of the distance it grows."""
    bowl_mm: float = 0.0
    """At the corners of the picture: an error of the lens that nobody sought."""
    holes: float = 0.05
    bend_mm: float = 0.0
    """Of the board's ends."""


KINDS = {
    "pattern 2.3 mm, own 1 mm": Noise(),
    "the same, growing with z squared": Noise(power=2.0),
    "pattern smooth over 40 mm": Noise(smooth_px=15.5),
    "own 3 mm, no pattern": Noise(pattern_mm=0.0, own_mm=3.0),
    "picture bowed by 4 mm": Noise(bowl_mm=4.0),
}


@dataclass(frozen=True)
class Taken:
    """How pairs are taken."""

    count: int = 15
    near_mm: float = 500.0
    far_mm: float = 1100.0
    lean_deg: float = 35.0
    lean_ways: float = 2.0 * np.pi


@dataclass(frozen=True, eq=False)
class Drawn:
    """A rig as it is, and what it is told to be."""

    camera: DepthCamera
    """True."""
    rgb: Floats
    """True lens of the colour camera."""
    size: float
    """By what share the board is larger than told."""
    told: DepthCamera
    """Lens as stated, standing where the colour camera stands."""


def drawn(rng: np.random.Generator) -> Drawn:
    """A rig."""
    turn = rotation_from_rvec(np.radians(1.5) * rng.normal(size=3))
    stand = Pose.of(turn, np.array([30.0, 5.0, 5.0]) * rng.normal(size=3) + (20.0, 0.0, 0.0))
    lens = camera_of(LENS + LENS_SIGMA * rng.normal(size=9), size_px=DEPTH_PX)
    scale, offset_mm = 1.0 + 0.008 * rng.normal(), 4.0 * rng.normal()
    rgb = RGB + RGB_SIGMA * rng.normal(size=9)
    told = DepthCamera(camera_of(LENS, size_px=DEPTH_PX), Pose.identity())
    true = DepthCamera(lens, stand, None, float(scale), float(offset_mm))
    return Drawn(true, rgb, SIZE_U95 / 1.96 * float(rng.normal()), told)


def doubted(rng: np.random.Generator) -> tuple[Drawn, Grounds]:
    """A rig whose depth lens is off by as much as the step takes it to be where nobody states a bound."""
    rig, lens = drawn(rng), np.array(LENS)
    lens[:2] += FOCAL_SIGMA * rng.normal()
    lens[2:4] += MIDDLE_SIGMA_PX * rng.normal(size=2)
    known = np.zeros((9, 9))
    known[:2, :2], known[[2, 3], [2, 3]] = FOCAL_SIGMA**2, MIDDLE_SIGMA_PX**2
    true = replace(rig.camera, camera=camera_of(lens, size_px=DEPTH_PX))
    return replace(rig, camera=true), replace(GROUNDS, depth_lens=known)


def seen(
    rng: np.random.Generator, rig: Drawn, *, noise: Noise, taken: Taken
) -> list[tuple[BoardView, Counts]]:
    """Corners in the colour picture and the depth picture of each pair."""
    pattern = gaussian_filter(rng.normal(size=(DEPTH_PX[1], DEPTH_PX[0])), max(noise.smooth_px, 0.1))
    pattern *= noise.pattern_mm / max(float(pattern.std()), 1e-9)
    grid = np.stack(np.meshgrid(np.arange(DEPTH_PX[0]), np.arange(DEPTH_PX[1])), axis=-1).astype(float)
    away = np.sum(((grid - (423.5, 239.5)) / (423.5, 239.5)) ** 2, axis=-1) / 2.0
    pattern += noise.bowl_mm * (away - 0.25)
    rays = rig.camera.camera.unproject(grid)
    flat = OWN.corners_mm - OWN.corners_mm.mean(axis=0)
    flat = flat * (1.0 + rig.size)
    rim = flat.min(axis=0)[:2] - 24.0, flat.max(axis=0)[:2] + 24.0
    matrix = np.array([[rig.rgb[0], 0.0, rig.rgb[2]], [0.0, rig.rgb[1], rig.rgb[3]], [0.0, 0.0, 1.0]])
    pairs: list[tuple[BoardView, Counts]] = []
    while len(pairs) < taken.count:
        way = rng.uniform(0.0, taken.lean_ways)
        lean = np.radians(taken.lean_deg) * np.sqrt(rng.uniform())
        turn = rotation_from_rvec(lean * np.array([np.cos(way), np.sin(way), 0.0]))
        far = rng.uniform(taken.near_mm, taken.far_mm)
        board = Pose.of(turn, far * np.array([rng.uniform(-0.35, 0.35), rng.uniform(-0.2, 0.2), 1.0]))
        px, _ = cv2.projectPoints(board.apply(flat), np.zeros(3), np.zeros(3), matrix, rig.rgb[4:])
        px = np.asarray(px, float).reshape(-1, 2)
        if not np.all((px > 5.0) & (px < np.array(RGB_PX) - 5.0)):
            continue
        z_mm = plane_z_mm(rays, board, rig.camera.depth_from_rgb)
        board_from_depth = board.inverse @ rig.camera.depth_from_rgb.inverse
        on_board = board_from_depth.apply(rays * z_mm[..., None])[..., :2]
        inside = np.all((on_board > rim[0]) & (on_board < rim[1]), axis=-1)
        z_mm = np.where(inside, z_mm, far + BEHIND_MM)
        grows = (z_mm / 800.0) ** noise.power
        off = grows * (pattern + noise.own_mm * rng.normal(size=z_mm.shape))
        read = (z_mm + off - rig.camera.offset_mm) / rig.camera.scale
        small = rng.random((DEPTH_PX[1] // 8, DEPTH_PX[0] // 8)) < noise.holes
        read = np.where(np.kron(small, np.ones((8, 8), bool)), 0.0, read)
        noisy = px + 0.1 * rng.normal(size=px.shape)
        view = BoardView(f"{len(pairs):02d}", np.arange(len(flat)), noisy)
        pairs.append((view, np.rint(read).astype(np.uint16)))
    return pairs


def judged(
    rig: Drawn, pairs: list[tuple[BoardView, Counts]], *, grounds: Grounds = GROUNDS
) -> DepthJudged | str:
    """The step."""
    views = depth_views(pairs, OWN, lens=RGB)
    return find_depth(views, OWN, camera=rig.told, rgb=camera_of(RGB, size_px=RGB_PX), grounds=grounds)


def errors_mm(rig: Drawn, found: DepthCamera, distance_mm: float) -> tuple[float, float]:
    """Largest error along and across the line of sight at nine places of the colour picture."""
    at_px = np.array([(x * RGB_PX[0], y * RGB_PX[1]) for x in (0.25, 0.5, 0.75) for y in (0.25, 0.5, 0.75)])
    sight = unit(camera_of(RGB, size_px=RGB_PX).unproject(at_px))
    points = sight * distance_mm
    px, readings = seen_at(rig.camera, points)
    inside = rig.camera.camera.inside(px)
    off = (placed_mm(found, px, readings) - points)[inside]
    along = np.sum(off * sight[inside], axis=1)
    across = np.linalg.norm(off - along[:, None] * sight[inside], axis=1)
    return float(np.abs(along).max()), float(across.max())


@dataclass
class Count:
    """Of one kind."""

    rigs: int = 0
    refused: int = 0
    held: dict[str, list[int]] = field(default_factory=lambda: {"along": [0] * 4, "across": [0] * 4})
    errors: dict[str, list[float]] = field(default_factory=lambda: {"along": [], "across": []})
    bounds: dict[str, list[float]] = field(default_factory=lambda: {"along": [], "across": []})


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rigs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="seed of the first rig")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--doubted", action="store_true", help="a lens as true as the step takes it to be")
    parser.add_argument("--near-mm", type=float, default=Taken.near_mm)
    parser.add_argument("--far-mm", type=float, default=Taken.far_mm)
    parser.add_argument("--kinds", type=int, nargs="+", default=range(len(KINDS)))
    options = parser.parse_args()
    table = Table(title=f"{options.rigs} drawn rigs, {options.pairs} pairs each; {machine()}")
    at = "/".join(f"{d / 1000:g}" for d in DISTANCES_MM)
    table.add_column("readings")
    table.add_column("refused")
    table.add_column(f"held along, % at {at} m")
    table.add_column("held across, %")
    table.add_column("error p95, bound (median) along at 0.8 m, mm")
    table.add_column("the same across")
    table.add_column("time")
    for number in options.kinds:
        name, noise = list(KINDS.items())[number]
        begun, count = time.perf_counter(), Count()
        for seed in range(options.first, options.first + options.rigs):
            rng = np.random.default_rng([seed, number])
            rig, grounds = doubted(rng) if options.doubted else (drawn(rng), GROUNDS)
            taken = Taken(options.pairs, options.near_mm, options.far_mm)
            one = judged(rig, seen(rng, rig, noise=noise, taken=taken), grounds=grounds)
            if isinstance(one, str) or one.refusal is not None:
                count.refused += 1
                continue
            count.rigs += 1
            for k, distance_mm in enumerate(DISTANCES_MM):
                errors = errors_mm(rig, one.camera, distance_mm)
                bounds = one.along_mm[k], one.across_mm[k]
                for way, error, bound in zip(count.held, errors, bounds, strict=True):
                    count.held[way][k] += error <= bound
                    if k == 1:
                        count.errors[way].append(error)
                        count.bounds[way].append(bound)
        cells = ["/".join(f"{100 * h / max(count.rigs, 1):.0f}" for h in count.held[w]) for w in count.held]
        sizes = [
            f"{np.quantile(count.errors[w], 0.95):.2f}, {np.median(count.bounds[w]):.2f}"
            for w in count.held
            if count.rigs
        ] or ["-", "-"]
        took = time.perf_counter() - begun
        table.add_row(name, str(count.refused), *cells, *sizes, f"{took / options.rigs:.1f} s a rig")
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
