"""Alarm entries of safe sessions: ``python -m benchmarks.alarms``.

Thirty minutes of facts for each protocol, 30 a second: a jet that sweeps to and fro in bouts, each value near
its limit and inside it, with the noise of its measuring on top. Thermal pictures come at 9 Hz with a shutter
event every three minutes; the nozzle is hidden for moments that are bridged. All told is a false alarm.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console

from benchmarks.stopwatch import table_of
from guidance.alarms.episodes import AlarmBoard, close, load_alarm_table, update
from guidance.alarms.hysteresis import lingering
from guidance.alarms.judge import Facts, conditions
from guidance.session import Alarm
from models.catalogue import load_devices, load_protocols
from models.geometry import Floats
from models.history_rules import BUDGET_SHARE
from models.protocol import Device, Protocol

HZ, THERMAL_HZ = 30.0, 9.0
BOUT_S, PERIOD_S = 40.0, 100.0
"""Gas flows so long of each period, as long as the session's time lasts."""
STROKE_S, TURN_S = 2.4, 0.3
"""The jet turns at the end of each stroke; meanwhile it is slow."""
WARNINGS = (("skin_temperature", "medium"), ("predicted_skin_temperature", "medium"))
"""Their delays are what keeps noise from being told."""
U95_DEGC = 1.5
"""Of a camera that is corrected by a reference in the picture."""


@dataclass(frozen=True)
class Noise:
    """Standard deviations and how long an error lasts."""

    degc: float = 0.25
    """Of the coldest cell's estimate, from thermal picture to thermal picture."""
    distance_mm: float = 3.0
    forecast_s: float = 0.4
    lasts_s: float = 0.3


def wandering(rng: np.random.Generator, count: int, *, sd: float, lasts_s: float, hz: float) -> Floats:
    """Noise whose errors last for a while (first-order autoregression), shape (count,)."""
    keep = float(np.exp(-1.0 / (hz * lasts_s)))
    fresh = rng.normal(0.0, sd * np.sqrt(1.0 - keep**2), count)
    out = np.empty(count)
    value = rng.normal(0.0, sd)
    for k in range(count):
        value = keep * value + fresh[k]
        out[k] = value
    return out


def safe_session(protocol: Protocol, *, minutes: float, seed: int, noise: Noise) -> Iterator[Facts]:
    """What a safe session measures, near the limits of a protocol and inside them."""
    rng = np.random.default_rng(seed)
    count = round(60.0 * minutes * HZ)
    t_s = np.arange(count) / HZ
    thermal = np.floor(t_s * THERMAL_HZ).astype(int)
    cold = wandering(rng, thermal[-1] + 1, sd=noise.degc, lasts_s=noise.lasts_s, hz=THERMAL_HZ)
    off_mm = wandering(rng, count, sd=noise.distance_mm, lasts_s=noise.lasts_s, hz=HZ)
    off_s = wandering(rng, count, sd=noise.forecast_s, lasts_s=noise.lasts_s, hz=HZ)
    shutters_s = [(start, start + rng.uniform(0.5, 1.0)) for start in np.arange(20.0, 60.0 * minutes, 180.0)]
    hidden_s = [(start, start + rng.uniform(0.05, 0.15)) for start in np.arange(7.0, 60.0 * minutes, 5.0)]

    # The coldest the skin truly gets: in the target band, half a degree inside warning and advisory.
    floor = max(
        protocol.target_low_degc, protocol.advisory_degc + 0.5, protocol.skin_degc.warn + U95_DEGC + 0.5
    )
    band = protocol.distance
    middle_mm, reach_mm = (
        (band.good_low_mm + band.good_high_mm) / 2,
        (band.good_high_mm - band.good_low_mm) / 2,
    )
    budget_s = 0.95 * BUDGET_SHARE * protocol.session_time_s
    gas_s, usable_s, seen_degc, seen_s, shutter = 0.0, 0.0, floor + 5.0, 0.0, False
    for k in range(count):
        now_s = float(t_s[k])
        bout = now_s % PERIOD_S
        gas_now = 5.0 <= bout < 5.0 + BOUT_S and gas_s < budget_s
        gas_s += gas_now / HZ
        if k == 0 or thermal[k] != thermal[k - 1]:  # known from the newest picture only
            shutter = any(start <= now_s < end for start, end in shutters_s)
            usable_s = usable_s if shutter else now_s
        if usable_s == now_s:
            seen_degc = floor + 2.0 - 2.0 * np.cos(2.0 * np.pi * now_s / (2.0 * STROKE_S)) + cold[thermal[k]]
        if not shutter:
            seen_s = now_s
        lost_since = next((start for start, end in hidden_s if start <= now_s < end), None)
        turning = now_s % STROKE_S < TURN_S
        swing = float(np.sin(2.0 * np.pi * now_s / 13.0))
        distance_mm = middle_mm + 0.92 * reach_mm * swing + float(off_mm[k])
        early_s = protocol.predicted_s.warn + 0.8 + float(off_s[k])
        share = gas_s / budget_s
        visible = lost_since is None
        yield Facts(
            t_s=now_s,
            gas_now=gas_now,
            gas_s=gas_now / HZ,
            nozzle_seen=visible,
            nozzle_lost_s=0.0 if lost_since is None else now_s - lost_since,
            zone_state="placed",
            patient_jump_mm=abs(float(off_mm[k])),
            offset_mm=abs(float(off_mm[k])),
            offset_u95_mm=6.0,
            lag_s=0.0,
            lag_u95_s=0.06,
            distance_mm=distance_mm if visible else None,
            distance_u95_mm=2.0 * noise.distance_mm if visible else None,
            incidence_deg=0.9 * protocol.incidence_warn_deg + float(off_mm[k]) / 3.0 if visible else None,
            jet_in_zone=not (turning and gas_now) if visible else None,
            jet_on_map=True if visible else None,
            jet_reason="",
            jet_speed_cm_s=(0.5 if turning else 5.0) * protocol.static_speed_cm_s if visible else None,
            jet_half_mm=21.0,
            static_for_s=now_s % STROKE_S if turning and gas_now else 0.0,
            lowest_degc=float(seen_degc),
            lowest_bound_degc=float(seen_degc) - U95_DEGC,
            incident=False,
            time_to_limit_s=early_s + 3.0 if gas_now else None,
            time_to_limit_lower_s=early_s if gas_now else None,
            jet_spot_unobserved_s=now_s - seen_s if gas_now else 0.0,
            peak_dwell_s=0.9 * protocol.dwell_s.warn * share,
            peak_dwell_upper_s=0.95 * protocol.dwell_s.stop * share,
            peak_below_10_s=0.9 * protocol.below_10_s.warn * share,
            peak_below_4_s=0.9 * protocol.below_4_s.warn * share,
            peak_below_2_s=0.0,
            tile_time_s=0.9 * protocol.zone_time_s.warn * share,
            session_time_s=gas_s,
            thermal_expected=True,
            thermal_age_s=now_s - usable_s + 0.05,
            thermal_stuck=False,
            shutter=shutter,
            colour_age_s=0.0,
            rig_present=True,
            calibration_age_days=1.0,
        )


