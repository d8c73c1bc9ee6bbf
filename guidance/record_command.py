"""``cryoguide record FILE``: the bare cameras of this computer into a recording that calibration reads."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from guidance.camera_command import wanted_by
from guidance.live.pace import Pace, paced
from guidance.recording.bare import BareRecording, BareStatus
from guidance.recording.command import attachments_of
from guidance.terminal import ProgressLine
from guidance.treatment.gas_from_input import GasFromInput
from models.capture import Capture
from models.catalogue import find, load_devices
from models.problems import InputError
from models.rig import Rig
from models.rig_file import read_rig
from vision.cameras import COLOUR, DEPTH, THERMAL, Device
from vision.every_camera import Finder, Found, Wanted, every_camera, meant
from vision.gas_input import GasInput
from vision.gas_named import NamedGas, gas_device
from vision.live_cameras import LiveCameras
from vision.source import SUFFIX, Source, open_source
from vision.uvc_lepton import UvcLepton

KINDS = (COLOUR, THERMAL, DEPTH)

OPEN_S = 8.0
"""So long all cameras are waited for before the recording begins without those that give nothing: some take
seconds to open (own choice)."""
LOOK_S = 0.05


@dataclass(frozen=True)
class Asked:
    """What is to be recorded."""

    out: Path
    """The file, which must not exist."""
    seconds: float | None = None
    """How long; None = until Ctrl-C."""
    rig: Path | None = None
    """Says what pictures must be like, and by what their times are corrected."""
    without: frozenset[str] = frozenset()
    """Kinds of cameras that are not wanted."""
    names: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Which camera of each kind is meant, among several."""
    gas: str | None = None
    """Switch or valve that says whether gas flows, see `vision.gas_named`."""
    device: str | None = None
    """What blows, by its name in the catalogue."""
    replay: Path | None = None
    """A session folder or recording whose pictures are played as if cameras gave them."""


def record_cameras(
    asked: Asked,
    *,
    found: Finder = every_camera,
    gas_of: Callable[[str], NamedGas] = gas_device,
    say: Callable[[str], None] = print,
) -> BareStatus:
    """Record until the time is over, Ctrl-C, or the disk is full.

    Args:
        asked: What.
        found: Lists cameras; only tests give another.
        gas_of: Reads the name of a gas input; likewise.
        say: Told what is recorded before it begins, a line each.

    Raises:
        InputError: If a camera is not there or gives nothing, or the file cannot be written.
    """
    out = asked.out
    if not out.name.lower().endswith(SUFFIX):
        raise InputError(f"{out} has another ending than {SUFFIX}; give the recording that one.")
    if out.exists():
        raise InputError(f"{out} exists already; choose another name or remove it.")
    device = "" if asked.device is None else find(load_devices(), asked.device, what="device").name
    with ExitStack() as stack:
        line = stack.enter_context(ProgressLine())
        source = _replayed(asked) if asked.replay is not None else _Cameras(asked, stack, found, gas_of)
        for words in source.told:
            say(words)
        source.wait(line)
        recording = BareRecording(
            out,
            kinds=source.kinds,
            rig=source.rig,
            device=device or source.device,
            gas_off_after_s=source.gas_off_after_s,
            attachments=source.attachments,
        )
        told: dict[str, None] = {}
        try:
            _take(source, recording, line, seconds=asked.seconds, told=told)
        except KeyboardInterrupt:
            say("Ended by Ctrl-C.")
        finally:
            status = recording.close()
    for words in told:
        say(f"Meanwhile: {words}")
    if any(one.pictures for one in status.streams) and status.captures_kept:
        return status
    out.unlink(missing_ok=True)
    words = status.trouble or " ".join(told) or "look at their cables."
    raise InputError(f"No camera gave a picture that was kept, and nothing was recorded: {words}")


def print_status(out: Path, status: BareStatus) -> None:
    """What was recorded, a line a camera."""
    print(f"Recording  {out}  ({status.t_s:.1f} s, {status.bytes_written / 1e6:.1f} MB)")
    for one in status.streams:
        print(f"  {one.kind:8} {one.words}")
    if status.pictures_left_out:
        print(f"  {status.pictures_left_out} colour pictures were left out: the disk did not keep up.")
    if any(one.kind == COLOUR and one.pictures for one in status.streams):
        print("  Faces are not covered in it.")
    if not status.finished:
        print(f"  Its end is missing; it is read as it is, or made whole by `cryoguide recover {out}`.")


class _Cameras:
    """The cameras of this computer, open."""

    def __init__(
        self, asked: Asked, stack: ExitStack, found: Finder, gas_of: Callable[[str], NamedGas]
    ) -> None:
        self.rig, self.attachments = None, ()
        if asked.rig is not None:
            self.rig, text = _rig(asked.rig)
            self.attachments = (("rig.toml", text),)
        wanted = wanted_by(self.rig) if self.rig is not None else Wanted()
        devices = bare_devices(found(wanted), without=asked.without, names=asked.names, rig=self.rig)
        named = gas_of(asked.gas) if asked.gas is not None else None
        self.kinds = tuple(device.kind for device in devices)
        self.told = [f"{device.kind:8} {device.name}" for device in devices]
        self._cameras = stack.enter_context(LiveCameras(devices, every=True))
        self.device = ""
        self._gas: GasFromInput | None = None
        self.gas_off_after_s = 0.0
        if named is not None:
            self.told.append(f"gas      {named.device.name}")
            self.gas_off_after_s = named.off_after_s
            heard = stack.enter_context(GasInput(named.device, off_after_s=named.off_after_s))
            self._gas = GasFromInput(heard)

    def wait(self, line: ProgressLine) -> None:
        """Until all cameras give pictures, or have had their time."""
        until_s = time.monotonic() + OPEN_S
        while time.monotonic() < until_s and not all(state.ok for state in self._cameras.states):
            line.say("waiting for the cameras")
            time.sleep(LOOK_S)

    def captures(self, stop: threading.Event) -> Iterator[Capture]:
        """From now on."""
        if self._gas is None:
            return self._cameras.captures(self.rig, gas=lambda _, __: (0.0, False), stop=stop)
        return self._cameras.captures(self.rig, gas=self._gas.flow, stop=stop, began=self._gas.began)

    def troubles(self) -> list[str]:
        """What is wrong with the cameras now, a sentence each."""
        return [state.words for state in self._cameras.states if not state.ok and state.words]


