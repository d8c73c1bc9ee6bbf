"""Whether the bounds of a calibrated jet hold on many drawn ones, without pictures, which are slow to draw.

    python -m benchmarks.jet_coverage --jets 60

Wrong by as much as their bounds say: the surface's effusivity as stated, the tip, the thermal camera's offset, its
stamps, when gas was told. Counted is the bound of the bursts themselves, before what is taken for carrying a jet
from a flat surface over to skin (`calibration.jet.CARRIED_OVER`), and the factor that is written, which has both.
"""  # noqa: E501 # what is typed stays on one line

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from rich.console import Console

from benchmarks.jet import DEVICES, drawn_jet
from benchmarks.stopwatch import machine
from calibration.burst import Burst
from calibration.jet import find_jet, flow_u95, flow_w_m2
from models.catalogue import load_devices
from tests.calibration.jet_scenes import EFFUSIVITY, LEAN_DEG, burst_of

DISTANCES_MM = (75.0, 105.0, 150.0)
SHARES = (0.05, 0.27)
"""95 % bounds of the effusivity: of agar, of skin."""
LAG_SIGMA_S, TIP_SIGMA_MM = 0.1, 0.6


def erring(burst: Burst, rng: np.random.Generator, *, off_degc: float, stamps_s: float) -> Burst:
    """As a recording of it would have it: told late, stamped late, read too warm."""
    late_s = rng.normal(0.0, LAG_SIGMA_S, 2).clip(-0.25, 0.6)
    gas_s = tuple((a - late_s[0], b - late_s[1]) for a, b in burst.gas_s)
    t_s = burst.t_s + stamps_s
    degc = burst.degc + off_degc
    return replace(
        burst, t_s=t_s, degc=degc, before_degc=degc[t_s < gas_s[0][0] - 0.3].mean(axis=0), gas_s=gas_s
    )


def main() -> None:
    """Print what held."""
    parser = argparse.ArgumentParser(prog="benchmarks.jet_coverage", description=__doc__)
    parser.add_argument("--jets", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    console = Console(width=140)
    console.print(machine(), highlight=False)
    rows: list[tuple[bool, ...]] = []
    ratios: list[float] = []
    refused = 0
    for k in range(options.first, options.first + options.jets):
        rng, name, share = np.random.default_rng([k, 5]), DEVICES[k % len(DEVICES)], SHARES[k % len(SHARES)]
        jet, off_degc, stamps_s = drawn_jet(rng, name), rng.normal(0.0, 1.0), rng.normal(0.0, 0.03)
        bursts = [
            erring(
                burst_of(jet, d, seed=k, off_mm=TIP_SIGMA_MM, still_s=1.6, after_s=1.2),
                rng,
                off_degc=off_degc,
                stamps_s=stamps_s,
            )
            for d in DISTANCES_MM
        ]
        stated = EFFUSIVITY * float(np.exp(rng.normal(0.0, share / 1.96)))
        found = find_jet(bursts, load_devices()[name], bore_mm=12.0, effusivity=stated, effusivity_u95=share)
        if found.refusal is not None or found.profile is None or found.fit is None:
            refused += 1
            console.print(f"{k} {name}: REFUSED {found.refusal}", highlight=False)
            continue
        profile, square = found.profile, np.cos(np.radians(LEAN_DEG))
        own = flow_u95(found.fit, from_mm=profile.from_mm, to_mm=profile.to_mm)
        for d in DISTANCES_MM:
            true = jet.film_w_m2k * (d / 100.0) ** -jet.power * (10.0 - jet.gas_degc) / square
            off = abs(float(np.log(flow_w_m2(profile, d) / true)))
            half = abs(profile.half_radius_mm(d) - jet.half_mm - jet.spread * d)
            within = (off <= own, off <= np.log(profile.within_factor), half <= profile.half_u95_mm(d))
            rows.append(tuple(map(bool, within)))
            ratios.append(flow_w_m2(profile, d) / true * EFFUSIVITY / stated)
        near, middle, far = rows[-3:]
        console.print(
            f"{k} {name} {share}: flow {ratios[-2]:.3f} bar effusivity, own bound {np.exp(own):.3f} holds"
            f" {near[0] + middle[0] + far[0]} of 3, gas {profile.gas_degc:.0f} ({jet.gas_degc:.0f}) degC,"
            f" reads {off_degc:+.1f} degC",
            highlight=False,
        )
    held = np.array(rows)
    console.print(
        f"{len(held)} looks at {len(held) // 3} jets, {refused} refused; flow of heat bar the effusivity"
        f" {np.mean(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) of the true one; held: by the"
        f" bursts' own bound {held[:, 0].sum()}, as written {held[:, 1].sum()}, half radius"
        f" {held[:, 2].sum()}",
        highlight=False,
    )


if __name__ == "__main__":
    main()
