"""Where a calibration's pictures come from and how they come, and who says whether gas flows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.capture import Capture
from models.rig import Rig

ALL = ("colour", "thermal", "depth")

Pictures = Callable[[threading.Event], Iterator[Capture]]
"""All that the cameras give, until the event is set."""


@dataclass(frozen=True, eq=False)
class Supply:
    """Pictures of a sitting, and what is known of them before the first one."""

    pictures: Pictures
    cameras: tuple[str, ...] = ALL
    """Kinds that are there."""
    recorded: bool = False
    """Whether they are played: they wait until the sheets are measured, and for what is answered."""
    hurries: bool = False
    """Whether they are of cameras, which do not wait until one was looked at, nor for the disk: each is
    recorded as it comes, and the newest is looked at."""
    times_by: Rig | None = None
    """Rig with which their times were worked out; None = they are the cameras' own."""


@dataclass(frozen=True, eq=False)
class GasButton:
    """The page's button for gas."""

    by_hand: bool = True
    """Whether there is that button: no switch says whether gas flows."""
    flows: Callable[[bool], None] = lambda _: None
    """Told that it is held, or was let go."""
    lost: Callable[[], bool] = lambda: False
    """Asked whether whoever held it fell silent."""
