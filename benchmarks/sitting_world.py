"""What the cameras of a sitting see: one drawn rig of known truth, each step as it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from benchmarks.guided_operator import RGB_PX, TICK_S, Operator, Truth
from benchmarks.guided_pictures import FlatPicture, collar_picture
from benchmarks.sitting_depth import boards_held
from benchmarks.sitting_hands import BoardHands, CollarHands, TipHands
from benchmarks.sitting_page import Technician
from benchmarks.whole_rig_inputs import burst_scene, thermal_counts
from calibration.board import OWN
from calibration.reference_reading import MATERIALS, shown_degc
from calibration.sheets import TARGET
from guidance.calibrating.room import RECORDING, RUNNING, CalibrationRoom
from models.capture import Capture, ThermalPicture
from models.geometry import Floats, Pose, rotation_from_rvec
from models.rig import Rig, exposed_thermal_s
from tests.guidance.calibration_stand_in import GREY, moved, waving
from vision.recording import open_recording
from vision.synthetic_folder import write_session
from vision.synthetic_rig import real_rig, stated_rig
from vision.synthetic_scene import Scene

BURSTS_MM = (75.0, 110.0, 150.0)
REFERENCES = ((0.4, "water"), (33.0, "tape"))
"""Degrees and surface."""
TURNS_S = (1.0, 2.0)
"""So long the edge moves after the page has said to turn it (own choice; not measured of hands)."""
SHUTTER_EACH_S, SHUTTER_S = 40.0, 0.5
IDLE = np.full((RGB_PX[1], RGB_PX[0], 3), 70, np.uint8)
"""While nothing is shown; as large as all colour pictures."""
COMES_S = 0.02
"""After its stamp, a picture is there."""
LATE_S = 0.05
"""After its exposure, a thermal picture of the check is there."""


@dataclass(eq=False)
class World:
    """Captures for a room; hands move as its page says, camera time stands while something is worked out."""

    scene: Scene
    truth: Truth
    folder: Path
    """Bursts that were drawn once lie there."""
    who: Operator = field(default_factory=Operator)
    dies: Callable[[str, dict[str, Any]], None] = lambda _step, _head: None
    """Asked before each picture, with what the page was told last."""
    room: CalibrationRoom | None = None
    technician: Technician | None = None

    def __post_init__(self) -> None:
        """Hands at rest, nothing drawn."""
        self.real: Rig = real_rig(self.scene)
        self._rng = np.random.default_rng([self.scene.seed, 11])
        self._hands: dict[str, BoardHands | CollarHands | TipHands] = {}
        self._flat: dict[str, FlatPicture] = {}
        self._thermometers = [
            (float(self._rng.uniform(-0.2, 0.2)), float(self._rng.uniform(-0.01, 0.01))) for _ in REFERENCES
        ]

    def entries(self, step: str, number: int) -> dict[str, str]:
        """What the technician types before a recording."""
        if step == "radiometry":
            degc, material = REFERENCES[min(number, 1)]
            read = degc + self._thermometers[min(number, 1)][0]
            return {"degc": f"{read:.2f}", "u95_degc": "0.3", "material": material}
        return {"device": self.scene.device, "surface": "skin"} if step == "jet" else {}

    def __call__(self, stop: threading.Event) -> Iterator[Capture]:
        """As the room asks for them."""
        assert self.room is not None
        assert self.technician is not None
        t_s, room, who = 0.0, self.room, self.technician
        while not stop.is_set() and not who.over.is_set():
            who.caught_up(room.number)
            head = who.head
            step = cast("str | None", head.get("step"))
            phase = room.phase
            if step is not None:
                self.dies(step, head)
            if phase == RUNNING and step is not None and head.get("phase") == RUNNING:
                t_s += TICK_S
                who.camera_s[step] = who.camera_s.get(step, 0.0) + TICK_S
                yield self._guided(step, head.get("advice") or {}, t_s)
            elif phase == RECORDING and step is not None:
                begun_s = t_s + TICK_S
                take = cast("dict[str, Any]", head["recorded"])["take"]
                for capture in self._recorded(step, take):
                    who.camera_s[step] = who.camera_s.get(step, 0.0) + begun_s + capture.t_s - t_s
                    t_s = begun_s + capture.t_s
                    yield moved(capture, begun_s)
                    who.caught_up(room.number)
                    self.dies(step, who.head)
                    # The next one may have begun already: then it is not this that is shown.
                    now = (who.head.get("recorded") or {}).get("take")
                    if room.phase != RECORDING or now != take or stop.is_set():
                        break
            else:
                stop.wait(0.05)
                if room.phase in (RUNNING, RECORDING) and room.phase != phase:
                    continue  # begun meanwhile: the next picture shows it
                t_s += TICK_S
                warm = ThermalPicture(t_s, np.full(self._shape(), 29_600, np.uint16), False)
                yield Capture(t_s, 0, IDLE, (warm,), (), 0.0, False)
        while not stop.wait(0.1):
            pass

    # --- guided steps ---------------------------------------------------------------------------------------

    def _guided(self, step: str, advice: dict[str, Any], t_s: float) -> Capture:
        if step not in self._hands:
            self._hands[step] = self._new_hands(step)
        pose = self._hands[step].hold(advice, t_s)
        assert self.real.thermal is not None
        warm: tuple[ThermalPicture, ...] = ()
        if step in ("rgb", "thermal"):
            bgr = self._flat_of(step, "colour").colour(pose, self._rng)
            if step == "thermal":
                there = self.real.thermal.thermal_from_rgb @ pose
                warm = (ThermalPicture(t_s, self._flat_of(step, "warm").thermal(there, self._rng), False),)
        else:
            bgr = collar_picture(self.truth.tags, pose, self.real.rgb, self._rng)
        return Capture(t_s, 0, bgr, warm, (), 0.0, False)

    def _new_hands(self, step: str) -> BoardHands | CollarHands | TipHands:
        if step == "collar":
            return CollarHands(self.truth, self.who, self._rng)
        if step == "tip":
            return TipHands(self.truth, self.real.rgb, self.who, self._rng)
        return BoardHands(OWN if step == "rgb" else TARGET, self.real.rgb, self.who, self._rng)

    def _flat_of(self, step: str, camera: str) -> FlatPicture:
        board = OWN if step == "rgb" else TARGET
        if f"{step} {camera}" not in self._flat:
            assert self.real.thermal is not None
            lens = self.real.rgb if camera == "colour" else self.real.thermal.camera
            self._flat = {key: one for key, one in self._flat.items() if key.startswith(step)}
            self._flat[f"{step} {camera}"] = FlatPicture(board, lens)
        return self._flat[f"{step} {camera}"]

    # --- recorded steps -------------------------------------------------------------------------------------

    def _recorded(self, step: str, take: int) -> Iterator[Capture]:
        if step == "depth":
            return boards_held(self.real, self._rng)
        if step == "spread":
            return self._edge()
        if step == "radiometry":
            return self._reference(min(take, 1))
        if step == "time":
            assert self.room is not None
            rig = stated_rig(self.scene)
            return waving(rig, late_s=-self.scene.thermal_clock_s, seed=self.scene.seed)(self.room, take)
        if step == "axis":
            return self._spin()
        return self._burst(BURSTS_MM[min(take, 2)]) if step == "jet" else self._check()

    def _warm(self, t_s: float, degc: Floats, *, shutter: bool = False) -> ThermalPicture:
        """Stamped as the camera stamps what comes now."""
        return ThermalPicture(t_s - COMES_S, thermal_counts(self.scene, degc, self._rng), shutter)

    def _shape(self) -> tuple[int, int]:
        assert self.real.thermal is not None
        return self.real.thermal.camera.height_px, self.real.thermal.camera.width_px

    def _edge(self) -> Iterator[Capture]:
        """Held as long as the page says so; turned and shifted for a moment when it says that."""
        assert self.technician is not None
        height, width = self._shape()
        y, x = np.indices((4 * height, 4 * width)) / 4.0
        rng, lean, at, was_kept, until_s = self._rng, 0.05, 0.0, True, 0.0
        for k in range(10_000):
            now = (self.technician.head.get("recorded") or {}).get("now") or {"kept": True}
            if not now["kept"] and was_kept:
                until_s = k / 9.0 + float(rng.uniform(*TURNS_S))
            if k / 9.0 < until_s:
                lean, at = float(rng.uniform(-0.15, 0.15)), float(rng.uniform(-10.0, 10.0))
            was_kept = bool(now["kept"])
            cold = (x - width / 2.0 - at - lean * (y - height / 2.0)) > 0.0
            degc = cv2.resize(np.where(cold, 12.0, 34.0), (width, height), interpolation=cv2.INTER_AREA)
            yield Capture(k / 9.0, k, GREY, (self._warm(k / 9.0, np.asarray(degc, float)),), (), 0.0, False)

    def _reference(self, take: int) -> Iterator[Capture]:
        """Large in the middle; what the emissivity lacks of 1 mirrors the room."""
        degc, material = REFERENCES[take]
        assert self.real.thermal is not None
        shown = shown_degc(
            degc,
            emissivity=MATERIALS[material] + self._thermometers[take][1],
            camera_emissivity=self.real.thermal.emissivity,
            room_degc=self.scene.room_degc,
        )
        height, width = self._shape()
        whole = np.full((height, width), self.scene.room_degc)
        whole[height // 5 : -height // 5, width // 5 : -width // 5] = shown
        phase_s, step = float(self._rng.uniform(0.0, SHUTTER_EACH_S)), 0.0
        for k in range(10_000):
            t_s = k / 4.0
            shutter = (t_s + phase_s) % SHUTTER_EACH_S >= SHUTTER_EACH_S - SHUTTER_S
            step = float(self._rng.normal(0.0, 0.04)) if shutter else step
            yield Capture(t_s, k, GREY, (self._warm(t_s, whole + step, shutter=shutter),), (), 0.0, False)

    def _spin(self, *, hz: float = 6.0) -> Iterator[Capture]:
        """As quickly as the hand turns all else, sliding along its block."""
        axis = np.array([0.0, 0.0, 1.0])
        first = rotation_from_rvec(np.array([-np.pi / 2.0, 0.0, 0.0])) @ rotation_from_rvec(
            np.array([0.25, 0.0, 0.0])
        )
        middle = self.truth.tags.corners_mm.reshape(-1, 3).mean(axis=0)
        for k in range(round(40.0 * hz)):
            turn = first @ rotation_from_rvec(axis * np.radians(self.who.turns_deg_s) * k / hz)
            slide = 5.0 * np.sin(0.8 * k / hz) * (turn @ axis)
            at = np.array([0.0, 0.0, 380.0]) + slide - first @ (middle * axis)
            bgr = collar_picture(self.truth.tags, Pose.of(turn, at), self.real.rgb, self._rng)
            yield Capture(k / hz, k, bgr, (), (), 0.0, False)

    def _burst(self, distance_mm: float) -> Iterator[Capture]:
        """Drawn once; 2 s without gas, 3 s of it, 2 s without."""
        at = self.folder / f"sitting-burst-{distance_mm:.0f}"
        if not at.exists():
            scene = burst_scene(self.scene, distance_mm=distance_mm, gas_s=3.0)
            scene = replace(scene, seconds=7.6, gas_s=(2.0, 5.0), hz=10.0, depth_hz=3.0)
            write_session(scene, at)
        recording = open_recording(at)
        assert recording.rig is not None
        assert recording.rig.thermal is not None
        return stamped(recording.captures(), recording.rig)

    def _check(self) -> Iterator[Capture]:
        """The target leaning once to each side."""
        rig = self.real
        assert rig.thermal is not None
        middle = TARGET.corners_mm.mean(axis=0)
        leans = (28.0, 0.0), (-10.0, 28.0), (-20.0, -22.0)
        places = (-20.0, 0.0, 640.0), (40.0, 15.0, 560.0), (0.0, 20.0, 700.0)
        poses: list[Pose] = []
        for (x, y), at in zip(leans, places, strict=True):
            turn = rotation_from_rvec(np.radians([x, y, 3.0]))
            poses.append(Pose.of(turn, np.array(at) - turn @ middle))
        flat, warm = self._flat_of("thermal", "colour"), self._flat_of("thermal", "warm")
        drawn = [flat.colour(pose, self._rng) for pose in poses]
        there = [warm.light(rig.thermal.thermal_from_rgb @ pose) for pose in poses]
        for k in range(90):
            t_s = k / 10.0
            white, cover = there[min(int(max(0.0, t_s - LATE_S) / 1.7), 2)]
            degc = 23.0 + 15.0 * np.clip(cover - white, 0.0, 1.0)
            picture = replace(self._warm(t_s, degc), t_s=t_s - LATE_S - self.scene.thermal_clock_s)
            yield Capture(t_s, k, drawn[min(int(t_s / 1.7), 2)], (picture,), (), 0.0, False)


def stamped(captures: Iterator[Capture], rig: Rig) -> Iterator[Capture]:
    """The same with thermal pictures as their camera stamps them, each there once its stamp has passed.

    Args:
        captures: Timed by a rig.
        rig: That rig.
    """
    assert rig.thermal is not None
    late_s = -float(exposed_thermal_s(rig.thermal, np.zeros(())))
    waiting: list[ThermalPicture] = []
    for capture in captures:
        waiting += [replace(one, t_s=one.t_s + late_s) for one in capture.thermal]
        came = tuple(one for one in waiting if one.t_s + COMES_S <= capture.t_s)
        waiting = [one for one in waiting if one.t_s + COMES_S > capture.t_s]
        yield replace(capture, thermal=came)
