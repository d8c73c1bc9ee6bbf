"""What a short recording shows for the quick check: a board in both cameras, touches, references, motion."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from calibration.board import Board, BoardView, find_board, find_tags
from calibration.check_touches import Touch, Touches
from calibration.check_views import SeenBoth, board_pose
from calibration.own_times import retimed
from models.camera_offset import PatchReading
from models.capture import Capture, ThermalPicture
from models.geometry import Bytes, Pose, rotation_from_rvec
from models.radiometry import Calibrated
from models.rig import Rig
from models.sightings import Lost, NozzleSighting
from models.treatment import Reference
from vision.nozzle import track_nozzle
from vision.nozzle_mask import nozzle_mask
from vision.nozzle_track import NozzleTrack
from vision.point_spread import USUAL, relied_on
from vision.reference_patch import place_of, read_patch
from vision.skin_tags import SkinTagTrack, see_skin_tags
from vision.source import open_source
from vision.thermal_watch import degrees

EVERY_S = 0.5
"""The board is looked for this often: it takes 20 ms a picture, and views of one place say the same."""
MOST_VIEWS = 8
LARGER = 3
"""Thermal pictures are enlarged so many times: a tag of 40 mm is 13 px wide at 0.8 m, its modules 2."""
STILL_PX = 4.0
"""A board that moves by more between two colour pictures is not brought to the time of a thermal one."""
LONGEST_S = 60.0
"""After the first capture, whatever the cameras' clock was at then; what comes later is not looked at."""
WAITING = 64
"""Thermal pictures, 2.5 s of them at 25 Hz."""
TEMPERATURE_EVERY_S = 0.2
ROOM_DEGC = 23.0
"""Where the session does not say."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that was seen."""

    views: tuple[SeenBoth, ...]
    touches: tuple[Touch, ...]
    readings: tuple[PatchReading, ...]
    """One for each reference that was read, of all its pictures."""
    board_words: str
    """Why there are no views, where there are none."""


def gather(
    recording: Path,
    rig: Rig,
    board: Board,
    *,
    references: tuple[Reference, ...] | None,
    calibrated: Calibrated | None = None,
) -> Evidence:
    """Look at all pictures of a recording.

    Args:
        recording: Session folder or recording of a live session.
        rig: To be checked.
        board: That may be shown.
        references: In the thermal picture; None = those of the session.
        calibrated: What calibration found of the thermal camera, taken out of its readings.

    Raises:
        InputError: If the recording cannot be read.
    """
    source = open_source(recording)
    told = source.treatment.references if references is None else references
    room = source.treatment.room_degc
    look = _Look(rig, board, told, ROOM_DEGC if room is None else room, calibrated)
    first_s: float | None = None
    for capture in source.captures():
        first_s = capture.t_s if first_s is None else first_s
        if capture.t_s - first_s > LONGEST_S:
            break
        look.take(retimed(capture, then=source.rig, now=rig))
    return look.evidence()


