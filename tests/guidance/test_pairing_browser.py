"""The pairing page as whoever pairs a screen has it: a wrong token, the wait, a keyboard, every size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from guidance.console.access import Wanted, access
from guidance.console.pairing import Pairing
from tests.chromium import MISSING, Browser, Tab, chromium
from tests.served_console import running

pytest.importorskip("cryptography", reason="a certificate of one's own is an extra (cryoguide[network])")
pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

SAYS = 'document.querySelector("#says").textContent'
SIZES = ((1280, 800), (1024, 600), (800, 1280), (1920, 1080))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """Address of the console, and what stands on the machine's own screen."""
    folder = tmp_path_factory.mktemp("pairing")
    shown: list[str] = []
    made = access(Wanted(pair=True), folder=folder)
    pairing = Pairing(show=lambda token: shown.append(token.digits))
    with running(folder / "report", access=replace(made, pairing=pairing)) as server:
        yield server.origin, shown


@pytest.fixture(scope="module")
def browser(machine: tuple[str, list[str]]) -> Iterator[Browser]:
    """It is closed before the server is."""
    with Browser(trusting=True) as found:
        yield found


def opened(browser: Browser, origin: str) -> Tab:
    tab = browser.open(f"{origin}/")
    tab.until('document.querySelector("#pair")')
    return tab


def typed(tab: Tab, token: str) -> None:
    for digit in token:
        tab.key(digit, f"Digit{digit}")


def wrong(token: str) -> str:
    return f"{(int(token) + 1) % 10**8:08}"


def test_a_keyboard_types_a_token_without_a_tap_before(
    browser: Browser, machine: tuple[str, list[str]]
) -> None:
    origin, shown = machine
    tab = opened(browser, origin)
    typed(tab, shown[-1])
    tab.key("Backspace", "Backspace")
    assert tab.run('document.querySelector("#pair").disabled')
    typed(tab, shown[-1][-1])
    assert tab.run('document.querySelector("#token").value') == f"{shown[-1][:4]} {shown[-1][4:]}"
    tab.enter()
    tab.until('document.body.dataset.phase === "preflight"')


def test_after_a_wrong_token_the_wait_goes_down_and_the_page_says_when_it_is_over(
    browser: Browser, machine: tuple[str, list[str]]
) -> None:
    origin, shown = machine
    tab = opened(browser, origin)
    typed(tab, wrong(shown[-1]))
    tab.enter()
    tab.until(f'{SAYS} === "That is not the token on the machine\'s screen. Wait 1 s."')
    assert tab.run('document.querySelector("#pair").disabled')
    tab.until(f'{SAYS} === "That is not the token on the machine\'s screen. Type what stands there now."')
    for _ in range(4):
        typed(tab, wrong(shown[-1]))
        tab.until('!document.querySelector("#pair").disabled')
        tab.enter()
        tab.until(f'{SAYS}.includes("Wait")')
        if not tab.run(f'{SAYS}.includes("Wrong 5 times")'):
            tab.until(f'!{SAYS}.includes("Wait")')
    assert "a new token stands on the machine's screen" in tab.run(SAYS)
    tab.until(f"/Wait [1-8] s/.test({SAYS})")  # it goes down from 10
    tab.until(f'!{SAYS}.includes("Wait")')
    typed(tab, shown[-1])
    tab.enter()
    tab.until('document.body.dataset.phase === "preflight"')


def test_all_of_the_page_is_in_sight_at_every_size(browser: Browser, machine: tuple[str, list[str]]) -> None:
    origin, _ = machine
    tab = opened(browser, origin)
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


def test_nothing_typed_looks_like_a_token(browser: Browser, machine: tuple[str, list[str]]) -> None:
    origin, _ = machine
    tab = opened(browser, origin)
    assert re.search(r"\d", tab.run('document.querySelector("#token").placeholder')) is None
