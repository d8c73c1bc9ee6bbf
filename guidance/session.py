"""What one step tells: everything the overlay, the recorder and the report need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guidance.zone_actions import TouchAction, ZoneAction
from models.chart import PixelZone, PlacedChart
from models.exposure import ExposureMap, SkinTemperature
from models.geometry import Bools, Floats
from models.sightings import Landmarks, Lost, NozzleSighting, TagPatch
from models.skin_estimate import CellTemperatures

UNMEASURABLE = "it cannot be measured with this rig"
"""Why nothing is known of the jet on the skin, where no care of the operator's could change that."""


@dataclass(frozen=True)
class Alarm:
    """One episode of one alarm."""

    cause: str
    kind: str
    """``physiological`` or ``technical``."""
    priority: str
    """``high``, ``medium`` or ``low``."""
    message: str
    t_on_s: float
    t_off_s: float | None = None
    """None while the condition stands."""


@dataclass(frozen=True)
class Now:
    """What is to be displayed of an alarm that stands; the alarm itself keeps the words it began with."""

    message: str
    """The same sentence with figures of late."""
    mended: bool
    """Its condition has gone, well inside its limit: it is only kept for a moment, so that it can be read."""


@dataclass(frozen=True)
class Acknowledge:
    """The operator has taken note of what is displayed: it sounds no more, and goes with its condition."""

    t_s: float
    cause: str | None = None
    """One cause only; None = all that is displayed."""


@dataclass(frozen=True)
class PauseAudio:
    """The operator wants quiet."""

    t_s: float
    seconds: float = 120.0
    """Never longer than 120 s, whatever is asked."""


@dataclass(frozen=True)
class ResumeAudio:
    """The operator ends the quiet before its time."""

    t_s: float


@dataclass(frozen=True)
class CourseAction:
    """The operator moves the treatment on. It is recorded; alarms are judged as without it."""

    t_s: float
    name: str
    """``start``, ``pause``, ``resume``, ``stop``, ``pain``, ``gas_on``, ``gas_off`` or ``finish``; or what
    a gas input says: ``switch_on``, ``switch_off`` or ``switch_lost`` (what it says is not known)."""


OperatorAction = Acknowledge | PauseAudio | ResumeAudio | CourseAction | ZoneAction | TouchAction


@dataclass(frozen=True)
class Sound:
    """Which tone sounds."""

    priority: str
    kind: str
    escalated: bool = False
    """Oftener and louder: nobody has acknowledged it for long."""


@dataclass(frozen=True)
class Shown:
    """One alarm as it is displayed."""

    alarm: Alarm
    standing: bool = True
    """False: its condition has ended, and it is kept (latched) until it is acknowledged."""
    acknowledged: bool = False
    escalated: bool = False
    """A medium one that has stood long without being acknowledged."""

    @property
    def latched(self) -> bool:
        """Only kept for the operator to take note of."""
        return not self.standing


@dataclass(frozen=True)
class Announcement:
    """What the operator sees and hears of the alarms now."""

    shown: tuple[Shown, ...] = ()
    """Most urgent first: by priority, what still stands before what is only kept."""
    sound: Sound | None = None
    pause_left_s: float | None = None
    """Counts down from at most 120 s; None where the sound is not paused."""


@dataclass(frozen=True, eq=False)
class JetOnSkin:
    """Where the jet meets the skin in one capture."""

    hit_rgb_mm: Floats
    """Point on the skin, rgb frame, shape (3,)."""
    distance_mm: float
    distance_u95_mm: float
    incidence_deg: float
    cell: int | None
    """Nearest cell of the chart, None where the jet meets skin off the map."""
    in_zone: bool
    speed_cm_s: float | None
    """Speed of the jet's spot over the skin, the least over the last moments; None = not known."""


@dataclass(frozen=True)
class SweepGuide:
    """How fast one pass of the jet should go, for the skin that is under it or just ahead."""

    told_s: float
    """When the band was worked out."""
    slowest_cm_s: float
    """A slower pass takes the skin below the target band; inf: even the fastest one does."""
    fastest_cm_s: float
    """A faster pass does not bring it into the band; 0: no single pass does, inf: every pass does."""
    low_cm_s: float
    high_cm_s: float
    """The speeds to keep to: the protocol's, and faster where the skin asks for it."""
    speed_cm_s: float | None
    """Of the jet's spot now; None = not known."""
    advice: str
    """``too slow``, ``too fast``, ``let it rewarm``, or nothing."""


@dataclass(frozen=True)
class LeftOutArea:
    """An area that the operator wants left out."""

    number: int
    kind: str
    """``circle`` or ``outline``."""
    radius_mm: float | None
    """Of a circle on known skin."""


@dataclass(frozen=True, eq=False)
class ZoneEdited:
    """What the operator has made of the zone."""

    outline: str
    """``found``, ``moved`` or ``by hand``."""
    areas: tuple[LeftOutArea, ...]
    refused: str
    """Why the last edit was not followed; empty where it was."""
    count: int
    """Edits so far, refused ones included."""
    spot_chart_mm: Floats | None
    """Marked for the touch check, chart frame, shape (3,)."""


@dataclass(frozen=True, eq=False)
class Guidance:
    """Result of one step; front ends draw, record and report it."""

    t_s: float
    dt_s: float
    index: int | None
    """Row in the colour stream, None for a tick without a picture."""
    gas_now: bool
    nozzle: NozzleSighting | Lost
    zone: PlacedChart | PixelZone | Lost
    jet: JetOnSkin | None
    """None where nozzle or skin is not known, or the jet misses the skin (`jet_reason`)."""
    jet_reason: str
    weight: Floats | None
    """Footprint weight of the jet on each cell now, shape (n,); None where unknown."""
    exposure: ExposureMap | None
    """None before the zone is placed."""
    skin: SkinTemperature | None
    blind: Bools | None
    """Cells that gas may reach now while neither nozzle nor temperature is observed, shape (n,)."""
    skin_min_degc: float | None
    skin_min_u95_degc: float | None
    time_to_limit_s: float | None
    tile_time_s: Floats | None
    """Gas-on seconds per tile."""
    gas_total_s: float
    unassigned_s: float
    """Seconds so far in which gas may have flowed while the nozzle was not seen."""
    landmarks: Landmarks | Lost | None
    """None when they were not looked for in this capture."""
    tag_patches: tuple[TagPatch, ...]
    active: tuple[Alarm, ...]
    """Alarms that stand now, most urgent first."""
    ended: tuple[Alarm, ...]
    """Alarms that ended with this capture."""
    status: tuple[str, ...]
    """Short remarks that are not alarms, e.g. ``shutter``."""
    zone_mean_degc: float | None
    """Mean over the zone's observed cells, None where none is observed."""
    zone_observed_share: float | None
    sweep: SweepGuide | None = None
    """None where no gas flows, or nobody knows where."""
    known: CellTemperatures | None = None
    """What is known of every cell now: measured, predicted, or unobserved; None before the zone is placed."""
    announcement: Announcement = Announcement()
    """What is displayed and sounds, after the operator's actions."""
    now: Mapping[tuple[str, str], Now] = field(default_factory=dict[tuple[str, str], Now])
    """What is to be displayed of the alarms that stand, by cause and priority."""
    edited: ZoneEdited | None = None
    """None where the operator has not touched the zone."""
