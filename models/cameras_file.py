"""Text codec of the cameras in a ``rig.toml`` (``[rgb]``, ``[thermal]``, ``[depth]``) and their lenses."""

from __future__ import annotations

from typing import cast

import numpy as np

from models.camera import Camera
from models.corrected_file import NAME as CORRECTED
from models.corrected_file import corrected_lines, read_corrected
from models.covariance_file import covariance_lines, read_covariance
from models.geometry import Floats, Pose
from models.optional_tables import ours
from models.radiometry_file import KEYS as RADIOMETRY_KEYS
from models.radiometry_file import NAME as RADIOMETRY
from models.radiometry_file import radiometry_lines, read_radiometry
from models.rig import (
    DEPTH_PARAMETERS,
    THERMAL_PARAMETERS,
    DepthCamera,
    StatedHalo,
    StatedSpread,
    ThermalCamera,
)
from models.rig_limits import judge_camera, judge_stand
from models.stream_clock import StreamClock
from models.toml_table import Table

LATENCY_S = 0.05
"""Exposure to arrival where the rig does not say (session-format: rig.toml, ``latency_s``)."""

# Beyond these no camera is, and solvers of the libraries break off with words of their own (own choices):
# pictures of 20000 px; lenses whose terms are 1000 where those of wide ones are below 10; shifts of 10 m;
# streams an hour apart, as a session may be long; a thermal camera that is off by 50 degC. What no rig is
# although each of its numbers might be, `models.rig_limits` tells.
WIDEST_PX = 20_000.0
MOST_DISTORTION = 1000.0
FARTHEST_MM = 1e4
LATEST_S = 3600.0
LEAST_ACCURATE_DEGC = 50.0

# How far a_from_b may be from a rotation before it is refused: at 1 m a shear of 1e-3 moves a point by
# 1 mm, the size of the smallest error that matters here.
_RIGID_TOLERANCE = 1e-3


def read_light(table: Table) -> tuple[str, float | None]:
    """How light became numbers, and the residual of the calibration in px."""
    transfer = table.text("transfer", choices=("srgb", "linear")) if table.has("transfer") else "srgb"
    return transfer, table.optional_number("rms_px", low=0.0)


def read_camera(table: Table) -> Camera:
    """Read size and lens of any camera; mistakes are noted in its table."""
    camera = Camera(
        width_px=table.integer("width_px", low=1, high=WIDEST_PX),
        height_px=table.integer("height_px", low=1, high=WIDEST_PX),
        fx_px=table.number("fx_px", low=10.0, high=1e5),
        fy_px=table.number("fy_px", low=10.0, high=1e5),
        cx_px=table.number("cx_px", low=-WIDEST_PX, high=WIDEST_PX),
        cy_px=table.number("cy_px", low=-WIDEST_PX, high=WIDEST_PX),
        distortion=table.array("distortion", (5,), most=MOST_DISTORTION),
    )
    judge_camera(table, camera)
    return camera


def camera_lines(camera: Camera) -> list[str]:
    """The keys that `read_camera` reads back."""
    lines = [f"width_px = {camera.width_px}", f"height_px = {camera.height_px}"]
    lines += [f"{key} = {float(getattr(camera, key))!r}" for key in ("fx_px", "fy_px", "cx_px", "cy_px")]
    return [*lines, f"distortion = {camera.distortion.tolist()}"]


def read_thermal(table: Table, *, clock: StreamClock | None) -> ThermalCamera:
    """Read ``[thermal]``; mistakes are noted in it.

    Args:
        table: The table.
        clock: Of its stream, which stands in a table of its own.
    """
    read_light(table)  # known keys, which say nothing of a thermal camera
    spread = _spread(table.table("spread")) if table.has("spread") else None
    references = ours(table, RADIOMETRY, *RADIOMETRY_KEYS)
    latency_s = table.optional_number("latency_s", low=0.0)
    return ThermalCamera(
        camera=read_camera(table),
        thermal_from_rgb=_pose(table, "thermal_from_rgb"),
        rgb_minus_thermal_s=table.number("rgb_minus_thermal_s", low=-LATEST_S, high=LATEST_S),
        latency_s=LATENCY_S if latency_s is None else latency_s,
        accuracy_degc=table.number("accuracy_degc", above=0.0, high=LEAST_ACCURATE_DEGC),
        emissivity=table.number("emissivity", above=0.0, high=1.0),
        corrected=read_corrected(table.table(CORRECTED)) if table.has(CORRECTED) else None,
        spread=spread,
        clock=clock,
        radiometry=read_radiometry(references) if references else None,
        covariance=read_covariance(table, THERMAL_PARAMETERS),
    )


