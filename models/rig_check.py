"""The rig checks itself: where and when the skin cools, against where and when the jet should cool it.

The prediction of each cell is its jet weight of the past, seen through the response of a half space to heat
drawn from its surface: temperature falls with the integral of ``w(t') / sqrt(t - t')`` (Carslaw and Jaeger,
Conduction of Heat in Solids, 2.9). A pair of thermal pictures gives the observed fall of each cell between
them. For each hypothesis (shift on the chart, lag in time) the fall is fitted by the shifted prediction over
the same observed cells, so that cells behind the nozzle bias nothing; the unknown gain and a common offset of
the whole picture are solved out. What each hypothesis explains adds up over pictures, older ones fading; the
best one is refined by the quadric through its neighbours, whose curvature gives the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.chart import CELL_MM, ZoneChart
from models.geometry import Bools, Floats, Ints
from models.rig_bank import correlate, quadric_top

MEMORY_S = 0.003125 * 4.0 ** np.arange(6)
"""Time constants whose exponentials, weighted with their inverse root, add up to ``1 / sqrt(t)`` within 10 %
from 5 ms to 5 s. Later the film of gas has brought the skin towards its own temperature."""

PAIR_S, PAIR_SLACK_S = 0.5, 0.15
"""The fall is taken over this time: a sweep (3-10 cm/s) moves on by its own width, and skin under the weakest
jet (chilled air, 1 degC/s) falls by several times the camera's noise (0.05-0.2 degC)."""

EVERY_S = 0.2
"""Pictures nearer together show the same spot."""

LAGS_S = 0.05 * np.arange(-6, 7)
SHIFT_STEPS, CELLS_A_STEP = 6, 2
"""Hypotheses reach +-0.3 s and +-60 mm (3.4 degrees at 1 m) in steps of 10 mm, well below the width of a spot
(22-42 mm between its half weights)."""

NEAR_MM = 80.0
"""Cells within this of the predicted spot are compared: half a wide spot beside the farthest hypothesis."""

FADING_PICTURES = 30.0
"""Pictures after which the weight of an old one has fallen to 1/e: 6 s of gas. A camera bumped within a
session must outweigh what was seen before."""

ALIKE_READINGS = 64.0
"""Readings that err together: the misfit is of the model, one error a spot (25-50 cells) that stays for 2-3
pictures, not the camera's noise."""

MODEL_U95_MM = 1.0
"""What the quadric through steps of 10 mm, and a spot that the film of gas flattens, misplace the top by: in
30 simulated sweeps the error is 1.3 mm (p95) where noise and misfit alone would give 1.2 mm as the bound."""

LEAST_PICTURES = 8
"""Pictures (1.6 s) before anything is said: over a shorter way a jet moves along one line at one speed, where
shift and lag are the same."""

LEAST_GAIN_SIGMA = 5.0
"""The cooling must be seen as clearly as this."""

LEAST_FALL = 0.05
"""Least predicted fall that is looked at, in units of full weight for 1 s being 2.6."""

GAP_S = 0.15
"""The jet is carried across gaps in its sightings up to this long, as the tracker does."""

MODEL_U95_S = 0.05
"""What the half-space response may be wrong by in time. Three simulated recordings with exact clocks come out
at -32 to +18 ms; other kernels (powers -0.5 to -0.7, ended at 0.8 to 12.8 s) stay within 45 ms."""

HISTORY_S = PAIR_S + PAIR_SLACK_S + 2.0 * float(LAGS_S[-1]) + 0.5
"""How long predictions are kept; 0.5 s for late pictures."""


@dataclass(frozen=True, eq=False)
class SeenPicture:
    """Temperatures of the cells in one thermal picture."""

    t_s: float
    degc: Floats
    seen: Bools
    """Read in this very picture."""


@dataclass(frozen=True)
class RigOffset:
    """How far the cooling lies from where, and comes after when, the jet should cause it.

    Bounds count the model, the fit, and the spot's own bound (nozzle and skin).
    """

    u_mm: float
    """Observed less predicted, along the chart's u."""
    v_mm: float
    offset_mm: float
    offset_u95_mm: float
    """95 % bound in the direction of the offset."""
    lag_s: float
    """Positive: the thermal time stamps, with ``rgb_minus_thermal_s`` added, are late by this much."""
    lag_u95_s: float
    at_s: float
    """Exposure of the last picture that it rests on."""


