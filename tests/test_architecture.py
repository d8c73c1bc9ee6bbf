"""What holds for the project as a whole: names, arrows, locks, packages."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("vision", "models", "guidance", "calibration")
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-bench.lock",
    "requirements-bench-alone.lock",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_ours_and_not_one_of_the_same_name(package: str) -> None:
    file = importlib.import_module(package).__file__
    assert file is not None
    assert Path(file).is_relative_to(ROOT)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_what_it_is_and_does_nothing_on_import(package: str) -> None:
    for path in (ROOT / package).rglob("__init__.py"):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1
        assert isinstance(body[0], ast.Expr)
        assert isinstance(body[0].value, ast.Constant)
    assert (ROOT / package / "py.typed").exists()


def test_exactly_one_distribution_provides_cv2() -> None:
    providers = metadata.packages_distributions()["cv2"]
    assert sorted(set(providers)) == ["opencv-contrib-python"]


def test_tests_are_no_packages_so_that_they_hide_none_of_ours() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_no_module_takes_the_name_of_one_of_pythons_own() -> None:
    ours = {path.stem for package in PACKAGES for path in (ROOT / package).glob("*.py")} - {"__init__"}
    assert ours & set(sys.stdlib_module_names) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_names_every_module(package: str) -> None:
    map_ = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"[a-z_]+", map_))
    modules = {path.stem for path in (ROOT / package).rglob("*.py")} - {"__init__"}
    assert sorted(modules - named) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_and_no_address(lock: str) -> None:
    line = re.compile(
        r"^[a-z0-9][a-z0-9.-]*(\[[a-z,]+\])?==[0-9][0-9a-z.]*( ; [a-zA-Z0-9_ '.<>=!()]+)? \\$"
        r"|^    --hash=sha256:[0-9a-f]{64}( \\)?$"
    )
    strange = [text for text in (ROOT / lock).read_text().splitlines() if not line.match(text)]
    assert strange == []


def test_the_dev_lock_installs_the_versions_that_users_get() -> None:
    def pinned(lock: str) -> set[str]:
        # Where a version is wanted for some Pythons only by users, tools may want it for all.
        lines = (ROOT / lock).read_text().splitlines()
        return {re.split(r" [;\\]", text)[0] for text in lines if "==" in text}

    assert pinned("requirements.lock") <= pinned("requirements-dev.lock")


def test_the_peers_bring_no_second_cv2_and_no_other_version_of_what_is_installed() -> None:
    """The lock of the peers is installed over the dev lock, without looking at what they require."""

    def pinned(lock: str) -> dict[str, str]:
        lines = (ROOT / lock).read_text().splitlines()
        return {name: version for name, found, version in (text.partition("==") for text in lines) if found}

    peers, ours = pinned("requirements-bench.lock"), pinned("requirements-dev.lock")
    assert [name for name in peers if name.startswith("opencv")] == []
    assert {name: peers[name] for name in peers.keys() & ours.keys() if peers[name] != ours[name]} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_pins_everything_that_the_project_names(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["setup"]]
    if lock.startswith("requirements-bench"):
        wanted = project["dependency-groups"][lock.removeprefix("requirements-").removesuffix(".lock")]
    if lock == "requirements-dev.lock":
        wanted += [entry for entry in project["dependency-groups"]["dev"] if isinstance(entry, str)]
    names = {re.split(r"[\[<>=!~ ]", entry)[0].lower() for entry in wanted}
    text = (ROOT / lock).read_text()
    assert sorted(name for name in names if f"\n{name}==" not in f"\n{text}") == []


def test_no_tracked_text_names_a_package_registry() -> None:
    """Users bring their own index: an address of ours would send them elsewhere."""
    registry = re.compile(
        r"(py" + r"pi\.org|python" + r"hosted|registry\.npm" + r"js|--(extra-)?index" + r"-url[ =]\S+://)"
    )
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode != 0:
        pytest.skip("needs a git checkout, to know which files are tracked")
    named = []
    for name in filter(None, tracked.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in {".mp4", ".mkv", ".npz", ".png", ".jpg"} or not path.is_file():
            continue
        if registry.search(path.read_text(errors="replace")):
            named.append(name)
    assert named == []


def test_the_wheel_holds_all_packages_with_their_data_and_they_import(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for package in PACKAGES:
        ours = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*") if is_shipped(path)}
        held = {path.relative_to(site) for path in (site / package).rglob("*") if path.is_file()}
        assert ours <= held
    names = ", ".join(PACKAGES)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        f"import {names}, models.catalogue, guidance.cli\n"
        f"assert all(package.__file__.startswith({str(site)!r}) for package in ({names}))\n"
        "models.catalogue.load_zones()\n"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def is_shipped(path: Path) -> bool:
    """Whether a file of the tree belongs into the wheel."""
    return path.is_file() and path.suffix in {".css", ".html", ".js", ".py", ".toml", ".typed"}
