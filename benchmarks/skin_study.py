"""A study of the skin filter and forecast: simulated subjects, jets, sweeps and cameras, with intervals.

Every trial of `benchmarks.skin_trials` runs through filter and forecast; the 95 % intervals come from
resampling the trials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from rich.table import Table

from benchmarks.skin_trials import Treatment, Trial
from benchmarks.stopwatch import table_of
from models.geometry import Floats
from models.jet_cooling import JetFilm
from models.skin_estimate import MEASURED, PREDICTED, SkinEstimate, temperatures
from models.skin_filter import correct_by, predict
from models.time_to_limit import time_to_limit
from models.tissue import Tissue

LIMIT_DEGC, AHEAD_S, WARN_S = 2.0, 3.0, 2.5
OFFSET_U95_DEGC, NOISE_U95_DEGC = 0.5, 0.2
JETS = (("ln2-wand", 150.0), ("ln2-wand", 100.0), ("co2", 100.0))
SPEEDS_MM_S = (0.0, 30.0, 80.0)
RATES_HZ = (10, 15, 30)
RESAMPLED = 2000


def corrected(estimate: SkinEstimate, read_degc: Floats, jet: JetFilm, tissue: Tissue) -> SkinEstimate:
    """Take in one picture of the simulated camera."""
    n = len(estimate)
    return correct_by(
        estimate,
        read_degc=read_degc,
        noise_u95_degc=np.full(n, NOISE_U95_DEGC),
        common_u95_degc=np.full(n, OFFSET_U95_DEGC),
        jet=jet,
        tissue=tissue,
    )


@dataclass
class Told:
    """What came of the trials of one row."""

    error_s: list[float] = field(default_factory=list)
    """Predicted less true time, 3 s ahead of the true crossing, jet at rest."""
    covered: list[bool] = field(default_factory=list)
    """The soonest time lay before the true one."""
    lead_s: list[float] = field(default_factory=list)
    """From the first STOP to the true crossing, the jet at rest for a second or more; negative: late."""
    sudden_s: list[float] = field(default_factory=list)
    """The same where skin crossed during the sweep or within a second of its end: the forecast is of a jet
    that stays, and only the bound of the temperature tells."""
    inside: list[float] = field(default_factory=list)
    """Share of the cells of one trial under the jet whose bound held: measured."""
    inside_predicted: list[float] = field(default_factory=list)


def follow(trial: Trial, told: Told) -> None:
    """One trial through filter and forecast."""
    estimate = SkinEstimate.unknown(len(trial.x_mm), tissue=trial.tissue, t_s=0.0)
    at_s, least_s, soonest_s, stop_s = [], [], [], None
    held = {MEASURED: [0, 0], PREDICTED: [0, 0]}
    for moment in trial.moments():
        estimate = predict(estimate, jet=moment.jet, tissue=trial.tissue, t_s=moment.t_s)
        estimate = corrected(estimate, moment.read_degc, moment.jet, trial.tissue)
        answer = temperatures(estimate)
        ahead = time_to_limit(estimate, jet=moment.jet, tissue=trial.tissue, limit_degc=LIMIT_DEGC)
        at_s.append(moment.t_s)
        least_s.append(ahead.least_s)
        soonest_s.append(ahead.least_soonest_s)
        lowest = float(np.nanmin(answer.degc - answer.u95_degc))
        within_s = WARN_S if moment.held else trial.half_mm / max(trial.treatment.speed_mm_s, 1e-9)
        struck = bool(moment.jet_cells.any())
        if stop_s is None and (lowest <= LIMIT_DEGC or (struck and ahead.least_s < within_s)):
            stop_s = moment.t_s
        for status, count in held.items():
            cells = (answer.status == status) & moment.jet_cells
            error = np.abs(answer.degc - moment.true_degc)
            count[0] += int((error <= answer.u95_degc)[cells].sum())
            count[1] += int(cells.sum())
    for status, shares in ((MEASURED, told.inside), (PREDICTED, told.inside_predicted)):
        if held[status][1]:
            shares.append(held[status][0] / held[status][1])
    if trial.crossed_s is None:
        return
    lead_s = trial.crossed_s - stop_s if stop_s is not None else -np.inf
    (told.lead_s if trial.crossed_s - trial.rests_s >= 1.0 else told.sudden_s).append(lead_s)
    if trial.crossed_s - AHEAD_S >= trial.rests_s + 0.3:
        k = int(np.argmin(np.abs(np.array(at_s) - (trial.crossed_s - AHEAD_S))))
        true_s = trial.crossed_s - at_s[k]
        told.error_s.append(least_s[k] - true_s)
        told.covered.append(soonest_s[k] <= true_s)


def _with_interval(values: list[float], of: Callable[[Floats], float]) -> str:
    """A figure with its 95 % interval from resampling."""
    if len(values) < 3:
        return "too few"
    rng, array = np.random.default_rng(0), np.array(values)
    drawn = [of(array[rng.integers(len(array), size=len(array))]) for _ in range(RESAMPLED)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{of(array):.2f} ({low:.2f} to {high:.2f})"


def study(trials: int) -> Table:
    """Every device, distance and sweep, ``trials`` subjects each."""
    out = table_of(
        f"time to 2 degC told {AHEAD_S:g} s ahead, STOP and bounds; {trials} subjects a row, off by 30 %",
        "jet, sweep before it is held still",
        "told",
        "|error| p50 s",
        "|error| p90 s",
        "soonest held",
        "STOP ahead s: n, least, median",
        "sudden: n, least",
        "inside bound: measured",
        "predicted",
    )
    whole = Told()
    rows = [(jet, speed_mm_s) for jet in JETS for speed_mm_s in SPEEDS_MM_S]
    for number, ((device, distance_mm), speed_mm_s) in enumerate(rows):
        told = Told()
        for subject in range(trials):
            rate_hz = RATES_HZ[subject % len(RATES_HZ)]
            seed = 1000 * number + subject
            follow(Trial(Treatment(device, distance_mm, speed_mm_s, rate_hz, seed)), told)
        _row(out, f"{device} {distance_mm / 10.0:g} cm, {speed_mm_s / 10.0:g} cm/s", told)
        for name in vars(whole):
            getattr(whole, name).extend(getattr(told, name))
    _row(out, "all", whole)
    return out


def _row(out: Table, name: str, told: Told) -> None:
    sizes = [abs(one) for one in told.error_s]
    out.add_row(
        name,
        str(len(sizes)),
        _with_interval(sizes, lambda one: float(np.percentile(one, 50))),
        _with_interval(sizes, lambda one: float(np.percentile(one, 90))),
        f"{100.0 * float(np.mean(told.covered)):.0f} %" if told.covered else "",
        f"{len(told.lead_s)}, {min(told.lead_s):.2f}, {np.median(told.lead_s):.2f}"
        if told.lead_s
        else "none",
        f"{len(told.sudden_s)}, {min(told.sudden_s):.2f}" if told.sudden_s else "none",
        f"{100.0 * float(np.mean(told.inside)):.1f} %" if told.inside else "",
        f"{100.0 * float(np.mean(told.inside_predicted)):.1f} %" if told.inside_predicted else "",
    )
