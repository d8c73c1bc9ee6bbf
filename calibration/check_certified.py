"""What the quick check has to show in the certificate."""

from __future__ import annotations

import numpy as np

from calibration.certificate import Certified
from calibration.marks import WHOLE
from models.rig_checked import RigChecked

_COLOUR = {"valid": "#1b7f4d", "moved": "#b3261e", "unknown": "#9a6700", "not looked at": "#6b7785"}


def check_part(checked: RigChecked, recording: str) -> Certified:
    """Its outcome, part by part."""
    return Certified(
        step="check",
        table=WHOLE,
        title=f"Quick check: {checked.state}",
        parameters=(),
        covariance_of=(),
        covariance=np.zeros((0, 0)),
        on_skin=(),
        facts=tuple(f"{part.name}: {part.state}. {part.words}." for part in checked.parts),
        plots=(("What was looked at", _states_svg(checked)),),
        used=(recording,),
        refused=tuple(
            f"{part.name}: {part.words}"
            for part in checked.parts
            if part.state in ("unknown", "not looked at")
        ),
    )


def _states_svg(checked: RigChecked) -> str:
    body = "".join(
        f'<rect x="0" y="{26 * k + 2}" width="14" height="14" rx="3" fill="{_COLOUR[part.state]}"/>'
        f'<text x="24" y="{26 * k + 14}" font-size="13">{part.name}</text>'
        f'<text x="130" y="{26 * k + 14}" font-size="13" fill="{_COLOUR[part.state]}">{part.state}</text>'
        for k, part in enumerate(checked.parts)
    )
    high = 26 * len(checked.parts)
    return (
        f'<svg viewBox="0 0 260 {high}" width="260" height="{high}" role="img"'
        f' xmlns="http://www.w3.org/2000/svg"><title>Outcome of the check</title>{body}</svg>'
    )
