"""Gas as a switch says: nothing that may have flowed is lost, and the operator's word fills the gaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guidance.treatment.gas_from_input import GasFromInput
from tests.vision.played_camera import Clock
from tests.vision.said_gas import SaidGas
from vision.gas_input import OFF_AFTER_S, SILENT_S, GasInput

STEP_S = 0.02


class Treated:
    """A session of 0.1 s captures beside a switch, on one clock."""

    def __init__(self, *, started: bool = True) -> None:
        self.clock = Clock()
        self.device = SaidGas(self.clock, STEP_S)
        self.input = GasInput(self.device, clock=self.clock)
        self._pass(0.5)
        self.gas = GasFromInput(self.input, clock=self.clock)
        self.began_s = self.clock.now_s
        self.gas.began(self.began_s)
        self.to_s = self.flowed_s = 0.0
        self.flows = False
        if started:
            self.gas.switch(on=True)

    def _pass(self, seconds: float) -> None:
        until_s = self.clock.now_s + seconds - 1e-9
        while self.clock.now_s < until_s:
            if not self.input.turn():
                self.clock.now_s += STEP_S

    def passes(self, seconds: float) -> float:
        """Seconds of gas that are counted meanwhile."""
        before_s = self.flowed_s
        for _ in range(round(seconds / 0.1)):
            self._pass(0.1)
            t_s = self.clock.now_s - self.began_s
            gas_s, self.flows = self.gas.flow(self.to_s, t_s)
            self.to_s, self.flowed_s = t_s, self.flowed_s + gas_s
        return self.flowed_s - before_s


def test_start_alone_is_no_gas_where_a_switch_says_off() -> None:
    treated = Treated()
    assert treated.passes(1.0) == 0.0
    assert not treated.gas.on


def test_gas_flows_while_the_switch_is_held_and_until_off_is_sure() -> None:
    treated = Treated()
    treated.passes(0.5)
    treated.device.says = [True]
    assert treated.passes(1.0) == pytest.approx(1.0, abs=1.5 * STEP_S)
    assert treated.flows
    treated.device.says = [False]
    assert treated.passes(1.0) == pytest.approx(OFF_AFTER_S, abs=2 * STEP_S)
    assert not treated.flows


@pytest.mark.parametrize("fault", ["unplugged", "silent", "contradictory"])
def test_a_lost_switch_counts_from_its_last_word_until_the_operator_says_off(fault: str) -> None:
    treated = Treated()
    treated.passes(1.0)
    if fault == "unplugged":
        treated.device.gone = True
    else:
        treated.device.says = [] if fault == "silent" else [None]
    assert treated.passes(2.0) == pytest.approx(2.0, abs=2 * STEP_S)
    assert treated.gas.known is None
    treated.gas.switch(on=False)
    assert treated.passes(1.0) == pytest.approx(0.0, abs=STEP_S)
    treated.gas.switch(on=True)
    assert treated.passes(1.0) == pytest.approx(1.0, abs=STEP_S)
    treated.device.gone, treated.device.says = False, [False]
    treated.passes(1.0)
    assert treated.passes(1.0) == 0.0
    assert treated.gas.known is False


def test_the_operators_word_changes_nothing_while_the_switch_is_known() -> None:
    treated = Treated()
    treated.device.says = [True]
    treated.passes(0.5)
    treated.gas.switch(on=False)
    assert treated.passes(1.0) == pytest.approx(1.0)


def test_before_start_a_lost_switch_counts_as_none_and_a_held_one_as_gas() -> None:
    treated = Treated(started=False)
    treated.device.says = []
    assert treated.passes(1.0) == 0.0
    treated.device.says = [True]
    treated.passes(0.2)
    assert treated.passes(1.0) == pytest.approx(1.0)
    treated.device.says = []
    assert treated.passes(1.0) == pytest.approx(1.0)


def test_what_it_says_is_news_once() -> None:
    treated = Treated()
    treated.passes(0.5)
    treated.device.says = [True]
    treated.passes(0.5)
    treated.device.says = []
    treated.passes(0.5)
    assert treated.gas.news() == ("switch_off", "switch_on", "switch_lost")
    assert treated.gas.news() == ()


def test_the_report_is_told_how_long_it_was_not_heard() -> None:
    treated = Treated()
    treated.passes(1.0)
    assert "heard throughout" in treated.gas.remark()
    for _ in range(2):
        treated.device.says = []
        treated.passes(1.0)
        treated.device.says = [False]
        treated.passes(1.0)
    words = treated.gas.remark()
    assert "not heard 2 times" in words
    lost_s = float(words.split(" s in all")[0].split()[-1])
    assert lost_s == pytest.approx(2 * (1.0 + OFF_AFTER_S), abs=6 * STEP_S)  # until it is sure again


@given(
    st.lists(st.tuples(st.sampled_from(["on", "off", "silent", "garbage"]), st.integers(1, 8)), max_size=10)
)
def test_what_is_counted_is_never_less_than_what_may_have_flowed(story: list[tuple[str, int]]) -> None:
    """Off is only what the switch said without interruption: all else counts.

    Each change may come up to `STEP_S` late. Of a silence that ends before it is one (`SILENT_S`), nobody
    knows; it is no more than the promise says.
    """
    treated = Treated()
    may_s = 0.0
    for what, tenths in story:
        treated.device.says = {"on": [True], "off": [False], "silent": [], "garbage": [None]}[what]
        treated.passes(tenths / 10.0)
        if what in ("on", "garbage"):
            may_s += tenths / 10.0
        elif what == "silent":
            short = tenths / 10.0 <= SILENT_S + 0.1
            may_s += 0.0 if short else tenths / 10.0
    treated.device.says = [False]
    treated.passes(0.5)
    assert treated.flowed_s >= may_s - STEP_S * (len(story) + 1)
