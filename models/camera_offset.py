"""How far the thermal camera is off, as a reference of known temperature in its picture tells.

The offset wanders about zero as widely as the camera's stated accuracy allows (an Ornstein-Uhlenbeck
process). A reading of the reference pins it down; while the reference is hidden what was known of it fades,
until only the stated accuracy is left. What the reference itself is in doubt by does not average out.

A camera that was held against references before (`models.radiometry`) is corrected by that first; what is
told here is what remains, and it wanders only as widely as that calibration allows. A reference that shows
more than that ends the trust in the calibration, and the camera's own claim holds again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from models.geometry import Floats
from models.radiometry import GAIN_U95, SURE, Calibrated

WANDER_U95_DEGC = 1.0
"""So far may a camera's offset have gone after a minute unseen. Own estimate: a Lepton closes its shutter
anew after three minutes or 1.5 degC of its own warming (domain section 5)."""

STEP_U95_DEGC = 1.0
"""So far may a shutter event have moved it. Own estimate."""

BEYOND = 1.5
"""A reference that reads farther off than so many times its own and the camera's bound contradicts."""

STANDS_OUT_DEGC = 2.0
"""A reference that differs so much from what lies round it is told from something before it by its edge: an
offset of the camera moves both sides, a hand before it does not."""

EDGE_DEGC, EDGE_SHARE = 0.5, 0.1
"""The step at its edge may change by so much, or such a share of itself, between two looks."""

EDGE_NEWEST = 0.05
"""Weight of the newest look in the remembered step."""

JUMP = 4.0
"""Standard deviations: where the edge does not tell, a farther jump is something before the reference."""


@dataclass(frozen=True)
class PatchReading:
    """A reference as one thermal picture shows it."""

    off_degc: float
    """Camera less what it should show, positive: reads too warm."""
    noise_u95_degc: float
    """Bound of what differs from picture to picture."""
    common_u95_degc: float
    """Bound of what all readings of it have in common: its own temperature and emissivity, its evenness."""
    edge_degc: float
    """Its reading less that of what lies round it; NaN where that is not read."""
    at_degc: float
    """What it should show."""


@dataclass(frozen=True)
class CameraOffset:
    """What is known of the camera's offset at one moment."""

    accuracy_degc: float
    """Stated accuracy of the uncorrected camera, 95 % bound."""
    t_s: float | None = None
    off_degc: float = 0.0
    """To be taken from its readings."""
    variance_degc2: float = math.nan
    """Of what wanders; NaN before anything was read: as wide as the accuracy."""
    common_u95_degc: float = 0.0
    at_degc: float | None = None
    """What the reference should show; None where none was ever relied on."""
    edge_degc: float = math.nan
    sight: str = "none"
    """``seen``, ``hidden``, ``contradicts``; ``none`` where there is no reference."""
    looks: int = 0
    """Pictures in which the reference was looked for."""
    seen: int = 0
    """Pictures in which it was relied on."""
    calibrated: Calibrated | None = None
    """What calibration told, taken from the readings first; None: nothing, or too long ago."""
    doubted: bool = False
    """A reference has shown more than the calibration allows: its bound holds no longer."""

    @property
    def claim_u95_degc(self) -> float:
        """95 % bound of the offset by the camera's claim alone."""
        return self.accuracy_degc if self.calibrated is None else self.calibrated.claim_u95_degc

    @property
    def rest_u95_degc(self) -> float:
        """95 % bound of the offset where no reference tells of it."""
        calibrated = None if self.doubted else self.calibrated
        return self.claim_u95_degc if calibrated is None else calibrated.u95_degc

    @property
    def rest_degc2(self) -> float:
        """Variance of the offset where no reference tells of it."""
        return (self.rest_u95_degc / SURE) ** 2

    @property
    def known(self) -> bool:
        """Whether more is known of the offset than the camera's claim."""
        return self.at_degc is not None or (self.calibrated is not None and not self.doubted)

    def corrected_degc(self, read_degc: Floats) -> Floats:
        """Readings of any shape without what is known of the camera."""
        if self.calibrated is not None:
            read_degc = self.calibrated.corrected_degc(read_degc)
        return read_degc - self.off_degc

    @property
    def u95_degc(self) -> float:
        """95 % bound of what is left of the offset at the reference's temperature."""
        variance = self.rest_degc2 if math.isnan(self.variance_degc2) else self.variance_degc2
        return math.hypot(SURE * math.sqrt(variance), self.common_u95_degc)

    def bound_degc(self, read_degc: Floats) -> Floats:
        """95 % bound of corrected readings; it grows with their distance from the reference's temperature."""
        u95 = self.u95_degc
        calibrated = None if self.doubted else self.calibrated
        if self.at_degc is None:
            return 0.0 * read_degc + u95 if calibrated is None else calibrated.bound_degc(read_degc)
        if calibrated is None:
            return ((GAIN_U95 * (read_degc - self.at_degc)) ** 2 + u95**2) ** 0.5
        return np.hypot(calibrated.between_degc(read_degc, self.at_degc), u95)


