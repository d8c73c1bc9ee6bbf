"""A simulated technician at the page of a calibration: hears what it is told, taps what is to be tapped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from guidance.treatment.wire import unpack

MOST_TRIES = 3
"""So often a step is done anew after a refusal; then it is left out."""
GIVES_UP_S = 300.0
"""Of a guided step's camera time: then it is ended if the page lets it, or left out."""
DRAWN_S = 0.03
"""To draw what was told, so that no more is said than a page is allowed to."""
GOOD = ("accepted", "older one kept")


@dataclass(frozen=True)
class Came:
    """What came of one try at a step."""

    step: str
    state: str
    camera_s: float
    """Of this try."""
    lines: tuple[str, ...]


@dataclass(eq=False)
class Technician:
    """Connects, reacts to each message on a thread of its own, and is done after the check."""

    port: int
    entries: Callable[[str, int], dict[str, str]]
    """What is told of a recording, by step and number."""
    came: Callable[[Came], None]
    """Told of each try at a step."""
    head: dict[str, Any] = field(default_factory=dict[str, Any])
    camera_s: dict[str, float] = field(default_factory=dict[str, float])
    """So far, by step; counted by whoever shows the pictures."""
    over: threading.Event = field(default_factory=threading.Event)
    trouble: str = ""
    _number: int = -1
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _acted: object = None
    _tries: dict[str, int] = field(default_factory=dict[str, int])
    _told_s: dict[str, float] = field(default_factory=dict[str, float])
    _states: dict[str, str] = field(default_factory=dict[str, str])
    _checked: bool = False
    _gone_on: int = 0

    def start(self) -> None:
        """Open the page."""
        threading.Thread(target=self._work, name="technician", daemon=True).start()

    def caught_up(self, number: int, *, within_s: float = 120.0) -> None:
        """Wait until the page has drawn what is numbered so, or something later."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._number >= number or self.over.is_set(), within_s):
                self._end(f"The page was not told for {within_s:.0f} s.")

    def _work(self) -> None:
        host = f"127.0.0.1:{self.port}"
        try:
            with connect(f"ws://{host}/live", origin=Origin(f"http://{host}"), max_size=None) as line:
                while not self.over.is_set():
                    message = line.recv()
                    assert isinstance(message, bytes)
                    head, parts = unpack(message)
                    if parts and parts.get("jpeg", b"\xff\xd8")[:2] != b"\xff\xd8":
                        self._end("The page was sent something that is no picture.")
                    self._react(line, head)
                    time.sleep(DRAWN_S)
                    line.send(json.dumps({"do": "drawn", "number": head["number"]}))
                    with self._changed:
                        self.head, self._number = head, cast(int, head["number"])
                        self._changed.notify_all()
        except ConnectionClosed as closed:
            self._end(f"The page was closed on: {closed}.")

    def _end(self, why: str) -> None:
        self.trouble = self.trouble or why
        self.over.set()

    def _react(self, line: ClientConnection, head: dict[str, Any]) -> None:
        phase, step, recorded = head["phase"], head["step"], head["recorded"] or {}
        self._note_guided(head)
        words = (head["trouble"], head["print_trouble"], head["choose_trouble"])
        if any(words) and phase != "stuck":
            self._end(" ".join(one for one in words if one))
            return
        now = (phase, step, recorded.get("take"), self._tries.get(step or "", 0), recorded.get("trouble"))
        if phase == "running" and step is not None:
            self._tire(line, head, step)
        if now == self._acted:
            return
        self._acted = now
        if phase == "print":
            self._say(line, {"do": "measured", "mm": [100.0, 100.0], "insist": False})
        elif phase == "ready" and step is not None:
            self._record(line, step, recorded)
        elif phase in ("told", "refused"):
            self._judge(line, head["outcome"] or head["refused"])
        elif phase == "stuck":
            self._end(f"Stuck: {head['trouble']}")
        elif phase in ("choose", "over"):
            self._go_on(line, head)

    def _record(self, line: ClientConnection, step: str, recorded: dict[str, Any]) -> None:
        if recorded["trouble"]:
            self._tries[step] = self._tries.get(step, 0) + 1
            self.came(Came(step, "not recorded", self._spent(step), (recorded["trouble"],)))
            if self._tries[step] >= MOST_TRIES:
                self._say(line, {"do": "skip"})
                return
        if recorded["may_solve"]:
            self._say(line, {"do": "enough"})
        else:
            self._say(line, {"do": "begin", "entries": self.entries(step, recorded["take"])})

    def _judge(self, line: ClientConnection, outcome: dict[str, Any]) -> None:
        name = outcome["name"]
        self.came(Came(name, outcome["state"], self._spent(name), tuple(outcome["lines"])))
        self._states[name] = outcome["state"]
        if outcome["state"] in GOOD:
            self._say(line, {"do": "skip"})
            return
        self._tries[name] = self._tries.get(name, 0) + 1
        self._say(line, {"do": "again" if self._tries[name] < MOST_TRIES else "skip"})

    def _go_on(self, line: ClientConnection, head: dict[str, Any]) -> None:
        wanted = [
            one["name"]
            for one in head["steps"]
            if one["wanted"]
            and one["offered"]
            and one["name"] != "check"
            and not self._tries.get(one["name"])
        ]
        if wanted and self._gone_on < MOST_TRIES:
            self._gone_on += 1
            self._acted = None
            self._say(line, {"do": "do", "step": None})
        elif not self._checked:
            self._checked = True
            self._acted = None
            self._say(line, {"do": "do", "step": "check"})
        else:
            self.over.set()

    def _note_guided(self, head: dict[str, Any]) -> None:
        """Guided steps that were taken are not asked about: the next one begins."""
        for one in head["steps"]:
            name, state = one["name"], one["state"]
            if (
                name in ("rgb", "thermal", "collar", "tip")
                and state in GOOD
                and self._states.get(name) != state
            ):
                self._states[name] = state
                self.came(Came(name, state, self._spent(name), tuple(one["lines"])))

    def _tire(self, line: ClientConnection, head: dict[str, Any], step: str) -> None:
        if self.camera_s.get(step, 0.0) - self._told_s.get(step, 0.0) > GIVES_UP_S:
            why = (head["advice"] or {}).get("why", "")
            self.came(Came(step, "given up", self._spent(step), (f"It went on for too long: {why}",)))
            self._say(line, {"do": "enough" if head["may_end"] else "skip"})

    def _spent(self, step: str) -> float:
        """Camera time of this try."""
        now_s = self.camera_s.get(step, 0.0)
        spent_s = now_s - self._told_s.get(step, 0.0)
        self._told_s[step] = now_s
        return spent_s

    def _say(self, line: ClientConnection, message: dict[str, Any]) -> None:
        line.send(json.dumps(message))
