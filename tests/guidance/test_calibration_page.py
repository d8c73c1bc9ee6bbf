"""The page of a guided calibration: who may talk to it, what it is told, what a technician sees."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from calibration.board import OWN
from calibration.folder_steps import Sheets
from calibration.guided_run import Wanted
from calibration.scale import Scale, scaled
from calibration.sheets import TARGET
from guidance.calibrating.live import folder_pictures
from guidance.calibrating.room import CalibrationRoom
from guidance.calibrating.supply import Supply
from guidance.treatment.wire import unpack
from models.capture import Capture
from tests.calibration.test_guided_run import drawn
from tests.chromium import MISSING, Browser, chromium
from tests.guidance.calibration_stand_in import served_page

POSE = np.array([0.0, 0.0, 0.0, -90.0, -60.0, 550.0])


def pictures(stop: threading.Event) -> Iterator[Capture]:
    """A board held still, ten times a second."""
    bgr = drawn(POSE, np.random.default_rng(0))
    k = 0
    while not stop.wait(0.1):
        k += 1
        yield Capture(0.1 * k, k, bgr, (), (), 0.0, False)


def wanted_in(folder: Path) -> Callable[[Scale], Wanted]:
    sheets = Sheets(OWN, TARGET, Scale(1.0, True), None)
    wanted = Wanted(folder / "rig.toml", folder / "keep", sheets, ("rgb", "thermal"))

    def make(found: Scale) -> Wanted:
        return replace(wanted, sheets=replace(sheets, board=scaled(OWN, found), scale=found))

    return make


@contextmanager
def served(folder: Path, *, scale: Scale | None = None) -> Iterator[tuple[CalibrationRoom, int]]:
    room = CalibrationRoom(Supply(pictures), wanted_in(folder), scale=scale)
    with served_page(room) as port:
        yield room, port


def joined(port: int, *, origin: str | None = None) -> ClientConnection:
    host = f"127.0.0.1:{port}"
    return connect(f"ws://{host}/live", origin=Origin(origin or f"http://{host}"), max_size=None)


def heard_until(line: ClientConnection, holds) -> dict:
    head: dict = {}
    for _ in range(300):
        message = line.recv(30.0)
        assert isinstance(message, bytes)
        head, parts = unpack(message)
        line.send(json.dumps({"do": "drawn", "number": head["number"]}))
        if holds(head):
            assert parts.get("jpeg", b"\xff\xd8")[:2] == b"\xff\xd8"
            return head
    raise AssertionError(f"It never held; last: {head}")


def hung_up(line: ClientConnection) -> bool:
    """Whether it was turned away, not lost to a fault of the server (1011)."""
    try:
        for _ in range(100):
            line.recv(10.0)
    except ConnectionClosed as closed:
        return closed.rcvd is not None and closed.rcvd.code == 1008
    return False


def test_the_ruler_is_asked_first_a_print_that_is_off_is_refused_and_a_picture_is_taken_by_itself(
    tmp_path: Path,
) -> None:
    with served(tmp_path) as (_, port), joined(port) as line:
        assert heard_until(line, lambda head: True)["phase"] == "print"
        line.send(json.dumps({"do": "measured", "mm": 96.0, "insist": False}))
        told = heard_until(line, lambda head: head["print_trouble"])
        assert told["phase"] == "print"
        assert "4.0 % too small" in told["print_trouble"]
        line.send(json.dumps({"do": "measured", "mm": 96.0, "insist": True}))
        taken = heard_until(line, lambda head: head["taken_total"] == 1)
        assert taken["phase"] == "running"
        assert (tmp_path / "keep" / "rgb" / "000.png").exists()
        after = heard_until(line, lambda head: head["advice"] and not head["advice"]["taken"])
        assert len(after["advice"]["ghost"][0]) == 4
        assert len(after["advice"]["seen"]) == 54
        assert after["advice"]["coverage"]["leans"][0] == ["square on", 1]
        line.send(json.dumps({"do": "skip"}))
        waits = heard_until(line, lambda head: head["step"] == "thermal")
        assert waits["steps"][0]["state"] == "missing"


def test_foreign_pages_and_strange_words_are_turned_away(tmp_path: Path) -> None:
    with served(tmp_path) as (_, port):
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
        asked.request("GET", "/", headers={"host": "evil.example"})
        assert asked.getresponse().status == 403
        asked.close()
        with pytest.raises(InvalidStatus):
            joined(port, origin="http://evil.example")
        beyond_all = f'{{"do": "measured", "mm": 1{350 * "0"}}}'
        for words in ("nonsense", '{"do": "burn"}', '{"do": "measured", "mm": -1}', "[1]", beyond_all):
            with joined(port) as line:
                line.send(words)
                assert hung_up(line)


def test_what_stops_it_is_told_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "old.png").write_bytes(b"x")
    with served(tmp_path) as (_, port), joined(port) as line:
        line.send(json.dumps({"do": "measured", "mm": 100.0}))
        told = heard_until(line, lambda head: head["print_trouble"])
        assert "holds files already" in told["print_trouble"]


def test_a_folder_is_played_as_if_each_board_were_held(tmp_path: Path) -> None:
    (tmp_path / "rgb").mkdir()
    (tmp_path / "tip").mkdir()
    for name in ("rgb/000.png", "rgb/001.png", "tip/000.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((40, 60, 3), np.uint8))
    times = [t_s for t_s, _, _ in folder_pictures(tmp_path)]
    assert np.allclose(times, [0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 2.6])


@pytest.mark.skipif(chromium() is None, reason=MISSING)
def test_a_technician_reads_what_to_do_from_afar_and_hears_that_a_picture_was_taken(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as (_, port):
        tab = browser.open(f"http://127.0.0.1:{port}/")
        tab.until("document.body.dataset.phase === 'print'")
        tab.type("#measured-a", "100,1")
        tab.type("#measured-b", "99.9")
        tab.tap("#go")
        tab.until("document.body.dataset.phase === 'running'")
        tab.until("document.body.dataset.beeps === '1'")
        tab.until("document.getElementById('say').textContent.includes('cm away')")
        size = tab.run("parseFloat(getComputedStyle(document.getElementById('say')).fontSize)")
        assert size >= 50.0  # 13 mm on a usual screen of 96 dots an inch: 22 minutes of arc at 2 m
        assert tab.run("document.getElementById('marks').textContent").count("✓ square on") == 1
        size_of_all = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert tab.run(size_of_all) == tab.run("[innerWidth, innerHeight]")
        words = tab.run("document.getElementById('say').textContent")
        tab.key("m", "KeyM")
        mirrored: dict[str, str] = {"left": "right", "right": "left"}
        turned = re.sub("left|right", lambda word: mirrored[word[0]], str(words).lower())
        tab.until(f"document.getElementById('say').textContent.toLowerCase() === {json.dumps(turned)}")


def test_a_certificate_that_was_removed_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path) as (_, port):
        for path, says in (
            (None, "There is no certificate yet."),
            (tmp_path / "gone.html", "The certificate is not there any more"),
        ):
            monkeypatch.setattr(CalibrationRoom, "certificate", path)
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
            asked.request("GET", "/certificate")
            answer = asked.getresponse()
            assert answer.status == 404
            assert says in answer.read().decode()
            asked.close()
