"""The door of a console on the network: a screen that was not paired sees the pairing page alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from importlib import resources

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from guidance.console.guard import caller
from guidance.console.pairing import NotPairedError, Pairing

PAIR = "/pair"
TYPED_MOST = 64
"""Bytes of a typed token: eight digits and spaces."""
TYPED_WITHIN_S = 10.0
"""So long it may be on its way."""
UNPAIRED, WRONG, TOO_SOON, TOO_LONG, TOO_SLOW = 401, 403, 429, 413, 408

_FILES = {PAIR: ("pair.html", "text/html; charset=utf-8"), "/pair.js": ("pair.js", "text/javascript"),
          "/pair.css": ("pair.css", "text/css")}  # fmt: skip


class Door:
    """Lets paired screens through."""

    def __init__(self, app: ASGIApp, pairing: Pairing, *, name: str, note: Callable[[str], None]) -> None:
        """Stand before an application.

        Args:
            app: What only paired screens reach.
            pairing: Tokens and sessions.
            name: Of the cookie. It begins with ``__Host-``, which binds it to this host and to TLS
                (RFC 6265bis, 4.1.3.2).
            note: Told of refused attempts and of screens that were paired.
        """
        self._app, self._pairing, self._name, self._note = app, pairing, name, note
        self._files = _read()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or connection."""
        if scope["type"] not in ("http", "websocket") or self._paired(scope):
            app = RedirectResponse("/", 303) if scope.get("path") == PAIR else self._app
            await app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            self._note(f"Refused: a page that is not paired, from {caller(scope)}.")
            await send({"type": "websocket.close", "code": 1008})
            return
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path, who = request.url.path, caller(request.scope)
        if path == PAIR and request.method == "POST":
            return await self._pair(request, who)
        if path == "/":
            return RedirectResponse(PAIR, 303)
        if path not in self._files:
            self._note(f"Refused: {path!r} for a screen that is not paired, from {who}.")
            return PlainTextResponse("Pair this screen first.", UNPAIRED)
        if path == PAIR and request.method == "GET":
            self._note(f"A screen at {who} asks to be paired.")
            self._pairing.ask()
        body, kind = self._files[path]
        return Response(body, media_type=kind)

    async def _pair(self, request: Request, who: str) -> Response:
        typed = b""
        try:
            async with asyncio.timeout(TYPED_WITHIN_S):
                async for chunk in request.stream():
                    typed += chunk
                    if len(typed) > TYPED_MOST:
                        self._note(f"Refused: a token of more than {TYPED_MOST} bytes from {who}.")
                        return PlainTextResponse("Too long.", TOO_LONG)
        except TimeoutError:
            self._note(f"Refused: a token that does not come to its end, from {who}.")
            return PlainTextResponse("Too slow.", TOO_SLOW, {"connection": "close"})
        try:
            secret = self._pairing.pair(typed.decode("utf-8", "replace"))
        except NotPairedError as why:
            self._note(f"Refused: a token from {who}. {why}")
            wait = {"retry-after": str(max(1, round(why.wait_s)))}
            return PlainTextResponse(str(why), WRONG if why.judged else TOO_SOON, wait)
        self._note(f"Paired: a screen at {who}.")
        answer = Response(status_code=204)
        answer.set_cookie(self._name, secret, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    def _paired(self, scope: Scope) -> bool:
        try:
            cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
        except CookieError:
            return False
        found = cookies.get(self._name)
        return self._pairing.knows(found.value if found is not None else None)


def _read() -> Mapping[str, tuple[bytes, str]]:
    folder = resources.files("guidance.console").joinpath("page")
    return {path: (folder.joinpath(name).read_bytes(), kind) for path, (name, kind) in _FILES.items()}
