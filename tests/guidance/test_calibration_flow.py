"""How calibration's page goes through recorded steps: what is asked, refused, left out, gone on with."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from calibration.folder_steps import ACCEPTED, REFUSED
from calibration.guided_run import Wanted
from calibration.options import add_calibrate
from calibration.outstanding import DONE, IMPOSSIBLE, LAPSED, NOT_YET, OPEN, outstanding
from calibration.recorded_hints import BAD, GOOD, WAITS, WHOLE_TURN_DEG, Hint, Hints, arc_deg
from calibration.recorded_plan import LEAST_LOOK_S, LOOK_S, LOOKS, PAUSE_S, SITTING, STEPS
from calibration.reference_looks import RECORDED_PAUSE_S
from calibration.sheets import TARGET
from calibration.take_clock import TakeClock
from guidance.calibrating import live
from guidance.calibrating.held_gas import HeldGas
from guidance.calibrating.room import CalibrationRoom
from guidance.calibrating.supply import Supply
from models.capture import Capture, ThermalPicture
from models.catalogue import load_devices
from models.geometry import rotation_from_rvec
from models.problems import InputError
from models.rig_file import write_rig
from models.validity import RESTS_ON
from tests.calibration.radiometry_scenes import SIZE, ErringCamera
from tests.calibration.test_guided_run import SHEETS
from tests.calibration.test_spread import edge
from tests.guidance.calibration_stand_in import GREY, counts, edges, references, standing, whole_rig
from tests.guidance.test_calibration_recorded import outcome, recorded, until
from vision.cameras import DeviceGoneError, Picture
from vision.connected import Connected

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SMALL = whole_rig(thermal_px=(SIZE[1], SIZE[0]))


def picture(t_s: float, *, shutter: bool = False) -> Capture:
    """One with a thermal picture."""
    thermal = ThermalPicture(t_s, np.full((24, 32), 30000, np.uint16), shutter)
    return Capture(t_s, 0, None, (thermal,), (), 0.0, False)


def test_every_step_has_its_words_and_comes_after_what_it_rests_on() -> None:
    assert set(SITTING) == set(RESTS_ON)
    for step, grounds in RESTS_ON.items():
        assert all(SITTING.index(ground) < SITTING.index(step) for ground in grounds)
    for step in STEPS.values():
        assert step.say.endswith(".")
        assert step.set_up
        assert step.lasts_s > 0.0


def test_a_look_ends_with_the_shutter_and_is_begun_anew_where_it_was_too_short() -> None:
    """The shutter closes at 6 s (too early), 30 s and 60 s: three looks of 10 s or more between them."""
    clock = TakeClock(STEPS["radiometry"].plan)
    kept: list[float] = []
    for k in range(2000):
        t_s = 0.1 * k
        shutter = any(0.0 <= t_s - at_s < 0.45 for at_s in (6.0, 30.0, 60.0))
        if clock.look(picture(t_s, shutter=shutter)):
            kept.append(t_s)
        if clock.is_over:
            break
    assert clock.looks_begun_anew == 1
    assert kept[-1] == pytest.approx(60.5 + LOOK_S, abs=1.0)
    assert max(np.diff(kept)) < 0.2, "the shutter itself is recorded, so that looks can be told apart"


def test_without_a_flag_looks_are_parted_by_a_pause_that_ends_a_look() -> None:
    clock = TakeClock(STEPS["radiometry"].plan)
    kept = [0.1 * k for k in range(1500) if clock.look(picture(0.1 * k)) and not clock.is_over]
    assert np.count_nonzero(np.diff(kept) > RECORDED_PAUSE_S) == LOOKS - 1
    assert kept[-1] == pytest.approx(LOOKS * LOOK_S + (LOOKS - 1) * PAUSE_S, abs=0.3)


def test_a_look_that_has_told_enough_is_over_but_never_before_its_least() -> None:
    """Settled from 4 s of each look on: over after 10 s. From 20 s on: over after 20 s."""
    for settles_s, lasts_s in ((4.0, LEAST_LOOK_S), (20.0, 20.0), (np.inf, LOOK_S)):
        now_s = [0.0]
        clock = TakeClock(
            STEPS["radiometry"].plan,
            settled=lambda since_s, now_s=now_s, after_s=settles_s: now_s[0] - since_s >= after_s,
        )
        while not clock.is_over:
            now_s[0] += 0.1
            clock.look(picture(now_s[0]))
        assert now_s[0] == pytest.approx(LOOKS * lasts_s + (LOOKS - 1) * PAUSE_S, abs=1.0)


def test_gas_is_told_by_the_held_button_and_ends_with_a_page_that_is_gone() -> None:
    now_s = [100.0]
    gas = HeldGas(clock=lambda: now_s[0])
    gas.began(100.0)
    now_s[0] = 101.0
    gas.flows(True)
    assert gas.flow(0.9, 1.1) == (pytest.approx(0.1), True)
    now_s[0] = 102.0
    gas.flows(True)
    now_s[0] = 105.0
    assert not gas.lost()
    assert gas.flow(1.1, 5.0) == (pytest.approx(0.9), False)
    assert gas.lost()
    assert not gas.lost()
    gas.flows(True)
    now_s[0] = 105.5
    gas.flows(False)
    assert gas.flow(5.0, 6.0) == (pytest.approx(0.5), False)


def test_a_burst_is_recorded_again_where_the_page_that_held_the_button_fell_silent(tmp_path: Path) -> None:
    """Whether gas flowed on, nobody knows: no burst is worked out from half of it."""
    silent = [False]
    with standing(tmp_path, edges(), steps=("jet",), rig=whole_rig()) as (room, _):
        room.gas_lost = lambda: silent[0]
        room.begin({"device": next(iter(load_devices())), "surface": "agar"})
        assert room.phase == "recording"
        silent[0] = True
        until(lambda: room.phase == "ready")
        told = room.told()[0]["recorded"]
        assert isinstance(told, dict)
        assert "record this burst again" in told["trouble"]
        assert told["takes"] == []
    assert list(tmp_path.rglob("*.mcap")) == []


def test_a_reference_without_its_temperature_is_not_recorded_and_none_is_taken_over_from_the_one_before(
    tmp_path: Path,
) -> None:
    scenery = references(ErringCamera(), (1.0, 33.0))
    with standing(tmp_path, scenery, steps=("radiometry",), rig=SMALL) as (room, _):
        room.begin({"degc": "", "u95_degc": "0.3", "material": "water"})
        told = room.told()[0]["recorded"]
        assert isinstance(told, dict)
        assert room.phase == "ready"
        assert "give degC, from -30 to 80" in told["trouble"]
        recorded(room, {"degc": "0.4", "u95_degc": "0.3", "material": "water"})
        told = room.told()[0]["recorded"]
        assert isinstance(told, dict)
        assert told["takes"] == ["the ice slurry: 0.4 degC"]
        assert [one["value"] for one in told["entries"]] == ["", "0.3", "tape", ""]
        room.enough()
        assert room.phase == "ready", "one reference is not enough"


def test_a_recording_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    scenery = references(ErringCamera(), (1.0, 33.0))
    with standing(tmp_path, scenery, steps=("radiometry",), rig=SMALL) as (room, _):
        room.begin({"degc": "0.4"})
        assert room.phase == "recording"
        room.cancel()
        assert room.phase == "ready"
        assert list((tmp_path / "keep" / "radiometry").iterdir()) == []


def test_what_is_refused_is_put_aside_and_recorded_anew(tmp_path: Path) -> None:
    """An edge that is nowhere still; then the rig is as it was."""
    before = write_rig(whole_rig())
    steps = ("spread",)
    with standing(tmp_path, references(ErringCamera(), (1.0,)), steps=steps, rig=whole_rig()) as (room, _):
        recorded(room)
        told = outcome(room)
        assert told["state"] == REFUSED
        assert (tmp_path / "rig.toml").read_text() == before
        room.again()
        assert room.phase == "ready"
        assert (tmp_path / "keep" / "spread-recorded-refused-1" / "000.mcap").exists()
        room.skip()
        assert room.phase == "over"
        assert room.told()[0]["steps"][0]["state"] == "missing"  # pyright: ignore[reportIndexIssue]


def test_a_step_that_the_cameras_do_not_allow_is_told_with_the_reason_and_not_offered(tmp_path: Path) -> None:
    steps, cameras = ("time", "axis", "jet"), ("colour",)
    with standing(tmp_path, edges(), steps=steps, rig=whole_rig(), cameras=cameras) as (room, _):
        head = room.told()[0]
        assert head["step"] == "axis"
        told = {one["name"]: one for one in head["steps"]}  # pyright: ignore[reportGeneralTypeIssues]
        assert told["time"]["words"] == "no thermal camera is connected"
        assert not told["jet"]["offered"]
        room.overview()
        room.go("jet")
        assert room.phase == "choose"


def stands(rig: Path, cameras: tuple[str, ...] = ("colour", "thermal", "depth")) -> dict[str, str]:
    return {one.name: one.state for one in outstanding(rig, cameras=cameras, now=NOW)}


def test_a_rig_that_is_not_there_begins_with_the_colour_camera(tmp_path: Path) -> None:
    told = stands(tmp_path / "rig.toml")
    assert told["rgb"] == OPEN
    assert {told[name] for name in SITTING if name != "rgb"} == {NOT_YET}
    assert stands(tmp_path / "rig.toml", ("colour",))["spread"] == IMPOSSIBLE


def test_what_was_done_is_told_with_its_date_and_error_and_what_has_lapsed_is_asked_for_again(
    tmp_path: Path,
) -> None:
    with standing(tmp_path, edges(), steps=("spread", "time"), rig=whole_rig()) as (room, _):
        recorded(room)
        assert outcome(room)["state"] == ACCEPTED
    rig = tmp_path / "rig.toml"
    found = {one.name: one for one in outstanding(rig, cameras=("colour",), now=datetime.now(UTC))}
    assert found["spread"].state == DONE, "done is done, whatever is plugged in today"
    assert "done on" in found["spread"].words
    assert "degC (95 %)" in found["spread"].words
    later = {
        one.name: one
        for one in outstanding(rig, cameras=("colour", "thermal"), now=datetime.now(UTC) + timedelta(31))
    }
    assert later["spread"].state == LAPSED
    assert "31 days ago" in later["spread"].words
    with standing(tmp_path, edges(), steps=SITTING, choose=True) as (room, _):
        assert room.phase == "choose"
        wanted = [one["name"] for one in room.told()[0]["steps"] if one["wanted"]]  # pyright: ignore[reportGeneralTypeIssues]
        assert "spread" not in wanted
        room.go("spread")
        assert room.phase == "ready", "any step can be done again by itself"


def test_gone_on_with_is_what_is_missing_one_after_the_other(tmp_path: Path) -> None:
    steps = ("spread", "time", "axis")
    with standing(tmp_path, edges(), steps=steps, rig=whole_rig(), choose=True) as (room, _):
        assert room.phase == "choose"
        room.go(None)
        for name in steps:
            assert room.told()[0]["step"] == name
            room.skip()
        assert room.phase == "over"
        room.go("check")
        assert (room.phase, room.told()[0]["step"]) == ("ready", "check")


def test_a_guided_step_that_cannot_go_on_leaves_the_others_open(tmp_path: Path) -> None:
    """The thermal camera without a rig: the page said that it cannot go on, and that was its end."""
    with standing(tmp_path, edges(), steps=("rgb", "thermal")) as (room, _):
        room.measured(None, insist=False)
        until(lambda: room.phase == "running")
        room.skip()
        until(lambda: room.phase == "stuck")
        assert "the colour camera must be calibrated first" in room.trouble
        room.overview()
        assert (room.phase, room.trouble) == ("choose", "")
        room.go("rgb")
        until(lambda: room.phase == "running")


def test_what_is_played_waits_until_the_recording_is_begun_and_says_where_it_was_too_short() -> None:
    seen: list[float] = []

    def played(stop: threading.Event) -> Iterator[Capture]:
        for capture in edges()(room, 0):
            if stop.is_set() or capture.t_s > 5.0:
                return
            seen.append(capture.t_s)
            yield capture

    with TemporaryDirectory() as folder:
        (Path(folder) / "rig.toml").write_text(write_rig(whole_rig()))
        wanted = Wanted(Path(folder) / "rig.toml", Path(folder) / "keep", SHEETS, ("spread",))
        room = CalibrationRoom(Supply(played, recorded=True), lambda _: wanted)
        room.start()
        until(lambda: bool(seen))
        threading.Event().wait(0.2)
        assert len(seen) == 1
        room.begin({})
        until(lambda: room.phase == "over")
        assert "play one that is longer" in str(room.told()[0]["steps"])
        room.stop()


def test_after_the_guided_steps_the_recorded_ones_follow_by_themselves(tmp_path: Path) -> None:
    with standing(tmp_path, edges(), steps=("rgb", "time", "axis"), rig=whole_rig()) as (room, _):
        room.measured(None, insist=False)
        until(lambda: room.phase == "running")
        room.skip()
        until(lambda: room.phase == "ready")
        assert room.told()[0]["step"] == "time"


class Fake:
    """A camera that is there, or (``absent``) is not."""

    hz = 9.0

    def __init__(self, kind: str, *, absent: bool = False) -> None:
        self.name = self.kind = kind
        self.absent, self.count = absent, 0

    def open(self) -> None:
        """At once, or never."""
        if self.absent:
            raise DeviceGoneError(f"{self.name} is not there or is in use by another program: plug it in.")

    def read(self) -> Picture:
        """Another one each 20 ms."""
        threading.Event().wait(0.02)
        self.count += 1
        pixels = np.full((4, 4), 30000 + self.count, np.uint16)
        return Picture(
            time.monotonic(),
            pixels if self.kind != "colour" else np.full((4, 4, 3), self.count % 256, np.uint8),
        )

    def close(self) -> None:
        """At once."""


def plugged_in(kinds: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "connected", lambda: [Connected(k, one) for k, one in enumerate(kinds)])
    monkeypatch.setattr(live, "driver_of", lambda one: Fake(one.name))
    monkeypatch.setattr(live, "every_camera", lambda _: [])


def test_without_a_thermal_camera_its_steps_are_told_as_not_possible_unless_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plugged_in(("colour",), monkeypatch)
    with ExitStack() as stack:
        room = live.room_of(options("--out", "rig.toml"), stack)
        assert room.phase == "print"
        stood = {one["name"]: one["stands"] for one in room.told()[0]["steps"]}  # pyright: ignore[reportGeneralTypeIssues]
        assert {name for name, state in stood.items() if state == IMPOSSIBLE} == {
            "thermal",
            "depth",
            "spread",
            "radiometry",
            "time",
            "jet",
        }
        with pytest.raises(InputError, match="No thermal camera is connected"):
            live.room_of(options("--steps", "radiometry"), stack)


def test_started_on_a_rig_that_is_there_the_page_begins_with_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rig.toml").write_text(write_rig(whole_rig()))
    plugged_in(("colour", "thermal"), monkeypatch)
    with ExitStack() as stack:
        assert live.room_of(options(), stack).phase == "choose"
    with ExitStack() as stack:
        alone = live.room_of(options("--steps", "check"), stack)
        assert (alone.phase, alone.told()[0]["step"]) == ("ready", "check")


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_calibrate(parser)
    return parser.parse_args(["live", *words])


def test_one_step_can_be_asked_for_by_itself() -> None:
    assert options().steps is None
    assert options("--steps", "radiometry").steps == ("radiometry",)
    assert options("--steps", "time,spread").steps == ("spread", "time")
    with pytest.raises(SystemExit):
        options("--steps", "print")


def hints(step: str) -> Hints:
    return Hints(STEPS[step], SMALL if step == "radiometry" else whole_rig(), TARGET)


def test_hints_tell_a_stream_that_does_not_come_and_an_edge_that_is_none() -> None:
    look = hints("spread")
    assert look.look(Capture(0.0, 0, GREY, (), (), 0.0, False))[0].state == WAITS
    told = look.look(Capture(3.0, 1, GREY, (), (), 0.0, False))
    assert (told[0].state, told[0].words) == (BAD, "No thermal picture comes: look after that camera")
    flat = ThermalPicture(4.0, counts(np.full((192, 256), 30.0)), False)
    assert "no step" in look.look(Capture(4.0, 2, GREY, (flat,), (), 0.0, False))[-1].words
    straight = ThermalPicture(6.0, counts(edge(share=0.09, seed=0)), False)
    assert look.look(Capture(6.0, 3, GREY, (straight,), (), 0.0, False))[-1].state == GOOD


def test_hints_tell_whether_both_cameras_see_motion() -> None:
    look, rng = hints("time"), np.random.default_rng(0)
    said: tuple[Hint, ...] = ()
    for k in range(40):
        bgr = np.clip(GREY + rng.normal(0.0, 2.0, GREY.shape), 0, 255).astype(np.uint8)
        degc = 25.0 + rng.normal(0.0, 0.05, (96, 128))
        if k > 10:
            bgr[:, 10 * (k % 20) : 10 * (k % 20) + 60] = 200
        said = look.look(
            Capture(0.1 * k, k, bgr, (ThermalPicture(0.1 * k, counts(degc), False),), (), 0.0, False)
        )
    assert [one.state for one in said[-2:]] == [GOOD, BAD]
    assert said
    assert said[-1].words == "The thermal camera sees no motion"


def test_a_rig_that_cannot_be_read_is_told_and_nothing_runs(tmp_path: Path) -> None:
    with standing(tmp_path, edges(), steps=("spread",), rig=whole_rig(), choose=True) as (room, _):
        (tmp_path / "rig.toml").write_text("no = [")
        room.go("spread")
        assert room.phase == "choose"
        assert "rig.toml" in str(room.told()[0]["choose_trouble"])


def test_a_spin_is_all_round_only_when_no_wide_part_of_the_turn_is_missing() -> None:
    """With steps of 5 degrees, three quarters of a turn go on, as does a turn with a gap of 40 degrees."""
    every = {k: rotation_from_rvec(np.array([0.0, 0.0, np.radians(k)])) for k in range(0, 360, 5)}
    of = {
        "whole": every,
        "three quarters": {k: one for k, one in every.items() if k < 270},
        "gap": {k: one for k, one in every.items() if not 100 <= k < 135},
    }
    over = {name: arc_deg(list(turns.values())) >= WHOLE_TURN_DEG for name, turns in of.items()}
    assert over == {"whole": True, "three quarters": False, "gap": False}
