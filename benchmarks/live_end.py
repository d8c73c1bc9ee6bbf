"""The end of a long live session: STOP, rewarming, report; then whether its recording tells what it lacks."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from mcap.records import Channel, Message

from benchmarks.live_memory import forget_peak, peak_mb
from benchmarks.live_stand import CONTROLLER, Stand
from benchmarks.soak import resident_mb
from guidance.recording.chained_log import verify
from guidance.recording.command import log_of
from models.recorded import CAPTURES, COLOUR, RECORDER, THERMAL
from tests.served_console import Screen
from vision.mcap_file import Whole, read_records

REWARMED_S = 10.0
"""Of the minute in which the skin is watched after the gas: as much is done in each second of it."""
SILENT_MOST_S = 0.5
"""A page that hears nothing for so long alarms by itself: the report must not hold up its words either."""


@dataclass(frozen=True)
class Ending:
    """How the session ended."""

    report_s: float
    """From the tap to the page's word that the report is there."""
    before_mb: float
    peak_mb: float
    after_mb: float
    silent_s: float
    """The longest in which a page heard nothing meanwhile."""
    report_mb: float
    """Size of its page."""
    summary: dict[str, Any]
    """As written."""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """For a table."""
        return [
            ("report: from the tap to the page's word of it, s", f"{self.report_s:.1f}"),
            (
                "  memory before / most / after, MB",
                f"{self.before_mb:.0f} / {self.peak_mb:.0f} / {self.after_mb:.0f}",
            ),
            ("  longest without a word at the page meanwhile, s", f"{self.silent_s:.2f}"),
            ("  size of report.html, MB", f"{self.report_mb:.1f}"),
        ]


def end(stand: Stand) -> Ending:
    """Stop, wait a little, write the report."""
    with Screen(stand.server, CONTROLLER, draws=False) as screen:
        screen.say("acknowledge")
        screen.say("stop")
        screen.until(phase="stopped")
        screen.say("gas_off")
        screen.until(gas_counts=False)
        end_s = time.monotonic() + REWARMED_S
        screen.hear_until(lambda: time.monotonic() > end_s)
        before_mb = resident_mb()
        forget_peak()
        began_s = time.monotonic()
        screen.say("finish")
        heard_s = [began_s]
        while screen.state.get("phase") != "done":
            screen.hear()
            heard_s.append(time.monotonic())
        report_s = heard_s[-1] - began_s
        most_mb = peak_mb()
    out = stand.server.out
    assert (out / "report.html").exists(), f"there is no report: {screen.state.get('trouble')}"
    return Ending(
        report_s,
        before_mb,
        most_mb,
        resident_mb(),
        max(later_s - earlier_s for earlier_s, later_s in pairwise(heard_s)),
        (out / "report.html").stat().st_size / 1e6,
        json.loads((out / "summary.json").read_text()),
    )


@dataclass(frozen=True)
class Found:
    """What is in the recording."""

    told: list[tuple[str, str]]
    """For a table."""
    wrong: list[str]


def recording_found(path: Path, summary: dict[str, Any]) -> Found:
    """Whether file, log and report agree on what was recorded and what is missing."""
    began_s = time.monotonic()
    whole, topics, count = Whole(), dict[int, str](), Counter[str]()
    last_s, back, lost, longest_s = -1.0, 0, 0, 0.0
    with_picture = without = 0
    for record in read_records(path, whole):
        if isinstance(record, Channel):
            topics[record.id] = record.topic
        if not isinstance(record, Message):
            continue
        topic = topics[record.channel_id]
        count[topic] += 1
        if topic == CAPTURES:
            note = json.loads(record.data)
            back += note["t_s"] <= last_s
            longest_s = max(longest_s, note["t_s"] - last_s) if last_s >= 0.0 else 0.0
            last_s = note["t_s"]
            with_picture += note["picture"]
            without += note["index"] is not None and not note["picture"]
        elif topic == RECORDER:
            lost += "capture_lost_s" in json.loads(record.data)
    recorded, log = summary["console"]["recorded"], verify(log_of(path))
    wrong = [] if whole.finished else ["The recording has no proper end."]
    wrong += [f"{back} captures are not later than the one before."] * (back > 0)
    if count[CAPTURES] + lost != recorded["captures"] or lost != recorded["captures_lost"]:
        words = f"The file holds {count[CAPTURES]} captures and tells of {lost} lost"
        wrong.append(f"{words}; the report says {recorded['captures']} and {recorded['captures_lost']}.")
    if with_picture != count[COLOUR] or without != recorded["pictures_left_out"]:
        words = f"The file lacks {without} colour pictures of its captures"
        wrong.append(f"{words}; the report says {recorded['pictures_left_out']}.")
    if log.trouble or not log.closed:
        wrong.append(f"The log does not hold: {log.trouble or 'it has no end'}.")
    size = path.stat().st_size / 1e9
    told = [
        ("recording, GB", f"{size:.2f}"),
        ("  captures, of them lost as the file tells", f"{recorded['captures']}, {lost}"),
        ("  colour pictures, and left out", f"{count[COLOUR]}, {without}"),
        ("  thermal pictures", f"{count[THERMAL]}"),
        ("  longest between two captures in it, s", f"{longest_s:.2f}"),
        ("  lines of the log, all chained", f"{log.lines}"),
        ("  read again in, s", f"{time.monotonic() - began_s:.0f}"),
    ]
    return Found(told, wrong)
