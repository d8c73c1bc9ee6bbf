"""What the pipeline is set up with, and what it carries from capture to capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol as Interface

from guidance.alarms.annunciator import Annunciator
from guidance.alarms.episodes import AlarmBoard
from guidance.session import SweepGuide
from guidance.zone_work import ZoneMade, ZoneWork
from models.camera_offset import CameraOffset
from models.capture import DepthPicture, ThermalPicture
from models.carry import Carried
from models.chart import PixelZone, ZoneChart
from models.exposure import ExposureMap, SkinTemperature
from models.forecast import Cooling
from models.geometry import Bools, Bytes, Floats
from models.jet_profile import JetProfile
from models.mesh import ChartMesh
from models.protocol import Device, Protocol
from models.rig import Rig
from models.rig_check import RigWatch
from models.sightings import Landmarks, Lost, NozzleSighting, TagPatch
from models.skin_estimate import CellTemperatures
from models.skin_track import SkinTrack
from models.treatment import Treatment
from models.zone import Zone
from vision.followed import BodyTrack
from vision.nozzle_track import NozzleTrack
from vision.skin_tags import SkinTagTrack
from vision.thermal_watch import ThermalWatch


class Eyes(Interface):
    """Who recognises bodies."""

    def see(self, bgr: Bytes, *, t_s: float) -> Landmarks | Lost:
        """Body landmarks of one picture."""
        ...


@dataclass(frozen=True, eq=False)
class Setup:
    """What does not change during a session."""

    treatment: Treatment
    zone: Zone
    protocol: Protocol
    device: Device
    rig: Rig | None
    eyes: Eyes | None
    thermal_expected: bool
    colour_expected: bool
    hashes: dict[str, str | None]
    """SHA-256 of rig, protocol and models, by name."""
    depth_expected: bool = True
    """The session has a depth stream; asked only where the rig has a depth camera."""
    carried: Carried | None = None
    """What the interrupted session handed on that this one goes on with."""
    perfusion: float = 1.0
    """Blood flow in the zone at the start, as a share of that at rest."""
    session_used_s: float = 0.0
    """Gas time of the session total that earlier recordings have used up."""
    made: ZoneMade | None = None
    """What the operator had made of the zone in the interrupted session."""
    moved: tuple[str, ...] = ()
    """Steps of calibration whose parts a check found moved; the rig's bounds are wider by that."""
    moved_words: str = ""
    """The same for people, with what to do; empty where nothing moved."""

    @property
    def profile(self) -> JetProfile | None:
        """The jet as measured, where it was measured on this device's class."""
        jet = self.rig.jet if self.rig else None
        return jet if jet is not None and jet.device == self.device.name else None

    @property
    def jet_remark(self) -> str | None:
        """Why a jet that was measured is not used."""
        jet = self.rig.jet if self.rig else None
        if jet is None or self.profile is not None:
            return None
        return (
            f"The rig's [jet] was measured on {jet.device} and this session's device is {self.device.name}:"
            " it is not used, the jet is that of the device's class."
        )

    @property
    def bore_mm(self) -> float:
        """Bore of the nozzle: the rig's, else the device's usual one."""
        return self.rig.nozzle.bore_mm if self.rig and self.rig.nozzle else self.device.bore_mm


@dataclass(frozen=True, eq=False)
class Jet:
    """Where the jet was on the skin, for what needs two captures."""

    t_s: float
    weight: Floats
    upper: Floats
    hit_chart_mm: Floats | None
    anchor_chart_mm: Floats | None
    """Where the spot came to rest."""
    anchor_s: float
    """Since when it rests there with gas on."""
    recent_chart_mm: tuple[tuple[float, Floats], ...]
    """(time, spot) over the last `guidance.stages.jet.SPEED_WINDOW_S`, oldest first."""


@dataclass(frozen=True)
class Forecast:
    """What the skin under the jet was heading for when it was last seen."""

    t_s: float
    left_s: float | None
    """Nominal seconds to the STOP temperature."""
    soonest_s: float | None
    bound_degc: float | None
    """Lowest confirmed estimate less its bound."""


