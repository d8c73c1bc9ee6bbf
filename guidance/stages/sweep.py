"""Stage: how fast the jet should sweep over the skin as it is now."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from guidance.session import SweepGuide
from guidance.stages.jet import Contact
from guidance.stages.state import OnSkin, Setup
from models.jet import half_radius_mm
from models.jet_cooling import JetFilm
from models.protocol import Protocol
from models.skin_estimate import UNOBSERVED, CellTemperatures
from models.time_to_limit import SweepBand, sweep_band

EVERY_S = 0.25
"""The band is worked out anew so often: it costs some milliseconds, and skin ahead changes slowly."""

AHEAD_WEIGHT = 0.05
"""Cells with this weight of the footprint lie under the jet or just ahead of it."""

CM_S = 0.1
"""Centimetres a second in one millimetre a second."""


def sweep_guide(
    last: SweepGuide | None,
    on_skin: OnSkin,
    known: CellTemperatures,
    film: JetFilm | None,
    contact: Contact,
    setup: Setup,
    *,
    t_s: float,
) -> SweepGuide | None:
    """The speeds at which one pass keeps the skin in the protocol's band, and whether the hand keeps to them.

    The coldest cell under the jet or just ahead of it counts. None where no gas flows, or nobody knows where.
    """
    if film is None or contact.jet is None or contact.weight is None:
        return None
    speed_cm_s = contact.jet.speed_cm_s
    if last is not None and t_s - last.told_s < EVERY_S:
        guide = replace(last, speed_cm_s=speed_cm_s)
        return replace(guide, advice=_advice(guide))
    near = (contact.weight >= AHEAD_WEIGHT) & (known.status != UNOBSERVED)
    strongest = int(np.argmax(film.film_w_m2k))
    weight = float(contact.weight[strongest])
    if not near.any() or not weight > 0.0:
        return None
    protocol, model = setup.protocol, on_skin.model
    band = sweep_band(
        model.now,
        cell=int(np.argmin(np.where(near, known.degc, np.inf))),
        # The jet's middle need not lie on a cell.
        film_w_m2k=float(film.film_w_m2k[strongest]) / weight,
        gas_degc=float(film.gas_degc[strongest]),
        # Whole millimetres, so that the model's eliminations are worked out once.
        half_mm=float(
            round(half_radius_mm(contact.jet.distance_mm, bore_mm=setup.bore_mm, profile=setup.profile))
        ),
        tissue=model.tissue,
        low_degc=protocol.target_low_degc,
        high_degc=protocol.target_high_degc,
    )
    return guide_of(band, protocol, speed_cm_s=speed_cm_s, t_s=t_s)


def guide_of(band: SweepBand, protocol: Protocol, *, speed_cm_s: float | None, t_s: float) -> SweepGuide:
    """What a band of speeds says of the hand's own.

    One pass in many need not bring the skin into its band, and none may be slower than the protocol sweeps:
    the skin as it is now can ask for a faster sweep than the protocol, never for a slower one.
    """
    slowest, fastest = CM_S * band.slowest_mm_s, CM_S * band.fastest_mm_s
    low = max(slowest, protocol.sweep_low_cm_s)
    high = max(low, fastest if math.isfinite(fastest) else 0.0, protocol.sweep_high_cm_s)
    guide = SweepGuide(t_s, slowest, fastest, low, high, speed_cm_s, "")
    return replace(guide, advice=_advice(guide))


def _advice(guide: SweepGuide) -> str:
    """What the operator should change."""
    if math.isinf(guide.slowest_cm_s):
        return "let it rewarm"
    if guide.speed_cm_s is None:
        return ""
    if guide.speed_cm_s < guide.low_cm_s:
        return "too slow"
    return "too fast" if guide.speed_cm_s > guide.high_cm_s else ""
