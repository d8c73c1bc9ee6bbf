"""The jet in the certificate: values with bounds, and what was seen beside what the profile says."""

from __future__ import annotations

import numpy as np

from calibration.burst import Burst
from calibration.certificate import Certified
from calibration.curve_plots import Curve, curves_svg
from calibration.jet import JetFound, flow_w_m2
from calibration.jet_fit import JetFit
from models.geometry import Floats
from models.jet_profile import PARAMETERS, JetProfile


def jet_part(
    found: JetFound, fit: JetFit, profile: JetProfile, *, effusivity: float, effusivity_u95: float
) -> Certified:
    """Of footprint and cooling."""
    bound = 1.96 * np.sqrt(np.diag(fit.covariance))
    distances = np.linspace(profile.from_mm, profile.to_mm, 25)
    half = np.array([profile.half_radius_mm(d) for d in distances])
    open_mm = np.array([profile.half_u95_mm(d) for d in distances])
    usual = found.usual
    flow, class_flow = (np.array([flow_w_m2(p, d) for d in distances]) for p in (profile, usual))
    plots = [
        (
            "Half radius by distance, mm; shaded: 95 % bound",
            curves_svg(
                [
                    Curve("measured", distances, half, low=half - open_mm, high=half + open_mm),
                    Curve("the class'", distances, np.array([usual.half_radius_mm(d) for d in distances])),
                ],
                x="mm",
                y="mm",
            ),
        ),
        (
            "Heat flow into skin of 10 degC by distance, kW/m2; shaded: 95 % bound",
            curves_svg(
                [
                    Curve(
                        "measured",
                        distances,
                        flow / 1e3,
                        low=flow / 1e3 / profile.within_factor,
                        high=flow / 1e3 * profile.within_factor,
                    ),
                    Curve("the class'", distances, class_flow / 1e3),
                ],
                x="mm",
                y="kW/m2",
            ),
        ),
    ]
    for one, fitted in zip(found.bursts, fit.fitted_degc, strict=True):
        seen, model = _middle(one, fitted)
        plots.append(
            (
                f"{one.name}: middle of the spot, degC",
                curves_svg([Curve("seen", one.t_s, seen), Curve("fitted", one.t_s, model)], x="s", y="degC"),
            )
        )
    values = fit.values.tolist()
    return Certified(
        step="jet",
        table="jet",
        title=f"Jet of the device ({profile.device})",
        parameters=tuple(
            (name, value, float(b)) for name, value, b in zip(PARAMETERS, values, bound, strict=True)
        ),
        covariance_of=PARAMETERS,
        covariance=fit.covariance,
        on_skin=(),
        facts=(
            f"Measured from {profile.from_mm:.0f} to {profile.to_mm:.0f} mm; beyond, the bound is widened.",
            f"The film is {profile.film_w_m2k:.0f} W/m2K at {profile.distance_mm:.0f} mm; with the"
            " gas temperature"
            f" it makes a heat flow that is known to a factor of {profile.within_factor:.2f}.",
            f"The surface was taken to have an effusivity of {effusivity:.0f} W s^0.5/(m2 K), give or take"
            f" {100.0 * effusivity_u95:.0f} %: the film goes with it.",
            f"Residual {fit.rms_degc:.2f} degC rms.",
        ),
        plots=tuple(plots),
        used=tuple(
            f"{one.name}: {near:.0f} to {far:.0f} mm, {one.blown_s:.1f} s of gas"
            for one, (near, far) in zip(found.bursts, found.distances_mm, strict=True)
        ),
        refused=(),
    )


def _middle(one: Burst, fitted_degc: Floats) -> tuple[Floats, Floats]:
    """Seen and fitted mean of the ten spots that cooled most."""
    coldest = np.argsort(fitted_degc.min(axis=0))[:10]
    seen = one.degc[:, coldest]
    use = np.isfinite(seen)
    count = np.maximum(use.sum(axis=1), 1)
    some = use.any(axis=1)
    mean = np.where(some, np.where(use, seen, 0.0).sum(axis=1) / count, np.nan)
    model = np.where(some, np.where(use, fitted_degc[:, coldest], 0.0).sum(axis=1) / count, np.nan)
    return mean, model
