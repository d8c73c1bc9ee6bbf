"""The desk of a treatment as its console opens, and what pages are told first."""

from __future__ import annotations

from pathlib import Path

from guidance.treatment.beside_cameras import BesideCameras
from guidance.treatment.camera_room import CameraRoom
from guidance.treatment.desk import Desk
from guidance.treatment.history import HistoryBefore
from guidance.treatment.preflight import open_hello
from guidance.treatment.staged import Staged


def opened(staged: Staged | CameraRoom, *, history: Path | None) -> tuple[Desk, dict[str, object]]:
    """The desk, and what pages are told first.

    Args:
        staged: What is guided, or a room with cameras where the operator chooses that.
        history: The file of earlier treatments, which cameras' operators are told of; None = there is none.
    """
    if isinstance(staged, Staged):
        desk = Desk(
            setup=staged.setup,
            asked=staged.asked,
            gas_first=staged.gas_first,
            pace=staged.pace,
            gas=staged.gas,
            course=staged.course,
        )
        return desk, staged.hello()
    desk = Desk(
        setup=None,
        asked=(),
        course=staged.course,
        beside=BesideCameras(
            choices=staged.choices,
            cameras=lambda: staged.states,
            gas_input=lambda: staged.gas_state,
            before=None if history is None else HistoryBefore(history, staged.choices),
            rig_checking=staged.rig_checking,
        ),
    )
    return desk, open_hello(staged.choices, checks=staged.preflight(), source="Live")
