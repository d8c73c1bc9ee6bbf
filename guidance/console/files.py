"""The files of the page, read once: no name that comes over a network is ever looked up on disk."""

from __future__ import annotations

from importlib import resources

from guidance.alarms.tone_files import tone_name, wav
from guidance.alarms.tones import SOUNDS, burst

KINDS = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript"}
_PAGE_FILES = (
    "index.html", "console.css", "zone.css", "console.js", "drawing.js", "sound.js", "pages.js", "zone.js",
    "awake.js", "rig_check.js",
)  # fmt: skip


def page_files() -> dict[str, tuple[bytes, str]]:
    """All that can be asked for, by name: what it holds, and its kind."""
    folder = resources.files("guidance.console").joinpath("page")
    files = {
        name: (folder.joinpath(name).read_bytes(), KINDS[name.rsplit(".", 1)[1]]) for name in _PAGE_FILES
    }
    return files | {f"{tone_name(sound)}.wav": (wav(burst(sound)), "audio/wav") for sound in SOUNDS}
