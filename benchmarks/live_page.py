"""A page in a process of its own: draws what it is sent and notes what it is told, and when.

Run by `benchmarks.live_stand`; one JSON object a line goes to the file that it is given, each with what is
new in it. Times are of the
machine's monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from pathlib import Path
from typing import IO, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from guidance.treatment.wire import unpack

WAITS_S = 0.02
"""Between two looks at whether a picture that takes long is drawn."""


def look(host: str, name: str, out: IO[str], *, draws_s: float) -> None:
    """Look on until the server ends.

    Args:
        host: Of the console.
        name: Of the page, 32 hexadecimal digits.
        out: Told a line a message.
        draws_s: How long a picture takes to draw.
    """
    due: deque[tuple[float, int]] = deque()
    stands: dict[str, Any] = {}
    line = connect(f"ws://{host}/live?page={name}", origin=Origin(f"http://{host}"), max_size=None)
    with line:
        while True:
            try:
                message = line.recv(WAITS_S if due else None)
            except TimeoutError:
                message = None
            except ConnectionClosed:
                return
            at_s = time.monotonic()
            if isinstance(message, bytes):
                head, _ = unpack(message)
                note = {"at_s": at_s, "kind": "picture", "t_s": head["t_s"], "bytes": len(message)}
                out.write(json.dumps(note) + "\n")
                due.append((at_s + draws_s, int(str(head["number"]))))
            elif message is not None:
                note = told(json.loads(message))
                # All words, by their time alone where nothing is new; of the rest only what is.
                new = {name: value for name, value in note.items() if name not in ("kind", "t_s")}
                if note["kind"] == "word" or new != {name: stands.get(name) for name in new}:
                    if new == {name: stands.get(name) for name in new}:
                        note = {"kind": "word", "t_s": note["t_s"]}
                    stands |= new
                    out.write(json.dumps({"at_s": at_s} | note) + "\n")
            while due and due[0][0] <= time.monotonic():
                line.send(json.dumps({"do": "drawn", "number": due.popleft()[1]}))


def told(message: dict[str, Any]) -> dict[str, Any]:
    """What counts of a message."""
    out = {"kind": message["kind"]}
    for name in ("t_s", "phase", "sound", "trouble", "unrecorded"):
        if name in message:
            out[name] = message[name]
    if "alarms" in message:
        out["alarms"] = [f"{alarm['cause']} {alarm['priority']}" for alarm in message["alarms"]]
    return out


if __name__ == "__main__":
    host, name, file, draws_s = sys.argv[1:]
    with Path(file).open("w", buffering=1) as out:
        look(host, name, out, draws_s=float(draws_s))
