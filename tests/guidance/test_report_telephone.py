"""The report on a telephone: it is read downwards, and only what needs its width is moved sideways."""

from __future__ import annotations

from pathlib import Path

import pytest

from guidance.analyse import analyse
from tests.chromium import MISSING, Browser, chromium
from tests.served_console import CALF

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)

WIDE = """[document.documentElement, ...document.querySelectorAll(".tablebox")]
    .filter((node) => node.scrollWidth > node.clientWidth)
    .map((node) => `${node.scrollWidth} in ${node.clientWidth}: ${node.textContent.slice(0, 30)}`)"""


def test_neither_the_page_nor_a_table_is_wider_than_a_telephone(browser: Browser, tmp_path: Path) -> None:
    analyse(CALF, out=tmp_path / "report", video=False, history=None)
    tab = browser.open((tmp_path / "report" / "report.html").as_uri())
    tab.size(390, 844)
    tab.until('document.readyState === "complete" && document.querySelector("h1")')
    tab.run('document.querySelectorAll("details").forEach((one) => { one.open = true; })')
    assert tab.run('document.querySelectorAll(".tablebox").length') > 3
    assert tab.run(WIDE) == []
