"""What sounds and what is said large, by where the treatment stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guidance.console.told import state, word
from guidance.live.loop import Stepped
from guidance.live.pace import Pace
from guidance.session import Alarm, Announcement, Guidance, Shown, Sound
from guidance.treatment.commands import Move
from guidance.treatment.course import (
    CHECKLIST,
    DONE,
    PAUSED,
    PREFLIGHT,
    READY,
    RUNNING,
    STOPPED,
    TOUCH,
    Course,
)
from guidance.treatment.desk import Desk
from guidance.treatment.session import NotNowError
from guidance.treatment.trouble import STALLED_S
from guidance.treatment.wire import About
from tests.guidance.conftest import Scene
from tests.guidance.test_console_view import capture_of, setup_of
from vision.cameras import CameraState

HIGH, MEDIUM = Sound("high", "physiological"), Sound("medium", "physiological")


def told(sound: Sound | None) -> Announcement:
    alarm = Alarm("distance", "physiological", "high", "STOP: nozzle too near.", 7.0)
    return Announcement((Shown(alarm),) if sound else (), sound)


def desk(scene: Scene, phase: str, guidance: Guidance | None = None, *, pace: Pace | None = None) -> Desk:
    made = Desk(setup=setup_of(scene), asked=(), pace=pace)
    made.course = replace(Course(), phase=phase, stopped_by="stop" if phase == STOPPED else "")
    made.stepped(Stepped(1, capture_of(scene), guidance or scene.guidance(), 0.0, 0))
    return made


class Busy:
    """Stands for a run whose step does not end."""

    def __init__(self, busy_s: float, trouble: str | None = None) -> None:
        self.busy_s, self.trouble = busy_s, trouble


def test_gas_that_flows_after_stop_is_said_large_and_sounds(scene: Scene) -> None:
    flows = desk(scene, STOPPED, scene.guidance(gas_now=True))
    notice = flows.notice()
    assert notice is not None
    assert "GAS STILL FLOWS: close the valve" in notice.words
    assert flows.sound() == "high-technical"
    shut = desk(scene, STOPPED, scene.guidance(gas_now=False))
    assert "GAS" not in str(shut.notice())
    assert shut.sound() is None


def test_a_stop_of_the_skin_is_never_drowned_by_the_notice(scene: Scene) -> None:
    both = desk(scene, STOPPED, scene.guidance(gas_now=True, announcement=told(HIGH)))
    assert both.sound() == "high-physiological"


def test_before_the_zone_only_what_is_high_sounds(scene: Scene) -> None:
    for phase, sound in ((PREFLIGHT, None), (CHECKLIST, None), (READY, "medium-physiological")):
        assert desk(scene, phase, scene.guidance(announcement=told(MEDIUM))).sound() == sound
        assert desk(scene, phase, scene.guidance(announcement=told(HIGH))).sound() == "high-physiological"


def test_nothing_sounds_once_the_report_is_written(scene: Scene) -> None:
    assert desk(scene, DONE, scene.guidance(announcement=told(HIGH))).sound() is None


def test_a_step_that_does_not_end_is_an_alarm(scene: Scene) -> None:
    stuck = desk(scene, RUNNING)
    stuck.live = Busy(STALLED_S + 0.1)  # type: ignore[assignment]
    assert "Close the valve" in str(stuck.trouble())
    assert stuck.sound() == "high-technical"
    stuck.live = Busy(STALLED_S - 0.1)  # type: ignore[assignment]
    assert stuck.trouble() is None


def test_guidance_that_failed_is_an_alarm_and_stops_the_treatment(scene: Scene) -> None:
    failed = desk(scene, RUNNING)
    failed.ended("Guidance has failed (ValueError: time).")
    assert failed.course.phase == STOPPED
    assert failed.sound() == "high-technical"
    assert state(failed)["trouble"] == "Guidance has failed (ValueError: time)."
    ahead, whole = word(failed), state(failed)
    assert {name: ahead[name] for name in ("sound", "trouble")} == {
        name: whole[name] for name in ("sound", "trouble")
    }


def test_pause_holds_a_replay_and_resume_lets_it_go(scene: Scene) -> None:
    pace = Pace()
    pace.wait_until(0.0)
    held = desk(scene, RUNNING, pace=pace)
    held.do(Move("pause"))
    assert pace.held
    assert held.course.phase == PAUSED
    held.do(Move("resume"))
    assert not pace.held
    held.do(Move("pause"))
    held.do(Move("stop"))  # what comes after a stop is seen too
    assert not pace.held


def test_rewarming_counts_from_the_end_of_the_gas_and_starts_anew_with_it(scene: Scene) -> None:
    stopped = desk(scene, STOPPED, scene.guidance(t_s=8.0, gas_now=True))
    found = [stopped.rewarming_s]
    for t_s, gas in ((9.0, False), (12.0, False), (13.0, True), (14.0, False), (14.5, False)):
        stopped.stepped(Stepped(2, capture_of(scene), scene.guidance(t_s=t_s, gas_now=gas), 0.0, 0))
        found.append(stopped.rewarming_s)
    assert found == [None, 0.0, 3.0, None, 0.0, 0.5]


def test_alarms_cannot_be_acknowledged_where_nothing_runs(scene: Scene) -> None:
    with pytest.raises(NotNowError):
        desk(scene, STOPPED).about(About("acknowledge"))


@pytest.mark.parametrize(
    ("cause", "gas", "heard"),
    [
        ("contact", False, False),
        ("distance", False, False),
        ("contact", True, True),
        ("nozzle_lost", False, True),
    ],
)
def test_a_touch_that_is_asked_for_raises_no_stop_as_long_as_no_gas_flows(
    scene: Scene, cause: str, gas: bool, heard: bool
) -> None:
    alarm = Alarm(cause, "physiological", "high", "STOP: nozzle at the skin.", 7.0)
    announced = Announcement((Shown(alarm),), HIGH)
    touching = desk(scene, TOUCH, scene.guidance(announcement=announced, gas_now=gas))
    assert (touching.sound() is not None) == heard
    assert bool(touching.alarms()) == heard
    # On every other page it is a STOP.
    assert desk(scene, READY, scene.guidance(announcement=announced, gas_now=gas)).sound() is not None


def test_an_outline_in_pixels_is_no_placed_zone_where_a_rig_is_to_lay_it_on_the_skin(scene: Scene) -> None:
    waits = replace(scene.pixel_zone(), state="held")
    found = desk(scene, READY, scene.guidance(zone=waits)).situation
    assert not found.zone_placed
    assert found.zone_words == "its outline does not lie on the skin yet"
    bare = desk(scene, READY, scene.guidance(zone=waits))
    assert bare.setup is not None
    bare.setup = replace(bare.setup, rig=None)
    assert bare.situation.zone_placed  # more than pixels cannot be had there
    thermal = replace(scene.pixel_zone(), stream="thermal")
    assert desk(scene, READY, scene.guidance(zone=thermal)).situation.zone_placed
    assert desk(scene, READY, scene.guidance()).situation.zone_placed


def test_every_camera_that_is_gone_is_named(scene: Scene) -> None:
    gone = [
        CameraState(
            f"the {kind} camera", kind, "unplugged", 0.0, None, f"The {kind} camera is not there: plug it in."
        )
        for kind in ("colour", "thermal", "depth")
    ]
    course = desk(scene, RUNNING)
    for count, words in ((1, "Close the valve until it is back."), (3, "So it is with thermal and depth.")):
        course.cameras = lambda count=count: gone[:count]
        told = course.trouble()
        assert told is not None
        assert told.startswith("The colour camera is not there: plug it in.")
        assert words in told
