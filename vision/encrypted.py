"""Files encrypted as they are written, to an age public key: only its secret key opens them.

age encrypts blocks of 64 KiB one after the other, so that what was written before a crash can be read.
A block goes to the file as soon as one byte follows it.
"""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

from models.problems import InputError

SUFFIX = ".age"

BLOCK_BYTES = 64 << 10
"""Of the age format, version 1."""

DRAIN_S = 5.0
"""So long a flush waits for the encryption."""


class EncryptedFile:
    """A new file; used like an unbuffered one that cannot go back."""

    def __init__(self, path: Path, recipient: str) -> None:
        """Create it.

        Args:
            path: The file, which must not exist.
            recipient: Public key, ``age1...``.

        Raises:
            InputError: If the key is none, or pyrage is not installed.
            OSError: If the file exists or cannot be created.
        """
        age = _age()
        try:
            key = age.x25519.Recipient.from_str(recipient)
        except age.RecipientError as trouble:
            raise InputError(
                f"{recipient} is no age public key; give one that begins with age1."
            ) from trouble
        self._file = path.open("xb", buffering=0)
        self._blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._rest = b""
        self._idle = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._encrypt, args=(age, key), name="encryption", daemon=True)
        self._thread.start()

    def write(self, data: bytes | memoryview) -> int:
        """Encrypt and write.

        Raises:
            OSError: If the file has failed; it then takes nothing more.
        """
        self._check()
        self._idle.clear()
        self._blocks.put(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Wait until all whole blocks are in the file."""
        self._idle.wait(DRAIN_S)
        self._check()

    def fileno(self) -> int:
        """Of the file itself."""
        return self._file.fileno()

    def truncate(self, _: int) -> int:
        """It cannot go back."""
        raise OSError(5, "an encrypted file cannot take back what it was given")

    seek = truncate

    def close(self) -> None:
        """Encrypt what is left, with the mark of a whole file.

        Raises:
            OSError: If the file has failed.
        """
        self._blocks.put(b"")
        self._thread.join(DRAIN_S)
        self._file.close()
        self._check()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _check(self) -> None:
        if self._failed is not None:
            raise OSError(5, f"encryption has stopped: {self._failed}")

    def _encrypt(self, age: Any, key: Any) -> None:
        try:
            age.encrypt_io(self, _Out(self._file), [key])
        except BaseException as trouble:
            self._failed = trouble
        self._idle.set()

    def read(self, size: int = -1) -> bytes:
        """For age alone: what was written, empty at the end."""
        if not self._rest:
            if self._blocks.empty():
                self._idle.set()
            self._rest = self._blocks.get()
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


class _Out:
    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        view, done = memoryview(data), 0
        while done < len(view):
            done += self._file.write(view[done:])
        return done

    def flush(self) -> None:
        """Unbuffered."""


def decrypt(path: Path, target: Path, *, identity: Path) -> bool:
    """Decrypt all of a file that is there.

    Args:
        path: The file.
        target: What to write.
        identity: File with the secret key, as age-keygen writes it.

    Returns:
        Whether the file was whole.

    Raises:
        InputError: If a file cannot be read, or the key is none or another one.
    """
    age = _age()
    try:
        lines = identity.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as trouble:
        raise InputError(f"{identity} cannot be read; give the file with the secret key.") from trouble
    try:
        keys = [age.x25519.Identity.from_str(line) for line in lines if line.startswith("AGE-SECRET-KEY-")]
    except age.IdentityError as trouble:
        raise InputError(f"{identity} holds a damaged key; copy it again.") from trouble
    if not keys:
        raise InputError(f"{identity} holds no line AGE-SECRET-KEY-...; give the file with the secret key.")
    with path.open("rb") as source, target.open("xb") as out:
        try:
            age.decrypt_io(source, out, keys)
        except age.DecryptError as trouble:
            if out.tell() == 0:
                words = f"{path} cannot be decrypted with {identity} ({trouble}); give the right key."
                raise InputError(words) from trouble
            return False
        except OSError:
            return False
    return True


def _age() -> Any:
    try:
        import pyrage  # pyright: ignore[reportMissingImports] # an extra
    except ImportError as trouble:
        raise InputError(
            'Encryption needs the package pyrage: install it with pip install "cryoguide[encryption]".'
        ) from trouble
    return pyrage
