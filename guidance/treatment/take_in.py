"""``cryoguide history --take-in``: what was broken off enters the history, from its recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guidance.analyse import Progress, analyse
from guidance.history.begun import NO_CODE, Begun, broken_off
from guidance.history.store import HistoryStore
from models.problems import InputError


def take_in(
    history: Path,
    *,
    subject: str | None = None,
    report_of: Callable[[Path], Path],
    say: Callable[[str], None] = print,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> bool:
    """Replay each from what was seen then, write its report beside its recording, and keep it.

    Args:
        history: The file.
        subject: Of one subject only.
        report_of: Folder for the report of a recording.
        say: Told of each.
        on_progress: How far it is.

    Returns:
        Whether nothing is left out of the history.

    Raises:
        InputError: If history or notes cannot be read.
    """
    store = HistoryStore(history)
    found = broken_off(store, subject=subject)
    if not found:
        say("Nothing was broken off: every treatment that began is in the history.")
    for one in found:
        say(_taken(one, history, report_of=report_of, on_progress=on_progress))
    return not broken_off(store, subject=subject)


def _taken(
    one: Begun, history: Path, *, report_of: Callable[[Path], Path], on_progress: Callable[[Progress], None]
) -> str:
    path = Path(one.recording)
    if one.subject == NO_CODE or not one.recording or not path.exists():
        return f"Not taken in: {one.words}"
    out = report_of(path)
    try:
        outcome = analyse(
            path,
            out=out,
            video=False,
            history=history,
            subject=one.subject,
            from_sightings=True,
            on_progress=on_progress,
        )
    except InputError as trouble:
        return f"Not taken in: {path.name}: {trouble}"
    gas_s = outcome.summary.get("gas_s")
    told = f"{gas_s:.0f} s of gas" if isinstance(gas_s, float | int) else "gas not known"
    return f"Taken in: {one.subject}, {one.zone}, {one.started:%Y-%m-%d %H:%M UTC}, {told}; report in {out}"
