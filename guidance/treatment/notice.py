"""What the course of a treatment has to say for itself, large, beside the alarms."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.treatment.course import PAUSED, RUNNING, STOPPED, Course

CLOSE_WITHIN_S = 5.0
"""So long after STOP the page waits for the word that gas is off before it sounds (own choice)."""


@dataclass(frozen=True)
class Notice:
    """What the page says large, beside the alarms."""

    state: str
    words: str
    sounds: bool = False


def notice(
    course: Course,
    *,
    gas_now: bool,
    gas_counts: bool,
    by_switch: bool,
    over: bool,
    played: bool,
    stopped_for_s: float,
) -> Notice | None:
    """What the course itself has to say.

    Args:
        course: Where the treatment stands.
        gas_now: Gas flowed in the last step.
        gas_counts: The operator says whether gas flows, and it counts as flowing.
        by_switch: A switch says so, not the operator.
        over: No more steps will come.
        played: A recording is played, which Pause holds.
        stopped_for_s: Time since STOP; of no meaning before.
    """
    if course.phase == STOPPED:
        if gas_counts:
            what = "Stopped for pain." if course.stopped_by == "pain" else "Stopped."
            late = stopped_for_s > CLOSE_WITHIN_S
            then = ": the gas switch says on" if by_switch else ", then tap GAS IS OFF"
            return Notice("stop", f"{what} Close the valve{then}.", sounds=late)
        what = {"pain": "Stopped for pain.", "end": "The recording has ended."}.get(
            course.stopped_by, "Stopped."
        )
        if gas_now and not over:
            return Notice("stop", f"{what} GAS STILL FLOWS: close the valve.", sounds=True)
        return Notice("warn", f"{what} Valve closed? Look at the skin, then write the report.")
    if course.phase == PAUSED:
        held = "The recording is held." if played else "Close the valve."
        if gas_counts:
            held += " Gas counts as flowing until you tap GAS IS OFF."
        return Notice("warn", f"Paused. {held}")
    if course.phase == RUNNING and over:
        return Notice("stop", "No more pictures come. Close the valve.", sounds=True)
    return None
