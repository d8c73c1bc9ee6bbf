"""Preflight sees a check of the rig that is made while it is open, and names what no longer holds."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from guidance.console import watches as console_watches
from guidance.console.watches import recheck
from guidance.rig_checked import rig_remarks
from guidance.treatment.camera_room import CameraRoom, Offered, RigOnDisk
from guidance.treatment.choice import Choices
from guidance.treatment.course import DETAILS, PREFLIGHT
from guidance.treatment.preflight import calibration_of
from models.catalogue import load_devices, load_protocols, load_questions, load_zones
from models.rig_checked import CheckedPart, RigChecked, write_checked
from models.validity import Found, Validity
from vision.synthetic_rig import real_rig
from vision.synthetic_scene import Scene

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
RIG = real_rig(Scene())


def checked(state: str, words: str) -> bytes:
    return write_checked(RigChecked(NOW, "a" * 64, (CheckedPart("cameras", state, words),))).encode()


class Beside:
    """The file beside the rig, and the room that reads it."""

    def __init__(self) -> None:
        self.text: bytes | None = None
        self.room = CameraRoom(
            cast(Any, None),
            rig=RigOnDisk(RIG, b"", "a" * 64, check=lambda: self.text),
            offered=Offered(Choices(load_zones(), load_devices(), load_protocols()), load_questions()),
        )


def test_a_rig_that_was_not_checked_is_told_with_the_command_that_checks_it() -> None:
    beside = Beside()
    told = {check.name: check for check in beside.room.preflight(now=NOW)}
    assert told["Calibration"].state == "ok"
    assert told["Rig check"].state == "look"
    assert "cryoguide calibrate check RECORDING --rig rig.toml" in told["Rig check"].words


def test_the_last_check_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = Beside()
    beside.text = checked("valid", "agree")
    later = NOW + timedelta(minutes=2)
    assert beside.room.preflight(now=later)[-1].words == "checked 2 min ago: valid"
    beside.text = checked("moved", "the thermal camera is turned")
    assert "the thermal camera is turned" in beside.room.preflight(now=later)[-1].words


def test_pages_in_preflight_are_told_of_a_check_made_meanwhile_and_not_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(console_watches, "RECHECK_S", 0.001)
    beside, woken = Beside(), list[int]()
    desk: Any = SimpleNamespace(course=SimpleNamespace(phase=PREFLIGHT))
    console: Any = SimpleNamespace(hello=None, wake=lambda: woken.append(1))

    async def turns(count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0.002)

    async def go() -> None:
        watching = asyncio.create_task(recheck(beside.room, desk, console))
        await turns(5)
        assert woken == [], "nothing changed"
        beside.text = checked("valid", "agree")
        await turns(20)
        assert len(woken) == 1
        assert any("valid" in check["words"] for check in console.hello["checks"])
        desk.course.phase = DETAILS
        beside.text = checked("moved", "turned")
        await turns(20)
        assert len(woken) == 1
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    asyncio.run(go())


def test_a_lens_found_again_is_told_with_what_to_do_in_order() -> None:
    found = (
        Found("rgb", NOW, "new", ()),
        Found("thermal", NOW, "t", (("rgb", "old"),)),
        Found("collar", NOW, "c", (("rgb", "old"),)),
    )
    told = calibration_of(replace(RIG, validity=Validity(found)), NOW)
    assert told.state == "look"
    assert "found with another lens of the colour camera" in told.words
    assert told.words.endswith("do calibrate thermal, then collar again")
    (said,) = rig_remarks(replace(RIG, validity=Validity(found)), now=NOW)
    assert said.startswith(
        f"Of the rig, this no longer holds: {told.words}; until then wider bounds are used"
    )
    assert rig_remarks(RIG, now=NOW) == rig_remarks(None, now=NOW) == ()


def test_the_age_is_that_of_the_part_that_was_found_first() -> None:
    """Any step renews the rig's own date."""
    old = Found("rgb", NOW - timedelta(days=40), "r", ())
    told = calibration_of(replace(RIG, created=NOW, validity=Validity((old,))), NOW)
    assert told.state == "look"
    assert told.words.startswith("40 days old")


def test_only_of_a_recording_it_is_said_that_its_calibration_was_old_when_it_was_recorded() -> None:
    rig = replace(RIG, created=NOW - timedelta(days=40), validity=Validity(()))
    assert calibration_of(rig, NOW).words == "40 days old"
    assert calibration_of(rig, NOW, recorded=True).words == "40 days old when it was recorded"
    assert calibration_of(rig, NOW).state == "look"
