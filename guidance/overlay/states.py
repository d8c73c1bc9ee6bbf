"""How each cell looks in the overlay: its exposure, and how its temperature is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guidance.overlay.palette import ramp
from guidance.session import Guidance
from models.exposure import ExposureMap
from models.geometry import Bools, Bytes, Floats, Ints
from models.jet import UNDER_JET_WEIGHT
from models.protocol import Protocol
from models.skin_estimate import PREDICTED, UNOBSERVED
from models.verdict import BLIND_S, TREATED_S, UNSEEN_S

LEVELS = 24
"""Steps of the exposure ramp."""


@dataclass(frozen=True, eq=False)
class CellStates:
    """Which cells are drawn how, each of shape (n,)."""

    level: Ints
    """1..LEVELS on the exposure ramp, 0 = nothing to draw."""
    over: Bools
    """A limit of the protocol was reached."""
    unknown: Bools
    """Gas may have reached it while nothing was observed; never drawn on the ramp."""
    unseen: Bools
    """In the zone or reached by gas, nozzle seen, but the temperature not known, by the model either."""
    predicted: Bools
    """In the zone or reached by gas, and now known by the skin model only: hidden, or between pictures."""


def cell_states(
    guidance: Guidance, *, protocol: Protocol, cells: int, in_zone: Bools | None = None
) -> CellStates:
    """Decide the look of every cell; ``in_zone`` cells tell how they are known before gas reaches them."""
    none = np.zeros(cells, bool)
    exposure = guidance.exposure
    unknown = none if guidance.blind is None else guidance.blind
    unseen = none
    over, level = none, np.zeros(cells, np.int64)
    if exposure is not None:
        never = np.isnan(exposure.min_degc)
        unknown = unknown | (exposure.blind_gas_s > BLIND_S) | (never & (exposure.unseen_s > UNSEEN_S))
        unseen = never & (exposure.dwell_s > TREATED_S)
        over = limit_reached(exposure, protocol=protocol)
        share = ramp_share(exposure.dwell_s, protocol=protocol)
        level = np.clip(np.ceil(share * LEVELS), 1, LEVELS).astype(np.int64)
        level[exposure.dwell_s <= TREATED_S] = 0
        level[unknown] = 0
    predicted, known = none, guidance.known
    under_jet = none
    if guidance.gas_now and guidance.weight is not None:
        under_jet = guidance.weight > UNDER_JET_WEIGHT
    if known is not None:
        concerned = (level > 0) | under_jet | (none if in_zone is None else in_zone)
        unseen = unseen | (concerned & (known.status == UNOBSERVED))
        predicted = concerned & (known.status == PREDICTED) & ~unseen
    elif guidance.skin is not None:
        unseen = unseen | (under_jet & ~guidance.skin.observed)
    unknown = unknown & ~over
    plain = ~over & ~unknown
    return CellStates(level, over, unknown, unseen & plain, predicted & plain)


def ramp_share(dwell_s: Floats, *, protocol: Protocol) -> Floats:
    """Where a dwell lies on the ramp, 0..1: its square root, so that the first seconds are told apart too."""
    return np.sqrt(np.clip(np.nan_to_num(dwell_s / protocol.dwell_s.stop, nan=0.0), 0.0, 1.0))


def ramp_colour(share: Floats) -> Bytes:
    """The ramp from its second fifth on: its palest part cannot be told from skin that shines."""
    return ramp(0.2 + 0.8 * share)


def limit_reached(exposure: ExposureMap, *, protocol: Protocol) -> Bools:
    """Cells that reached the STOP temperature or passed a limit of dwell or of time below a temperature."""
    cold = np.nan_to_num(exposure.min_degc, nan=np.inf) <= protocol.skin_degc.stop
    return (
        cold
        | (exposure.dwell_s >= protocol.dwell_s.stop)
        | (exposure.below_10_s >= protocol.below_10_s.stop)
        | (exposure.below_4_s >= protocol.below_4_s.stop)
        | (exposure.below_2_s >= protocol.below_2_s.stop)
    )
