"""Where skin and nozzle were when a picture was exposed, which is before it arrived."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from guidance.stages.state import State
from models.chart import PlacedChart, ZoneChart
from models.geometry import Pose, unit
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from vision.followed import BodyTrack


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


def clock_u95_s(rig: Rig | None, t_s: float) -> float:
    """95 % bound of a thermal picture's time of exposure; 0 where calibration states none."""
    clock = rig.thermal.clock if rig is not None and rig.thermal is not None else None
    return 0.0 if clock is None else clock.u95_at_s(t_s)


def astray_mm(state: State, t_s: float, *, u95_s: float) -> float:
    """How far the nozzle may have been from where it is taken to be: its speed by what the time is off by."""
    seen = [s for s in state.recent_nozzles if abs(s.t_s - t_s) <= 0.2]
    if u95_s <= 0.0 or len(seen) < 2:
        return 0.0
    way_mm = [float(np.linalg.norm(b.tip_rgb_mm - a.tip_rgb_mm)) for a, b in pairwise(seen)]
    pace_mm_s = max(mm / (b.t_s - a.t_s) for mm, (a, b) in zip(way_mm, pairwise(seen), strict=True))
    return pace_mm_s * u95_s
