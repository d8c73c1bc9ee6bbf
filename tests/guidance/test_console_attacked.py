"""Hostile and hasty callers: the session goes on as if they were not there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from guidance.console.callers import CALLER_MOST, ROOM_FROM, protocol
from tests.served_console import Running, Screen, running

A, B = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("attacked") / "report") as server:
        yield server


def call(stack: ExitStack, port: int, *, by: str = "127.0.0.1") -> socket.socket:
    """A connection that says nothing yet."""
    line = stack.enter_context(socket.socket())
    line.settimeout(20.0)
    line.bind((by, 0))
    line.connect(("127.0.0.1", port))
    return line


def hung_up(line: socket.socket) -> bool:
    """Whether the other end has closed; waits for it."""
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True


def test_idle_connections_of_one_caller_keep_nobody_else_out(still: Running) -> None:
    """The caller has an address of its own (all of 127.0.0.0/8 is this machine)."""
    with ExitStack() as stack:
        lines = [call(stack, still.port, by="127.0.0.9") for _ in range(CALLER_MOST + 40)]
        assert all(hung_up(line) for line in lines[CALLER_MOST:])
        assert still.ask("/").status == 200
        with Screen(still, A) as screen:
            screen.until(phase="preflight")
    assert any(f"more than {CALLER_MOST} connections" in note and "127.0.0.9" in note for note in still.notes)


@contextmanager
def bare_server(notes: list[str], **limits: Any) -> Iterator[int]:
    """A server of nothing, with limits of its own."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, http=protocol(notes.append, **limits), lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(20.0)


WHOLE, HALF = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: 1\r\n"


@pytest.mark.parametrize("said", [(), (HALF,), (WHOLE, HALF)], ids=["nothing", "half", "one and a half"])
def test_a_caller_who_never_comes_to_an_end_is_hung_up_on(said: tuple[bytes, ...]) -> None:
    notes: list[str] = []
    with bare_server(notes, within_s=0.3) as port, ExitStack() as stack:
        line = call(stack, port)
        for part in said:
            line.sendall(part)
            if part == WHOLE:
                assert line.recv(1000).startswith(b"HTTP/1.1 204")
        assert hung_up(line)
    # A browser opens lines that it never uses: only who began a request is told of.
    assert bool(notes) == bool(said)


def answered(line: socket.socket) -> bool:
    line.sendall(WHOLE)
    return line.recv(1000).startswith(b"HTTP/1.1 204")


def test_many_addresses_together_keep_nobody_out(still: Running) -> None:
    """Each new one makes room for itself: the oldest that waits for nothing goes."""
    notes: list[str] = []
    with bare_server(notes, room_from=20) as port, ExitStack() as stack:
        lines = [call(stack, port, by=f"127.0.1.{k}") for k in range(1, 31)]
        for _ in range(5):
            assert answered(call(stack, port))
        assert all(hung_up(line) for line in lines[:10])
        assert answered(lines[-1])
    assert any("127.0.1.1" in note and "makes room" in note for note in notes)


def test_a_page_s_line_is_never_taken_to_make_room(tmp_path: Path) -> None:
    with running(tmp_path / "report") as server, Screen(server, A) as screen, ExitStack() as stack:
        screen.until(phase="preflight")
        lines = [
            call(stack, server.port, by=f"127.0.{2 + k // 16}.{1 + k % 16}") for k in range(ROOM_FROM + 40)
        ]
        assert hung_up(lines[0])
        assert server.ask("/").status == 200
        screen.say("confirm_sound")
        screen.until(sound_confirmed=True)


def endless(line: ClientConnection, how: str) -> None:
    if how == "piece":
        line.send("" for _ in range(20_000))
    for _ in range(20_000):
        if how == "ping":
            line.ping()
        else:
            line.pong()


@pytest.mark.parametrize("how", ["ping", "pong", "piece"])
def test_a_page_that_pings_without_end_is_hung_up_on_and_told(still: Running, how: str) -> None:
    """And one that answers what nobody asked, or begins a message that never ends."""
    with Screen(still, A) as good, Screen(still, B) as bad:
        with pytest.raises(ConnectionClosed):
            endless(bad.line, how)
        good.hear_until(lambda: "phase" in good.state)
    assert any("without end" in note and "127.0.0.1" in note for note in still.notes)


def trickle(line: socket.socket, letters: int) -> None:
    """One letter after the other until the other end hangs up."""
    line.settimeout(0.02)
    for _ in range(letters):
        line.sendall(b"x")
        try:
            if line.recv(1) == b"":
                raise ConnectionResetError
        except TimeoutError:
            continue


def test_letters_that_trickle_in_do_not_hold_the_time_up() -> None:
    with bare_server([], within_s=0.3) as port, ExitStack() as stack:
        line = call(stack, port)
        line.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            trickle(line, 1000)


def test_two_hasty_taps_turn_one_page(tmp_path: Path) -> None:
    """Over a slow network the second tap comes before the page has turned."""
    with running(tmp_path / "report") as server, Screen(server, A) as screen:
        screen.go_to("ready")
        for _ in range(3):
            screen.say("back")
        screen.until(phase="checklist", missing="")
        for _ in range(3):
            screen.say("next", at="checklist")
        screen.say("quiet")  # answered after them
        screen.until(phase="zone")
        screen.say("next", at="zone")
        screen.until(phase="touch")
        screen.say("back", at="ready")
        screen.say(
            "identify", operator="x", subject="y"
        )  # refused: it is answered, so the one before was heard
        screen.hear_until(lambda: screen.state.get("refused"))
        assert screen.state["phase"] == "touch"


@pytest.mark.parametrize("word", ["\ud800", "a\x00b", "\x1b[2J"])
def test_letters_that_no_report_can_hold_are_refused(still: Running, word: str) -> None:
    with Screen(still, A) as screen:
        screen.say("skip_touch", reason=word)
        with pytest.raises(Exception, match="1008"):
            screen.hear_until(lambda: False)
    assert any("written nowhere" in note for note in still.notes)


MOVES = ("start", "resume", "finish", "back", "next", "gas_on", "gas_off", "take_touch", "zone_as_found")


def test_a_treatment_that_runs_is_disturbed_by_nothing_that_is_out_of_turn(tmp_path: Path) -> None:
    """From the screen that controls and from one that watches."""
    with running(tmp_path / "report", speed=0.3) as server, Screen(server, A) as screen:
        screen.go_to("running")
        with Screen(server, B) as other:
            for who in (screen, other):
                for what in MOVES:
                    who.say(what)
                    who.hear_until(lambda who=who: who.state.get("refused"))
                    assert who.state["phase"] == "running", what
                    who.state["refused"] = ""
            for what in ("pause", "quiet", "acknowledge"):
                other.say(what)
                other.hear_until(lambda: other.state.get("refused"))
                other.state["refused"] = ""
            before = other.state["t_s"]
            other.hear_until(lambda: other.state["t_s"] > before)
            # STOP is everyone's, and what stopped never runs again.
            other.say("stop")
            screen.until(phase="stopped")
            for what in ("resume", "start", "pause"):
                screen.say(what)
                screen.hear_until(lambda: screen.state.get("refused"))
                screen.state["refused"] = ""
            screen.say("finish")
            screen.say("finish")
            screen.until(phase="done")
            assert screen.state["report"]
