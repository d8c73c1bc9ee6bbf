"""What is served beside the live line: the page's files, the report, and who stands before them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from guidance.console.door import PAIR, Door
from guidance.console.files import page_files
from guidance.console.guard import Guard
from guidance.console.pairing import Pairing
from guidance.console.written_page import written_page


def file_routes(report: Callable[[], Path | None]) -> list[BaseRoute]:
    """The page's files, and the report.

    Args:
        report: Tells its folder; None = there is none yet.
    """
    files = page_files()

    async def file(request: Request) -> Response:
        body, kind = files[request.url.path[1:] or "index.html"]
        return Response(body, media_type=kind)

    async def written(_: Request) -> Response:
        folder = report()
        return await written_page(
            None if folder is None else folder / "report.html",
            what="The report",
            none_yet="There is no report yet.",
            remedy="If the session was recorded, `cryoguide analyze` makes one of its recording.",
        )

    return [
        Route("/", file, name="index.html"),
        Route("/report", written),
        *(Route(f"/{name}", file, name=name) for name in files if name != "index.html"),
    ]


def guarded(
    app: ASGIApp, *, hosts: tuple[str, ...], scheme: str, pairing: Pairing | None, note: Callable[[str], None]
) -> Guard:
    """The application behind its guard, and its door where screens must be paired.

    Args:
        app: What is guarded.
        hosts: ``name:port`` under which it may be called.
        scheme: ``http``, or ``https`` where TLS is spoken.
        pairing: Lets in screens that were paired, and nobody else; None = whoever calls.
        note: Told of refused attempts.
    """
    if pairing is None:
        return Guard(app, hosts=hosts, note=note, scheme=scheme)
    door = Door(app, pairing, name=f"__Host-cryoguide-{hosts[0].rsplit(':', 1)[-1]}", note=note)
    return Guard(door, hosts=hosts, note=note, scheme=scheme, posts=frozenset({PAIR}))
