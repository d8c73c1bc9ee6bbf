"""A calibrated rig: cameras, how they stand to each other, the nozzle and its tags.

Reading and writing ``rig.toml`` is in `models.rig_file`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from models.camera import Camera
from models.geometry import Floats, Ints, Pose, frozen
from models.jet_profile import JetProfile
from models.nozzle_errors import NozzleErrors
from models.radiometry import StatedRadiometry
from models.stream_clock import StreamClock
from models.validity import Validity


@dataclass(frozen=True, eq=False)
class Tags:
    """Tags fixed to one rigid body, in that body's frame."""

    dictionary: str
    """Name of an OpenCV aruco dictionary, e.g. ``DICT_APRILTAG_36h11``."""
    ids: Ints
    """Tag numbers, shape (n,)."""
    corners_mm: Floats
    """Corners of the black square in the body's frame, shape (n, 4, 3), in the order in which OpenCV's
    aruco returns them."""

    def __post_init__(self) -> None:
        """Check the shapes and freeze the arrays."""
        ids = np.asarray(self.ids, np.int64)
        corners = np.asarray(self.corners_mm, float)
        if corners.shape != (len(ids), 4, 3):
            wanted = (len(ids), 4, 3)
            raise ValueError(f"{len(ids)} tags need corners of shape {wanted}, not {corners.shape}.")
        object.__setattr__(self, "ids", frozen(ids))
        object.__setattr__(self, "corners_mm", frozen(corners))


@dataclass(frozen=True, eq=False)
class Nozzle:
    """The nozzle: origin at the centre of the orifice, +z the way the gas blows."""

    tags: Tags
    bore_mm: float


@dataclass(frozen=True)
class SkinTags:
    """Tags stuck on the skin near the zone; each one its own small plane."""

    dictionary: str
    size_mm: float
    ids: tuple[int, ...]
    stretch: float = 1.0
    """Height of their print by its width, which is `size_mm`."""
    scale_u95: float | None = None
    """95 % bound of the share by which their size may be off; None = nobody said."""
    stretch_u95: float | None = None
    """The same of their height against their width."""


@dataclass(frozen=True)
class Corrected:
    """What an import has corrected the temperatures for, beside the emissivity."""

    source: str
    """Kind of the file that they came from."""
    reflected_degc: float
    air_degc: float
    humidity: float
    """Relative, 0..1."""
    distance_mm: float
    camera_emissivity: float | None
    """That the camera had applied itself, taken out again; None = nothing was."""
    stated_degc: tuple[tuple[float, float], ...]
    """True skin temperature, and what the file had stated for it before."""


@dataclass(frozen=True)
class StatedHalo:
    """What lens and window mix in from far around (size of source), as calibration measured it."""

    share: float
    """Of each reading, that comes from the surroundings."""
    reach_px: float
    """Standard deviation of where from, along one direction."""
    u95: float
    """95 % bound of the share."""


@dataclass(frozen=True)
class StatedSpread:
    """How far the thermal camera spreads a point, as calibration measured it."""

    sigma_px: float
    """Standard deviation along one direction."""
    u95_px: float
    halo: StatedHalo | None = None
    """What it mixes in from far around, None where that was not measured."""


@dataclass(frozen=True, eq=False)
class ThermalCamera:
    """Thermal camera of the rig."""

    camera: Camera
    thermal_from_rgb: Pose
    rgb_minus_thermal_s: float
    """Add to a thermal time stamp to get the time of exposure on the session clock."""
    latency_s: float
    """Exposure to arrival; the pipeline sees a picture only from then on."""
    accuracy_degc: float
    """Uncorrected accuracy of the camera, 95 % bound."""
    emissivity: float
    """Already applied to the counts; for information."""
    corrected: Corrected | None = None
    """What else was applied, where the recording was imported; for information."""
    spread: StatedSpread | None = None
    """None: not calibrated; measured at the edge of warm skin in the session."""
    clock: StreamClock | None = None
    """How well `rgb_minus_thermal_s` is known, and its drift; None where calibration did not say."""
    radiometry: StatedRadiometry | None = None
    """None: never held against references; its claim alone holds."""
    covariance: Floats | None = None
    """Of `THERMAL_PARAMETERS` in this order, 1 sigma squared, 0 for what was not estimated, shape (15, 15);
    None where calibration states none."""


def exposed_thermal_s(thermal: ThermalCamera, stamped_s: Floats) -> Floats:
    """When thermal pictures were exposed, on the session clock.

    Args:
        thermal: The camera.
        stamped_s: Its own stamps, any shape.
    """
    t_s = stamped_s + thermal.rgb_minus_thermal_s
    return t_s if thermal.clock is None else thermal.clock.session_s(t_s)


@dataclass(frozen=True, eq=False)
class DepthCamera:
    """Depth camera of the rig; its stamps are on the session clock unless `clock` says otherwise."""

    camera: Camera
    depth_from_rgb: Pose
    clock: StreamClock | None = None
    scale: float = 1.0
    """True distance by reading, without the offset."""
    offset_mm: float = 0.0
    """Added to a reading times the scale."""
    covariance: Floats | None = None
    """Of `DEPTH_PARAMETERS` in this order, 1 sigma squared, 0 for what was not estimated, shape (17, 17);
    None where calibration states none."""

    def z_mm(self, readings_mm: Floats) -> Floats:
        """True distance along the camera's z of readings of any shape; 0 (no reading) stays 0."""
        return np.where(readings_mm > 0.0, self.scale * readings_mm + self.offset_mm, 0.0)


INTRINSICS = ("fx_px", "fy_px", "cx_px", "cy_px", "k1", "k2", "p1", "p2", "k3")
"""Names of a camera's parameters in its covariance."""

THERMAL_PARAMETERS = (*INTRINSICS, "rx_rad", "ry_rad", "rz_rad", "tx_mm", "ty_mm", "tz_mm")
"""The same of the thermal camera, with rotation vector and shift of ``thermal_from_rgb``."""

DEPTH_PARAMETERS = (*THERMAL_PARAMETERS, "scale", "offset_mm")
"""The same of the depth camera, with ``depth_from_rgb``, and what makes its readings true."""


@dataclass(frozen=True, eq=False)
class Rig:
    """Everything calibration knows. Frames: rgb, thermal, depth, nozzle."""

    created: datetime
    rgb: Camera
    transfer: str
    """How light became 8-bit numbers: ``srgb`` or ``linear``."""
    rgb_rms_px: float | None
    thermal: ThermalCamera | None
    depth: DepthCamera | None
    nozzle: Nozzle | None
    skin: SkinTags | None
    rgb_covariance: Floats | None = None
    """Of the colour camera's `INTRINSICS` in this order, 1 sigma squared, 0 for what was not estimated, shape
    (9, 9); None where calibration states none."""
    nozzle_scale_u95: float | None = None
    """95 % bound of the relative error that all tags of the nozzle share: how true their print is."""
    nozzle_errors: NozzleErrors = field(default_factory=NozzleErrors)
    """What calibration states of tip, axis and tags."""
    jet: JetProfile | None = None
    """As measured; None = as its class is."""
    validity: Validity = field(default_factory=Validity)
    """When each part was found, and what it rests on."""

    @property
    def calibrated(self) -> datetime:
        """When the part that was found first was found: any step renews the rig's own date."""
        oldest = self.validity.oldest()
        if oldest is None or self.created.tzinfo is None:
            return self.created
        return min(oldest, self.created)
