"""The machine's own beep: only where a treatment runs that no page shows."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from guidance.console.beeper import AGAIN_S, ALONE_S, Alone, machine_beep
from tests.served_console import WITHIN_S, Screen, running


def test_it_comes_after_half_a_second_alone_and_again_each_three() -> None:
    alone = Alone()
    looks_s = [0.1 * k for k in range(80)]
    found = [t_s for t_s in looks_s if alone.due(shown=t_s < 0.95, now_s=t_s)]
    assert found == pytest.approx([1.0 + ALONE_S + AGAIN_S * k for k in range(3)], abs=0.11)


def test_a_page_that_is_back_ends_it() -> None:
    alone = Alone()
    assert not any(alone.due(shown=k % 4 == 0, now_s=0.1 * k) for k in range(100))


def test_without_a_player_the_terminal_rings(capsys: pytest.CaptureFixture[str]) -> None:
    machine_beep(players=())()
    assert capsys.readouterr().err == "\a"


def test_a_treatment_whose_only_page_has_gone_is_heard_at_the_machine(tmp_path: Path) -> None:
    beeped = threading.Event()
    with running(tmp_path / "report", speed=0.5, beep=beeped.set) as server:
        with Screen(server, "a" * 32) as screen:
            screen.go_to("running")
            at_s = screen.state["t_s"]
            screen.hear_until(lambda: screen.state["t_s"] > at_s + 0.5)
            assert not beeped.is_set()
        assert beeped.wait(WITHIN_S)


def test_before_start_nobody_need_watch(tmp_path: Path) -> None:
    beeped = threading.Event()
    with running(tmp_path / "report", speed=0.5, beep=beeped.set) as server:
        with Screen(server, "a" * 32) as screen:
            screen.go_to("ready")
        assert not beeped.wait(1.0)
