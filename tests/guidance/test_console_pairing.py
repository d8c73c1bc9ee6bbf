"""Tokens and sessions on a clock of the test's own, and who controls."""

from __future__ import annotations

import pytest

from guidance.console.control import FREE_AFTER_S, Control
from guidance.console.pairing import (
    DIGITS,
    LASTS_S,
    LONG_WAIT_S,
    LONGEST_WAIT_S,
    SESSION_S,
    SESSIONS_MOST,
    WAIT_S,
    WRONG_MOST,
    NotPairedError,
    Pairing,
    Token,
)


class Machine:
    """The screen of the machine itself, and its clock."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.shown: list[Token] = []
        self.pairing = Pairing(show=self.shown.append, now_s=lambda: self.now_s)
        self.pairing.ask()

    @property
    def right(self) -> str:
        return self.shown[-1].digits

    @property
    def wrong(self) -> str:
        return f"{(int(self.right) + 1) % 10**DIGITS:0{DIGITS}}"

    def refused(self, typed: str) -> NotPairedError:
        with pytest.raises(NotPairedError) as why:
            self.pairing.pair(typed)
        return why.value


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_token_is_eight_digits_and_another_one_each_time(machine: Machine) -> None:
    for _ in range(20):
        machine.pairing.pair(machine.right)
        machine.pairing.ask()
    assert all(len(token.digits) == 8 and token.digits.isdecimal() for token in machine.shown)
    assert len({token.digits for token in machine.shown}) == len(machine.shown) == 21


def test_the_right_token_gives_a_session_once(machine: Machine) -> None:
    token = machine.right
    secret = machine.pairing.pair(f" {token[:4]} {token[4:]} ")
    assert machine.pairing.knows(secret)
    assert machine.refused(token).judged
    assert len(machine.shown) == 2  # a new one stands there for the next screen
    assert machine.right != token


def test_a_token_that_is_asked_for_again_stays_the_same_while_it_holds(machine: Machine) -> None:
    machine.pairing.ask()
    assert len(machine.shown) == 1
    machine.now_s += LASTS_S
    machine.pairing.ask()
    assert len(machine.shown) == 2


def test_a_token_does_not_outlast_its_time(machine: Machine) -> None:
    token = machine.right
    machine.now_s += LASTS_S
    machine.refused(token)
    machine.now_s += WAIT_S
    machine.refused(token)


def test_after_a_wrong_token_none_is_judged_for_a_while_not_even_the_right_one(machine: Machine) -> None:
    assert machine.refused(machine.wrong).judged
    machine.now_s += WAIT_S - 0.01
    assert not machine.refused(machine.right).judged
    machine.now_s += 0.02
    machine.pairing.pair(machine.right)


def guess_to_death(machine: Machine) -> float:
    """How long the machine then judges nothing."""
    for _ in range(WRONG_MOST - 1):
        machine.now_s += WAIT_S
        machine.refused(machine.wrong)
    machine.now_s += WAIT_S
    return machine.refused(machine.wrong).wait_s


def test_a_token_that_was_guessed_at_five_times_is_dead_and_the_wait_grows(machine: Machine) -> None:
    token = machine.right
    waits_s = []
    for _ in range(5):
        waits_s.append(guess_to_death(machine))
        assert not machine.refused(machine.right).judged
        machine.now_s += waits_s[-1]
    assert waits_s == [LONG_WAIT_S, 2 * LONG_WAIT_S, 4 * LONG_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert token not in [later.digits for later in machine.shown[1:]]
    machine.pairing.pair(machine.right)
    assert guess_to_death_after_a_success(machine) == LONG_WAIT_S


def guess_to_death_after_a_success(machine: Machine) -> float:
    machine.pairing.ask()
    return guess_to_death(machine)


def test_a_day_of_guessing_finds_a_token_less_often_than_once_in_two_thousand_days(machine: Machine) -> None:
    """Counted as the machine judges, one try each 0.5 s: what an attacker on the network can do at most."""
    start_s, judged = machine.now_s, 0
    while machine.now_s < start_s + 3600.0:
        judged += machine.refused(machine.wrong).judged
        machine.now_s += 0.5
    assert 24 * judged / 10**DIGITS < 1 / 2000


def test_a_session_ends(machine: Machine) -> None:
    secret = machine.pairing.pair(machine.right)
    machine.now_s += SESSION_S - 1.0
    assert machine.pairing.knows(secret)
    machine.now_s += 2.0
    assert not machine.pairing.knows(secret)


@pytest.mark.parametrize("secret", [None, "", "x", "\udcff", "a" * 10_000])
def test_what_is_no_session_is_not_known(machine: Machine, secret: str | None) -> None:
    machine.pairing.pair(machine.right)
    assert not machine.pairing.knows(secret)


@pytest.mark.parametrize("typed", ["", " ", "1", "9" * 9, "é" * 8, "\udcff" * 8, "12345678\n12345678"])
def test_what_is_no_token_is_wrong(machine: Machine, typed: str) -> None:
    assert machine.refused(typed).judged


def test_the_oldest_session_makes_room(machine: Machine) -> None:
    secrets = []
    for _ in range(SESSIONS_MOST + 1):
        secrets.append(machine.pairing.pair(machine.right))
        machine.pairing.ask()
    assert [machine.pairing.knows(secret) for secret in secrets] == [False] + [True] * SESSIONS_MOST


def test_the_first_screen_controls_and_one_that_has_gone_makes_room_after_a_time() -> None:
    now = [0.0]
    control = Control(now_s=lambda: now[0])
    assert control.free
    control.joined("a")
    control.joined("b")
    assert control.held_by("a")
    assert not control.free
    now[0] = FREE_AFTER_S
    control.heard("b")  # that another one is there frees and keeps nothing
    assert not control.free
    now[0] += 0.01
    assert control.free
    assert control.held_by("a")  # until another takes it
    control.joined("a")
    assert not control.free
    control.take("b")
    assert control.held_by("b")
    assert not control.held_by("a")
