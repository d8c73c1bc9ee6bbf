"""What the report says in figures and words, worked out from the outcome; no markup here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from guidance.outcome import Outcome
from guidance.overlay.palette import VERDICTS
from guidance.report.charts import rewarming_start_s, row_time_s
from guidance.report.known import Fact, measured, swept_too_slowly
from guidance.report.markup import NARROW, TO, number, short, with_bound
from models.geometry import Bools
from models.verdict import reached_target


@dataclass(frozen=True)
class Headline:
    """The verdict in one line and one sentence."""

    level: str
    """``bad``, ``unknown`` or ``plain``; there is no ``safe``."""
    line: str
    sentence: str


@dataclass(frozen=True)
class Share:
    """Area of one verdict."""

    verdict: str
    zone_cm2: float
    outside_cm2: float


@dataclass(frozen=True)
class Tile:
    """What became of one tile."""

    number: int
    area_cm2: float
    gas_s: float | None
    covered_pct: float
    overexposed_cm2: float
    unknown_cm2: float


def figure(outcome: Outcome, key: str) -> float | None:
    """A figure of the summary; None where it is not known."""
    value = outcome.summary.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def headline(outcome: Outcome) -> Headline:
    """What a reader must know first. Absence of a finding is only told of what was seen."""
    if outcome.chart is None:
        return _no_map(outcome)
    over, unknown = figure(outcome, "overexposed_cm2") or 0.0, figure(outcome, "unknown_cm2") or 0.0
    if over > 0.0:
        causes = ", ".join(_causes(outcome, "overexposed"))
        sentence = "A limit of the protocol was reached there" + (f" ({causes})." if causes else ".")
        if unknown > 0.0:
            sentence += f" Another {number(unknown)} cm² are unknown."
        return Headline("bad", f"Overexposed: {number(over)} cm²", sentence)
    near, stop = "", outcome.protocol.skin_degc.stop
    low, bound = figure(outcome, "min_degc"), figure(outcome, "min_u95_degc")
    if low is not None and bound is not None and low - bound <= stop:
        near = (
            f" Within its bound the lowest temperature ({with_bound(low, bound)} °C) may have reached the "
            f"STOP temperature of {short(stop)} °C."
        )
    if unknown > 0.0:
        sentence = (
            "No overexposure was seen, but gas may have reached these cells while nothing observed them."
        )
        return Headline("unknown", f"Unknown: {number(unknown)} cm²", sentence + near)
    sentence = "No limit was reached on any cell that was observed."
    return Headline("plain", "No overexposure was seen", sentence + near)


def why_no_millimetres(outcome: Outcome) -> str:
    """One sentence; empty where there are millimetres."""
    if outcome.rig is None:
        return "There is no rig calibration (rig.toml), so distance, area and dwell are not given."
    if outcome.chart is None and outcome.pixel_cells is not None:
        return "The zone was known in pixels only, so distance, area and dwell are not given."
    return ""


def why_no_distance(outcome: Outcome) -> str:
    """Why the rig could not measure the distance to the skin; empty where it could."""
    return str(outcome.summary.get("distance_not_measured_because") or "")


def shares(outcome: Outcome) -> list[Share]:
    """Area by verdict, in the zone and outside it."""
    chart = outcome.chart
    if chart is None or outcome.verdicts is None:
        return []
    named = named_verdicts(outcome)
    return [
        Share(
            v,
            area_cm2(outcome, (named == v) & chart.in_zone),
            area_cm2(outcome, (named == v) & ~chart.in_zone),
        )
        for v in VERDICTS
    ]


def key_figures(outcome: Outcome) -> list[Fact]:
    """The figures of the session, each with its bound where there is one."""
    chart, exposure, limits = outcome.chart, outcome.exposure, outcome.protocol
    no_distance = why_no_distance(outcome)
    low, bound = figure(outcome, "min_degc"), figure(outcome, "min_u95_degc")
    hidden = "no temperature was observed"
    if low is not None:
        hidden = "observed; what was hidden may have been colder"
    out = [Fact("Lowest skin temperature", with_bound(low, bound), "" if low is None else "°C", hidden)]
    if chart is not None and exposure is not None:
        highest = number(float(np.max(exposure.dwell_upper_s, initial=0.0)))
        note = f"jet-seconds; limit {short(limits.dwell_s.stop)} s; no cell above {highest} s with its bound"
        out.append(measured("Peak exposure over 1 cm²", figure(outcome, "peak_dwell_cm2_s"), "s", note))
        place = f"its place on the skin is known to ±{NARROW}{number(chart.place_u95_mm, 0)} mm"
        out.append(measured("Zone", None if no_distance else chart.zone_area_cm2, "cm²", place, digits=0))
    gas_s = figure(outcome, "gas_s")
    if gas_s is None:
        gas_s = float(row_time_s(outcome.trace)[outcome.trace.gas].sum())
    if outcome.treatment.valve_s is not None:
        valve = "as the valve says"
    elif outcome.trace.gas.all():
        valve = "valve not recorded: taken as flowing throughout"
    else:
        valve = "as the operator or a gas input said during the session"
    out.append(measured("Gas on", gas_s, "s", valve))
    if chart is not None:
        note = "not placed on the skin; counted into the upper bounds"
        out.append(measured("Gas time not accounted for", figure(outcome, "unassigned_s"), "s", note))
        out.append(measured("Nozzle tracked", figure(outcome, "tracked_pct"), "%", "of the colour pictures"))
        good_pct, unknown_pct = distance_share(outcome)
        if no_distance:
            out.append(measured("Distance in the good band", None, "%", "cannot be measured with this rig"))
        elif good_pct is not None:
            band = limits.distance
            note = f"of the gas time, {short(band.good_low_mm)}{TO}{short(band.good_high_mm)} mm"
            note += f"; unknown in another {number(unknown_pct, 0)} %" if unknown_pct >= 0.5 else ""
            out.append(measured("Distance in the good band", good_pct, "%", note, digits=0))
        out += swept_too_slowly(outcome)
    return out


def distance_share(outcome: Outcome) -> tuple[float | None, float]:
    """Percent of the gas time in the good band (None without gas), and percent with the distance unknown."""
    trace, limits = outcome.trace, outcome.protocol.distance
    time_s = row_time_s(trace) * trace.gas
    total_s = float(time_s.sum())
    if not total_s > 0.0:
        return None, 0.0
    known = np.isfinite(trace.distance_mm)
    mm = np.nan_to_num(trace.distance_mm)
    good = known & (mm >= limits.good_low_mm) & (mm <= limits.good_high_mm)
    return 100.0 * float(time_s[good].sum()) / total_s, 100.0 * float(time_s[~known].sum()) / total_s


def rewarming_figures(outcome: Outcome) -> list[tuple[str, str]]:
    """Zone mean at round times after the gas stopped, as label and value with unit."""
    begin_s, trace = rewarming_start_s(outcome), outcome.trace
    if begin_s is None or not np.isfinite(trace.zone_mean_degc).any():
        return []
    out: list[tuple[str, str]] = []
    for after_s in (0.0, 1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0):
        away_s = np.abs(trace.t_s - begin_s - after_s)
        k = int(np.where(np.isfinite(trace.zone_mean_degc), away_s, np.inf).argmin())
        if away_s[k] <= max(0.3, 0.06 * after_s):
            label = f"{after_s:.0f} s" if after_s < 60.0 else f"{after_s / 60.0:.0f} min"
            out.append((label, f"{number(float(trace.zone_mean_degc[k]))} °C"))
    return out


def tiles(outcome: Outcome) -> list[Tile]:
    """Figures of every tile of the zone."""
    chart, exposure = outcome.chart, outcome.exposure
    if chart is None or exposure is None or outcome.verdicts is None:
        return []
    named, reached = named_verdicts(outcome), reached_target(exposure, protocol=outcome.protocol)
    told = outcome.summary.get("tile_time_s")
    gas_s = _listed(told)
    out: list[Tile] = []
    for tile in range(int(chart.tile.max(initial=-1)) + 1):
        here = chart.tile == tile
        if not here.any():
            continue
        whole = area_cm2(outcome, here)
        out.append(
            Tile(
                number=tile + 1,
                area_cm2=whole,
                gas_s=gas_s[tile] if tile < len(gas_s) else None,
                covered_pct=100.0 * area_cm2(outcome, here & reached) / whole,
                overexposed_cm2=area_cm2(outcome, here & (named == "overexposed")),
                unknown_cm2=area_cm2(outcome, here & (named == "unknown")),
            )
        )
    return out


def area_cm2(outcome: Outcome, cells: Bools) -> float:
    """Area of some cells of the chart."""
    assert outcome.chart is not None
    return float(outcome.chart.area_cm2[cells].sum())


def _no_map(outcome: Outcome) -> Headline:
    if outcome.pixel_cells is not None or outcome.rig is None:
        line = "Temperatures only, no exposure map" if outcome.pixel_cells is not None else "No exposure map"
        sentence = f"{why_no_millimetres(outcome)} They are unknown, which does not mean that they were fine."
        return Headline("unknown", line, sentence)
    because = outcome.summary.get("zone_not_placed_because")
    reason = f" ({because})" if because else ""
    sentence = f"Nothing could be counted on the skin{reason}. What the gas did there is unknown."
    return Headline("unknown", "The zone was never placed", sentence)


def named_verdicts(outcome: Outcome) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Verdicts as an array; a word that is not understood counts as unknown."""
    assert outcome.verdicts is not None
    return np.array([v if v in VERDICTS else "unknown" for v in outcome.verdicts.verdict], np.str_)


def _listed(value: object) -> list[float]:
    return cast("list[float]", value) if isinstance(value, list) else []


def _causes(outcome: Outcome, verdict: str) -> list[str]:
    if outcome.verdicts is None:
        return []
    pairs = zip(outcome.verdicts.verdict, outcome.verdicts.cause, strict=True)
    return sorted({cause.replace("_", " ") for v, cause in pairs if v == verdict and cause})
