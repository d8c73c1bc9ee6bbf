"""Sections of the report that show: verdict, figures, pictures, maps, curves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from guidance.outcome import Outcome
from guidance.overlay.palette import css, verdict_look
from guidance.report.body import bare_picture, body_crop, body_picture
from guidance.report.charts import rewarming_chart, time_chart
from guidance.report.facts import (
    Share,
    figure,
    headline,
    key_figures,
    rewarming_figures,
    shares,
    why_no_distance,
    why_no_millimetres,
)
from guidance.report.grid import CellGrid
from guidance.report.known import Fact
from guidance.report.maps import CellPaint, chart_svg, swatch, verdict_keys
from guidance.report.markup import (
    NARROW,
    about,
    bullets,
    clock,
    element,
    esc,
    number,
    percent,
    section,
    short,
    table,
    typeset,
)
from models.history_rules import Refused

ANCHORS = {"landmarks": "body landmarks", "skin_tags": "skin tags", "tap": "the operator's tapped outline"}
SURFACES = {
    "depth": "the depth camera",
    "skin_tags": "skin tags",
    "body_model": "a body model (large bounds)",
}


def header(outcome: Outcome) -> str:
    """Name of the session and what was treated."""
    side = outcome.treatment.side
    title = outcome.zone.title + ("" if side == "both" else f", {side}")
    started = outcome.treatment.started.strftime("%Y-%m-%d %H:%M %Z").strip()
    left = element("div", "cryoguide · session report", kind="brand") + element("h1", esc(title))
    right = element("div", f"{esc(outcome.name)}<br>{esc(started)}", kind="when")
    return element("header", element("div", left) + right, kind="top")


def notices(outcome: Outcome) -> str:
    """What must be read before any figure."""
    out: list[str] = []
    if outcome.protocol.approved_by is None:
        out.append(
            f"<b>Not approved by a clinician.</b> The limits of the protocol “{esc(outcome.protocol.title)}” "
            "are published or estimated figures that no clinician has signed for use."
        )
    if outcome.earlier is not None and isinstance(outcome.earlier.verdict, Refused):
        words = " ".join(esc(reason.words) for reason in outcome.earlier.verdict.reasons if reason.refuses)
        out.append(f"<b>Too soon or too much.</b> {words}")
    why = why_no_millimetres(outcome)
    if why:
        out.append(f"<b>No millimetres.</b> {esc(why)}")
    guessed = why_no_distance(outcome)
    if guessed:
        out.append(
            f"<b>Distance cannot be measured with this rig:</b> {esc(typeset(guessed))}. Distance and dwell "
            "are not given, and every area in cm² is rough. Use a depth camera or skin tags."
        )
    return "".join(element("div", element("p", words), kind="notice", role="note") for words in out)


def verdict_card(outcome: Outcome) -> str:
    """The verdict, large."""
    say = headline(outcome)
    words = element("p", esc(say.line), kind="line") + element("p", esc(say.sentence))
    body = element("div", words, kind=f"say {say.level}")
    if outcome.chart is not None:
        target = short(outcome.protocol.target_high_degc)
        zone = "the zone" if why_no_distance(outcome) else f"{number(outcome.chart.zone_area_cm2, 0)} cm²"
        of_zone = f"of {zone} were seen to reach {target} °C or less"
        big = (
            _big("Overexposed", figure(outcome, "overexposed_cm2"), "cm²", "in the zone and around it")
            + _big("Unknown", figure(outcome, "unknown_cm2"), "cm²", "not known is not fine")
            + _big("Coverage", figure(outcome, "coverage_pct"), "%", of_zone, digits=0)
        )
        body += element("div", big, kind="three") + _split(shares(outcome))
    return element("section", body, kind="verdict", id="verdict")


def figures(outcome: Outcome) -> str:
    """Key figures with their bounds."""
    facts = element("div", "".join(_fact(f) for f in key_figures(outcome)), kind="facts")
    return section("Key figures", facts, name="figures", lead="Every ± is a 95 % bound.")


def treated(outcome: Outcome, grid: CellGrid | None, verdict: CellPaint | None, *, video: str | None) -> str:
    """What was treated, with picture and video."""
    treatment, chart = outcome.treatment, outcome.chart
    rows = [
        ("Zone", f"{outcome.zone.title} ({treatment.side})"),
        ("Device", outcome.device.title),
        ("Protocol", f"{outcome.protocol.title}, {outcome.protocol.approval}"),
        ("Duration of the recording", f"{clock(outcome.duration_s)} min"),
        ("Subject", treatment.subject or "no code given"),
    ]
    if treatment.room_degc is not None:
        rows.append(("Room", f"{number(treatment.room_degc)} °C"))
    if chart is not None:
        rows.append(("Zone placed by", ANCHORS.get(chart.anchored_by, chart.anchored_by)))
        rows.append(("Skin surface from", SURFACES.get(chart.surface_by, chart.surface_by)))
        place = f"±{NARROW}{number(chart.place_u95_mm, 0)} mm along the skin"
        rows.append(("Bound of the zone's place", place))
    body = _poster(outcome, grid, verdict) + about(rows)
    if outcome.zone.cautions:
        body += element("h3", "Cautions for this zone", kind="gap") + bullets(
            typeset(c) for c in outcome.zone.cautions
        )
    if video is not None:
        link = element("a", esc(video), href=video)
        words = f"What the operator would have seen. The file {link} has to be kept beside this page."
        film = element("video", "", controls="", preload="metadata", src=video)
        body += element("figure", film + element("figcaption", words), kind="video gap")
    return section("What was treated", body, name="treated")


def maps(outcome: Outcome, grid: CellGrid | None, paints: list[CellPaint]) -> str:
    """The maps on the chart and in place."""
    if grid is None or not paints:
        return ""
    body = _figures(
        element("h3", esc(p.title)) + chart_svg(grid, p, label=f"{p.title} of every cell") + p.legend
        for p in paints
    )
    poster = outcome.poster
    crop = body_crop(poster) if poster is not None else None
    if poster is not None and crop is not None:
        body += element("h3", "In place on the body", kind="gap")
        body += _figures(
            _image(body_picture(poster, p, grid=grid, crop=crop, cover=0.72), f"{p.title} on the body")
            + element("figcaption", esc(p.title))
            for p in paints
        )
    lead = (
        "Cells of 5 mm on the unrolled skin, seen as one looks at it. White line: the zone; dashed: "
        "an area to leave out; hatched: unknown. Point at a cell for its figures."
        if grid.unit == "cm"
        else "Cells in pixels of the picture: there are no millimetres. Hatched: unknown."
    )
    return section("Maps", body, name="maps", lead=lead, long=True)


def over_time(outcome: Outcome) -> str:
    """All curves."""
    lead = (
        "Hatched: not known at that time. Alarms have the numbers of the table below. "
        "Point at the curves for their values."
    )
    return section("Over time", element("div", time_chart(outcome), kind="scroll"), name="time", lead=lead)


def rewarming(outcome: Outcome) -> str:
    """What happened after the gas stopped."""
    lead = (
        "A single picture taken after a treatment underestimates how cold the skin was: it rises by several "
        "degrees within seconds. The lowest temperatures of this report come from the continuous record."
    )
    chart = rewarming_chart(outcome)
    if not chart:
        why = "Gas did not stop before the end of the recording, so no rewarming was seen."
        if outcome.gas_stopped_s is not None:
            why = "No temperature was observed after the gas stopped."
        return section("Rewarming", element("p", why, kind="none"), name="rewarming", lead=lead)
    points = rewarming_figures(outcome)
    body = element("div", chart, kind="scroll")
    if len(points) > 1:
        columns = ["Zone mean after", *(label for label, _ in points)]
        row = ["", *(esc(value) for _, value in points)]
        body += table(columns, [row], kinds="k" + "n" * len(points), narrow=True)
    if outcome.gas_stopped_s is None:
        lead = f"No end of the gas is known: time runs from when the zone's mean was lowest. {lead}"
    return section("Rewarming", body, name="rewarming", lead=lead)


def _poster(outcome: Outcome, grid: CellGrid | None, verdict: CellPaint | None) -> str:
    poster, judged = outcome.poster, outcome.verdicts
    if poster is None:
        return ""
    if verdict is None or grid is None or judged is None or poster.corner_px is None:
        image, words, keys = _image(bare_picture(poster), "The treated zone"), "The picture of", ""
    else:
        height, width = poster.bgr.shape[:2]
        untreated = np.array([v == "untreated" for v in judged.verdict], bool)
        address = body_picture(
            poster,
            verdict,
            grid=grid,
            crop=(0, 0, width, height),
            cover=0.62,
            width_px=min(width, 1280),
            hidden=untreated,
        )
        image = _image(address, "The zone and the verdict of its cells in place")
        words = "The zone (white line) and the verdict of every treated cell, on the picture of"
        keys = verdict_keys(judged.verdict, leave_out="untreated")
    return element("figure", image + element("figcaption", f"{words} {clock(poster.t_s)} min.") + keys)


def _figures(insides: Iterable[str]) -> str:
    parts = [element("figure", inside) for inside in insides]
    return element("div", "".join(parts), kind="maps")


def _image(address: str, words: str) -> str:
    return f'<img alt="{esc(words)}" src="{address}">'


def _big(name: str, value: float | None, unit: str, note: str, *, digits: int = 1) -> str:
    if value is None:
        shown = element("div", "not known", kind="value words")
    else:
        shown = element("div", number(value, digits) + element("small", esc(unit)), kind="value")
    return element(
        "div", element("div", esc(name), kind="name") + shown + element("div", esc(note), kind="note")
    )


def _fact(fact: Fact) -> str:
    value = element("div", esc(fact.value) + element("small", esc(fact.unit)), kind="value")
    name, note = element("div", esc(fact.name), kind="name"), element("div", esc(fact.note), kind="note")
    return element("div", name + value + note, kind="fact")


def _split(found: list[Share]) -> str:
    """The zone's area as one bar, parted by verdict."""
    total = sum(s.zone_cm2 for s in found)
    if not total > 0.0:
        return ""
    bars, keys = "", ""
    for s in found:
        look, area = verdict_look(s.verdict), f"{number(s.zone_cm2)} cm²"
        if s.zone_cm2 > 0.0:
            style = f"--c:{css(look.colour)};flex:{s.zone_cm2 / total:.5f}"
            bars += element("span", "", kind=look.pattern, style=style, title=f"{look.title}: {area}")
        if s.zone_cm2 > 0.0 or s.verdict in ("overexposed", "unknown"):
            words = element("span", esc(f"{area} · {percent(s.zone_cm2 / total)} %"), kind="num")
            keys += element("li", swatch(s.verdict) + element("b", esc(look.title)) + words)
    head = element("div", "The zone by verdict", kind="small")
    return element(
        "div", head + element("div", bars, kind="stack") + element("ul", keys, kind="keys"), kind="split"
    )
