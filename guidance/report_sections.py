"""The sections of the report as HTML."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from guidance.outcome import Outcome
from guidance.palette import css, verdict_look
from guidance.report_charts import rewarming_chart, time_chart
from guidance.report_facts import (
    Fact,
    Share,
    figure,
    headline,
    key_figures,
    rewarming_figures,
    shares,
    tiles,
    unknowns,
    why_no_millimetres,
)
from guidance.report_grid import CellGrid
from guidance.report_maps import CellPaint, bare_picture, body_crop, body_picture, chart_svg, swatch
from guidance.report_svg import NARROW, clock, esc, number
from models.protocol import DistanceBand, Ladder, Protocol

SIGNS = {"high": "!!! high", "medium": "!! medium", "low": "! low"}

LIMITS_OF_THE_METHOD = (
    "This is not a medical device and not clinical evidence. It supports an operator; it does not replace watching and asking the patient.",
    "Exposure is not biological dose. Jet-seconds and degree-seconds say what reached the skin, not what it did there; no validated dose measure for cold exists.",
    "Small cold spots read too warm: a spot of a few thermal pixels was measured 2 to 7 °C too warm by cameras like these. True minima may be lower than shown.",
    "Skin under the nozzle, the hand or the fog of the jet is hidden. It warms by several degrees within seconds after the jet has moved on, so what is seen then is not the lowest it had.",
    "Dwell is computed from the nozzle's pose and a footprint formula (half width = bore/2 + 0.1 × distance), not measured on the skin; flow is not measured.",
    "Cells are 5 mm wide. Depth below the skin is not shown: minutes of gas cool skin, not joints.",
    "Every bound is a 95 % bound under the assumptions stated in the calibration. What was not seen is unknown: never zero, never fine.",
)


def section(title: str, body: str, *, name: str, lead: str = "", long: bool = False) -> str:
    """One card of the page."""
    intro = f'<p class="lead">{lead}</p>' if lead else ""
    return f'<section id="{name}"{" class=long" if long else ""}><h2>{esc(title)}</h2>{intro}{body}</section>'


def header(outcome: Outcome) -> str:
    """Name of the session and what was treated."""
    treatment = outcome.treatment
    side = {"both": "", "left": ", left", "right": ", right"}.get(treatment.side, f", {treatment.side}")
    started = treatment.started.strftime("%Y-%m-%d %H:%M %Z").strip()
    return (
        '<header class="top"><div><div class="brand">cryoguide · session report</div>'
        f"<h1>{esc(outcome.zone.title)}{esc(side)}</h1></div>"
        f'<div class="when">{esc(outcome.name)}<br>{esc(started)}</div></header>'
    )


def notices(outcome: Outcome) -> str:
    """What must be read before any figure."""
    out: list[str] = []
    if outcome.protocol.approved_by is None:
        out.append(
            f"<b>Not approved by a clinician.</b> The limits of the protocol “{esc(outcome.protocol.title)}” are published or "
            "estimated figures; a clinician has not signed them for use."
        )
    why = why_no_millimetres(outcome)
    if why:
        out.append(f"<b>No millimetres.</b> {esc(why)}")
    return "".join(f'<div class="notice" role="note"><p>{text}</p></div>' for text in out)


def verdict_card(outcome: Outcome) -> str:
    """The verdict, large."""
    say = headline(outcome)
    parts = [
        f'<div class="say {say.level}"><p class="line">{esc(say.line)}</p><p>{esc(say.sentence)}</p></div>'
    ]
    if outcome.chart is not None:
        zone = outcome.chart.zone_area_cm2
        coverage = figure(outcome, "coverage_pct")
        protocol = outcome.protocol
        parts.append('<div class="three">')
        parts.append(
            _big(
                "Overexposed",
                figure(outcome, "overexposed_cm2"),
                "cm²",
                "on the whole map, around the zone too",
            )
        )
        parts.append(_big("Unknown", figure(outcome, "unknown_cm2"), "cm²", "not known is not fine"))
        parts.append(
            _big(
                "Coverage",
                coverage,
                "%",
                f"of {number(zone, 0)} cm² reached {number(protocol.target_high_degc, 0)} °C or less, as far as seen",
                digits=0,
            )
        )
        parts.append("</div>")
        parts.append(_split(shares(outcome)))
    return f'<section class="verdict" id="verdict">{"".join(parts)}</section>'


def figures(outcome: Outcome) -> str:
    """Key figures with their bounds."""
    return section(
        "Key figures", _facts(key_figures(outcome)), name="figures", lead="Every ± is a 95 % bound."
    )


def treated(outcome: Outcome, verdict: CellPaint | None, *, video: str | None) -> str:
    """What was treated, with picture and video."""
    treatment, chart = outcome.treatment, outcome.chart
    rows: list[tuple[str, str]] = [
        ("Zone", f"{outcome.zone.title} ({treatment.side})"),
        ("Device", outcome.device.title),
        ("Protocol", outcome.protocol.title),
        ("Duration of the recording", f"{clock(outcome.duration_s)} min"),
        ("Subject", treatment.subject or "no code given"),
    ]
    if treatment.room_degc is not None:
        rows.append(("Room", f"{number(treatment.room_degc)} °C"))
    if chart is not None:
        by = {"landmarks": "body landmarks", "skin_tags": "skin tags", "tap": "the operator's tapped outline"}
        on = {
            "depth": "the depth camera",
            "skin_tags": "skin tags",
            "body_model": "a body model (large bounds)",
        }
        rows.append(("Zone placed by", by.get(chart.anchored_by, chart.anchored_by)))
        rows.append(("Skin surface from", on.get(chart.surface_by, chart.surface_by)))
        rows.append(
            ("Bound of the zone's place", f"±{NARROW}{number(chart.place_u95_mm, 0)} mm along the skin")
        )
    body = _about(rows)
    if outcome.zone.cautions:
        body += '<h3 style="margin-top:16px">Cautions for this zone</h3>' + _list(outcome.zone.cautions)
    picture = _poster(outcome, verdict)
    film = ""
    if video is not None:
        film = (
            f'<figure class="video" style="margin-top:18px"><video controls preload="metadata" src="{esc(video)}"></video>'
            f'<figcaption>What the operator would have seen. The video is the file <a href="{esc(video)}">{esc(video)}</a> beside '
            "this page and has to be kept with it.</figcaption></figure>"
        )
    return section("What was treated", picture + body + film, name="treated")


def maps(outcome: Outcome, grid: CellGrid | None, paints: list[CellPaint]) -> str:
    """The maps on the chart and in place."""
    if grid is None or not paints:
        return ""
    crop = body_crop(outcome.poster) if outcome.poster is not None else None
    out: list[str] = []
    for paint in paints:
        inner = (
            f"<h3>{esc(paint.title)}</h3>"
            + chart_svg(grid, paint, label=f"{paint.title} of every cell")
            + paint.legend
        )
        if outcome.poster is not None and crop is not None:
            address = body_picture(outcome.poster, paint, in_zone=grid.in_zone, crop=crop, cover=0.72)
            inner += (
                f'<img style="margin-top:14px" alt="{esc(paint.title)} in place on the body" src="{address}">'
            )
        out.append(f"<figure>{inner}</figure>")
    lead = (
        "Cells of 5 mm on the unrolled skin, seen as one looks at it; the white line is the zone. Below each map the same in place on "
        "the body. Hatched cells are unknown. Point at a cell for its figures."
        if grid.unit == "cm"
        else "Cells in pixels of the thermal picture: without a rig there are no millimetres. Hatched cells are unknown."
    )
    return section("Maps", f'<div class="maps">{"".join(out)}</div>', name="maps", lead=lead, long=True)


def over_time(outcome: Outcome) -> str:
    """All curves."""
    lead = "Hatched: not known at that time. Numbers of alarms as in the table below. Point at the curves for their values."
    return section("Over time", f'<div class="scroll">{time_chart(outcome)}</div>', name="time", lead=lead)


def rewarming(outcome: Outcome) -> str:
    """What happened after the gas stopped."""
    warning = (
        "A single picture taken after a treatment underestimates how cold the skin was: it rises by several degrees "
        "within seconds. The lowest temperatures above come from the continuous record."
    )
    chart = rewarming_chart(outcome)
    if not chart:
        why = "Gas did not stop before the end of the recording, so no rewarming was seen."
        if outcome.gas_stopped_s is not None:
            why = "No temperature was observed after the gas stopped."
        return section("Rewarming", f'<p class="none">{why}</p>', name="rewarming", lead=warning)
    points = rewarming_figures(outcome)
    table = ""
    if points:
        table = (
            '<div class="tablebox"><table style="width:auto"><tr><th>Zone mean after</th>'
            + "".join(f'<th class="n">{esc(a)}</th>' for a, _ in points)
            + "</tr><tr><td></td>"
            + "".join(f'<td class="n">{esc(b)}</td>' for _, b in points)
            + "</tr></table></div>"
        )
    if outcome.gas_stopped_s is None:
        warning = (
            "No end of the gas is recorded, so time runs from the moment at which the zone's mean was lowest. "
            + warning
        )
    return section("Rewarming", f'<div class="scroll">{chart}</div>{table}', name="rewarming", lead=warning)


def coverage(outcome: Outcome) -> str:
    """Areas by verdict, and the tiles."""
    found = shares(outcome)
    if not found:
        return ""
    zone = sum(s.zone_cm2 for s in found) or 1.0
    rows = "".join(
        f"<tr><td>{swatch(s.verdict)}<b>{esc(verdict_look(s.verdict).title)}</b></td><td>{esc(verdict_look(s.verdict).meaning)}</td>"
        f'<td class="n">{number(s.zone_cm2)}</td><td class="n">{number(100.0 * s.zone_cm2 / zone, 0)}</td><td class="n">{number(s.outside_cm2)}</td></tr>'
        for s in found
    )
    body = (
        '<div class="tablebox"><table><tr><th>Verdict</th><th>Meaning</th><th class="n">zone cm²</th><th class="n">% of zone</th>'
        f'<th class="n">around it cm²</th></tr>{rows}</table></div>'
    )
    parts = tiles(outcome)
    if parts:
        limit = outcome.protocol.zone_time_s
        rows = "".join(
            f'<tr><td>{n}</td><td class="n">{number(area, 0)}</td><td class="n">{number(gas)}</td><td class="n">{number(covered, 0)}</td>'
            f'<td class="n">{number(over)}</td><td class="n">{number(unknown)}</td></tr>'
            for n, area, gas, covered, over, unknown in parts
        )
        body += (
            f'<h3 style="margin-top:20px">Tiles of at most 150 cm² (gas time: advisory {number(limit.warn, 0)} s, limit {number(limit.stop, 0)} s each)</h3>'
            '<div class="tablebox"><table><tr><th>Tile</th><th class="n">cm²</th><th class="n">gas s</th><th class="n">reached target %</th>'
            f'<th class="n">overexposed cm²</th><th class="n">unknown cm²</th></tr>{rows}</table></div>'
        )
    return section("Coverage", body, name="coverage")


def not_known(outcome: Outcome) -> str:
    """What was unknown and why."""
    found = unknowns(outcome)
    lead = "What was not seen is not counted as zero and not as fine."
    if not found:
        return section(
            "What was unknown, and why",
            "<p>No gap was noticed: nozzle, zone and temperature were followed throughout.</p>",
            name="unknown",
            lead=lead,
        )
    rows = "".join(
        f'<tr><td><b>{esc(f.name)}</b></td><td class="n">{esc(f.value)}</td><td>{esc(f.unit)}</td><td>{esc(f.note)}</td></tr>'
        for f in found
    )
    body = f'<div class="tablebox"><table><tr><th>What</th><th class="n">how much</th><th></th><th>Why, and what was done</th></tr>{rows}</table></div>'
    return section("What was unknown, and why", body, name="unknown", lead=lead)


def alarms(outcome: Outcome) -> str:
    """All alarms in order of time."""
    found = sorted(outcome.alarms, key=lambda a: a.t_on_s)
    if not found:
        return section("Alarms", "<p>No alarm was raised.</p>", name="alarms")
    rows: list[str] = []
    for k, alarm in enumerate(found, start=1):
        kind = alarm.priority if alarm.priority in SIGNS else "high"
        off = "still stood at the end" if alarm.t_off_s is None else clock(alarm.t_off_s)
        lasted = number((outcome.duration_s if alarm.t_off_s is None else alarm.t_off_s) - alarm.t_on_s)
        rows.append(
            f'<tr><td class="n">{k}</td><td class="n">{clock(alarm.t_on_s)}</td><td class="n">{off}</td><td class="n">{lasted}</td>'
            f'<td><span class="pill {kind}">{SIGNS[kind]}</span></td><td>{esc(alarm.cause.replace("_", " "))}<br><span class="small">{esc(alarm.kind)}</span></td>'
            f"<td>{esc(alarm.message)}</td></tr>"
        )
    body = (
        '<div class="tablebox"><table><tr><th class="n">No.</th><th class="n">on</th><th class="n">off</th><th class="n">s</th><th>Priority</th><th>Cause</th>'
        f"<th>What the operator was told</th></tr>{''.join(rows)}</table></div>"
    )
    return section("Alarms", body, name="alarms", long=True)


def protocol(outcome: Outcome) -> str:
    """Limits with their sources."""
    used = outcome.protocol
    rows: list[str] = []
    for key, name, value in _protocol_figures(used):
        evidence = used.evidence.get(key)
        source = evidence.source if evidence else "no source given"
        confidence = evidence.confidence if evidence else "low"
        rows.append(
            f'<tr><td>{esc(name)}</td><td class="n">{esc(value)}</td><td><span class="conf {esc(confidence)}">{esc(confidence)}</span></td><td>{esc(source)}</td></tr>'
        )
    approved = f"Approved by {used.approved_by}." if used.approved_by else "Not approved by a clinician."
    table = f'<div class="tablebox"><table><tr><th>Figure</th><th class="n">Value</th><th>Confidence</th><th>Source</th></tr>{"".join(rows)}</table></div>'
    device = outcome.device
    lines = [
        (key, f"{number(value, digits)} {unit}")
        for key, value, digits, unit in (
            ("Gas at the orifice", device.outlet_degc, 0, "°C"),
            ("Gas at the skin, in the core", device.skin_gas_degc, 0, "°C"),
            ("Film coefficient there", device.film_w_m2k, 0, "W/m²K"),
            (
                "Bore used",
                outcome.rig.nozzle.bore_mm if outcome.rig and outcome.rig.nozzle else device.bore_mm,
                1,
                "mm",
            ),
        )
    ]
    body = table + f'<h3 style="margin-top:18px">Device profile: {esc(device.title)}</h3>' + _about(lines)
    return section(
        "Protocol used",
        body,
        name="protocol",
        lead=f"{esc(used.title)} ({esc(used.name)}). {esc(approved)}",
        long=True,
    )


def rig(outcome: Outcome) -> str:
    """Calibration of the cameras."""
    used = outcome.rig
    if used is None:
        return section("Rig", f"<p>{esc(why_no_millimetres(outcome))}</p>", name="rig")
    age_days = (
        (outcome.treatment.started - used.created).total_seconds() / 86400.0 if _comparable(outcome) else None
    )
    rows = [
        (
            "Calibrated",
            used.created.strftime("%Y-%m-%d %H:%M %Z").strip()
            + (f" ({number(age_days, 0)} days before)" if age_days is not None and age_days >= 1.0 else ""),
        ),
        (
            "Colour camera",
            f"{used.rgb.width_px} × {used.rgb.height_px} px, residual {number(used.rgb_rms_px, 2)}{' px rms' if used.rgb_rms_px is not None else ''}",
        ),
    ]
    if used.thermal is not None:
        t = used.thermal
        rows.append(
            (
                "Thermal camera",
                f"{t.camera.width_px} × {t.camera.height_px} px, uncorrected accuracy ±{NARROW}{number(t.accuracy_degc)} °C, emissivity {number(t.emissivity, 2)}",
            )
        )
    else:
        rows.append(("Thermal camera", "none"))
    rows.append(
        (
            "Depth camera",
            f"{used.depth.camera.width_px} × {used.depth.camera.height_px} px" if used.depth else "none",
        )
    )
    rows.append(
        (
            "Nozzle",
            f"bore {number(used.nozzle.bore_mm)} mm, {len(used.nozzle.tags.ids)} tags"
            if used.nozzle
            else "not calibrated",
        )
    )
    rows.append(
        ("Skin tags", f"{len(used.skin.ids)} of {number(used.skin.size_mm, 0)} mm" if used.skin else "none")
    )
    lead = "A residual in pixels is not an accuracy on the skin; the bounds above are."
    return section("Rig used", _about(rows), name="rig", lead=lead)


def warnings(outcome: Outcome) -> str:
    """What the reader of the recording could work around."""
    return (
        section("Warnings about the recording", _list(outcome.warnings), name="warnings")
        if outcome.warnings
        else ""
    )


def method() -> str:
    """What this report cannot say."""
    return section("Limits of the method", _list(LIMITS_OF_THE_METHOD), name="limits")


def software(outcome: Outcome) -> str:
    """Version and checksums."""
    rows: list[tuple[str, str]] = [
        ("Software", f"cryoguide {outcome.summary.get('version', 'version not known')}")
    ]
    for key in ("schema", "hashes"):
        rows.extend(_flat(key, outcome.summary.get(key)))
    items = "".join(f"<div><dt>{esc(k)}</dt><dd><code>{esc(v)}</code></dd></div>" for k, v in rows)
    return section("Software and checksums", f'<dl class="about">{items}</dl>', name="software")


def _flat(key: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _flat(f"{str(name).replace('_', ' ')}", inner)  # pyright: ignore[reportUnknownArgumentType]
    else:
        yield key.replace("_", " "), "none" if value is None else str(value)


def _protocol_figures(p: Protocol) -> list[tuple[str, str, str]]:
    def pair(ladder: Ladder, unit: str) -> str:
        return f"{_g(ladder.warn)} / {_g(ladder.stop)} {unit}"

    return [
        ("target_degc", "Target band", f"{_g(p.target_low_degc)}–{_g(p.target_high_degc)} °C"),
        ("advisory_degc", "Advisory temperature", f"{_g(p.advisory_degc)} °C"),
        ("skin_degc", "Skin temperature, warning / STOP", pair(p.skin_degc, "°C")),
        ("predicted_s", "Predicted time to STOP, warning / STOP", pair(p.predicted_s, "s")),
        ("confirm_pictures", "Pictures that must agree", str(p.confirm_pictures)),
        ("distance_mm", "Distance", _band(p.distance)),
        ("zone_time_s", "Gas time per tile, warning / STOP", pair(p.zone_time_s, "s")),
        ("session_time_s", "Gas time of a session", f"{_g(p.session_time_s)} s"),
        (
            "static_s",
            f"Nozzle slower than {_g(p.static_speed_cm_s)} cm/s over one spot, warning / STOP",
            pair(p.static_s, "s"),
        ),
        ("dwell_s", "Jet-seconds per cell, advisory / limit", pair(p.dwell_s, "s")),
        ("below_10_s", "Time below 10 °C, advisory / limit", pair(p.below_10_s, "s")),
        ("below_4_s", "Time below 4 °C, advisory / limit", pair(p.below_4_s, "s")),
        ("below_2_s", "Time below 2 °C, advisory / limit", pair(p.below_2_s, "s")),
        ("incidence_deg", "Incidence, warning above", f"{_g(p.incidence_warn_deg)}°"),
    ]


def _band(band: DistanceBand) -> str:
    far = "" if band.warn_high_mm is None else f" or above {_g(band.warn_high_mm)}"
    return f"good {_g(band.good_low_mm)}–{_g(band.good_high_mm)}, warning below {_g(band.warn_low_mm)}{far}, STOP below {_g(band.stop_low_mm)} mm"


def _g(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _comparable(outcome: Outcome) -> bool:
    assert outcome.rig is not None
    return (outcome.treatment.started.tzinfo is None) == (outcome.rig.created.tzinfo is None)


def _poster(outcome: Outcome, verdict: CellPaint | None) -> str:
    poster = outcome.poster
    if poster is None:
        return ""
    if (
        verdict is not None
        and outcome.chart is not None
        and poster.corner_px is not None
        and outcome.verdicts is not None
    ):
        height, width = poster.bgr.shape[:2]
        untreated = np.array([v == "untreated" for v in outcome.verdicts.verdict], bool)
        address = body_picture(
            poster,
            verdict,
            in_zone=outcome.chart.in_zone,
            crop=(0, 0, width, height),
            cover=0.62,
            width_px=min(width, 1280),
            hidden=untreated,
        )
        words = "The zone (white line) and the verdict of every treated cell, on the picture of"
        keys = verdict.legend
    else:
        address, words, keys = bare_picture(poster), "Picture of", ""
    return f'<figure><img alt="The treated zone in place" src="{address}"><figcaption>{words} {clock(poster.t_s)} min.</figcaption>{keys}</figure>'


def _big(name: str, value: float | None, unit: str, note: str, *, digits: int = 1) -> str:
    shown = (
        f'<div class="value">{number(value, digits)}<small>{esc(unit)}</small></div>'
        if value is not None
        else '<div class="value words">not known</div>'
    )
    return f'<div><div class="name">{esc(name)}</div>{shown}<div class="note">{esc(note)}</div></div>'


def _split(found: list[Share]) -> str:
    total = sum(s.zone_cm2 for s in found)
    if not total > 0.0:
        return ""
    bars = "".join(
        f'<span class="{esc(verdict_look(s.verdict).pattern)}" style="--c:{css(verdict_look(s.verdict).colour)};flex:{s.zone_cm2 / total:.5f}"'
        f' title="{esc(verdict_look(s.verdict).title)}: {number(s.zone_cm2)} cm²"></span>'
        for s in found
        if s.zone_cm2 > 0.0
    )
    keys = "".join(
        f'<li>{swatch(s.verdict)}<b>{esc(verdict_look(s.verdict).title)}</b><span class="num">{number(s.zone_cm2)} cm² · {number(100.0 * s.zone_cm2 / total, 0)} %</span></li>'
        for s in found
        if s.zone_cm2 > 0.0 or s.verdict in ("overexposed", "unknown")
    )
    return f'<div class="split"><div class="small">The zone by verdict</div><div class="stack">{bars}</div><ul class="keys">{keys}</ul></div>'


def _facts(facts: list[Fact]) -> str:
    items = "".join(
        f'<div class="fact"><div class="name">{esc(f.name)}</div><div class="value">{esc(f.value)}<small>{esc(f.unit)}</small></div><div class="note">{esc(f.note)}</div></div>'
        for f in facts
    )
    return f'<div class="facts">{items}</div>'


def _about(rows: list[tuple[str, str]]) -> str:
    return (
        '<dl class="about">'
        + "".join(f"<div><dt>{esc(k)}</dt><dd>{esc(v)}</dd></div>" for k, v in rows)
        + "</dl>"
    )


def _list(lines: Iterable[str]) -> str:
    return '<ul class="plain">' + "".join(f"<li>{esc(line)}</li>" for line in lines) + "</ul>"
