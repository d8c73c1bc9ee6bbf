"""What the step ``time`` has to show in the certificate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration.certificate import Certified
from calibration.skin_error import DISTANCES_MM
from calibration.time_offset import TimeFound, off_line_s
from calibration.time_plots import search_svg, stretches_svg

SWEEP_MM_S = 100.0
"""A quick sweep of the nozzle: what a wrong time does to the place of its cold spot."""


def time_part(found: Sequence[TimeFound], recording: str) -> Certified:
    """Of the clocks of the streams, in milliseconds against what the recording's rig had said."""
    parameters: list[tuple[str, float, float]] = []
    facts: list[str] = []
    plots: list[tuple[str, str]] = []
    variances: list[float] = []
    for one in found:
        parameters += [
            (f"{one.stream}: correction of the offset, ms", 1000.0 * one.offset_s, 1000.0 * one.u95_s),
            (f"{one.stream}: drift, millionths", 1e6 * one.drift, 1e6 * one.drift_u95),
        ]
        variances += [1e6 * one.shift.offset_sigma_s**2, 1e12 * one.shift.drift_sigma**2]
        facts += [
            f"{one.stream}: {one.pictures[1]} pictures at {one.hz[1]:.1f} Hz against {one.pictures[0]} colour"
            f" pictures at {one.hz[0]:.1f} Hz; {100.0 * one.shift.explained:.0f} % of the motion in common.",
            f"{one.stream}: the worst of {len(one.shift.window_t_s)} stretches of time is"
            f" {1000.0 * np.abs(off_line_s(one.shift)).max():.1f} ms off the line.",
            f"{one.stream}: "
            + (
                "the drift is taken into account."
                if one.drifts
                else "no drift that can be told from none; none is taken into account, its bound is."
            ),
        ]
        plots += [
            (f"{one.stream}: share of the motion in common, at each offset tried", search_svg(one)),
            (f"{one.stream}: offset by each stretch of time alone, with its bound", stretches_svg(one)),
        ]
    return Certified(
        step="time",
        table="time",
        title="Time between the cameras",
        parameters=tuple(parameters),
        covariance_of=tuple(name for name, _, _ in parameters),
        covariance=np.diag(variances),
        on_skin=tuple(
            (
                f"{one.stream}: place under a nozzle led at 10 cm/s",
                (SWEEP_MM_S * one.u95_s,) * len(DISTANCES_MM),
            )
            for one in found
        ),
        facts=tuple(facts),
        plots=tuple(plots),
        used=(recording,),
        refused=(),
    )
