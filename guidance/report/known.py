"""Facts of the report about how well the skin was known and how it was swept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidance.outcome import Outcome
from guidance.report.charts import row_time_s
from guidance.report.markup import number, short

LEAST_PCT = 0.05
"""Shares below are not told."""


@dataclass(frozen=True)
class Fact:
    """One figure with what it means."""

    name: str
    value: str
    unit: str
    note: str


def measured(name: str, value: float | None, unit: str, note: str, *, digits: int = 1) -> Fact:
    """A fact with its figure; without one nothing is told but why."""
    return Fact(name, number(value, digits), "" if value is None else unit, note)


def sweep_share(outcome: Outcome) -> tuple[float, float] | None:
    """Percent of the gas time swept too slowly and too fast; None where no speed was known."""
    trace = outcome.trace
    if not len(trace.t_s) or not len(trace.t_s) == len(trace.speed_cm_s) == len(trace.sweep_advice):
        return None
    time_s = row_time_s(trace) * (trace.gas & np.isfinite(trace.speed_cm_s))
    total_s = float(time_s.sum())
    if not total_s > 0.0:
        return None
    advice = np.array(trace.sweep_advice)
    slow, fast = np.isin(advice, ("too slow", "let it rewarm")), advice == "too fast"
    return 100.0 * float(time_s[slow].sum()) / total_s, 100.0 * float(time_s[fast].sum()) / total_s


def swept_too_slowly(outcome: Outcome) -> list[Fact]:
    """How much of the gas time the nozzle was slower or faster than it should have been."""
    found = sweep_share(outcome)
    if found is None:
        return []
    slow_pct, fast_pct = found
    limits = outcome.protocol
    note = (
        f"of the gas time with known speed: below {short(limits.sweep_low_cm_s)} cm/s, or slower than skin"
        f" asked for; faster than {short(limits.sweep_high_cm_s)} cm/s for {number(fast_pct, 0)} %"
    )
    return [Fact("Swept too slowly", number(slow_pct, 0), "%", note)]


def gas_on_unmeasured_skin(outcome: Outcome) -> list[Fact]:
    """How much of the gas fell on skin whose temperature was only predicted, or not known at all."""
    knowledge, chart = outcome.knowledge, outcome.chart
    if knowledge is None or chart is None:
        return []
    cm2_s = knowledge.jet_s @ chart.area_cm2
    if not cm2_s.sum() > 0.0:
        return []
    share = 100.0 * cm2_s / cm2_s.sum()
    out: list[Fact] = []
    for pct, name, why in (
        (share[1], "Gas on skin known by prediction only", "hidden or between pictures; its bound grows"),
        (share[0], "Gas on skin not observed", "neither pictures nor model knew its temperature"),
    ):
        if pct >= LEAST_PCT:
            out.append(Fact(name, number(float(pct)), "%", f"{why} (of area and time under the jet)"))
    return out
