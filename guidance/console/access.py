"""Who may look: on this machine's own address whoever uses it; on the network paired screens, over TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from guidance.console.address import LOOPBACK, Address, resolve
from guidance.console.certificate import identity
from guidance.console.pairing import LASTS_S, Pairing, Token
from guidance.console.qr_code import code_of
from guidance.live.options import HOST


@dataclass(frozen=True)
class Wanted:
    """What the user asks for."""

    host: str = HOST
    certificate: Path | None = None
    key: Path | None = None
    pair: bool = False
    """TLS and a token on this machine's own address too."""


@dataclass(frozen=True)
class Access:
    """Where the console listens, and to whom it answers."""

    address: Address = LOOPBACK
    tls: ssl.SSLContext | None = None
    """None = plain http."""
    pairing: Pairing | None = None
    """None = whoever calls is let in."""
    words: str = ""
    """What stands on the machine's own screen beside the address."""

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return "http" if self.tls is None else "https"


OPEN = Access()
"""This machine's own address, to whoever uses it."""


def access(wanted: Wanted, *, folder: Path) -> Access:
    """What is asked for, made ready. On any address that others can call there is TLS and a token, always.

    Args:
        wanted: What is asked for.
        folder: Where a certificate of this machine's own is kept.

    Raises:
        InputError: If the address is none, or there is no certificate.
    """
    address = resolve(wanted.host)
    own = wanted.certificate is not None or wanted.key is not None
    if address.loopback and not (wanted.pair or own):
        return Access(address)
    found = identity(address, certificate=wanted.certificate, key=wanted.key, folder=folder)
    by = f"made here, kept in {found.kept}" if found.kept is not None else "your own"
    words = (
        f"Certificate ({by}), SHA-256:\n  {found.fingerprint}\n"
        "A browser that does not know it warns: compare these letters with those it shows, then go on."
    )
    return Access(address, found.context, Pairing(), words)


def token_words(token: Token, *, url: str, code: bool) -> str:
    """A token as it stands on the machine's own screen.

    Args:
        token: What is typed.
        url: Address of the console.
        code: Whether the screen can show a code for a tablet's camera. What follows the # in its address is
            sent to no server.
    """
    words = f"Pairing token  {token.words}   (for one screen, {LASTS_S / 60:.0f} minutes)"
    return f"{words}\n{code_of(f'{url}pair#{token.digits}')}" if code else words
