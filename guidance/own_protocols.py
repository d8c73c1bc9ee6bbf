"""A user's own copy of the protocols and of the questions before the gas, to be edited and approved."""

from __future__ import annotations

from pathlib import Path

from models.catalogue import protocols_text, questions_text
from models.problems import InputError

FILE = "protocols.toml"
QUESTIONS_FILE = "contraindications.toml"


def copy_protocols(folder: Path) -> Path:
    """Copy the protocols into a folder.

    Args:
        folder: Made where it is not there.

    Returns:
        The copy.

    Raises:
        InputError: If there is a file of that name already, or it cannot be written.
    """
    return _copy(folder / FILE, protocols_text())


def copy_questions(folder: Path) -> Path:
    """Copy the questions before the gas into a folder; as `copy_protocols`."""
    return _copy(folder / QUESTIONS_FILE, questions_text())


def _copy(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as trouble:
        raise InputError(f"{path} is there already and may be approved; choose another folder.") from trouble
    except OSError as trouble:
        raise InputError(
            f"{path} cannot be written ({trouble.strerror}); choose another folder."
        ) from trouble
    return path
