"""The certificate beside ``rig.toml``: one self-contained page, a part for each step that was calibrated.

A step renews its own part and keeps the others. Each part carries a fingerprint of the table of the rig that
it speaks of; where the rig was changed since, the page says so and no longer vouches for it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from importlib import metadata
from pathlib import Path

import numpy as np

from calibration.marks import fingerprint
from calibration.rig_text import Toml, rig_text
from calibration.skin_error import DISTANCES_MM
from calibration.vouching import HOLDS, Standing, last_check, not_vouched_for, standings
from models.geometry import Floats
from models.validity import HOLDS_DAYS, RESTS_ON
from vision.put_files import put_file

PRINTED_MOST = 12
"""Columns of a covariance that fit a sheet of paper."""

_PARTS = re.compile(r"<!-- part (\w+) of ([\w.]+) ([0-9a-f]{64}) -->\n(.*?)<!-- end of part -->\n", re.DOTALL)
_LAPSED = re.compile(r"^<p class=bad>(?:It no longer holds: |The rig's \[)[^\n]*</p>\n")
"""What was said above a part when the page was written before."""


@dataclass(frozen=True, eq=False)
class Certified:
    """What one step has to show."""

    step: str
    """``rgb``, ``thermal``, ``tip``, ..."""
    table: str
    """Of the rig, that it speaks of."""
    title: str
    parameters: tuple[tuple[str, float, float], ...]
    """Name with unit, value, 95 % bound (NaN = not estimated)."""
    covariance_of: tuple[str, ...]
    covariance: Floats
    """1 sigma squared, in the order of `covariance_of`."""
    on_skin: tuple[tuple[str, tuple[float, ...]], ...]
    """What, and its 95 % error in mm at `calibration.skin_error.DISTANCES_MM`."""
    facts: tuple[str, ...]
    """Sentences: coverage, residual, what was assumed."""
    plots: tuple[tuple[str, str], ...]
    """Caption and SVG."""
    used: tuple[str, ...]
    refused: tuple[str, ...]
    """A sentence for each picture, pair or pose that has no say."""
    on_skin_unit: str = "mm"
    """Of `on_skin`."""


def certificate_path(rig: Path) -> Path:
    """Where the page of a rig stands."""
    return rig.with_name(f"{rig.stem}-certificate.html")


def put_certificate(rig: Path, part: Certified, tables: Toml, *, now: datetime) -> Path:
    """Write the page, this part renewed, the others kept.

    Raises:
        InputError: If it cannot be written.
    """
    path = certificate_path(rig)
    put_file(path, certificate_text(rig, part, tables, now=now))
    refused_path(rig, part.step).unlink(missing_ok=True)
    return path


def certificate_text(rig: Path, part: Certified, tables: Toml, *, now: datetime) -> str:
    """The page, this part renewed, the others kept."""
    path = certificate_path(rig)
    kept: dict[str, tuple[str, str, str]] = {}
    try:
        for step, table, mark, body in _PARTS.findall(path.read_text(encoding="utf-8")):
            kept[step] = (table, mark, body)
    except (OSError, UnicodeDecodeError):
        pass  # none yet, or not ours: a page is written anew
    kept[part.step] = (part.table, fingerprint(tables, part.table), part_html(part, now=now))
    return _page(kept, tables, rig=rig, now=now)


def refused_path(rig: Path, step: str) -> Path:
    """Where the page of a refused step stands: beside the rig, whose own page stays as it is."""
    return rig.with_name(f"{rig.stem}-REFUSED-{step}.html")


def put_refused(rig: Path, part: Certified, reason: str, *, now: datetime) -> Path:
    """Write the page of a step that was refused; neither the rig nor its certificate is touched.

    Raises:
        InputError: If it cannot be written.
    """
    path = refused_path(rig, part.step)
    text = (
        f"{_HEAD}<title>REFUSED: {escape(part.title)}</title>\n"
        f"<style>{_STYLE}</style>\n<h1 class=bad>REFUSED: {escape(part.title)}</h1>\n"
        f"<p>For {escape(rig.name)}, {_moment(now)}. Nothing of this was written into the rig.</p>\n"
        f"<p class=bad>{escape(reason)}</p>\n{part_html(part, now=now, refused=True)}</html>\n"
    )
    put_file(path, text)
    return path


def part_html(part: Certified, *, now: datetime, refused: bool = False) -> str:
    """One part, as it stands in the page."""
    until = now + timedelta(days=HOLDS_DAYS)
    cells = "".join(f"<th>{d / 1000.0:.1f} m</th>" for d in DISTANCES_MM)
    skin = "".join(
        f"<tr><td>{escape(what)}</td>{''.join(f'<td>{mm:.2f}</td>' for mm in errors)}</tr>"
        for what, errors in part.on_skin
    )
    values = "".join(
        f"<tr><td>{escape(name)}</td><td>{value:.{_digits(bound)}f}</td><td>{_bound(bound)}</td></tr>"
        for name, value, bound in part.parameters
    )
    plots = "".join(
        f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>" for caption, svg in part.plots
    )
    left_out = _list(part.refused) if part.refused else "<p>None.</p>"
    # A check says how the rig was at one moment, good or not; a step is here only where it was accepted.
    verdict = f"<b>Accepted</b> on {_day(now)}, valid until {_day(until)}"
    if part.step == "check":
        verdict = f"<b>Checked</b> at {_moment(now)}"
    if refused:
        verdict = f"<b class=bad>REFUSED</b> on {_day(now)}"
    head = "<tr><th>parameter</th><th>value</th><th>95 % bound</th></tr>"
    found = f"<table>{head}{values}</table>" if part.parameters else ""
    error = (
        f"<h3>95 % error on the skin, {escape(part.on_skin_unit)}</h3>"
        f"<table><tr><th>camera to skin</th>{cells}</tr>{skin}</table>"
        if part.on_skin
        else ""
    )
    return (
        f"<section><h2>{escape(part.title)}</h2><p>{verdict} by cryoguide {escape(_version())}.</p>"
        f"{error}<h3>What was found</h3>{found}{_list(part.facts)}<div class=plots>{plots}</div>"
        f"<h3>{'Not looked at' if part.step == 'check' else 'Left out'}</h3>{left_out}"
        f"<details><summary>Used ({len(part.used)})</summary>{_list(part.used)}</details>"
        f"{_covariance(part)}</section>\n"
    )


def _page(kept: dict[str, tuple[str, str, str]], tables: Toml, *, rig: Path, now: datetime) -> str:
    told = standings(
        tables, marks={step: mark for step, (_, mark, _) in kept.items()}, now=now, checked=last_check(rig)
    )
    why = {one.name: one.words for one in told if one.state != HOLDS}
    if "check" in kept and kept["check"][1] != fingerprint(tables, kept["check"][0]):
        why["check"] = "the rig was changed after it; check again"
    parts = ""
    for step, (table, mark, body) in kept.items():
        body = _LAPSED.sub("", body)
        if step in why:
            body = f"<p class=bad>It no longer holds: {escape(why[step])}.</p>\n{body}"
        parts += f"<!-- part {step} of {table} {mark} -->\n{body}<!-- end of part -->\n"
    mark = hashlib.sha256(rig_text(tables, now=now).encode()).hexdigest()[:16]
    holds = (
        "A small residual is not accuracy: go by the bounds. It ends at once when a camera is knocked or"
        " moved, focus or zoom is turned, or the collar is changed."
    )
    return (
        f"{_HEAD}<title>Calibration certificate</title>\n<style>{_STYLE}</style>\n"
        "<h1>Calibration certificate</h1>\n"
        f"<p>{escape(rig.name)}, written {_moment(now)}; fingerprint {mark}. {holds}</p>\n"
        f"{_overview(told)}\n{parts}</html>\n"
    )


def _overview(told: Sequence[Standing]) -> str:
    """Every part of the rig, whether it holds, and what is not vouched for."""
    missing = not_vouched_for(tuple(told))
    lacks = "".join(f"<li>{escape(f'{one.title}: {one.words}')}.</li>" for one in missing)
    rows = ""
    for one in told:
        good, dates = one.state == HOLDS, ("-", "-")
        if one.measured is not None:
            dates = _day(one.measured), _day(one.measured + timedelta(days=HOLDS_DAYS)) if good else "-"
        cells = (*dates, escape(", ".join(one.rests_on)) or "-")
        rows += (
            f"<tr><td>{escape(_named(one))}</td><td class={'good' if good else 'bad'}>{one.state}</td>"
            f"{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        )
    return (
        (f"<p class=bad>Not vouched for:</p><ul>{lacks}</ul>\n" if lacks else "")
        + "<table class=over><tr><th>part</th><th>state</th><th>found on</th><th>holds until</th>"
        + f"<th>rests on</th></tr>{rows}</table>"
    )


def _named(one: Standing) -> str:
    """With the step that finds it, by which others rest on it."""
    return f"{one.title} ({one.name})" if one.name in RESTS_ON else one.title


def _covariance(part: Certified) -> str:
    """Folded; nothing where a step has none."""
    if not part.covariance_of:
        return ""
    wide = " class=wide" if len(part.covariance_of) > PRINTED_MOST else ""
    return f"<details{wide}><summary>Covariance (1 sigma squared)</summary>{_matrix(part)}</details>"


def _matrix(part: Certified) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in part.covariance_of)
    rows = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{v:.3g}</td>' for v in row)}</tr>"
        for name, row in zip(part.covariance_of, part.covariance, strict=True)
    )
    return f"<table><tr><th></th>{head}</tr>{rows}</table>"


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def _bound(bound: float) -> str:
    return f"± {bound:.{_digits(bound)}f}" if np.isfinite(bound) else "not needed"


def _digits(bound: float) -> int:
    """Decimals, so that a bound has two digits or more: one of 0.00004 rad is not 0."""
    return int(np.clip(1 - np.floor(np.log10(bound)), 4, 9)) if np.isfinite(bound) and bound > 0.0 else 4


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _version() -> str:
    try:
        return metadata.version("cryoguide")
    except metadata.PackageNotFoundError:
        return "unknown"


_HEAD = (
    '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
)

_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;color:#1d2733;max-width:56rem;margin:2rem auto;padding:0 1rem}"
    "section{border-top:2px solid #1d2733;margin-top:2rem}table{border-collapse:collapse;margin:.4rem 0}"
    "th,td{padding:.2rem .7rem;border-bottom:1px solid #ccd3da;text-align:right;"
    "font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}"
    "details{margin:.4rem 0;overflow-x:auto}"
    ".over td{white-space:nowrap}.over td:last-child{white-space:normal}"
    ".plots{display:flex;flex-wrap:wrap;gap:1.5rem}figure{margin:.5rem 0}figcaption{font-size:.85rem}"
    "svg{max-width:100%;height:auto}"
    # On a telephone tables give way, and what still does not fit is pushed aside in its own box.
    "@media screen and (max-width:40rem){body{margin:1rem auto;overflow-wrap:anywhere}"
    "th,td{padding:.2rem .35rem}"
    ".over td{white-space:normal}table{display:block;max-width:100%;overflow-x:auto;overflow-wrap:normal}"
    "ul{padding-left:1.2rem}}"
    ".bad{color:#b3261e;font-weight:600}.good{color:#1b7f4d}"
    # On paper nothing can be opened: all is shown, but for matrices that no sheet is wide enough for.
    "@media print{body{max-width:none;margin:0}h2,h3{break-after:avoid}figure,tr{break-inside:avoid}"
    "details:not(.wide)::details-content{content-visibility:visible;display:block;block-size:auto}"
    "details table{font-size:8px}details th,details td{padding:.1rem .25rem}"
    "details.wide summary::after{content:' in the page itself and in rig.toml'}}"
)
