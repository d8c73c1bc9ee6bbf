"""Draws colour, depth and thermal pictures of a scene."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import cv2
import numpy as np

from models.camera import Camera
from models.geometry import Bools, Bytes, Counts, Floats, Pose
from vision.synthetic_paint import expose, measure, paint_nozzle, paint_skin, paint_skin_tag
from vision.synthetic_rig import COLLAR_MM, DICTIONARY, REACH_MM, patch_px, real_rig
from vision.synthetic_scene import SHUTTER_S, Scene
from vision.synthetic_skin import SPACING_MM, SkinUnderJet

NOZZLE_DEGC, HAND_DEGC = 8.0, 29.0
COUCH_BEHIND_MM = 10.0
FINE_RAYS, COARSE_RAYS = 4, 2
LIGHT_LEVELS = 4095
GRAIN = 1 << 21


def shutter_flags(scene: Scene, t_s: Floats) -> Bools:
    """Which thermal pictures fall into a shutter event."""
    flags: Bools = np.zeros(len(t_s), np.bool_)
    for start_s in scene.errors.shutter_s:
        flags |= (t_s >= start_s) & (t_s < start_s + SHUTTER_S)
    return flags


class Studio:
    """Draws pictures of a scene. Colour and depth at any time, thermal ones in order of time."""

    def __init__(self, scene: Scene) -> None:
        """Prepare what stays the same from picture to picture."""
        self.scene, self.rig = scene, real_rig(scene)
        self._skin = SkinUnderJet(scene)
        body = scene.body
        self._body = np.array([body.across_mm, body.deep_mm, body.taper, body.half_length_mm])
        self._arcs = body.arcs()[1]
        self._prism = np.array([REACH_MM, *COLLAR_MM])
        rng = np.random.default_rng(scene.seed)
        self._texture = _texture(rng)
        # The same grain elsewhere each time: drawing it anew would take longer than all the rest.
        self._grain = rng.normal(0.0, scene.noise, GRAIN).astype(np.float32)
        self._stuck: Counts | None = None

    def colour(self, t_s: float) -> Bytes:
        """A colour picture, exposed about ``t_s``, shape (h, w, 3)."""
        scene, camera, rays = self.scene, self.rig.rgb, self._rays_rgb
        light = self._couch.copy()
        body_from_rgb = scene.rgb_from_body(t_s).inverse
        turn, eye = body_from_rgb.rotation, body_from_rgb.translation_mm
        window = _window(camera, scene.rgb_from_body(t_s).apply(self._hull), 2)
        paint_skin(light, rays, window, turn, eye, self._body, self._arcs, self._texture)
        for tag in scene.skin_tags:
            angle = np.radians(tag.turn_deg)
            told = np.array([tag.arc_mm, tag.y_mm, np.cos(angle), np.sin(angle), self._skin_tag_mm])
            round_mm = self._skin_tag_mm * np.array(
                [[-0.95, -0.95], [-0.95, 0.95], [0.95, -0.95], [0.95, 0.95]]
            )
            rim = scene.body.skin(tag.arc_mm + round_mm[:, 0], tag.y_mm + round_mm[:, 1])
            window = _window(camera, scene.rgb_from_body(t_s).apply(rim), 2)
            bits = _bits(tag.number)
            paint_skin_tag(light, rays, window, turn, eye, self._body, self._arcs, bits, told, FINE_RAYS)
        self._lay_nozzle(light, t_s)
        light = cv2.GaussianBlur(light, (0, 0), scene.blur_px)
        return expose(light, _SRGB, self._grain, round(t_s * 1e4) * 104729 % GRAIN)

    def thermal(self, t_s: float) -> Counts:
        """A thermal picture in centikelvin; calls must come in order of time."""
        scene, thermal = self.scene, self.rig.thermal
        assert thermal is not None
        stuck = scene.errors.thermal_stuck_s
        if stuck is not None and self._stuck is not None and stuck[0] <= t_s < stuck[1]:
            return self._stuck
        _, degc = self._measured(thermal.camera, self._rays_thermal, scene.thermal_from_rgb(t_s), t_s, fine=2)
        degc = self._with_patch(degc, t_s)
        narrow = cv2.GaussianBlur(degc, (0, 0), scene.thermal_blur_px)
        wide = cv2.GaussianBlur(degc, (0, 0), 7.0)
        seen = narrow + scene.thermal_share * (wide - narrow)
        if shutter_flags(scene, np.array([t_s])).any():
            seen = np.full(degc.shape, scene.room_degc)
        seen = seen + scene.errors.camera_reads_too_warm_degc(t_s, np.asarray(seen, np.float64))
        rng = np.random.default_rng([self.scene.seed, round(1e4 * t_s)])
        seen = seen + rng.normal(0.0, scene.thermal_noise_degc, seen.shape)
        self._stuck = np.rint(100.0 * (seen + 273.15)).astype(np.uint16)
        return self._stuck

    def _with_patch(self, degc: Floats, t_s: float) -> Floats:
        """The reference, or who stands before it, drawn over a thermal picture."""
        scene, patch = self.scene, self.scene.patch
        if patch is None:
            return degc
        covered = patch.hidden_s is not None and patch.hidden_s[0] <= t_s < patch.hidden_s[1]
        corners = patch_px(scene, patch, half_px=2.5 * patch.half_px if covered else None)
        share = np.zeros(degc.shape, np.float32)
        # Corners of pixels lie at halves; a sixteenth of a pixel is told.
        cv2.fillPoly(share, [np.rint(16.0 * corners).astype(np.int32)], (1.0,), cv2.LINE_8, 4)
        return degc + share * ((patch.hidden_degc if covered else patch.degc) - degc)

    def depth(self, t_s: float) -> Counts:
        """A depth picture in mm."""
        scene, depth = self.scene, self.rig.depth
        assert depth is not None
        z, _ = self._measured(depth.camera, self._rays_depth, depth.depth_from_rgb, t_s, fine=1)
        rng = np.random.default_rng([self.scene.seed, 1, round(1e4 * t_s)])
        z = z + rng.normal(0.0, scene.depth_noise_mm, z.shape)
        if scene.depth_holes > 0.0:
            small = rng.random((z.shape[0] // 8 + 1, z.shape[1] // 8 + 1)) < scene.depth_holes
            holes = np.kron(small, np.ones((8, 8), bool))[: z.shape[0], : z.shape[1]]
            z = np.where(holes, 0.0, z)
        return np.rint(np.clip(z, 0.0, 65535.0)).astype(np.uint16)

    def _lay_nozzle(self, light: Floats, t_s: float) -> None:
        scene, camera = self.scene, self.rig.rgb
        assert self.rig.nozzle is not None
        poses = [scene.rgb_from_nozzle(t_s + ago * scene.exposure_s) for ago in (-0.5, 0.0, 0.5)]
        marks = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, COLLAR_MM[0]], [REACH_MM, 0.0, COLLAR_MM[1]]])
        path_px = np.stack([camera.project(pose.apply(marks)) for pose in (poses[0], poses[2])])
        length_px = float(np.linalg.norm(path_px[1] - path_px[0], axis=-1).max())
        count = 1 if length_px < 0.2 else 2 * int(np.ceil(length_px / 2.0)) + 1
        shares = (np.arange(count) + 0.5) / count - 0.5
        inverse = [scene.rgb_from_nozzle(t_s + share * scene.exposure_s).inverse for share in shares]
        turns = np.array([pose.rotation for pose in inverse])
        eyes = np.array([pose.translation_mm for pose in inverse])
        covers = np.zeros((12, 2))
        for cover in scene.covers:
            if cover.from_s <= t_s < cover.to_s:
                covers[list(cover.tags), 0 if cover.kind == "finger" else 1] = cover.share
        # What is not the collar has no edges that matter: fewer rays, and no blur by motion.
        whole = _window(camera, poses[1].apply(_box(45.0, -450.0, 0.0)), 4 + int(length_px))
        fine = _window(camera, poses[1].apply(_EDGES_MM), 3 + int(length_px))
        told = (self._prism, _NOZZLE_BITS, self._plates, covers)
        half = count // 2
        for window in _around(whole, fine):
            middle = (turns[half : half + 1], eyes[half : half + 1])
            paint_nozzle(light, self._rays_rgb, window, *middle, *told, COARSE_RAYS)
        paint_nozzle(light, self._rays_rgb, fine, turns, eyes, *told, FINE_RAYS - (count > 1))

    def _measured(
        self, camera: Camera, rays: Floats, camera_from_rgb: Pose, t_s: float, *, fine: int
    ) -> tuple[Floats, Floats]:
        scene, cells = self.scene, self._skin.cells
        rgb_from_camera = camera_from_rgb.inverse
        body = scene.rgb_from_body(t_s).inverse @ rgb_from_camera
        nozzle = scene.rgb_from_nozzle(t_s).inverse @ rgb_from_camera
        shape = (len(cells.y_mm), len(cells.arc_mm))
        # A depth picture asks for no temperature, and the skin must not run ahead of the thermal pictures.
        degc = self._skin.degc(t_s) if fine > 1 else np.zeros(shape[0] * shape[1])
        return measure(
            rays,
            body.rotation,
            body.translation_mm,
            self._body,
            nozzle.rotation,
            nozzle.translation_mm,
            self._prism,
            self._arcs,
            degc.reshape(shape),
            np.array([cells.arc_mm[0], cells.y_mm[0], SPACING_MM]),
            2.0 * self._body[1] + COUCH_BEHIND_MM,
            np.array([scene.room_degc, NOZZLE_DEGC, HAND_DEGC]),
            fine,
        )

    @cached_property
    def _rays_rgb(self) -> Floats:
        return _rays(self.rig.rgb)

    @cached_property
    def _rays_thermal(self) -> Floats:
        assert self.rig.thermal is not None
        return _rays(self.rig.thermal.camera)

    @cached_property
    def _rays_depth(self) -> Floats:
        assert self.rig.depth is not None
        return _rays(self.rig.depth.camera)

    @cached_property
    def _couch(self) -> Floats:
        """What lies behind: it never moves."""
        camera = self.rig.rgb
        x, y = np.meshgrid(np.arange(camera.width_px), np.arange(camera.height_px))
        return 0.10 + 0.01 * np.sin(x / 37.0) + 0.01 * np.cos(y / 53.0)

    @cached_property
    def _hull(self) -> Floats:
        """Corners of a box about the body, body frame."""
        body = self.scene.body
        wide = max(1.0 + body.taper * body.half_length_mm, 1.0 - body.taper * body.half_length_mm)
        along = np.linspace(-body.half_length_mm, body.half_length_mm, 9)
        return np.array(
            [
                [x * wide * body.across_mm, y, z]
                for x in (-1.0, 1.0)
                for y in along
                for z in (body.deep_mm * (1.0 - wide), body.deep_mm)
            ]
        )

    @cached_property
    def _plates(self) -> Floats:
        assert self.rig.nozzle is not None
        corners = self.rig.nozzle.tags.corners_mm
        right, down = (corners[:, 1] - corners[:, 0]) / 8.0, (corners[:, 3] - corners[:, 0]) / 8.0
        return np.stack([corners[:, 0], right, down], axis=1)

    @property
    def _skin_tag_mm(self) -> float:
        return self.rig.skin.size_mm if self.rig.skin is not None else 0.0


def _rays(camera: Camera) -> Floats:
    grid = np.stack(np.meshgrid(np.arange(camera.width_px), np.arange(camera.height_px)), axis=-1)
    return np.ascontiguousarray(camera.unproject(grid.astype(float))[..., :2])


def _window(camera: Camera, points_rgb_mm: Floats, margin: int) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of the pixels that points may cover; the lens is left out far outside the picture."""
    near = points_rgb_mm[points_rgb_mm[:, 2] > 50.0]
    if not len(near):
        return 0, 0, 0, 0
    flat = near[:, :2] / near[:, 2:] * [camera.fx_px, camera.fy_px] + [camera.cx_px, camera.cy_px]
    size = np.array([camera.width_px, camera.height_px], float)
    inside = (np.abs(flat - size / 2.0) < 0.75 * size).all(axis=1, keepdims=True)
    px = np.where(inside, camera.project(near), flat)
    low = np.clip(np.floor(px.min(axis=0)) - margin, 0, size).astype(int)
    high = np.clip(np.ceil(px.max(axis=0)) + margin + 1, 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _around(
    whole: tuple[int, int, int, int], hole: tuple[int, int, int, int]
) -> Iterator[tuple[int, int, int, int]]:
    """The parts of one window outside another."""
    x0, y0, x1, y1 = whole
    a0, b0, a1, b1 = hole
    if a1 <= a0 or b1 <= b0:
        yield whole
        return
    yield x0, y0, x1, min(max(b0, y0), y1)
    yield x0, max(b0, y0), min(max(a0, x0), x1), min(b1, y1)
    yield max(min(a1, x1), x0), max(b0, y0), x1, min(b1, y1)
    yield x0, max(min(b1, y1), y0), x1, y1


def _box(radius_mm: float, low_mm: float, high_mm: float) -> Floats:
    return np.array(
        [
            [x, y, z]
            for x in (-radius_mm, radius_mm)
            for y in (-radius_mm, radius_mm)
            for z in np.linspace(low_mm, high_mm, 6)
        ]
    )


_EDGES_MM = np.array(
    [
        [REACH_MM / np.cos(np.pi / 6) * np.cos(turn), REACH_MM / np.cos(np.pi / 6) * np.sin(turn), z]
        for turn in np.pi / 6 + np.arange(6) * np.pi / 3
        for z in COLLAR_MM
    ]
)
"""Corners of the collar, nozzle frame."""


def _bits(number: int) -> Floats:
    """Modules of a tag, 1 = white, black border included, shape (8, 8)."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, DICTIONARY))
    return (cv2.aruco.generateImageMarker(dictionary, number, 8) > 127).astype(np.float64)


_NOZZLE_BITS = np.array([_bits(number) for number in range(12)])


def _srgb() -> Floats:
    light = np.arange(LIGHT_LEVELS + 1) / LIGHT_LEVELS
    coded = np.where(light > 0.0031308, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * light)
    return 255.0 * coded


_SRGB = _srgb()


def _texture(rng: np.random.Generator, side: int = 512) -> Floats:
    """Albedo a mm of skin, repeating; its last row and column are the first ones again."""
    albedo = np.full((side, side), 0.36)
    for sigma_mm, spread in ((2.0, 0.035), (7.0, 0.045)):
        noise = np.tile(rng.normal(0.0, 1.0, (side, side)), (2, 2))
        noise = cv2.GaussianBlur(noise, (0, 0), sigma_mm)[side // 2 : side // 2 + side, side // 2 :][:, :side]
        albedo += spread * noise / noise.std()
    return np.pad(np.clip(albedo, 0.05, 0.9), ((0, 1), (0, 1)), mode="wrap")
