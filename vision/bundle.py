"""Fetch MediaPipe's networks through the user's own package index and build ``.task`` bundles."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from models.problems import InputError
from models.weights import (
    BUNDLES,
    MODELS_VARIABLE,
    WHEEL_PLATFORM,
    WHEEL_PYTHON,
    WHEEL_REQUIREMENT,
    WHEEL_SHA256,
    Bundle,
    cache_folder,
    is_intact,
    sha256_of,
)
from vision.tflite_patch import first_output_shape, with_longer_output, with_normalization

FetchWheel = Callable[[Path], Path]
"""Put the wheel into a folder and say where it is."""

_REMEDY = (
    f"make sure that pip can reach a package index that has {WHEEL_REQUIREMENT}, or set {MODELS_VARIABLE} "
    f"to a folder that holds {', '.join(bundle.file_name for bundle in BUNDLES)}."
)
_PIP_TIMEOUT_S = 900.0  # 36 MB; a slow line needs minutes, a hanging one must not hang us for ever
_FACE_VALUES, _FACE_VALUES_REFINED = 3 * 468, 3 * 478  # MediaPipe 1.x reads 10 iris points behind the 468


def bundle_path(
    bundle: Bundle,
    *,
    models_dir: Path | None = None,
    environment: Mapping[str, str] | None = None,
    fetch_wheel: FetchWheel | None = None,
) -> Path:
    """Path of a bundle that is fit for use: the user's own, or the built one, built now if need be.

    The built one is held against its checksum at every call, and built again where it is damaged.

    Args:
        bundle: Which one.
        models_dir: Folder with the user's own bundles; ``CRYOGUIDE_MODELS_DIR`` where None.
        environment: Environment variables, the process' own where None.
        fetch_wheel: Fetches the wheel, by pip where None.

    Returns:
        Path of the ``.task`` file.

    Raises:
        InputError: If the folder lacks the bundle, or the models can neither be found nor fetched.
    """
    environment = os.environ if environment is None else environment
    if models_dir is None and environment.get(MODELS_VARIABLE):
        models_dir = Path(environment[MODELS_VARIABLE])
    if models_dir is not None:
        return _own_bundle(bundle, models_dir)
    folder = cache_folder(environment, home=Path.home()) / "models"
    path = folder / bundle.file_name
    if not is_intact(path, bundle):
        _build_all(folder, fetch_wheel or fetch_wheel_by_pip)
        if not is_intact(path, bundle):
            raise InputError(
                f"The {bundle.name} model that was just written to {path} does not have its checksum: "
                "check that disk, or name another folder with CRYOGUIDE_CACHE."
            )
    return path


def _own_bundle(bundle: Bundle, folder: Path) -> Path:
    names = (bundle.file_name, *bundle.other_names)
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise InputError(
            f"The models folder {folder} holds no {bundle.name} model: put {bundle.file_name} there, "
            f"or unset {MODELS_VARIABLE} to have it fetched."
        )
    if why := _unfit(bundle, found):
        raise InputError(
            f"{found} is no MediaPipe {bundle.name} bundle for use here ({why}): "
            f"download it again, or unset {MODELS_VARIABLE} to have it fetched."
        )
    return found


def _unfit(bundle: Bundle, path: Path) -> str:
    """Why a bundle of the user's cannot be used; empty where it can."""
    try:
        with zipfile.ZipFile(path) as archive:
            for network in bundle.networks:
                if network.name_in_bundle not in archive.namelist():
                    return f"it lacks {network.name_in_bundle}"
                shape = first_output_shape(archive.read(network.name_in_bundle))
                # MediaPipe 1.x takes a shorter output without a word and returns points that are 60 px off.
                if network.patch == "longer_output" and shape[-1:] != (_FACE_VALUES_REFINED,):
                    return f"its face network gives {shape[-1]} values, not {_FACE_VALUES_REFINED}"
    except (zipfile.BadZipFile, OSError, ValueError):
        return "it is damaged"
    return ""


