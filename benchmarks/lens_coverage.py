"""Whether the bounds of the colour camera hold: focal length, and a point on the skin, on drawn pictures.

    python -m benchmarks.lens_coverage --cameras 200

Corners are drawn, not rendered: noise of each by itself, a board bent as stated, and what a whole picture has
wrong: another grip that bends the board otherwise, a rolling shutter before a moving hand (rows shifted the
more the lower they are, a shift of its own in each picture), or a smooth field of its own in each picture,
which no model here knows.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.guided import rgb_true_mm
from benchmarks.stopwatch import machine
from calibration.board import BoardView
from calibration.plain_camera import plain_camera
from calibration.rgb import CameraFound, find_camera, seen_places
from calibration.skin_error import nine_places
from models.geometry import Floats
from tests.calibration.board_scenes import BOARD, SIZE_PX, TRUE, views_of


@dataclass(frozen=True)
class Pictures:
    """How pictures are taken."""

    count: int = 12
    noise_px: float = 0.1
    sag_mm: float = 0.0
    sheared_px: float = 0.0
    """1 sigma of the shift from the middle of the picture to its edge, each direction."""
    grip_mm: float = 0.0
    """1 sigma of how else the board is bent in each picture, at its ends, like a cylinder."""
    field_px: float = 0.0
    """Root mean square of what else is off in each picture: polynomials of its pixels, to the third order."""


KINDS = {
    "12 pictures": Pictures(),
    "7": Pictures(count=7),
    "25": Pictures(count=25),
    "noise 0.5 px": Pictures(noise_px=0.5),
    "board bent 0.5 mm": Pictures(sag_mm=0.5),
    "bent, 7": Pictures(count=7, sag_mm=0.5),
    "shutter 0.3 px": Pictures(sheared_px=0.3),
    "shutter 0.3 px, 7": Pictures(count=7, sheared_px=0.3),
    "shutter 0.3 px, 25": Pictures(count=25, sheared_px=0.3),
    "grip 0.2 mm": Pictures(grip_mm=0.2),
    "shutter 1 px, bent": Pictures(sheared_px=1.0, sag_mm=0.5),
    "shutter 1 px, bent, 8": Pictures(count=8, sheared_px=1.0, sag_mm=0.46),
    "field 0.2 px": Pictures(field_px=0.2),
}


def drawn(how: Pictures, rng: np.random.Generator) -> list[BoardView]:
    """Views of one board by one camera."""
    views = [
        view
        for sag_mm in how.sag_mm + how.grip_mm * rng.normal(size=how.count)
        for view in views_of(rng, count=1, sag_mm=float(sag_mm), noise_px=how.noise_px)
    ]
    half_px = SIZE_PX[1] / 2.0
    out: list[BoardView] = []
    for view in views:
        lower = (view.corners_px[:, 1:] - half_px) / half_px
        shift_px = how.sheared_px * lower * rng.normal(size=2)
        if how.field_px > 0.0:
            shift_px = shift_px + how.field_px * _field(view.corners_px, rng)
        out.append(replace(view, corners_px=view.corners_px + shift_px))
    return out


def _field(corners_px: Floats, rng: np.random.Generator) -> Floats:
    """A smooth shift of each corner, root mean square of about 1, shape (k, 2)."""
    x, y = ((corners_px - 0.5 * np.array(SIZE_PX)) / (0.5 * SIZE_PX[0])).T
    shapes = np.stack([x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], axis=1)
    shapes /= np.sqrt(np.mean(shapes**2, axis=0))
    return np.asarray(shapes @ rng.normal(size=(shapes.shape[1], 2)) / np.sqrt(shapes.shape[1]), np.float64)


def measured(cameras: int, *, names: list[str], seconds: float = 1e9, seed: int = 3) -> Table:
    """A row for every kind; too wide is the median bound by what 95 of 100 errors stay below."""
    table = Table(title=f"Colour camera, {cameras} drawn calibrations a row, of those accepted")
    for column in (
        "pictures",
        "accepted",
        "focal length held",
        "focal error rms, plain, bound p50, px; too wide",
    ):
        table.add_column(column)
    for column in ("held", "error p50, bound p50, mm; too wide"):
        table.add_column(f"skin at 0.8 m where boards were, {column}")
        table.add_column(f"whole picture, {column}")
    for number, name in enumerate(names):
        rng, ends = np.random.default_rng([seed, number]), time.monotonic() + seconds / len(names)
        rows, tried = [], 0
        while tried < cameras and time.monotonic() < ends:
            tried += 1
            views = drawn(KINDS[name], rng)
            found = find_camera(views, BOARD, size_px=SIZE_PX)
            if not isinstance(found, CameraFound) or found.refusal is not None:
                continue
            camera = found.calibrated
            focal_px = abs(float(camera.values[0] - TRUE[0]))
            bound_px = 1.96 * float(np.sqrt(camera.covariance[0, 0]))
            plain_px = plain_camera(views, BOARD, size_px=SIZE_PX).fx_px - TRUE[0]
            places = seen_places(found.views, SIZE_PX), nine_places(SIZE_PX)
            off_mm = [rgb_true_mm(camera, TRUE, at_px) for at_px in places]
            told_mm = found.errors[1].worst_mm, found.everywhere[1].worst_mm
            rows.append((focal_px, plain_px, bound_px, *off_mm, *told_mm))
        if not rows:
            table.add_row(name, f"0 of {tried}")
            continue
        off_px, plain_px, focal_px, *skin = np.array(rows).T
        table.add_row(
            name,
            f"{len(rows)} of {tried}",
            f"{100.0 * np.mean(off_px <= focal_px):.1f} %",
            f"{_rms(off_px):.2f}, {_rms(plain_px):.2f}, {np.median(focal_px):.2f};"
            f" {_wide(off_px, focal_px):.2f}",
            *(f"{100.0 * np.mean(off <= told):.1f} %" for off, told in (skin[::2], skin[1::2])),
            *(
                f"{np.median(off):.2f}, {np.median(told):.2f}; {_wide(off, told):.2f}"
                for off, told in (skin[::2], skin[1::2])
            ),
        )
    return table


def _wide(off: Floats, told: Floats) -> float:
    return float(np.median(told) / np.quantile(off, 0.95))


def _rms(off: Floats) -> float:
    return float(np.sqrt(np.mean(off**2)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.lens_coverage", description=__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--only", nargs="+", choices=list(KINDS), default=list(KINDS), metavar="KIND")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument(
        "--seed", type=int, default=3, help="of all chance: others to judge on than to work on"
    )
    options = parser.parse_args()
    console = Console(width=130)
    console.print(machine(), highlight=False)
    table = measured(options.cameras, names=options.only, seconds=options.seconds, seed=options.seed)
    console.print(table)


if __name__ == "__main__":
    main()
