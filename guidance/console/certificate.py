"""Under which certificate the console speaks TLS: the user's own, or one that is made here and kept."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from guidance.console.address import Address
from guidance.console.self_signed import FILE, keep_certificate
from models.problems import InputError


@dataclass(frozen=True)
class Identity:
    """What a browser sees of this machine."""

    fingerprint: str
    """SHA-256 of the certificate, as browsers show it."""
    context: ssl.SSLContext
    kept: Path | None
    """The file of the certificate that was made here; None = the user's own."""


def identity(
    address: Address,
    *,
    certificate: Path | None,
    key: Path | None,
    folder: Path,
    now: datetime | None = None,
) -> Identity:
    """The certificate to be used.

    Args:
        address: Under which the console is called.
        certificate: The user's own, PEM, with its chain; None = one that is kept in `folder`.
        key: Of that certificate.
        folder: The user's data.
        now: The time of day.

    Raises:
        InputError: If a file cannot be read, the two do not belong together, or none can be made.
    """
    if (certificate is None) != (key is None):
        raise InputError("Give --certificate and --key together: one is of no use without the other.")
    kept = None
    if certificate is None or key is None:
        kept = certificate = key = folder / FILE
        keep_certificate(kept, (address.name, address.number), now=now or datetime.now(UTC))
    context = _context(certificate, key)
    return Identity(_fingerprint(certificate), context, kept)


def tell_of_handshakes(context: ssl.SSLContext, refused: Callable[[str], None]) -> None:
    """Tell of each connection that speaks no proper TLS: asyncio closes it without a word."""
    context.sslobject_class = _telling(refused)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # A key that is locked must not ask for its password in the middle of the start.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as trouble:
        why = trouble.reason or "unreadable"
        raise InputError(
            f"{certificate} and {key} are no certificate and key that belong together ({why});"
            " give two PEM files, the key without a password."
        ) from trouble
    except OSError as trouble:
        raise InputError(
            f"{certificate} and {key} cannot be read ({trouble.strerror}); check paths and permissions."
        ) from trouble
    return context


def _fingerprint(certificate: Path) -> str:
    pem = certificate.read_text("ascii")
    first = pem[pem.index(ssl.PEM_HEADER) : pem.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)]
    digits = sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest().upper()
    return ":".join(digits[k : k + 2] for k in range(0, len(digits), 2))


def _telling(refused: Callable[[str], None]) -> type[ssl.SSLObject]:
    class Told(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as trouble:
                reason = trouble.reason or "unknown"
                if reason == "HTTP_REQUEST":
                    refused("Refused: plain http where only TLS is spoken; the address begins with https.")
                elif "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
                    refused("Refused: a browser that does not trust this machine's certificate yet.")
                else:
                    refused(f"Refused: a connection without proper TLS ({reason}).")
                raise

    return Told
