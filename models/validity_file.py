"""The table ``[validity]`` of ``rig.toml``: when a step was done, its mark, the marks it rested on."""

from __future__ import annotations

from datetime import UTC

from models.toml_table import Table
from models.validity import RESTS_ON, Found, Validity

NAME = "validity"
_KEYS = {"measured", "mark"}
_LENS = 9
"""Numbers of a lens, as `models.rig.INTRINSICS`."""


def read_validity(top: Table) -> Validity:
    """Read ``[validity]`` out of a rig; mistakes are noted in it.

    A table of that name that holds no step of ours is another program's and is left to the caller.
    """
    if not set(top.peek(NAME)) & set(RESTS_ON):
        return Validity()
    table = top.table(NAME)
    found: list[Found] = []
    for step in RESTS_ON:
        if not set(table.peek(step)) >= _KEYS:
            continue  # left to the caller as a key that is not known
        own = table.table(step)
        rested: list[tuple[str, str]] = []
        if own.has("rests_on"):
            grounds = own.table("rests_on")
            rested = [(ground, grounds.text(ground)) for ground in RESTS_ON[step] if grounds.has(ground)]
            grounds.done()
        lens = _lens(own) if own.has("lens") else ()
        found.append(Found(step, own.moment("measured"), own.text("mark"), tuple(rested), lens))
        own.done()
    table.done()
    return Validity(tuple(found))


def _lens(own: Table) -> tuple[float, ...]:
    lens = own.numbers("lens", count=_LENS, low=-1e6, high=1e6)
    if lens and min(lens[:2]) <= 0.0:
        own.wrong("lens", "begins with two focal lengths, which are above 0")
        return ()
    return lens


def validity_lines(validity: Validity) -> list[str]:
    """The table as `read_validity` reads it back; nothing where no step is told of."""
    lines: list[str] = []
    for one in validity.found:
        moment = one.measured.astimezone(UTC) if one.measured.tzinfo else one.measured.replace(tzinfo=UTC)
        lines += ["", f"[{NAME}.{one.step}]", f"measured = {moment.isoformat().replace('+00:00', 'Z')}"]
        lines.append(f'mark = "{one.mark}"')
        if one.lens:
            lines.append(f"lens = {[float(v) for v in one.lens]}")
        if one.rested_on:
            lines += ["", f"[{NAME}.{one.step}.rests_on]"]
            lines += [f'{ground} = "{mark}"' for ground, mark in one.rested_on]
    return lines
