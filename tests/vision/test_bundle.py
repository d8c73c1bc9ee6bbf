"""Fetching, building, checking and overriding the landmark models."""

from __future__ import annotations

import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import vision.bundle
from models.problems import InputError
from models.weights import BUNDLES, FACE, POSE, sha256_of
from vision.bundle import FetchWheel, build, bundle_path, fetch_wheel_by_pip, stored_zip


@pytest.fixture
def fetch_toy_wheel(toy_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> FetchWheel:
    """Delivers the toy wheel, which counts as the released one."""
    monkeypatch.setattr(vision.bundle, "WHEEL_SHA256", sha256_of(toy_wheel))
    return lambda folder: Path(shutil.copy(toy_wheel, folder))


def no_wheel(folder: Path) -> Path:
    raise AssertionError("nothing was to be fetched")


def test_the_built_bundles_have_their_pinned_checksums(toy_wheel: Path) -> None:
    with zipfile.ZipFile(toy_wheel) as wheel:
        for bundle in BUNDLES:
            built = build(bundle, wheel)
            assert built == build(bundle, wheel)
            assert bundle.sha256 == vision.bundle.hashlib.sha256(built).hexdigest()


def test_first_use_builds_all_and_leaves_nothing_else(fetch_toy_wheel: FetchWheel, tmp_path: Path) -> None:
    environment = {"CRYOGUIDE_CACHE": str(tmp_path)}
    path = bundle_path(POSE, environment=environment, fetch_wheel=fetch_toy_wheel)
    assert sha256_of(path) == POSE.sha256
    assert bundle_path(FACE, environment=environment, fetch_wheel=no_wheel).is_file()
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(b.file_name for b in BUNDLES)


@pytest.mark.parametrize("damage", ["cut", "one bit", "gone"])
def test_a_damaged_bundle_is_noticed_and_built_again(
    damage: str, fetch_toy_wheel: FetchWheel, tmp_path: Path
) -> None:
    environment = {"CRYOGUIDE_CACHE": str(tmp_path)}
    path = bundle_path(FACE, environment=environment, fetch_wheel=fetch_toy_wheel)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "one bit":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        path.unlink()
    again = bundle_path(FACE, environment=environment, fetch_wheel=fetch_toy_wheel)
    assert sha256_of(again) == FACE.sha256


def test_several_that_build_at_once_do_not_disturb_each_other(
    fetch_toy_wheel: FetchWheel, tmp_path: Path
) -> None:
    def start(_: int) -> str:
        return sha256_of(
            bundle_path(POSE, environment={"CRYOGUIDE_CACHE": str(tmp_path)}, fetch_wheel=fetch_toy_wheel)
        )

    with ThreadPoolExecutor(4) as several:
        assert set(several.map(start, range(4))) == {POSE.sha256}
    assert not list((tmp_path / "models").glob(".fetch-*"))


def test_another_wheel_than_the_released_one_is_not_used(tmp_path: Path) -> None:
    def fetch(folder: Path) -> Path:
        (folder / "other.whl").write_bytes(b"something else")
        return folder / "other.whl"

    with pytest.raises(InputError, match="not the released one"):
        bundle_path(POSE, environment={"CRYOGUIDE_CACHE": str(tmp_path)}, fetch_wheel=fetch)
    assert not list((tmp_path / "models").iterdir())


def test_another_network_than_the_released_one_is_not_used(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.whl", "w") as wheel:
        wheel.writestr(FACE.networks[0].path_in_wheel, b"TFL3TFL3")
    with zipfile.ZipFile(tmp_path / "w.whl") as wheel:
        with pytest.raises(
            InputError, match=r"face_detection_short_range\.tflite in the wheel is not the released"
        ):
            build(FACE, wheel)
        with pytest.raises(InputError, match=r"no readable .*pose_detection\.tflite"):
            build(POSE, wheel)


def test_without_an_index_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(InputError) as refusal:
        fetch_wheel_by_pip(tmp_path)
    sentence = str(refusal.value)
    assert "mediapipe==0.10.21" in sentence
    assert "CRYOGUIDE_MODELS_DIR" in sentence
    assert "\n" not in sentence


def test_a_cache_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="CRYOGUIDE_CACHE"):
        bundle_path(POSE, environment={"CRYOGUIDE_CACHE": str(tmp_path / "file")}, fetch_wheel=no_wheel)


def test_own_models_are_used_by_argument_and_by_variable(own_models: Path, tmp_path: Path) -> None:
    cache = {"CRYOGUIDE_CACHE": str(tmp_path / "cache")}
    by_argument = bundle_path(POSE, models_dir=own_models, environment=cache, fetch_wheel=no_wheel)
    variable = {**cache, "CRYOGUIDE_MODELS_DIR": str(own_models)}
    by_variable = bundle_path(POSE, environment=variable, fetch_wheel=no_wheel)
    assert by_argument == by_variable == own_models / POSE.file_name
    (own_models / POSE.file_name).rename(own_models / "pose_landmarker_heavy.task")
    renamed = bundle_path(POSE, models_dir=own_models, environment=cache, fetch_wheel=no_wheel)
    assert renamed.name == "pose_landmarker_heavy.task"
    assert not (tmp_path / "cache").exists()


def test_own_models_that_lack_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no face model: put face_landmarker\.task there"):
        bundle_path(FACE, models_dir=tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>not found</html>", "it is damaged"),
        (stored_zip([("pose_detector.tflite", b"????TFL3")]), "it is damaged"),
        (stored_zip([("hand_detector.tflite", b"")]), r"it lacks pose_detector\.tflite"),
    ],
)
def test_own_models_of_another_kind_are_refused(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / POSE.file_name).write_bytes(content)
    with pytest.raises(InputError, match=why):
        bundle_path(POSE, models_dir=tmp_path)


def test_a_stored_zip_keeps_every_member_at_a_multiple_of_four() -> None:
    members = [("a" * length, bytes([length]) * (length + 1)) for length in range(1, 9)]
    data = stored_zip(members)
    for _, content in members:
        assert data.index(content) % 4 == 0
    assert data == stored_zip(members)
