"""Who treats in a long session, in a process of its own: gas, pauses, alarms acknowledged, alarms silenced.

Run by `benchmarks.live_stand`. Follows the cycle of `benchmarks.live_gas` by the machine's monotonic clock,
which all processes share, and writes a line a tap to the file that it is given.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import IO, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

REACTS_S = 1.5
"""After an alarm comes until it is acknowledged (own choice)."""
QUIET_EACH = 3
"""In every third cycle the sound is paused instead of acknowledged."""
LOOKS_S = 0.05


class Operator:
    """Taps by the clock and by what is displayed."""

    def __init__(self, line: ClientConnection, out: IO[str], *, began_s: float, cycle_s: float, gas_s: float):
        """Nothing is tapped yet."""
        self._line, self._out = line, out
        self._began_s, self._cycle_s, self._gas_s = began_s, cycle_s, gas_s
        self._phase = ""
        self._open: bool | None = None
        self._unheard_s: float | None = None

    def hear(self, message: dict[str, Any], *, now_s: float) -> None:
        """What the console tells."""
        self._phase = message.get("phase", self._phase)
        if "alarms" in message:
            unheard = any(not alarm["acknowledged"] for alarm in message["alarms"])
            self._unheard_s = (self._unheard_s or now_s) if unheard else None

    def act(self, *, now_s: float) -> None:
        """Tap what is due."""
        cycles, phase_s = divmod(now_s - self._began_s, self._cycle_s)
        wanted = phase_s < self._gas_s
        if wanted != self._open and self._phase in ("running", "paused"):
            if wanted:
                if self._phase == "paused":
                    self._tap("resume", now_s=now_s)
                self._tap("gas_on", now_s=now_s)
            else:
                self._tap("pause", now_s=now_s)
                self._tap("gas_off", now_s=now_s)
            self._open = wanted
        if self._unheard_s is not None and now_s - self._unheard_s > REACTS_S:
            self._tap("quiet" if cycles % QUIET_EACH == QUIET_EACH - 1 else "acknowledge", now_s=now_s)
            self._unheard_s = now_s

    def _tap(self, do: str, *, now_s: float) -> None:
        self._line.send(json.dumps({"do": do}))
        self._out.write(json.dumps({"at_s": now_s, "do": do}) + "\n")


def operate(host: str, name: str, out: IO[str], *, began_s: float, cycle_s: float, gas_s: float) -> None:
    """Treat until the server ends or this process is told to."""
    line = connect(f"ws://{host}/live?page={name}", origin=Origin(f"http://{host}"), max_size=None)
    with line:
        who = Operator(line, out, began_s=began_s, cycle_s=cycle_s, gas_s=gas_s)
        while True:
            try:
                message = line.recv(LOOKS_S)
            except TimeoutError:
                message = None
            except ConnectionClosed:
                return
            if isinstance(message, str):
                who.hear(json.loads(message), now_s=time.monotonic())
            who.act(now_s=time.monotonic())


if __name__ == "__main__":
    host, name, file, *times = sys.argv[1:]
    began_s, cycle_s, gas_s = (float(one) for one in times)
    with Path(file).open("w", buffering=1) as out:
        operate(host, name, out, began_s=began_s, cycle_s=cycle_s, gas_s=gas_s)
