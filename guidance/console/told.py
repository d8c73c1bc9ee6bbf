"""Where a treatment stands, as every page is told it."""

from __future__ import annotations

from guidance.treatment.course import DETAILS, STOPPED
from guidance.treatment.desk import REWARMING_S, Desk
from guidance.treatment.figures import figures
from guidance.treatment.gas import gas_row
from guidance.treatment.session import missing, open_questions
from guidance.treatment.zone_figures import edited_words, touch_words
from models.carry import Carried


def word(desk: Desk) -> dict[str, object]:
    """What must not wait for anything else: what sounds, which alarms stand, why there is no guidance."""
    return {
        "kind": "word",
        "t_s": desk.t_s,
        "sound": desk.sound(),
        "trouble": desk.trouble(),
        "alarms": desk.alarms(),
    }


def state(desk: Desk) -> dict[str, object]:
    """Where the treatment stands, as a page gets it."""
    course, now, notice = desk.course, desk.situation, desk.notice()
    before = desk.before if course.phase == DETAILS else None
    out: dict[str, object] = {
        "kind": "state",
        "phase": course.phase,
        "missing": missing(course, now),
        "open": list(open_questions(course, now)),
        "sound_confirmed": course.sound_confirmed,
        "operator": course.operator,
        "subject": course.subject or desk.recorded_subject or "",
        "choice": vars(course.choice),
        "cameras": [
            {"name": c.name, "kind": c.kind, "state": c.state, "ok": c.ok, "words": c.words, "hz": c.hz}
            for c in desk.cameras()
        ],
        "gas_counts": None if desk.gas is None else desk.gas.on,
        "gas_input": gas_row(desk.gas_input()),
        "history": None if before is None else before.told(),
        "history_confirmed": course.history_confirmed,
        "answers": dict(course.answers),
        "reasons": dict(course.reasons),
        "pain": len(course.pain_s),
        "notice": None if notice is None else {"state": notice.state, "words": notice.words},
        "trouble": desk.trouble(),
        "stalled": desk.stalled,
        "sound": desk.sound(),
        "played": desk.pace is not None,
        "held": desk.pace is not None and desk.pace.held,
        "over": desk.over,
        "rewarming_s": desk.rewarming_s,
        "rewarming_wanted_s": REWARMING_S,
        "report": desk.report is not None,
        "records": desk.recording is not None,
        "unrecorded": desk.unrecorded,
        "unrecorded_heard": desk.unrecorded == desk.heard_of,
        "preparing": desk.preparing,
        "rig_check": None if desk.rig_checking is None else desk.rig_checking.told.told(),
    }
    if desk.latest is not None and desk.setup is not None:
        guidance = desk.latest.guidance
        shown = figures(guidance, desk.setup)
        if course.phase == STOPPED and not guidance.gas_now:
            # Nobody is to come closer to the skin any more.
            shown["distance"] |= {"state": "calm", "words": "gas off"}
        out |= {
            "t_s": guidance.t_s,
            "carried": _carried(desk.setup.carried),
            "figures": shown,
            "alarms": desk.alarms(),
            "pause_left_s": guidance.announcement.pause_left_s,
            "remarks": list(guidance.status),
            "left_out": desk.latest.left_out,
            "edited": edited_words(guidance),
            "touch": touch_words(desk.touch, course.touch),
        }
    return out


def _carried(carried: Carried | None) -> dict[str, float] | None:
    """What an interrupted session hands on, in seconds; None = this one goes on from none."""
    if carried is None:
        return None
    return {"gas_s": carried.gas_s, "gap_s": carried.gap_s, "gap_gas_s": carried.gap_gas_s}
