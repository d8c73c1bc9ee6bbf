"""Say in one sentence which system library is missing, and how to install it."""

from __future__ import annotations

import re

# Debian and Ubuntu packages by library. mediapipe loads libEGL and libGLESv2, OpenCV libGL.
_PACKAGES = {
    "libEGL": "libegl1",
    "libGLESv2": "libgles2",
    "libGL": "libgl1",
    "libOpenGL": "libopengl0",
    "libGLX": "libglx0",
    "libGLdispatch": "libglvnd0",
    "libgthread-2.0": "libglib2.0-0",
    "libglib-2.0": "libglib2.0-0",
    "libSM": "libsm6",
    "libICE": "libice6",
    "libXext": "libxext6",
    "libXrender": "libxrender1",
    "libX11": "libx11-6",
    "libxcb": "libxcb1",
    "libgomp": "libgomp1",
    "libstdc++": "libstdc++6",
}
# Where one of these is missing the others usually are too: one command for all instead of three runs.
_GRAPHICS = {"libEGL", "libGLESv2", "libGL"}

_MISSING = re.compile(r"(lib[\w+.-]*?)(\.so(?:\.\d+)*): cannot open shared object file")


def missing_library_sentence(error: ImportError | OSError) -> str | None:
    """One sentence for a failed import or load that lacks a system library.

    Args:
        error: What ``import cv2`` or loading mediapipe raised.

    Returns:
        Which library, and the command that installs it on Debian and Ubuntu; None where the error is
        about something else.
    """
    found = _MISSING.search(str(error))
    if found is None:
        return None
    name, ending = found.groups()
    package = _PACKAGES.get(name)
    if package is None:
        return (
            f"The system library {name}{ending} is missing: install the package that holds it "
            f"(on Debian or Ubuntu `apt-file search {name}{ending}` names it), then start again."
        )
    packages = sorted({_PACKAGES[other] for other in _GRAPHICS}) if name in _GRAPHICS else [package]
    return (
        f"The system library {name}{ending} is missing: install it (on Debian or Ubuntu "
        f"`sudo apt-get install -y {' '.join(packages)}`), then start again."
    )
