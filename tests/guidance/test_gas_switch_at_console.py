"""A treatment with cameras and a gas switch at the console. All are stand-ins: no hardware."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from guidance.analyse import Run
from guidance.recording.replay import Recorded, replayed, setup_then
from guidance.session import Guidance
from tests.camera_place import Place
from tests.guidance.to_running import to_start
from tests.held_switch import HeldSwitch
from tests.in_time import in_time
from tests.served_console import Screen
from vision.mcap_recording import open_mcap

A = "a" * 32
DUE_S = 0.5


@pytest.fixture
def switch() -> HeldSwitch:
    return HeldSwitch()


@pytest.fixture
def place(tmp_path: Path, switch: HeldSwitch) -> Iterator[Place]:
    with ExitStack() as stack:
        yield Place(tmp_path, stack, switch=switch)


@pytest.fixture
def screen(place: Place) -> Iterator[Screen]:
    with Screen(place.server, A) as found:
        yield found


def hear_gas(screen: Screen, **wanted: object) -> None:
    screen.hear_until(
        lambda: bool(screen.state) and all(screen.state["gas_input"][k] == v for k, v in wanted.items())
    )


def test_a_switch_is_tried_guides_the_gas_and_is_replayed_to_the_last_bit(
    place: Place, screen: Screen, switch: HeldSwitch
) -> None:
    hear_gas(screen, ok=True, tried=False)
    assert "press it once" in screen.state["gas_input"]["words"]
    switch.held = True
    hear_gas(screen, flows=True)
    assert "now release it" in screen.state["gas_input"]["words"]
    switch.held = False
    hear_gas(screen, tried=True)
    to_start(screen)
    screen.until(phase="running", gas_counts=False)  # Start alone lets no gas flow
    switch.held = True
    screen.hear_until(lambda: screen.state["figures"]["gas"]["on"])
    screen.say("gas_off")
    screen.hear_until(lambda: "gas switch says" in screen.state["refused"])
    assert screen.state["gas_counts"]
    screen.say("pause")
    screen.until(phase="paused")
    assert "says the gas switch" in screen.state["notice"]["words"]
    switch.held = False
    screen.hear_until(lambda: not screen.state["figures"]["gas"]["on"])
    assert screen.state["figures"]["session_time"]["s"] > 0.0
    screen.say("resume")
    screen.until(phase="running", gas_counts=False)
    switch.held = True
    screen.hear_until(lambda: screen.state["figures"]["gas"]["on"])  # a step has taken it up
    screen.say("stop")
    screen.until(phase="stopped")
    assert "the gas switch says on" in screen.state["notice"]["words"]
    screen.say("finish")
    screen.hear_until(lambda: "confirm that the gas is off" in screen.state["refused"])
    switch.held = False
    screen.until(gas_counts=False)
    screen.say("finish")
    screen.until(phase="done", report=True)

    report = (place.server.out / "report.html").read_text()
    assert "said by Foot switch" in report
    assert "as the operator or a gas input said" in report

    recording = open_mcap(place.path, from_sightings=True)
    actions: list[str] = []
    again = Run(setup_then(recording), recording)

    def step(given: Recorded) -> Guidance:
        actions.extend(getattr(action, "name", "") for action in given.actions)
        return again.take(given.capture, given.actions, setup=given.setup)

    found = replayed(recording, step)
    assert (found.differing, found.what) == (0, "")
    # A busy machine may not listen for a while: that is recorded too, and the same word comes again.
    told = [name for name in actions if name in ("switch_on", "switch_off")]
    changes = [name for number, name in enumerate(told) if number == 0 or told[number - 1] != name]
    # A step may still take up that it was let go of after STOP.
    assert changes[:4] == ["switch_off", "switch_on", "switch_off", "switch_on"]
    assert changes[4:] in ([], ["switch_off"])
    logged = [json.loads(line) for line in place.path.with_suffix(".log").read_text().splitlines()]
    assert any("switch_on" in json.dumps(entry) for entry in logged)


def test_a_switch_that_is_lost_is_an_alarm_within_half_a_second_and_gas_counts(
    place: Place, screen: Screen, switch: HeldSwitch
) -> None:
    to_start(screen, until="ready")
    switch.held = True
    screen.hear_until(lambda: "before Start" in str(screen.state["notice"]))
    assert screen.state["sound"].startswith("high-")
    screen.hear_until(lambda: screen.state["figures"]["session_time"]["s"] > 0.0)
    switch.held = False
    screen.until(gas_counts=False)
    screen.say("start")
    screen.until(phase="running", gas_counts=False, trouble=None)

    def once() -> float:
        switch.unplug()
        began_s = time.monotonic()
        screen.hear_until(lambda: "Gas counts as flowing" in str(screen.state["trouble"]))
        took_s = time.monotonic() - began_s
        assert screen.state["sound"].startswith("high-")
        assert screen.state["phase"] == "running"
        assert screen.state["gas_counts"]
        screen.hear_until(lambda: screen.state["figures"]["gas"]["on"])
        screen.say("gas_off")
        screen.until(gas_counts=False)
        switch.plug_in()
        screen.until(trouble=None, gas_counts=False)
        return took_s

    assert in_time(once, within_s=DUE_S)
    switch.held = True
    screen.until(gas_counts=True)
