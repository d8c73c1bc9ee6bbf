"""A treatment with cameras at the console. They are stand-ins that play a recorded session: no hardware."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from guidance.analyse import Run
from guidance.camera_room import CameraRoom
from guidance.checklist import judge_checklist
from guidance.console_choice import Choices
from guidance.live_recording import LiveRecording
from guidance.replay import replayed, setup_then
from models.catalogue import load_devices, load_protocols, load_questions, load_zones
from tests.recorded_device import RecordedDevice, devices_of
from tests.served_console import CALF, Running, Screen, serving
from vision.cameras import COLOUR, THERMAL
from vision.files import sha256_of
from vision.live_cameras import LiveCameras
from vision.mcap_recording import open_mcap
from vision.recording import open_recording

A = "a" * 32
DUE_S = 0.5
HZ = 12.0
CALF_CO2 = {"zone": "calf", "side": "left", "device": "co2", "protocol": "co2-thermal-shock"}


class Place:
    """Stand-in cameras, and a console beside them."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.devices = devices_of(CALF, captures=60, hz=HZ)
        recording = open_recording(CALF)
        assert recording.rig is not None
        cameras = stack.enter_context(LiveCameras(list(self.devices.values())))
        room = CameraRoom(
            cameras,
            rig=recording.rig,
            rig_text=(CALF / "rig.toml").read_bytes(),
            rig_sha256=sha256_of(CALF / "rig.toml"),
            choices=Choices(load_zones(), load_devices(), load_protocols()),
            listed=load_questions(),
            taps=recording.treatment.taps,
        )
        self.path = folder / "a.mcap"
        self.server: Running = stack.enter_context(
            serving(room, out=folder / "report", record=lambda staged: LiveRecording(self.path, staged))
        )
        self.screen = stack.enter_context(Screen(self.server, A))

    def device(self, kind: str) -> RecordedDevice:
        return self.devices[kind]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path, stack)


def to_running(screen: Screen) -> None:
    screen.say("confirm_sound")
    screen.until(sound_confirmed=True, missing="")
    screen.say("next")
    screen.say("identify", operator="OP-1", subject="A-017")
    screen.until(phase="details", missing="Choose zone, side, device and protocol.")
    screen.say("choose", **CALF_CO2)
    screen.until(missing="")
    screen.say("next")
    screen.until(phase="checklist")
    screen.hear_until(lambda: bool(screen.hello["questions"]))
    for question in screen.hello["questions"]:
        screen.say("answer", question=question["name"], answer="no", reason="")
    screen.until(missing="")
    screen.say("next")
    screen.until(phase="zone", missing="")
    screen.say("next")
    screen.until(phase="ready")
    screen.say("start")
    screen.until(phase="running", gas_counts=True)


def test_from_choosing_to_a_report_with_cameras(place: Place) -> None:
    """Gas counts from Start on, through a pause and STOP, until the operator says that it is off."""
    screen = place.screen
    screen.hear_until(lambda: bool(screen.state) and all(camera["ok"] for camera in screen.state["cameras"]))
    to_running(screen)
    assert screen.hello["title"] == "Calf, left"
    screen.hear_until(lambda: screen.state["figures"]["gas"]["on"])
    screen.say("pause")
    screen.until(phase="paused")
    assert "until you tap GAS IS OFF" in screen.state["notice"]["words"]
    paused_s = screen.state["figures"]["session_time"]["s"]
    screen.hear_until(lambda: screen.state["figures"]["session_time"]["s"] > paused_s + 0.3)
    screen.say("gas_off")
    screen.hear_until(lambda: not screen.state["figures"]["gas"]["on"])
    off_s = screen.state["figures"]["session_time"]["s"]
    at_s = screen.state["t_s"]
    screen.hear_until(lambda: screen.state["t_s"] > at_s + 0.5)
    assert screen.state["figures"]["session_time"]["s"] == off_s
    screen.say("resume")
    screen.until(phase="running", gas_counts=True)
    screen.say("stop")
    screen.until(phase="stopped")
    assert "GAS IS OFF" in screen.state["notice"]["words"]
    screen.say("finish")
    screen.hear_until(lambda: "confirm that the gas is off" in screen.state["refused"])
    screen.say("gas_off")
    screen.until(gas_counts=False)
    screen.say("finish")
    screen.until(phase="done", report=True)
    summary = json.loads((place.server.out / "summary.json").read_text())
    assert summary["checklist"]["verdict"] == "clear"
    assert summary["zone"]["name"] == "calf"
    recording = open_mcap(place.path, from_sightings=True)
    again = Run(setup_then(recording), recording)
    found = replayed(recording, lambda given: again.take(given.capture, given.actions, setup=given.setup))
    assert (found.differing, found.what) == (0, "")
    assert recording.attached("rig.toml") == (CALF / "rig.toml").read_bytes()
    assert recording.treatment.subject == "A-017"
    checked = judge_checklist(
        lambda: recording.attached("checklist.toml"), recording.treatment, load_questions()
    )
    assert checked.verdict == "clear", checked.remark


@pytest.mark.parametrize("kind", [COLOUR, THERMAL])
def test_a_camera_that_stops_is_an_alarm_within_half_a_second_and_may_come_back(
    place: Place, kind: str
) -> None:
    screen = place.screen
    to_running(screen)
    screen.until(trouble=None)
    place.device(kind).unplug()
    began_s = time.monotonic()
    screen.hear_until(lambda: "plug it in" in str(screen.state["trouble"]))
    assert time.monotonic() - began_s < DUE_S
    assert screen.state["sound"].startswith("high-")
    assert screen.state["phase"] == "running"
    place.device(kind).plug_in()
    screen.until(trouble=None)
    at_s = screen.state["t_s"]
    screen.hear_until(lambda: screen.state["t_s"] > at_s + 0.3)


def test_what_does_not_go_together_is_refused(place: Place) -> None:
    screen = place.screen
    screen.say("confirm_sound")
    screen.until(sound_confirmed=True, missing="")
    screen.say("next")
    screen.say("choose", **(CALF_CO2 | {"device": "ln2-wand"}))
    screen.hear_until(lambda: "another device" in screen.state["refused"])
    screen.say("choose", **(CALF_CO2 | {"zone": "cheek"}))
    screen.hear_until(lambda: "lies on the face" in screen.state["refused"])
    screen.say("choose", **(CALF_CO2 | {"side": "both"}))
    screen.hear_until(lambda: "a side that it has" in screen.state["refused"])
    assert screen.state["choice"]["zone"] == ""
