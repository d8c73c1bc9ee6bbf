"""Whether the cameras that a sitting needs are there: told before a page is served, not on it.

A camera that vanishes later is a matter of the page; one that was never there is a slip of the pen, or one
that another program holds, and whoever typed it stands at the terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from models.problems import InputError
from vision.cameras import CameraState

OPEN_S = 8.0
"""So long a camera that opens and gives no picture yet is waited for: some take seconds (own choice, as
`guidance.record_command` waits)."""
GONE_S = 2.0
"""So long one is waited for that cannot be opened at all: it is tried again each 0.4 s, in case another
program lets go of it."""
LOOK_S = 0.05

_NO_PICTURE = ("starting", "silent")
_NOT_THERE = ("unplugged", "wrong_format", "wrong_clock")


def await_cameras(
    states: Callable[[], Sequence[CameraState]],
    needed: Sequence[str],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until each camera that is needed gives pictures.

    Args:
        states: How all cameras stand now.
        needed: Kinds of those that must be there.
        clock: Seconds; only tests give another.
        sleep: Likewise.

    Raises:
        InputError: If one of them cannot be opened, or gives nothing, within some seconds.
    """
    began_s = clock()
    while True:
        waited_s = clock() - began_s
        lacking = [state for state in states() if state.kind in needed and not _gives(state)]
        if not lacking:
            return
        gone = [state for state in lacking if state.state in _NOT_THERE]
        if gone and waited_s >= GONE_S:
            raise InputError(_words(gone[0]))
        if waited_s >= OPEN_S:
            raise InputError(_words(lacking[0]))
        sleep(LOOK_S)


def _gives(state: CameraState) -> bool:
    return state.state not in (*_NO_PICTURE, *_NOT_THERE)


def _words(state: CameraState) -> str:
    option = "--rgb" if state.kind == "colour" else f"--{state.kind}"
    return (
        f"The {state.kind} camera gives no pictures ({state.words.rstrip('.')}); `cryoguide devices` lists"
        f" what there is, and {option} names it."
    )
