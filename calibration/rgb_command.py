"""``cryoguide calibrate rgb``."""

from __future__ import annotations

import argparse
import os
from datetime import datetime
from pathlib import Path
from typing import cast

import numpy as np

from calibration.another_camera import mixed_words
from calibration.board import OWN, Board, BoardView, board_of, find_board
from calibration.certified_parts import board_words, rgb_part
from calibration.intrinsics import PARAMETERS, Calibrated
from calibration.pictures import read_folder
from calibration.plain_camera import beside_words, side_by_side, usual_views
from calibration.recorded_pictures import board_pictures, is_recording
from calibration.replacing import replace_rig
from calibration.rgb import LIMIT_MM, CameraFound, find_camera
from calibration.rig_text import Toml, covariance_table, read_tables, table_of
from calibration.scale import scale_of, scaled


def calibrate_rgb(options: argparse.Namespace, now: datetime) -> bool:
    """Find the board, solve, tell, and write the camera into a rig.

    Raises:
        InputError: If there are no pictures of one size, or board or rig cannot be read.
    """
    rig, out = cast("Path | None", options.rig), cast("Path | None", options.out)
    if rig is None and out is not None and os.path.exists(out):
        rig = out  # its other parts stay
    tables: Toml = read_tables(rig) if rig is not None else {}
    # Nobody said how it was printed: `all` and `live` ask for that, and `print` names it as it was measured.
    board = scaled(OWN, scale_of(None)) if options.board == "own" else board_of(options.board)
    recorded = is_recording(options.pictures)
    pictures, left_out = (
        board_pictures(options.pictures, board) if recorded else read_folder(options.pictures)
    )
    height_px, width_px = pictures[0][1].shape
    views: list[BoardView] = []
    for name, grey in pictures:
        view = find_board(grey, board, name=name, window_px=options.window_px)
        if isinstance(view, str):
            left_out.append(f"{name} {view}")
        else:
            views.append(view)
    found = find_camera(views, board, size_px=(width_px, height_px), left_out=left_out, flat=options.flat)
    if isinstance(found, str):
        print("\n".join([*left_out, f"REFUSED. {found}"]))
        return False
    print("\n".join(told(found, board)))
    beside: tuple[str, ...] = ()
    if not options.flat:
        usual = usual_views(pictures, found.views, board)
        lines = side_by_side(found.calibrated, found.views, usual, board, size_px=found.size_px)
        print("\n".join(lines))
        beside = beside_words(lines)
    if found.refusal is not None:
        print(f"REFUSED. {mixed_words(found, board) or found.refusal}")
        return False
    print("Accepted.")
    target = out or rig
    if target is None:
        print("Nothing was written; name a rig with --rig, or --out for a new one.")
        return True
    into(table_of(tables, "rgb"), found.calibrated, size_px=found.size_px)
    part = rgb_part(found, board, beside=beside)
    return replace_rig(target, tables, now=now, force=options.force, part=part)


def told(found: CameraFound, board: Board) -> list[str]:
    """What was found, line by line."""
    camera = found.calibrated
    sigma = np.sqrt(np.diag(camera.covariance))
    lines = [f"Not used: {sentence}" for sentence in found.left_out]
    lines += [
        f"{len(found.views)} pictures of a {board.words}; {100.0 * found.covered:.0f} % of the picture"
        f" covered,"
        f" boards {found.tilt_deg:.0f} degrees apart, farthest by nearest {found.apart:.2f}",
        f"{'':8}{'value':>12}{'95 % bound':>14}",
    ]
    for name, value, one in zip(PARAMETERS, camera.values, sigma, strict=True):
        lines.append(f"{name:8}{value:12.4f}{1.96 * one:14.4f}")
    lines.append(board_words(camera))
    lines.append(
        f"rms {camera.rms_px:.3f} px. It says how well the model fits these pictures, not how right it is;"
        f" the"
        " bounds do."
    )
    return lines + errors_told(found)


def errors_told(found: CameraFound) -> list[str]:
    """Predicted errors on the skin, line by line."""
    lines = [
        "95 % error on the skin, mm   where boards were   in the whole picture",
        f"{'':24}" + 2 * "    across     along",
    ]
    for seen, whole in zip(found.errors, found.everywhere, strict=True):
        cells = "".join(f"{e.across_mm:10.2f}{e.along_mm:10.2f}" for e in (seen, whole))
        lines.append(f"{seen.distance_mm / 1000.0:6.1f} m from the camera{cells}")
    lines.append("across: beside the line of sight; along: how far away, of what is placed by its size.")
    if max(e.worst_mm for e in found.everywhere[:2]) > LIMIT_MM:
        lines.append("Where no board was the lens is only guessed: hold it into edges and corners too.")
    if found.print_words:
        lines.append(found.print_words)
    return lines


def into(table: Toml, camera: Calibrated, *, size_px: tuple[int, int]) -> None:
    """Write a camera into its table of the rig; what else is there stays."""
    table["width_px"], table["height_px"] = size_px
    for name, value in zip(PARAMETERS[:4], camera.values, strict=False):
        table[name] = round(float(value), 6)
    table["distortion"] = [round(float(value), 9) for value in camera.values[4:]]
    table["rms_px"] = round(camera.rms_px, 4)
    table["covariance"] = covariance_table(list(PARAMETERS), camera.covariance)
