"""Gas inputs as a user names them, and those that this computer has."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from models.problems import InputError
from vision.gas_gpio import GpioContacts
from vision.gas_input import OFF_AFTER_S, GasDevice
from vision.gas_keys import HeldKey, key_code
from vision.gas_serial import BAUD, LINES, SerialContacts, SerialText

FORMS = (
    "serial:PORT, serial:PORT:BAUD, serial:PORT:cts (or dsr, cd, cts+dsr), gpio:CHIP:LINE (or LINE+LINE),"
    " keys:DEVICE, keys:DEVICE:KEY_B; each may end in :inverted and :off=MS"
)

OFF_LEAST_MS, OFF_MOST_MS = 50, 1000
"""Contacts bounce for up to some ten milliseconds; longer than a second counts gas that does not flow."""

NEEDS = {"serial": ("serial", "pyserial"), "gpio": ("gpiod", "gpiod"), "keys": ("evdev", "evdev")}
"""For each kind, which is also the name of our extra: the module and its package."""

DEV = Path("/dev")
MOST_BAUD = 4_000_000


@dataclass(frozen=True)
class NamedGas:
    """An input, and how long it must say off before that is believed."""

    device: GasDevice
    off_after_s: float


def gas_device(text: str) -> NamedGas:
    """The driver that a user's words name.

    Args:
        text: See `FORMS`.

    Raises:
        InputError: If they name none, or what it needs is not installed.
    """
    kind, _, rest = text.partition(":")
    inverted, off_after_s = False, OFF_AFTER_S
    while (end := re.search(r":(inverted|off=(\d+))$", rest)) is not None:
        rest = rest[: end.start()]
        if end[2] is None:
            inverted = True
        elif OFF_LEAST_MS <= int(end[2]) <= OFF_MOST_MS:
            off_after_s = int(end[2]) / 1000.0
        else:
            raise InputError(f"{text}: give {OFF_LEAST_MS} to {OFF_MOST_MS} ms until off is believed.")
    if kind not in NEEDS or not rest:
        raise InputError(f"{text!r} names no gas input; give one of: {FORMS}.")
    device = {"serial": _serial, "gpio": _gpio, "keys": _keys}[kind](rest, inverted, text)
    return NamedGas(device, off_after_s)


def _serial(rest: str, inverted: bool, text: str) -> GasDevice:
    _needs("serial", text)
    path, _, last = rest.rpartition(":")
    if path and last.isdecimal():
        if not 0 < int(last) <= MOST_BAUD:
            raise InputError(f"{text}: {last} is no speed of a serial port; give {BAUD}, say.")
        return SerialText(path, baud=int(last), inverted=inverted)
    named = last.split("+")
    if path and len(named) <= 2 and all(name in LINES for name in named) and len({*named}) == len(named):
        return SerialContacts(path, on_line=named[0], off_line=(*named, None)[1], inverted=inverted)
    return SerialText(rest, inverted=inverted)


def _gpio(rest: str, inverted: bool, text: str) -> GasDevice:
    chip, _, last = rest.rpartition(":")
    lines = re.fullmatch(r"(\d{1,4})(?:\+(\d{1,4}))?", last)
    if not chip or lines is None or lines[1] == lines[2]:
        raise InputError(f"{text}: give chip and line, such as gpio:/dev/gpiochip0:17 or :17+27.")
    _needs("gpio", text)
    off_line = None if lines[2] is None else int(lines[2])
    return GpioContacts(chip, on_line=int(lines[1]), off_line=off_line, inverted=inverted)


def _keys(rest: str, inverted: bool, text: str) -> GasDevice:
    _needs("keys", text)
    path, _, last = rest.rpartition(":")
    if path and last.startswith(("KEY_", "BTN_")):
        return HeldKey(path, code=key_code(last), inverted=inverted)
    return HeldKey(rest, inverted=inverted)


def _needs(kind: str, text: str) -> None:
    module, package = NEEDS[kind]
    if importlib.util.find_spec(module) is None:
        raise InputError(f'{text} needs the extra: pip install "cryoguide[{kind}]" ({package}).')


def gas_choices(dev: Path = DEV) -> list[str]:
    """What could be given on this Linux computer; nothing is opened: whether a switch is there is not known.

    Args:
        dev: Only tests give another.
    """
    ports = sorted(dev.glob("serial/by-id/*")) or sorted((*dev.glob("ttyUSB*"), *dev.glob("ttyACM*")))
    return [
        *(f"serial:{port}" for port in ports),
        *(f"gpio:{chip}:LINE" for chip in sorted(dev.glob("gpiochip*"))),
        *(f"keys:{keys}" for keys in sorted(dev.glob("input/by-id/*-event-kbd"))),
    ]
