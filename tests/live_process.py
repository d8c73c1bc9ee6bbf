"""``cryoguide live`` as a process of its own, which a test can kill."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
READY_WITHIN_S = 60.0


@dataclass(eq=False)
class LiveProcess:
    """A server that runs in its own process."""

    process: subprocess.Popen[bytes]
    host: str
    words: Path
    """What it says on the way."""

    def kill(self) -> None:
        """As a crash: nothing is tidied up."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(10.0)

    def interrupt(self, *, within_s: float = 30.0) -> int:
        """As Ctrl-C; gives the exit code."""
        os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(within_s)


@contextmanager
def live_process(*options: str) -> Iterator[LiveProcess]:
    """Start the command on a free port and wait until pages can connect; it is killed at the end.

    Args:
        options: Of ``cryoguide live``; or ``-c`` and a program of one's own that serves it.
    """
    live = () if options[0] == "-c" else ("-m", "guidance.cli", "live", "--port", "0", "--no-blur")
    command = [sys.executable, *live, *options]
    number, words = tempfile.mkstemp(prefix="live-process-")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=number)
    assert process.stdout is not None
    try:
        end_s, told = time.monotonic() + READY_WITHIN_S, b""
        while (found := re.search(rb"http://(\S+?)/\n", told)) is None:
            assert time.monotonic() < end_s, told
            assert process.poll() is None, told
            if select.select([process.stdout], [], [], 0.2)[0]:
                told += os.read(process.stdout.fileno(), 4096)
        yield LiveProcess(process, found[1].decode(), Path(words))
    finally:
        process.kill()
        process.wait(10.0)
        process.stdout.close()
        os.close(number)
        os.unlink(words)
