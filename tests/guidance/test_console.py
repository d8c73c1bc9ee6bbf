"""The console over real sockets: who may talk to it, who controls it, and that nobody slows another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from guidance import console
from guidance.console_guard import Allowance
from guidance.session import CourseAction
from tests.served_console import Running, Screen, running

A, B = "a" * 32, "b" * 32


def knock(server: Running, name: str, origin: str | None = "") -> ClientConnection:
    """A connection as a page makes it, or from elsewhere."""
    said = Origin(f"http://{server.host}" if origin == "" else origin) if origin is not None else None
    return connect(f"ws://{server.host}/live?page={name}", origin=said)


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
        with pytest.raises(InvalidStatus) as refused, knock(still, A, origin):
            pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("name", ["", "x", "A" * 32, "a" * 33])
def test_a_page_without_a_proper_name_is_refused(still: Running, name: str) -> None:
    with pytest.raises(InvalidStatus), knock(still, name):
        pass


@pytest.mark.parametrize("said", ["{}", "nonsense", '{"do": "stop", "x": 1}', "x" * 5000])
def test_nonsense_ends_the_connection_and_nothing_else(still: Running, said: str) -> None:
    with Screen(still, A) as good:
        with Screen(still, B) as bad:
            bad.line.send(said)
            with pytest.raises(ConnectionClosed):
                bad.hear_until(lambda: False)
        good.hear_until(lambda: "phase" in good.state)
        assert good.state["phase"] == "preflight"


def test_a_flood_of_messages_ends_the_connection(still: Running) -> None:
    with Screen(still, A) as screen:
        screen.flood(1000)
        with pytest.raises(ConnectionClosed):
            screen.hear_until(lambda: False)


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
    with running(tmp_path / "report") as server, Screen(server, A) as screen:
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
    assert server.served.desk.live is not None
    untaken = server.served.desk.live.untaken()
    assert [action.name for action in untaken if isinstance(action, CourseAction)][-1:] == ["finish"]
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
        monkeypatch.setattr(console, "picture_data", fail)
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
