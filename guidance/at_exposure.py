"""Where skin and nozzle were when a picture was exposed, which is before it arrived."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guidance.state import State
from models.chart import PlacedChart, ZoneChart
from models.geometry import Pose, unit
from models.sightings import Lost, NozzleSighting
from vision.follow import BodyTrack


def placed_at(body: BodyTrack, chart: ZoneChart, t_s: float) -> PlacedChart:
    """Where the chart was at a time of exposure: shifted back along the way that its centre came."""
    placed = body.placed(chart)
    if not body.recent_mm:
        return placed
    times_s = [time_s for time_s, _ in body.recent_mm]
    shift_mm = np.array([shift for _, shift in body.recent_mm])
    then_mm = np.array([np.interp(t_s, times_s, shift_mm[:, axis]) for axis in range(3)])
    pose = placed.rgb_from_chart
    return replace(
        placed, rgb_from_chart=Pose.of(pose.rotation, pose.translation_mm + then_mm - shift_mm[-1])
    )


def nozzle_at(state: State, t_s: float) -> NozzleSighting | Lost:
    """Where the nozzle was at a time of exposure: between the two sightings around it, or the nearest one."""
    seen = state.recent_nozzles
    if not seen or min(abs(s.t_s - t_s) for s in seen) > 0.15:
        return state.nozzle if isinstance(state.nozzle, Lost) else Lost("not seen at that time", t_s)
    after = [s for s in seen if s.t_s >= t_s]
    before = [s for s in seen if s.t_s < t_s]
    if not after or not before or after[0].t_s - before[-1].t_s > 0.2:
        return min(seen, key=lambda s: abs(s.t_s - t_s))
    first, last = before[-1], after[0]
    share = (t_s - first.t_s) / (last.t_s - first.t_s)
    tip = first.tip_rgb_mm + share * (last.tip_rgb_mm - first.tip_rgb_mm)
    axis = unit(first.axis_rgb + share * (last.axis_rgb - first.axis_rgb))
    x = unit(first.rgb_from_nozzle.rotation[:, 0] - (first.rgb_from_nozzle.rotation[:, 0] @ axis) * axis)
    between = Pose.of(np.stack([x, np.cross(axis, x), axis], axis=1), tip)
    return replace(first, t_s=t_s, rgb_from_nozzle=between)
