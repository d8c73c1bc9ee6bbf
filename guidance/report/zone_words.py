"""What the operator made of the zone, in sentences for the report."""

from __future__ import annotations

import math

from guidance.stages.state import State
from guidance.zone_actions import TouchAction, TouchChecked


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


def touch_remarks(touch: TouchAction | None) -> tuple[str, ...]:
    """One sentence for the touch check; nothing where there was no such page."""
    if touch is None:
        return ()
    if not isinstance(touch, TouchChecked):
        return (f"No touch check was done: {touch.reason.rstrip('.')}.",)
    return (
        f"Touch check on the {touch.target}: the tip was measured {touch.across_mm:.1f} mm beside it"
        f" (+- {touch.across_u95_mm:.1f} mm, at most {touch.across_limit_mm:.0f}) and"
        f" {abs(touch.along_mm):.1f} mm {'above' if touch.along_mm >= 0.0 else 'inside'} the skin"
        f" (+- {touch.along_u95_mm:.1f} mm, at most {touch.along_limit_mm:.0f}), held for"
        f" {touch.still_s:.1f} s.",
    )


def edited_figures(state: State, touch: TouchAction | None) -> dict[str, object]:
    """The same for the summary."""
    work, shift = state.work, state.work.shift
    edited = None
    if work.count:
        edited = {
            "outline": work.outline,
            "moved_mm": None if shift is None else math.hypot(shift.u_mm, shift.v_mm),
            "turned_deg": None if shift is None else math.degrees(shift.turn_rad),
            "scale": None if shift is None else shift.scale,
            "left_out": len(work.areas),
        }
    return {
        "zone_edited": edited,
        "touch_check": None if touch is None else {"is": type(touch).__name__} | vars(touch),
    }
