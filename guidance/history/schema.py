"""The form of the history file: its tables, how it gets from version to version, and how it is opened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from models.problems import InputError

APPLICATION_ID = 0x63727967
"""The letters "cryg" in the file's header: another program's database is not taken for a history."""

MIGRATIONS = (
    """
    CREATE TABLE session (
        recording_sha256 TEXT PRIMARY KEY,
        subject TEXT NOT NULL COLLATE NOCASE,
        started TEXT NOT NULL,
        duration_s REAL NOT NULL,
        zone TEXT NOT NULL,
        side TEXT NOT NULL,
        device TEXT NOT NULL,
        protocol TEXT NOT NULL,
        protocol_sha256 TEXT NOT NULL,
        protocol_approved_by TEXT,
        gas_from_s REAL,
        gas_to_s REAL,
        gas_s REAL NOT NULL,
        unassigned_s REAL NOT NULL,
        min_degc REAL,
        min_u95_degc REAL,
        end_degc REAL,
        end_u95_degc REAL,
        area_cm2 REAL,
        overexposed_cm2 REAL,
        unknown_cm2 REAL,
        software TEXT NOT NULL
    ) STRICT;
    CREATE INDEX session_by_subject ON session (subject, started);
    CREATE TABLE tile (
        recording_sha256 TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
        number INTEGER NOT NULL,
        gas_s REAL NOT NULL,
        PRIMARY KEY (recording_sha256, number)
    ) STRICT;
    CREATE TABLE limit_reached (
        recording_sha256 TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
        number INTEGER NOT NULL,
        cause TEXT NOT NULL,
        kind TEXT NOT NULL,
        priority TEXT NOT NULL,
        times INTEGER NOT NULL,
        first_s REAL NOT NULL,
        PRIMARY KEY (recording_sha256, number)
    ) STRICT;
    """,
    """
    ALTER TABLE session ADD COLUMN zone_interval_s REAL;
    ALTER TABLE session ADD COLUMN session_time_s REAL;
    ALTER TABLE session ADD COLUMN continues TEXT;
    ALTER TABLE session ADD COLUMN gap_s REAL;
    CREATE TABLE exposure (
        recording_sha256 TEXT PRIMARY KEY REFERENCES session ON DELETE CASCADE,
        cells BLOB NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE session ADD COLUMN checklist TEXT;
    ALTER TABLE session ADD COLUMN checklist_at TEXT;
    CREATE TABLE finding (
        recording_sha256 TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
        number INTEGER NOT NULL,
        question TEXT NOT NULL,
        answer TEXT NOT NULL,
        meant TEXT NOT NULL,
        reason TEXT,
        PRIMARY KEY (recording_sha256, number)
    ) STRICT;
    """,
    """
    ALTER TABLE session ADD COLUMN live INTEGER NOT NULL DEFAULT 0;
    """,
)
"""How the file gets from each version to the next; ``PRAGMA user_version`` counts them. Never edited once
released, only added to."""


def connect(path: Path, *, wait_s: float) -> sqlite3.Connection:
    """Open the file; statements are on their own unless a `transaction` binds them."""
    base = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
    base.execute("PRAGMA foreign_keys = ON")
    return base


def prepare(base: sqlite3.Connection, path: Path, *, wait_s: float) -> None:
    """Bring the file to this version; one of another program or of a later version is refused.

    Raises:
        InputError: If it is refused.
        sqlite3.Error: If it cannot be read or written.
    """
    version = _version(base)
    tables = int(base.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    marked = int(base.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID
    if tables and not marked:
        raise InputError(f"{path} is a database of another program; name another file for the history.")
    if version > len(MIGRATIONS):
        raise InputError(
            f"The history {path} was written by a later version of cryoguide (form {version}, this one knows"
            f" {len(MIGRATIONS)}); use that version, or name another file."
        )
    if version == len(MIGRATIONS):
        return
    _use_wal(base, wait_s=wait_s)
    with transaction(base):
        # Another process may have done it since.
        for number in range(_version(base), len(MIGRATIONS)):
            for statement in MIGRATIONS[number].split(";"):
                if statement.strip():
                    base.execute(statement)
        base.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        base.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _use_wal(base: sqlite3.Connection, *, wait_s: float) -> None:
    """Readers and a writer side by side; the file remembers it. SQLite does not wait for this by itself."""
    until_s = time.monotonic() + wait_s
    while True:
        try:
            base.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as trouble:
            if trouble.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
            time.sleep(0.01)


def _version(base: sqlite3.Connection) -> int:
    return int(base.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(base: sqlite3.Connection) -> Generator[None]:
    """All or nothing; the right to write is asked for first, so that nobody else writes in between."""
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
        base.execute("COMMIT")
    except BaseException:
        if base.in_transaction:
            base.execute("ROLLBACK")
        raise
