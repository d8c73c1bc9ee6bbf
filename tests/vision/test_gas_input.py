"""Gas inputs: unknown is never off, faults known within half a second. No real switch was at hand."""

from __future__ import annotations

import os
import pty
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.played_camera import Clock
from tests.vision.said_gas import SaidGas
from tests.vision.turns import run, told_after_s
from vision.gas_input import OFF_AFTER_S, GasChange, GasGoneError, GasInput
from vision.gas_serial import SerialText

DUE_S = 0.5


def said(*, interval_s: float = 0.05) -> tuple[GasInput, SaidGas]:
    clock = Clock()
    device = SaidGas(clock, interval_s)
    return GasInput(device, clock=clock), device


def test_nothing_is_known_until_it_has_been_said_for_a_while() -> None:
    gas, device = said()
    assert gas.state().state == "starting"
    assert gas.state().flows is None
    gas.turn()
    assert gas.state().flows is None
    run(gas, device, 0.2)
    assert gas.state().ok
    assert gas.state().flows is False
    assert not gas.state().seen_off


def test_on_is_believed_at_once_and_off_only_after_a_while() -> None:
    gas, device = said(interval_s=0.01)
    run(gas, device, 0.5)
    device.says = [True]
    gas.turn()
    assert gas.state().flows is True
    run(gas, device, 0.5)
    device.says = [False]
    run(gas, device, OFF_AFTER_S - 0.02)
    assert gas.state().flows is True
    run(gas, device, 0.04)
    assert gas.state().flows is False
    assert gas.state().seen_on
    assert gas.state().seen_off


@given(st.lists(st.sampled_from([True, None]), min_size=1, max_size=8), st.integers(1, 8))
def test_a_bounce_never_reads_as_off(bounces: list[bool | None], rest: int) -> None:
    """Off words between, for less than the time after which off is believed, change nothing."""
    gas, device = said(interval_s=0.01)
    device.says = [True]
    run(gas, device, 0.3)
    for bounce in bounces:
        device.says = [False]
        for _ in range(rest):
            gas.turn()
        assert gas.state().flows is not False
        device.says = [bounce]
        gas.turn()
        assert gas.state().flows is not False


