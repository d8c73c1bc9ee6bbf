"""The console over real sockets: who may talk to it, who controls it, and that nobody slows another."""

from __future__ import annotations

import html
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from guidance.console import shared_picture
from guidance.console.control import FREE_AFTER_S, Control
from guidance.console.guard import Allowance
from guidance.console.pages import SAME_NAME
from guidance.recording.chained_log import verify
from guidance.recording.command import log_of
from guidance.treatment.recording import LiveRecording
from tests.served_console import Running, Screen, Unhurried, knock, running

A, B = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server on which nothing is started: what it serves and refuses."""
    with running(tmp_path_factory.mktemp("still") / "report") as found:
        yield found


def test_the_page_and_its_parts_are_served_with_a_strict_policy(still: Running) -> None:
    for path in ("/", "/console.css", "/console.js", "/drawing.js", "/sound.js", "/pages.js"):
        answer = still.ask(path)
        assert answer.status == 200, path
        policy = str(answer.getheader("content-security-policy"))
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"), path
        assert "unsafe" not in policy
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("cache-control") == "no-store"
        assert answer.getheader("server") is None


def test_every_tone_is_served(still: Running) -> None:
    with Screen(still, A) as screen:
        names = list(screen.hello["tones"])
    assert len(names) == 8
    for name in names:
        assert still.ask(f"/{name}.wav").body[:4] == b"RIFF"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/..%2f..%2fetc/passwd", "/etc/passwd", "//etc/passwd", "/console_page/",
     "/index.html/../cli.py", "/report/../summary.json", "/report", "/%00", "/live"],
)  # fmt: skip
def test_no_path_of_the_machine_is_reachable(still: Running, path: str) -> None:
    assert still.ask(path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_is_taken_but_a_request_for_a_page(still: Running, method: str) -> None:
    assert still.ask("/", method=method).status == 405


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8710", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_foreign_host_is_refused_and_noted(still: Running, host: str) -> None:
    before = len(still.notes)
    assert still.ask("/", host=host).status == 403
    assert "Host" in still.notes[before]


def test_a_foreign_origin_is_refused_and_noted(still: Running) -> None:
    assert still.ask("/", origin="http://evil.example").status == 403
    assert "Origin" in still.notes[-1]
    for origin in ("http://evil.example", f"https://{still.host}", "null", None):
        with pytest.raises(InvalidStatus) as refused, knock(still, A, origin=origin):
            pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("name", ["", "x", "A" * 32, "a" * 33])
def test_a_page_without_a_proper_name_is_refused(still: Running, name: str) -> None:
    with pytest.raises(InvalidStatus), knock(still, name):
        pass


@pytest.mark.parametrize("said", ["{}", "nonsense", '{"do": "stop", "x": 1}', "x" * 5000, b"stop"])
def test_nonsense_ends_the_connection_and_nothing_else(still: Running, said: str | bytes) -> None:
    before = len(still.notes)
    with Screen(still, A) as good:
        with Screen(still, B) as bad:
            bad.line.send(said)
            with pytest.raises(ConnectionClosed):
                bad.hear_until(lambda: False)
        assert [note for note in still.notes[before:] if note.startswith("Refused: ")]
        good.hear_until(lambda: "phase" in good.state)
        assert good.state["phase"] == "preflight"


def test_a_flood_of_messages_ends_the_connection_and_is_told(still: Running) -> None:
    with Screen(still, A) as screen:
        screen.flood(1000)
        with pytest.raises(ConnectionClosed):
            screen.hear_until(lambda: False)
    assert "sends too much" in still.notes[-1]


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_message_that_is_too_large_is_refused_and_told(still: Running, pieces: int) -> None:
    """Whole, and in fragments of which each would be small enough."""
    with Screen(still, A) as screen:
        with suppress(ConnectionClosed):
            screen.line.send(["x" * (3000 // pieces)] * pieces if pieces > 1 else "x" * 3000)
        with pytest.raises(ConnectionClosed):
            screen.hear_until(lambda: False)
    assert "a message of more than 2048 bytes from 127.0.0.1" in still.notes[-1]


def test_what_is_no_request_is_told(still: Running) -> None:
    with socket.create_connection(("127.0.0.1", still.port), 10.0) as line:
        line.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"x" * 200_000)
        with suppress(ConnectionError):
            assert b"400" in line.recv(100)
    assert "no proper request" in still.notes[-1]


def test_all_that_is_refused_stays_in_a_log_beside_the_report(tmp_path: Path) -> None:
    with running(tmp_path / "a-live-report") as server:
        server.ask("/", host="evil.example")
        server.ask("/", method="DELETE")
        with Screen(server, A) as screen:
            screen.line.send("nonsense")
            with pytest.raises(ConnectionClosed):
                screen.hear_until(lambda: False)
        notes = list(server.notes)
    checked = verify(log := tmp_path / "a-live-access.log")
    assert checked.closed, checked.trouble
    kept = [json.loads(line)["told"].get("words") for line in log.read_text().splitlines()]
    assert kept[:-1] == notes
    assert len(notes) == 3


def test_what_is_refused_while_a_session_is_recorded_stays_in_its_log(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with running(tmp_path / "report", record=lambda staged: LiveRecording(path, staged)) as server:
        with Screen(server, A) as screen:
            screen.until(records=True)
        server.ask("/", host="evil.example")
    checked = verify(log_of(path))
    assert checked.closed, checked.trouble
    entries = [json.loads(line) for line in log_of(path).read_text().splitlines()]
    assert ["evil.example" in entry["told"]["words"] for entry in entries if entry["kind"] == "access"] == [
        True
    ]


def test_the_allowance_fills_again_with_time() -> None:
    now = [0.0]
    bucket = Allowance(a_second=10.0, at_once=3.0, now_s=lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.1
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_no_more_pages_than_there_is_room_for(still: Running) -> None:
    with ExitStack() as stack:
        for k in range(8):
            stack.enter_context(Screen(still, f"{k:032x}"))
        with pytest.raises(InvalidStatus), knock(still, A):
            pass


def test_a_treatment_leads_from_preflight_to_a_report(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with (
        running(
            tmp_path / "report", record=lambda staged: LiveRecording(path, staged), source=Unhurried
        ) as server,
        Screen(server, A) as screen,
    ):
        screen.go_to("running")
        screen.hear_until(lambda: screen.state["t_s"] > 3.0)
        assert screen.state["figures"]["gas"]["on"]
        screen.say("pause")
        screen.until(phase="paused", held=True)
        screen.say("resume")
        screen.until(phase="running", held=False)
        screen.hear_until(lambda: any(alarm["stop"] for alarm in screen.state["alarms"]))
        assert screen.state["sound"] == "high-physiological"
        screen.say("acknowledge")
        screen.hear_until(lambda: any(alarm["acknowledged"] for alarm in screen.state["alarms"]))
        screen.say("pain")
        screen.until(phase="stopped")
        assert screen.state["notice"]["words"].startswith("Stopped for pain.")
        screen.say("finish")
        screen.until(phase="done")
        assert screen.state["report"], screen.state["trouble"]
        answer = server.ask("/report")
        assert answer.status == 200
        assert "sandbox" in str(answer.getheader("content-security-policy"))
        assert b"Pain was reported at" in answer.body  # type: ignore[attr-defined]
        assert server.ask("/report/../summary.json").status == 404
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert summary["console"]["stopped_by"] == "pain"
    assert summary["console"]["operator"] == "OP-1"
    assert summary["checklist"]["verdict"] == "clear"
    assert 3.0 < summary["duration_s"] < 9.98
    # Whether a step still took "finish" or none did is chance; each is kept once, in order.
    assert verify(log_of(path)).closed
    entries = [json.loads(line) for line in log_of(path).read_text().splitlines()]
    done = [entry["told"] for entry in entries if entry["kind"] == "action"]
    assert [action["name"] for action in done if "name" in action] == [
        "start", "pause", "resume", "pain", "finish",
    ]  # fmt: skip
    assert any(parts["jpeg"][:2] == b"\xff\xd8" for _, parts in screen.pictures if "jpeg" in parts)
    (corners,) = (parts["corner"] for _, parts in screen.pictures if "corner" in parts)  # sent once
    assert len(screen.pictures[-1][1]["level"]) * 8 == len(corners)


def test_one_screen_controls_others_watch_and_stop_works_on_all(tmp_path: Path) -> None:
    with running(tmp_path / "report") as server, Screen(server, A) as first:
        first.go_to("running")
        with Screen(server, B) as second:
            second.hear_until(lambda: bool(second.state))
            assert not second.state["controls"]
            second.say("pause")
            second.hear_until(lambda: second.state["refused"] != "")
            assert second.state["phase"] == "running"
            second.say("take_control")
            second.until(controls=True)
            first.until(controls=False)
            first.say("stop")
            second.until(phase="stopped")
    assert any("Control goes to" in note for note in server.notes)


def test_a_screen_that_has_gone_gives_up_control_and_one_that_is_there_does_not(tmp_path: Path) -> None:
    now = [0.0]
    with running(tmp_path / "report") as server, ExitStack() as stack:
        server.served.console.control = Control(now_s=lambda: now[0])
        with Screen(server, A) as first:
            first.until(controls=True)
            other = stack.enter_context(Screen(server, B))
            other.until(controls=False, control_free=False)
        now[0] = FREE_AFTER_S + 0.1
        other.until(control_free=True)
        # The first one comes back before anybody took its place.
        with Screen(server, A) as again:
            again.until(controls=True, control_free=False)
            other.until(control_free=False)
            # It is there, hears and answers: however long that lasts, control is its own.
            for _ in range(4):
                now[0] += FREE_AFTER_S - 1.0
                again.say("here")
                other.state = {}
                again.hear()
                other.until(control_free=False)
            # It is connected, but asleep.
            now[0] += FREE_AFTER_S + 0.1
            other.until(control_free=True)
            other.say("take_control")
            other.until(controls=True, control_free=False)
            again.until(controls=False)


def test_two_pages_of_one_name_are_told_apart(still: Running) -> None:
    """A browser copies the name with a tab; two pages that both believe to control would be a danger."""
    with Screen(still, A) as first, Screen(still, A):
        with pytest.raises(ConnectionClosed) as closed:
            first.hear_until(lambda: False)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == SAME_NAME


def test_a_reload_disturbs_nothing_and_keeps_control(tmp_path: Path) -> None:
    with running(tmp_path / "report") as server:
        with Screen(server, A) as screen:
            screen.go_to("running")
            screen.hear_until(lambda: screen.state["t_s"] > 1.5)
            before_s = screen.state["t_s"]
        with Screen(server, A) as again:
            again.hear_until(lambda: bool(again.state) and bool(again.pictures))
            assert again.state["phase"] == "running"
            assert again.state["controls"]
            assert again.state["t_s"] >= before_s
            assert again.state["operator"] == "OP-1"
            assert "corner" in again.pictures[0][1]


def test_a_screen_that_draws_nothing_slows_nobody_and_still_hears_of_everything(tmp_path: Path) -> None:
    """The slow one gets a single picture; the other nearly all of them, and both the same words."""
    with (
        running(tmp_path / "report") as server,
        Screen(server, A) as quick,
        Screen(server, B, draws=False) as slow,
    ):
        quick.go_to("running")
        quick.hear_until(lambda: quick.state["t_s"] > 5.0)
        slow.hear_until(lambda: slow.state.get("t_s", 0.0) > 5.0)
        assert len(slow.pictures) == 1
        stepped = server.served.run.colour_rows
        assert len(quick.pictures) > 0.8 * (stepped - 15)  # the first 0.8 s may pass before a page is there
        assert slow.state["figures"]["gas"]["on"]


def test_a_picture_that_cannot_be_drawn_is_an_alarm_and_guidance_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such cell")

    with running(tmp_path / "report") as server, Screen(server, A) as screen:
        screen.go_to("ready")
        monkeypatch.setattr(shared_picture, "picture_data", fail)
        screen.say("start")
        screen.hear_until(lambda: "no such cell" in str(screen.state["trouble"]))
        assert screen.state["sound"] == "high-technical"
        at_s = screen.state["t_s"]
        screen.hear_until(lambda: screen.state["t_s"] > at_s + 0.5)
        monkeypatch.undo()
        screen.until(trouble=None)


def test_the_server_speaks_at_least_each_fifth_of_a_second_while_nothing_happens(still: Running) -> None:
    """A held recording makes no step; the beat goes on all the same, or the page would sound its alarm."""
    with Screen(still, A) as screen:
        screen.hear_until(lambda: screen.state.get("held") is True)
        screen.hear_until(lambda: len(screen.pictures) > 0)
        number = screen.pictures[-1][0]["number"]
        for _ in range(5):
            screen.state = {}
            screen.line.recv(0.45)
        assert screen.pictures[-1][0]["number"] == number


def told_of(answer: Any) -> str:
    """The one sentence of a page in the console's own look."""
    assert answer.status == 404
    assert answer.getheader("content-type") == "text/html; charset=utf-8"
    policy = str(answer.getheader("content-security-policy"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    (words,) = re.findall("<p>(.*)</p>", answer.body.decode())
    return html.unescape(words)


def test_a_report_that_is_not_there_as_it_was_written_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a-live-report"
    with running(folder) as server:
        assert told_of(server.ask("/report")) == "There is no report yet."
        server.served.desk.report = folder
        for make, says in (
            (lambda: None, "is not there any more: a-live-report/report.html was moved or removed."),
            (folder.mkdir, "is not there any more"),
            ((folder / "report.html").mkdir, "cannot be read (Is a directory)."),
            ((folder / "report.html").rmdir, "is not there any more"),
            (lambda: (folder / "report.html").write_text("<!doctype html><html>half"), "is not whole"),
        ):
            make()
            words = told_of(server.ask("/report"))
            assert says in words
            assert "cryoguide analyze" in words
            assert str(tmp_path) not in words
        (folder / "report.html").write_text("<!doctype html>\n<html><body>whole</body></html>\n")
        assert server.ask("/report").status == 200

        def locked(_: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", locked)
        assert "cannot be read (Permission denied)." in told_of(server.ask("/report"))
        monkeypatch.undo()
        folder.rename(tmp_path / "elsewhere")
        folder.write_text("a file by that name")
        assert "is not there any more" in told_of(server.ask("/report"))
        assert server.ask("/").status == 200
