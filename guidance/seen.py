"""What one step took from the colour picture, as a recorder keeps it."""

from __future__ import annotations

from guidance.session import Guidance
from guidance.stages.state import State
from models.capture import Capture
from models.sightings import Seen


def seen_in(state: State, capture: Capture, guidance: Guidance) -> Seen:
    """All that `guidance.pipeline.step` took from the pictures up to this capture.

    Args:
        state: What the step returned.
        capture: What it was given.
        guidance: What it told.

    Returns:
        With ``replace(capture, bgr=None, seen=...)`` the same step gives the same, to the last bit.
    """
    return Seen(
        in_colour=capture.in_colour,
        nozzle=state.nozzle,
        patches=state.patches,
        landmarks=guidance.landmarks,
        body=state.on_skin.body.motion if state.on_skin is not None else None,
    )