def entries(
    protocol: Protocol, device: Device, *, minutes: float, seed: int, noise: Noise, steady: bool
) -> list[Alarm]:
    """Every alarm entry of one session; not ``steady``: without hysteresis and without delays of warnings."""
    table = load_alarm_table()
    if not steady:
        hasty = {key: replace(table[key], on_delay_s=0.0) for key in WARNINGS}
        table = table | hasty
    board, out, t_s = AlarmBoard.start(table), list[Alarm](), 0.0
    for facts in safe_session(protocol, minutes=minutes, seed=seed, noise=noise):
        t_s = facts.t_s
        near = lingering(facts, protocol=protocol, device=device) if steady else ()
        now = conditions(facts, protocol=protocol, device=device)
        board, _, ended = update(board, now, t_s=t_s, lingering=near)
        out += ended
    return [*out, *close(board, t_s=t_s)]


def show(console: Console, *, minutes: float, sessions: int, noise: Noise) -> None:
    """A row a protocol."""
    devices = load_devices()
    title = (
        f"Alarm entries in {sessions} safe sessions of {minutes:g} min a protocol (wanted: at most 2 each)"
    )
    out = table_of(title, "protocol", "mean", "most", "STOPs", "hasty", "us a capture", "of what")
    for protocol in load_protocols().values():
        device = devices[protocol.device]
        counts: list[int] = []
        plain: list[int] = []
        causes: Counter[str] = Counter()
        stops, spent_s = 0, 0.0
        for seed in range(sessions):
            start_s = time.perf_counter()
            told = entries(protocol, device, minutes=minutes, seed=seed, noise=noise, steady=True)
            spent_s += time.perf_counter() - start_s
            bare = entries(protocol, device, minutes=minutes, seed=seed, noise=noise, steady=False)
            counts.append(len(told))
            plain.append(len(bare))
            causes.update(f"{alarm.cause} {alarm.priority}" for alarm in told)
            stops += sum(alarm.priority == "high" for alarm in told)
        each_us = 1e6 * spent_s / (sessions * minutes * 60.0 * HZ)
        words = ", ".join(f"{cause} {n}" for cause, n in causes.most_common(3)) or "-"
        figures = (f"{np.mean(counts):.1f}", str(max(counts)), str(stops), f"{np.mean(plain):.1f}")
        out.add_row(protocol.name, *figures, f"{each_us:.0f}", words)
    console.print(out)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.alarms", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="length of a session")
    parser.add_argument("--sessions", type=int, default=3, help="sessions a protocol")
    parser.add_argument("--noise", type=float, default=1.0, help="factor on all standard deviations")
    options = parser.parse_args()
    usual = Noise()
    noise = Noise(
        options.noise * usual.degc, options.noise * usual.distance_mm, options.noise * usual.forecast_s
    )
    show(Console(), minutes=options.minutes, sessions=options.sessions, noise=noise)
    return 0


if __name__ == "__main__":
    sys.exit(main())
