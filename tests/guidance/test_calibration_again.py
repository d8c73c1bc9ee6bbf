"""One of several recordings made again by itself, and the room that references mirror."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calibration import recorded_solve
from calibration.folder_steps import ACCEPTED, REFUSED, StepTold
from calibration.recorded_solve import Take, entries_trouble, solve_takes
from guidance.calibrating.room import CalibrationRoom
from tests.calibration.radiometry_scenes import SIZE, ErringCamera
from tests.guidance.calibration_stand_in import references, standing, whole_rig
from tests.guidance.test_calibration_page import hung_up, joined
from tests.guidance.test_calibration_recorded import outcome, recorded, until
from vision.files import sha256_of
from vision.mcap_recording import open_mcap

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
RIG = whole_rig(thermal_px=(SIZE[1], SIZE[0]))
ICE = {"degc": "0.4", "u95_degc": "0.3", "material": "water"}
BLOCK = {"degc": "33.5", "u95_degc": "0.3", "material": "tape"}


def flow(room: CalibrationRoom) -> dict:
    told = room.told()[0]["recorded"]
    assert isinstance(told, dict)
    return told


def test_one_reference_of_a_refused_step_is_recorded_again_alone_and_the_other_stays(tmp_path: Path) -> None:
    """The block's temperature was told 20 degC too low; the third recording is of the block again.

    What was refused is looked at for as long as may be, since a short look does not show slow noise.
    """
    scenery = references(ErringCamera(), (1.0, 33.0, 33.0))
    kept = tmp_path / "keep" / "radiometry"
    with standing(tmp_path, scenery, steps=("radiometry",), rig=RIG) as (room, _):
        assert flow(room)["least_s"] < flow(room)["lasts_s"]
        recorded(room, ICE)
        recorded(room, {**BLOCK, "degc": "12"})
        room.enough()
        assert outcome(room)["state"] == REFUSED
        ice, block = (sha256_of(kept / f"00{k}.mcap") for k in (0, 1))
        room.again(1)
        told = flow(room)
        assert (room.phase, told["again"], told["take_title"]) == ("ready", 1, "the warm block")
        assert not told["may_solve"]
        assert told["least_s"] == told["lasts_s"]
        values = {one["key"]: one["value"] for one in told["entries"]}
        assert values["degc"] == "", "a temperature is never taken over unseen"
        assert values["material"] == "tape"
        room.enough()
        assert room.phase == "ready", "nothing is worked out while one is to be recorded again"
        recorded(room, BLOCK)
        told = flow(room)
        assert told["takes"] == ["the ice slurry: 0.4 degC", "the warm block: 33.5 degC"]
        assert told["may_solve"]
        assert sha256_of(kept / "000.mcap") == ice
        assert sha256_of(kept / "001.mcap") != block
        assert sha256_of(kept / "001.mcap-refused-1") == block
        longer = open_mcap(kept / "001.mcap").duration_s
        assert longer > open_mcap(kept / "000.mcap").duration_s + 10.0
        room.enough()
        assert outcome(room)["state"] == ACCEPTED, outcome(room)["lines"]


def test_a_recording_that_was_to_be_made_again_stays_where_the_new_one_is_stopped_or_not_wanted(
    tmp_path: Path,
) -> None:
    scenery = references(ErringCamera(), (1.0, 33.0))
    kept = tmp_path / "keep" / "radiometry"
    with standing(tmp_path, scenery, steps=("radiometry",), rig=RIG) as (room, _):
        recorded(room, ICE)
        before = sha256_of(kept / "000.mcap")
        room.again(0)
        room.begin(ICE)
        assert room.phase == "recording"
        assert [one.name for one in kept.iterdir() if one.suffix == ".mcap"] == ["000.mcap"]
        room.cancel()
        assert room.phase == "ready"
        assert [one.name for one in kept.iterdir() if one.suffix == ".mcap"] == ["000.mcap"]
        assert sha256_of(kept / "000.mcap") == before
        assert flow(room)["again"] == 0
        room.keep()
        assert flow(room)["again"] is None
        assert flow(room)["take"] == 1
        room.again(5)
        assert flow(room)["again"] is None, "there is no such recording"


def words_of(monkeypatch: pytest.MonkeyPatch, *rooms: str) -> StepTold | list[str]:
    """What the command is told where the room was told so before each recording."""
    said: list[list[str]] = []

    def run(name: str, *_: object, words: list[str], **__: object) -> StepTold:
        said.append(words)
        return StepTold(name, ACCEPTED, ())

    monkeypatch.setattr(recorded_solve, "run_further", run)
    takes = [Take(Path(f"{k}.mcap"), {**ICE, "room_degc": one}, "") for k, one in enumerate(rooms)]
    told = solve_takes("radiometry", Path("keep"), Path("rig.toml"), takes, board="own", force=False, now=NOW)
    return said[0] if said else told


def test_the_rooms_temperature_goes_to_the_command_and_an_unknown_one_stays_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = words_of(monkeypatch, "21,0", "22.0")
    assert isinstance(words, list)
    assert words[-1] == "--room-degc=21.5"
    told_once = words_of(monkeypatch, "", " 24 ")
    assert isinstance(told_once, list)
    assert told_once[-1] == "--room-degc=24"
    unknown = words_of(monkeypatch, "", "")
    assert isinstance(unknown, list)
    assert not any("room" in word for word in unknown)
    other = words_of(monkeypatch, "18", "24")
    assert isinstance(other, StepTold)
    assert other.state == REFUSED
    assert "of 18 and of 24 degC" in other.lines[0]


def test_a_room_that_no_room_is_like_is_told_before_anything_is_recorded() -> None:
    assert entries_trouble("radiometry", {**ICE, "room_degc": ""}) is None
    assert entries_trouble("radiometry", {**ICE, "room_degc": "-4,5"}) is None
    for words in ("295", "warm", "nan"):
        trouble = entries_trouble("radiometry", {**ICE, "room_degc": words})
        assert trouble is not None
        assert "temperature of the room" in trouble
        assert "nothing where it was not measured" in trouble


def test_what_was_told_of_the_room_is_asked_again_with_its_value(tmp_path: Path) -> None:
    scenery = references(ErringCamera(), (1.0, 33.0))
    with standing(tmp_path, scenery, steps=("radiometry",), rig=RIG) as (room, _):
        recorded(room, {**ICE, "room_degc": "21.5"})
        until(lambda: room.phase == "ready")
        values = {one["key"]: (one["value"], one["unknown"]) for one in flow(room)["entries"]}
        assert values["room_degc"] == ("21.5", "not known")
        assert values["degc"] == ("", "")


def test_strange_words_of_a_recording_to_be_made_again_are_turned_away(tmp_path: Path) -> None:
    scenery = references(ErringCamera(), (1.0,))
    with standing(tmp_path, scenery, steps=("radiometry",), rig=RIG) as (_, port):
        for take in (-1, 1.5, True, "0", 1000):
            with joined(port) as line:
                line.send(json.dumps({"do": "again", "take": take}))
                assert hung_up(line)
