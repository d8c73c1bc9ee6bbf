"""What the console says of a gas switch, by where the treatment stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from guidance.treatment.course import (
    CHECKLIST,
    DETAILS,
    PAUSED,
    PREFLIGHT,
    READY,
    RUNNING,
    STOPPED,
    TOUCH,
    ZONE,
)
from guidance.treatment.gas import gas_notice, gas_trouble
from vision.gas_input import GasState

FLOWS = GasState("a foot switch", "ok", 0.0, True, "", True, True)
LOST = replace(FLOWS, state="unplugged", flows=None, words="The foot switch is not heard.")


@pytest.mark.parametrize("phase", [ZONE, TOUCH, READY])
def test_from_the_zone_to_start_gas_that_flows_is_said_large_and_a_lost_switch_is_told(phase: str) -> None:
    assert "before Start" in str(gas_notice(FLOWS, phase=phase))
    told = str(gas_trouble(LOST, phase=phase))
    assert "not heard" in told
    assert "tap" not in told, "there is no such button yet"


@pytest.mark.parametrize("phase", [RUNNING, PAUSED, STOPPED])
def test_a_switch_lost_during_the_treatment_asks_for_the_button_that_is_there(phase: str) -> None:
    assert "tap GAS IS OFF" in str(gas_trouble(LOST, phase=phase))


@pytest.mark.parametrize("phase", [PREFLIGHT, DETAILS, CHECKLIST])
def test_a_switch_may_be_tried_while_nothing_is_guided(phase: str) -> None:
    assert gas_notice(FLOWS, phase=phase) is None
    assert gas_trouble(LOST, phase=phase) is None
