"""The pairing page as whoever pairs a screen has it: a wrong token, the wait, a keyboard, every size."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from guidance.console.access import Wanted, access
from guidance.console.pairing import Pairing
from tests.chromium import MISSING, Browser, Tab, chromium
from tests.page_clock import CLOCK, passes
from tests.served_console import running

pytest.importorskip("cryptography", reason="a certificate of one's own is an extra (cryoguide[network])")
pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

SAYS = 'document.querySelector("#says").textContent'
SIZES = ((1280, 800), (1024, 600), (800, 1280), (1920, 1080))


@dataclass(eq=False)
class Machine:
    """The console's own machine; its clock and that of a page can be let run ahead together."""

    origin: str = ""
    shown: list[str] = field(default_factory=list)
    """The tokens that stood on its screen, the last one now."""
    ahead_s: float = 0.0

    def now_s(self) -> float:
        return time.monotonic() + self.ahead_s

    def passes(self, tab: Tab, seconds: float) -> None:
        self.ahead_s += seconds
        passes(tab, seconds)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder, found = tmp_path_factory.mktemp("pairing"), Machine()
    made = access(Wanted(pair=True), folder=folder)
    pairing = Pairing(show=lambda token: found.shown.append(token.digits), now_s=found.now_s)
    with running(folder / "report", access=replace(made, pairing=pairing)) as server:
        found.origin = server.origin
        yield found


@pytest.fixture(scope="module")
def browser(machine: Machine) -> Iterator[Browser]:
    """It is closed before the server is."""
    with Browser(trusting=True) as found:
        yield found


def opened(browser: Browser, machine: Machine) -> Tab:
    tab = browser.open("about:blank")
    tab.before(CLOCK)
    tab.go(f"{machine.origin}/")
    tab.until('document.querySelector("#pair")')
    return tab


def typed(tab: Tab, token: str) -> None:
    for digit in token:
        tab.key(digit, f"Digit{digit}")


def wrong(token: str) -> str:
    return f"{(int(token) + 1) % 10**8:08}"


def test_a_keyboard_types_a_token_without_a_tap_before(browser: Browser, machine: Machine) -> None:
    shown = machine.shown
    tab = opened(browser, machine)
    typed(tab, shown[-1])
    tab.key("Backspace", "Backspace")
    assert tab.run('document.querySelector("#pair").disabled')
    typed(tab, shown[-1][-1])
    assert tab.run('document.querySelector("#token").value') == f"{shown[-1][:4]} {shown[-1][4:]}"
    tab.enter()
    tab.until('document.body.dataset.phase === "preflight"')


def test_after_a_wrong_token_the_wait_goes_down_and_the_page_says_when_it_is_over(
    browser: Browser, machine: Machine
) -> None:
    shown = machine.shown
    tab = opened(browser, machine)
    typed(tab, wrong(shown[-1]))
    tab.enter()
    tab.until(f'{SAYS} === "That is not the token on the machine\'s screen. Wait 1 s."')
    assert tab.run('document.querySelector("#pair").disabled')
    machine.passes(tab, 1.2)
    tab.until(f'{SAYS} === "That is not the token on the machine\'s screen. Type what stands there now."')
    for _ in range(4):
        typed(tab, wrong(shown[-1]))
        tab.until('!document.querySelector("#pair").disabled')
        tab.enter()
        tab.until(f'{SAYS}.includes("Wait")')
        if not tab.run(f'{SAYS}.includes("Wrong 5 times")'):
            machine.passes(tab, 1.2)
            tab.until(f'!{SAYS}.includes("Wait")')
    assert "a new token stands on the machine's screen" in tab.run(SAYS)
    machine.passes(tab, 2.2)
    tab.until(f"/Wait [1-8] s/.test({SAYS})")  # it goes down from 10
    machine.passes(tab, 8.2)
    tab.until(f'!{SAYS}.includes("Wait")')
    typed(tab, shown[-1])
    tab.enter()
    tab.until('document.body.dataset.phase === "preflight"')


def test_all_of_the_page_is_in_sight_at_every_size(browser: Browser, machine: Machine) -> None:
    tab = opened(browser, machine)
    for size in SIZES:
        tab.size(*size)
        words = "Wrong 5 times: a new token stands on the machine's screen. Wait 80 s."
        tab.run(f'document.querySelector("#says").textContent = {words!r}')
        outside = tab.run("""[...document.querySelectorAll("h1, p, input, button")]
            .map((node) => [node.id || node.tagName, node.getBoundingClientRect()])
            .filter(([, box]) => box.top < 0 || box.left < 0 || box.bottom > innerHeight
                || box.right > innerWidth)
            .map(([name]) => name)""")
        assert outside == [], size


def test_nothing_typed_looks_like_a_token(browser: Browser, machine: Machine) -> None:
    tab = opened(browser, machine)
    assert re.search(r"\d", tab.run('document.querySelector("#token").placeholder')) is None