def later(camera: CameraOffset, *, t_s: float) -> CameraOffset:
    """What is still known of the offset at a later time; looks back in time change nothing."""
    if camera.t_s is None or math.isnan(camera.variance_degc2):
        return replace(camera, t_s=t_s)
    rest = camera.rest_degc2
    wander = (WANDER_U95_DEGC / SURE) ** 2 / 60.0
    kept = math.exp(-max(t_s - camera.t_s, 0.0) * wander / max(2.0 * rest, 1e-9))
    return replace(
        camera,
        t_s=max(t_s, camera.t_s),
        off_degc=kept * camera.off_degc,
        variance_degc2=rest - (rest - camera.variance_degc2) * kept**2,
        common_u95_degc=kept * camera.common_u95_degc,
    )


def after_shutter(camera: CameraOffset) -> CameraOffset:
    """What is known of the offset after a shutter event."""
    stepped = min(camera.variance_degc2 + (STEP_U95_DEGC / SURE) ** 2, camera.rest_degc2)
    return replace(camera, variance_degc2=stepped)


def looked(camera: CameraOffset, reading: PatchReading | None, *, t_s: float) -> CameraOffset:
    """Take in how one picture shows the reference.

    Args:
        camera: What was known.
        reading: None where the reference is hidden or uneven.
        t_s: Exposure of the picture.
    """
    camera = replace(later(camera, t_s=t_s), looks=camera.looks + 1)
    if reading is None:
        return replace(camera, sight="hidden")
    if abs(reading.off_degc) > BEYOND * math.hypot(camera.claim_u95_degc, reading.common_u95_degc):
        return replace(camera, sight="contradicts" if math.isnan(camera.variance_degc2) else "hidden")
    hidden = replace(camera, sight="hidden")
    if abs(reading.off_degc) > BEYOND * math.hypot(camera.rest_u95_degc, reading.common_u95_degc):
        # More than calibration allows, and still within the camera's claim: if this is the reference, the
        # calibration holds no longer.
        camera = replace(camera, doubted=True)
    variance = camera.rest_degc2 if math.isnan(camera.variance_degc2) else camera.variance_degc2
    noise = (reading.noise_u95_degc / SURE) ** 2
    news = reading.off_degc - camera.off_degc
    known_edge, far = camera.edge_degc, abs(news) > JUMP * math.sqrt(variance + noise)
    if abs(known_edge) > STANDS_OUT_DEGC:
        if not abs(reading.edge_degc - known_edge) < max(EDGE_DEGC, EDGE_SHARE * abs(known_edge)):
            return hidden
        if far:
            # Both sides of its edge moved: the camera has stepped.
            variance = min(variance + news**2, camera.rest_degc2)
    elif far:
        return hidden
    gain = variance / (variance + noise)
    edge = reading.edge_degc
    if not math.isnan(known_edge) and not math.isnan(edge):
        edge = known_edge + EDGE_NEWEST * (edge - known_edge)
    return replace(
        camera,
        off_degc=camera.off_degc + gain * news,
        variance_degc2=(1.0 - gain) * variance,
        common_u95_degc=camera.common_u95_degc + gain * (reading.common_u95_degc - camera.common_u95_degc),
        at_degc=reading.at_degc,
        edge_degc=known_edge if math.isnan(edge) else edge,
        sight="seen",
        seen=camera.seen + 1,
    )


def agreed(
    cameras: tuple[CameraOffset, ...], *, accuracy_degc: float, calibrated: Calibrated | None = None
) -> CameraOffset:
    """What several references say together: the one that knows best, if none of the others contradicts it.

    Args:
        cameras: One a reference.
        accuracy_degc: Stated accuracy, taken where there is no reference or they contradict each other.
        calibrated: What calibration told; it holds where there is no reference.
    """
    if not cameras:
        return CameraOffset(accuracy_degc, calibrated=calibrated)
    # One of these may be right and the calibration wrong: where they contradict, only the claim is left.
    nothing = CameraOffset(accuracy_degc, calibrated=calibrated, doubted=calibrated is not None)
    if calibrated is not None:
        doubted = any(one.doubted for one in cameras)
        cameras = tuple(replace(one, calibrated=calibrated, doubted=doubted) for one in cameras)
    best = min(cameras, key=lambda one: one.u95_degc)
    for other in cameras:
        if best.at_degc is None or other.at_degc is None:
            continue
        apart = abs(best.off_degc - other.off_degc)
        both = math.hypot(best.u95_degc, other.u95_degc) + GAIN_U95 * abs(best.at_degc - other.at_degc)
        if apart > BEYOND * both:
            return replace(nothing, sight="contradicts", looks=best.looks, seen=best.seen)
    if best.sight == "contradicts":
        return replace(nothing, sight="contradicts", looks=best.looks, seen=best.seen)
    return best
