"""``cryoguide verify FILE.mcap``: whether a recording is whole, and how well its pictures came."""

from __future__ import annotations

from pathlib import Path

from guidance.recording.log_beside import log_of
from guidance.recording.streams_told import Tallies
from models.problems import InputError
from vision.mcap_file import is_whole
from vision.mcap_recording import McapRecording, open_mcap


def verify_recording(path: Path) -> bool:
    """Read all of a recording but its colour pictures, and print how it stands.

    Returns:
        Whether every byte is as it was written, the file has a proper end (that of a recovered one
        counts), and no picture that it names is missing.

    Raises:
        InputError: If it is no recording.
    """
    recording = open_mcap(path)
    tallies, trouble = Tallies(_kinds(recording)), ""
    try:
        for tick in recording.ticks(pictures=False):
            tallies.add(tick.capture)
    except InputError as error:
        trouble = str(error)
    of = "bare cameras" if recording.bare else "a session"
    print(f"Recording  of {of}, {len(recording.times_s)} captures, {recording.duration_s:.1f} s")
    for one in tallies.told():
        print(f"  {one.kind:8} {one.words}")
    for words in recording.warnings:
        print(f"Note       {words}")
    if trouble:
        print(f"Broken     {trouble}")
        return False
    if not recording.bare and log_of(path).exists():
        print(f"Log        beside it: cryoguide verify {log_of(path)}")
    if not is_whole(path):
        print(f"Open       it was not ended: cryoguide recover {path}")
    if recording.warnings or not is_whole(path):
        return False
    if recording.ended:
        print("Holds      ended, and every byte is as it was written")
    else:
        print("Holds      every byte is as it was written; its end was lost before it was recovered")
    return True


def _kinds(recording: McapRecording) -> tuple[str, ...]:
    there = (
        ("colour", recording.frames > 0),
        ("thermal", recording.has_thermal),
        ("depth", recording.has_depth),
    )
    return recording.bare_kinds or tuple(kind for kind, is_there in there if is_there)
