"""What no rig is: figures of a ``rig.toml`` that are each a number and together describe no camera or nozzle.

A slip of the pen, another unit or another picture size is read without complaint, and only its bounds tell,
if at all. Limits are such that no rig that is used comes near them; what merely is unusual is accepted.
"""

from __future__ import annotations

import numpy as np

from models.camera import Camera
from models.geometry import Floats, Pose
from models.toml_table import Table

WIDEST_DEG, NARROWEST_DEG = 150.0, 1.0
"""Angle that the longer side of a picture shows. Lenses that keep lines straight, all that five terms of
distortion describe, are sold up to 130 degrees, and at 150 a pixel at the edge shows a fifteenth of the angle
of one in the middle; 1 degree shows 2 cm at 1.2 m, less than any zone (own choice)."""

MOST_OUTSIDE = 0.5
"""Of a picture's width or height, by which the middle of the lens may lie outside it. In a whole picture it
is within some percent of the middle; in a ninth that was cut out of a corner it lies so far outside."""

MOST_OBLONG = 2.0
"""Focal lengths by each other. Pixels of cameras are square to a percent; those of the widest television
standard are 1.46 times as wide as high (ITU-R BT.601, 625 lines, 16:9)."""

FARTHEST_APART_MM = 2500.0
"""Between two cameras of a rig. Both look at one patch of skin from at most 1.2 m, the farthest distance that
calibration states an error for, so they stand 2.4 m apart at most, on opposite sides of it."""

FARTHEST_TAG_MM = 1000.0
"""From the orifice to a tag on the nozzle. What is held in a hand is no longer than an arm, 0.75 m; the
longest pointer in a public set of poses is 0.4 m (own choice)."""

SMALLEST_TAG_MM, LARGEST_TAG_MM = 3.0, 200.0
"""Side of a tag. Smaller ones have less than half a pixel to each of their eight modules 0.8 m away (1000 px
of focal length); larger ones go round no nozzle and lie on no limb (own choice)."""


def judge_camera(table: Table, camera: Camera) -> None:
    """Note what no camera is in the table that it was read from.

    Args:
        table: ``[rgb]``, ``[thermal]`` or ``[depth]``; one in which something is wrong already is left.
        camera: As it was read.
    """
    if not table.sound:
        return
    longer_px = max(camera.width_px, camera.height_px)
    for key, focal_px in (("fx_px", camera.fx_px), ("fy_px", camera.fy_px)):
        angle_deg = 2.0 * float(np.degrees(np.arctan(0.5 * longer_px / focal_px)))
        if not NARROWEST_DEG <= angle_deg <= WIDEST_DEG:
            table.wrong(
                key,
                f"is {focal_px:g}, with which {longer_px} px would show {angle_deg:.3g} degrees (lenses of"
                f" rigs: {NARROWEST_DEG:g} to {WIDEST_DEG:g}); give it in pixels of this picture size, or"
                " calibrate this camera again",
            )
    if table.sound and not 1.0 / MOST_OBLONG <= camera.fx_px / camera.fy_px <= MOST_OBLONG:
        table.wrong(
            "fx_px",
            f"is {camera.fx_px:g} beside an fy_px of {camera.fy_px:g}, and pixels are about square; calibrate"
            " this camera again",
        )
    for key, middle_px, size_px, side in (
        ("cx_px", camera.cx_px, camera.width_px, "wide"),
        ("cy_px", camera.cy_px, camera.height_px, "high"),
    ):
        least, most = -MOST_OUTSIDE * size_px, (1.0 + MOST_OUTSIDE) * size_px
        if not least <= middle_px <= most:
            table.wrong(
                key,
                f"is {middle_px:g}, but in a picture {size_px} px {side} the middle of a lens lies between"
                f" {least:g} and {most:g}; give it in pixels of this picture size, or calibrate this camera"
                " again",
            )


def judge_stand(table: Table, key: str, other_from_rgb: Pose) -> None:
    """Note a camera that is too far from the colour camera.

    Args:
        table: That it was read from; one in which something is wrong already is left.
        key: Of the transform.
        other_from_rgb: It.
    """
    apart_mm = float(np.linalg.norm(other_from_rgb.translation_mm))
    if table.sound and not apart_mm <= FARTHEST_APART_MM:
        table.wrong(
            key,
            f"puts it {apart_mm / 1000.0:.3g} m from the colour camera (at most"
            f" {FARTHEST_APART_MM / 1000.0:g}: both look at one patch of skin from near); give the shift in"
            " mm, or calibrate again",
        )


def judge_nozzle_tag(tag: Table, corners_mm: Floats) -> None:
    """Note a tag that is on no nozzle.

    Args:
        tag: That it was read from; one in which something is wrong already is left.
        corners_mm: Nozzle frame, origin at the orifice, shape (4, 3).
    """
    if not tag.sound:
        return
    far_mm = float(np.linalg.norm(corners_mm, axis=1).max())
    if not far_mm <= FARTHEST_TAG_MM:
        tag.wrong(
            "corners_nozzle_mm",
            f"lies {far_mm / 1000.0:.3g} m from the tip (at most {FARTHEST_TAG_MM / 1000.0:g}: it is held in"
            " a hand); give it in mm from the orifice, or calibrate the tip again",
        )
    sides_mm = np.linalg.norm(corners_mm - np.roll(corners_mm, 1, axis=0), axis=1)
    wrong_mm = next((float(one) for one in sides_mm if not _is_side(float(one))), None)
    if tag.sound and wrong_mm is not None:
        tag.wrong("corners_nozzle_mm", f"has a side of {_side_words(wrong_mm)}")


def judge_side(table: Table, key: str, side_mm: float) -> None:
    """Note the side of a tag that none has.

    Args:
        table: That it was read from; one in which something is wrong already is left.
        key: Of the side.
        side_mm: It.
    """
    if table.sound and not _is_side(side_mm):
        table.wrong(key, f"is a side of {_side_words(side_mm)}")


def _is_side(side_mm: float) -> bool:
    return SMALLEST_TAG_MM <= side_mm <= LARGEST_TAG_MM


def _side_words(side_mm: float) -> str:
    return (
        f"{side_mm:.4g} mm (tags: {SMALLEST_TAG_MM:g} to {LARGEST_TAG_MM:g}); give the side of the black"
        " square in mm"
    )
