"""The tables ``[time.thermal]`` and ``[time.depth]`` of ``rig.toml``."""

from __future__ import annotations

from models.stream_clock import StreamClock
from models.toml_table import Table


def read_clock(table: Table, *, with_offset: bool) -> StreamClock:
    """Read ``[time.thermal]`` or ``[time.depth]``; mistakes are noted in it.

    Args:
        table: The table.
        with_offset: Whether it holds the offset itself, as that of the depth camera does.
    """
    clock = StreamClock(
        offset_s=table.number("offset_s", low=-86400.0, high=86400.0) if with_offset else 0.0,
        u95_s=table.number("u95_s", above=0.0, high=10.0),
        drift=table.optional_number("drift", low=-0.01, high=0.01) or 0.0,
        drift_u95=table.number("drift_u95", low=0.0, high=0.01),
        reference_s=table.optional_number("reference_s") or 0.0,
    )
    table.done()
    return clock


def clock_lines(name: str, clock: StreamClock, *, with_offset: bool) -> list[str]:
    """The table as `read_clock` reads it back."""
    lines = ["", f"[time.{name}]"]
    if with_offset:
        lines.append(f"offset_s = {clock.offset_s!r}")
    keys = ("u95_s", "drift", "drift_u95", "reference_s")
    return lines + [f"{key} = {float(getattr(clock, key))!r}" for key in keys]
