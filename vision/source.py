"""Any source of captures that can be analysed: a session folder, or a recording of a live session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from models.capture import Capture
from models.problems import InputError
from models.rig import Rig
from models.treatment import Treatment
from vision.encrypted import SUFFIX as ENCRYPTED
from vision.mcap_recording import open_mcap
from vision.recording import open_recording

SUFFIX = ".mcap"


class Source(Protocol):
    """What an analysis needs of it."""

    @property
    def name(self) -> str:
        """As it appears in reports and messages."""
        ...

    @property
    def treatment(self) -> Treatment:
        """What was treated, with what, and when."""
        ...

    @property
    def rig(self) -> Rig | None:
        """None: no millimetres."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each thing that was worked around."""
        ...

    @property
    def frames(self) -> int:
        """Number of colour pictures."""
        ...

    @property
    def duration_s(self) -> float:
        """Time of its end on the session clock."""
        ...

    @property
    def has_thermal(self) -> bool:
        """Whether there is a thermal stream."""
        ...

    @property
    def has_depth(self) -> bool:
        """Whether there is a depth stream that the rig can place."""
        ...

    @property
    def picture_files(self) -> tuple[Path, ...]:
        """The files that tell this session from any other."""
        ...

    @property
    def rig_sha256(self) -> str | None:
        """Checksum of the rig file."""
        ...

    def attached(self, name: str) -> bytes | None:
        """A file that belongs to the session, such as ``checklist.toml``; None where there is none."""
        ...

    def captures(self) -> Iterator[Capture]:
        """Play the session from its beginning; may be called again."""
        ...


def open_source(path: Path, *, from_sightings: bool = False) -> Source:
    """Open a session folder or a recording.

    Args:
        path: Folder, or file in MCAP.
        from_sightings: Of a recording: bring what was seen instead of pictures to look at again.

    Raises:
        InputError: If it is neither, or anything in it is bad.
    """
    if path.is_file() and path.suffix.lower() == SUFFIX:
        return open_mcap(path, from_sightings=from_sightings)
    if path.suffix.lower() == ENCRYPTED:
        raise InputError(
            f"{path} is encrypted: open it with cryoguide recover {path.name} --identity FILE,"
            " then analyse what that writes."
        )
    if from_sightings:
        raise InputError(f"{path} is no recording ({SUFFIX}): only such a file holds sightings.")
    return open_recording(path)
