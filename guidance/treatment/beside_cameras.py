"""What there is at a console beside cameras, where the operator chooses what is treated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guidance.treatment.choice import Choice, Choices
from guidance.treatment.history import Before
from guidance.treatment.rig_checking import RigChecking
from vision.cameras import CameraState
from vision.gas_input import GasState


@dataclass(frozen=True, eq=False)
class BesideCameras:
    """None of it is there where a recording is played."""

    choices: Choices
    """What there is to choose from."""
    cameras: Callable[[], Sequence[CameraState]]
    """Tells how the cameras stand."""
    gas_input: Callable[[], GasState | None]
    """Tells how a switch or valve stands that says whether gas flows; None = there is none."""
    before: Callable[[str, Choice], Before] | None = None
    """Looks up what the history says of a subject and a choice; None = there is no history."""
    rig_checking: RigChecking | None = None
    """None: the rig cannot be checked here."""
