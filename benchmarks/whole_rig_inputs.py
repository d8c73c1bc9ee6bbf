"""What each step of calibration is given, drawn of the simulator's rig."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.guided_operator import RGB_PX, Truth
from benchmarks.guided_pictures import FlatPicture, collar_picture
from calibration.sheets import TARGET
from calibration.skin_error import camera_of
from models.geometry import Bytes, Counts, Floats, Pose, rotation_from_rvec
from models.rig_file import write_rig
from vision.synthetic_folder import write_session
from vision.synthetic_rig import real_rig, stated_rig
from vision.synthetic_scene import Body, Errors, Motion, Patch, Scene, Sweep, TrueJet

DEVICE_JET = TrueJet(half_mm=8.0, spread=0.12, film_w_m2k=170.0, power=0.6, gas_degc=-70.0)

_HEAD = (
    'schema = "cryoguide.session/1"\nstarted = 2026-11-28T10:00:00Z\nzone = "calf"\nside = "left"\n'
    'device = "ln2-wand"\nprotocol = "ln2-analgesia"\nroom_degc = 23.0\n'
)


def real_scene(seed: int) -> Scene:
    """The rig of all inputs: tags glued 0.2 mm off, thermal readings 1.2 degC and 1.5 % too warm."""
    errors = Errors(tag_placement_mm=0.2, camera_off_degc=1.2, camera_gain=0.015)
    return Scene(
        seed=seed,
        errors=errors,
        device="ln2-wand",
        protocol="ln2-analgesia",
        jet=DEVICE_JET,
        thermal_clock_s=-0.31,
    )


def thermal_counts(scene: Scene, degc: Floats, rng: np.random.Generator) -> Counts:
    """What the scene's thermal camera makes of true temperatures: spread, halo, its errors, noise."""
    narrow = np.asarray(cv2.GaussianBlur(degc, (0, 0), scene.thermal_blur_px), float)
    wide = np.asarray(cv2.GaussianBlur(degc, (0, 0), 7.0), float)
    seen: Floats = narrow + scene.thermal_share * (wide - narrow)
    seen = seen + scene.errors.camera_reads_too_warm_degc(0.0, seen)
    seen = seen + rng.normal(0.0, scene.thermal_noise_degc, seen.shape)
    return np.rint(100.0 * (seen + 273.15)).astype(np.uint16)


