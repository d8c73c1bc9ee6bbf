"""Small pieces of HTML: escaping, figures for people, tables, pictures as data."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Iterable, Sequence

import cv2

from models.geometry import Bytes

MINUS = "\N{MINUS SIGN}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
TO = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


def esc(text: object) -> str:
    """Text made harmless inside HTML and its attributes."""
    return html.escape(str(text), quote=True)


def typeset(text: str) -> str:
    """Plain words as they are typed (``+- 3 mm``, ``2 degC``) with their proper signs."""
    for typed, sign in (("degC", "°C"), ("+- ", f"±{NARROW}"), ("+-", "±"), ("cm2", "cm²"), ("m2K", "m²K")):
        text = text.replace(typed, sign)
    return text


def number(value: float | None, digits: int = 1) -> str:
    """A figure for people; ``not known`` where there is none."""
    if value is None or not math.isfinite(value):
        return "not known"
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """A share as whole per cent: what is there is never none of it, and what is not whole never all."""
    whole = 100.0 * share
    if 0.0 < whole < 0.5:
        return "<1"
    if 99.5 <= whole < 100.0:
        return ">99"
    return number(whole, 0)


def short(value: float) -> str:
    """A figure without needless digits."""
    return f"{value:g}".replace("-", MINUS)


def with_bound(value: float | None, bound: float | None, digits: int = 1) -> str:
    """``12.3 ± 0.9``, or the figure with the words that its bound is not known."""
    if value is None or not math.isfinite(value):
        return "not known"
    if bound is None or not math.isfinite(bound):
        return f"{number(value, digits)} (bound not known)"
    return f"{number(value, digits)}{NARROW}±{NARROW}{number(bound, digits)}"


def clock(t_s: float) -> str:
    """``1:05.2`` for 65.2 s."""
    if not math.isfinite(t_s):
        return "not known"
    sign, tenths = (MINUS if t_s < -0.05 else ""), round(abs(t_s) * 10)
    minutes, rest = divmod(tenths, 600)
    return f"{sign}{minutes}:{rest // 10:02d}.{rest % 10}"


def element(name: str, inside: str, *, kind: str = "", **attributes: str) -> str:
    """One element; ``inside`` is markup already, attributes are escaped here."""
    if kind:
        attributes = {"class": kind, **attributes}
    written = "".join(f' {key.replace("_", "-")}="{esc(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{inside}</{name}>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, kinds: str, narrow: bool = False) -> str:
    """A table.

    Args:
        columns: Heads, plain text.
        rows: Cells, markup already.
        kinds: One letter a column: ``n`` figures, ``k`` keys (not broken), ``t`` text.
        narrow: Only as wide as it needs to be.
    """
    classes = {"n": "n", "k": "key", "t": ""}
    head = "".join(
        element("th", esc(name), kind="n" if kind == "n" else "")
        for name, kind in zip(columns, kinds, strict=True)
    )
    body = "".join(
        element(
            "tr",
            "".join(element("td", cell, kind=classes[kind]) for cell, kind in zip(row, kinds, strict=True)),
        )
        for row in rows
    )
    inner = element("table", f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>", kind="narrow" * narrow)
    return element("div", inner, kind="tablebox")


def about(rows: Iterable[tuple[str, str]], *, code: bool = False) -> str:
    """Names and values side by side, plain text."""
    items = (
        element("div", element("dt", esc(k)) + element("dd", element("code", esc(v)) if code else esc(v)))
        for k, v in rows
    )
    return element("dl", "".join(items), kind="about")


def bullets(lines: Iterable[str]) -> str:
    """A list of sentences, plain text."""
    return element("ul", "".join(element("li", esc(line)) for line in lines), kind="plain")


def section(title: str, body: str, *, name: str, lead: str = "", long: bool = False) -> str:
    """One card of the page; title and lead are plain text."""
    intro = element("p", esc(lead), kind="lead") if lead else ""
    return element("section", element("h2", esc(title)) + intro + body, kind="long" * long, id=name)


def png(picture: Bytes) -> str:
    """A picture (BGR or BGRA) as a data address."""
    done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done
    return "data:image/png;base64," + base64.b64encode(data.tobytes()).decode()


def jpeg(picture: Bytes, *, quality: int) -> str:
    """A picture (BGR) as a data address."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
