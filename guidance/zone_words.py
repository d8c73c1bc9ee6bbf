"""What the operator made of the zone, in sentences for the report."""

from __future__ import annotations

import math

from guidance.state import State


def zone_remarks(state: State) -> tuple[str, ...]:
    """One sentence for the outline and one for the areas left out; nothing where nobody touched the zone."""
    work, told = state.work, list[str]()
    if work.tap is not None and work.drawn is not None:
        surface = "on the skin that was found" if work.found is not None else "with no zone found before"
        told.append(f"The operator outlined the zone by hand, {surface}.")
    if (shift := work.shift) is not None:
        told.append(
            f"The operator moved the zone by {math.hypot(shift.u_mm, shift.v_mm):.0f} mm on the skin,"
            f" turned it by {math.degrees(shift.turn_rad):.0f} degrees and made it"
            f" {100.0 * shift.scale:.0f} % as long and wide."
        )
    if work.areas:
        count = len(work.areas)
        told.append(
            f"The operator marked {count} area{'' if count == 1 else 's'} to leave out: no cell there counts"
            " as zone, and exposure there is kept as of skin beside it."
        )
    return tuple(told)
