"""Version of the software, written into every report."""

from __future__ import annotations

from importlib import metadata


def software_version() -> str:
    """The installed version, or ``unknown`` where the tree runs without having been installed."""
    try:
        return metadata.version("cryoguide")
    except metadata.PackageNotFoundError:
        return "unknown"