class _Played:
    """A session folder or recording, its pictures as if cameras gave them now."""

    def __init__(self, recording: Source, *, without: frozenset[str]) -> None:
        self._recording, self.rig, self.gas_off_after_s = recording, recording.rig, 0.0
        self.attachments = attachments_of(recording)
        there = {
            COLOUR: recording.frames > 0,
            THERMAL: recording.has_thermal,
            DEPTH: recording.has_depth,
        }
        self.kinds = tuple(kind for kind in KINDS if there[kind] and kind not in without)
        if not self.kinds:
            raise InputError(
                f"{recording.name} holds no pictures of a camera that is wanted; play another recording, or"
                " leave out fewer (--no-...)."
            )
        self.device = recording.treatment.device
        self.told = [f"{kind:8} played from {recording.name}" for kind in self.kinds]

    def wait(self, line: ProgressLine) -> None:
        """Nothing to wait for."""

    def captures(self, stop: threading.Event) -> Iterator[Capture]:
        """In step with the clock."""
        pace = Pace()
        for capture in paced(self._recording.captures(), pace):
            if stop.is_set():
                return
            yield replace(
                capture,
                bgr=capture.bgr if COLOUR in self.kinds else None,
                index=capture.index if COLOUR in self.kinds else None,
                thermal=capture.thermal if THERMAL in self.kinds else (),
                depth=capture.depth if DEPTH in self.kinds else (),
            )

    def troubles(self) -> list[str]:
        """None."""
        return []


def _replayed(asked: Asked) -> _Played:
    if any(asked.names.values()) or asked.rig is not None or asked.gas is not None:
        raise InputError("A replay has its own cameras, rig and gas: give those, or --replay, not both.")
    assert asked.replay is not None
    return _Played(open_source(asked.replay), without=asked.without)


def bare_devices(
    found: Sequence[Found],
    *,
    without: frozenset[str],
    names: Mapping[str, str | None],
    rig: Rig | None,
) -> list[Device]:
    """One camera of each kind that is connected and wanted.

    Args:
        found: What is connected.
        without: Kinds that are not wanted.
        names: Which of each kind is meant, among several.
        rig: Says by which emissivity the thermal camera shall work out its temperatures.

    Raises:
        InputError: If none is there, one of the rig is not there, or which is meant is not clear.
    """
    of_rig = {COLOUR} if rig is not None else set[str]()
    of_rig |= {THERMAL} if rig is not None and rig.thermal is not None else set()
    devices: list[Device] = []
    for kind in KINDS:
        if kind in without:
            if names.get(kind):
                raise InputError(
                    f"--{kind} names a camera, and --no-{kind} says that it is not wanted; leave one of both"
                    " away."
                )
            continue
        there = meant(found, kind=kind, name=names.get(kind))
        if there is None and kind in of_rig:
            raise InputError(
                f"The rig's {kind} camera is not connected: plug it in, or go without it (--no-{kind})."
            )
        if there is None:
            continue
        device = there.make()
        if isinstance(device, UvcLepton) and rig is not None and rig.thermal is not None:
            device.emissivity = rig.thermal.emissivity
        devices.append(device)
    if not devices:
        raise InputError("No camera is connected: plug it in (`cryoguide devices` lists what there is).")
    return devices


def _rig(path: Path) -> tuple[Rig, bytes]:
    try:
        text = path.read_bytes()
        return read_rig(text.decode("utf-8"), where=str(path))[0], text
    except (OSError, UnicodeDecodeError) as trouble:
        raise InputError(f"{path} cannot be read ({trouble}); give your rig.toml.") from trouble


def _take(
    source: _Cameras | _Played,
    recording: BareRecording,
    line: ProgressLine,
    *,
    seconds: float | None,
    told: dict[str, None],
) -> None:
    """Take captures until it is over; what is wrong meanwhile goes into ``told``, each sentence once."""
    stop, shown = threading.Event(), sys.stderr.isatty()
    for capture in source.captures(stop):
        if seconds is not None and capture.t_s > seconds:
            return
        recording.take(capture)
        status = recording.status
        if status.failed:
            return
        troubles = [one for one in (*source.troubles(), status.trouble) if one]
        new = [one for one in troubles if one not in told]
        told.update(dict.fromkeys(new))
        note = " ".join(new) or "recording"  # said once: lines of a file do not go away
        if shown:
            counts = ", ".join(f"{one.pictures} {one.kind}" for one in status.streams)
            note = " ".join(troubles) or (counts if seconds else f"{capture.t_s:.0f} s: {counts}")
        elif seconds is None and new:  # without an end no line of progress is written
            print(note, file=sys.stderr, flush=True)
        done, total = (round(10.0 * capture.t_s), round(10.0 * seconds)) if seconds else (0, 0)
        line.show(done, total, t_s=capture.t_s, note=note)
