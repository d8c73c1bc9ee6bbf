"""What is known of the skin at one moment: a column below every cell, its doubts, and the answer to users."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from models.bioheat import Boundary, SkinState, column_of, room_air
from models.geometry import Floats, Ints, frozen
from models.jet_cooling import ROOM_DEGC
from models.skin_filter_steps import BLOOD, FLUX, NEAR, surface_variance
from models.tissue import Tissue

UNOBSERVED, PREDICTED, MEASURED = 0, 1, 2

FRESH_S = 0.12
"""A reading is a measurement for so long: one picture of the slowest camera (9 Hz)."""

MOST_U95_DEGC = 8.0
"""A prediction known no better than this is none: the cell is unobserved."""

LONGEST_S = 60.0
"""So is one that no reading has borne out for so long: over minutes limbs rewarm more slowly than the model
(a hand after cold water: 20 degC after ten minutes, the model says 29)."""

SURE = 1.96
"""Standard deviations in a 95 % bound."""

FLUX_WANDERS = 0.12
"""Standard deviation by which the film's factor has moved after a second under the jet: hand, plume,
footprint. Own estimate."""

LEAST_LOG_U95, MOST_LOG_U95 = 1e-3, math.log(8.0)
"""A film known within a thousandth needs no factor; none is taken to be more than eight times it."""

_ARRAYS = (
    "by_flux",
    "by_blood",
    "factors",
    "covariance",
    "common_u95_degc",
    "seen_t_s",
    "widest_degc2",
    "struck_s",
)


@dataclass(frozen=True, eq=False)
class SkinEstimate:
    """What is known of every cell at one moment; n cells, m depths."""

    t_s: float
    skin: SkinState
    by_flux: Floats
    """Change of the temperatures a unit of the logarithm of the jet's film, shape (m, n)."""
    by_blood: Floats
    factors: Floats
    """Logarithms by which film and blood flow differ from the text book, shape (2, n)."""
    covariance: Floats
    """Shape (6, n), rows as in `models.skin_filter_steps`."""
    air: Boundary
    common_u95_degc: Floats
    """What readings of a cell have in common, of its last reading, shape (n,)."""
    seen_t_s: Floats
    """Exposure of the last reading, NaN where never."""
    widest_degc2: Floats
    """Largest variance since the last reading."""
    struck_s: Floats
    """How long the jet has acted on a cell, shape (n,)."""
    pool: tuple[float, float, float]
    """What the cells under the jet say of its film: logarithm, variance; and variance before any said it."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for name in _ARRAYS:
            value = getattr(self, name)
            if value.flags.writeable:
                object.__setattr__(self, name, frozen(value))

    @staticmethod
    def unknown(cells: int, *, tissue: Tissue, t_s: float, air_degc: float = ROOM_DEGC) -> SkinEstimate:
        """Before the first picture."""
        m = len(column_of(tissue).depth_mm)
        rest = SkinState.at_rest(np.full(cells, 33.0), tissue=tissue)
        nothing = np.zeros((m, cells))
        return SkinEstimate(
            t_s=t_s,
            skin=rest,
            by_flux=nothing,
            by_blood=nothing,
            factors=np.zeros((2, cells)),
            covariance=np.zeros((6, cells)),
            air=room_air(rest, tissue=tissue, air_degc=air_degc),
            common_u95_degc=np.full(cells, np.nan),
            seen_t_s=np.full(cells, np.nan),
            widest_degc2=np.zeros(cells),
            struck_s=np.zeros(cells),
            pool=(0.0, math.nan, math.nan),
        )

    def __len__(self) -> int:
        """Number of cells."""
        return len(self.skin)


@dataclass(frozen=True, eq=False)
class CellTemperatures:
    """The product's answer for every cell, shape (n,) each."""

    degc: Floats
    """NaN where unobserved."""
    u95_degc: Floats
    status: Ints
    """`UNOBSERVED`, `PREDICTED` or `MEASURED`."""

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name)))


def coldest_degc(estimate: SkinEstimate) -> Floats:
    """How cold cells may be (95 %) for what is not known of the jet, shape (n,); inf where that is not most.

    It is the logarithm of the film that is known so well: one known within a factor of three may cool by two
    falls more than the middle one, or by two thirds of a fall less. So the bound reaches farther down than
    the slope at the middle says. It is told of cells that are known no more for that alone, too: a jet has
    just struck them, and no picture shows it yet.
    """
    p, by_flux, by_blood = estimate.covariance, estimate.by_flux[0], estimate.by_blood[0]
    log_u95 = SURE * np.sqrt(np.maximum(p[FLUX], 0.0))
    stronger = np.expm1(np.minimum(log_u95, MOST_LOG_U95)) / np.maximum(log_u95, 1e-9)
    farther = by_flux * np.where(log_u95 > LEAST_LOG_U95, stronger, 1.0)
    now_degc2 = surface_variance(farther[None], estimate.by_blood[:1], p)
    u95 = np.hypot(SURE * np.sqrt(np.maximum(now_degc2, estimate.widest_degc2)), estimate.common_u95_degc)
    by_jet_degc2 = by_flux**2 * p[FLUX]
    rest_degc2 = p[NEAR] + by_blood**2 * p[BLOOD]
    with np.errstate(invalid="ignore"):
        struck = (by_jet_degc2 > rest_degc2) & (estimate.t_s - estimate.seen_t_s <= LONGEST_S)
    return np.where(struck, estimate.skin.surface_degc - u95, np.inf)


def temperatures(estimate: SkinEstimate, *, fresh_s: float = FRESH_S) -> CellTemperatures:
    """Temperature, 95 % bound and status of every cell now.

    Args:
        estimate: What is known.
        fresh_s: A reading is a measurement for so long after its exposure.
    """
    u95 = np.hypot(SURE * np.sqrt(estimate.widest_degc2), estimate.common_u95_degc)
    with np.errstate(invalid="ignore"):
        age_s = estimate.t_s - estimate.seen_t_s
        known, fresh = (age_s <= LONGEST_S) & (u95 <= MOST_U95_DEGC), age_s <= fresh_s
    status = np.where(known, np.where(fresh, MEASURED, PREDICTED), UNOBSERVED)
    degc = np.where(known, estimate.skin.surface_degc, np.nan)
    return CellTemperatures(degc, np.where(known, u95, np.nan), status.astype(np.int64))
