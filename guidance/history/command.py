"""``cryoguide history``: list, show, export, forget; ``cryoguide may-treat``: ask before the gas."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from guidance.checklist.answers import judge_file
from guidance.checklist.reasons import checklist_reasons
from guidance.history.begun import broken_off, nothing_begun
from guidance.history.export import export
from guidance.history.store import HistoryStore
from guidance.history.view import print_session, print_sessions, print_verdict
from models.catalogue import find, limits_in_zone, load_protocols, load_questions, load_zones, unsuited
from models.history import PastSession, is_code
from models.history_rules import Refused, SkinReading, may_treat, with_reasons
from models.problems import InputError
from models.zone_side import zone_on_side

SKIN_DEGC = (-40.0, 50.0)
"""A reading outside is a slip of the pen: ice and burnt skin lie within."""
MOST_U95_DEGC = 20.0
"""A wider bound says nothing; thermal cameras state 2 to 5 degC."""


def history(options: argparse.Namespace, *, default: Path) -> None:
    """Do what was asked.

    Args:
        options: As the command line has them: ``history``, ``subject``, and one of ``show``, ``export`` and
            ``forget`` at most.
        default: The file where none is named.
    """
    store = HistoryStore(options.history or default)
    if options.show is not None:
        print_session(one_session(store.sessions(subject=options.subject), options.show))
    elif options.forget is not None:
        print(f"{_counted(forget(store, options.forget))} forgotten.")
    elif options.export is not None:
        sessions = store.sessions(subject=options.subject)
        export(sessions, options.export)
        print(f"{_counted(len(sessions))} in {options.export}")
    else:
        print_sessions(store.sessions(subject=options.subject), where=store.path)
        for one in broken_off(store, subject=options.subject):
            print(one.words)


def may_treat_now(options: argparse.Namespace, *, default: Path, now: datetime) -> bool:
    """Print whether a zone may be treated now, and why not.

    Args:
        options: As the command line has them.
        default: The file where none is named.
        now: Time of day, in UTC.

    Returns:
        Whether it is refused.

    Raises:
        InputError: If anything is not known by its name or does not suit, or the history cannot be read.
    """
    if not is_code(options.subject):
        raise InputError(f"The subject {options.subject!r} is no code such as A-017; name the code.")
    zone = zone_on_side(find(load_zones(), options.zone, what="zone"), options.side)
    protocol = find(load_protocols(options.protocols), options.protocol, what="protocol")
    if reason := unsuited(protocol, zone):
        raise InputError(f"{reason[0].upper()}{reason[1:]}")
    protocol = limits_in_zone(protocol, zone)
    store = HistoryStore(options.history or default)
    known = store.sessions(subject=options.subject)
    skin = _skin(options.skin_degc, options.skin_u95)
    verdict = may_treat(known, protocol=protocol, zone=options.zone, side=options.side, now=now, skin=skin)
    checked = None
    if options.checklist is not None:
        checked = judge_file(
            options.checklist,
            load_questions(options.questions),
            subject=options.subject,
            zone=options.zone,
            device=protocol.device,
            started=now,
        )
    off = [one.reason for one in broken_off(store, subject=options.subject, perhaps=True)]
    verdict = with_reasons(verdict, [*checklist_reasons(checked, known), *off])
    print_verdict(verdict, protocol=protocol, sessions=len(known))
    if not store.path.exists():
        print(f"Note: {store.path} does not exist: nothing is known of earlier treatments.")
    return isinstance(verdict, Refused)


def forget(store: HistoryStore, what: str) -> int:
    """Take out all sessions of a subject, or one recording; returns how many.

    With a subject goes what was noted of treatments that were broken off.
    """
    off = broken_off(store, subject=what)
    for one in off:
        nothing_begun(store.path, one)
    sessions = store.sessions()
    if off and not any(past.subject.casefold() == what.casefold() for past in sessions):
        return len(off)
    if any(past.subject.casefold() == what.casefold() for past in sessions):
        return store.forget(subject=what) + len(off)
    return store.forget(recording_sha256=one_session(sessions, what).recording_sha256)


def one_session(sessions: Sequence[PastSession], asked: str) -> PastSession:
    """The session whose recording's key begins as asked.

    Raises:
        InputError: If there is none or more than one.
    """
    found = [past for past in sessions if past.recording_sha256.startswith(asked.lower())]
    if len(found) != 1:
        many = "No recording in the history begins" if not found else f"{len(found)} recordings begin"
        raise InputError(f"{many} with {asked!r}; `cryoguide history` lists them.")
    return found[0]


def _skin(degc: float | None, u95_degc: float | None) -> SkinReading | None:
    """What the operator measured, where it can be a temperature of skin."""
    if u95_degc is not None and degc is None:
        raise InputError("--skin-u95 is the bound of a temperature that is missing; give --skin-degc too.")
    low, high = SKIN_DEGC
    if degc is not None and not low <= degc <= high:
        raise InputError(f"--skin-degc {degc:g} is no temperature of skin; give {low:g} to {high:g} degC.")
    if u95_degc is not None and not 0.0 < u95_degc <= MOST_U95_DEGC:
        raise InputError(
            f"--skin-u95 {u95_degc:g} is no bound; give more than 0, at most {MOST_U95_DEGC:g} degC."
        )
    return None if degc is None else SkinReading(degc, u95_degc)


def _counted(sessions: int) -> str:
    return "1 session" if sessions == 1 else f"{sessions} sessions"
