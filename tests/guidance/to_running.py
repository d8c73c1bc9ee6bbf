"""The way from a console's first page to Start, by what a page sends."""

from __future__ import annotations

from tests.served_console import Screen

CALF_CO2 = {"zone": "calf", "side": "left", "device": "co2", "protocol": "co2-thermal-shock"}


def to_start(screen: Screen, *, until: str = "running") -> None:
    """Choose, answer, confirm; press Start unless ``until`` is ``ready``."""
    screen.say("confirm_sound")
    screen.until(sound_confirmed=True, missing="")
    screen.say("next")
    screen.say("identify", operator="OP-1", subject="A-017")
    screen.until(phase="details")
    screen.say("choose", **CALF_CO2)
    screen.until(missing="")
    screen.say("next")
    screen.until(phase="checklist")
    screen.hear_until(lambda: bool(screen.hello["questions"]))
    for question in screen.hello["questions"]:
        screen.say("answer", question=question["name"], answer="no", reason="")
    screen.until(missing="")
    screen.say("next")
    screen.until(phase="zone", missing="")
    screen.say("next")
    screen.until(phase="touch")
    screen.say("skip_touch", reason="stand-ins have no nozzle")
    screen.until(missing="")
    screen.say("next")
    screen.until(phase="ready")
    if until != "ready":
        screen.say("start")
        screen.until(phase="running")
