"""Every camera that is connected, by whatever library sees it, and which of them a user means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.problems import InputError
from vision.cameras import Device
from vision.connected import connected, driver_of
from vision.uvc import UvcColour


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
    """One camera: its driver, and where it is."""

    device: Device
    address: str

    @property
    def told(self) -> str:
        """Name and address, for people."""
        return f"{self.device.name} at {self.address}"


Finder = Callable[[Wanted], list[Found]]


def uvc_cameras(wanted: Wanted) -> list[Found]:
    """Cameras of the system's own video interface."""
    found: list[Found] = []
    for camera in connected():
        device = driver_of(camera)
        if isinstance(device, UvcColour) and wanted.colour_px is not None:
            width_px, height_px = wanted.colour_px
            device = UvcColour(
                camera.address, name=camera.name, width_px=width_px, height_px=height_px, hz=device.hz
            )
        found.append(Found(device, str(camera.address)))
    return found


def every_camera(wanted: Wanted) -> list[Found]:
    """All that is connected."""
    return uvc_cameras(wanted)


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
    there = [one for one in found if one.device.kind == kind]
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
    return wanted in (one.device.name.casefold(), one.address.casefold())


def _has_it(one: Found, wanted: str) -> bool:
    return wanted in one.device.name.casefold() or wanted in one.address.casefold()


def _listed(found: Sequence[Found]) -> str:
    return ", ".join(one.told for one in found)
