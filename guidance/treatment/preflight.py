"""What is looked at before a treatment, and what a page is told of it once."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from guidance.alarms.tone_files import tone_name
from guidance.alarms.tones import SOUNDS, rhythm
from guidance.rig_checked import NOT_CHECKED, Checked, checked_words, how_to_check, is_blamed
from guidance.stages.state import Setup
from guidance.treatment.choice import Choices
from guidance.treatment.view import look
from guidance.version import software_version
from models.contraindications import Question, Questions
from models.rig import Rig
from models.rig_checked import CHECK_FILE
from models.validity import lapsed_words
from vision.recording import Recording

CALIBRATED_WITHIN_DAYS = 30.0
"""As the alarm ``calibration_old`` has it."""
FREE_LEAST_BYTES = 200_000_000
"""A report takes a few megabytes; below this the disk is as good as full (own choice)."""
RECORDED_BYTES_S = 198e6 / 60.0
"""Measured at 720p, 30 pictures a second, with thermal and depth (docs/recording.md)."""
RECORDED_LEAST_MIN = 45.0
"""The longest session of a protocol is 30 min; with the way there and back."""
HERE = "tap Check the rig"
"""How, where the page can do it."""
_MAKE_ROOM = "make room, or start again with --out on another disk"


@dataclass(frozen=True)
class Check:
    """One thing looked at before the treatment."""

    name: str
    state: str
    """``ok``, ``look`` or ``unknown``."""
    words: str


def recorded_checks(recording: Recording, setup: Setup) -> tuple[Check, ...]:
    """What there is to look at before a recording is played as if live."""
    width, height = recording.width_px, recording.height_px
    colour = (
        Check("Colour camera", "ok", f"recorded, {width} x {height}")
        if width
        else Check("Colour camera", "look", "none in this recording")
    )
    thermal = (
        Check("Thermal camera", "look", "recorded; whether it had warmed up is not known")
        if recording.has_thermal
        else Check("Thermal camera", "look", "none: temperature is not guarded")
    )
    depth = Check("Depth camera", "ok", "recorded") if recording.has_depth else None
    checked = (
        rig_check(recording, now=setup.treatment.started, rig=setup.rig)
        if recording.attached(CHECK_FILE) is not None
        else None
    )
    return tuple(
        check
        for check in (
            colour,
            thermal,
            depth,
            calibration_check(setup, recorded=True),
            checked,
            approval_check(setup),
        )
        if check
    ) + tuple(Check("Recording", "look", warning) for warning in recording.warnings)


def hello(
    setup: Setup,
    *,
    asked: Sequence[Question],
    listed: Questions,
    checks: Sequence[Check],
    source: str,
    by_hand: bool = False,
) -> dict[str, object]:
    """What a page is told first: colours, tones, what is treated with what, questions, checks.

    Args:
        setup: Of the session.
        asked: The questions for this zone and device.
        listed: The list that they come from.
        checks: What was looked at.
        source: Where pictures come from, for the page's head.
        by_hand: Whether the operator says if gas flows.
    """
    treatment, zone, protocol = setup.treatment, setup.zone, setup.protocol
    side = "" if treatment.side == "both" else f", {treatment.side}"
    band, skin = protocol.distance, protocol.skin_degc
    rows = [
        ("Zone", f"{zone.title}{side}"),
        ("Device", setup.device.title),
        ("Protocol", f"{protocol.title}, {protocol.approval}"),
        (
            "Target",
            f"{protocol.target_low_degc:g} to {protocol.target_high_degc:g} °C, STOP at {skin.stop:g} °C",
        ),
        ("Distance", f"{band.good_low_mm:g} to {band.good_high_mm:g} mm"),
        ("Time", f"{protocol.zone_time_s.warn:g} s a tile, {protocol.session_time_s:g} s a session"),
    ]
    return _common(checks, source=source) | {
        "by_hand": by_hand,
        "title": f"{zone.title}{side}",
        "protocol": protocol.title,
        "approved": protocol.approved_by is not None,
        "approval": protocol.approval,
        "rows": rows,
        "cautions": list(zone.cautions),
        "leave_out": [area.name for area in zone.leave_out],
        "dwell": {"warn_s": protocol.dwell_s.warn, "stop_s": protocol.dwell_s.stop},
        "questions_approval": listed.approval,
        "questions": [
            {"name": q.name, "text": q.text, "about": q.about, "kind": q.kind, "optional": q.optional,
             "note": q.note or ""}
            for q in asked
        ],
    }  # fmt: skip


def open_hello(choices: Choices, *, checks: Sequence[Check], source: str) -> dict[str, object]:
    """What a page is told first where it is not chosen yet what is treated with what."""
    return _common(checks, source=source) | {
        "by_hand": True,
        "title": "cryoguide",
        "protocol": "",
        "approved": True,
        "approval": "",
        "rows": (),
        "cautions": (),
        "leave_out": (),
        "dwell": None,
        "questions_approval": "",
        "questions": (),
        "choices": choices.told(),
    }


def _common(checks: Sequence[Check], *, source: str) -> dict[str, object]:
    return {
        "version": software_version(),
        "source": source,
        "look": look(),
        "tones": {tone_name(s): {"rest_s": rhythm(s).rest_s} for s in SOUNDS},
        "checks": [{"name": c.name, "state": c.state, "words": c.words} for c in checks],
        "choices": None,
    }


def calibration_check(setup: Setup, *, recorded: bool = False) -> Check:
    """How old the calibration is as the session begins, or was where it is `recorded`."""
    if setup.rig is None:
        return Check("Calibration", "look", "no rig: no distance, area or dwell")
    return calibration_of(setup.rig, setup.treatment.started, recorded=recorded)


def calibration_of(rig: Rig, started: datetime, *, recorded: bool = False) -> Check:
    """How old a rig is as a session begins, and what in it rests on something that it no longer has."""
    lapsed = rig.validity.lapsed()
    if lapsed:
        return Check("Calibration", "look", lapsed_words(lapsed))
    created = rig.calibrated
    if created.tzinfo is None or started.tzinfo is None:
        created, started = created.replace(tzinfo=None), started.replace(tzinfo=None)
    days = (started - created).total_seconds() / 86400.0
    if 0.0 <= days < 1.0:
        words = "of the same day" if recorded else "of today"
    else:
        words = f"{days:.0f} days old" + (" when it was recorded" if recorded else "")
    return Check("Calibration", "ok" if 0.0 <= days <= CALIBRATED_WITHIN_DAYS else "look", words)


def rig_check(
    source: Checked, *, now: datetime, rig: Rig | None = None, rig_file: str = "rig.toml", here: bool = False
) -> Check:
    """What the last quick check of the rig found, and how to check where it does not vouch for it.

    Args:
        source: What holds the check.
        now: Time of day.
        rig: In use.
        rig_file: Where it lies.
        here: Whether it can be checked on this page.
    """
    told = checked_words(source, now=now, rig=rig, brief=True)
    ok, words = told or (False, NOT_CHECKED)
    words = words.replace("+-", "±")
    if not ok and not is_blamed(source):
        words = f"{words} ({HERE if here else how_to_check(rig_file)})"
    return Check("Rig check", "ok" if ok else "look", words)


def approval_check(setup: Setup) -> Check:
    """Who approved the protocol."""
    return Check("Protocol", "ok" if setup.protocol.approved_by else "look", setup.protocol.approval)


def disk_check(out: Path, *, records: bool) -> Check:
    """Whether there is room for report and recording."""
    at = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    free = shutil.disk_usage(at).free
    if not records:
        words = f"{free / 1e9:.1f} GB free for the report"
        enough = free >= FREE_LEAST_BYTES
        return Check("Disk", "ok" if enough else "look", words if enough else f"{words}: {_MAKE_ROOM}")
    minutes = max(0.0, free - FREE_LEAST_BYTES) / RECORDED_BYTES_S / 60.0
    words = f"{free / 1e9:.1f} GB free: {min(math.floor(minutes), 999)} min of recording"
    if minutes >= RECORDED_LEAST_MIN:
        return Check("Disk", "ok", words)
    short = f"{words}, where {RECORDED_LEAST_MIN:.0f} are wanted"
    if free < FREE_LEAST_BYTES:
        short = f"{words}, and hardly any room for the report"
    return Check("Disk", "look", f"{short}: {_MAKE_ROOM}")
