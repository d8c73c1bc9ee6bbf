"""Every camera that is connected, by whatever library sees it, and which of them a user means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models.problems import InputError
from vision import genicam_camera, oak, realsense
from vision.cameras import COLOUR, Device, DeviceGoneError
from vision.connected import BY_ID, SYSFS, Connected, connected, driver_of
from vision.genicam_camera import GenicamBus, GenicamCamera, producers
from vision.oak import Oak
from vision.realsense import RealSense
from vision.shared_device import Pipeline, SharedDevice
from vision.uvc import Opener, UvcColour, open_by_opencv

REALSENSE = "realsense"
"""Part of the name by which the system lists such a camera's plain video nodes."""


@dataclass(frozen=True)
class Wanted:
    """What pictures must be like, as the rig was calibrated; None = as the camera likes."""

    colour_px: tuple[int, int] | None = None
    """Width, height."""
    depth_px: tuple[int, int] | None = None
    depth_as_colour: bool = False
    """Depth is told pixel by pixel of the colour picture, not in the geometry of its own sensor."""


@dataclass(frozen=True)
class Found:
    """One camera: what it gives, where it is, and how its driver is made."""

    kind: str
    name: str
    address: str
    """Stays the same when it is plugged in again."""
    make: Callable[[], Device]
    """Once, for whoever will read it."""

    @property
    def told(self) -> str:
        """Name and address, for people."""
        return f"{self.name} at {self.address}"


Finder = Callable[[Wanted], list[Found]]


def uvc_cameras(
    wanted: Wanted, *, opener: Opener = open_by_opencv, sysfs: Path = SYSFS, by_id: Path = BY_ID
) -> list[Found]:
    """Cameras of the system's own video interface."""
    return [_uvc(camera, wanted, opener) for camera in connected(sysfs, by_id, opener=opener)]


def _uvc(camera: Connected, wanted: Wanted, opener: Opener) -> Found:
    device = driver_of(camera, opener=opener)
    if isinstance(device, UvcColour) and wanted.colour_px is not None:
        device.width_px, device.height_px = wanted.colour_px
    return Found(device.kind, camera.name, str(camera.address), lambda: device)


def realsense_cameras(wanted: Wanted, *, rs: Any = None) -> list[Found]:
    """RealSense cameras; none where the extra is not installed."""
    if rs is None and find_spec("pyrealsense2") is None:
        return []
    rs = rs or realsense.library()
    found: list[Found] = []
    for serial, name in realsense.connected_realsense(rs):
        pipeline = RealSense(
            serial,
            name=name,
            rs=rs,
            colour_px=wanted.colour_px or realsense.COLOUR_PX,
            depth_px=realsense.DEPTH_PX if wanted.depth_as_colour else wanted.depth_px or realsense.DEPTH_PX,
            depth_as_colour=wanted.depth_as_colour,
        )
        found += _parts(pipeline, f"realsense:{serial}")
    return found


def oak_cameras(wanted: Wanted, *, dai: Any = None) -> list[Found]:
    """OAK-D cameras; none where the extra is not installed."""
    if dai is None and find_spec("depthai") is None:
        return []
    dai = dai or oak.library()
    found: list[Found] = []
    for device_id, name in oak.connected_oak(dai):
        pipeline = Oak(
            device_id,
            name=name,
            dai=dai,
            colour_px=wanted.colour_px or oak.COLOUR_PX,
            depth_px=wanted.depth_px or oak.DEPTH_PX,
            depth_as_colour=wanted.depth_as_colour,
        )
        found += _parts(pipeline, f"oak:{device_id}")
    return found


def genicam_cameras(wanted: Wanted, *, core: Any = None, files: Sequence[Path] | None = None) -> list[Found]:
    """GenICam cameras; none where the extra or a producer is not installed."""
    files = producers() if files is None else files
    if not files or (core is None and find_spec("harvesters") is None):
        return []
    bus = GenicamBus(core or genicam_camera.library(), files)
    found: list[Found] = []
    for device_id, name in bus.look():
        try:
            kind = bus.kind(device_id)
        except DeviceGoneError:  # in use by another program
            kind = COLOUR
        size_px = wanted.colour_px if kind == COLOUR else None
        make = partial(GenicamCamera, bus, device_id, name=name, kind=kind, size_px=size_px)
        found.append(Found(kind, name, f"genicam:{device_id}", make))
    return found


def _parts(pipeline: Pipeline, address: str) -> list[Found]:
    shared = SharedDevice(pipeline)
    return [Found(kind, pipeline.name, address, partial(shared.part, kind)) for kind in pipeline.kinds]


def library_cameras(wanted: Wanted) -> list[Found]:
    """Cameras that need a library of their own, as far as that is installed."""
    return [*realsense_cameras(wanted), *oak_cameras(wanted), *genicam_cameras(wanted)]


def each_once(plain: Sequence[Found], own: Sequence[Found]) -> list[Found]:
    """What a library of its own sees is not listed as a plain camera."""
    if any(one.address.startswith("realsense:") for one in own):
        plain = [one for one in plain if REALSENSE not in one.name.casefold()]
    return [*plain, *own]


def every_camera(wanted: Wanted) -> list[Found]:
    """All that is connected."""
    return each_once(uvc_cameras(wanted), library_cameras(wanted))


def meant(found: Sequence[Found], *, kind: str, name: str | None) -> Found | None:
    """The camera of a kind that a user means.

    Args:
        found: All that are connected.
        kind: ``colour``, ``thermal`` or ``depth``.
        name: A part of its name or address; None = the only one.

    Returns:
        None where no name is given and none of the kind is connected.

    Raises:
        InputError: If it may be several, or none.
    """
    there = [one for one in found if one.kind == kind]
    if name is None:
        if len(there) > 1:
            raise InputError(
                f"{len(there)} {kind} cameras are connected ({_listed(there)}): say which with --{kind} NAME."
            )
        return there[0] if there else None
    wanted = name.casefold()
    for fits in (_is_it, _has_it):
        hits = [one for one in there if fits(one, wanted)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise InputError(
                f"--{kind} {name} fits {len(hits)} cameras ({_listed(hits)}): give more of its name, or its"
                " address."
            )
    choices = f"connected: {_listed(there)}" if there else "none is connected"
    raise InputError(f"--{kind} {name} fits no {kind} camera ({choices}): see `cryoguide devices`.")


def _is_it(one: Found, wanted: str) -> bool:
    return wanted in (one.name.casefold(), one.address.casefold())


def _has_it(one: Found, wanted: str) -> bool:
    return wanted in one.name.casefold() or wanted in one.address.casefold()


def _listed(found: Sequence[Found]) -> str:
    return ", ".join(one.told for one in found)
