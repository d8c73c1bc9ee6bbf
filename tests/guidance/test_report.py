"""The report is whole, offline, honest about what is unknown, and safe against what users typed."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from guidance.outcome import CellKnowledge, Earlier, Outcome, Poster, Verdicts
from guidance.overlay.palette import PURPLE, VERDICTS, ramp, verdict_look
from guidance.report.body import bare_picture
from guidance.report.charts import reduced, stretched
from guidance.report.facts import headline, rewarming_figures, shares
from guidance.report.grid import SQUARE_PX, chart_grid, pixel_grid, raster
from guidance.report.known import sweep_share
from guidance.report.maps import cold_paint, dwell_paint, knowledge_paint, unknown_cells, verdict_paint
from guidance.report.markup import clock, number, percent, typeset, with_bound
from guidance.report.page import report_html, write_report
from guidance.report.plot import nice_ceiling, path, ticks, time_ticks
from guidance.report.tables import rig as rig_section
from guidance.report.unknown import unknowns
from guidance.session import Alarm
from models.history_rules import Reason, Refused, Warned
from models.rig import Corrected
from tests.guidance.conftest import Scene

VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Tags, attributes and plain text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="session")
def outcome(scene: Scene) -> Outcome:
    return scene.outcome()


@pytest.fixture(scope="session")
def page(outcome: Outcome) -> Page:
    return Page(report_html(outcome, video="annotated.mp4"))


def test_the_page_refers_to_nothing_but_itself_and_the_video(page: Page) -> None:
    links = {
        v for _, name, v in page.attributes if name in ("src", "href", "srcset", "poster", "action", "data")
    }
    outside = {v for v in links if not v.startswith(("data:image/", "#"))}
    assert outside == {"annotated.mp4"}
    styles = report_css()
    assert "url(" not in styles.replace("url(#hatch)", "")
    assert "@import" not in styles


def report_css() -> str:
    return (Path(__file__).parents[2] / "guidance" / "report" / "report.css").read_text(encoding="utf-8")


def test_the_script_asks_no_network() -> None:
    script = (Path(__file__).parents[2] / "guidance" / "report" / "report.js").read_text(encoding="utf-8")
    assert not re.search(r"fetch|XMLHttpRequest|WebSocket|import\(|https?:|eval|innerHTML", script)


def test_every_element_is_closed(page: Page) -> None:
    assert page.wrong == []
    assert page.open == []


def test_a_report_of_3000_cells_stays_below_two_megabytes(outcome: Outcome) -> None:
    assert len(report_html(outcome).encode()) < 2_000_000


def test_every_promised_section_is_there(page: Page) -> None:
    ids = {value for tag, name, value in page.attributes if name == "id" and tag == "section"}
    assert ids == {
        "verdict", "figures", "treated", "maps", "time", "rewarming", "coverage", "unknown", "alarms",
        "protocol", "rig", "warnings", "limits", "software",
    }  # fmt: skip


def test_what_users_typed_cannot_become_markup(scene: Scene, outcome: Outcome) -> None:
    bad = '<script>alert("x")</script><img src=http://evil.example/a onerror=1>\'"&'
    spoilt = replace(
        outcome,
        name=bad,
        treatment=replace(outcome.treatment, subject=bad),
        zone=replace(scene.zone, title=bad, cautions=(bad,)),
        protocol=replace(scene.protocol, title=bad, approved_by=bad),
        device=replace(outcome.device, title=bad),
        alarms=(Alarm(bad, bad, bad, bad, 1.0, None),),
        warnings=(bad,),
        summary={**outcome.summary, "version": bad, "hashes": {bad: bad}, "zone_not_placed_because": bad},
        verdicts=Verdicts((bad,) * len(scene.chart), (bad,) * len(scene.chart)),
    )
    html = report_html(spoilt)
    page = Page(html)
    assert "evil.example" not in "".join(v for _, name, v in page.attributes if name in ("src", "href"))
    assert not any(name == "onerror" for _, name, _ in page.attributes)
    assert html.count("<script") == 2
    assert bad in "".join(page.text)


def test_data_for_the_tooltips_is_json_and_null_where_not_known(outcome: Outcome) -> None:
    html = report_html(outcome)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found
    data = json.loads(found.group(1))
    assert len(data["cells"]["low"]) == len(data["cells"]["row"])
    assert outcome.exposure is not None
    unseen = np.isnan(outcome.exposure.min_degc)
    assert [v is None for v in data["cells"]["low"]] == unseen.tolist()
    assert None in data["curves"]["distance"]


def test_unknown_cells_are_never_drawn_in_a_safe_colour(scene: Scene, outcome: Outcome) -> None:
    assert outcome.verdicts is not None
    exposure, unknown = scene.exposure(), unknown_cells(outcome)
    assert unknown.any()
    for paint in (
        verdict_paint(outcome.verdicts.verdict),
        dwell_paint(exposure, unknown=unknown, over=~unknown, protocol=scene.protocol),
        cold_paint(exposure, unknown=unknown, over=~unknown, protocol=scene.protocol),
    ):
        assert (paint.colour[unknown] == PURPLE).all(), paint.name
        assert paint.pattern["hatch"][unknown].all(), paint.name


def test_a_single_overexposed_cell_is_outlined_on_every_map(scene: Scene, outcome: Outcome) -> None:
    words = ["below_target"] * len(scene.chart)
    words[1500] = "overexposed"
    one = replace(outcome, verdicts=Verdicts(tuple(words), ("",) * len(words)))
    assert report_html(one).count('<polygon class="over"') == 3


def test_cells_never_observed_have_no_temperature_colour(scene: Scene) -> None:
    exposure = scene.exposure()
    never = np.isnan(exposure.min_degc)
    paint = cold_paint(exposure, unknown=~never & never, over=never, protocol=scene.protocol)
    assert (paint.colour[never] == PURPLE).all()


def test_the_report_shows_how_each_cell_was_known_with_its_legend(outcome: Outcome) -> None:
    """A third each: measured, predicted for a fifth of the gas, not observed for a fifth of it."""
    assert outcome.chart is not None
    n = len(outcome.chart)
    jet_s, third = np.zeros((3, n)), np.arange(n) % 3
    jet_s[2] = np.where(third == 0, 10.0, 8.0)
    jet_s[1, third == 1], jet_s[0, third == 2] = 2.0, 2.0
    known = knowledge_paint(CellKnowledge(jet_s, jet_s), over=np.zeros(n, bool))
    assert (known.pattern["bars"] == (third == 1)).all()
    assert (known.pattern["hatch"] == (third == 2)).all()
    assert all(title in known.legend for title in ("Measured", "Predicted", "Not observed"))
    told = report_html(replace(outcome, knowledge=CellKnowledge(jet_s, jet_s)))
    assert "How it was known" in told
    assert "Gas on skin known by prediction only" in told
    assert "Gas on skin not observed" in told


def test_the_share_of_the_gas_time_swept_too_slowly_is_a_key_figure(outcome: Outcome) -> None:
    trace, rows = outcome.trace, len(outcome.trace.t_s)
    advice = tuple("too slow" if t_s < 4.75 else "too fast" if t_s < 7.75 else "" for t_s in trace.t_s)
    swept = replace(outcome, trace=replace(trace, speed_cm_s=np.full(rows, 5.0), sweep_advice=advice))
    share = sweep_share(swept)
    assert share is not None
    assert share == pytest.approx((25.0, 20.0), abs=1.0)
    assert "Swept too slowly" in report_html(swept)
    assert sweep_share(outcome) is None


def test_a_verdict_nobody_knows_is_drawn_as_unknown() -> None:
    assert verdict_look("perfectly fine") is VERDICTS["unknown"]
    paint = verdict_paint(("in_target", "perfectly fine"))
    assert tuple(paint.colour[1]) == PURPLE


def test_every_verdict_differs_in_colour_letter_and_pattern() -> None:
    for part in ("colour", "letter", "pattern"):
        values = [getattr(look, part) for look in VERDICTS.values()]
        assert len(set(values)) == len(values), part


def test_the_ramp_falls_steadily_in_lightness() -> None:
    lightness = ramp(np.linspace(0, 1, 50)).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) < 0).all()


def test_the_headline_tells_overexposure_before_anything_else(outcome: Outcome) -> None:
    say = headline(outcome)
    assert say.level == "bad"
    assert "Overexposed" in say.line
    assert "unknown" in say.sentence


def test_the_headline_tells_unknown_area_where_nothing_was_overexposed(outcome: Outcome) -> None:
    say = headline(replace(outcome, summary={**outcome.summary, "overexposed_cm2": 0.0, "min_degc": 9.0}))
    assert say.level == "unknown"
    assert say.line.startswith("Unknown")


def test_a_bound_that_reaches_the_stop_temperature_is_told(outcome: Outcome) -> None:
    clean = {**outcome.summary, "overexposed_cm2": 0.0, "unknown_cm2": 0.0}
    near = headline(replace(outcome, summary={**clean, "min_degc": 2.5}))
    far = headline(replace(outcome, summary={**clean, "min_degc": 9.0}))
    assert "may have reached the STOP temperature" in near.sentence
    assert "STOP" not in far.sentence


def test_the_report_never_says_safe(page: Page) -> None:
    said = page.words.replace("Unknown is never safe", "").replace("not safe", "")
    assert not re.search(r"\bsafe\b", said)


def test_what_an_import_corrected_is_told_with_what_it_did(
    scene: Scene, outcome: Outcome, page: Page
) -> None:
    assert "Temperatures corrected" not in page.words
    assert scene.rig.thermal is not None
    done = Corrected("FLIR <b>", 22.0, 21.5, 0.45, 700.0, None, ((2.0, 2.56), (30.0, 29.81)))
    imported = replace(scene.rig, thermal=replace(scene.rig.thermal, corrected=done))
    told = rig_section(replace(outcome, rig=imported))
    assert "surroundings of 22.0 °C and 700 mm of air of 21.5 °C and 45 % humidity" in told
    assert "2 °C as 2.56 °C, 30 °C as 29.81 °C" in told
    assert "<b>" not in told


def test_a_protocol_without_a_signature_is_told_so(scene: Scene, outcome: Outcome, page: Page) -> None:
    assert "Not approved by a clinician" in page.words
    signed = replace(outcome, protocol=replace(scene.protocol, approved_by="Dr Example, 2026-10-01"))
    words = Page(report_html(signed)).words
    assert "Not approved" not in words
    assert "Dr Example" in words


def test_areas_by_verdict_add_up_to_the_zone(outcome: Outcome) -> None:
    assert outcome.chart is not None
    assert sum(s.zone_cm2 for s in shares(outcome)) == pytest.approx(outcome.chart.zone_area_cm2)


def test_each_gap_is_told_with_its_length(outcome: Outcome) -> None:
    told = {fact.name: fact.value for fact in unknowns(outcome)}
    assert told["Nozzle lost with gas on"] == "1.0"
    assert told["Thermal camera's shutter closed"] == "0.6"
    assert told["Zone held"] == "1.0"
    assert told["Gas time not accounted for"] == "0.8"
    assert "Verdict unknown" in told


def test_every_alarm_is_in_the_table_and_on_the_curves(outcome: Outcome, page: Page) -> None:
    for alarm in outcome.alarms:
        assert page.words.count(alarm.message) >= 2, alarm.cause


def test_every_protocol_figure_shows_its_source(scene: Scene, page: Page) -> None:
    shown = page.words
    for key, evidence in scene.protocol.evidence.items():
        assert " ".join(typeset(evidence.source).split()) in shown, key


def test_the_back_is_seen_with_the_subjects_left_on_the_left(scene: Scene) -> None:
    grid = chart_grid(scene.chart, limb=False)
    left_most, top_most = int(np.argmin(grid.col)), int(np.argmin(grid.row))
    assert scene.rig.rgb.project(scene.chart.position_mm)[left_most, 0] < 640
    assert scene.rig.rgb.project(scene.chart.position_mm)[top_most, 1] < 360
    assert grid.x_label == "u (cm), ← subject's left"
    assert grid.x_edges == pytest.approx((15.5, -15.5))
    assert grid.y_edges == pytest.approx((12.0, -12.0))


def test_the_front_is_seen_with_the_subjects_left_on_the_right(scene: Scene) -> None:
    turned = replace(scene.chart, u_mm=-scene.chart.u_mm)
    grid = chart_grid(turned, limb=True)
    assert grid.x_label == "u (cm), subject's left →"
    assert grid.x_edges[0] < grid.x_edges[1]
    assert grid.y_label == "v (cm), trunk →"


def test_a_raster_shows_each_cell_in_its_square(scene: Scene) -> None:
    grid = chart_grid(scene.chart, limb=False)
    colour = np.zeros((len(scene.chart), 3), np.uint8)
    colour[:, 0] = np.arange(len(scene.chart)) % 251
    picture = raster(grid, colour, pattern={}, ink={})
    centres = picture[grid.row * SQUARE_PX + 5, grid.col * SQUARE_PX + 5]
    assert np.array_equal(centres[:, 2], colour[:, 0])


def test_pictures_inside_the_page_can_be_decoded(page: Page) -> None:
    pictures = [
        v for _, name, v in page.attributes if v.startswith("data:image/") and name in ("src", "href")
    ]
    assert len(pictures) == 7  # three maps on the chart, three in place, the poster
    assert all(decoded(address).size for address in pictures)


def decoded(address: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(address.split(",", 1)[1]), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def test_without_a_rig_no_millimetre_is_claimed(scene: Scene) -> None:
    page = Page(report_html(scene.cold_hand()))
    assert "No millimetres" in page.words
    assert "rig.toml" in page.words
    shown = page.words.split("Protocol used")[0]
    assert not re.search(r"\d\s*(mm|cm²)", shown)
    assert page.wrong == []


def test_a_zone_in_pixels_is_outlined_on_the_picture(scene: Scene) -> None:
    outline = np.array([[500.0, 250.0], [760.0, 250.0], [760.0, 450.0], [500.0, 450.0]])
    bare = Poster(0.0, scene.picture, None, None)
    with_outline, without = (
        decoded(bare_picture(poster)).astype(int) for poster in (replace(bare, outline_px=outline), bare)
    )
    changed = np.abs(with_outline - without).max(axis=2) > 30
    assert changed[250, 510:750].all()
    assert not changed[300:400, 550:700].any()


def test_a_cold_hand_rewarms_in_the_report(scene: Scene) -> None:
    points = dict(rewarming_figures(scene.cold_hand()))
    assert points["0 s"] == "18.7 °C"
    assert points["20 min"] == "22.2 °C"
    assert "time since the zone was coldest" in Page(report_html(scene.cold_hand())).words


def test_pixel_cells_keep_their_places(scene: Scene) -> None:
    cells = scene.cold_hand().pixel_cells
    assert cells is not None
    grid = pixel_grid(cells)
    assert (grid.rows, grid.cols) == (20, 25)
    assert grid.x_edges == (59.0, 109.0)
    assert grid.unit == "px"


@pytest.mark.parametrize("part", ["poster", "exposure", "verdicts", "chart"])
def test_a_missing_part_costs_only_its_sections(outcome: Outcome, part: str) -> None:
    missing = {"chart": {"chart": None, "exposure": None, "verdicts": None, "poster": None}}
    page = Page(report_html(replace(outcome, **missing.get(part, {part: None}))))  # type: ignore[arg-type]
    assert page.wrong == []
    assert "Limits of the method" in page.words


def test_a_zone_that_was_never_placed_is_the_headline(outcome: Outcome) -> None:
    nowhere = replace(
        outcome, chart=None, exposure=None, verdicts=None, poster=None,
        summary={"zone_not_placed_because": "no body was recognised", "version": "0"},
    )  # fmt: skip
    say = headline(nowhere)
    assert say.level == "unknown"
    assert "no body was recognised" in say.sentence


def test_an_empty_trace_does_not_fail(outcome: Outcome) -> None:
    trace = outcome.trace
    empty = replace(
        trace,
        **{name: value[:0] for name in trace.__dataclass_fields__ for value in (getattr(trace, name),)},
    )
    assert Page(report_html(replace(outcome, trace=empty))).wrong == []


def test_a_session_without_any_temperature_says_so(outcome: Outcome) -> None:
    trace, exposure = outcome.trace, outcome.exposure
    assert exposure is not None
    nothing = np.full(len(trace.t_s), np.nan)
    never = np.full(len(exposure.min_degc), np.nan)
    blind = replace(
        outcome,
        exposure=replace(exposure, min_degc=never, min_u95_degc=never),
        trace=replace(trace, skin_min_degc=nothing, skin_min_u95_degc=nothing, zone_mean_degc=nothing),
        summary={**outcome.summary, "min_degc": None, "min_u95_degc": None},
    )
    words = Page(report_html(blind)).words
    assert "not known" in words
    assert "No temperature was observed after the gas stopped" in words


def test_a_long_session_keeps_its_lowest_dip(outcome: Outcome) -> None:
    trace = outcome.trace
    rows = 20_000
    t_s = np.arange(rows) / 15.0
    low = np.full(rows, 20.0)
    low[12_345] = 1.1
    wide = {
        name: np.resize(getattr(trace, name), (rows, *getattr(trace, name).shape[1:]))
        for name in trace.__dataclass_fields__
        if isinstance(getattr(trace, name), np.ndarray)
    }
    states = {
        "nozzle_state": ("tracked",) * rows,
        "zone_state": ("placed",) * rows,
        "status": ((),) * rows,
    }
    long = replace(trace, **{**wide, **states, "t_s": t_s, "skin_min_degc": low})
    curves = reduced(long)
    assert len(curves.t_s) <= 900
    assert np.nanmin(curves.min_degc) == 1.1
    assert len(report_html(replace(outcome, trace=long))) < 2_000_000


def test_a_stretch_without_any_value_stays_unknown() -> None:
    values = np.array([1.0, np.nan, np.nan, np.nan, 5.0])
    np.testing.assert_array_equal(stretched(values, 2, "min"), [1.0, np.nan, 5.0])


def test_a_curve_is_broken_where_it_is_not_known() -> None:
    d = path(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, np.nan, 1.0, 2.0]))
    assert d.count("M") == 2


def test_the_file_appears_whole_or_not_at_all(outcome: Outcome, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report(outcome, target)
    assert target.read_text(encoding="utf-8").endswith("</html>\n")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(AttributeError):
        write_report(None, tmp_path / "other.html")  # type: ignore[arg-type]
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_the_video_is_linked_only_where_it_exists(outcome: Outcome, tmp_path: Path) -> None:
    write_report(outcome, tmp_path / "report.html")
    assert "<video" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    (tmp_path / "annotated.mp4").write_bytes(b"")
    write_report(outcome, tmp_path / "report.html")
    assert '<video controls="" preload="metadata" src="annotated.mp4">' in (
        tmp_path / "report.html"
    ).read_text(encoding="utf-8")


def test_figures_are_written_for_people() -> None:
    assert number(-0.04) == "0.0"
    assert number(-3.25) == "\N{MINUS SIGN}3.2"
    assert number(None) == "not known"
    assert number(float("nan")) == "not known"
    assert "bound not known" in with_bound(3.0, None)
    assert clock(65.25) == "1:05.2"
    assert clock(59.96) == "1:00.0"


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0.0, 30.0, about=6) == [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
    assert ticks(15.5, -15.5, about=6) == [-15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0]
    assert time_ticks(0.0, 2340.0, about=12)[:3] == [0.0, 300.0, 600.0]
    assert nice_ceiling(33.4) == 40.0
    assert nice_ceiling(0.0) == 1.0


REFUSED = Refused(
    (
        Reason("interval", True, "The same zone was treated 1 h before."),
        Reason("perfusion", False, "Blood flow may be low."),
    )
)


def test_a_session_against_the_protocol_is_told_first_and_in_its_section(outcome: Outcome) -> None:
    before = Earlier(REFUSED, sessions=2, session_used_s=61.0, continues=None, gap_s=None)
    words = Page(report_html(replace(outcome, earlier=before))).words
    assert words.index("Too soon or too much") < words.rindex("Key figures")
    assert words.count("The same zone was treated 1 h before.") == 2
    assert words.count("Blood flow may be low.") == 1
    assert "61" in words[words.index("Session total used before") :][:40]


def test_what_was_before_is_not_taken_for_nothing_where_it_is_not_known(outcome: Outcome, page: Page) -> None:
    nobody = Earlier(None, sessions=None, session_used_s=0.0, continues=None, gap_s=None)
    words = Page(report_html(replace(outcome, earlier=nobody))).words
    assert "what was before is not known" in words
    assert "Session total used before" not in words
    assert "Earlier sessions" not in page.words


def test_a_session_that_goes_on_names_the_recording_and_the_time_between(outcome: Outcome) -> None:
    before = Earlier(Warned(()), sessions=1, session_used_s=61.0, continues="abcdef0123", gap_s=90.0)
    assert (
        "recording abcdef01, 1:30.0 min before" in Page(report_html(replace(outcome, earlier=before))).words
    )


def test_the_protocols_table_says_when_a_zone_may_be_treated_again(page: Page) -> None:
    words = page.words[page.words.index("Protocol used") :]
    for figure in ("Sweep speed", "Same zone again after", "Skin rewarmed above", "goes on within"):
        assert figure in words


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0"), (0.002, "<1"), (0.006, "1"), (0.5, "50"), (0.994, "99"), (0.998, ">99"), (1.0, "100")],
)
def test_a_small_share_is_never_none_and_a_large_one_never_all(share: float, words: str) -> None:
    """0.3 of 112 cm2 that were overexposed stood as "0 %" beside "100 %" unknown."""
    assert percent(share) == words
