"""What the history says before the gas, in a real browser. The cameras are stand-ins: no hardware."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guidance.history.store import HistoryStore
from tests.camera_place import Place
from tests.chromium import MISSING, Browser, chromium
from tests.console_screens import kept
from tests.guidance.test_console_browser import WATCH, choose, hear, phase, reads
from tests.history_scenes import past

pytestmark = pytest.mark.skipif(chromium() is None, reason=MISSING)


def test_a_zone_treated_just_now_blocks_and_a_stop_of_yesterday_is_confirmed(
    browser: Browser, tmp_path: Path
) -> None:
    store, now = HistoryStore(tmp_path / "history.sqlite3"), datetime.now(UTC)
    same = {"zone": "calf", "side": "left", "device": "co2", "protocol": "co2-thermal-shock"}
    store.record(past("a", **same, started=now - timedelta(minutes=40)))
    store.record(past("b", **same, started=now - timedelta(hours=20), subject="B-2"))
    with ExitStack() as stack:
        place = Place(tmp_path, stack, history=store.path)
        tab = browser.open(f"http://{place.server.host}/")
        tab.until(phase("preflight"))
        tab.run(WATCH)
        hear(tab)
        tab.until('!document.querySelector("#next").disabled')
        tab.tap("#next")
        tab.type("#operator", "OP-1")
        tab.type("#subject", "A-017")
        for name, value in same.items():
            choose(tab, name, value)
        tab.until(f'document.querySelector("#history") && {reads("#history")}.includes(" min ago")')
        tab.until(f'{reads("#bar")}.includes("Do not treat: The same zone was treated")')
        assert tab.run('document.querySelector("#next").disabled')
        assert tab.run('document.querySelector("#confirm-history") === null')
        kept(tab, "h1-refused")
        tab.run('document.querySelector("#subject").value = ""')
        tab.type("#subject", "B-2")
        tab.until(f'document.querySelector("#history") && {reads("#history")}.includes("20 h ago")')
        assert tab.run('document.querySelector("#next").disabled')
        kept(tab, "h2-to-confirm")
        tab.run('document.querySelector("#confirm-history").scrollIntoView()')
        tab.tap("#confirm-history")
        tab.until('!document.querySelector("#next").disabled')
        tab.tap("#next")
        tab.until(phase("checklist"))
        assert tab.run("troubles") == []
