"""The zone changed by taps and drags in a real browser, treated, recorded, replayed and analysed again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from guidance.analyse import Run
from guidance.recording.command import log_of
from guidance.recording.replay import inputs, replayed, setup_then
from guidance.treatment.recording import LiveRecording
from guidance.treatment.resume import interrupted
from guidance.zone_actions import ZONE_ACTIONS, TouchSkipped
from models.chart import PlacedChart
from models.geometry import Floats
from tests.chromium import MISSING, Browser, Tab, chromium
from tests.console_screens import kept
from tests.guidance.test_console_browser import WATCH, answer_all, hear, phase, reads
from tests.served_console import Running, running
from tests.touching import ABOVE_MM, LEAN_DEG, touching_scene
from vision.mcap_recording import open_mcap
from vision.synthetic_folder import write_session

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)


def point(tab: Tab, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the camera lies on the page."""
    script = f"""(() => {{
        const canvas = document.querySelector("#picture"), box = canvas.getBoundingClientRect();
        const [across, down] = [box.width / canvas.width, box.height / canvas.height];
        return [box.x + ({x} + 0.5) * across, box.y + ({y} + 0.5) * down];
    }})()"""
    at = tab.run(script)
    return float(at[0]), float(at[1])


def press(tab: Tab, *places: tuple[float, float]) -> None:
    """A finger set down at the first place, drawn over the others, and lifted at the last."""
    at = [point(tab, x, y) for x, y in places]
    for kind, (x, y) in [("mousePressed", at[0]), *(("mouseMoved", p) for p in at[1:])]:
        tab.mouse(kind, x, y)
    tab.mouse("mouseReleased", *at[-1])


def place_of(server: Running) -> PlacedChart:
    latest = server.served.desk.latest
    assert latest is not None
    assert isinstance(latest.guidance.zone, PlacedChart)
    return latest.guidance.zone


def px_of(server: Running, cells: str) -> Floats:
    place, rig = place_of(server), server.served.staged.setup.rig
    assert rig is not None
    return rig.rgb.project(place.position_rgb_mm[getattr(place.chart, cells)])


def off(px: Floats, right_px: float = 0.0, down_px: float = 0.0) -> tuple[float, float]:
    x, y = px.tolist()
    return x + right_px, y + down_px


def edits(tab: Tab, server: Running, count: int) -> None:
    """Until so many have been followed, and the page has heard of it."""
    tab.until(f'document.querySelector("#marks").dataset.edits === "{count}"')
    latest = server.served.desk.latest
    assert latest is not None
    assert latest.guidance.edited is not None
    assert (latest.guidance.edited.count, latest.guidance.edited.refused) == (count, "")


