"""A page that lies on disk, and what is shown in its place where it cannot be: one sentence."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
from pathlib import Path

from starlette.responses import HTMLResponse, Response

from guidance.console.guard import REPORT_POLICY

NOT_FOUND = 404

_KIND = "text/html; charset=utf-8"
_END = b"</html>"
"""What a page ends with that was written whole."""
_LOOK = (
    "html{height:100%;color-scheme:dark}"
    "body{margin:0;min-height:100%;display:grid;place-items:center;background:#0b0f14;color:#f2f5f8;"
    'font:600 26px/1.35 system-ui,"Segoe UI","DejaVu Sans",sans-serif}'
    "p{margin:24px;max-width:24em;padding:22px 26px;border-left:8px solid #e69f00;border-radius:6px;"
    "background:#151b23;overflow-wrap:anywhere}"
)
"""Of the console: dark, large."""
_SHA256 = base64.b64encode(hashlib.sha256(_LOOK.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_SHA256}';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Its own look by its checksum, and nothing else."""


def sentence_page(words: str, *, status: int = NOT_FOUND) -> Response:
    """A page of one sentence."""
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>cryoguide</title><style>{_LOOK}</style></head>"
        f"<body><p>{html.escape(words)}</p></body></html>\n"
    )
    return HTMLResponse(page, status, headers={"content-security-policy": _POLICY})


async def written_page(path: Path | None, *, what: str, none_yet: str, remedy: str) -> Response:
    """The page as it lies on disk, or one sentence that says why not.

    Args:
        path: Its file; None = it was not written yet.
        what: What it is, as a sentence begins with it.
        none_yet: Said where there is none.
        remedy: A sentence: how it is had again.
    """
    if path is None:
        return sentence_page(none_yet)
    named = f"{path.parent.name}/{path.name}"  # no path of the machine
    try:
        body = await asyncio.to_thread(path.read_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return sentence_page(f"{what} is not there any more: {named} was moved or removed. {remedy}")
    except OSError as trouble:
        return sentence_page(f"{what} ({named}) cannot be read ({trouble.strerror}). {remedy}")
    if not body.rstrip().endswith(_END):
        return sentence_page(f"{what} ({named}) is not whole: its end is missing. {remedy}")
    return Response(body, media_type=_KIND, headers={"content-security-policy": REPORT_POLICY})