@dataclass(frozen=True, eq=False)
class RigWatch:
    """What is remembered between captures."""

    reference_t_s: float
    """Of the chart that it was started on."""
    row: Ints
    """Of each cell in the padded grid, shape (n,)."""
    col: Ints
    shape: tuple[int, int]
    memory: Floats
    """Heat drawn from each cell, fading with each of `MEMORY_S`, shape (6, n)."""
    weight: Floats
    """Of the jet when it was last known; 0 without gas, shape (n,)."""
    t_s: float
    """When the jet was last known."""
    gas_s: float
    """When gas last flowed."""
    predicted: tuple[tuple[float, Floats], ...]
    """(time, predicted fall since ever) without gaps, oldest first."""
    pictures: tuple[SeenPicture, ...]
    compared_s: float
    """Exposure of the newest picture that was compared."""
    both: Floats
    """Fading sums of `correlate`, shape (lags, shifts, shifts)."""
    own: Floats
    total: float
    """Fading sum of the squared observed fall."""
    readings: float
    compared: float
    """Fading number of pictures."""
    spot_u95_mm: float
    """Fading mean of the spot's bound."""
    offset: RigOffset | None
    reason: str
    """Why there is no estimate."""

    @staticmethod
    def start(chart: ZoneChart) -> RigWatch:
        """Nothing seen yet on this chart."""
        border = SHIFT_STEPS * CELLS_A_STEP
        row, col = chart.row - chart.row.min() + border, chart.col - chart.col.min() + border
        shape = (int(row.max()) + border + 1, int(col.max()) + border + 1)
        side = 2 * SHIFT_STEPS + 1
        nothing, n = np.zeros((len(LAGS_S), side, side)), len(chart)
        never = float("-inf")
        return RigWatch(
            reference_t_s=chart.reference_t_s, row=row, col=col, shape=shape,
            memory=np.zeros((len(MEMORY_S), n)), weight=np.zeros(n), t_s=never, gas_s=never,
            predicted=(), pictures=(), compared_s=never, both=nothing, own=nothing, total=0.0,
            readings=0.0, compared=0.0, spot_u95_mm=0.0, offset=None, reason="no gas was seen to cool",
        )  # fmt: skip


def feel_jet(watch: RigWatch, weight: Floats | None, *, gas: bool, t_s: float) -> RigWatch:
    """Take in where the jet was in one capture.

    Args:
        watch: Before.
        weight: Footprint weight of each cell, shape (n,); None = not known where the jet was.
        gas: Whether gas flows or may flow.
        t_s: Time of the colour exposure, session clock.
    """
    if weight is None and gas:
        if t_s - watch.t_s <= GAP_S:
            return watch
        return replace(watch, predicted=())
    now = weight if weight is not None and gas else np.zeros(len(watch.weight))
    first = not np.isfinite(watch.t_s)
    dt_s = 0.0 if first else t_s - watch.t_s
    fades = np.exp(-dt_s / MEMORY_S)[:, None]
    drawn = 0.5 * (now + watch.weight) * (MEMORY_S[:, None] * (1.0 - fades))
    memory = watch.memory * fades + drawn
    unbroken = watch.predicted if dt_s <= 2.0 * GAP_S else ()
    kept = tuple((time_s, fall) for time_s, fall in unbroken if t_s - time_s <= HISTORY_S)
    return replace(
        watch,
        memory=memory,
        weight=now,
        t_s=t_s,
        gas_s=t_s if gas else watch.gas_s,
        predicted=(*kept, (t_s, MEMORY_S**-0.5 @ memory)),
    )


def see_cooling(watch: RigWatch, picture: SeenPicture) -> RigWatch:
    """Keep a thermal picture until the jet is known for all lags around it."""
    if watch.pictures and picture.t_s - watch.pictures[-1].t_s < EVERY_S - 0.02:
        return watch
    kept = tuple(p for p in watch.pictures if picture.t_s - p.t_s <= HISTORY_S)
    return replace(watch, pictures=(*kept, picture))


def compare(watch: RigWatch, *, chart: ZoneChart, spot_u95_mm: float) -> RigWatch:
    """Compare the pictures whose time has come, and renew the estimate.

    Args:
        watch: After `feel_jet` and `see_cooling`.
        chart: The one it was started with.
        spot_u95_mm: 95 % bound of the spot's place on the skin, from nozzle and surface.
    """
    ripe = [p for p in watch.pictures if watch.compared_s < p.t_s <= watch.t_s - float(LAGS_S[-1])]
    for picture in ripe:
        watch = replace(watch, compared_s=picture.t_s)
        apart_s = [abs(picture.t_s - p.t_s - PAIR_S) for p in watch.pictures]
        earlier = watch.pictures[int(np.argmin(apart_s))]
        if min(apart_s) > PAIR_SLACK_S or picture.t_s - watch.gas_s > 1.0:
            continue
        added = _add(watch, picture, earlier, chart, spot_u95_mm)
        watch = watch if added is watch else _renewed(added)
    return watch


