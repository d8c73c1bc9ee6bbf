"""What a quick check of the rig found, as preflight and report tell it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from models.problems import InputError
from models.rig_checked import CHECK_FILE, RigChecked, read_checked
from vision.files import sha256_of


def rig_checked(rig: Path) -> RigChecked | None:
    """The check beside a rig file; None where there is none that can be read."""
    beside = rig.with_name(CHECK_FILE)
    try:
        return read_checked(beside.read_text(encoding="utf-8"), where=str(beside))
    except (OSError, UnicodeDecodeError, InputError):
        return None


def checked_words(rig: Path, *, now: datetime | None = None) -> tuple[bool, str]:
    """Whether the last check vouches for a rig, and a line for people.

    Args:
        rig: The rig file in use.
        now: Time of day; None = the clock's.
    """
    checked = rig_checked(rig)
    if checked is None:
        return False, "not checked since it was calibrated"
    try:
        sha256 = sha256_of(rig)
    except OSError:
        return False, "the rig file cannot be read"
    return checked.summary(now=now or datetime.now(UTC), rig_sha256=sha256)
