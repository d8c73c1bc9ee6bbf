"""What a print that is longer one way does to the colour camera, and whether bounds hold that are told of it.

    python -m benchmarks.stretched_print --cameras 40

Corners are drawn with noise of 0.1 px. Each board is stretched by a share of its own, 95 of 100 within the
doubt; it is taken for true, or the doubt is told, or it was measured by two rulers read to 0.2 mm.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.guided import rgb_true_mm
from benchmarks.stopwatch import machine
from calibration.plain_camera import plain_camera
from calibration.rgb import CameraFound, find_camera, seen_places
from calibration.scale import READ_MM, RULER_MM, UNMEASURED_U95, Scale
from tests.calibration.board_scenes import BOARD, SIZE_PX, TRUE, views_of

BOTH_U95 = Scale(1.0, True, 1.0).stretch_u95
TOLD = ("taken for true", "doubt told", "both rulers measured")


def measured(cameras: int, *, count: int) -> Table:
    """A row for each way to hold the board and what is told of it."""
    title = f"{cameras} drawn calibrations a row, {count} pictures"
    table = Table(title=title)
    for column in ("held", "print", "accepted", "focal length within its bound", "off rms, bound p50, px"):
        table.add_column(column)
    table.add_column("fy by fx off rms, %, plain least squares")
    table.add_column("skin at 0.8 m: within the bound; off p50, p95, bound p50, mm")
    table.add_column("fy by fx within its bound; that p50, %")
    table.add_column("bound across p50, mm; quarter turn asked for")
    for turned in (False, True):
        for told in TOLD:
            rng, rows = np.random.default_rng([7, int(turned)]), []
            for _ in range(cameras):
                stretch = float(rng.normal(0.0, UNMEASURED_U95 / 1.96))
                read = float(np.diff(rng.normal(0.0, READ_MM / RULER_MM / 1.96, 2))[0])
                views = views_of(rng, count=count, stretch=stretch, turned=turned)
                board = BOARD
                if told == TOLD[1]:
                    board = replace(BOARD, stretch_u95=UNMEASURED_U95)
                if told == TOLD[2]:
                    board = replace(BOARD, stretch=1.0 + stretch + read, stretch_u95=BOTH_U95)
                found = find_camera(views, board, size_px=SIZE_PX)
                if not isinstance(found, CameraFound) or found.refusal is not None:
                    continue
                camera = found.calibrated
                focal_px = abs(0.5 * float((camera.values[:2] - TRUE[:2]).sum()))
                way = np.zeros(9)
                way[:2] = 0.5
                bound_px = 1.96 * float(np.sqrt(way @ camera.covariance @ way))
                off_mm = rgb_true_mm(camera, TRUE, seen_places(found.views, SIZE_PX))
                plain = plain_camera(found.views, board, size_px=SIZE_PX)
                ratios = [float(camera.values[1] / camera.values[0]), plain.fy_px / plain.fx_px]
                ratios = [100.0 * (one / (TRUE[1] / TRUE[0]) - 1.0) for one in ratios]
                way = np.append(np.array([1.0, -1.0]) / camera.values[:2], np.zeros(7))
                square = 196.0 * float(np.sqrt(way @ camera.covariance @ way))
                across = found.errors[1].across_mm, float(bool(found.print_limits))
                rows.append((focal_px, bound_px, off_mm, found.errors[1].worst_mm, *ratios, square, *across))
            name = "every other one turned by a quarter" if turned else "all upright"
            if not rows:
                table.add_row(name, told, f"0 of {cameras}")
                continue
            off_px, bound_px, off_mm, told_mm, ours, usual, square, across_mm, asked = np.array(rows).T
            table.add_row(
                name,
                told,
                f"{len(rows)} of {cameras}",
                f"{100.0 * np.mean(off_px <= bound_px):.0f} %",
                f"{np.sqrt(np.mean(off_px**2)):.2f}, {np.median(bound_px):.2f}",
                f"{np.sqrt(np.mean(ours**2)):.3f}, {np.sqrt(np.mean(usual**2)):.3f}",
                f"{100.0 * np.mean(off_mm <= told_mm):.0f} %; {np.median(off_mm):.2f},"
                f" {np.percentile(off_mm, 95):.2f}, {np.median(told_mm):.2f}",
                f"{100.0 * np.mean(np.abs(ours) <= square):.0f} %; {np.median(square):.3f}",
                f"{np.median(across_mm):.2f}; {int(asked.sum())} of {len(rows)}",
            )
    return table


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, default=40)
    parser.add_argument("--pictures", type=int, default=12)
    options = parser.parse_args()
    console = Console(width=200)
    console.print(machine())
    console.print(measured(options.cameras, count=options.pictures))


if __name__ == "__main__":
    main()
