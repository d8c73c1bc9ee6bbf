"""``cryoguide calibrate thermal``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from calibration.accepting import accepted
from calibration.board import Board, board_of, find_tags
from calibration.certified_parts import bloom_words, thermal_part
from calibration.intrinsics import PARAMETERS, calibrate_camera
from calibration.pair_equations import PairView
from calibration.pairs import Pair
from calibration.progress import Steps
from calibration.recorded_pictures import pairs_of
from calibration.replacing import replace_rig
from calibration.rig_text import Toml, covariance_table, read_tables, table_of
from calibration.scale import scale_of, scaled
from calibration.sheets import TARGET
from calibration.skin_error import DISTANCES_MM
from calibration.thermal import LEAST_PAIRS, ThermalJudged, find_thermal, solves
from calibration.thermal_pair import TURN_AND_SHIFT, RgbKnown
from models.geometry import Floats
from models.problems import InputError

_USUAL: Toml = {"emissivity": 0.98, "accuracy_degc": 2.0, "rgb_minus_thermal_s": 0.0, "latency_s": 0.05}
"""Of a thermal camera that the rig did not have before; the accuracy is that of usual cameras."""


def calibrate_thermal_step(options: argparse.Namespace, now: datetime) -> bool:
    """Find the target in both cameras, solve, tell, and write the thermal camera into a rig.

    Raises:
        InputError: If there are no pairs, or target or rig cannot be read.
    """
    rig, out = cast("Path | None", options.rig), cast("Path | None", options.out)
    tables = read_tables(rig) if rig is not None else None
    # Nobody said how it was printed: `print target` names it as it was measured.
    board = scaled(TARGET, scale_of(None)) if options.board == "own" else board_of(options.board)
    if board.kind != "tags":
        raise InputError("The target for both cameras is a board of tags; name it with --board tags:...")
    pictures, left_out = pairs_of(options.rgb, options.thermal, board)
    pairs = found_in_both(pictures, board, left_out)
    rgb_shape, shape = pictures[0].rgb.shape, pictures[0].thermal.shape
    rgb_size, size = (rgb_shape[1], rgb_shape[0]), (shape[1], shape[0])
    for sentence in left_out:
        print(f"Not used: {sentence}")
    if tables is not None:
        known = known_camera(tables, rgb_size)
    elif len(pairs) >= LEAST_PAIRS:
        own = calibrate_camera([pair.rgb for pair in pairs], board, size_px=rgb_size)
        known = RgbKnown(own.values, own.covariance, from_these=True)
    else:
        known = RgbKnown(np.zeros(9), np.zeros((9, 9)))
    with Steps("Solving, with all pairs and without each", solves(len(pairs))) as steps:
        found = find_thermal(
            pairs, board, known=known, size_px=size, rgb_size_px=rgb_size, on_solved=steps.one_done
        )
    judged = accepted(found, lambda one: told(one, pairs))
    if judged is None:
        return False
    if tables is None or rig is None:
        print("Nothing was written; name the rig whose thermal camera this is with --rig.")
        return True
    _into(table_of(tables, "thermal"), judged, size)
    part = thermal_part(judged, pairs, left_out)
    return replace_rig(out or rig, tables, now=now, force=options.force, part=part)


def found_in_both(pictures: Sequence[Pair], board: Board, left_out: list[str]) -> list[PairView]:
    """Pairs that show the target in both pictures; a sentence goes to ``left_out`` for each other one."""
    pairs: list[PairView] = []
    with Steps("Looking for the target", len(pictures)) as steps:
        for pair in pictures:
            _find_in_both(pair, board, pairs, left_out)
            steps.one_done()
    return pairs


def _find_in_both(pair: Pair, board: Board, pairs: list[PairView], left_out: list[str]) -> None:
    rgb = find_tags(pair.rgb, board, name=pair.name)
    thermal = find_tags(pair.thermal, board, name=pair.name, refinement=cv2.aruco.CORNER_REFINE_CONTOUR)
    whys = [f"the colour picture {rgb}"] if isinstance(rgb, str) else []
    whys += [f"the thermal picture {thermal}"] if isinstance(thermal, str) else []
    if isinstance(rgb, str) or isinstance(thermal, str):
        left_out.append(f"pair {pair.name}: {'; '.join(whys)}")
    else:
        pairs.append(PairView(pair.name, rgb, thermal))


def told(judged: ThermalJudged, pairs: Sequence[PairView]) -> list[str]:
    """What was found, line by line."""
    found = judged.found
    sigma = np.sqrt(np.diag(judged.covariance))
    lines = [
        f"{len(pairs)} pairs",
        f"{'pair':12}{'tags':>6}{'held out in the pair':>24}{'by the other pairs':>22}   thermal px",
    ]
    for pair, within, over in zip(pairs, judged.within_px, judged.held_out_px, strict=True):
        lines.append(f"{pair.name:12}{len(pair.thermal.ids) // 4:6d}{within:24.2f}{over:22.2f}")
    lines.append(f"{'':8}{'value':>12}{'95 % bound':>14}")
    turn, _ = cv2.Rodrigues(found.thermal_from_rgb.rotation)
    stand = [*np.ravel(turn), *found.thermal_from_rgb.translation_mm]
    values = [*(found.values[PARAMETERS.index(name)] for name in found.free), *stand]
    for name, value, one in zip([*found.free, *TURN_AND_SHIFT], values, sigma, strict=False):
        lines.append(f"{name:8}{value:12.4f}{1.96 * one:14.4f}")
    lines.append(bloom_words(found.bloom))
    lines.append("95 % error of a thermal pixel's place on the skin, mm")
    for distance_mm, error in zip(DISTANCES_MM, judged.on_skin_mm, strict=True):
        lines.append(f"{distance_mm / 1000.0:6.1f} m from the camera{error:14.2f}")
    return lines


def known_camera(tables: Toml, size_px: tuple[int, int]) -> RgbKnown:
    """The rig's colour camera with its covariance.

    Raises:
        InputError: If it has another number of pixels.
    """
    rgb = table_of(tables, "rgb")
    if (rgb["width_px"], rgb["height_px"]) != size_px:
        raise InputError(
            f"The rig's colour camera has {rgb['width_px']} x {rgb['height_px']} pixels, the pictures"
            f" {size_px[0]} x {size_px[1]}; calibrate it with pictures of this size first."
        )
    numbers = [*(rgb[name] for name in PARAMETERS[:4]), *cast("list[float]", rgb["distortion"])]
    values = np.array(numbers, float)
    covariance = np.zeros((9, 9))
    told_ = cast("Toml", rgb.get("covariance") or {})
    names = [PARAMETERS.index(str(name)) for name in cast("list[str]", told_.get("parameters", []))]
    if names:
        covariance[np.ix_(names, names)] = np.asarray(told_["matrix"], float)
    else:  # of a rig that does not say: 0.3 % of the focal length, 3 px of the middle
        covariance[:2, :2] = (0.003 * values[0]) ** 2
        covariance[2, 2] = covariance[3, 3] = 9.0
    return RgbKnown(values, covariance)


def _into(table: Toml, judged: ThermalJudged, size_px: tuple[int, int]) -> None:
    found = judged.found
    for key, usual in _USUAL.items():
        table.setdefault(key, usual)
    table["width_px"], table["height_px"] = size_px
    for name, value in zip(PARAMETERS[:4], found.values, strict=False):
        table[name] = round(float(value), 6)
    table["distortion"] = [round(float(value), 9) for value in found.values[4:]]
    table["rms_px"] = round(found.rms_px, 4)
    matrix: Floats = found.thermal_from_rgb.matrix
    table["thermal_from_rgb"] = [[round(float(v), 10) for v in row] for row in matrix]
    table["covariance"] = covariance_table([*found.free, *TURN_AND_SHIFT], judged.covariance)
