"""The rig of a simulated session: as it really is, and as the product is told, with the session's header."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import DepthCamera, Nozzle, Rig, SkinTags, Tags, ThermalCamera
from models.treatment import Reference, Tap, Treatment
from vision.synthetic_scene import Patch, Scene

DICTIONARY = "DICT_APRILTAG_36h11"
TAG_MM = 25.0
FACE_MM = 1.25 * TAG_MM
"""A tag of 8 modules and one white module round it."""
REACH_MM = FACE_MM * np.sqrt(3.0) / 2.0
"""From the collar's axis to its faces."""
COLLAR_MM = (-100.0 - 1.5 * FACE_MM, -100.0 + 0.5 * FACE_MM)
"""Where the collar begins and ends on the nozzle's z axis; the orifice is at 0."""


def collar(side_mm: float = TAG_MM, *, dictionary: str = DICTIONARY) -> Tags:
    """Two rings of tags on a hexagonal prism as it is meant to be, the orifice 87.5 mm before the tags."""
    face_mm, h, corners = 1.25 * side_mm, side_mm / 2.0, []
    for ring in range(2):
        for face in range(6):
            turn = np.radians(60.0 * face)
            out = np.array([np.cos(turn), np.sin(turn), 0.0])
            right = np.array([np.sin(turn), -np.cos(turn), 0.0])
            centre = out * face_mm * np.sqrt(3.0) / 2.0 + [0.0, 0.0, -100.0 - ring * face_mm]
            up = np.array([0.0, 0.0, -1.0])
            ways = ((1, -1), (1, 1), (-1, 1), (-1, -1))
            corners.append([centre + h * (a * up + b * right) for a, b in ways])
    return Tags(dictionary, np.arange(12), np.array(corners))


def misplaced(tags: Tags, *, sigma_mm: float, seed: int) -> Tags:
    """The same tags, each shifted by itself and tilted so that its corners move by as much."""
    rng = np.random.default_rng(seed)
    corners = np.array(tags.corners_mm)
    half_mm = np.linalg.norm(corners[0, 1] - corners[0, 0]) / 2.0
    for k, own in enumerate(corners):
        turn = rotation_from_rvec(rng.normal(0.0, sigma_mm / half_mm, 3))
        corners[k] = (own - own.mean(axis=0)) @ turn.T + own.mean(axis=0) + rng.normal(0.0, sigma_mm, 3)
    return replace(tags, corners_mm=corners)


def real_rig(scene: Scene) -> Rig:
    """The rig as it really is (before a later bump of the thermal camera)."""
    size, none = scene.size, np.zeros(5)

    def camera(width: int, height: int, focal: float, lens: Floats, off: tuple[float, float]) -> Camera:
        w, h = round(width * size), round(height * size)
        return Camera(
            w, h, focal * size, 1.0015 * focal * size, w / 2 - 0.5 + off[0], h / 2 - 0.5 + off[1], lens
        )

    tags, errors = collar(), scene.errors
    if errors.tag_placement_mm > 0.0:
        tags = misplaced(tags, sigma_mm=errors.tag_placement_mm, seed=scene.seed + 1)
    thermal = ThermalCamera(
        camera(256, 192, 270.0, none, (1.7, -1.2)),
        scene.thermal_from_rgb(-np.inf),
        scene.thermal_clock_s,
        scene.thermal_latency_s,
        accuracy_degc=2.0,
        emissivity=0.98,
    )
    depth = DepthCamera(
        camera(640, 480, 610.0, none, (2.3, 1.1)),
        Pose.of(rotation_from_rvec(np.array([0.01, -0.06, 0.08])), np.array([60.0, -9.0, 7.0])),
    )
    numbers = tuple(tag.number for tag in scene.skin_tags)
    return Rig(
        created=datetime(2026, 11, 23, 9, tzinfo=UTC),
        rgb=camera(1280, 720, 1000.0, np.array(scene.lens), (3.2, -2.1)),
        transfer="srgb",
        rgb_rms_px=0.2,
        thermal=thermal if scene.thermal_hz > 0.0 else None,
        depth=depth if scene.depth_hz > 0.0 else None,
        nozzle=Nozzle(tags, 12.0),
        skin=SkinTags(DICTIONARY, 24.0, numbers) if numbers else None,
    )


def stated_rig(scene: Scene) -> Rig:
    """The rig as the product is told."""
    rig, errors = real_rig(scene), scene.errors
    longer = 1.0 + errors.focal_pct / 100.0
    rgb = replace(rig.rgb, fx_px=rig.rgb.fx_px * longer, fy_px=rig.rgb.fy_px * longer)
    rig = replace(rig, rgb=rgb, nozzle=Nozzle(collar(), 12.0))
    if rig.thermal is not None:
        stands = replace(scene, errors=replace(errors, thermal_turn_deg=0.0)).thermal_from_rgb(0.0)
        offset_s = scene.thermal_clock_s + errors.thermal_lag_s
        rig = replace(
            rig, thermal=replace(rig.thermal, thermal_from_rgb=stands, rgb_minus_thermal_s=offset_s)
        )
    if rig.skin is not None:
        told_mm = rig.skin.size_mm * (1.0 + errors.skin_tag_size_pct / 100.0)
        rig = replace(rig, skin=replace(rig.skin, size_mm=told_mm))
    return rig


def treatment_of(scene: Scene) -> Treatment:
    """Header of the session; the outline is tapped in the first picture."""
    taps: tuple[Tap, ...] = ()
    if scene.outline_mm is not None:
        turn = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
        skin = scene.body.skin(scene.outline_mm[0] * np.cos(turn), scene.outline_mm[1] * np.sin(turn))
        outline_px = real_rig(scene).rgb.project(scene.rgb_from_body(0.0).apply(skin))
        taps = (Tap(0.0, "rgb", outline_px),)
    gas_s = (scene.gas_s[0], min(scene.gas_s[1], scene.seconds))
    return Treatment(
        started=datetime(2026, 11, 23, 10, tzinfo=UTC),
        zone=scene.zone,
        side=scene.side,
        device=scene.device,
        protocol=scene.protocol,
        subject=None,
        subject_height_mm=None,
        room_degc=scene.room_degc,
        valve_s=(gas_s,) if gas_s[1] > gas_s[0] else (),
        taps=taps,
        references=() if scene.patch is None else (_stated_patch(scene, scene.patch),),
    )


def patch_px(scene: Scene, patch: Patch, *, half_px: float | None = None) -> Floats:
    """Corners of the reference in thermal pixels, shape (4, 2)."""
    half = patch.half_px if half_px is None else half_px
    corners = half * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return scene.size * (corners + np.array(patch.centre_px))


def _stated_patch(scene: Scene, patch: Patch) -> Reference:
    return Reference(
        stream="thermal",
        outline_px=patch_px(scene, patch),
        degc=patch.degc + patch.stated_off_degc,
        u95_degc=patch.u95_degc,
        emissivity=0.98,
    )
