"""Landmark models: built once in the user's cache, and a wheel put together from them again."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from models.problems import InputError
from models.weights import BUNDLES, FACE, MODELS_VARIABLE
from vision.bundle import bundle_path, stored_zip


@pytest.fixture(scope="session")
def built_models() -> Path:
    """The folder of the built bundles; they are fetched on first use."""
    environment = {name: value for name, value in os.environ.items() if name != MODELS_VARIABLE}
    try:
        paths = [bundle_path(bundle, environment=environment) for bundle in BUNDLES]
    except InputError as error:
        pytest.skip(f"needs the landmark models: {error}")
    return paths[0].parent


@pytest.fixture(scope="session")
def toy_wheel(built_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the networks as released: a patch only puts bytes in front, so it comes off again."""
    path = tmp_path_factory.mktemp("wheel") / "toy.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for bundle in BUNDLES:
            with zipfile.ZipFile(built_models / bundle.file_name) as built:
                for network in bundle.networks:
                    data = built.read(network.name_in_bundle)
                    starts = range(0, 8192, 64) if network.patch else (0,)
                    released = [
                        data[start:]
                        for start in starts
                        if hashlib.sha256(data[start:]).hexdigest() == network.sha256
                    ]
                    assert len(released) == 1
                    wheel.writestr(network.path_in_wheel, released[0])
    return path


@pytest.fixture
def own_models(built_models: Path, tmp_path: Path) -> Path:
    """A folder with copies of the bundles, as a user would keep official ones."""
    folder = tmp_path / "own"
    folder.mkdir()
    for bundle in BUNDLES:
        shutil.copy(built_models / bundle.file_name, folder)
    return folder


@pytest.fixture
def unpatched_face(toy_wheel: Path, tmp_path: Path) -> Path:
    """A face bundle with the networks as they were released."""
    with zipfile.ZipFile(toy_wheel) as wheel:
        members = [(network.name_in_bundle, wheel.read(network.path_in_wheel)) for network in FACE.networks]
    path = tmp_path / FACE.file_name
    path.write_bytes(stored_zip(members))
    return path
