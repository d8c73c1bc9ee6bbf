"""Text codec of ``[jet]`` in a ``rig.toml``."""

from __future__ import annotations

from models.covariance_file import check_covariance, covariance_lines
from models.jet_profile import PARAMETERS, JetProfile
from models.toml_table import Table


def read_jet_profile(table: Table) -> JetProfile:
    """Read ``[jet]``; mistakes are kept in the table."""
    covariance = None
    if table.has_tables("covariance"):
        own = table.table("covariance")
        names = own.texts("parameters", choices=PARAMETERS, least=len(PARAMETERS))
        matrix = own.array("matrix", (len(PARAMETERS), len(PARAMETERS)))
        own.done()
        if own.sound and names != PARAMETERS:
            own.wrong("parameters", f"must be {', '.join(PARAMETERS)}, in this order")
        check_covariance(own, matrix)
        covariance = matrix
    profile = JetProfile(
        device=table.text("device"),
        half_mm=table.number("half_mm", low=0.0, high=100.0),
        spread=table.number("spread", low=0.0, high=1.0),
        film_w_m2k=table.number("film_w_m2k", above=0.0, high=1e5),
        distance_mm=table.number("distance_mm", low=1.0, high=2000.0),
        power=table.number("power", low=-3.0, high=5.0),
        gas_degc=table.number("gas_degc", low=-200.0, high=30.0),
        from_mm=table.number("from_mm", low=1.0, high=2000.0),
        to_mm=table.number("to_mm", low=1.0, high=2000.0),
        within_factor=table.number("within_factor", low=1.0, high=100.0),
        covariance=covariance,
    )
    if table.sound and not profile.from_mm <= profile.to_mm:
        table.wrong("to_mm", "must not be less than from_mm")
    if table.sound and not profile.half_mm + profile.spread > 0.0:
        table.wrong("half_mm", "and spread must not both be 0")
    return profile


def jet_profile_lines(profile: JetProfile) -> list[str]:
    """Text that `read_jet_profile` reads back."""
    lines = ["", "[jet]", f'device = "{profile.device}"']
    lines += [
        f"{key} = {float(getattr(profile, key))!r}"
        for key in ("half_mm", "spread", "film_w_m2k", "distance_mm", "power", "gas_degc")
    ]
    lines += [f"{key} = {float(getattr(profile, key))!r}" for key in ("from_mm", "to_mm", "within_factor")]
    if profile.covariance is not None:
        lines += covariance_lines("jet.covariance", PARAMETERS, profile.covariance)
    return lines
