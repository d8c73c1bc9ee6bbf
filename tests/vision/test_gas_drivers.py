"""Drivers of gas inputs by stand-ins for ports, pins and keys; their names. No real switch was at hand."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from guidance import devices_command
from guidance.devices_command import try_gas
from models.problems import InputError
from tests.held_switch import HeldSwitch
from vision import gas_named
from vision.gas_gpio import GpioContacts
from vision.gas_input import OFF_AFTER_S, GasDevice, GasGoneError
from vision.gas_keys import HeldKey
from vision.gas_named import NamedGas, gas_device
from vision.gas_serial import SerialContacts, SerialText


@dataclass
class Contacts:
    """A serial port, pins or a keyboard, as far as they are used."""

    on: bool = False
    off: bool = False
    gone: bool = False
    there: bool = True
    closed_times: int = 0
    grabbed: int = 0

    def _look(self) -> None:
        if self.gone:
            raise OSError("it has gone")

    @property
    def cts(self) -> bool:
        self._look()
        return self.on

    @property
    def dsr(self) -> bool:
        self._look()
        return self.off

    cd = cts
    in_waiting = 0

    def read(self, size: int) -> bytes:
        return b""

    def reset_input_buffer(self) -> None: ...

    def closed(self) -> Sequence[bool]:
        self._look()
        return [self.on, self.off]

    def release(self) -> None:
        self.closed_times += 1

    close = release

    def grab(self) -> None:
        self.grabbed += 1

    def active_keys(self) -> Sequence[int]:
        self._look()
        return [48] * self.on + [30] * self.off

    def opened(self) -> Contacts:
        if not self.there:
            raise OSError("it is not there")
        return self


def no_wait(_: float) -> None: ...


def serial(contacts: Contacts, *, inverted: bool = False) -> GasDevice:
    return SerialContacts(
        "/dev/x",
        on_line="cts",
        off_line="dsr",
        inverted=inverted,
        opener=lambda *_: contacts.opened(),
        wait=no_wait,
    )


def gpio(contacts: Contacts, *, inverted: bool = False) -> GasDevice:
    return GpioContacts(
        "/dev/x", on_line=1, off_line=2, inverted=inverted, opener=lambda *_: contacts.opened(), wait=no_wait
    )


def keys(contacts: Contacts, *, inverted: bool = False) -> GasDevice:
    return HeldKey("/dev/x", code=48, inverted=inverted, opener=lambda _: contacts.opened(), wait=no_wait)


@pytest.mark.parametrize("make", [serial, gpio])
def test_two_contacts_check_each_other(make: type) -> None:
    contacts = Contacts()
    device = make(contacts)
    device.open()
    said = []
    for contacts.on, contacts.off in ((True, False), (False, True), (True, True), (False, False)):
        said += device.read()
    assert said == [True, False, None, None]


@pytest.mark.parametrize("make", [serial, gpio])
def test_inverted_is_the_other_way_round_and_sense_stays_sense(make: type) -> None:
    contacts = Contacts()
    device = make(contacts, inverted=True)
    device.open()
    said = []
    for contacts.on, contacts.off in ((True, False), (False, True), (True, True)):
        said += device.read()
    assert said == [False, True, None]


def test_one_contact_is_on_while_it_is_closed() -> None:
    contacts = Contacts()
    one = SerialContacts("/dev/x", on_line="cts", opener=lambda *_: contacts.opened(), wait=no_wait)
    one.open()
    assert one.read() == [False]
    contacts.on = True
    assert one.read() == [True]


def test_a_key_is_on_while_it_is_held_and_others_do_not_count() -> None:
    contacts = Contacts(off=True)
    device = keys(contacts)
    device.open()
    assert contacts.grabbed == 1
    assert device.read() == [False]
    contacts.on = True
    assert device.read() == [True]
    any_key = HeldKey("/dev/x", opener=lambda _: contacts.opened(), wait=no_wait)
    any_key.open()
    contacts.on = False
    assert any_key.read() == [True]


@pytest.mark.parametrize("make", [serial, gpio, keys])
def test_a_device_that_is_not_there_or_goes_is_told_and_comes_back(make: type) -> None:
    contacts = Contacts(there=False)
    device = make(contacts)
    with pytest.raises(GasGoneError, match="is not there"):
        device.open()
    with pytest.raises(GasGoneError):
        device.read()
    contacts.there = True
    device.open()
    contacts.gone = True
    with pytest.raises(GasGoneError, match="gone"):
        device.read()
    device.close()
    device.close()
    assert contacts.closed_times == 1
    contacts.gone, contacts.off = False, True
    device.open()
    assert device.read() == [False]


def test_a_line_that_is_no_text_is_told_without_end_of_line() -> None:
    class Endless(Contacts):
        def read(self, size: int) -> bytes:
            return b"x" * 50

    device = SerialText("/dev/x", opener=lambda *_: Endless())
    device.open()
    assert device.read() + device.read() == [None]


# --- names --------------------------------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gas_named.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(gas_named, "key_code", {"KEY_B": 48}.__getitem__)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("serial:/dev/ttyUSB0", SerialText, "Gas input /dev/ttyUSB0"),
        ("serial:/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0", SerialText, "1.0-port0"),
        ("serial:COM3:115200:inverted", SerialText, "COM3"),
        ("serial:/dev/ttyUSB0:cts", SerialContacts, "/dev/ttyUSB0, CTS"),
        ("serial:/dev/ttyUSB0:cts+dsr:off=200", SerialContacts, "CTS and DSR"),
        ("gpio:/dev/gpiochip0:17", GpioContacts, "line 17"),
        ("gpio:/dev/gpiochip0:17+27:inverted", GpioContacts, "line 17 and 27"),
        ("keys:/dev/input/by-id/usb-a-event-kbd", HeldKey, "Foot switch /dev/input/by-id/usb-a-event-kbd"),
        ("keys:/dev/input/event3:KEY_B", HeldKey, "/dev/input/event3"),
    ],
)
def test_each_form_names_its_driver(text: str, kind: type, name: str) -> None:
    named = gas_device(text)
    assert type(named.device) is kind
    assert named.device.name.endswith(name)
    assert named.off_after_s == (0.2 if "off=200" in text else OFF_AFTER_S)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/dev/ttyUSB0", "names no gas input; give one of: serial:PORT"),
        ("serial:", "names no gas input"),
        ("pedal:/dev/x", "names no gas input"),
        ("gpio:/dev/gpiochip0", "give chip and line"),
        ("gpio:/dev/gpiochip0:17+17", "give chip and line"),
        ("serial:/dev/x:99999999", "no speed"),
        ("serial:/dev/x:cts:off=5", "give 50 to 1000 ms"),
    ],
)
def test_what_names_none_is_told_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        gas_device(text)


@pytest.mark.parametrize("text", ["serial:/dev/x", "gpio:/dev/gpiochip0:1", "keys:/dev/x"])
def test_a_missing_extra_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gas_named.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=rf"pip install \"cryoguide\[{text.split(':')[0]}\]\""):
        gas_device(text)


@pytest.mark.skipif(importlib.util.find_spec("evdev") is None, reason="needs the extra `keys`")
def test_a_key_is_known_by_the_librarys_own_names() -> None:
    assert gas_named.key_code("KEY_B") == 48
    with pytest.raises(InputError, match="no key"):
        gas_named.key_code("KEY_NONE_SUCH")


@pytest.mark.skipif(importlib.util.find_spec("gpiod") is None, reason="needs the extra `gpio`")
def test_a_chip_that_is_not_there_is_told_by_the_library(tmp_path: Path) -> None:
    with pytest.raises(GasGoneError, match="check chip and line"):
        GpioContacts(str(tmp_path / "gpiochip9"), on_line=1).open()


def test_trying_an_input_ends_when_on_and_off_were_heard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    switch = HeldSwitch()
    monkeypatch.setattr(devices_command, "gas_device", lambda text: NamedGas(switch, OFF_AFTER_S))
    looks = 0

    def wait(seconds: float) -> None:
        nonlocal looks
        looks += 1
        switch.held = 20 < looks < 40
        threading.Event().wait(seconds)

    assert try_gas("any", wait=wait)
    told = capsys.readouterr().out
    assert "gas flows" in told
    assert "on and off were heard" in told
    assert not try_gas("any", seconds=0.1, wait=lambda s: None)
