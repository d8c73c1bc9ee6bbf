"""Who may talk to the console: Host and Origin checked, strict headers, a limit on what a page may send."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 60.0, 120.0
"""A page tells each picture drawn (30 a second) and a tap now and then: one of ours stays at half."""

REFUSED, NOT_ALLOWED = 403, 405

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {line}://{host};"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
)
"""The report is one file with its own script and style; in a sandbox it can do nothing to the console."""


class Guard:
    """Lets through what comes from the console's own page on this machine, and refuses the rest."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: tuple[str, ...],
        note: Callable[[str], None],
        scheme: str = "http",
        posts: frozenset[str] = frozenset(),
    ) -> None:
        """Guard an application.

        Args:
            app: What is guarded.
            hosts: ``name:port`` under which the console may be called. A foreign site whose name was made to
                point here (DNS rebinding) calls it by another.
            note: Told of each attempt that was refused.
            scheme: ``http``, or ``https`` where TLS is spoken.
            posts: Paths to which something may be sent.
        """
        self._app, self._hosts, self._note = app, hosts, note
        self._scheme, self._posts = scheme, posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        reason = ""
        if host not in self._hosts:
            reason = "a foreign Host"
        elif origin is not None and origin != f"{self._scheme}://{host}":
            reason = "a foreign Origin"
        elif origin is None and (scope["type"] == "websocket" or self._sends(scope)):
            reason = "no Origin"
        if reason:
            said = origin if host in self._hosts else host
            self._note(f"Refused: {scope['type']} with {reason} ({said!r}) from {caller(scope)}.")
        if scope["type"] == "websocket":
            if reason:
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        takes = scope["method"] in ("GET", "HEAD") or self._sends(scope)
        if not reason and not takes:
            self._note(f"Refused: {scope['method']} {scope['path']!r} from {caller(scope)}.")
        if reason or not takes:
            code = REFUSED if reason else NOT_ALLOWED
            await PlainTextResponse("Refused.", code)(scope, receive, send)
            return

        line = "wss" if self._scheme == "https" else "ws"

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                out.setdefault("content-security-policy", _POLICY.format(line=line, host=host))
                out["x-content-type-options"] = "nosniff"
                out["referrer-policy"] = "no-referrer"
                out["cross-origin-opener-policy"] = "same-origin"
                out["cross-origin-resource-policy"] = "same-origin"
                out["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, strict)

    def _sends(self, scope: Scope) -> bool:
        """Whether something is sent where that is taken."""
        return bool(scope["method"] == "POST" and scope["path"] in self._posts)


def caller(scope: Scope) -> str:
    """The address that a request or connection comes from."""
    client = scope.get("client")
    return str(client[0]) if client else "an unknown address"


class Allowance:
    """So many messages a page may send: a bucket that fills at a steady rate."""

    def __init__(
        self,
        *,
        a_second: float = MESSAGES_A_SECOND,
        at_once: float = MESSAGES_AT_ONCE,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Full."""
        self._rate, self._most, self._now_s = a_second, at_once, now_s
        self._left, self._at_s = at_once, now_s()

    def take(self) -> bool:
        """One message came; False where that is one too many."""
        now_s = self._now_s()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
