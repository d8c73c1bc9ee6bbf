"""Sections of the report that list: coverage, what was unknown, alarms, protocol, rig, limits, software."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from guidance.outcome import Outcome
from guidance.overlay.palette import verdict_look
from guidance.report.facts import shares, tiles, why_no_millimetres
from guidance.report.history import again_figures
from guidance.report.maps import swatch
from guidance.report.markup import (
    NARROW,
    TIMES,
    TO,
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
from guidance.report.thermal_found import offset_words, spread_words
from guidance.report.unknown import unknowns
from models.protocol import Ladder, Protocol
from models.rig import Rig

SIGNS = {"high": "!!! high", "medium": "!! medium", "low": "! low"}

LIMITS_OF_THE_METHOD = (
    "This is not a medical device and not clinical evidence. It supports an operator; it does not replace "
    "watching and asking the patient.",
    "Exposure is not biological dose. Jet-seconds and degree-seconds say what reached the skin, not what it "
    "did there; no validated measure of a cold dose exists.",
    "Small cold spots read too warm: spots of a few thermal pixels were measured 2 to 7 °C too warm. True "
    "minima may be lower than shown.",
    "Skin under the nozzle, the hand or the fog of the jet is hidden. It warms by several degrees within "
    "seconds once the jet has moved on, so what is seen then is not the lowest it had.",
    "Dwell is computed from the nozzle's pose and a footprint formula (half width = bore / 2 + 0.1 of the "
    "distance), not measured on the skin. The flow of the gas is not measured.",
    "Cells are 5 mm wide. Nothing is said about tissue below the skin: minutes of gas cool skin, not joints.",
    "Every bound is a 95 % bound under what the calibration states. What was not seen is unknown: never "
    "zero, never fine.",
)


def coverage(outcome: Outcome) -> str:
    """Areas by verdict, and the tiles."""
    found = shares(outcome)
    if not found:
        return ""
    zone = sum(s.zone_cm2 for s in found) or 1.0
    rows: list[list[str]] = []
    for s in found:
        look = verdict_look(s.verdict)
        of_zone = esc(percent(s.zone_cm2 / zone))
        name = swatch(s.verdict) + element("b", esc(look.title))
        rows.append([name, esc(look.meaning), number(s.zone_cm2), of_zone, number(s.outside_cm2)])
    columns = ("Verdict", "Meaning", "zone cm²", "% of zone", "around it cm²")
    body = table(columns, rows, kinds="ktnnn")
    parts = tiles(outcome)
    if parts:
        limit = outcome.protocol.zone_time_s
        title = f"Tiles (gas time: advisory {short(limit.warn)} s, limit {short(limit.stop)} s for each)"
        body += element("h3", esc(title), kind="gap")
        columns = ("Tile", "cm²", "gas s", "reached target %", "overexposed cm²", "unknown cm²")
        rows = [
            [
                str(t.number),
                *map(number, (t.area_cm2, t.gas_s, t.covered_pct, t.overexposed_cm2, t.unknown_cm2)),
            ]
            for t in parts
        ]
        body += table(columns, rows, kinds="knnnnn")
    return section("Coverage", body, name="coverage")


def not_known(outcome: Outcome) -> str:
    """What was unknown and why."""
    found = unknowns(outcome)
    body = "<p>No gap was noticed: nozzle, zone and temperature were followed throughout.</p>"
    if found:
        rows = [[element("b", esc(f.name)), esc(f.value), esc(f.unit), esc(f.note)] for f in found]
        body = table(("What", "how much", "", "Why, and what was done"), rows, kinds="tntt")
    lead = "What was not seen is not counted as zero and not as fine."
    return section("What was unknown, and why", body, name="unknown", lead=lead)


def alarms(outcome: Outcome) -> str:
    """All alarms in order of time."""
    found = sorted(outcome.alarms, key=lambda a: a.t_on_s)
    if not found:
        return section("Alarms", "<p>No alarm was raised.</p>", name="alarms")
    rows: list[list[str]] = []
    for k, alarm in enumerate(found, start=1):
        kind = alarm.priority if alarm.priority in SIGNS else "high"
        off = "at the end" if alarm.t_off_s is None else clock(alarm.t_off_s)
        lasted_s = (outcome.duration_s if alarm.t_off_s is None else alarm.t_off_s) - alarm.t_on_s
        sign = element("span", SIGNS[kind], kind=f"pill {kind}")
        cause = esc(alarm.cause.replace("_", " ")) + "<br>" + element("span", esc(alarm.kind), kind="small")
        times = [clock(alarm.t_on_s), off, number(max(lasted_s, 0.0))]
        rows.append([str(k), *times, sign, cause, esc(typeset(alarm.message))])
    columns = ("No.", "on", "off", "s", "Priority", "Cause", "What the operator was told")
    return section("Alarms", table(columns, rows, kinds="nnnnktt"), name="alarms", long=True)


def protocol(outcome: Outcome) -> str:
    """Limits with their sources."""
    used, device = outcome.protocol, outcome.device
    rows: list[list[str]] = []
    for key, name, value in _protocol_figures(used):
        evidence = used.evidence.get(key)
        confidence = evidence.confidence if evidence else "low"
        source = evidence.source if evidence else "no source given"
        rows.append(
            [
                esc(name),
                esc(value),
                element("span", esc(confidence), kind=f"conf {confidence}"),
                esc(typeset(source)),
            ]
        )
    bore_mm = outcome.rig.nozzle.bore_mm if outcome.rig and outcome.rig.nozzle else device.bore_mm
    profile = [
        ("Gas at the orifice", f"{short(device.outlet_degc)} °C"),
        ("Gas at the skin, in the core", f"{short(device.skin_gas_degc)} °C"),
        ("Film coefficient there", f"{short(device.film_w_m2k)} W/m²K"),
        ("Bore used", f"{short(bore_mm)} mm"),
    ]
    body = table(("Figure", "Value", "Confidence", "Source"), rows, kinds="tnkt")
    body += element("h3", esc(f"Device profile: {device.title}"), kind="gap") + about(profile)
    lead = f"{used.title} ({used.name}), {used.approval}."
    return section("Protocol used", body, name="protocol", lead=lead, long=True)


def rig(outcome: Outcome) -> str:
    """Calibration of the cameras."""
    used = outcome.rig
    if used is None:
        return section("Rig", element("p", esc(why_no_millimetres(outcome))), name="rig")
    calibrated = used.created.strftime("%Y-%m-%d %H:%M %Z").strip()
    if (outcome.treatment.started.tzinfo is None) == (used.created.tzinfo is None):
        age_days = (outcome.treatment.started - used.created).total_seconds() / 86400.0
        calibrated += f" ({number(age_days, 0)} days before)" if age_days >= 1.0 else ""
    residual = "not stated" if used.rgb_rms_px is None else f"{number(used.rgb_rms_px, 2)} px rms"
    thermal, depth = "none", "none"
    if used.thermal is not None:
        camera = used.thermal.camera
        thermal = (
            f"{camera.width_px} {TIMES} {camera.height_px} px, uncorrected accuracy ±{NARROW}"
            f"{number(used.thermal.accuracy_degc)} °C, emissivity {number(used.thermal.emissivity, 2)}"
        )
    if used.depth is not None:
        depth = f"{used.depth.camera.width_px} {TIMES} {used.depth.camera.height_px} px"
    nozzle, tags = used.nozzle, used.skin
    rows = [
        ("Calibrated", calibrated),
        ("Quick check before", _quick_check(outcome)),
        ("Colour camera", f"{used.rgb.width_px} {TIMES} {used.rgb.height_px} px, residual {residual}"),
        ("Thermal camera", thermal),
        *_corrected(used),
        ("Thermal camera, as seen", offset_words(outcome.summary) if used.thermal else "none"),
        ("Its spread of a point", spread_words(outcome.summary) if used.thermal else "none"),
        ("Depth camera", depth),
        (
            "Nozzle",
            f"bore {short(nozzle.bore_mm)} mm, {len(nozzle.tags.ids)} tags" if nozzle else "not calibrated",
        ),
        ("Skin tags", f"{len(tags.ids)} of {short(tags.size_mm)} mm" if tags else "none"),
        ("Collar, as seen", _collar(outcome)),
        ("Cooling against jet", _self_check(outcome)),
    ]
    lead = "A residual in pixels is not an accuracy on the skin; the bounds above are."
    return section("Rig used", about(rows), name="rig", lead=lead)


def _corrected(used: Rig) -> list[tuple[str, str]]:
    """What an import has corrected the temperatures for, and what it did to them."""
    corrected = used.thermal.corrected if used.thermal is not None else None
    if corrected is None:
        return []
    before = ", ".join(
        f"{short(degc)} °C as {number(stated, 2)} °C" for degc, stated in corrected.stated_degc
    )
    told = (
        f"for surroundings of {number(corrected.reflected_degc)} °C and {short(corrected.distance_mm)} mm"
        f" of air of {number(corrected.air_degc)} °C and {number(100.0 * corrected.humidity, 0)} % humidity;"
        f" the file ({corrected.source}) gave skin of {before}"
    )
    return [("Temperatures corrected", told)]


def _collar(outcome: Outcome) -> str:
    """How far the tags sit off the places that the rig gives."""
    found = cast("Mapping[str, object] | None", outcome.summary.get("collar"))
    names = ("median_off_mm", "worst_off_mm", "worst_off_u95_mm")
    known = [value for value in ((found or {}).get(name) for name in names) if isinstance(value, float)]
    if found is None or len(known) < len(names):
        return "not known: no tag of it was seen"
    middle_mm, worst_mm, worst_u95_mm = known
    untold = len(cast("list[int]", found["tags_not_told"]))
    rest = f"; {untold} not seen well enough to tell" if untold else ""
    return (
        f"{found['tags_seen']} tags off the rig's places by {number(middle_mm, 2)} mm (median), tag"
        f" {found['worst_tag']} by {number(worst_mm, 2)} ±{NARROW}{number(worst_u95_mm, 2)} mm;"
        f" corrected{rest}"
    )


def _quick_check(outcome: Outcome) -> str:
    """What ``cryoguide calibrate check`` had found before."""
    found = cast("Mapping[str, object]", outcome.summary.get("rig_checked") or {})
    return str(found.get("words") or "none")


def _self_check(outcome: Outcome) -> str:
    """Where and when the skin cooled, against where and when the jet should have cooled it."""
    found = cast("Mapping[str, object]", outcome.summary.get("rig_check") or {})
    figures = [found.get(name) for name in ("offset_mm", "offset_u95_mm", "lag_s", "lag_u95_s")]
    known = [value for value in figures if isinstance(value, float)]
    if len(known) < len(figures):
        return f"not known: {found.get('reason') or 'not checked'}"
    offset_mm, offset_u95_mm, lag_s, lag_u95_s = known
    when = "late" if lag_s > 0.0 else "early"
    return (
        f"{number(offset_mm)} ±{NARROW}{number(offset_u95_mm)} mm apart, thermal times"
        f" {number(1000.0 * abs(lag_s), 0)} ±{NARROW}{number(1000.0 * lag_u95_s, 0)} ms {when}"
    )


def warnings(outcome: Outcome) -> str:
    """What the reader of the recording could work around."""
    if not outcome.warnings:
        return ""
    return section(
        "Warnings about the recording", bullets(typeset(w) for w in outcome.warnings), name="warnings"
    )


def method() -> str:
    """What this report cannot say."""
    return section("Limits of the method", bullets(LIMITS_OF_THE_METHOD), name="limits")


def software(outcome: Outcome) -> str:
    """Version and checksums."""
    rows = [("software", f"cryoguide {outcome.summary.get('version', 'version not known')}")]
    for key in ("schema", "hashes"):
        rows.extend(_flat(key, outcome.summary.get(key)))
    return section("Software and checksums", about(rows, code=True), name="software")


def _flat(key: str, value: object) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[object, object]", value).items():
            yield from _flat(f"{key}: {name}", inner)
    else:
        yield key, "none" if value is None else str(value)


def _protocol_figures(p: Protocol) -> list[tuple[str, str, str]]:
    """Key of the evidence, name, and value of each figure."""
    band = p.distance
    near = f"{short(band.warn_low_mm)} / {short(band.stop_low_mm)} mm"
    far = "none" if band.warn_high_mm is None else f"{short(band.warn_high_mm)} mm"
    speed = f"{short(p.static_speed_cm_s)} cm/s"
    return [
        ("target_degc", "Target band", f"{short(p.target_low_degc)}{TO}{short(p.target_high_degc)} °C"),
        ("advisory_degc", "Advisory temperature", f"{short(p.advisory_degc)} °C"),
        ("skin_degc", "Skin temperature, warning / STOP", _pair(p.skin_degc, "°C")),
        ("predicted_s", "Predicted time to STOP, warning / STOP", _pair(p.predicted_s, "s")),
        ("confirm_pictures", "Pictures that must agree", str(p.confirm_pictures)),
        ("distance", "Distance, good band", f"{short(band.good_low_mm)}{TO}{short(band.good_high_mm)} mm"),
        ("distance", "Distance too near, warning / STOP", near),
        ("distance", "Distance too far, warning", far),
        ("zone_time_s", "Gas time per tile, warning / STOP", _pair(p.zone_time_s, "s")),
        ("session_time_s", "Gas time of a session", f"{short(p.session_time_s)} s"),
        ("static_speed_cm_s", "Speed below which the nozzle counts as still", speed),
        ("static_s", "Still over one spot, warning / STOP", _pair(p.static_s, "s")),
        ("dwell_s", "Jet-seconds per cell, advisory / limit", _pair(p.dwell_s, "s")),
        ("below_10_s", "Time below 10 °C, advisory / limit", _pair(p.below_10_s, "s")),
        ("below_4_s", "Time below 4 °C, advisory / limit", _pair(p.below_4_s, "s")),
        ("below_2_s", "Time below 2 °C, advisory / limit", _pair(p.below_2_s, "s")),
        ("incidence_warn_deg", "Incidence, warning above", f"{short(p.incidence_warn_deg)}°"),
        ("sweep_cm_s", "Sweep speed", f"{short(p.sweep_low_cm_s)}{TO}{short(p.sweep_high_cm_s)} cm/s"),
        *again_figures(p.again),
    ]


def _pair(ladder: Ladder, unit: str) -> str:
    return f"{short(ladder.warn)} / {short(ladder.stop)} {unit}"
