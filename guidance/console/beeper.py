"""The machine's own beep: where no page shows the treatment, somebody must be called all the same."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from guidance.alarms.tone_files import wav
from guidance.alarms.tones import burst
from guidance.session import Sound

ALONE_S = 0.5
"""As long as a page waits for the server before it sounds by itself."""
AGAIN_S = 3.0
"""Between two bursts."""
WATCH_S = 0.1
"""Between two looks at whether a page shows the treatment."""
HUNG_S = 2.0
"""A page that has not drawn what it was sent for so long does not show it either."""

PLAYERS = ("pw-play", "paplay", "aplay", "afplay")
"""Programs that play a file: PipeWire's, PulseAudio's, ALSA's, the Mac's."""


@dataclass(eq=False)
class Alone:
    """Judges when the machine must sound: during a treatment that no page shows."""

    since_s: float | None = None
    last_s: float = float("-inf")

    def due(self, *, shown: bool, now_s: float) -> bool:
        """Whether to sound now.

        Args:
            shown: A page shows the treatment, or there is none to be shown.
            now_s: Real time.
        """
        if shown:
            self.since_s = None
            return False
        self.since_s = now_s if self.since_s is None else self.since_s
        if now_s - self.since_s < ALONE_S or now_s - self.last_s < AGAIN_S:
            return False
        self.last_s = now_s
        return True


async def watch(shown: Callable[[], bool], beep: Callable[[], None]) -> None:
    """Sound by this machine as long as gas may flow and no page shows it, until cancelled.

    Args:
        shown: Whether a page shows the treatment, or there is none to be shown.
        beep: Sounds once.
    """
    alone = Alone()
    while True:
        if alone.due(shown=shown(), now_s=time.monotonic()):
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                await asyncio.to_thread(beep)
        await asyncio.sleep(WATCH_S)


def machine_beep(players: tuple[str, ...] = PLAYERS) -> Callable[[], None]:
    """What sounds the most urgent technical tone here: by a player of files, else the terminal's bell."""
    program = next((found for name in players if (found := shutil.which(name))), None)
    if program is None:
        return lambda: print("\a", end="", file=sys.stderr, flush=True)
    path = Path(tempfile.mkdtemp(prefix="cryoguide-")) / "alarm.wav"
    path.write_bytes(wav(burst(Sound("high", "technical"))))
    return lambda: _play(program, path)


def _play(program: str, path: Path) -> None:
    done = subprocess.run(
        [program, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=10.0
    )
    if done.returncode:
        print("\a", end="", file=sys.stderr, flush=True)