def _add(
    watch: RigWatch, picture: SeenPicture, earlier: SeenPicture, chart: ZoneChart, spot_u95_mm: float
) -> RigWatch:
    """Add one pair of pictures to the sums; the watch itself where the pair says nothing."""
    fall = _predicted_fall(watch, from_s=earlier.t_s, to_s=picture.t_s)
    if fall is None or np.abs(fall).max() < LEAST_FALL:
        return watch
    spot = int(np.abs(fall).max(axis=0).argmax())
    near = np.hypot(chart.u_mm - chart.u_mm[spot], chart.v_mm - chart.v_mm[spot]) <= NEAR_MM
    use = near & picture.seen & earlier.seen
    readings = int(use.sum())
    if readings < ALIKE_READINGS:
        return watch
    cooled = earlier.degc[use] - picture.degc[use]
    cooled = cooled - cooled.mean()
    grid = np.zeros((len(LAGS_S), *watch.shape))
    grid[:, watch.row, watch.col] = fall
    both, own = correlate(grid, watch.row[use], watch.col[use], cooled, SHIFT_STEPS, CELLS_A_STEP)
    fade = np.exp(-1.0 / FADING_PICTURES)
    compared = fade * watch.compared + 1.0
    return replace(
        watch,
        both=fade * watch.both + both,
        own=fade * watch.own + own,
        total=fade * watch.total + float(cooled @ cooled),
        readings=fade * watch.readings + readings,
        compared=compared,
        spot_u95_mm=watch.spot_u95_mm + (spot_u95_mm - watch.spot_u95_mm) / compared,
    )


def _predicted_fall(watch: RigWatch, *, from_s: float, to_s: float) -> Floats | None:
    """Predicted fall between two times for each lag, shape (lags, n); None where the jet was not known."""
    times_s = np.array([time_s for time_s, _ in watch.predicted])
    ends = np.concatenate([to_s - LAGS_S, from_s - LAGS_S])
    if len(times_s) < 2 or ends.min() < times_s[0] or ends.max() > times_s[-1]:
        return None
    after = np.clip(np.searchsorted(times_s, ends), 1, len(times_s) - 1)
    share = (ends - times_s[after - 1]) / (times_s[after] - times_s[after - 1])
    falls = [fall for _, fall in watch.predicted]
    then: list[Floats] = [(1.0 - x) * falls[k - 1] + x * falls[k] for k, x in zip(after, share, strict=True)]
    return np.stack(then[: len(LAGS_S)]) - np.stack(then[len(LAGS_S) :])


def _renewed(watch: RigWatch) -> RigWatch:
    """The watch with the estimate that its sums give."""
    found = _estimate(watch)
    known = isinstance(found, RigOffset)
    return replace(watch, offset=found if known else None, reason="" if known else found)


def _estimate(watch: RigWatch) -> RigOffset | str:
    """Shift and lag that explain most, or why nothing can be said."""
    if watch.compared < LEAST_PICTURES:
        return "gas was seen to cool for too short a time"
    explained = np.maximum(watch.both, 0.0) ** 2 / np.maximum(watch.own, 1e-9)
    best = np.unravel_index(int(explained.argmax()), explained.shape)
    most = float(explained[best])
    variance = max(watch.total - most, 1e-9) / watch.readings * ALIKE_READINGS
    if most < LEAST_GAIN_SIGMA**2 * variance:
        return "the skin does not cool as the jet predicts"
    if any(i in (0, size - 1) for i, size in zip(best, explained.shape, strict=True)):
        return "the best fit lies beyond what is searched (300 ms, 60 mm)"
    around = explained[tuple(slice(int(i) - 1, int(i) + 2) for i in best)]
    move, curvature = quadric_top(around)
    step = np.array([LAGS_S[1] - LAGS_S[0], CELLS_A_STEP * CELL_MM, CELLS_A_STEP * CELL_MM])
    strength, axes = np.linalg.eigh(curvature)
    covariance = (axes / np.maximum(strength, 1e-9 * most)) @ axes.T * (2.0 * variance) * np.outer(step, step)
    middle = np.array([(size - 1) / 2.0 for size in explained.shape])
    lag_s, v_mm, u_mm = (np.array(best, float) - middle + move) * step
    offset_mm = float(np.hypot(u_mm, v_mm))
    along = np.array([v_mm, u_mm]) / max(offset_mm, 1e-9)
    spread_mm = 2.45 * np.sqrt(along @ covariance[1:, 1:] @ along)
    return RigOffset(
        u_mm=float(u_mm),
        v_mm=float(v_mm),
        offset_mm=offset_mm,
        offset_u95_mm=float(np.sqrt(spread_mm**2 + MODEL_U95_MM**2 + watch.spot_u95_mm**2)),
        lag_s=float(lag_s),
        lag_u95_s=float(np.hypot(1.96 * np.sqrt(covariance[0, 0]), MODEL_U95_S)),
        at_s=watch.compared_s,
    )
