"""``cryoguide devices``: what is connected, tried one by one, with a test picture of each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2

from models.problems import InputError
from vision.connected import BY_ID, SYSFS, Tried, described, shown, tried
from vision.every_camera import REALSENSE, Finder, Wanted, each_once, library_cameras, uvc_cameras
from vision.gas_input import GasInput
from vision.gas_named import DEV, gas_choices, gas_device
from vision.uvc import Opener, open_by_opencv

GAS_TRIED_S = 10.0
"""So long a gas input is listened to: time to press a foot switch twice."""
LOOK_S = 0.02


def devices(
    out: Path | None,
    *,
    opener: Opener = open_by_opencv,
    sysfs: Path = SYSFS,
    by_id: Path = BY_ID,
    own: Finder = library_cameras,
    dev: Path = DEV,
) -> int:
    """Print a line a camera, and write its test picture; then what could say whether gas flows.

    Args:
        out: Folder for the pictures; none are written where None.
        opener: Only tests give another, as of the following.
        sysfs: Where the system lists cameras.
        by_id: Where it keeps addresses that last.
        own: Lists cameras that need a library of their own.
        dev: Where the system keeps its devices.

    Returns:
        How many cameras work.

    Raises:
        InputError: If a picture cannot be written.
    """
    wanted = Wanted()
    found = each_once(uvc_cameras(wanted, opener=opener, sysfs=sysfs, by_id=by_id), own(wanted))
    if not found:
        print(
            "No camera was found: plug one in and try again; where it is plugged in, close what else uses it,"
            " and see that you may use cameras (on Linux: `sudo usermod -aG video $USER`, then log in anew)."
        )
    works = 0
    for number, camera in enumerate(found):
        result = tried(camera.make())
        print(f"{camera.name}\n  {camera.kind} camera at {camera.address}")
        if REALSENSE in camera.name.casefold() and not camera.address.startswith(REALSENSE):
            print('  for its depth install the extra: pip install "cryoguide[realsense]"')
        if result.picture is None:
            print(f"  {result.words}")
            continue
        works += 1
        rate = f", {result.hz:.0f} pictures a second" if result.hz else ""
        print(f"  {described(result.picture, kind=camera.kind)}{rate}")
        if out is not None:
            print(f"  test picture {_written(result, out, number)}")
    for kind, count in Counter(one.kind for one in found).items():
        if count > 1:
            print(f"{count} {kind} cameras: say which with --{kind} NAME, a part of its name or address.")
    if choices := gas_choices(dev):
        print("Could say whether gas flows (--gas; try one with `cryoguide devices --gas INPUT`):")
        for choice in choices:
            print(f"  {choice}")
    return works


def try_gas(text: str, *, seconds: float = GAS_TRIED_S, wait: Callable[[float], None] = time.sleep) -> bool:
    """Listen to a gas input for a while and print each change.

    Args:
        text: See `vision.gas_named`.
        seconds: How long.
        wait: Only tests give another.

    Returns:
        Whether it was heard to say on and off.

    Raises:
        InputError: If it names none.
    """
    named = gas_device(text)
    print(f"{named.device.name}: press and release it within {seconds:.0f} s.")
    told = ""
    with GasInput(named.device, off_after_s=named.off_after_s) as gas:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s and not (gas.state().seen_on and gas.state().seen_off):
            state = gas.state()
            words = state.words if not state.ok else "gas flows" if state.flows else "no gas flows"
            if words != told:
                print(f"  {words}")
            told = words
            wait(LOOK_S)
        state = gas.state()
    heard = state.seen_on and state.seen_off
    print("  on and off were heard" if heard else "  on and off were not both heard")
    return heard


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