@pytest.mark.parametrize("interval_s", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("fault", ["unplugged", "silent", "contradictory"])
@pytest.mark.parametrize("flows", [True, False])
def test_a_fault_is_told_within_half_a_second_is_no_off_and_goes_with_its_cause(
    interval_s: float, fault: str, flows: bool
) -> None:
    gas, device = said(interval_s=interval_s)
    device.says = [flows]
    run(gas, device, 1.0)
    assert gas.state().ok
    assert gas.state().flows is flows
    if fault == "unplugged":
        device.gone = True
    else:
        device.says = [] if fault == "silent" else [None]
    assert told_after_s(gas, device, fault) <= DUE_S
    assert gas.state().words
    run(gas, device, 1.0)
    assert gas.state().flows is None
    device.gone, device.says = False, [flows]
    assert told_after_s(gas, device, "ok") <= 1.0
    assert gas.state().flows is flows


def test_a_switch_that_chatters_contradicts_itself() -> None:
    gas, device = said(interval_s=0.02)
    run(gas, device, 1.0)
    device.says = [True, False]
    assert told_after_s(gas, device, "contradictory") <= DUE_S
    assert gas.state().flows is None


@pytest.mark.parametrize("interval_s", [0.01, 0.05, 0.2])
def test_pressing_and_releasing_is_no_contradiction(interval_s: float) -> None:
    gas, device = said(interval_s=interval_s)
    run(gas, device, 1.0)
    for number in range(12):
        device.says = [number % 2 == 0]
        until_s = device.clock.now_s + 0.5
        while device.clock.now_s < until_s:
            gas.turn()
            assert gas.state().ok


def test_a_driver_that_hangs_does_not_hide_that_nothing_comes() -> None:
    gas, device = said()
    run(gas, device, 1.0)
    device.clock.now_s += 0.36
    assert gas.state().state == "silent"
    assert gas.state().flows is None


def test_what_it_said_before_a_silence_confirms_nothing_after_it() -> None:
    gas, device = said()
    run(gas, device, 1.0)
    device.clock.now_s += 0.36
    gas.turn()  # nobody asked in between
    assert gas.state().flows is None


def test_a_listener_is_told_what_is_known_and_each_change_with_its_time() -> None:
    gas, device = said()
    run(gas, device, 1.0)
    changes = gas.listen()
    assert [change.flows for change in changes] == [False]
    device.says = [True]
    gas.turn()
    on_s = device.clock.now_s
    device.clock.now_s += 0.5
    gas.state()
    # It went silent after its last word: since then nothing is known.
    assert list(changes)[1:] == [GasChange(on_s, True), GasChange(on_s, None)]


def test_only_the_newest_listener_is_told() -> None:
    gas, device = said()
    before, after = gas.listen(), gas.listen()
    run(gas, device, 1.0)
    assert len(before) == 1
    assert len(after) == 2


# --- a serial line, by a pseudo-terminal --------------------------------------------------------------------


class Line:
    """The far end of a serial line. It beats on a thread of its own as a microcontroller would."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self.says = b"0\n"
        self.beating = threading.Event()
        self.beating.set()
        self._slave, self._over = slave, threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        os.set_blocking(self.master, False)
        while not self._over.wait(0.02):
            if self.beating.is_set():
                with suppress(BlockingIOError):
                    os.write(self.master, self.says)

    def unplug(self) -> None:
        if not self._over.is_set():
            self._over.set()
            self._thread.join()
            os.close(self.master)
            os.close(self._slave)


@pytest.fixture
def line() -> Iterator[Line]:
    pytest.importorskip("serial", reason="needs the extra `serial`")
    found = Line()
    yield found
    found.unplug()


@pytest.fixture
def heard(line: Line) -> Iterator[GasInput]:
    with GasInput(SerialText(line.path)) as gas:
        wait_for(lambda: gas.state().ok)
        yield gas


def wait_for(holds: Callable[[], bool], *, within_s: float = 5.0) -> float:
    began_s = time.monotonic()
    while not holds():
        assert time.monotonic() - began_s < within_s
        threading.Event().wait(0.005)
    return time.monotonic() - began_s


def test_a_serial_line_says_on_and_off(line: Line, heard: GasInput) -> None:
    assert heard.state().flows is False
    line.says = b"1\r\n"
    wait_for(lambda: heard.state().flows is True)
    line.says = b"0\n"
    wait_for(lambda: heard.state().flows is False)
    assert heard.state().seen_off


@pytest.mark.parametrize("garbage", [b"\x00\xff\xfe\n", b"gas\n", b"11\n", b"1\n0\n", b"x" * 80], ids=repr)
def test_garbage_on_a_serial_line_is_told_and_no_off(line: Line, heard: GasInput, garbage: bytes) -> None:
    line.says = garbage
    wait_for(lambda: heard.state().lost)
    assert heard.state().state == "contradictory"
    assert heard.state().flows is None
    line.says = b"\n0\n"
    wait_for(lambda: heard.state().flows is False)


def test_a_silent_serial_line_is_told_and_no_off(line: Line, heard: GasInput) -> None:
    line.beating.clear()
    wait_for(lambda: heard.state().state == "silent")
    assert heard.state().flows is None
    line.beating.set()
    wait_for(lambda: heard.state().flows is False)


def test_a_flooded_serial_line_is_read_and_can_be_stopped(line: Line, heard: GasInput) -> None:
    line.says = b"1\n" * 2000
    wait_for(lambda: heard.state().flows is True)
    line.says = b"\xaa" * 4000
    wait_for(lambda: heard.state().state == "contradictory")
    heard.stop()
    assert not any(thread.name == f"gas {heard.device.name}" for thread in threading.enumerate())


def test_an_unplugged_serial_line_is_told_and_found_again(line: Line, heard: GasInput) -> None:
    line.unplug()
    wait_for(lambda: heard.state().state == "unplugged")
    assert "plug it in" in heard.state().words
    assert heard.state().flows is None
    again = Line()
    try:
        assert isinstance(heard.device, SerialText)
        heard.device.path = again.path  # as a name by id leads to another node
        wait_for(lambda: heard.state().flows is False)
    finally:
        again.unplug()


def test_half_a_line_at_the_beginning_says_nothing(line: Line) -> None:
    line.beating.clear()
    device = SerialText(line.path)
    device.open()
    os.write(line.master, b"1\n0\n")
    found: list[bool | None] = []
    wait_for(lambda: bool(found.extend(device.read()) or found))
    device.close()
    assert found == [False]


def test_a_port_that_is_not_there_is_told() -> None:
    pytest.importorskip("serial", reason="needs the extra `serial`")
    with pytest.raises(GasGoneError, match="plug it in"):
        SerialText("/dev/ttyNONE").open()
