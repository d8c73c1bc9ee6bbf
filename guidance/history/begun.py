"""Treatments that began and are not in the history: what a killed program leaves unsaid is kept here.

Beside the history lies a folder with one small file for each treatment whose gas may have begun. It is
taken out as the treatment enters the history, so that what stays was broken off, or still runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from guidance.history.store import HistoryStore
from models.history import PastSession
from models.history_rules import Reason
from models.problems import InputError

ENDING = ".json"
NO_CODE = "no-code"
"""In place of a subject's code where none was given; no code is like it, for it has no digit."""


@dataclass(frozen=True)
class Begun:
    """A treatment whose gas may have begun."""

    subject: str
    """Code, or `NO_CODE`."""
    zone: str
    side: str
    device: str
    protocol: str
    started: datetime
    """As the history will have it."""
    recording: str
    """Path of its file; empty = it is not recorded."""

    @property
    def words(self) -> str:
        """What whoever treats this subject next must know."""
        side = "" if self.side == "both" else f", {self.side}"
        who = "someone without a code" if self.subject == NO_CODE else self.subject
        what = f"{who} ({self.zone}{side}, {self.protocol}) at {self.started:%Y-%m-%d %H:%M UTC}"
        if self.subject == NO_CODE:
            return self._of_nobody(what)
        told = f"A treatment of {what} began and is not in the history: it was broken off, or still runs."
        if self.recording and Path(self.recording).exists():
            return f"{told} `cryoguide history --take-in` puts it there from {Path(self.recording).name}."
        lacks = f"Its recording {self.recording} is gone" if self.recording else "It was not recorded"
        return f"{told} {lacks}: how much gas it had is not known; ask who treated then."

    def _of_nobody(self, what: str) -> str:
        """The history cannot take it by itself: whose it was must be said."""
        told = f"A treatment of {what} was broken off, or still runs: it may have been of whom you treat now."
        done = f"`cryoguide history --forget {NO_CODE}` ends this."
        if not (self.recording and Path(self.recording).exists()):
            return f"{told} How much gas it had is not known; ask who treated then. {done}"
        name = Path(self.recording).name
        return f"{told} `cryoguide analyze {name} --subject CODE` puts it into the history; {done}"

    @property
    def reason(self) -> Reason:
        """The same among what speaks against treating now."""
        return Reason("broken_off", False, self.words)


def note_begun(history: Path, begun: Begun) -> None:
    """Note, so that it outlives this program and a power cut, that gas may flow from now on.

    Args:
        history: The file of the history.
        begun: What begins.

    Raises:
        InputError: If it cannot be written.
    """
    folder, name = _folder(history), _name(begun)
    text = json.dumps(asdict(begun) | {"started": begun.started.isoformat()})
    try:
        # Whom was treated with what is for this user's eyes only, as the history is.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = folder / f".{name}.part"
        number = os.open(aside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(folder / name)
    except OSError as trouble:
        raise InputError(
            f"{folder} cannot be written ({trouble.strerror}): were this program to die, nothing would tell"
            " of this treatment before the next one."
        ) from trouble


def nothing_begun(history: Path, begun: Begun) -> None:
    """Nothing was treated, or it was forgotten on purpose: nothing needs to be told of it."""
    (_folder(history) / _name(begun)).unlink(missing_ok=True)


def broken_off(
    store: HistoryStore, *, subject: str | None = None, perhaps: bool = False
) -> tuple[Begun, ...]:
    """Treatments that began and are not in the history, oldest first; what is in it by now is tidied away.

    Args:
        store: The history.
        subject: Of one subject only.
        perhaps: Also those of nobody knows whom, which may have been of that subject.

    Raises:
        InputError: If history or notes cannot be read: what was done then is not known.
    """
    noted = [
        one
        for one in _noted(store.path)
        if subject is None or _same(one.subject, subject) or (perhaps and one.subject == NO_CODE)
    ]
    if not noted:
        return ()
    known = store.sessions()
    for one in noted:
        if is_in(known, one):
            nothing_begun(store.path, one)
    return tuple(one for one in noted if not is_in(known, one))


def is_in(known: Sequence[PastSession], begun: Begun) -> bool:
    """Whether a treatment is in the history: nothing else begins at the same microsecond."""
    return any(
        past.started == begun.started and (begun.subject == NO_CODE or _same(past.subject, begun.subject))
        for past in known
    )


def _noted(history: Path) -> list[Begun]:
    folder = _folder(history)
    found: list[Begun] = []
    for path in sorted(folder.glob(f"*{ENDING}")) if folder.is_dir() else ():
        try:
            fields = json.loads(path.read_text())
            found.append(Begun(**fields | {"started": datetime.fromisoformat(fields["started"])}))
        except FileNotFoundError:
            continue  # another program has just tidied it away
        except (OSError, ValueError, TypeError, KeyError) as trouble:
            raise InputError(
                f"{path} tells of a treatment that began and cannot be read: look what it was, write it down,"
                " and remove the file."
            ) from trouble
    return sorted(found, key=lambda one: one.started)


def _folder(history: Path) -> Path:
    return history.with_name(f"{history.name}.begun")


def _name(begun: Begun) -> str:
    return (
        sha256(f"{begun.subject.casefold()} {begun.started.isoformat()}".encode()).hexdigest()[:32] + ENDING
    )


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
