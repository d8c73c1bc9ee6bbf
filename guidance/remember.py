"""Between an analysis and the history: what was before, and keeping what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from guidance.history_entry import history_entry
from guidance.history_store import HistoryStore
from guidance.outcome import Outcome
from models.history import PastSession, is_code
from models.problems import InputError
from vision.files import sha256_of_all
from vision.recording import Recording


@dataclass(frozen=True, eq=False)
class Past:
    """What the history knows of the subject of a recording."""

    store: HistoryStore | None
    """None: this recording is not kept."""
    subject: str | None
    recording_sha256: str
    sessions: tuple[PastSession, ...] | None
    """Before this recording, oldest first, itself left out; None = not known."""
    remarks: tuple[str, ...]
    """One sentence for each thing the reader of the report must know of it."""


def look_up(recording: Recording, *, history: Path | None, subject: str | None = None) -> Past:
    """Look up what was done to the subject before.

    Trouble with the history is a remark and never stops an analysis.

    Args:
        recording: Its header may name the subject.
        history: The file; None = neither read nor written.
        subject: Code of the subject where the header names none.

    Raises:
        InputError: If header and caller name different subjects, or the caller names no code.
    """
    named = recording.treatment.subject
    if subject is not None and not is_code(subject):
        raise InputError(
            f"The subject {subject!r} is no code: use letters, digits, dots and dashes with at least one"
            " digit, such as A-017, never a name."
        )
    if subject is not None and named is not None and subject.casefold() != named.casefold():
        raise InputError(
            f"{recording.name}/session.toml names the subject {named} and you {subject}: correct one of them."
        )
    code = subject or named
    if history is None:
        return Past(None, code, "", None, ())
    if code is None:
        return Past(None, None, "", None, (NO_SUBJECT,))
    if not is_code(code):
        return Past(None, None, "", None, (NO_CODE,))
    key = sha256_of_all(recording.picture_files)
    store = HistoryStore(history)
    try:
        known = store.sessions(subject=code)
    except InputError as trouble:
        return Past(store, code, key, None, (f"Earlier sessions are not known: {trouble}",))
    before = tuple(
        past for past in known if past.recording_sha256 != key and past.started <= recording.treatment.started
    )
    return Past(store, code, key, before, ())


def remember(outcome: Outcome, past: Past) -> Outcome:
    """Keep a session in the history, and say in the outcome what is to be said of it."""
    remarks = past.remarks
    if past.store is not None and past.subject is not None:
        entry = history_entry(outcome, subject=past.subject, recording_sha256=past.recording_sha256)
        try:
            past.store.record(entry)
        except InputError as trouble:
            remarks = (*remarks, f"This session is not in the history: {trouble}")
    return replace(outcome, warnings=(*outcome.warnings, *remarks))


NO_SUBJECT = (
    "No subject code is given (subject in session.toml, or --subject), so this session is not in the history"
    " and was not held against earlier ones."
)
NO_CODE = (
    "The subject in session.toml is no code (such as A-017), so this session is not in the history and was"
    " not held against earlier ones."
)
