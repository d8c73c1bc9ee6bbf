"""What the quick check of the rig found, as preflight and report tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from models.problems import InputError
from models.rig import Rig
from models.rig_checked import CHECK_FILE, RigChecked, read_checked
from models.rig_moved import moved_parts, moved_titles
from models.rig_widened import loosened, widened_words
from models.validity import lapsed_words

NOT_CHECKED = "not checked since it was calibrated"


class Checked(Protocol):
    """What may hold a check: any source of captures."""

    @property
    def rig_sha256(self) -> str | None:
        """Checksum of the rig file."""
        ...

    def attached(self, name: str) -> bytes | None:
        """A file that belongs to the session."""
        ...


def rig_checked(source: Checked) -> RigChecked | None:
    """The check beside the rig; None where there is none that can be read."""
    try:
        data = source.attached(CHECK_FILE)
        return None if data is None else read_checked(data.decode("utf-8"), where=CHECK_FILE)
    except (OSError, UnicodeDecodeError, InputError):
        return None


def checked_words(
    source: Checked, *, now: datetime, rig: Rig | None = None, brief: bool = False
) -> tuple[bool, str] | None:
    """Whether the last check vouches for the rig in use, and a line for people; None where there was none.

    Args:
        source: What holds the check.
        now: Time of day.
        rig: In use: where the check found parts of it moved it is told that their bounds are wider.
        brief: Without the cause of what moved.
    """
    found = rig_checked(source)
    if found is None:
        return None
    ok, words = found.summary(now=now, rig_sha256=source.rig_sha256, brief=brief)
    moved = moved_parts(found, rig) if rig is not None else ()
    if not moved:
        return ok, words
    same = source.rig_sha256 in (None, found.rig_sha256)
    until = "until then" if same else "what it found moved was not calibrated since, so"
    return False, f"{words}; {until} wider bounds are used for {moved_titles(moved)}"


def is_blamed(source: Checked) -> bool:
    """Whether the check of the very rig in use found something moved: what to do is then another thing."""
    found = rig_checked(source)
    return found is not None and bool(found.moved) and source.rig_sha256 in (None, found.rig_sha256)


def how_to_check(rig_file: str) -> str:
    """The command that checks a rig; what it finds is seen as soon as it is there."""
    return f"cryoguide calibrate check RECORDING --rig {rig_file}"


def rig_remarks(rig: Rig | None, *, now: datetime, moved: str = "") -> tuple[str, ...]:
    """What of a rig no longer holds and what is done about it, for report and terminal.

    Args:
        rig: Of the session; None = there is none.
        now: Time of day.
        moved: What a check found moved, of `models.rig_moved.moved_words`.
    """
    told = () if rig is None else loosened(rig, now=now)
    remarks = (f"A check found the rig moved: {moved}.",) if moved else ()
    if not told:
        return remarks
    words = (lapsed_words(tuple(one.lapsed for one in told)), widened_words(told))
    return (f"Of the rig, this no longer holds: {'; '.join(word for word in words if word)}.", *remarks)


def checked_figures(source: Checked, *, now: datetime, rig: Rig | None = None) -> dict[str, object] | None:
    """The same for the summary."""
    told = checked_words(source, now=now, rig=rig)
    return None if told is None else {"valid": told[0], "words": told[1]}
