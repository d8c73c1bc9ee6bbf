"""``cryoguide live``: a session as it happens, on a page in the browser."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from guidance.analyse import Run, needs_eyes, set_up
from guidance.console import Console
from guidance.console_desk import Desk
from guidance.console_guard import Guard
from guidance.console_preflight import hello, recorded_checks
from guidance.console_report import live_outcome, write_live_report
from guidance.console_wire import MESSAGE_MOST
from guidance.live import Listener, LiveRun, Replay, Source, Stepped
from guidance.pace import Pace
from guidance.state import Setup
from models.catalogue import load_questions
from models.contraindications import Question, Questions, questions_for
from models.problems import InputError
from vision.landmarks import BodyEyes
from vision.recording import Recording, open_recording

WARM_UP_S = 1.5
"""So much of the recording's gas is stepped beforehand: every compiled function is loaded then, and no step
of the treatment waits for a compiler."""
FIRST_LOOK_S = 10.0
"""A recording waits for Start at its first gas, and no later than this."""
BEFORE_S = 1e-3
"""A capture at the very time at which gas begins has gas in it already."""


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A recording set up to be played as if live."""

    recording: Recording
    setup: Setup
    listed: Questions
    asked: tuple[Question, ...]
    out: Path
    speed: float = 1.0
    """Faster than life for tests only."""

    @property
    def first_gas_s(self) -> float | None:
        """When gas first flows; None = it is not known to flow only later."""
        valve_s = self.recording.treatment.valve_s
        return None if valve_s is None else min((start for start, _ in valve_s), default=FIRST_LOOK_S)


class Served:
    """A rehearsal with its console: what a server serves."""

    def __init__(
        self,
        rehearsal: Rehearsal,
        *,
        note: Callable[[str], None],
        listener: Listener | None = None,
        source: Callable[[Recording, Pace], Source] = Replay,
    ) -> None:
        """Nothing runs yet.

        Args:
            rehearsal: What is played.
            note: Told of refused attempts.
            listener: Told of each step: the recorder.
            source: Makes captures of the recording; in real time where none is given.
        """
        self.rehearsal = rehearsal
        recording, setup, first_s = rehearsal.recording, rehearsal.setup, rehearsal.first_gas_s
        begins_s = float(recording.rgb_times_s[0]) if recording.frames else 0.0
        gas_first = first_s is None or first_s <= begins_s
        self.pace = Pace(
            hold_at_s=begins_s if gas_first or first_s is None else min(first_s, FIRST_LOOK_S) - BEFORE_S,
            speed=rehearsal.speed,
        )
        checks = recorded_checks(recording, setup, out=rehearsal.out)
        self.desk = Desk(
            setup=setup, asked=rehearsal.asked, checks=checks, gas_first=gas_first, pace=self.pace
        )
        self.desk.finish = self._finish
        told = hello(
            setup,
            asked=rehearsal.asked,
            listed=rehearsal.listed,
            checks=checks,
            source=f"Replay of {recording.name}",
        )
        self.console = Console(self.desk, hello=told, note=note)
        self.run = Run(setup, recording)
        self._listener, self._source = listener, source
        self._began_s = time.monotonic()
        self._writing: asyncio.Task[None] | None = None

    def application(self, *, port: int) -> Guard:
        """To be served on a port of this machine."""
        hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        return self.console.application(hosts=hosts, lifespan=self._life)

    @contextlib.asynccontextmanager
    async def _life(self) -> AsyncGenerator[None]:
        loop = asyncio.get_running_loop()

        def soon(call: Callable[..., None]) -> Callable[..., None]:
            def there(*what: object) -> None:
                with contextlib.suppress(RuntimeError):  # the server has gone
                    loop.call_soon_threadsafe(call, *what)

            return there

        live = LiveRun(
            self.run,
            self._source(self.rehearsal.recording, self.pace),
            told=soon(self._stepped),
            ended=soon(self._ended),
            listener=self._listener,
        )
        self.desk.live = live
        live.start()
        try:
            yield
        finally:
            await asyncio.to_thread(live.close)
            if self._writing is not None:
                await self._writing

    def _stepped(self, stepped: Stepped) -> None:
        self.console.stepped(stepped)

    def _ended(self, fault: str | None) -> None:
        self.desk.ended(fault)
        self.console.wake()

    def _finish(self) -> None:
        self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        rehearsal, live = self.rehearsal, self.desk.live
        assert live is not None
        trouble: str | None = None
        try:
            if not await asyncio.to_thread(live.close):
                raise InputError(
                    "The last step does not end, so there is no report; run `cryoguide analyze`."
                )
            outcome = live_outcome(
                self.run,
                self.desk.course,
                asked=rehearsal.asked,
                listed=rehearsal.listed,
                runtime_s=time.monotonic() - self._began_s,
                now=datetime.now(UTC),
            )
            await asyncio.to_thread(write_live_report, outcome, rehearsal.out)
        except InputError as problem:
            trouble = str(problem)
        except Exception as problem:
            trouble = f"The report could not be written ({type(problem).__name__}: {problem})."
        self.desk.wrote(None if trouble else rehearsal.out, trouble=trouble)
        self.console.wake()


