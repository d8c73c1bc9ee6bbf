"""The history as CSV and JSON, for a spreadsheet or another program."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path

from models.history import PastSession
from models.problems import InputError

SCHEMA = "cryoguide.history/1"


def export(sessions: Sequence[PastSession], path: Path) -> None:
    """Write sessions to a file whose name ends in ``.csv`` or ``.json``; it appears when it is complete.

    Raises:
        InputError: If the name ends otherwise or the file cannot be written.
    """
    forms = {".csv": as_csv, ".json": as_json}
    form = forms.get(path.suffix.lower())
    if form is None:
        raise InputError(f"{path} must end in .csv or .json: that says in which form to export.")
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_text(form(sessions), encoding="utf-8", newline="")
        os.replace(aside, path)
    except OSError as trouble:
        raise InputError(f"{path} cannot be written ({trouble.strerror}); name another file.") from trouble
    finally:
        aside.unlink(missing_ok=True)


def as_json(sessions: Sequence[PastSession]) -> str:
    """Every field by its name; what is not known is null."""
    entries = [{name: _plain(value) for name, value in asdict(past).items()} for past in sessions]
    whole = {"schema": SCHEMA, "sessions": entries}
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(sessions: Sequence[PastSession]) -> str:
    """One row a session; what is not known is empty, lists are parted by semicolons."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = [field.name for field in fields(PastSession)]
    writer.writerow(names)
    for past in sessions:
        row = {name: _plain(getattr(past, name)) for name in names}
        row["tile_time_s"] = ";".join(f"{seconds:g}" for seconds in past.tile_time_s)
        row["findings"] = ";".join(
            f"{found.question} {found.answer} {found.meant}" for found in past.findings
        )
        row["limits"] = ";".join(f"{limit.cause} {limit.priority} x{limit.times}" for limit in past.limits)
        writer.writerow(["" if value is None else value for value in row.values()])
    return text.getvalue()


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
