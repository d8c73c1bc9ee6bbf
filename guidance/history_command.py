"""``cryoguide history``: list, show, export, forget; ``cryoguide may-treat``: ask before the gas."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from guidance.checklist import judge_file
from guidance.checklist_reasons import checklist_reasons
from guidance.history_export import export
from guidance.history_store import HistoryStore
from guidance.history_view import print_session, print_sessions, print_verdict
from models.catalogue import find, limits_in_zone, load_protocols, load_questions, load_zones, unsuited
from models.history import PastSession, is_code
from models.history_rules import Refused, SkinReading, may_treat, with_reasons
from models.problems import InputError
from models.zone_side import zone_on_side


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
    known = HistoryStore(options.history or default).sessions(subject=options.subject)
    skin = None if options.skin_degc is None else SkinReading(options.skin_degc, options.skin_u95)
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
    verdict = with_reasons(verdict, checklist_reasons(checked, known))
    print_verdict(verdict, protocol=protocol, sessions=len(known))
    return isinstance(verdict, Refused)


def forget(store: HistoryStore, what: str) -> int:
    """Take out all sessions of a subject, or one recording; returns how many."""
    sessions = store.sessions()
    if any(past.subject.casefold() == what.casefold() for past in sessions):
        return store.forget(subject=what)
    return store.forget(recording_sha256=one_session(sessions, what).recording_sha256)


def one_session(sessions: Sequence[PastSession], asked: str) -> PastSession:
    """The session whose recording's key begins as asked.

    Raises:
        InputError: If there is none or more than one.
    """
    found = [past for past in sessions if past.recording_sha256.startswith(asked.lower())]
    if len(found) != 1:
        many = "No recording" if not found else f"{len(found)} recordings"
        raise InputError(f"{many} in the history begin with {asked!r}; `cryoguide history` lists them.")
    return found[0]


def _counted(sessions: int) -> str:
    return "1 session" if sessions == 1 else f"{sessions} sessions"
