"""Compile what runs from the first gas on, before any capture has to wait for it.

A fresh installation compiles the skin's kernels on their first call (seconds). Here the production stages run
once over a small flat piece of skin under a jet, so that the types are those of a session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from guidance.pipeline import gather
from guidance.stages.jet import meet_skin
from guidance.stages.rig import check_rig
from guidance.stages.skin import read_skin
from guidance.stages.state import Setup, State, begin
from guidance.stages.zone import laid
from models.capture import Capture, ThermalPicture
from models.chart import CELL_MM, ZoneChart
from models.exposure import ExposureMap
from models.geometry import Floats, Pose, unit
from models.occlusion import NozzleShape
from models.rig import ThermalCamera
from models.sightings import NozzleSighting
from vision.followed import BodyTrack

SIDE = 14
"""Cells a side."""

AWAY_MM, DISTANCE_MM = 800.0, 100.0
"""Skin before the thermal camera, and nozzle before the skin."""

STEP_S, STEPS = 0.1, 14
"""Gas comes after the third step; the self-check wants a second of it."""

SKIN_DEGC = 33.0


def warm_up(setup: Setup, *, on_progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    """Run the skin's stages once; nothing is kept of it.

    Args:
        setup: Of the session to come; without thermal camera or nozzle there is nothing to do.
        on_progress: Told steps done and steps in all.
    """
    rig = setup.rig
    if rig is None or rig.thermal is None or rig.nozzle is None:
        return
    chart, into, across = _flat(rig.thermal)
    # Aslant, for a nozzle before the camera would hide all of the skin.
    axis = unit(into + across)
    state = _laid(chart, setup)
    tip = chart.centre_mm - DISTANCE_MM * axis
    side = unit(np.cross(axis, np.cross(into, across)))
    pose = Pose.of(np.stack([side, np.cross(axis, side), axis], axis=1), tip)
    # Asked only of a nozzle that may stand before the skin, which this one does not.
    NozzleShape.of(rig.nozzle).hides(
        chart.position_mm, viewpoint_mm=np.zeros(3), tip_mm=tip, axis=axis, margin_mm=0.0
    )
    on_progress(0, STEPS)
    for number in range(1, STEPS + 1):
        state = _advanced(state, pose, setup, rig.thermal, t_s=STEP_S * number, gas=number > 3)
        on_progress(number, STEPS)


def _advanced(
    state: State, pose: Pose, setup: Setup, thermal: ThermalCamera, *, t_s: float, gas: bool
) -> State:
    """One capture of a nozzle at rest over a body at rest."""
    on_skin = state.on_skin
    assert on_skin is not None
    nozzle = NozzleSighting(t_s, pose, 1e-2 * np.eye(6), pose.translation_mm, tags_used=4, state="tracked")
    shape = (thermal.camera.height_px, thermal.camera.width_px)
    # Noise, for a picture without any is taken for one that is stuck or at the end of its scale.
    noise = np.random.default_rng(round(t_s / STEP_S)).normal(0.0, 6.0, shape)
    counts = np.rint(100.0 * (SKIN_DEGC + 273.15) + noise).astype(np.uint16)
    picture = ThermalPicture(t_s - 0.5 * STEP_S, counts, shutter=False)
    body = BodyTrack.at_rest(t_s, np.eye(9))
    capture = Capture(t_s, None, None, (picture,), (), gas_s=STEP_S * gas, gas_now=gas)
    state = replace(
        state, t_s=t_s, nozzle=nozzle, recent_nozzles=(nozzle,), on_skin=replace(on_skin, body=body)
    )
    state, contact = meet_skin(state, capture, setup, dt_s=STEP_S)
    state, skin = read_skin(state, capture, setup, contact=contact, dt_s=STEP_S)
    state = check_rig(state, capture, setup, contact)
    gather(state, capture, setup, contact, skin)
    return state


def _laid(chart: ZoneChart, setup: Setup) -> State:
    body = BodyTrack.at_rest(0.0, np.eye(9))
    exposure, tiles = ExposureMap.empty(len(chart)), np.zeros(int(chart.tile.max()) + 1)
    on_skin = laid(chart, body, setup, exposure=exposure, tile_time_s=tiles, t_s=0.0)
    return replace(begin(), t_s=0.0, on_skin=on_skin)


def _flat(thermal: ThermalCamera) -> tuple[ZoneChart, Floats, Floats]:
    """A flat piece of skin square before the thermal camera, the ways into and across it, rgb frame."""
    rgb_from_thermal = thermal.thermal_from_rgb.inverse
    row, col = (index.ravel() for index in np.indices((SIDE, SIDE)))
    n = len(row)
    u_mm, v_mm = (np.asarray((index - (SIDE - 1) / 2.0) * CELL_MM, np.float64) for index in (col, row))
    flat_mm: Floats = np.stack([u_mm, v_mm, np.full(n, AWAY_MM)], axis=1)
    into = rgb_from_thermal.rotate(np.array([0.0, 0.0, 1.0]))
    chart = ZoneChart(
        reference_t_s=0.0,
        anchored_by="tap",
        surface_by="depth",
        row=row,
        col=col,
        u_mm=u_mm,
        v_mm=v_mm,
        position_mm=rgb_from_thermal.apply(flat_mm),
        normal=np.tile(-into, (n, 1)),
        area_cm2=np.full(n, CELL_MM**2 / 100.0),
        in_zone=np.hypot(u_mm, v_mm) < SIDE * CELL_MM / 3.0,
        left_out=np.zeros(n, np.bool_),
        tile=np.zeros(n, np.int64),
        height_u95_mm=np.full(n, 1.0),
        place_u95_mm=5.0,
    )
    return chart, into, rgb_from_thermal.rotate(np.array([1.0, 0.0, 0.0]))
