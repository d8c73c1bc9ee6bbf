"""Who may look over a network: a token read off the machine's own screen, exchanged for a session cookie.

A token is eight digits, for gloves; it lasts five minutes and works once. Digits are few, so guesses are kept
few: after a wrong one none is judged for a second, after five the token is dead and the wait grows. Guessed
without a pause at the rate that is left, one attempt each two seconds, a day gives one chance in 2000.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

DIGITS = 8
LASTS_S = 300.0
WRONG_MOST = 5
"""Wrong ones after which a token is dead."""
WAIT_S = 1.0
"""Nothing is judged so long after a wrong one."""
LONG_WAIT_S, LONGEST_WAIT_S = 10.0, 80.0
"""After a token was guessed to death; doubled each time, up to the longest."""
SESSION_S = 12 * 3600.0
"""A screen is paired for a day's work, and no longer than the program runs."""
SESSIONS_MOST = 16


class NotPairedError(Exception):
    """A token that is not accepted, with a sentence for whoever typed it."""

    def __init__(self, words: str, *, wait_s: float, judged: bool = True) -> None:
        """With the time until another one is judged, and whether this one was."""
        super().__init__(words)
        self.wait_s, self.judged = wait_s, judged


@dataclass(frozen=True)
class Token:
    """What is to be read off the machine's own screen."""

    digits: str
    until_s: float

    @property
    def words(self) -> str:
        """In two groups."""
        half = DIGITS // 2
        return f"{self.digits[:half]} {self.digits[half:]}"


class Pairing:
    """Tokens and sessions of one run of the program; nothing of them is kept anywhere."""

    def __init__(
        self, *, show: Callable[[Token], None] = lambda _: None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """No token yet: one is made when the first screen asks.

        Args:
            show: Puts a new token on the machine's own screen.
            now_s: The clock.
        """
        self._show, self._now_s = show, now_s
        self._token: Token | None = None
        self._wrong = self._dead = 0
        self._closed_until_s = 0.0
        self._sessions: dict[str, float] = {}

    def show_with(self, show: Callable[[Token], None]) -> None:
        """Put new tokens on the screen this way from now on: the address beside them may be known late."""
        self._show = show

    def ask(self) -> None:
        """A screen wants to be paired: show a token, unless one that holds is there already."""
        if self._token is None or self._token.until_s <= self._now_s():
            self._token = Token(f"{secrets.randbelow(10**DIGITS):0{DIGITS}}", self._now_s() + LASTS_S)
            self._wrong = 0
            self._show(self._token)

    def pair(self, typed: str) -> str:
        """Exchange a token for a session.

        Args:
            typed: What was typed; spaces do not count.

        Returns:
            The secret of the new session, for its cookie.

        Raises:
            NotPairedError: If it is not the token, or nothing is judged now.
        """
        now_s = self._now_s()
        if now_s < self._closed_until_s:
            left_s = self._closed_until_s - now_s
            words = f"Wait {max(1, round(left_s))} s, then type it again."
            raise NotPairedError(words, wait_s=left_s, judged=False)
        token = self._token
        if token is None or token.until_s <= now_s:
            self._closed_until_s = now_s + WAIT_S
            self.ask()
            words = "That token is over: a new one stands on the machine's screen."
            raise NotPairedError(words, wait_s=WAIT_S)
        if not hmac.compare_digest("".join(typed.split()).encode("utf-8", "replace"), token.digits.encode()):
            raise self._wrong_one(now_s)
        self._token, self._dead = None, 0
        return self._begin(now_s)

    def knows(self, secret: str | None) -> bool:
        """Whether a cookie is that of a session that holds."""
        if not secret:
            return False
        until_s = self._sessions.get(_digest(secret))
        return until_s is not None and self._now_s() < until_s

    def _wrong_one(self, now_s: float) -> NotPairedError:
        self._wrong += 1
        self._closed_until_s = now_s + WAIT_S
        if self._wrong < WRONG_MOST:
            return NotPairedError("That is not the token on the machine's screen.", wait_s=WAIT_S)
        wait_s = min(LONG_WAIT_S * 2**self._dead, LONGEST_WAIT_S)
        self._dead, self._token, self._closed_until_s = self._dead + 1, None, now_s + wait_s
        self.ask()
        return NotPairedError(
            f"Wrong {WRONG_MOST} times: a new token stands on the machine's screen. Wait {wait_s:.0f} s.",
            wait_s=wait_s,
        )

    def _begin(self, now_s: float) -> str:
        secret = secrets.token_urlsafe(32)
        self._sessions = {name: until_s for name, until_s in self._sessions.items() if until_s > now_s}
        while len(self._sessions) >= SESSIONS_MOST:
            del self._sessions[next(iter(self._sessions))]  # the oldest
        self._sessions[_digest(secret)] = now_s + SESSION_S
        return secret


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