def thermal_lines(thermal: ThermalCamera) -> list[str]:
    """The table as `read_thermal` reads it back, but for its clock."""
    lines = ["", "[thermal]", *camera_lines(thermal.camera)]
    lines += [
        f"emissivity = {thermal.emissivity!r}",
        f"accuracy_degc = {thermal.accuracy_degc!r}",
        f"thermal_from_rgb = {thermal.thermal_from_rgb.matrix.tolist()}",
        f"rgb_minus_thermal_s = {thermal.rgb_minus_thermal_s!r}",
        f"latency_s = {thermal.latency_s!r}",
    ]
    if thermal.covariance is not None:
        lines += ["", *covariance_lines("thermal.covariance", THERMAL_PARAMETERS, thermal.covariance)]
    if thermal.corrected is not None:
        lines += corrected_lines(thermal.corrected)
    if thermal.spread is not None:
        lines += ["", *_spread_lines(thermal.spread)]
    if thermal.radiometry is not None:
        lines += ["", *radiometry_lines(thermal.radiometry)]
    return lines


def read_depth(table: Table, *, clock: StreamClock | None) -> DepthCamera:
    """Read ``[depth]``; mistakes are noted in it. The clock stands in a table of its own."""
    read_light(table)  # known keys, which say nothing of a depth camera
    scale, offset_mm = 1.0, 0.0
    if (reading := ours(table, "reading", "scale", "offset_mm")) is not None:
        # One that is off by a quarter counts in another unit; a tenth of a metre is no offset of one (own
        # choice, several times what makers state).
        scale = reading.number("scale", low=0.75, high=1.25)
        offset_mm = reading.number("offset_mm", low=-100.0, high=100.0)
        reading.done()
    return DepthCamera(
        read_camera(table),
        _pose(table, "depth_from_rgb"),
        clock,
        scale,
        offset_mm,
        read_covariance(table, DEPTH_PARAMETERS),
    )


def depth_lines(depth: DepthCamera) -> list[str]:
    """The table as `read_depth` reads it back, but for its clock."""
    lines = ["", "[depth]", *camera_lines(depth.camera)]
    lines.append(f"depth_from_rgb = {depth.depth_from_rgb.matrix.tolist()}")
    if depth.scale != 1.0 or depth.offset_mm != 0.0:
        lines += ["", "[depth.reading]", f"scale = {depth.scale!r}", f"offset_mm = {depth.offset_mm!r}"]
    if depth.covariance is not None:
        lines += ["", *covariance_lines("depth.covariance", DEPTH_PARAMETERS, depth.covariance)]
    return lines


def _spread(table: Table) -> StatedSpread:
    halo = None
    if table.has("halo_share") or table.has("halo_px") or table.has("halo_u95"):
        # Less than 2 px is no halo but the spread itself; a lens that mixes in a third is broken.
        halo = StatedHalo(
            share=table.number("halo_share", low=0.0, high=0.33),
            reach_px=table.number("halo_px", low=2.0, high=40.0),
            u95=table.number("halo_u95", above=0.0, high=0.33),
        )
    # A detector's own pixel spreads by 0.29 px; beyond 3 px a picture of this size is out of focus.
    spread = StatedSpread(
        sigma_px=table.number("sigma_px", low=0.2, high=3.0),
        u95_px=table.number("u95_px", above=0.0, high=3.0),
        halo=halo,
    )
    table.done()
    return spread


def _spread_lines(spread: StatedSpread) -> list[str]:
    lines = ["[thermal.spread]", f"sigma_px = {spread.sigma_px!r}", f"u95_px = {spread.u95_px!r}"]
    if (halo := spread.halo) is not None:
        lines += [f"halo_share = {halo.share!r}", f"halo_px = {halo.reach_px!r}", f"halo_u95 = {halo.u95!r}"]
    return lines


def _pose(table: Table, key: str) -> Pose:
    """A rigid transform; what is within tolerance is replaced by the nearest rotation."""
    matrix = table.array(key, (4, 4), most=FARTHEST_MM)
    if not matrix.any():
        if table.sound:
            table.wrong(key, "holds nothing but zeros; calibrate again")
        return Pose.identity()
    rotation = matrix[:3, :3]
    skew = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    if skew > _RIGID_TOLERANCE or np.linalg.det(rotation) < 0:
        table.wrong(key, "is not a rigid transform: its 3 x 3 part must be a rotation; calibrate again")
    if np.abs(matrix[3] - (0.0, 0.0, 0.0, 1.0)).max() > 1e-9:
        table.wrong(key, "must end in the row [0, 0, 0, 1]; is it written row by row?")
    left, _, right = np.linalg.svd(rotation)
    pose = Pose.of(cast("Floats", left @ right), matrix[:3, 3])
    judge_stand(table, key, pose)
    return pose
