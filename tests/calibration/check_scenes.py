"""A target held before both cameras, drawn with known truth, as a session folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from calibration.board import Board
from calibration.sheets import TARGET
from models.camera import Camera
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import Rig
from models.rig_file import write_rig

FINE_PX_MM = 4.0
"""The drawing of the board, pixels a mm."""
SECONDS_A_POSE = 1.2


def lean(x_deg: float, y_deg: float, at_mm: tuple[float, float, float]) -> Pose:
    """A pose of the target: leaning, its middle at a place of the rgb frame."""
    turn = rotation_from_rvec(np.radians([x_deg, y_deg, 3.0]))
    middle = TARGET.corners_mm.mean(axis=0)
    return Pose.of(turn, np.array(at_mm) - turn @ middle)


POSES = (
    lean(28.0, 0.0, (-20.0, 0.0, 640.0)),
    lean(-10.0, 28.0, (40.0, 15.0, 560.0)),
    lean(-20.0, -22.0, (-10.0, 20.0, 700.0)),
)


def board_session(folder: Path, real: Rig, stated: Rig, *, reference_degc: float | None = None) -> Path:
    """Write a session: `POSES` one after the other, each still; warm tags' paper, cold ink."""
    folder.mkdir(parents=True)
    assert real.thermal is not None
    colour = [drawn(real.rgb, pose, dark=40.0, light=215.0, beside=120.0) for pose in POSES]
    thermal = [
        drawn(real.thermal.camera, real.thermal.thermal_from_rgb @ pose, dark=24.0, light=34.0, beside=22.0)
        for pose in POSES
    ]
    rng = np.random.default_rng(0)
    colour_s = np.arange(0.0, SECONDS_A_POSE * len(POSES), 0.1)
    with av.open(str(folder / "rgb.mp4"), "w") as container:
        video = container.add_stream("libx264", rate=10, options={"crf": "14", "preset": "ultrafast"})
        video.pix_fmt, video.width, video.height = "yuv420p", real.rgb.width_px, real.rgb.height_px
        for k, t_s in enumerate(colour_s):
            grey = np.clip(colour[int(t_s / SECONDS_A_POSE + 1e-9)], 0.0, 255.0).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, 2), format="bgr24")
            frame.pts = k
            container.mux(video.encode(frame))
        container.mux(video.encode())
    rows = "".join(f"{k},{t:.4f}\n" for k, t in enumerate(colour_s))
    (folder / "rgb.csv").write_text("index,t_s\n" + rows)
    thermal_s = np.arange(0.05, colour_s[-1], 0.11)
    pictures: list[Floats] = []
    for t_s in thermal_s:
        degc = thermal[int(t_s / SECONDS_A_POSE)] + rng.normal(0.0, 0.05, thermal[0].shape)
        if reference_degc is not None:
            degc[8:40, 8:40] = reference_degc + rng.normal(0.0, 0.05, (32, 32))
        pictures.append(degc)
    counts = np.rint(100.0 * (np.array(pictures) + 273.15)).astype(np.uint16)
    stamps = thermal_s - stated.thermal.rgb_minus_thermal_s if stated.thermal else thermal_s
    np.savez(folder / "thermal.npz", t_s=stamps, centikelvin=counts, flag=np.zeros(len(stamps), np.uint8))
    (folder / "rig.toml").write_text(write_rig(stated))
    (folder / "session.toml").write_text(
        'schema = "cryoguide.session/1"\nstarted = 2026-11-23T10:00:00Z\nzone = "calf"\nside = "left"\n'
        'device = "co2"\nprotocol = "co2-thermal-shock"\nroom_degc = 22.0\n'
        '[streams]\nrgb = "rgb.mp4"\nthermal = "thermal.npz"\n'
    )
    return folder


def drawn(camera: Camera, camera_from_board: Pose, *, dark: float, light: float, beside: float) -> Floats:
    """The board by rays, several a pixel where pixels are large, blurred by the lens."""
    texture = _texture(TARGET)
    fine = 1 if camera.width_px > 400 else 3
    x, y = np.meshgrid(
        (np.arange(fine * camera.width_px) + 0.5) / fine - 0.5,
        (np.arange(fine * camera.height_px) + 0.5) / fine - 0.5,
    )
    rays = camera.unproject(np.stack([x, y], axis=-1).reshape(-1, 2))
    board_from_camera = camera_from_board.inverse
    eye, way = board_from_camera.translation_mm, rays @ board_from_camera.rotation.T
    hit = eye - (eye[2] / way[:, 2])[:, None] * way
    places = ((hit[:, :2] + _MARGIN_MM) * FINE_PX_MM).astype(np.float32).reshape(*x.shape, 2)
    ink = cv2.remap(
        texture.astype(np.float32), places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderValue=-1.0
    )
    shade = np.where(ink < -0.5, beside, dark + (light - dark) * np.clip(ink, 0.0, 1.0))
    small = cv2.resize(shade, (camera.width_px, camera.height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.6), float)


_MARGIN_MM = 16.0


def _texture(board: Board) -> Floats:
    """Ink (0) and paper (1), a margin of paper round the tags."""
    corners = board.corners_mm.reshape(-1, 4, 3)
    size_mm = corners.max(axis=(0, 1))[:2] + 2.0 * _MARGIN_MM
    paper = np.ones((round(size_mm[1] * FINE_PX_MM), round(size_mm[0] * FINE_PX_MM)), np.float32)
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, board.dictionary))
    side = round(board.square_mm * FINE_PX_MM)
    for k, quad in enumerate(corners):
        tag = cv2.aruco.generateImageMarker(dictionary, board.first + k, side).astype(np.float32) / 255.0
        left, top = np.rint((quad[0, :2] + _MARGIN_MM) * FINE_PX_MM).astype(int)
        paper[top : top + side, left : left + side] = tag
    return np.asarray(cv2.GaussianBlur(paper, (0, 0), 1.5), np.float64)


def turned(
    rig: Rig, *, degrees: Sequence[float] = (0.0, 0.0, 0.0), shift_mm: Sequence[float] = (0.0,) * 3
) -> Pose:
    """``thermal_from_rgb`` of a camera that was turned or shifted."""
    assert rig.thermal is not None
    moved = Pose.of(rotation_from_rvec(np.radians(degrees)), np.array(shift_mm, float))
    return moved @ rig.thermal.thermal_from_rgb
