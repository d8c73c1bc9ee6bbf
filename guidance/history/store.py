"""The history of sessions: one SQLite file on this machine, keyed by what was recorded.

Every write is one transaction in WAL mode, so that two processes may write at once and a failure leaves
what was there. All trouble is told as `InputError`, in one sentence.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from guidance.history.schema import connect, prepare, transaction
from models.history import LimitReached, PastFinding, PastSession
from models.problems import InputError

DATA_VARIABLE = "CRYOGUIDE_DATA"
FILE = "history.sqlite3"

WAIT_S = 5.0
"""How long another process may hold the file: one session is written in milliseconds."""

_APART = ("tile_time_s", "limits", "findings")
_COLUMNS = tuple(field.name for field in fields(PastSession) if field.name not in _APART)


def default_history(environment: Mapping[str, str], *, home: Path, platform: str) -> Path:
    """Where the history is kept unless asked otherwise.

    Args:
        environment: Environment variables; ``CRYOGUIDE_DATA`` (a folder) wins, then the platform's own.
        home: The user's home folder.
        platform: As ``sys.platform`` has it.
    """
    if own := environment.get(DATA_VARIABLE):
        return Path(own) / FILE
    if platform == "darwin":
        base = home / "Library" / "Application Support"
    elif platform == "win32":
        base = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "cryoguide" / FILE


class HistoryStore:
    """The history in one file; each call opens and closes it."""

    def __init__(self, path: Path, *, wait_s: float = WAIT_S) -> None:
        """Touch nothing yet.

        Args:
            path: The file; made with its folder by the first write.
            wait_s: How long to wait for another process that writes.
        """
        self.path = path
        self.wait_s = wait_s

    def record(self, session: PastSession, *, cells: bytes | None = None) -> bool:
        """Write a session; an earlier analysis of the same recording is replaced.

        So is what was kept of the treatment as it ended, whose start nothing else shares to the microsecond:
        a recording that was not finished is another file once it is recovered.

        Args:
            session: The session.
            cells: Its packed exposure map; None where there is none.

        Returns:
            Whether the recording was not known before.

        Raises:
            InputError: If the file cannot be written; what was there stays.
        """
        with self._open(write=True) as base, transaction(base):
            key = session.recording_sha256
            known = base.execute(
                "DELETE FROM session"
                " WHERE recording_sha256 = ? OR (live = 1 AND subject = ? AND started = ?)",
                (key, session.subject, _plain(session.started)),
            ).rowcount
            values = [_plain(getattr(session, name)) for name in _COLUMNS]
            marks = ", ".join("?" for _ in _COLUMNS)
            base.execute(f"INSERT INTO session ({', '.join(_COLUMNS)}) VALUES ({marks})", values)
            base.executemany(
                "INSERT INTO tile VALUES (?, ?, ?)",
                [(key, number, gas_s) for number, gas_s in enumerate(session.tile_time_s)],
            )
            base.executemany(
                "INSERT INTO limit_reached VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (key, number, limit.cause, limit.kind, limit.priority, limit.times, limit.first_s)
                    for number, limit in enumerate(session.limits)
                ],
            )
            base.executemany(
                "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (key, number, found.question, found.answer, found.meant, found.reason)
                    for number, found in enumerate(session.findings)
                ],
            )
            if cells is not None:
                base.execute("INSERT INTO exposure VALUES (?, ?)", (key, cells))
        return not known

    def forget(self, *, subject: str | None = None, recording_sha256: str | None = None) -> int:
        """Take one subject or one recording out of the history.

        Returns:
            How many sessions that were.

        Raises:
            InputError: If the file cannot be written; what was there stays.
        """
        if not self._is_there():
            return 0
        with self._open(write=True) as base:
            # What is deleted must not stay readable in the file.
            base.execute("PRAGMA secure_delete = ON")
            with transaction(base):
                found = base.execute(
                    "DELETE FROM session WHERE subject = ? OR recording_sha256 = ?",
                    (subject, recording_sha256),
                ).rowcount
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found

    def cells(self, recording_sha256: str) -> bytes | None:
        """The packed exposure map of a recording; None where none is kept.

        Raises:
            InputError: If the file cannot be read.
        """
        if not self._is_there():
            return None
        with self._open(write=False) as base:
            found = base.execute(
                "SELECT cells FROM exposure WHERE recording_sha256 = ?", (recording_sha256,)
            ).fetchone()
            return bytes(found[0]) if found else None

    def sessions(self, *, subject: str | None = None) -> tuple[PastSession, ...]:
        """All sessions, or those of one subject, oldest first; none where there is no file yet.

        Raises:
            InputError: If the file cannot be read.
        """
        if not self._is_there():
            return ()
        asked = ("", ()) if subject is None else ("WHERE subject = ?", (subject,))
        with self._open(write=False) as base:
            found = base.execute(
                f"SELECT {', '.join(_COLUMNS)} FROM session {asked[0]} ORDER BY started, recording_sha256",
                asked[1],
            ).fetchall()
            return tuple(_session(base, dict(zip(_COLUMNS, row, strict=True))) for row in found)

    def _is_there(self) -> bool:
        """Whether there is a file: one that cannot be looked at is no empty history.

        Raises:
            InputError: If it cannot be looked at, or a link on the way to it leads nowhere.
        """
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            ways = (self.path, *self.path.parents)
            if link := next((way for way in ways if way.is_symlink() and not way.exists()), None):
                raise InputError(
                    f"The history {self.path} cannot be read: the link {link} leads nowhere (is its disk"
                    " connected?), and what it holds of earlier treatments is not known; mend it, or name"
                    " another with --history."
                ) from None
            return False
        except OSError as trouble:
            raise InputError(f"The history {self.path} cannot be read ({_reason(trouble)}).") from trouble
        return True

    @contextmanager
    def _open(self, *, write: bool) -> Generator[sqlite3.Connection]:
        try:
            if write and not self._is_there():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                # What was done to whom is for this user's eyes only; SQLite's side files follow.
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            base = connect(self.path, wait_s=self.wait_s)
            try:
                prepare(base, self.path, wait_s=self.wait_s)
                yield base
            finally:
                base.close()
        except (sqlite3.Error, OSError) as trouble:
            raise InputError(
                f"The history {self.path} cannot be {'written' if write else 'read'} ({_reason(trouble)}); "
                "what is in it stays as it was."
            ) from trouble


def _session(base: sqlite3.Connection, values: dict[str, object]) -> PastSession:
    key = (values["recording_sha256"],)
    values["started"] = datetime.fromisoformat(str(values["started"]))
    values["live"] = bool(values["live"])
    if values["checklist_at"] is not None:
        values["checklist_at"] = datetime.fromisoformat(str(values["checklist_at"]))
    tiles = base.execute("SELECT gas_s FROM tile WHERE recording_sha256 = ? ORDER BY number", key)
    limits = base.execute(
        "SELECT cause, kind, priority, times, first_s FROM limit_reached WHERE recording_sha256 = ?"
        " ORDER BY number",
        key,
    )
    findings = base.execute(
        "SELECT question, answer, meant, reason FROM finding WHERE recording_sha256 = ? ORDER BY number", key
    )
    return PastSession(
        **values,  # pyright: ignore[reportArgumentType]  # columns are the fields, and the table is strict
        tile_time_s=tuple(float(gas_s) for (gas_s,) in tiles),
        limits=tuple(LimitReached(*row) for row in limits),
        findings=tuple(PastFinding(*row) for row in findings),
    )


def _plain(value: object) -> object:
    """Times as text of one width, so that their order is the order of time."""
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _reason(trouble: sqlite3.Error | OSError) -> str:
    if isinstance(trouble, OSError):
        return trouble.strerror or str(trouble)
    code = getattr(trouble, "sqlite_errorcode", 0) & 0xFF
    words = {
        sqlite3.SQLITE_BUSY: "another program holds it",
        sqlite3.SQLITE_LOCKED: "another program holds it",
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_READONLY: "writing is not permitted",
        sqlite3.SQLITE_CANTOPEN: "it may not be opened",
        sqlite3.SQLITE_NOTADB: "it is not a database",
        sqlite3.SQLITE_CORRUPT: "the file is damaged",
        sqlite3.SQLITE_IOERR: "the disk fails or is full",
    }
    return words.get(code, str(trouble))
