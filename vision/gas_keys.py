"""Gas on or off by a foot switch that calls itself a keyboard: read directly and exclusively (Linux).

It is asked for the keys that are held, again and again, so that unplugging it shows and a lost event does not
matter; nothing that it types reaches another program meanwhile.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Protocol

from models.problems import InputError
from vision.gas_input import GasGoneError

POLL_S = 0.01
"""Between two looks; a foot moves in tenths of a second."""


class Keys(Protocol):
    """What is used of ``evdev.InputDevice``."""

    def grab(self) -> None: ...  # noqa: D102 # evdev's name, as of the following
    def active_keys(self) -> Sequence[int]: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


KeysOpener = Callable[[str], Keys]


def open_by_evdev(path: str) -> Keys:
    """A device such as ``/dev/input/by-id/...-event-kbd``.

    Raises:
        InputError: If evdev is not installed.
        OSError: If it is not there, or may not be read.
    """
    return _evdev().InputDevice(path)


def key_code(name: str) -> int:
    """The number of a key named as Linux does, such as ``KEY_B``.

    Raises:
        InputError: If there is no such key, or evdev is not installed.
    """
    code = _evdev().ecodes.ecodes.get(name)
    if not name.startswith(("KEY_", "BTN_")) or code is None:
        raise InputError(f"{name} is no key: give one such as KEY_B, or none for any key.")
    return int(code)


def _evdev() -> ModuleType:
    try:
        return importlib.import_module("evdev")
    except ImportError as trouble:
        raise InputError(
            'Foot switches that are keyboards need the extra: pip install "cryoguide[keys]" (evdev, Linux).'
        ) from trouble


class HeldKey:
    """Gas flows while a key is held."""

    def __init__(
        self,
        path: str,
        *,
        code: int | None = None,
        inverted: bool = False,
        opener: KeysOpener = open_by_evdev,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Name a device.

        Args:
            path: See `open_by_evdev`.
            code: The key's number; None = any key.
            inverted: Gas flows while none is held.
            opener: Only tests give another.
            wait: Only tests give another.
        """
        self.name = f"Foot switch {path}"
        self._path, self._code, self._inverted = path, code, inverted
        self._opener, self._wait = opener, wait
        self._keys: Keys | None = None

    def open(self) -> None:
        """Open the device for ourselves alone."""
        try:
            self._keys = self._opener(self._path)
            self._keys.grab()
        except PermissionError as trouble:
            raise GasGoneError(
                f"{self.name} may not be read: join the group of its owner (input)."
            ) from trouble
        except OSError as trouble:
            raise GasGoneError(
                f"{self.name} is not there or is in use by another program: plug it in."
            ) from trouble

    def read(self) -> list[bool | None]:
        """Whether the key is held now."""
        self._wait(POLL_S)
        if self._keys is None:
            raise GasGoneError(f"{self.name} is closed.")
        try:
            held = self._keys.active_keys()
        except OSError as trouble:
            raise GasGoneError(f"{self.name} is gone: plug it in.") from trouble
        return [(bool(held) if self._code is None else self._code in held) != self._inverted]

    def close(self) -> None:
        """Let go of the device."""
        keys, self._keys = self._keys, None
        if keys is not None:
            try:
                keys.close()
            except OSError:  # it has gone before us
                return
