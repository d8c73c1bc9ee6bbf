"""A treatment with its console, as it is served: what runs, what is recorded, what is written at the end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from guidance.analyse import Run
from guidance.console import Console
from guidance.console_desk import Desk
from guidance.console_guard import Guard
from guidance.console_preflight import hello
from guidance.console_report import live_outcome, write_live_report
from guidance.console_wire import MESSAGE_MOST
from guidance.live import LiveRun, Stepped
from guidance.live_recording import Kept, LiveRecording
from guidance.outcome import Outcome
from guidance.staged import Staged
from models.problems import InputError

Prepare = Callable[[Callable[[int, int], None]], None]
"""What is done before the first capture; tells steps done and steps in all."""


class Served:
    """One treatment with its console: what a server serves."""

    def __init__(
        self,
        staged: Staged,
        *,
        out: Path,
        note: Callable[[str], None],
        record: Callable[[Staged], LiveRecording] | None = None,
        prepare: Prepare | None = None,
    ) -> None:
        """Nothing runs yet.

        Args:
            staged: What is guided.
            out: Folder for the report.
            note: Told of refused attempts.
            record: Begins a recording; None = nothing is recorded.
            prepare: Done once the page can be seen, before the first capture.
        """
        self.staged, self.out = staged, out
        self.desk = Desk(
            setup=staged.setup,
            asked=staged.asked,
            checks=staged.checks,
            gas_first=staged.gas_first,
            pace=staged.pace,
            gas=staged.gas,
            course=staged.course,
        )
        self.desk.finish, self.desk.started = self._finish, self._started
        told = hello(
            staged.setup,
            asked=staged.asked,
            listed=staged.listed,
            checks=staged.checks,
            source=staged.label,
            by_hand=staged.gas is not None,
        )
        self.console = Console(self.desk, hello=told, note=note)
        self.run = Run(staged.setup, staged.session)
        self._record, self._prepare = record, prepare
        self.recording: LiveRecording | None = None
        self._kept: Kept | None = None
        self._began_s = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []

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

        self._tasks.append(asyncio.create_task(self._begin(soon)))
        try:
            yield
        finally:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self.desk.live is not None:
                await asyncio.to_thread(self.desk.live.close)
            await asyncio.to_thread(self._close_recording)

    async def _begin(self, soon: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
        """Prepare, then guide; where that fails the page says so."""
        try:
            if self._prepare is not None:
                self._prepared(0, 0)
                await asyncio.to_thread(self._prepare, soon(self._prepared))
                self.desk.preparing = None
            if self._record is not None:
                self.recording = await asyncio.to_thread(self._record, self.staged)
                self.desk.recording = self.recording
        except InputError as problem:
            self._ended(str(problem))
            return
        except Exception as problem:
            self._ended(f"Guidance could not be made ready ({type(problem).__name__}: {problem}).")
            return
        live = LiveRun(
            self.run,
            self.staged.pictures(),
            told=soon(self._stepped),
            ended=soon(self._ended),
            listener=self.recording.listener(self.run) if self.recording is not None else None,
        )
        self.desk.live = live
        live.start()
        self.console.wake()

    def _prepared(self, done: int, of: int) -> None:
        self.desk.preparing = (done, of)
        self.console.wake()

    def _stepped(self, stepped: Stepped) -> None:
        self.console.stepped(stepped)

    def _ended(self, fault: str | None) -> None:
        self.desk.ended(fault)
        self.console.wake()

    def _started(self) -> None:
        if self.recording is not None:
            self.recording.answered(self.staged, self.desk.course, t_s=self.desk.t_s or 0.0)

    def _finish(self) -> None:
        self._tasks.append(asyncio.create_task(self._write()))

    async def _write(self) -> None:
        trouble: str | None = None
        try:
            outcome = await asyncio.to_thread(self._outcome)
            await asyncio.to_thread(write_live_report, outcome, self.out)
        except InputError as problem:
            trouble = str(problem)
        except Exception as problem:
            trouble = f"The report could not be written ({type(problem).__name__}: {problem})."
        self.desk.wrote(None if trouble else self.out, trouble=trouble)
        self.console.wake()

    def _outcome(self) -> Outcome:
        live = self.desk.live
        if live is None or not live.close():
            raise InputError("The last step does not end, so there is no report; run `cryoguide analyze`.")
        kept = self._close_recording()
        return live_outcome(
            self.run,
            self.desk.course,
            asked=self.staged.asked,
            listed=self.staged.listed,
            runtime_s=time.monotonic() - self._began_s,
            now=datetime.now(UTC),
            recorded=_recorded(kept),
            remarks=_remarks(kept, unrecorded=live.unrecorded),
        )

    def _close_recording(self) -> Kept | None:
        """Finish the recording, once."""
        if self.recording is not None and self._kept is None:
            live = self.desk.live
            untaken = live.untaken() if live is not None else ()
            self._kept = self.recording.close(untaken, t_s=max(self.run.state.t_s, 0.0))
        return self._kept


def _recorded(kept: Kept | None) -> dict[str, object] | None:
    if kept is None:
        return None
    status = kept.status
    return {
        "file": kept.file,
        "log": kept.log,
        "log_seal_sha256": kept.seal,
        "captures": status.captures,
        "captures_lost": status.captures_lost,
        "pictures_left_out": status.pictures_left_out,
        "trouble": status.trouble or None,
    }


def _remarks(kept: Kept | None, *, unrecorded: str | None) -> tuple[str, ...]:
    if kept is None:
        return ("This session was not recorded: it can be neither replayed nor analysed again.",)
    told = f"Recorded in {kept.file}; actions and alarms in {kept.log}, whose seal is {kept.seal}."
    status = kept.status
    lacks = unrecorded or status.trouble
    if status.captures_lost:
        lacks = f"{lacks} {status.captures_lost} of {status.captures} captures are missing.".strip()
    return (told, *((f"The recording is not whole: {lacks}",) if lacks else ()))


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
