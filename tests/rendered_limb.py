"""A limb with speckled skin, drawn into colour, depth and thermal pictures of a rig; every truth is exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property

import cv2
import numpy as np

from models.camera import Camera
from models.capture import DepthPicture, ThermalPicture
from models.catalogue import load_zones
from models.chart import ZoneChart
from models.geometry import Bools, Bytes, Floats, Pose, unit
from models.rig import DepthCamera, Nozzle, Rig, Tags, ThermalCamera
from models.sightings import NozzleSighting
from models.zone import Zone
from models.zone_chart import outline_of
from tests.models.limb_points import Limb
from tests.models.skin_scenes import tapped_chart
from vision.nozzle_mask import nozzle_mask

STILL = np.zeros(3)
ROOM_DEGC, SKIN_DEGC = 22.0, 33.0
_LENS = np.zeros(5)
_RING = np.array([[22.0, 22.0], [-22.0, 22.0], [-22.0, -22.0], [22.0, -22.0]])
_COLLAR = np.stack([np.column_stack([_RING, np.full(4, z)]) for z in (-90.0, -140.0)])


def limb_rig() -> Rig:
    """Small pictures: 640 x 360 colour, 160 x 120 thermal, 320 x 240 depth, a nozzle of 12 mm bore."""
    return Rig(
        created=datetime(2026, 11, 20, tzinfo=UTC),
        rgb=Camera(640, 360, 500.0, 500.0, 319.5, 179.5, _LENS),
        transfer="srgb",
        rgb_rms_px=0.2,
        thermal=ThermalCamera(
            Camera(160, 120, 170.0, 170.0, 79.5, 59.5, _LENS),
            Pose.of(np.eye(3), np.array([-45.0, -10.0, 0.0])),
            rgb_minus_thermal_s=0.0,
            latency_s=0.05,
            accuracy_degc=2.0,
            emissivity=0.98,
        ),
        depth=DepthCamera(
            Camera(320, 240, 305.0, 305.0, 159.5, 119.5, _LENS),
            Pose.of(np.eye(3), np.array([60.0, 0.0, 5.0])),
        ),
        nozzle=Nozzle(Tags("DICT_APRILTAG_36h11", np.array([0, 1]), _COLLAR), 12.0),
        skin=None,
    )


def nozzle_over(
    place_mm: Floats, *, t_s: float, distance_mm: float = 100.0, leaning: tuple[float, float] = (0.8, 0.3)
) -> NozzleSighting:
    """A nozzle that points at a place from a distance, well seen; ``leaning`` is where its hand is aside."""
    axis = -unit(np.array([*leaning, -1.0]))
    side = unit(np.cross([0.0, 1.0, 0.0], axis))
    rotation = np.stack([side, np.cross(axis, side), axis], axis=1)
    tip = place_mm - distance_mm * axis
    return NozzleSighting(
        t_s, Pose.of(rotation, tip), np.diag([1e-6] * 3 + [0.04] * 3), tip - 100.0 * axis, 4, "tracked"
    )


def knee_high() -> Zone:
    """A zone of a limb, without areas to leave out."""
    return replace(load_zones()["calf"], width_mm=90.0, length_mm=110.0, leave_out=(), relief=())


@dataclass(frozen=True, eq=False)
class RenderedLimb:
    """The limb before a plain couch; ``moved_mm`` shifts it, cameras stand still."""

    limb: Limb = field(default_factory=lambda: Limb(radius_mm=60.0, taper=-0.04, deep_mm=900.0))
    rig: Rig = field(default_factory=limb_rig)
    seed: int = 0
    contrast: float = 1.0
    """Of the speckle; 1 = some 20 grey levels."""

    @cached_property
    def chart(self) -> ZoneChart:
        """The zone laid on the true skin, where the limb is before it moves."""
        skin = self.limb.surface().add(self.limb.seen(noise_mm=0.0)).skin()
        zone = knee_high()
        laid = tapped_chart(skin, outline_of(zone, scale=1.0), zone=zone)
        assert laid is not None
        return laid

    def colour(
        self,
        *,
        moved_mm: Floats = STILL,
        nozzle: NozzleSighting | None = None,
        noise: float = 1.5,
        seed: int = 0,
    ) -> Bytes:
        """Speckled skin under a lamp beside the camera; the nozzle is a grey silhouette."""
        camera = self.rig.rgb
        points, on_skin = self._seen(camera, Pose.identity(), moved_mm)
        picture = np.full((*on_skin.shape, 3), 70.0)
        x, y, z = np.moveaxis(points[on_skin] - moved_mm, -1, 0)
        around_mm = self.limb.radius_mm * np.arctan2(
            x - self.limb.aside_mm, self.limb.deep_mm + self.limb.radius_mm - z
        )
        at = np.stack([around_mm + 400.0, y + 400.0], axis=1).astype(np.float32)
        speckle = cv2.remap(self._texture, at[:, 0], at[:, 1], cv2.INTER_LINEAR).ravel()
        lit = -(self.limb.normal(points[on_skin] - moved_mm) * unit(points[on_skin])).sum(1)
        picture[on_skin] = (0.4 + 0.6 * lit[:, None]) * (speckle[:, None] + np.array([-30.0, 0.0, 35.0]))
        if nozzle is not None:
            picture[nozzle_mask(camera, Pose.identity(), self.rig, nozzle)] = [90.0, 85.0, 80.0]
        # The same grain elsewhere each time: drawing it anew would take longer than all the rest.
        picture += noise * np.roll(self._grain, 7919 * seed).reshape(picture.shape)
        return np.clip(picture, 0.0, 255.0).astype(np.uint8)

    def depth(
        self, t_s: float, *, moved_mm: Floats = STILL, noise_mm: float = 2.5, seed: int = 0
    ) -> DepthPicture:
        """Skin, and a couch 250 mm behind its nearest line."""
        assert self.rig.depth is not None
        camera, depth_from_rgb = self.rig.depth.camera, self.rig.depth.depth_from_rgb
        points, on_skin = self._seen(camera, depth_from_rgb, moved_mm)
        z = np.where(on_skin, depth_from_rgb.apply(points)[..., 2], self.limb.deep_mm + 250.0)
        z = z + np.random.default_rng(seed).normal(0.0, noise_mm, z.shape)
        return DepthPicture(t_s, np.rint(z).astype(np.uint16))

    def thermal(
        self,
        t_s: float,
        *,
        moved_mm: Floats = STILL,
        degc: Callable[[Floats], Floats] | float = SKIN_DEGC,
        nozzle: NozzleSighting | None = None,
        nozzle_degc: float = -30.0,
        shutter: bool = False,
        noise_degc: float = 0.05,
    ) -> ThermalPicture:
        """``degc`` is the skin's, a figure or a function of points (n, 3) on the limb before it moved."""
        assert self.rig.thermal is not None
        camera, thermal_from_rgb = self.rig.thermal.camera, self.rig.thermal.thermal_from_rgb
        points, on_skin = self._seen(camera, thermal_from_rgb, moved_mm)
        picture = np.full(on_skin.shape, ROOM_DEGC)
        skin = points[on_skin] - moved_mm
        picture[on_skin] = degc(skin) if callable(degc) else degc
        if nozzle is not None:
            picture[nozzle_mask(camera, thermal_from_rgb, self.rig, nozzle)] = nozzle_degc
        # Every live picture carries noise of its own.
        picture += np.random.default_rng(round(1000.0 * t_s)).normal(0.0, noise_degc, picture.shape)
        return ThermalPicture(t_s, np.rint(100.0 * (picture + 273.15)).astype(np.uint16), shutter)

    def cold_spot(self, centre_mm: Floats, *, degc: float, radius_mm: float) -> Callable[[Floats], Floats]:
        """Skin that is cold in a round spot with a soft rim."""

        def at(points: Floats) -> Floats:
            away = np.linalg.norm(points - centre_mm, axis=-1)
            return SKIN_DEGC - (SKIN_DEGC - degc) / (1.0 + np.exp((away - radius_mm) / 2.0))

        return at

    @cached_property
    def _grain(self) -> Floats:
        return np.random.default_rng(1).normal(0.0, 1.0, 3 * self.rig.rgb.width_px * self.rig.rgb.height_px)

    @cached_property
    def _texture(self) -> np.ndarray:
        """Grey level a mm of arc and height."""
        seeded = np.random.default_rng(self.seed)
        grey = np.full((800, 800), 150.0, np.float32)
        for sigma_mm, spread in ((2.0, 14.0), (7.0, 16.0)):
            noise = cv2.GaussianBlur(seeded.normal(0.0, 1.0, grey.shape).astype(np.float32), (0, 0), sigma_mm)
            grey += np.float32(self.contrast * spread) * noise / noise.std()
        return grey

    def _seen(self, camera: Camera, camera_from_rgb: Pose, moved_mm: Floats) -> tuple[Floats, Bools]:
        """Skin point of each pixel in the rgb frame, and which pixels show skin."""
        limb, rgb_from_camera = self.limb, camera_from_rgb.inverse
        # Only columns that can show the limb are worked out.
        rim = np.array([[x, y, limb.deep_mm] for x in (-1.4, 1.4) for y in (-400.0, 400.0)])
        rim = rim * [limb.radius_mm, 1.0, 1.0] + [limb.aside_mm, 0.0, 0.0] + moved_mm
        low, high = np.clip(camera.project(camera_from_rgb.apply(rim))[:, 0][[0, 3]], 0, camera.width_px)
        columns = slice(int(low), int(high) + 1)
        px = np.stack(np.meshgrid(np.arange(camera.width_px)[columns], np.arange(camera.height_px)), axis=-1)
        rays = rgb_from_camera.rotate(unit(camera.unproject(px.astype(float))))
        eye = rgb_from_camera.translation_mm - moved_mm
        x0, y0, z0 = eye - np.array([limb.aside_mm, 0.0, limb.deep_mm + limb.radius_mm])
        dx, dy, dz = np.moveaxis(rays, -1, 0)
        radius0 = limb.radius_mm + limb.taper * y0
        a = dx**2 + dz**2 - (limb.taper * dy) ** 2
        b = x0 * dx + z0 * dz - limb.taper * radius0 * dy
        square = b**2 - a * (x0**2 + z0**2 - radius0**2)
        along = (-b - np.sqrt(np.maximum(square, 0.0))) / a
        points = np.zeros((camera.height_px, camera.width_px, 3))
        points[:, columns] = rgb_from_camera.translation_mm + along[..., None] * rays
        on_skin = np.zeros((camera.height_px, camera.width_px), bool)
        on_skin[:, columns] = (square > 0.0) & (along > 0.0)
        return points, on_skin
