"""``cryoguide devices``: what is connected, tried one by one, with a test picture of each."""

from __future__ import annotations

from pathlib import Path

import cv2

from models.problems import InputError
from vision.connected import BY_ID, SYSFS, Tried, connected, described, driver_of, shown, tried
from vision.uvc import Opener, open_by_opencv


def devices(
    out: Path | None, *, opener: Opener = open_by_opencv, sysfs: Path = SYSFS, by_id: Path = BY_ID
) -> int:
    """Print a line a camera, and write its test picture.

    Args:
        out: Folder for the pictures; none are written where None.
        opener: Only tests give another, as of the following.
        sysfs: Where the system lists cameras.
        by_id: Where it keeps addresses that last.

    Returns:
        How many cameras work.

    Raises:
        InputError: If a picture cannot be written.
    """
    cameras = connected(sysfs, by_id, opener=opener)
    if not cameras:
        print("No camera is connected (or this system does not let us see one).")
        return 0
    works = 0
    for number, camera in enumerate(cameras):
        found = tried(driver_of(camera, opener=opener))
        print(f"{camera.name}\n  {found.device.kind} camera at {camera.address}")
        if found.picture is None:
            print(f"  {found.words}")
            continue
        works += 1
        rate = f", {found.hz:.0f} pictures a second" if found.hz else ""
        print(f"  {described(found.picture, kind=found.device.kind)}{rate}")
        if out is not None:
            print(f"  test picture {_written(found, out, number)}")
    return works


def _written(found: Tried, out: Path, number: int) -> Path:
    path = out / f"{number}-{found.device.kind}.png"
    assert found.picture is not None
    try:
        out.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(".png", shown(found.picture, kind=found.device.kind))
        if done:
            path.write_bytes(data.tobytes())
    except OSError as trouble:
        raise InputError(
            f"{path} cannot be written ({trouble.strerror}); choose another folder."
        ) from trouble
    return path
