"""``cryoguide history``: list, show, export, forget."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from guidance.history_export import export
from guidance.history_store import HistoryStore
from guidance.history_view import print_session, print_sessions
from models.history import PastSession
from models.problems import InputError


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
