"""Pictures of cameras that do not wait: each is recorded as it comes, whatever a look takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.folder_steps import ACCEPTED, REFUSED, StepTold
from calibration.recorded_hints import Hint, Hints
from calibration.recorded_plan import HOLD_S, SPREAD_PICTURES
from guidance.calibrating import recorded_flow
from guidance.calibrating.arriving import newest_of
from guidance.recording.bare import BareRecording, BareStatus
from models.capture import Capture, ThermalPicture
from models.problems import InputError
from tests.calibration.radiometry_scenes import SIZE, ErringCamera
from tests.guidance.calibration_stand_in import edges, references, standing, whole_rig
from tests.guidance.test_calibration_recorded import outcome, recorded
from vision.source import open_source

SOON_S = 30.0


def picture(k: int) -> Capture:
    """Number ``k``, with a thermal picture."""
    thermal = ThermalPicture(0.1 * k, np.full((3, 4), 30_000, np.uint16), False)
    return Capture(0.1 * k, k, np.zeros((3, 4, 3), np.uint8), (thermal,), (), 0.01, False)


def test_each_capture_is_taken_while_a_look_is_slow_and_the_newest_is_looked_at_then() -> None:
    taken: list[Capture] = []
    all_came = threading.Event()

    def captures() -> Iterator[Capture]:
        yield from map(picture, range(50))
        all_came.set()

    looked: list[Capture] = []
    for capture in newest_of(captures(), taken.append, stop=threading.Event()):
        looked.append(capture)
        assert all_came.wait(SOON_S)
    assert [one.index for one in taken] == list(range(50))
    assert len(looked) <= 2, "what is old is not looked at"
    assert looked[-1].index == 49
    assert sum(len(one.thermal) for one in looked) == 50, "nothing that was measured is lost to a look"
    assert sum(one.gas_s for one in looked) == pytest.approx(0.5)


def test_what_ends_the_pictures_is_told_after_those_that_came_before() -> None:
    def captures() -> Iterator[Capture]:
        yield picture(0)
        raise InputError("The camera is gone.")

    looked: list[Capture] = []
    with pytest.raises(InputError, match="The camera is gone"):
        looked.extend(newest_of(captures(), lambda _: None, stop=threading.Event()))
    assert [one.index for one in looked] == [0]


def test_a_recording_holds_every_picture_though_a_look_lasts_as_long_as_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of nine pictures a second, held five times for 2 s, all but one at each end."""
    over, looks = threading.Event(), list[float]()

    def slow(_: Hints, capture: Capture) -> tuple[Hint, ...]:
        looks.append(capture.t_s)
        if room.phase == "recording":
            assert over.wait(SOON_S)
        return ()

    monkeypatch.setattr(Hints, "see", slow)
    monkeypatch.setattr(Hints, "settled", lambda *_: False)  # so that each hold lasts its whole time
    sitting = standing(tmp_path, edges(), steps=("spread",), rig=whole_rig(), hurries=True)
    with sitting as (room, _):
        recorded(room)
        over.set()
        assert outcome(room)["state"] == ACCEPTED
    (file,) = (tmp_path / "keep" / "spread-recorded").glob("*.mcap")
    pictures = sum(len(one.thermal) for one in open_source(file).captures())
    assert pictures >= SPREAD_PICTURES * (HOLD_S * 9.0 - 2.0)
    assert looks


def test_a_fault_while_a_step_is_worked_out_is_told_and_it_can_be_recorded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page said that it could not go on, and the sitting was at its end."""

    def faulty(*_: object, **__: object) -> StepTold:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(recorded_flow, "solve_takes", faulty)
    with standing(tmp_path, edges(), steps=("spread",), rig=whole_rig()) as (room, _):
        recorded(room)
        told = outcome(room)
        assert told["state"] == REFUSED
        assert "This is a fault of cryoguide (ZeroDivisionError: nothing to divide by)" in told["lines"][0]
        assert room.trouble == ""
        room.again()
        assert room.phase == "ready"
    assert (tmp_path / "keep" / "spread-recorded-refused-1" / "000.mcap").exists()


def test_a_sitting_started_again_after_it_was_killed_goes_on_with_the_references_recorded_before(
    tmp_path: Path,
) -> None:
    rig = whole_rig(thermal_px=(SIZE[1], SIZE[0]))
    scenery = references(ErringCamera(), (1.0, 33.0))
    ice = {"degc": "0.4", "u95_degc": "0.3", "material": "water"}
    with standing(tmp_path, scenery, steps=("radiometry",), rig=rig) as (room, _):
        recorded(room, ice)
    unfinished = tmp_path / "keep" / "radiometry" / "001.mcap"
    unfinished.write_bytes(b"half of a block")
    with standing(tmp_path, scenery, steps=("radiometry",), rig=rig) as (room, _):
        told = room.told()[0]["recorded"]
        assert isinstance(told, dict)
        assert told["takes"] == ["the ice slurry: 0.4 degC"]
        assert told["take_title"] == "the warm block"
        assert [one["value"] for one in told["entries"]] == ["", "0.3", "tape", ""]
        assert not unfinished.exists()
        room.skip()
        room.go("radiometry")
        told = room.told()[0]["recorded"]
        assert isinstance(told, dict)
        assert told["takes"] == [], "done again by hand, it begins anew"


@pytest.mark.parametrize(("lost", "kept"), [(0, True), (1, False)])
def test_a_recording_is_kept_without_some_colour_pictures_but_not_without_captures(
    lost: int, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(BareRecording):
        def close(self, *, within_s: float | None = 20.0) -> BareStatus:
            words = "The disk does not keep up."
            status = super().close(within_s=within_s)
            return replace(status, pictures_left_out=3, captures_lost=lost, trouble=words)

    monkeypatch.setattr(recorded_flow, "BareRecording", Slow)
    rig = whole_rig(thermal_px=(SIZE[1], SIZE[0]))
    scenery = references(ErringCamera(), (1.0, 33.0))
    with standing(tmp_path, scenery, steps=("radiometry",), rig=rig) as (room, _):
        recorded(room, {"degc": "0.4", "u95_degc": "0.3", "material": "water"})
        told = room.told()[0]["recorded"]
        assert isinstance(told, dict)
        words = "the ice slurry: 0.4 degC (3 colour pictures left out, the disk did not keep up)"
        assert told["takes"] == ([words] if kept else [])
        assert told["trouble"] == ("" if kept else "The disk does not keep up.")