@dataclass(eq=False)
class _Look:
    rig: Rig
    board: Board
    references: tuple[Reference, ...]
    room_degc: float
    calibrated: Calibrated | None
    colour: deque[tuple[float, Bytes]] = field(default_factory=lambda: deque[tuple[float, Bytes]](maxlen=8))
    waiting: deque[ThermalPicture] = field(default_factory=lambda: deque[ThermalPicture](maxlen=WAITING))
    """For a colour picture as late as they: before the clocks are calibrated, all may be stamped ahead."""
    views: list[SeenBoth] = field(default_factory=list[SeenBoth])
    why: str = "the board was not in sight of the colour camera"
    looked_s: float = -np.inf
    read_s: float = -np.inf
    nozzle: NozzleTrack | None = None
    tags: SkinTagTrack = field(default_factory=SkinTagTrack.start)
    touches: Touches = field(default_factory=Touches)
    readings: dict[int, list[PatchReading]] = field(default_factory=dict[int, list[PatchReading]])

    def take(self, capture: Capture) -> None:
        sighting: NozzleSighting | Lost = Lost("no nozzle", capture.t_s)
        if capture.bgr is not None:
            self.colour.append((capture.t_s, capture.bgr))
            patches, self.tags = see_skin_tags(self.tags, capture.bgr, t_s=capture.t_s, rig=self.rig)
            for patch in patches:
                half = 0.5 * (self.rig.skin.size_mm if self.rig.skin is not None else 0.0)
                corners = half * np.array([[0, 0, 0], [-1, -1, 0], [-1, 1, 0], [1, -1, 0], [1, 1, 0]], float)
                for k, point in enumerate(patch.rgb_from_tag.apply(corners)):
                    self.touches.points_rgb_mm[f"skin tag {patch.tag}" + (f" corner {k}" if k else "")] = (
                        point
                    )
            if self.rig.nozzle is not None:
                self.nozzle = self.nozzle or NozzleTrack.start()
                sighting, self.nozzle = track_nozzle(self.nozzle, capture.bgr, t_s=capture.t_s, rig=self.rig)
                self.touches.add(sighting)
            if not capture.thermal and capture.t_s - self.looked_s > 2.0 * EVERY_S:
                self._see_board(None)
        for picture in capture.thermal:
            if picture.shutter:
                continue
            self.waiting.append(picture)
            if picture.t_s - self.read_s >= TEMPERATURE_EVERY_S:
                self._read(picture, sighting)
        while self.waiting and self.colour and self.waiting[0].t_s <= self.colour[-1][0]:
            picture = self.waiting.popleft()
            if picture.t_s - self.looked_s >= EVERY_S and len(self.views) < MOST_VIEWS:
                self._see_board(picture)

    def _see_board(self, picture: ThermalPicture | None) -> None:
        """The board as both cameras have it at the time of a thermal picture."""
        t_s = self.colour[-1][0] if picture is None and self.colour else picture.t_s if picture else 0.0
        before = [one for one in self.colour if one[0] <= t_s]
        after = [one for one in self.colour if one[0] >= t_s]
        if not before or not after:
            self.why = "no colour picture was taken about the time of a thermal one; calibrate `time` first"
            return
        self.looked_s = t_s
        first, last = before[-1], after[0]
        start, end = (find_board(_grey(bgr), self.board, name=f"{s:.2f} s") for s, bgr in (first, last))
        if isinstance(start, str) or isinstance(end, str):
            self.why = f"the colour picture {start if isinstance(start, str) else end}"
            return
        rgb = _between(start, end, 0.0 if last[0] <= first[0] else (t_s - first[0]) / (last[0] - first[0]))
        if rgb is None:
            self.why = "the board was not held still"
            return
        pose = board_pose(rgb, self.board.corners_mm, self.rig.rgb)
        rgb_from_board = Pose.of(rotation_from_rvec(pose[:3]), pose[3:])
        for k, point in enumerate(rgb_from_board.apply(self.board.corners_mm)):
            self.touches.points_rgb_mm[f"board corner {k}"] = point
        thermal = self._in_thermal(picture) if picture is not None else None
        self.views.append(SeenBoth(rgb, thermal))

    def _in_thermal(self, picture: ThermalPicture) -> BoardView | None:
        if self.board.kind != "tags":
            return None
        degc = degrees(picture, floor_centikelvin=None)
        if not np.isfinite(degc).any():
            return None
        low, high = np.nanpercentile(degc, (0.5, 99.5))
        grey = np.clip((np.nan_to_num(degc, nan=low) - low) / max(high - low, 0.1), 0.0, 1.0)
        wide = cv2.resize(grey, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)
        light = np.clip(255.0 * wide, 0.0, 255.0).astype(np.uint8)
        found = find_tags(light, self.board, name="", refinement=cv2.aruco.CORNER_REFINE_CONTOUR)
        if isinstance(found, str):
            return None
        return BoardView(found.name, found.ids, (found.corners_px + 0.5) / LARGER - 0.5)

    def _read(self, picture: ThermalPicture, nozzle: NozzleSighting | Lost) -> None:
        if self.rig.thermal is None or not self.references:
            return
        self.read_s = picture.t_s
        camera = self.rig.thermal.camera
        hidden = nozzle_mask(camera, self.rig.thermal.thermal_from_rgb, self.rig, nozzle)
        degc = degrees(picture, floor_centikelvin=None)
        if self.calibrated is not None:
            degc = self.calibrated.corrected_degc(degc)
        for k, reference in enumerate(self.references):
            place = place_of(reference, self.rig, *degc.shape)
            if place is None:
                continue
            reading = read_patch(
                degc,
                hidden,
                place,
                reference,
                spread=relied_on(self.rig.thermal.spread, None) if self.rig.thermal.spread else USUAL,
                camera_emissivity=self.rig.thermal.emissivity,
                room_degc=self.room_degc,
            )
            if reading is not None:
                self.readings.setdefault(k, []).append(reading)

    def evidence(self) -> Evidence:
        middles = (
            sorted(many, key=lambda one: one.off_degc)[len(many) // 2] for many in self.readings.values()
        )
        return Evidence(tuple(self.views), self.touches.found(), tuple(middles), self.why)


def _grey(bgr: Bytes) -> Bytes:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)


def _between(start: BoardView, end: BoardView, share: float) -> BoardView | None:
    """Corners at a time between two views; None where they moved too far."""
    ids, a, b = np.intersect1d(start.ids, end.ids, return_indices=True)
    if len(ids) < 8:
        return None
    from_px, to_px = start.corners_px[a], end.corners_px[b]
    if float(np.linalg.norm(to_px - from_px, axis=1).max()) > STILL_PX:
        return None
    return BoardView(start.name, ids, from_px + share * (to_px - from_px))
