"""A treatment with cameras at the console. They are stand-ins that play a recorded session: no hardware."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guidance.checklist.answers import judge_checklist
from guidance.recording.replay import replayed, setup_then
from guidance.run import Run
from guidance.treatment.resume import interrupted
from models.catalogue import load_questions
from tests.camera_place import Place
from tests.guidance.to_running import CALF_CO2, to_start
from tests.in_time import in_time
from tests.served_console import CALF, Screen
from vision.cameras import COLOUR, THERMAL
from vision.mcap_recording import open_mcap

A = "a" * 32
DUE_S = 0.5


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path, stack)


@pytest.fixture
def screen(place: Place) -> Iterator[Screen]:
    with Screen(place.server, A) as found:
        yield found


def to_running(screen: Screen) -> None:
    to_start(screen)
    screen.until(phase="running", gas_counts=True)


def test_from_choosing_to_a_report_with_cameras(place: Place, screen: Screen) -> None:
    """Gas counts from Start on, through a pause and STOP, until the operator says that it is off."""
    screen.hear_until(lambda: bool(screen.state) and all(camera["ok"] for camera in screen.state["cameras"]))
    # Before anything is chosen the picture is there, with nothing drawn on it.
    screen.hear_until(lambda: any("jpeg" in parts for _, parts in screen.pictures))
    assert screen.state["phase"] == "preflight"
    assert not any("outline" in head for head, _ in screen.pictures)
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
    place: Place, screen: Screen, kind: str
) -> None:
    to_running(screen)

    def once() -> float:
        screen.until(trouble=None)
        place.device(kind).unplug()
        began_s = time.monotonic()
        screen.hear_until(lambda: "plug it in" in str(screen.state["trouble"]))
        took_s = time.monotonic() - began_s
        assert screen.state["sound"].startswith("high-")
        assert screen.state["phase"] == "running"
        place.device(kind).plug_in()
        screen.until(trouble=None)
        return took_s

    assert in_time(once, within_s=DUE_S)
    at_s = screen.state["t_s"]
    screen.hear_until(lambda: screen.state["t_s"] > at_s + 0.3)


def test_a_treatment_with_cameras_goes_on_from_one_that_was_interrupted(tmp_path: Path) -> None:
    """Gas flowed as its recording broke off, and nobody knows how long: it counts for every second since."""
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        first = Place(folders[0], stack)
        with Screen(first.server, A) as screen:
            to_running(screen)
            screen.hear_until(lambda: screen.state["figures"]["session_time"]["s"] > 1.0)
        recorded = first.server.served.run.state
    before = interrupted(first.path, now=datetime.now(UTC), say=lambda _: None)
    assert before.run.state.gas_total_s >= recorded.gas_total_s - 0.5
    with ExitStack() as stack:
        second = Place(folders[1], stack, before=before)
        with Screen(second.server, A) as screen:
            screen.hear_until(lambda: bool(screen.state))
            assert screen.state["choice"] == CALF_CO2
            assert screen.state["operator"] == "OP-1"
            to_running(screen)
            gap_s = before.gap_s(datetime.now(UTC))
            session_s = screen.state["figures"]["session_time"]["s"]
            unassigned_s = screen.state["figures"]["gas"]["unassigned_s"]
    assert before.run.state.gas_total_s < session_s <= before.run.state.gas_total_s + gap_s
    assert 0.0 < unassigned_s <= gap_s


def test_what_does_not_go_together_is_refused(screen: Screen) -> None:
    screen.say("confirm_sound")
    screen.until(sound_confirmed=True, missing="")
    screen.say("next")
    screen.say("identify", operator="OP-1", subject="")
    screen.until(phase="details", missing="Choose zone, side, device and protocol.")
    screen.say("choose", **(CALF_CO2 | {"device": "ln2-wand"}))
    screen.hear_until(lambda: "another device" in screen.state["refused"])
    screen.say("choose", **(CALF_CO2 | {"zone": "cheek"}))
    screen.hear_until(lambda: "lies on the face" in screen.state["refused"])
    screen.say("choose", **(CALF_CO2 | {"side": "both"}))
    screen.hear_until(lambda: "a side that it has" in screen.state["refused"])
    assert screen.state["choice"]["zone"] == ""
