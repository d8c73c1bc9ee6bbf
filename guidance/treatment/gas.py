"""What the console says of a gas input: a switch or valve that tells whether gas flows."""

from __future__ import annotations

from guidance.treatment.course import PAUSED, READY, RUNNING, STOPPED, TOUCH, ZONE
from vision.gas_input import GasState

BEFORE_START = (ZONE, TOUCH, READY)
"""Phases in which captures come and no gas may flow yet."""
GUIDED = (*BEFORE_START, RUNNING, PAUSED, STOPPED)
"""Phases in which captures come and gas counts."""
KNOWN_BY_SWITCH = "The gas switch says whether gas flows: use it, or close the valve."


def gas_row(gas: GasState | None) -> dict[str, object] | None:
    """How the input stands, for the page; before the treatment it asks to be tried once."""
    if gas is None:
        return None
    if not gas.ok:
        words = gas.words
    elif not gas.seen_on:
        words = f"{gas.name}: press it once to see that it is heard"
    elif not gas.seen_off:
        words = f"{gas.name}: pressed; now release it"
    else:
        words = f"{gas.name}: seen on and off"
    tried = gas.ok and gas.seen_on and gas.seen_off
    return {
        "name": gas.name,
        "state": gas.state,
        "ok": gas.ok,
        "flows": gas.flows,
        "tried": tried,
        "words": words,
    }


def gas_trouble(gas: GasState | None, *, phase: str) -> str | None:
    """What is wrong with the input, once it counts; None where nothing is, or nothing is guided yet."""
    if gas is None or not gas.lost or phase not in GUIDED:
        return None
    if phase in BEFORE_START:
        return f"{gas.words} See to its cable: from Start on gas counts as flowing until you say it is off."
    return f"{gas.words} Gas counts as flowing: close the valve, then tap GAS IS OFF."


def gas_notice(gas: GasState | None, *, phase: str) -> str | None:
    """What the page says large where the switch tells that gas flows though it should not."""
    if gas is None or gas.flows is not True:
        return None
    if phase in BEFORE_START:
        return "Gas flows before Start, says the gas switch. Close the valve."
    if phase == PAUSED:
        return "Paused, but gas flows, says the gas switch. Close the valve."
    return None