def draw_edge(folder: Path, scene: Scene) -> None:
    """A straight edge between plates of 12 and 34 degC, leaning a little otherwise in each picture."""
    folder.mkdir(parents=True)
    height, width = _thermal_shape(scene)
    rng = np.random.default_rng(1)
    y, x = np.indices((4 * height, 4 * width)) / 4.0
    for k in range(6):
        lean, at = rng.uniform(-0.15, 0.15), width / 2.0 + rng.uniform(-10.0, 10.0)
        cold = (x - at - lean * (y - height / 2.0)) > 0.0
        degc = cv2.resize(np.where(cold, 12.0, 34.0), (width, height), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{k}.png"), thermal_counts(scene, np.asarray(degc, float), rng))


def draw_references(folder: Path, scene: Scene, *, degc: float, looks: int = 4) -> None:
    """A session folder of one reference, large in the middle, the shutter closing between looks of 30 s."""
    folder.mkdir(parents=True)
    height, width = _thermal_shape(scene)
    rng = np.random.default_rng(round(10.0 * degc) + 2)
    # What the emissivity lacks of 1 mirrors the room; counts of the rig hold the emissivity of skin already.
    whole = np.full((height, width), scene.room_degc)
    whole[height // 5 : -height // 5, width // 5 : -width // 5] = degc
    t_s = np.arange(0.0, 32.0 * looks, 0.5)
    flag = (t_s % 32.0 > 30.0).astype(np.uint8)
    steps = rng.normal(0.0, 0.04, looks + 1)
    pictures = []
    for t in t_s:
        counts = thermal_counts(scene, whole, rng)
        pictures.append(counts.astype(int) + round(100.0 * steps[int(t // 32.0)]))
    np.savez_compressed(folder / "thermal.npz", t_s=t_s, centikelvin=np.array(pictures, np.uint16), flag=flag)


def draw_wave(folder: Path, scene: Scene, *, seconds: float = 15.0) -> None:
    """A warm hand waved irregularly before all cameras, a session folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    waves = [
        (0.25 * rng.normal(size=2) / np.sqrt(6.0), rng.uniform(0.2, 1.6), rng.uniform(0.0, 6.28, 2))
        for _ in range(10)
    ]

    def hand(t_s: float, wide: int, high: int) -> Floats:
        at = np.array([0.5, 0.38]) + sum(s * np.sin(2 * np.pi * f * t_s + p) for s, f, p in waves)
        y, x = np.mgrid[:high, :wide] / wide
        return np.exp(-0.5 * (((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.12**2) ** 2)

    colour_s = np.arange(0.0, seconds, 1.0 / scene.hz)
    small = [(48, 27)] * len(colour_s)
    frames = [120.0 + 70.0 * hand(float(t), *size) for t, size in zip(colour_s, small, strict=True)]
    _video(folder, [np.clip(f + rng.normal(0, 1.0, f.shape), 0, 255) for f in frames], colour_s, scene)
    height, width = _thermal_shape(scene)
    exposed_s = np.arange(0.02, seconds, 1.0 / scene.thermal_hz)
    thermal = [thermal_counts(scene, 23.0 + 9.0 * hand(float(t), width, height), rng) for t in exposed_s]
    _thermal(folder, scene, exposed_s, thermal)
    depth_s = np.arange(0.03, seconds, 0.1)
    depth = [np.rint(950.0 - 250.0 * hand(float(t), 640, 480)).astype(np.uint16) for t in depth_s]
    np.savez_compressed(folder / "depth.npz", t_s=depth_s, depth_mm=np.array(depth))
    _head(folder, scene, depth=True)


def draw_spin(folder: Path, truth: Truth) -> None:
    """Pictures of the nozzle spun about itself, sliding along its block."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(4)
    camera = camera_of(truth.rgb, size_px=RGB_PX)
    axis = np.array([0.0, 0.0, 1.0])
    first = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
        np.array([0.25, 0.0, 0.0])
    )
    middle = truth.tags.corners_mm.reshape(-1, 3).mean(axis=0)
    for k in range(60):
        turn = first @ rotation_from_rvec(axis * 2.0 * np.pi * k / 60.0)
        slide = 5.0 * rng.normal() * (turn @ axis)
        at = np.array([0.0, 0.0, 380.0]) + slide - first @ (middle * axis)
        picture = collar_picture(truth.tags, Pose.of(turn, at), camera, rng)
        cv2.imwrite(str(folder / f"{k:03d}.png"), picture)


def burst_scene(scene: Scene, *, distance_mm: float, gas_s: float = 2.5) -> Scene:
    """The nozzle in a stand over a flat warm surface, depth camera and all."""
    return replace(
        scene,
        seconds=1.4 + gas_s,
        body=Body(3000.0, 3000.0),
        motion=Motion(breath_mm=0.0, drift_mm_s=(0.0, 0.0, 0.0), turn_deg=0.0),
        sweep=Sweep(
            half_across_mm=0.0, half_along_mm=0.0, distance_mm=distance_mm, lean_deg=20.0, tremor_mm=0.3
        ),
        gas_s=(1.0, 1.0 + gas_s),
        outline_mm=None,
    )


def draw_bursts(folder: Path, scene: Scene, *, distance_mm: float) -> None:
    """One burst as a session folder."""
    write_session(burst_scene(scene, distance_mm=distance_mm), folder)


def draw_session(folder: Path, scene: Scene, *, seconds: float = 8.0) -> None:
    """A treatment of the same rig."""
    write_session(replace(scene, seconds=seconds), folder)


def draw_check(folder: Path, scene: Scene) -> None:
    """The target leaning before both cameras, a reference of 30 degC in a corner of the thermal picture."""
    folder.mkdir(parents=True)
    real = real_rig(scene)
    assert real.thermal is not None
    rng = np.random.default_rng(5)
    middle = TARGET.corners_mm.mean(axis=0)
    poses = []
    leans = (28.0, 0.0), (-10.0, 28.0), (-20.0, -22.0)
    places = (-20.0, 0.0, 640.0), (40.0, 15.0, 560.0), (0.0, 20.0, 700.0)
    for (x, y), at in zip(leans, places, strict=True):
        turn = rotation_from_rvec(np.radians([x, y, 3.0]))
        poses.append(Pose.of(turn, np.array(at) - turn @ middle))
    flat, warm = FlatPicture(TARGET, real.rgb), FlatPicture(TARGET, real.thermal.camera)
    colour = [flat.colour(pose, rng) for pose in poses]
    there = [warm.light(real.thermal.thermal_from_rgb @ pose) for pose in poses]
    colour_s = np.arange(0.0, 6.0, 0.1)
    _video(
        folder, [colour[min(int(t / 2.0), 2)][..., 0] for t in colour_s], colour_s, replace(scene, hz=10.0)
    )
    exposed_s, pictures = np.arange(0.05, 5.9, 0.11), []
    for t in exposed_s:
        white, cover = there[min(int(t / 2.0), 2)]
        degc = 23.0 + 15.0 * np.clip(cover - white, 0.0, 1.0)
        degc[8:40, 8:40] = 30.0
        pictures.append(thermal_counts(scene, degc, rng))
    _thermal(folder, scene, exposed_s, pictures)
    _head(folder, scene, depth=False, references=Patch())


def _thermal_shape(scene: Scene) -> tuple[int, int]:
    thermal = real_rig(scene).thermal
    assert thermal is not None
    return thermal.camera.height_px, thermal.camera.width_px


def _thermal(folder: Path, scene: Scene, exposed_s: Floats, pictures: list[Counts]) -> None:
    stamps = exposed_s - scene.thermal_clock_s
    flag = np.zeros(len(stamps), np.uint8)
    np.savez_compressed(folder / "thermal.npz", t_s=stamps, centikelvin=np.array(pictures), flag=flag)


def _video(folder: Path, pictures: Sequence[Floats | Bytes], t_s: Floats, scene: Scene) -> None:
    with av.open(str(folder / "rgb.mp4"), "w") as container:
        video = container.add_stream(
            "libx264", rate=round(scene.hz), options={"crf": "16", "preset": "veryfast"}
        )
        video.pix_fmt, (video.width, video.height) = "yuv420p", RGB_PX
        for k, picture in enumerate(pictures):
            grey = cv2.resize(np.asarray(picture, np.uint8), RGB_PX, interpolation=cv2.INTER_NEAREST)
            bgr = np.repeat(np.asarray(grey, np.uint8)[..., None], 3, 2)
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts = k
            container.mux(video.encode(frame))
        container.mux(video.encode())
    rows = "".join(f"{k},{t:.4f}\n" for k, t in enumerate(t_s))
    (folder / "rgb.csv").write_text("index,t_s\n" + rows)


def _head(folder: Path, scene: Scene, *, depth: bool, references: Patch | None = None) -> None:
    """Header and rig as the simulator's session has them, the clock off by 20 ms."""
    stated = stated_rig(scene)
    assert stated.thermal is not None
    stated = replace(
        stated, thermal=replace(stated.thermal, rgb_minus_thermal_s=scene.thermal_clock_s + 0.02)
    )
    (folder / "rig.toml").write_text(write_rig(stated))
    text = _HEAD + '\n[streams]\nrgb = "rgb.mp4"\nthermal = "thermal.npz"\n'
    text += 'depth = "depth.npz"\n' if depth else ""
    if references is not None:
        text += '\n[[reference]]\nstream = "thermal"\noutline_px = [[8, 8], [39, 8], [39, 39], [8, 39]]\n'
        text += "degc = 30.0\nu95_degc = 0.2\nemissivity = 0.98\n"
    (folder / "session.toml").write_text(text)
