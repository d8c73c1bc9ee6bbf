import hashlib
from dataclasses import replace
from pathlib import Path

from models.weights import BUNDLES, POSE, cache_folder, is_intact, sha256_of


def test_own_cache_folder_wins_over_the_general_one() -> None:
    home = Path("home")
    assert cache_folder({"CRYOGUIDE_CACHE": "a", "XDG_CACHE_HOME": "b"}, home=home) == Path("a")
    assert cache_folder({"XDG_CACHE_HOME": "b"}, home=home) == Path("b/cryoguide")
    assert cache_folder({"CRYOGUIDE_CACHE": "", "XDG_CACHE_HOME": ""}, home=home) == home / ".cache/cryoguide"


def test_a_file_is_intact_only_with_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "pose.task"
    bundle = replace(POSE, sha256=hashlib.sha256(b"right").hexdigest())
    assert not is_intact(path, bundle)
    path.write_bytes(b"right")
    assert is_intact(path, bundle)
    path.write_bytes(b"wrong")
    assert not is_intact(path, bundle)
    assert sha256_of(path) == hashlib.sha256(b"wrong").hexdigest()


def test_every_network_and_bundle_has_its_own_pinned_checksum() -> None:
    pinned = [bundle.sha256 for bundle in BUNDLES]
    pinned += [network.sha256 for bundle in BUNDLES for network in bundle.networks]
    assert all(len(digits) == 64 and int(digits, 16) for digits in pinned)
    assert len(set(pinned)) == len(pinned)
