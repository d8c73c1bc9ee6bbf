"""The console as it is served, on a free port of this machine, with a recording played as if live."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from guidance.console.access import OPEN, Access
from guidance.console.preparing import Prepare
from guidance.console.serve import Served
from guidance.console.server import listen, server_config
from guidance.live.loop import Replay, Source
from guidance.live.pace import Pace
from guidance.set_up import set_up
from guidance.treatment.camera_room import CameraRoom
from guidance.treatment.recording import LiveRecording
from guidance.treatment.staged import Staged, rehearsed
from guidance.treatment.wire import unpack
from models.catalogue import load_questions
from models.contraindications import questions_for
from vision.recording import Recording, open_recording

CALF = Path(__file__).parent / "recordings" / "calf"
WITHIN_S = 60.0
HOLDS_WITHIN_S = 180.0
"""Far longer than anything takes: on a machine that other programs use it takes ten times as long."""


class Unhurried(Replay):
    """A recording that waits for each step: a busy machine takes longer over it and sees the same."""

    @property
    def waits(self) -> bool:
        """From its beginning to its end."""
        return True


@dataclass(eq=False)
class Running:
    """A server that runs."""

    served: Served
    port: int
    notes: list[str]
    out: Path
    access: Access = OPEN
    trusts: ssl.SSLContext | None = None
    """With which a client speaks TLS."""
    cookie: str = ""
    """Of a screen that was paired."""

    @property
    def host(self) -> str:
        """As a page calls it."""
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        """Of its own page."""
        return f"{self.access.scheme}://{self.host}"

    def ask(
        self, path: str, *, method: str = "GET", body: str = "", **headers: str
    ) -> http.client.HTTPResponse:
        """One request; headers of one's own replace the usual ones."""
        if self.trusts is None:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10.0)
        else:
            line = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10.0, context=self.trusts)
        line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        usual = {"host": self.host} | ({"cookie": self.cookie} if self.cookie else {})
        usual |= {"content-length": str(len(body))} if body else {}
        for name, value in (usual | headers).items():
            line.putheader(name, value)
        line.endheaders(body.encode() or None)
        answer = line.getresponse()
        answer.body = answer.read()  # type: ignore[attr-defined]
        line.close()
        return answer


class Serves(Protocol):
    """Where a console is."""

    @property
    def host(self) -> str:
        """As a page calls it."""
        ...


@dataclass(eq=False)
class Screen:
    """A page without a browser: it takes what it is told, and draws as fast as a test lets it."""

    running: Serves
    name: str
    draws: bool = True
    hello: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    words: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[tuple[dict[str, Any], dict[str, bytes]]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.line = self._stack.enter_context(knock(self.running, self.name))
        self.hear_until(lambda: bool(self.hello))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def say(self, do: str, **more: object) -> None:
        """Something that is tapped."""
        self.line.send(json.dumps({"do": do, **more}))

    def flood(self, count: int) -> None:
        """Far more than a page ever says; the server may hang up meanwhile."""
        with suppress(ConnectionClosed):
            for _ in range(count):
                self.say("drawn", number=-1)

    def hear(self) -> None:
        """One message."""
        self.hear_within(WITHIN_S)

    def hear_within(self, within_s: float) -> None:
        """One message.

        Raises:
            TimeoutError: If there is none in time.
        """
        message = self.line.recv(within_s)
        if isinstance(message, bytes):
            head, parts = unpack(message)
            self.pictures.append((head, parts))
            if self.draws:
                self.say("drawn", number=head["number"])
        elif (told := json.loads(message))["kind"] == "hello":
            self.hello = told
        elif told["kind"] == "word":
            self.words.append(told)
        else:
            self.state = told

    def hear_until(self, holds: Any) -> None:
        """Take messages until something holds."""
        end_s = time.monotonic() + HOLDS_WITHIN_S
        while time.monotonic() < end_s:
            if holds():
                return
            self.hear()
        raise AssertionError(f"It never held; the last state was {self.state}.")

    def until(self, **wanted: object) -> None:
        """Take messages until the state is as wanted."""
        self.hear_until(lambda: all(self.state.get(name) == value for name, value in wanted.items()))

    def go_to(self, phase: str) -> None:
        """Do all that leads to ``zone``, ``ready`` or ``running``, with nothing that speaks against it."""
        self.say("confirm_sound")
        self.until(sound_confirmed=True, missing="")
        self.say("next")
        self.say("identify", operator="OP-1", subject="A-017")
        self.say("next")
        for question in self.hello["questions"]:
            self.say("answer", question=question["name"], answer="no", reason="")
        self.say("next")
        self.until(phase="zone", missing="")
        if phase != "zone":
            self.go_on(phase)

    def go_on(self, phase: str) -> None:
        """From the zone as it is to ``ready`` or ``running``."""
        self.say("next")
        self.until(phase="touch")
        self.say("skip_touch", reason="a test")
        self.until(missing="")
        self.say("next")
        self.until(phase="ready")
        if phase == "running":
            self.say("start")
            self.until(phase="running")


def knock(
    running: Serves, name: str, *, origin: str | None = "", cookie: str | None = None
) -> ClientConnection:
    """A connection as a page makes it, or from elsewhere.

    Args:
        running: The console.
        name: Of the page.
        origin: What it says it comes from; empty = the console's own page.
        cookie: What it brings; None = what the console gave.
    """
    host, trusts, known = running.host, None, ""
    own = f"http://{host}"
    if isinstance(running, Running):
        own, trusts, known = running.origin, running.trusts, running.cookie
    cookie = known if cookie is None else cookie
    return connect(
        f"{'ws' if trusts is None else 'wss'}://{host}/live?page={name}",
        origin=Origin(own if origin == "" else origin) if origin is not None else None,
        additional_headers={"cookie": cookie} if cookie else None,
        ssl=trusts,
        max_size=None,
    )


@contextmanager
def running(
    out: Path,
    *,
    speed: float = 3.0,
    record: Callable[[Staged], LiveRecording] | None = None,
    prepare: Prepare | None = None,
    beep: Callable[[], None] = lambda: None,
    folder: Path = CALF,
    source: Callable[[Recording, Pace], Source] = Replay,
    access: Access = OPEN,
) -> Iterator[Running]:
    """Serve a session whose zone was tapped; the short one where none is named."""
    recording = open_recording(folder)
    setup, listed = set_up(recording), load_questions()
    treatment = recording.treatment
    asked = questions_for(listed, zone=treatment.zone, device=treatment.device)
    staged = rehearsed(recording, setup, listed=listed, asked=asked, speed=speed, source=source)
    with serving(staged, out=out, record=record, prepare=prepare, beep=beep, access=access) as found:
        yield found


@contextmanager
def serving(
    what: Staged | CameraRoom,
    *,
    out: Path,
    record: Callable[[Staged], LiveRecording] | None = None,
    prepare: Prepare | None = None,
    beep: Callable[[], None] = lambda: None,
    access: Access = OPEN,
    history: Path | None = None,
) -> Iterator[Running]:
    """Serve a treatment on a free port."""
    notes: list[str] = []
    served = Served(
        what, out=out, note=notes.append, record=record, prepare=prepare, beep=beep, history=history
    )
    with listen(0) as listening:
        port = int(listening.getsockname()[1])
        server = uvicorn.Server(server_config(served, port=port, access=access))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield Running(served, port, notes, out, access)
        finally:
            server.should_exit = True
            thread.join(WITHIN_S)
            assert not thread.is_alive()
