"""What the page gets of a step: figures with their state in words, and cells as they are."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from guidance.overlay.mesh import cell_mesh
from guidance.overlay.palette import MAGENTA, VERMILLION, css
from guidance.overlay.skin import LEVELS, cell_states
from guidance.session import UNMEASURABLE, Alarm, Announcement, Guidance, Now, Shown, SweepGuide
from guidance.stages.state import Setup
from guidance.treatment.figures import alarms, figures
from guidance.treatment.preflight import disk_check
from guidance.treatment.view import (
    LEFT_OUT,
    NOWHERE,
    OVER,
    SEND_WIDTH_PX,
    SUBPIXEL,
    UNKNOWN,
    corners,
    jpeg,
    look,
    picture_data,
)
from guidance.treatment.view import PREDICTED as PREDICTED_LOOK
from models.capture import Capture
from models.catalogue import load_devices
from models.chart import PlacedChart
from models.geometry import Pose
from models.sightings import Lost
from models.skin_estimate import PREDICTED, CellTemperatures
from models.treatment import Reference, Treatment
from tests.guidance.conftest import Scene


def setup_of(scene: Scene, **changes: object) -> Setup:
    treatment = Treatment(
        datetime(2026, 11, 23, 10, tzinfo=UTC), "lumbar", "both", "ln2-wand", "ln2-analgesia", None, None,
        23.0, None, (),
    )  # fmt: skip
    base = Setup(
        treatment=treatment, zone=scene.zone, protocol=scene.protocol, device=load_devices()["ln2-wand"],
        rig=scene.rig, eyes=None, thermal_expected=True, colour_expected=True, hashes={},
    )  # fmt: skip
    return replace(base, **changes)


def capture_of(scene: Scene, *, picture: bool = True) -> Capture:
    return Capture(8.0, 120, scene.picture if picture else None, (), (), 1 / 15, True)


def told(scene: Scene, guidance: Guidance) -> dict[str, dict[str, object]]:
    return figures(guidance, setup_of(scene))


def test_what_is_not_known_is_said_to_be_unknown_and_has_no_number(scene: Scene) -> None:
    lost = told(scene, scene.lost(zone=Lost("no body", 0.0), exposure=None, tile_time_s=None))
    for name, value in (
        ("distance", "mm"), ("skin", "degc"), ("left", "s"), ("sweep", "cm_s"), ("coverage", "share"),
        ("zone_time", "s"), ("zone", "u95_mm"), ("nozzle", "u95_mm"),
    ):  # fmt: skip
        assert lost[name]["state"] == "unknown", name
        assert lost[name][value] is None, name
        assert lost[name]["words"], name


def test_every_state_has_words(scene: Scene) -> None:
    for guidance in (scene.guidance(), scene.lost(), scene.guidance(gas_now=False)):
        for name, figure in told(scene, guidance).items():
            assert figure["words"], name


GUIDE = SweepGuide(6.5, 2.0, 9.0, 3.0, 9.0, 5.0, "")


@pytest.mark.parametrize(
    ("guide", "state", "words"),
    [
        (GUIDE, "ok", "GOOD"),
        (replace(GUIDE, speed_cm_s=2.5, advice="too slow"), "look", "FASTER"),
        (replace(GUIDE, speed_cm_s=1.0, advice="too slow"), "warn", "FASTER"),
        (replace(GUIDE, speed_cm_s=11.0, advice="too fast"), "look", "SLOWER"),
        (replace(GUIDE, slowest_cm_s=float("inf"), advice="let it rewarm"), "warn", "MOVE OFF"),
        (replace(GUIDE, speed_cm_s=None), "unknown", "not known"),
    ],
)
def test_the_skin_as_it_is_says_how_to_sweep(scene: Scene, guide: SweepGuide, state: str, words: str) -> None:
    found = told(scene, scene.guidance(sweep=guide))["sweep"]
    assert (found["state"], found["words"]) == (state, words)
    assert found["keep"]


def test_cells_known_by_the_model_only_are_marked_so(scene: Scene) -> None:
    place = scene.guidance().zone
    assert isinstance(place, PlacedChart)
    n = len(place.chart)
    known = CellTemperatures(np.full(n, 20.0), np.full(n, 2.0), np.full(n, PREDICTED, np.int64))
    look = np.frombuffer(
        picture_data(capture_of(scene), scene.guidance(known=known), setup_of(scene)).arrays["look"], np.uint8
    )
    assert (look & PREDICTED_LOOK).any()
    assert not (look & PREDICTED_LOOK)[(look & UNKNOWN) > 0].any()


def test_a_reference_that_is_hidden_is_unknown_and_one_that_contradicts_is_told(scene: Scene) -> None:
    setup = setup_of(scene)
    square = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]])
    patch = Reference("thermal", square, 20.0, 0.5, 0.98)
    with_one = replace(setup, treatment=replace(setup.treatment, references=(patch,)))
    assert "reference" not in figures(scene.guidance(), setup)
    found = [
        figures(scene.guidance(status=status), with_one)["reference"]["state"]
        for status in ((), ("reference hidden",), ("reference contradicts the camera",))
    ]
    assert found == ["ok", "unknown", "look"]


@pytest.mark.parametrize(
    ("mm", "state", "words"),
    [(150.0, "ok", "GOOD"), (60.0, "stop", "TOO CLOSE"), (110.0, "look", "MOVE AWAY"),
     (260.0, "look", "MOVE CLOSER")],
)  # fmt: skip
def test_distance_is_told_within_its_band(scene: Scene, mm: float, state: str, words: str) -> None:
    jet = scene.guidance().jet
    assert jet is not None
    found = told(scene, scene.guidance(jet=replace(jet, distance_mm=mm)))["distance"]
    assert (found["state"], found["words"], found["mm"]) == (state, words, mm)


def test_a_rig_that_cannot_measure_the_distance_says_so(scene: Scene) -> None:
    found = told(scene, scene.guidance(jet=None, jet_reason=UNMEASURABLE))["distance"]
    assert "with this rig" in str(found["words"])
    without = figures(scene.guidance(jet=None, zone=scene.pixel_zone()), setup_of(scene, rig=None))
    assert (without["distance"]["state"], without["distance"]["words"]) == (
        "unknown",
        "no rig: no millimetres",
    )


def test_the_bound_counts_near_the_stop(scene: Scene) -> None:
    """2.0 is the STOP: 2.5 with a bound of 0.3 only comes near it, with one of 0.9 may have reached it."""
    stop = scene.protocol.skin_degc.stop
    near = told(scene, scene.guidance(skin_min_degc=stop + 0.5, skin_min_u95_degc=0.3))["skin"]
    may = told(scene, scene.guidance(skin_min_degc=stop + 0.5, skin_min_u95_degc=0.9))["skin"]
    reached = told(scene, scene.guidance(skin_min_degc=stop, skin_min_u95_degc=0.3))["skin"]
    assert [found["state"] for found in (near, may, reached)] == ["warn", "warn", "stop"]
    assert str(may["words"]).startswith("may be at STOP")


@pytest.mark.parametrize(
    ("left_s", "state", "words"),
    [(1.0, "stop", "MOVE NOW"), (4.0, "warn", "move on"), (20.0, "calm", "if held")],
)
def test_seconds_left_say_what_to_do(scene: Scene, left_s: float, state: str, words: str) -> None:
    found = told(scene, scene.guidance(time_to_limit_s=left_s))["left"]
    assert found["state"] == state
    assert str(found["words"]).startswith(words)


def test_a_stop_that_stands_is_not_softened_by_the_nominal_seconds(scene: Scene) -> None:
    """The alarm is judged by the lower bound of the time; as seen on a page, MOVE NOW stood beside 29 s."""
    stop = Alarm("predicted_skin_temperature", "physiological", "high", "STOP: skin reaches its limit.", 7.9)
    found = told(scene, scene.guidance(time_to_limit_s=4.0, active=(stop,)))["left"]
    assert (found["state"], found["words"], found["s"]) == ("stop", "MOVE NOW", None)
    near = told(scene, scene.guidance(time_to_limit_s=1.0, active=(stop,)))["left"]
    assert (near["state"], near["s"]) == ("stop", 1.0)


def test_a_stop_for_temperature_that_stands_is_not_softened_by_a_tenth_of_a_degree(scene: Scene) -> None:
    """As seen on a page: the alarm said STOP by its hysteresis, the figure beside it said "near STOP"."""
    degc = scene.protocol.skin_degc.stop + 0.5
    stop = Alarm("skin_temperature", "physiological", "high", "STOP: skin may be down to 2 degC.", 7.9)
    found = told(scene, scene.guidance(skin_min_degc=degc, skin_min_u95_degc=0.4, active=(stop,)))["skin"]
    assert (found["state"], found["words"]) == ("stop", "may be at STOP")


def test_no_sweep_is_missed_where_no_gas_flows(scene: Scene) -> None:
    off, on = (told(scene, scene.lost(gas_now=gas))["sweep"] for gas in (False, True))
    assert (off["state"], off["words"], off["cm_s"]) == ("calm", "gas off", None)
    assert on["state"] == "unknown"


def test_a_zone_whose_place_is_known_roughly_is_said_to_be_so(scene: Scene) -> None:
    exact, rough = (
        told(scene, scene.guidance(zone=scene.placed(moved_u95_mm=moved)))["zone"] for moved in (2.0, 45.0)
    )
    assert (exact["state"], exact["words"]) == ("ok", "PLACED")
    assert (rough["state"], rough["words"]) == ("look", "ROUGH")


def test_no_limit_in_sight_is_no_number(scene: Scene) -> None:
    found = told(scene, scene.guidance(time_to_limit_s=float("inf")))["left"]
    assert (found["s"], found["words"]) == (None, "more than 60 s")


@pytest.mark.parametrize(("cm_s", "words"), [(0.5, "TOO SLOW"), (5.0, "GOOD"), (30.0, "TOO FAST")])
def test_a_sweep_is_too_slow_or_too_fast(scene: Scene, cm_s: float, words: str) -> None:
    jet = scene.guidance().jet
    assert jet is not None
    assert told(scene, scene.guidance(jet=replace(jet, speed_cm_s=cm_s)))["sweep"]["words"] == words


def test_unseen_gas_is_told(scene: Scene) -> None:
    assert told(scene, scene.guidance(unassigned_s=0.8))["gas"]["by"] == "0.8 s unseen"


def test_alarms_keep_their_order_and_say_what_was_done_about_them(scene: Scene) -> None:
    high = Alarm(
        "distance", "physiological", "high", "STOP: nozzle too near (40 +- 3 mm). Draw it back.", 7.0
    )
    low = Alarm("distance", "physiological", "low", "Nozzle near.", 6.0)
    shown = (Shown(high, standing=False), Shown(low, acknowledged=True))
    found = alarms(scene.guidance(announcement=Announcement(shown)))
    assert [(one["stop"], one["standing"], one["acknowledged"]) for one in found] == [
        (True, False, False),
        (False, True, True),
    ]
    assert "40 ± 3 mm" in str(found[0]["message"])


def test_a_warning_whose_cause_has_gone_says_so_and_a_stop_stays_one(scene: Scene) -> None:
    told_first = "Nozzle too far: 137 +- 5 mm. Bring it back."
    low = Alarm("distance", "physiological", "low", told_first, 6.0)
    high = replace(low, priority="high")
    now = {
        key: Now("Nozzle too far: 131 +- 5 mm. Bring it back.", mended=True)
        for key in (("distance", "low"), ("distance", "high"))
    }
    guidance = scene.guidance(
        announcement=Announcement((Shown(high), Shown(low), Shown(low, standing=False))), now=now
    )
    stop, warning, past = alarms(guidance)
    assert (stop["mended"], warning["mended"], past["mended"]) == (False, True, False)
    assert "131 ± 5 mm" in str(warning["message"])
    assert "137 ± 5 mm" in str(past["message"])


def test_cells_go_out_as_the_overlay_draws_them(scene: Scene) -> None:
    guidance = scene.guidance()
    data = picture_data(capture_of(scene), guidance, setup_of(scene))
    states = cell_states(guidance, protocol=scene.protocol, cells=len(scene.chart))
    bits = np.frombuffer(data.arrays["look"], np.uint8)
    level = np.frombuffer(data.arrays["level"], np.uint8)
    seen = bits | level > 0
    assert seen.any()
    assert level.max() <= LEVELS
    assert np.array_equal(level[seen], states.level[seen])
    for mask, bit in ((states.over, OVER), (states.unknown, UNKNOWN), (scene.chart.left_out, LEFT_OUT)):
        assert mask[seen].any()
        assert np.array_equal((bits & bit > 0)[seen], mask[seen])


def test_an_unknown_cell_never_has_a_place_on_the_ramp(scene: Scene) -> None:
    data = picture_data(capture_of(scene), scene.lost(), setup_of(scene))
    bits = np.frombuffer(data.arrays["look"], np.uint8)
    assert (bits & UNKNOWN > 0).any()
    assert not np.frombuffer(data.arrays["level"], np.uint8)[bits & UNKNOWN > 0].any()


def test_vertices_are_exact_to_a_sixteenth_of_a_pixel(scene: Scene) -> None:
    data = picture_data(capture_of(scene), scene.guidance(), setup_of(scene))
    vertex = np.frombuffer(data.arrays["vertex"], "<i2").reshape(-1, 2)
    true = scene.rig.rgb.project(cell_mesh(scene.chart).vertex_mm)
    assert np.abs(vertex / SUBPIXEL - true).max() <= 0.5 / SUBPIXEL + 1e-9
    corner = np.frombuffer(corners(scene.chart), "<u2").reshape(-1, 4)
    assert np.array_equal(corner, cell_mesh(scene.chart).corner)


def test_a_vertex_behind_the_camera_lies_nowhere(scene: Scene) -> None:
    behind = Pose.of(np.eye(3), np.array([0.0, 0.0, -2000.0]))
    data = picture_data(
        capture_of(scene), scene.guidance(zone=scene.placed(rgb_from_chart=behind)), setup_of(scene)
    )
    assert (np.frombuffer(data.arrays["vertex"], "<i2") == NOWHERE).all()
    assert not np.frombuffer(data.arrays["level"], np.uint8).any()


def test_the_jet_is_drawn_only_as_far_as_it_is_known(scene: Scene) -> None:
    def jet(guidance: Guidance) -> dict[str, object] | None:
        found = picture_data(capture_of(scene), guidance, setup_of(scene)).head["jet"]
        assert found is None or isinstance(found, dict)
        return found

    whole, blind = jet(scene.guidance()), jet(scene.guidance(jet=None, jet_reason="skin not known"))
    assert whole is not None
    assert blind is not None
    assert whole["reach"] == "ok"
    assert whole["words"] == "150 ±4 mm"
    assert "hit" not in blind
    assert blind["reach"] == "unknown"
    assert jet(scene.lost()) is None


def test_a_zone_in_pixels_has_an_outline_and_no_cells(scene: Scene) -> None:
    guidance = scene.guidance(zone=scene.pixel_zone(), jet=None, weight=None)
    data = picture_data(capture_of(scene), guidance, setup_of(scene, rig=None))
    assert data.arrays == {}
    assert len(data.head["outline"]) == 1  # type: ignore[arg-type]


def test_heads_are_plain_json(scene: Scene) -> None:
    for guidance in (scene.guidance(), scene.lost(), scene.lost(zone=Lost("no body", 0.0), exposure=None)):
        data = picture_data(capture_of(scene), guidance, setup_of(scene))
        json.dumps({**data.head, "figures": told(scene, guidance)}, allow_nan=False)


def test_a_step_without_a_picture_sends_none(scene: Scene) -> None:
    assert picture_data(capture_of(scene, picture=False), scene.guidance(), setup_of(scene)).jpeg == b""


def test_a_wide_picture_is_sent_smaller_and_keeps_its_shape() -> None:
    sent = cv2.imdecode(np.frombuffer(jpeg(np.zeros((1080, 1920, 3), np.uint8)), np.uint8), cv2.IMREAD_COLOR)
    assert sent is not None
    assert sent.shape[:2] == (720, SEND_WIDTH_PX)


def test_colours_are_those_of_the_overlay() -> None:
    colours = look()
    assert (colours["unknown"], colours["over"]) == (css(MAGENTA), css(VERMILLION))
    assert len(colours["ramp"]) == LEVELS  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("free_bytes", "records", "state", "words"),
    [
        (63_000_000_000, True, "ok", "63.0 GB free: 317 min of recording"),
        (2_000_000_000, True, "look", "9 min of recording, where 45 are wanted: make room"),
        (150_000_000, True, "look", "0 min of recording, and hardly any room for the report: make room"),
        (150_000_000, False, "look", "for the report: make room, or start again with --out on another disk"),
        (900_000_000, False, "ok", "0.9 GB free for the report"),
    ],
)
def test_a_disk_that_is_nearly_full_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_bytes: int, records: bool, state: str, words: str
) -> None:
    usage = type("Usage", (), {"free": free_bytes})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    check = disk_check(tmp_path / "there" / "not-yet", records=records)
    assert check.state == state
    assert words in check.words


@pytest.mark.parametrize(("by_depth", "words"), [(True, "BY DEPTH"), (False, "HELD")])
def test_a_zone_not_seen_in_colour_is_not_green_and_says_what_places_it_and_since_when(
    scene: Scene, by_depth: bool, words: str
) -> None:
    place = scene.placed(state="held", unseen_s=1.2, by_depth=by_depth)
    found = told(scene, scene.guidance(zone=place))["zone"]
    assert (found["state"], found["words"]) == ("look", words)
    assert "not seen in colour for 1.2 s" in str(found["by"])
    lost = told(scene, scene.lost(zone=Lost("the body could not be followed", 3.0)))["zone"]
    assert (lost["state"], lost["words"]) == ("unknown", "NOT PLACED")
    assert re.fullmatch(r"the body could not be followed for \d+\.\d s", str(lost["by"]))