def _build_all(folder: Path, fetch_wheel: FetchWheel) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as fetched:
            wheel = fetch_wheel(Path(fetched))
            found = sha256_of(wheel)
            if found != WHEEL_SHA256:
                raise InputError(
                    f"The {WHEEL_REQUIREMENT} wheel from your package index has checksum {found[:12]}..., "
                    f"not {WHEEL_SHA256[:12]}..., so it is not the released one and was not used: {_REMEDY}"
                )
            with zipfile.ZipFile(wheel) as archive:
                for bundle in BUNDLES:
                    # Aside, then renamed: another process that builds at the same time writes the same bytes.
                    aside = Path(fetched) / bundle.file_name
                    aside.write_bytes(build(bundle, archive))
                    aside.replace(folder / bundle.file_name)
    except OSError as error:
        raise InputError(
            f"The landmark models cannot be written to {folder} ({error.strerror or error}): "
            "free space there, or name another folder with CRYOGUIDE_CACHE."
        ) from error


def build(bundle: Bundle, wheel: zipfile.ZipFile) -> bytes:
    """Build one bundle out of the opened wheel.

    Args:
        bundle: Which one.
        wheel: The wheel.

    Returns:
        The ``.task`` file; the same bytes on every machine.

    Raises:
        InputError: If a network in the wheel is missing or is not the released one.
    """
    members: list[tuple[str, bytes]] = []
    for network in bundle.networks:
        try:
            data = wheel.read(network.path_in_wheel)
        except (KeyError, zipfile.BadZipFile) as error:
            raise InputError(
                f"The {WHEEL_REQUIREMENT} wheel holds no readable {network.path_in_wheel}: {_REMEDY}"
            ) from error
        if hashlib.sha256(data).hexdigest() != network.sha256:
            raise InputError(f"{network.path_in_wheel} in the wheel is not the released one: {_REMEDY}")
        members.append((network.name_in_bundle, _patched(data, network.patch)))
    return stored_zip(members)


def _patched(data: bytes, patch: str) -> bytes:
    if patch == "normalization":
        # The network was trained on pixels 0..1.
        return with_normalization(data, mean=0.0, std=255.0)
    if patch == "longer_output":
        return with_longer_output(data, before=_FACE_VALUES, after=_FACE_VALUES_REFINED)
    return data


def stored_zip(members: list[tuple[str, bytes]]) -> bytes:
    """Zip without compression, each member's bytes starting at a multiple of 4, as MediaPipe maps them.

    Args:
        members: Name and content, in order.

    Returns:
        The archive; it depends on nothing but the members.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            header = out.tell() + 30 + len(name)
            if padding := -header % 4:
                # An extra field of an unassigned kind: 2 bytes kind, 2 bytes length, the rest.
                info.extra = b"\xff\xff" + padding.to_bytes(2, "little") + bytes(padding)
            archive.writestr(info, data)
    return out.getvalue()


def fetch_wheel_by_pip(folder: Path) -> Path:
    """Have the user's own pip download the wheel into a folder; nothing is installed.

    Raises:
        InputError: If pip is missing, or finds no index, no network or no such wheel.
    """
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--only-binary=:all:", "--platform", WHEEL_PLATFORM),
        *("--implementation", "cp", "--python-version", WHEEL_PYTHON),
        *(WHEEL_REQUIREMENT, "--dest", str(folder)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"The landmark models could not be fetched (pip took too long): {_REMEDY}"
        ) from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise InputError(f"The landmark models could not be fetched ({_why(done.stderr)}): {_REMEDY}")
    return wheels[0]


def _why(pip_stderr: str) -> str:
    lines = [line.strip() for line in pip_stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    if any("No module named pip" in line for line in lines):
        return "this Python has no pip"
    return (errors or lines or ["pip said nothing"])[-1].rstrip(".")[:160]
