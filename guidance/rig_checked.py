"""What the quick check of the rig found, as preflight and report tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from models.problems import InputError
from models.rig import Rig
from models.rig_checked import CHECK_FILE, RigChecked, read_checked
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


def checked_words(source: Checked, *, now: datetime) -> tuple[bool, str] | None:
    """Whether the last check vouches for the rig in use, and a line for people; None where there was none."""
    found = rig_checked(source)
    return None if found is None else found.summary(now=now, rig_sha256=source.rig_sha256)


def how_to_check(rig_file: str) -> str:
    """The command that checks a rig; what it finds is seen as soon as it is there."""
    return f"cryoguide calibrate check RECORDING --rig {rig_file}"


def rig_remarks(rig: Rig | None, *, now: datetime) -> tuple[str, ...]:
    """What of a rig no longer holds and what is done about it, for report and terminal."""
    told = () if rig is None else loosened(rig, now=now)
    if not told:
        return ()
    words = (lapsed_words(tuple(one.lapsed for one in told)), widened_words(told))
    return (f"Of the rig, this no longer holds: {'; '.join(word for word in words if word)}.",)


def checked_figures(source: Checked, *, now: datetime) -> dict[str, object] | None:
    """The same for the summary."""
    told = checked_words(source, now=now)
    return None if told is None else {"valid": told[0], "words": told[1]}