def live(
    folder: Path,
    *,
    out: Path,
    port: int,
    models_dir: Path | None = None,
    protocols: Path | None = None,
    questions: Path | None = None,
    on_ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Play a recorded session as if live and serve its console until the process is ended.

    Args:
        folder: The session.
        out: Folder for the report.
        port: On 127.0.0.1; 0 = any free one.
        models_dir: The user's own landmark models.
        protocols: The user's own protocols.
        questions: The user's own questions before the gas.
        on_ready: Told the address once pages can connect.

    Raises:
        InputError: If the session cannot be read or the port is taken.
    """
    recording = open_recording(folder)
    listed = load_questions(questions)
    with ExitStack() as stack:
        listening = stack.enter_context(listen(port))
        setup = set_up(recording, protocols=protocols)
        if needs_eyes(recording):
            with BodyEyes(models_dir=models_dir) as first:
                warm_up(recording, replace(setup, eyes=first))
            eyes = stack.enter_context(BodyEyes(models_dir=models_dir))
            setup = replace(setup, eyes=eyes, hashes=setup.hashes | {"models": eyes.bundle_sha256})
        else:
            warm_up(recording, setup)
        treatment = recording.treatment
        asked = questions_for(listed, zone=treatment.zone, device=treatment.device)
        served = Served(
            Rehearsal(recording, setup, listed, asked, out), note=lambda words: print(words, file=sys.stderr)
        )
        serve(served, listening, on_ready=on_ready)


def serve(served: Served, listening: socket.socket, *, on_ready: Callable[[str], None]) -> None:
    """Serve until the process is told to end."""
    port = int(listening.getsockname()[1])
    server = _Server(server_config(served, port=port))
    server.on_ready = lambda: on_ready(f"http://127.0.0.1:{port}/")
    server.run(sockets=[listening])


def server_config(served: Served, *, port: int) -> uvicorn.Config:
    """How uvicorn serves it: no log of its own, no compression of pictures, small messages only."""
    return uvicorn.Config(
        served.application(port=port),
        ws="websockets-sansio",
        ws_max_size=MESSAGE_MOST,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=64,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )


class _Server(uvicorn.Server):
    on_ready: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self.on_ready()


def warm_up(recording: Recording, setup: Setup) -> None:
    """Step the recording's beginning for nothing, until gas has flowed for a while."""
    run, gas_s = Run(setup, recording), 0.0
    for capture in recording.captures():
        run.take(capture)
        gas_s += capture.gas_s
        if gas_s > WARM_UP_S or capture.t_s > FIRST_LOOK_S:
            return


def listen(port: int) -> socket.socket:
    """Listen on a port of this machine alone.

    Raises:
        InputError: If it is taken.
    """
    try:
        listening = socket.create_server(("127.0.0.1", port))
        # Each connection takes this over (asyncio sees to it only where a socket names its protocol): without
        # it every picture waits some 40 ms for a word of the page that the page holds back.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as trouble:
        raise InputError(
            f"Port {port} of this machine cannot be used ({trouble.strerror}); choose another with --port."
        ) from trouble
