"""``cryoguide calibrate depth``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from calibration.accepting import accepted
from calibration.board import OWN, Board, BoardView, board_of, find_board
from calibration.depth import DepthJudged, find_depth
from calibration.depth_fit import Grounds
from calibration.depth_part import depth_part, facts
from calibration.depth_views import depth_views
from calibration.pairs import DepthPair
from calibration.progress import Steps
from calibration.recorded_pictures import depth_pairs_of
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables, table_of
from calibration.scale import MOST_OFF, READ_MM, UNMEASURED_U95, scale_of, scaled
from calibration.sheets import RULER_MM
from calibration.skin_error import DISTANCES_MM
from models.camera import Camera
from models.geometry import Counts, Floats, Pose
from models.problems import InputError
from models.rig import DEPTH_PARAMETERS, INTRINSICS, DepthCamera, Rig
from models.rig_file import read_rig
from vision.source import open_source

LENS_SHARE, MIDDLE_SHARE = 0.003, 3.0 / 1280.0
"""1 sigma of focal length, and of the middle by the picture's width, of a lens for which nobody states a
bound: as `calibration.thermal_command.known_camera` takes them."""


def calibrate_depth(options: argparse.Namespace, now: datetime) -> bool:
    """Find the board in colour and depth, solve, tell, and write the depth camera's place into a rig.

    Raises:
        InputError: If there are no pairs, or rig, lens or board do not go with them.
    """
    rig, out = cast("Path", options.rig), cast("Path | None", options.out)
    tables = read_tables(rig)
    stated, _ = read_rig(rig.read_text(encoding="utf-8"), where=str(rig))
    scale = scale_of(options.measured_mm, insist=options.insist)
    board = scaled(OWN, scale) if options.board == "own" else board_of(options.board)
    pictures, left_out = depth_pairs_of(options.colour, options.depth, board)
    if stated.depth is None and options.lens is None and options.depth is None:
        stated = _with_own(stated, Path(options.colour))
    colour, depth = pictures[0].grey.shape, pictures[0].readings_mm.shape
    camera = stated_camera(stated, cast("list[float] | None", options.lens), colour, depth, rig=rig)
    seen = _found(pictures, board, left_out)
    for sentence in left_out:
        print(f"Not used: {sentence}")
    lens = np.array([*stated.rgb.focal, *stated.rgb.distortion])
    views = depth_views(seen, board, lens=lens)
    grounds = grounds_of(stated, camera, board)
    found = find_depth(views, board, camera=camera, rgb=stated.rgb, grounds=grounds)
    judged = accepted(found, lambda one: told(one, board))
    if judged is None:
        return False
    _into(table_of(tables, "depth"), judged)
    part = depth_part(judged, [view.name for view in views], left_out, board, size_u95=grounds.size_u95)
    return replace_rig(out or rig, tables, now=now, force=options.force, part=part)


def told(judged: DepthJudged, board: Board) -> list[str]:
    """What was found, line by line."""
    camera = judged.camera
    assert camera.covariance is not None
    lines = [*(f"Not used: {why}" for why in judged.found.left_out), *facts(judged, board)]
    lines.append(f"{'':10}{'value':>12}{'95 % bound':>14}")
    sigma = np.sqrt(np.diag(camera.covariance))[len(INTRINSICS) :]
    for name, value, one in zip(
        DEPTH_PARAMETERS[len(INTRINSICS) :], found_values(camera), sigma, strict=True
    ):
        lines.append(f"{name:10}{value:12.4f}{1.96 * one:14.4f}")
    lines += ["95 % error on the skin, mm   distance   beside the line of sight"]
    for distance_mm, along, across in zip(DISTANCES_MM, judged.along_mm, judged.across_mm, strict=True):
        lines.append(f"{distance_mm / 1000.0:6.1f} m from the camera{along:15.2f}{across:15.2f}")
    return lines


def found_values(camera: DepthCamera) -> list[float]:
    """Rotation vector, shift, scale and offset."""
    turn, _ = cv2.Rodrigues(camera.depth_from_rgb.rotation)
    shift = camera.depth_from_rgb.translation_mm
    return [float(v) for v in (*np.ravel(turn), *shift, camera.scale, camera.offset_mm)]


def _with_own(stated: Rig, recording: Path) -> Rig:
    """With the lens of the depth camera that the recording itself states; where it stands is sought anew."""
    own = open_source(recording).rig
    if own is None or own.depth is None:
        return stated
    return replace(stated, depth=DepthCamera(own.depth.camera, own.depth.depth_from_rgb))


def _found(
    pictures: Sequence[DepthPair], board: Board, left_out: list[str]
) -> list[tuple[BoardView, Counts]]:
    """Pairs whose colour picture shows the board; a sentence goes to ``left_out`` for each other one."""
    seen: list[tuple[BoardView, Counts]] = []
    with Steps("Looking for the board", len(pictures)) as steps:
        for pair in pictures:
            view = find_board(pair.grey, board, name=pair.name)
            if isinstance(view, str):
                left_out.append(f"pair {pair.name}: the colour picture {view}")
            else:
                seen.append((view, pair.readings_mm))
            steps.one_done()
    return seen


def grounds_of(stated: Rig, camera: DepthCamera, board: Board) -> Grounds:
    """What a calibration rests on, by what is stated of both lenses and was measured of the print."""
    # Where directions are in doubt nobody measured, or one ruler only: the size may be off as much.
    size_u95 = MOST_OFF if board.stretch_u95 >= UNMEASURED_U95 else READ_MM / RULER_MM
    return Grounds(_usual_covariance(camera.camera), _rgb_covariance(stated), size_u95)


def stated_camera(
    stated: Rig,
    lens: list[float] | None,
    colour: tuple[int, ...],
    depth: tuple[int, ...],
    *,
    rig: Path,
) -> DepthCamera:
    """The depth camera's lens, by the rig or as told, and about where it stands.

    Args:
        stated: The rig.
        lens: As told; None = the rig states it.
        colour: Height and width of the colour pictures.
        depth: Likewise.
        rig: Its file, for people.

    Raises:
        InputError: If nobody states the lens, or pictures are of another size than the rig has.
    """
    rgb = stated.rgb
    height, width = colour[:2]
    if (width, height) != (rgb.width_px, rgb.height_px):
        raise InputError(
            f"The rig's colour camera has {rgb.width_px} x {rgb.height_px} pixels, the pictures"
            f" {width} x {height}; calibrate it with pictures of this size first."
        )
    height, width = depth[:2]
    here = stated.depth
    if lens is not None:
        if len(lens) not in (4, 9):
            raise InputError(
                f"A lens has 4 numbers (fx fy cx cy) or 9 (and k1 k2 p1 p2 k3), not {len(lens)}; give them as"
                " the depth camera's maker states them for this size of picture."
            )
        fx, fy, cx, cy, *bends = lens
        if not (fx > 10.0 and fy > 10.0 and 0.0 < cx < width and 0.0 < cy < height):
            raise InputError(
                f"--lens {fx:g} {fy:g} {cx:g} {cy:g} is no lens of pictures of {width} x {height}; give fx"
                " fy cx cy in pixels."
            )
        own = Camera(width, height, fx, fy, cx, cy, np.array(bends or [0.0] * 5))
        return DepthCamera(own, Pose.identity() if here is None else here.depth_from_rgb)
    if here is None:
        raise InputError(
            f"{rig} has no [depth], so the lens of its depth camera is not known; give it as its maker states"
            " it with --lens FX FY CX CY."
        )
    if (width, height) != (here.camera.width_px, here.camera.height_px):
        raise InputError(
            f"The rig's depth camera has {here.camera.width_px} x {here.camera.height_px} pixels, the"
            f" pictures {width} x {height}; record them at the rig's size, or state the lens of this one with"
            " --lens."
        )
    if here.covariance is None and _as_colour(stated, here):
        raise InputError(
            "The rig has depth laid over the colour picture by the camera itself: no place is to be found;"
            " record depth in its own geometry and state its lens with --lens FX FY CX CY."
        )
    return here


def _as_colour(stated: Rig, depth: DepthCamera) -> bool:
    own, colour = depth.camera, stated.rgb
    return (
        np.array_equal(depth.depth_from_rgb.matrix, np.eye(4))
        and (own.width_px, own.height_px) == (colour.width_px, colour.height_px)
        and np.array_equal(own.focal, colour.focal)
    )


def _usual_covariance(lens: Camera) -> Floats:
    """Of a lens for which nobody states a bound, shape (9, 9)."""
    covariance = np.zeros((len(INTRINSICS),) * 2)
    covariance[:2, :2] = LENS_SHARE**2 * np.outer(lens.focal[:2], lens.focal[:2])
    covariance[[2, 3], [2, 3]] = (MIDDLE_SHARE * lens.width_px) ** 2
    return covariance


def _rgb_covariance(stated: Rig) -> Floats:
    if stated.rgb_covariance is not None:
        return np.array(stated.rgb_covariance)
    return _usual_covariance(stated.rgb)


def _into(table: Toml, judged: DepthJudged) -> None:
    camera = judged.camera
    own = camera.camera
    table["width_px"], table["height_px"] = own.width_px, own.height_px
    for name, value in zip(INTRINSICS[:4], own.focal, strict=False):
        table[name] = float(value)
    table["distortion"] = [float(value) for value in own.distortion]
    matrix: Floats = camera.depth_from_rgb.matrix
    table["depth_from_rgb"] = [[round(float(v), 10) for v in row] for row in matrix]
    table["reading"] = {"scale": round(camera.scale, 8), "offset_mm": round(camera.offset_mm, 6)}
    assert camera.covariance is not None
    told_ = np.flatnonzero(np.diag(camera.covariance) > 0.0)
    names = [DEPTH_PARAMETERS[k] for k in told_]
    table["covariance"] = covariance_table(names, camera.covariance[np.ix_(told_, told_)])