def test_the_zone_is_changed_by_taps_and_treated_as_it_was_changed(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with running(tmp_path / "report", speed=2.0, record=lambda staged: LiveRecording(path, staged)) as server:
        tab = browser.open(f"http://{server.host}/")
        tab.run(WATCH)
        hear(tab)
        tab.tap("#next")
        # The picture is there before anything is answered.
        tab.until('document.querySelector("#picture").width > 300')
        tab.type("#operator", "OP-1")
        tab.tap("#next")
        answer_all(tab)
        tab.tap("#next")
        tab.until(phase("zone"))
        tab.until("!document.querySelector('#marks').hidden")
        # The recording stands still before its gas: what is changed shows all the same.
        tab.until(f'{reads("#source")}.includes("held")')
        found = px_of(server, "in_zone").mean(0)
        tab.tap("#zone-right")
        edits(tab, server, 1)
        tab.tap("#zone-right")
        tab.tap("#zone-up")
        edits(tab, server, 3)
        moved = px_of(server, "in_zone").mean(0)
        assert moved[0] > found[0] + 4.0
        assert moved[1] < found[1] - 1.0
        tab.tap("#zone-cw")
        tab.tap("#zone-larger")
        edits(tab, server, 5)
        kept(tab, "z1-moved")
        press(tab, off(moved), off(moved, -8.0, 0.0), off(moved, -20.0, 3.0))
        edits(tab, server, 6)
        assert px_of(server, "in_zone").mean(0)[0] < moved[0] - 8.0
        tab.until('!document.querySelector("#zone-as-found").disabled')
        tab.tap("#zone-as-found")
        edits(tab, server, 7)
        assert px_of(server, "in_zone").mean(0) == pytest.approx(found, abs=0.5)
        # An outline by hand: points, one taken back, closed.
        tab.tap("#mode-outline")
        corners = [(-45.0, -28.0), (50.0, -26.0), (55.0, 30.0), (200.0, 200.0)]
        for k, corner in enumerate(corners):
            press(tab, off(found, *corner))
            tab.until(f'document.querySelector("#card-zone").textContent.includes("{k + 1} point")')
        tab.tap("#outline-undo")
        press(tab, off(found, -65.0, 30.0))
        tab.until('document.querySelector("#card-zone").textContent.includes("4 points")')
        kept(tab, "z2-outline")
        tab.tap("#outline-close")
        edits(tab, server, 8)
        assert "by hand" in tab.until('document.querySelector("#zone-as-found").textContent')
        # A mole: a circle, made larger; one more and taken back.
        tab.tap("#mode-leave")
        mole = np.array(off(found, -20.0, 0.0))
        press(tab, off(mole))
        edits(tab, server, 9)
        tab.tap('[data-area="1"] .larger')
        edits(tab, server, 10)
        press(tab, off(found, 30.0, 5.0))
        edits(tab, server, 11)
        tab.tap('[data-area="2"] .remove')
        edits(tab, server, 12)
        kept(tab, "z3-left-out")
        out = px_of(server, "left_out")
        assert np.linalg.norm(out.mean(0) - mole) < 4.0
        # Off the skin nothing is marked, and it is said.
        press(tab, (5.0, 5.0))
        tab.until(f'{reads("#toast")}.includes("no known skin")')
        chart = place_of(server).chart
        tab.tap("#next")
        tab.until(phase("touch"))
        press(tab, off(found))
        tab.until(f'{reads("#touch-words")}.includes("Put the tip on the marked spot")')
        kept(tab, "z4-touch")
        assert tab.run('document.querySelector("#take-touch").disabled')
        tab.type("#skip-reason", "the recorded nozzle is away")
        tab.until('document.querySelector("#touch-done")')
        kept(tab, "z5-left-out-touch")
        tab.tap("#next")
        tab.until(phase("ready"))
        tab.tap("#start", hold_s=1.1)
        tab.until(phase("running"))
        tab.until(f'{reads("#clock")} >= "0:03.5"')
        kept(tab, "z6-running")
        tab.key(" ", "Space")
        tab.until(phase("stopped"))
        tab.tap("#finish")
        tab.until(phase("done"))
        assert server.served.desk.fault is None
        tab.until('document.querySelector("#report-link")')
        assert tab.run("troubles") == []
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["zone"]["anchored_by"] == "tap"
    assert summary["zone_edited"]["left_out"] == 1
    assert summary["touch_check"] == {
        "is": "TouchSkipped", "t_s": pytest.approx(0.7, abs=0.3), "reason": "the recorded nozzle is away",
    }  # fmt: skip
    report = (tmp_path / "report" / "report.html").read_text()
    assert "No touch check was done: the recorded nozzle is away." in report
    assert "outlined the zone by hand" in report
    # Replayed: the same to the last bit, and the same zone; looked at again: the same zone.
    recording = open_mcap(path, from_sightings=True)
    again = Run(setup_then(recording), recording)
    same = replayed(recording, lambda given: again.take(given.capture, given.actions, setup=given.setup))
    assert (same.differing, same.what) == (0, "")
    assert again.state.on_skin is not None
    treated = again.state.on_skin
    for name in ("in_zone", "left_out"):
        assert np.array_equal(getattr(treated.chart, name), getattr(chart, name))
    assert treated.exposure.dwell_s[treated.chart.in_zone].max() > 0.1
    assert not (treated.chart.in_zone & treated.chart.left_out).any()
    log = log_of(path).read_text()
    assert log.count("OutlineZone") == 1
    assert "the recorded nozzle is away" in log
    # After a crash the zone goes on as it was changed.
    before = interrupted(path, now=datetime.now(UTC), say=lambda _: None)
    words = before.check(datetime.now(UTC)).words
    assert "the zone is as it was changed then: look at it" in words
    assert words.endswith("No touch check was done: the recorded nozzle is away; it is done anew now")
    made = before.hand_on(setup_then(recording), now=datetime.now(UTC), shut=True).made
    assert made is not None
    assert made.outline_mm is not None
    assert [area.kind for area in made.areas] == ["circle"]
    looked = open_mcap(path)
    anew = Run(setup_then(looked), looked)
    for given in inputs(looked, setup_then(looked)):
        assert all(isinstance(action, (*ZONE_ACTIONS, TouchSkipped)) for action in given.actions)
        anew.take(given.capture, given.actions)
        if given.capture.t_s > 1.2:
            break
    assert anew.state.on_skin is not None
    agree = anew.state.on_skin.chart
    assert agree.zone_area_cm2 == pytest.approx(treated.chart.zone_area_cm2, rel=0.03)
    assert agree.centre_mm == pytest.approx(treated.chart.centre_mm, abs=2.0)
    assert agree.left_out.sum() == pytest.approx(treated.chart.left_out.sum(), rel=0.1)


def test_a_tip_held_on_a_marked_spot_passes_the_touch_check_and_the_report_says_how_far_off_it_was(
    browser: Browser, tmp_path: Path
) -> None:
    scene = touching_scene(seconds=2.0, gas_s=1.75)
    write_session(scene, tmp_path / "touch", on_progress=lambda _done, _all, _t_s: None)
    path = tmp_path / "a.mcap"
    with running(
        tmp_path / "report",
        folder=tmp_path / "touch",
        record=lambda staged: LiveRecording(path, staged),
    ) as server:
        tab = browser.open(f"http://{server.host}/")
        tab.run(WATCH)
        hear(tab)
        tab.tap("#next")
        tab.type("#operator", "OP-1")
        tab.tap("#next")
        answer_all(tab)
        tab.tap("#next")
        tab.until(phase("zone"))
        tab.until(f'{reads("#source")}.includes("held")')
        tab.tap("#next")
        tab.until(phase("touch"))
        rig = server.served.staged.setup.rig
        assert rig is not None
        spot_mm = scene.rgb_from_body(1.7).apply(scene.body.skin(np.array(0.0), np.array(0.0)))
        press(tab, off(rig.rgb.project(spot_mm)))
        tab.until('!document.querySelector("#take-touch").disabled')
        kept(tab, "z7-touch")
        # A touch without gas is what is asked for: no STOP for it, neither seen nor heard.
        told = server.served.desk.latest
        assert told is not None
        assert any(one.alarm.cause == "contact" for one in told.guidance.announcement.shown)
        assert not tab.run('document.querySelector(".alarm.stop")')
        assert not tab.run("document.body.dataset.sound")
        tab.tap("#take-touch")
        tab.until(f'{reads("#touch-done")}.includes("Checked")')
        kept(tab, "z8-touched")
        tab.tap("#next")
        tab.until(phase("ready"))
        tab.tap("#start", hold_s=1.1)
        tab.until(phase("stopped"))  # the recording ends
        tab.tap("#finish")
        tab.until(phase("done"))
        assert server.served.desk.fault is None
        assert tab.run("troubles") == []
    found = json.loads((tmp_path / "report" / "summary.json").read_text())["touch_check"]
    assert found["is"] == "TouchChecked"
    assert found["target"] == "marked spot"
    assert abs(found["along_mm"] - ABOVE_MM * np.cos(np.radians(LEAN_DEG))) < found["along_u95_mm"]
    assert found["across_mm"] < found["across_u95_mm"]
    assert "Touch check on the marked spot" in (tmp_path / "report" / "report.html").read_text()
    assert "TouchChecked" in log_of(path).read_text()
