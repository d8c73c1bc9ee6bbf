"""Poses of the nozzle, from whatever shows them: files of poses, pictures, a video, or a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from calibration.pictures import picture_files
from calibration.poses_file import SUFFIXES, TrackedPoses, read_poses
from models.geometry import Bytes, Pose, frozen
from models.problems import InputError
from models.rig import Rig
from models.sightings import NozzleSighting
from vision.nozzle import track_nozzle
from vision.nozzle_track import NozzleTrack
from vision.source import SUFFIX, open_source
from vision.video import colour_pictures, probe_video

VIDEOS = (".mp4", ".mov", ".avi", ".mkv")

APART_DEG = 2.5
"""Poses of a moving picture that are turned by less say what the one before said, errors included: a nozzle
that was held still now and then counted twice, and a pivot that is right was refused for it."""

MOST_POSES = 400
"""More of a long recording are thinned evenly."""

STILL_S = 10.0
"""Single pictures are taken to be so far apart that each is searched by itself."""


def poses_of(
    path: Path, rig: Rig | None, *, where: str, from_s: float | None = None, to_s: float | None = None
) -> TrackedPoses:
    """Poses ``rgb_from_nozzle``, or of files as they are.

    Args:
        path: Folder or file of poses; folder of pictures; video; session folder or recording.
        rig: Whose colour camera and collar they show; needed for all but poses.
        where: Name of the rig, for messages.
        from_s: Of a video or recording: nothing before is looked at.
        to_s: Likewise nothing after.

    Raises:
        InputError: If nothing can be read, the rig lacks what it takes, or no picture shows the nozzle.
    """
    if _holds_poses(path):
        return read_poses(path)
    if rig is None or rig.nozzle is None:
        lacks = "name the rig with --rig" if rig is None else f"{where} has no [nozzle]"
        raise InputError(
            f"{path} holds pictures, not poses; {lacks}: its camera and collar find the nozzle in them."
        )
    if from_s is not None and to_s is not None and from_s >= to_s:
        raise InputError(
            f"--from-s {from_s:g} is not before --to-s {to_s:g}; give the time that is looked at."
        )
    moving = _moves(path)
    track, last = NozzleTrack.start(), None
    names: list[str] = []
    poses: list[Pose] = []
    looked = 0
    for name, t_s, bgr in _pictures(path):
        if (from_s is not None and t_s < from_s) or (to_s is not None and t_s > to_s):
            continue
        if bgr.shape[:2] != (rig.rgb.height_px, rig.rgb.width_px):
            raise InputError(
                f"{path} is not of the rig's {rig.rgb.width_px} x {rig.rgb.height_px} pixels; take pictures"
                " by its own colour camera."
            )
        looked += 1
        sighting, track = track_nozzle(track, bgr, t_s=t_s, rig=rig)
        if not isinstance(sighting, NozzleSighting) or sighting.state != "tracked":
            continue
        here = sighting.rgb_from_nozzle
        if moving and last is not None and _turned_deg(last, here) < APART_DEG:
            continue
        names.append(name)
        poses.append(here)
        last = here
    if not looked:
        within = "" if from_s is None and to_s is None else " between --from-s and --to-s"
        raise InputError(f"{path} holds no picture that can be read{within}; give another, or take it again.")
    print(f"The nozzle was found in {len(poses)} of {looked} pictures of {path}" + (
        ", each turned against the one before" if moving else ""
    ))  # fmt: skip
    if not poses:
        raise InputError(f"No picture of {path} shows the nozzle; take them again, the collar in sight.")
    keep = np.unique(np.linspace(0, len(poses) - 1, min(len(poses), MOST_POSES)).round().astype(int))
    return TrackedPoses(
        tuple(names[k] for k in keep),
        frozen(np.array([poses[k].rotation for k in keep])),
        frozen(np.array([poses[k].translation_mm for k in keep])),
    )


def _holds_poses(path: Path) -> bool:
    if not path.exists():
        raise InputError(f"{path} is not there; give poses, pictures, a video or a recording of the nozzle.")
    if path.is_dir():
        return any(file.suffix.lower() in SUFFIXES for file in path.iterdir()) and not _is_session(path)
    return path.suffix.lower() in SUFFIXES


def _is_session(path: Path) -> bool:
    return path.is_dir() and (path / "session.toml").exists()


def _moves(path: Path) -> bool:
    """Whether pictures follow each other as they were taken."""
    return not path.is_dir() or _is_session(path) or _one_video(path) is not None


def _one_video(folder: Path) -> Path | None:
    videos = [file for file in folder.iterdir() if file.suffix.lower() in VIDEOS]
    return videos[0] if len(videos) == 1 else None


def _pictures(path: Path) -> Iterator[tuple[str, float, Bytes]]:
    """Name, time and picture, blue green red."""
    if path.suffix.lower() == SUFFIX or _is_session(path):
        for capture in open_source(path).captures():
            if capture.bgr is not None:
                yield f"{capture.t_s:.2f} s", capture.t_s, capture.bgr
        return
    video = _one_video(path) if path.is_dir() else path
    if video is not None:
        told = probe_video(video, where=str(video))
        for k, frame in enumerate(colour_pictures(told)):
            if frame is not None:
                yield f"{told.times_s[k]:.2f} s", float(told.times_s[k]), frame
        return
    for k, file in enumerate(picture_files(path)):
        data = np.frombuffer(file.read_bytes(), np.uint8)
        how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        picture = cv2.imdecode(data, how) if len(data) else None
        if picture is not None:
            yield file.name, STILL_S * k, np.asarray(picture, np.uint8)


def _turned_deg(before: Pose, now: Pose) -> float:
    cosine = (np.trace(before.rotation.T @ now.rotation) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
