"""What the report says in figures and words, worked out from the outcome; no markup here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidance.outcome import Outcome
from guidance.palette import VERDICTS
from guidance.report_charts import rewarming_start_s, row_time_s
from guidance.report_svg import NARROW, number, with_bound
from models.geometry import Bools, Floats


@dataclass(frozen=True)
class Headline:
    """The verdict in one line and one sentence."""

    level: str
    """``bad``, ``unknown`` or ``plain``; there is no ``safe``."""
    line: str
    sentence: str


@dataclass(frozen=True)
class Fact:
    """One figure with what it means."""

    name: str
    value: str
    unit: str
    note: str


@dataclass(frozen=True)
class Share:
    """Area of one verdict."""

    verdict: str
    zone_cm2: float
    outside_cm2: float


def figure(outcome: Outcome, key: str) -> float | None:
    """A figure of the summary; None where it is not known."""
    value = outcome.summary.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def headline(outcome: Outcome) -> Headline:
    """What a reader must know first. Absence of a finding is only told of what was seen."""
    stop = outcome.protocol.skin_degc.stop
    if outcome.chart is None:
        if outcome.pixel_cells is not None or outcome.rig is None:
            return Headline(
                "unknown",
                "Temperatures only: no exposure map"
                if outcome.pixel_cells is not None
                else "No exposure map",
                f"{why_no_millimetres(outcome)} Dose, area and distance are unknown, which does not mean that they were fine.",
            )
        because = outcome.summary.get("zone_not_placed_because")
        reason = f": {because}" if because else ""
        return Headline(
            "unknown",
            "The zone was never placed",
            f"Nothing could be accounted for{reason}. What the gas did is unknown.",
        )
    over, unknown = figure(outcome, "overexposed_cm2") or 0.0, figure(outcome, "unknown_cm2") or 0.0
    if over > 0.0:
        causes = ", ".join(_causes(outcome, "overexposed"))
        tail = f" A further {number(unknown)} cm² are unknown." if unknown > 0.0 else ""
        return Headline(
            "bad",
            f"Overexposed: {number(over)} cm²",
            f"A limit of the protocol was reached there ({causes}).{tail}",
        )
    low, bound = figure(outcome, "min_degc"), figure(outcome, "min_u95_degc")
    near = ""
    if low is not None and bound is not None and low - bound <= stop:
        near = (
            f" Within its bound the lowest temperature ({with_bound(low, bound)} °C) may have reached the "
            f"STOP temperature of {number(stop, 0)} °C."
        )
    if unknown > 0.0:
        return Headline(
            "unknown",
            f"Unknown: {number(unknown)} cm²",
            f"No overexposure was seen, but gas may have reached these cells while nothing observed them.{near}",
        )
    return Headline(
        "plain", "No overexposure was seen", f"No limit was reached on any cell that was observed.{near}"
    )


def why_no_millimetres(outcome: Outcome) -> str:
    """One sentence."""
    if outcome.rig is None:
        return (
            "There is no rig calibration (rig.toml), so there are no millimetres: no distance, area or dwell."
        )
    if outcome.pixel_cells is not None:
        return "The zone was known in pixels only, so there are no millimetres: no distance, area or dwell."
    return ""


def shares(outcome: Outcome) -> list[Share]:
    """Area by verdict, in the zone and outside it."""
    chart, judged = outcome.chart, outcome.verdicts
    if chart is None or judged is None:
        return []
    named = np.array([v if v in VERDICTS else "unknown" for v in judged.verdict])
    return [
        Share(
            v,
            float(chart.area_cm2[(named == v) & chart.in_zone].sum()),
            float(chart.area_cm2[(named == v) & ~chart.in_zone].sum()),
        )
        for v in VERDICTS
    ]


def key_figures(outcome: Outcome) -> list[Fact]:
    """The figures of the session, each with its bound where there is one."""
    trace, protocol = outcome.trace, outcome.protocol
    out: list[Fact] = []
    low, bound = figure(outcome, "min_degc"), figure(outcome, "min_u95_degc")
    out.append(
        Fact(
            "Lowest skin temperature",
            with_bound(low, bound),
            "°C" if low is not None else "",
            "observed; what was hidden may have been colder",
        )
    )
    if outcome.chart is not None and outcome.exposure is not None:
        peak = figure(outcome, "peak_dwell_cm2_s")
        upper = float(np.max(outcome.exposure.dwell_upper_s, initial=0.0))
        out.append(
            Fact("Peak exposure over 1 cm²", number(peak), "s" if peak is not None else "",
                 f"jet-seconds; limit {number(protocol.dwell_s.stop, 0)} s; highest cell at most {number(upper)} s with its bound")
        )  # fmt: skip
        summary_zone = outcome.summary.get("zone")
        area = outcome.chart.zone_area_cm2
        place = outcome.chart.place_u95_mm
        del summary_zone
        out.append(
            Fact(
                "Zone",
                number(area, 0),
                "cm²",
                f"its place on the skin is known to ±{NARROW}{number(place, 0)} mm",
            )
        )
    gas = figure(outcome, "gas_s")
    if gas is None:
        gas = float((row_time_s(trace) * trace.gas).sum())
    assumed = outcome.treatment.valve_s is None
    out.append(
        Fact(
            "Gas on",
            number(gas),
            "s",
            "valve not recorded: assumed to flow throughout" if assumed else "as the valve says",
        )
    )
    if outcome.chart is not None:
        unassigned = figure(outcome, "unassigned_s")
        out.append(
            Fact(
                "Gas time not accounted for",
                number(unassigned),
                "s" if unassigned is not None else "",
                "nozzle not seen; counted into the upper bounds",
            )
        )
        tracked = figure(outcome, "tracked_pct")
        out.append(
            Fact(
                "Nozzle tracked",
                number(tracked),
                "%" if tracked is not None else "",
                "of the colour pictures",
            )
        )
        share, unknown = distance_share(outcome)
        if share is not None:
            tail = f"; unknown in another {number(unknown, 0)} %" if unknown >= 0.5 else ""
            band = protocol.distance
            out.append(
                Fact(
                    "Distance in the good band",
                    number(share, 0),
                    "%",
                    f"of the gas time, {number(band.good_low_mm, 0)}–{number(band.good_high_mm, 0)} mm{tail}",
                )
            )
    return out


def distance_share(outcome: Outcome) -> tuple[float | None, float]:
    """Percent of the gas time in the good band, and percent in which the distance was not known."""
    trace, limits = outcome.trace, outcome.protocol.distance
    time_s = row_time_s(trace) * trace.gas
    total = float(time_s.sum())
    if not total > 0.0:
        return None, 0.0
    known = np.isfinite(trace.distance_mm)
    mm = np.nan_to_num(trace.distance_mm)
    good = known & (mm >= limits.good_low_mm) & (mm <= limits.good_high_mm)
    return 100.0 * float(time_s[good].sum()) / total, 100.0 * float(time_s[~known].sum()) / total


def unknowns(outcome: Outcome) -> list[Fact]:
    """What was not known, how much of it, and why that matters; only what really occurred."""
    trace, out = outcome.trace, list[Fact]()
    time_s = row_time_s(trace)
    gas = trace.gas

    def seconds(rows: Bools) -> float:
        return float(time_s[rows].sum())

    nozzle, place = np.array(trace.nozzle_state), np.array(trace.zone_state)
    if outcome.rig is not None:
        for state, why in (
            ("lost", "no tag of the collar was seen, so the jet may have pointed anywhere in reach"),
            ("ambiguous", "several poses fitted equally well and none was chosen"),
            ("predicted", "bridged from the pictures before, with a growing bound"),
        ):
            here = (nozzle == state) & gas
            if here.any():
                out.append(Fact(f"Nozzle {state} with gas on", number(seconds(here)), "s", why))
        unassigned = figure(outcome, "unassigned_s")
        if unassigned:
            out.append(
                Fact(
                    "Gas time not accounted for",
                    number(unassigned),
                    "s",
                    "added to the upper bound of the cells it could have reached",
                )
            )
    for state, why in (
        ("held", "the body was not seen; the last place was kept with a growing bound"),
        ("lost", "the zone was not placed, so nothing could be counted"),
    ):
        if (place == state).any():
            out.append(Fact(f"Zone {state}", number(seconds(place == state)), "s", why))
    shutter = np.array(["shutter" in " ".join(s).lower() for s in trace.status], bool)
    if shutter.any():
        out.append(
            Fact(
                "Thermal camera's shutter closed",
                number(seconds(shutter)),
                "s",
                "the camera was adjusting itself and saw nothing",
            )
        )
    blind = gas & ~np.isfinite(trace.skin_min_degc)
    if blind.any():
        out.append(
            Fact(
                "No skin temperature with gas on",
                number(seconds(blind)),
                "s",
                "no cell's temperature was observed",
            )
        )
    for cause, name, why in (
        ("thermal_missing", "Thermal pictures missing", "no thermal picture arrived"),
        ("thermal_stale", "Thermal pictures too old", "the last one was older than 0.5 s"),
        ("thermal_stuck", "Thermal picture stuck", "it did not change although it should have"),
        ("colour_gap", "Colour pictures missing", "nothing could be followed meanwhile"),
    ):
        lasted = sum(
            (outcome.trace.t_s[-1] if a.t_off_s is None else a.t_off_s) - a.t_on_s
            for a in outcome.alarms
            if a.cause == cause
        )
        if any(a.cause == cause for a in outcome.alarms):
            out.append(Fact(name, number(float(lasted)), "s", f"{why} (time of the alarm)"))
    out.extend(_unknown_cells(outcome))
    return out


def rewarming_figures(outcome: Outcome) -> list[tuple[str, str]]:
    """Zone mean at round times after the gas stopped, as label and value with unit."""
    begin_s = rewarming_start_s(outcome)
    if begin_s is None:
        return []
    trace = outcome.trace
    out: list[tuple[str, str]] = []
    for after_s in (0.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2400.0):
        near = np.abs(trace.t_s - begin_s - after_s)
        near = np.where(np.isfinite(trace.zone_mean_degc), near, np.inf)
        if not len(near):
            continue
        k = int(near.argmin())
        if near[k] <= max(0.6, 0.06 * after_s):
            label = (
                "at once"
                if after_s == 0.0
                else f"{after_s:.0f} s"
                if after_s < 60.0
                else f"{after_s / 60.0:.0f} min"
            )
            out.append((label, f"{number(float(trace.zone_mean_degc[k]))} °C"))
    return out


def tiles(outcome: Outcome) -> list[tuple[int, float, float | None, float, float, float]]:
    """Per tile: number, area, gas time, covered percent, overexposed and unknown area."""
    chart, exposure, judged = outcome.chart, outcome.exposure, outcome.verdicts
    if chart is None or exposure is None or judged is None:
        return []
    verdict = np.array([v if v in VERDICTS else "unknown" for v in judged.verdict])
    reached = np.nan_to_num(exposure.min_degc, nan=np.inf) <= outcome.protocol.target_high_degc
    times = outcome.summary.get("tile_time_s")
    rows: list[tuple[int, float, float | None, float, float, float]] = []
    for tile in np.unique(chart.tile[chart.tile >= 0]).tolist():
        here = chart.tile == tile
        area = float(chart.area_cm2[here].sum())
        gas_s = float(times[tile]) if isinstance(times, list) and tile < len(times) else None  # pyright: ignore[reportUnknownArgumentType]
        rows.append(
            (tile + 1, area, gas_s, 100.0 * _area(chart.area_cm2, here & reached) / area,
             _area(chart.area_cm2, here & (verdict == "overexposed")), _area(chart.area_cm2, here & (verdict == "unknown")))
        )  # fmt: skip
    return rows


def _unknown_cells(outcome: Outcome) -> list[Fact]:
    chart, exposure = outcome.chart, outcome.exposure
    if exposure is None:
        return []
    never = ~np.isfinite(exposure.min_degc)
    if chart is None:
        inside = outcome.pixel_cells.in_zone if outcome.pixel_cells is not None else np.ones(len(never), bool)
        share = 100.0 * float((never & inside).sum()) / max(int(inside.sum()), 1)
        return (
            [
                Fact(
                    "Zone never observed",
                    number(share),
                    "% of its pixels",
                    "hidden, or colder or warmer than the camera's range",
                )
            ]
            if share > 0.0
            else []
        )
    out: list[Fact] = []
    if (never & chart.in_zone).any():
        out.append(
            Fact(
                "Zone whose temperature was never observed",
                number(_area(chart.area_cm2, never & chart.in_zone)),
                "cm²",
                "hidden, turned away or out of the thermal picture",
            )
        )
    if (never & ~chart.in_zone).any():
        out.append(
            Fact(
                "Skin around it never observed",
                number(_area(chart.area_cm2, never & ~chart.in_zone)),
                "cm²",
                "overspray there has a dwell but no temperature",
            )
        )
    if outcome.verdicts is not None:
        words = {
            "not_observed": "gas may have come while neither nozzle nor temperature was observed",
            "temperature_not_observed": "gas came, or may have come, and the temperature was never observed",
        }
        unknown = np.array([v not in VERDICTS or v == "unknown" for v in outcome.verdicts.verdict], bool)
        causes = np.array(outcome.verdicts.cause)
        for cause in np.unique(causes[unknown]).tolist():
            here = unknown & (causes == cause)
            longest = float(np.max(exposure.blind_gas_s[here], initial=0.0))
            why = words.get(cause, cause.replace("_", " ") or "not told")
            tail = f"; at most {number(longest)} s of gas in one cell" if longest > 0.0 else ""
            out.append(Fact("Verdict unknown", number(_area(chart.area_cm2, here)), "cm²", why + tail))
    return out


def _causes(outcome: Outcome, verdict: str) -> list[str]:
    if outcome.verdicts is None:
        return []
    found = {
        c for v, c in zip(outcome.verdicts.verdict, outcome.verdicts.cause, strict=True) if v == verdict and c
    }
    return sorted(c.replace("_", " ") for c in found)


def _area(area_cm2: Floats, cells: Bools) -> float:
    return float(area_cm2[cells].sum())
