"""Between an analysis and the history: what was before, and keeping what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from guidance.history.begun import broken_off
from guidance.history.entry import history_entry, kept_exposure
from guidance.history.store import HistoryStore
from guidance.outcome import Earlier, Outcome
from guidance.stages.state import Setup
from models.carry import Carried
from models.earlier import goes_on_from, perfusion_now, used_s
from models.exposure_pack import KeptExposure, pack, unpack
from models.history import PastSession, is_code
from models.history_rules import Reason, Warned, may_treat
from models.problems import InputError
from models.treatment import Treatment
from vision.files import sha256_of_all
from vision.source import Source

SHUT_S = 0.5
"""Gas that ended so long before the recording did was shut off: captures are closer than this."""


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
    live: bool = False
    """The treatment takes place now."""


def look_up(recording: Source, *, history: Path | None, subject: str | None = None) -> Past:
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
    if not recording.picture_files:
        return Past(None, None, "", None, (NO_PICTURES,))
    key = sha256_of_all(recording.picture_files)
    return _looked_up(code, key, history, started=recording.treatment.started)


def look_up_live(treatment: Treatment, *, history: Path | None) -> Past:
    """The same for a treatment that begins now; `recorded_as` adds its recording once that is whole.

    Args:
        treatment: With its subject's code.
        history: The file; None = neither read nor written.
    """
    if history is None:
        return Past(None, treatment.subject, "", None, (), live=True)
    if treatment.subject is None:
        return Past(None, None, "", None, (NO_CODE_GIVEN,), live=True)
    return replace(_looked_up(treatment.subject, "", history, started=treatment.started), live=True)


def recorded_as(past: Past, recording: Path | None, *, treatment: Treatment) -> Past:
    """What was before, and which recording the treatment is now.

    Args:
        past: As it was looked up when the treatment began.
        recording: The file; None = there is none, and nothing will replace what is kept now.
        treatment: Of it.
    """
    named = f"{treatment.started.isoformat()} {treatment.zone} {treatment.side} {treatment.subject}"
    key = sha256(named.encode()).hexdigest() if recording is None else sha256_of_all((recording,))
    return replace(past, recording_sha256=key)


def _looked_up(code: str, key: str, history: Path, *, started: datetime) -> Past:
    store = HistoryStore(history)
    try:
        known = store.sessions(subject=code)
        begun = broken_off(store, subject=code, perhaps=True)
        off = tuple(one.words for one in begun if one.started < started)
    except InputError as trouble:
        return Past(store, code, key, None, (f"Earlier sessions are not known: {trouble}",))
    # What was kept of this very treatment as it ended is no earlier one.
    before = tuple(
        past
        for past in known
        if past.recording_sha256 != key
        and past.started <= started
        and not (past.live and past.started == started)
    )
    return Past(store, code, key, before, off)


def go_on(setup: Setup, past: Past, recording: Source) -> Setup:
    """Set up a session after what was before: what is used up, and what an interrupted session hands on.

    One that goes on from a recording already (`guidance.treatment.resume`) is left as it is.
    """
    if past.sessions is None or setup.carried is not None:
        return setup
    treatment, now = setup.treatment, setup.treatment.started
    gone_s = used_s(past.sessions, protocol=setup.protocol, now=now)
    zone, side = treatment.zone, treatment.side
    before = goes_on_from(past.sessions, protocol=setup.protocol, zone=zone, side=side, now=now)
    perfusion = perfusion_now(past.sessions, protocol=setup.protocol, zone=zone, side=side, now=now)
    setup = replace(setup, session_used_s=gone_s, perfusion=perfusion)
    if before is None:
        return setup
    carried = _carried(
        before, past, gap_s=(now - before.ended).total_seconds(), shut=_shut_at_start(recording)
    )
    return replace(setup, carried=carried, session_used_s=gone_s + carried.gap_gas_s)


def remember(outcome: Outcome, past: Past, setup: Setup) -> Outcome:
    """Judge a session by what was before, and keep it in the history."""
    if past.store is None and not past.remarks:
        return outcome
    earlier = _judged(outcome, past, setup)
    summary = outcome.summary | {"history": _figures(earlier)}
    outcome = replace(outcome, earlier=earlier, summary=summary)
    remarks = past.remarks
    if past.store is not None and past.subject is not None:
        entry = history_entry(
            outcome, subject=past.subject, recording_sha256=past.recording_sha256, live=past.live
        )
        kept = kept_exposure(outcome)
        try:
            past.store.record(entry, cells=pack(kept) if kept is not None else None)
        except InputError as trouble:
            remarks = (*remarks, f"This session is not in the history: {trouble}")
    return replace(outcome, warnings=(*outcome.warnings, *remarks))


def _judged(outcome: Outcome, past: Past, setup: Setup) -> Earlier:
    verdict = None
    if past.sessions is not None:
        verdict = may_treat(
            past.sessions,
            protocol=setup.protocol,
            zone=outcome.treatment.zone,
            side=outcome.treatment.side,
            now=outcome.treatment.started,
            skin=outcome.skin_before_gas,
        )
    elif past.subject is not None:
        verdict = Warned((Reason("history", False, "What was done to this subject before is not known."),))
    carried = setup.carried
    return Earlier(
        verdict=verdict,
        sessions=len(past.sessions) if past.sessions is not None else None,
        session_used_s=setup.session_used_s,
        continues=carried.recording_sha256 if carried is not None else None,
        gap_s=carried.gap_s if carried is not None else None,
    )


def _figures(earlier: Earlier) -> dict[str, object]:
    """As they go into the summary."""
    reasons = earlier.verdict.reasons if earlier.verdict is not None else ()
    return {
        "verdict": type(earlier.verdict).__name__.lower() if earlier.verdict is not None else None,
        "reasons": [{"rule": r.rule, "refuses": r.refuses, "words": r.words} for r in reasons],
        "sessions_before": earlier.sessions,
        "session_used_s": earlier.session_used_s if earlier.sessions is not None else None,
        "continues": earlier.continues,
        "gap_s": earlier.gap_s,
    }


def _carried(before: PastSession, past: Past, *, gap_s: float, shut: bool) -> Carried:
    kept = None
    try:
        cells = past.store.cells(before.recording_sha256) if past.store is not None else None
        kept = unpack(cells) if cells is not None else None
    except (InputError, ValueError):
        kept = None  # its gas then counts for every cell
    return handed_on(
        before.recording_sha256,
        kept,
        gas_s=before.gas_s,
        tile_time_s=before.tile_time_s,
        gap_s=gap_s,
        open_at_end=before.gas_to_s is None or before.duration_s - before.gas_to_s < SHUT_S,
        shut=shut,
    )


def handed_on(
    recording_sha256: str,
    kept: KeptExposure | None,
    *,
    gas_s: float,
    tile_time_s: tuple[float, ...],
    gap_s: float,
    open_at_end: bool,
    shut: bool,
) -> Carried:
    """What an interrupted session hands on.

    Args:
        recording_sha256: Of it.
        kept: Its exposure; None = not known.
        gas_s: Its gas time.
        tile_time_s: Of each tile.
        gap_s: Time since.
        open_at_end: Whether gas flowed as it ended.
        shut: Whether the valve is shut as the next one begins.
    """
    gap_gas_s = gap_s if open_at_end or not shut else 0.0
    return Carried(recording_sha256, kept, gas_s, tile_time_s, gap_s, gap_gas_s)


def _shut_at_start(recording: Source) -> bool:
    intervals = recording.treatment.valve_s
    return intervals is not None and all(from_s > 0.0 for from_s, _ in intervals)


NO_SUBJECT = (
    "No subject code is given (subject in session.toml, or --subject), so this session is not in the history"
    " and was not held against earlier ones."
)
NO_CODE_GIVEN = (
    "No code of the subject was given, so this treatment is not in the history and was not held against"
    " earlier ones: write it down."
)
NO_PICTURES = (
    "The files of this recording are not known, so it cannot be told from others: it is not in the history"
    " and was not held against earlier ones."
)
NO_CODE = (
    "The subject in session.toml is no code (such as A-017), so this session is not in the history and was"
    " not held against earlier ones."
)
