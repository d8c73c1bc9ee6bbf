"""What the pages of the zone and the touch check show, as data for the page."""

from __future__ import annotations

from guidance.session import Guidance
from guidance.treatment.touch_check import Touch
from guidance.zone_actions import TouchAction, TouchChecked

Shown = dict[str, object]


def edited_words(guidance: Guidance) -> Shown:
    """What the operator has made of the zone so far."""
    edited = guidance.edited
    if edited is None:
        return {"outline": "found", "areas": [], "refused": "", "count": 0, "spot": False}
    return {
        "outline": edited.outline,
        "areas": [vars(area) for area in edited.areas],
        "refused": edited.refused,
        "count": edited.count,
        "spot": edited.spot_chart_mm is not None,
    }


def touch_words(now: Touch | None, taken: TouchAction | None) -> Shown | None:
    """The touch check as it stands; None on other pages."""
    if now is None:
        return None
    done = "" if taken is None else "checked" if isinstance(taken, TouchChecked) else "skipped"
    return {**vars(now), "done": done, "taken": None if taken is None else vars(taken)}
