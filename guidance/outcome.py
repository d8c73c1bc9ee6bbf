"""A whole session, after the last capture: what record and report are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from guidance.session import Alarm
from models.chart import ZoneChart
from models.contraindications import Checklist, Judgement, Questions
from models.exposure import ExposureMap
from models.geometry import Bools, Bytes, Floats
from models.history_rules import Allowed, Refused, SkinReading, Warned
from models.protocol import Device, Protocol
from models.rig import Rig
from models.treatment import Treatment
from models.zone import Zone


@dataclass(frozen=True, eq=False)
class Trace:
    """One row a capture (ticks without a picture included), float arrays of shape (m,), NaN = not known."""

    t_s: Floats
    is_colour: Bools
    """False for ticks without a colour picture: they are not rows of ``captures.parquet``."""
    gas: Bools
    nozzle_state: tuple[str, ...]
    tags_used: Floats
    tip_rgb_mm: Floats
    """Shape (m, 3)."""
    axis_rgb: Floats
    """Shape (m, 3)."""
    tip_u95_mm: Floats
    distance_mm: Floats
    distance_u95_mm: Floats
    incidence_deg: Floats
    zone_state: tuple[str, ...]
    skin_min_degc: Floats
    skin_min_u95_degc: Floats
    time_to_limit_s: Floats
    zone_mean_degc: Floats
    zone_observed_share: Floats
    """Share of the zone's area whose temperature is observed, 0..1."""
    status: tuple[tuple[str, ...], ...]
    speed_cm_s: Floats = field(default_factory=lambda: np.zeros(0))
    """Of the jet's spot over the skin; empty: not taken down."""
    sweep_advice: tuple[str, ...] = ()
    """What was said of it, one a row; empty: not taken down."""


@dataclass(frozen=True, eq=False)
class Verdicts:
    """One row a cell."""

    verdict: tuple[str, ...]
    """``overexposed``, ``unknown``, ``in_target``, ``below_target`` or ``untreated``."""
    cause: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class CellKnowledge:
    """For how long each cell's temperature was known in which way.

    Shapes (3, n), rows unobserved, predicted, measured.
    """

    all_s: Floats
    """Since the zone was placed."""
    jet_s: Floats
    """While gas fell on the cell."""


@dataclass(frozen=True, eq=False)
class PixelCells:
    """Cells of a zone known in pixels only (thermal-only sessions without a rig)."""

    stream: str
    centre_px: Floats
    """Shape (n, 2)."""
    in_zone: Bools


@dataclass(frozen=True, eq=False)
class Poster:
    """The picture on which the report lays the maps."""

    t_s: float
    bgr: Bytes
    cells_px: Floats | None
    """Cell centres in this picture, shape (n, 2); None where the zone was never placed."""
    corner_px: Floats | None
    """Corners of each cell in this picture, shape (n, 4, 2)."""
    outline_px: Floats | None = None
    """Outline of a zone known in pixels only, in this picture, shape (n, 2)."""


@dataclass(frozen=True)
class Earlier:
    """What the history says of this session's subject at its start."""

    verdict: Allowed | Warned | Refused | None
    """Whether the protocol lets the zone be treated; None where no subject is known."""
    sessions: int | None
    """Of the subject before this one; None = not known."""
    session_used_s: float
    """Gas time of the session total that earlier recordings have used up."""
    continues: str | None
    """The recording that this one goes on from."""
    gap_s: float | None
    """Time between the two."""


@dataclass(frozen=True)
class Checked:
    """The checklist that was filled in before the gas."""

    verdict: str
    """``blocked``, ``needs_confirmation``, ``clear``, or ``not_filled_in``."""
    judgement: Judgement | None
    """None: not filled in for this session."""
    answered: Checklist | None
    listed: Questions
    remark: str | None
    """One sentence where the reader of the report must know of it."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything that is written at the end."""

    name: str
    """Name of the session folder."""
    treatment: Treatment
    zone: Zone
    protocol: Protocol
    device: Device
    rig: Rig | None
    duration_s: float
    chart: ZoneChart | None
    pixel_cells: PixelCells | None
    exposure: ExposureMap | None
    verdicts: Verdicts | None
    trace: Trace
    alarms: tuple[Alarm, ...]
    poster: Poster | None
    gas_stopped_s: float | None
    """When gas stopped for the last time; rewarming is seen from then on. None = gas never stopped."""
    summary: dict[str, object]
    """What goes into ``summary.json``, ready to be written."""
    warnings: tuple[str, ...]
    """What the reader could work around, one sentence each."""
    skin_before_gas: SkinReading | None = None
    """Of the zone, in the last picture before gas flowed; None where it was not seen."""
    earlier: Earlier | None = None
    """None: the history was not asked."""
    knowledge: CellKnowledge | None = None
    """None: there are no cells."""
    checked: Checked | None = None
    """None: the checklist was not looked for."""