@dataclass(frozen=True, eq=False)
class OnSkin:
    """Everything that exists once the zone is placed in millimetres."""

    chart: ZoneChart
    mesh: ChartMesh
    body: BodyTrack
    exposure: ExposureMap
    skin: SkinTemperature
    beside: Bools
    """Cells that show what lies beside the skin: cloth, a couch, the rim of a limb."""
    between_s: Floats
    """Since when something has stood before each cell that nobody foretold, NaN where nothing does."""
    warmer_degc: Floats
    """At the rim of the body a cell may be so much warmer than it last read, shape (n,)."""
    cooling: Cooling
    model: SkinTrack
    """The skin by model and pictures together."""
    bounds_degc: Floats
    """Estimate less its bound of each cell's last readings, newest first, inf where there was none yet,
    shape (``protocol.confirm_pictures``, n)."""
    tile_time_s: Floats
    jet: Jet | None
    forecast: Forecast | None
    """The last one made from what was seen."""
    seen_hit_chart_mm: Floats | None
    """Last spot of the jet that was seen, for what the nozzle may reach unseen."""
    seen_hit_s: float
    spot_unobserved_s: float
    sweep: SweepGuide | None
    known: CellTemperatures | None
    """What is known of every cell now; None before the first step."""
    known_s: Floats
    """Time for which each cell was unobserved, predicted and measured, shape (3, n), rows as in
    `models.skin_estimate`."""
    known_jet_s: Floats
    """The same while gas fell on it."""


@dataclass(frozen=True, eq=False)
class State:
    """Carried from one step to the next."""

    t_s: float
    nozzle_track: NozzleTrack
    tag_track: SkinTagTrack
    nozzle: NozzleSighting | Lost
    nozzle_seen_s: float | None
    recent_nozzles: tuple[NozzleSighting, ...]
    """Sightings of the last second, oldest first."""
    landmarks: tuple[Landmarks, ...]
    """Believed ones gathered before the zone is placed."""
    looked_s: float
    """When the body was last looked for."""
    depth: DepthPicture | None
    """Last depth picture, until gas flows: the zone is laid on it."""
    scene: ThermalPicture | None
    """Last thermal picture, until gas flows."""
    patches: tuple[TagPatch, ...]
    pixel_zone: PixelZone | None
    on_skin: OnSkin | None
    pixel_skin: PixelSkin | None
    waiting_for: str
    """Why the zone is not placed yet."""
    remarks: tuple[str, ...]
    thermal: ThermalWatch
    references: tuple[CameraOffset, ...]
    """The thermal camera's offset as each reference in its picture tells it; empty before the first one."""
    thermal_interval_s: float | None
    """Mean time between thermal pictures; None before the second one."""
    colour_s: float | None
    gas_total_s: float
    unassigned_s: float
    off_map_s: float
    """Seconds in which gas flowed and the jet did not meet the map: what it did there is not known."""
    board: AlarmBoard
    annunciator: Annunciator
    rig_watch: RigWatch | None
    """Jet and cooling held against each other; None where one of them cannot be measured."""
    work: ZoneWork
    """What the operator has made of the zone."""


@dataclass(frozen=True, eq=False)
class PixelSkin:
    """Temperatures of a zone that is known in the thermal picture's pixels only."""

    pixels: Floats
    """Centres of the cells, shape (n, 2)."""
    in_zone: Floats
    exposure: ExposureMap
    skin: SkinTemperature
    bounds_degc: Floats
    """As in `OnSkin`."""


def begin(carried: Carried | None = None) -> State:
    """Before the first capture; time since an interrupted session counts as unassigned."""
    board = AlarmBoard.start()
    return State(
        t_s=float("-inf"),
        nozzle_track=NozzleTrack.start(),
        tag_track=SkinTagTrack.start(),
        nozzle=Lost("nothing was seen yet", 0.0),
        nozzle_seen_s=None,
        recent_nozzles=(),
        landmarks=(),
        looked_s=float("-inf"),
        depth=None,
        scene=None,
        patches=(),
        pixel_zone=None,
        on_skin=None,
        pixel_skin=None,
        waiting_for="nothing was seen yet",
        remarks=(),
        thermal=ThermalWatch.start(),
        references=(),
        thermal_interval_s=None,
        colour_s=None,
        gas_total_s=0.0,
        unassigned_s=carried.gap_s if carried is not None else 0.0,
        off_map_s=0.0,
        board=board,
        annunciator=Annunciator(board.table),
        rig_watch=None,
        work=ZoneWork(),
    )
