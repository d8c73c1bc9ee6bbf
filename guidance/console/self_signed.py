"""A certificate of this machine's own, made on first use and kept, so that a browser trusts it once."""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from models.problems import InputError

FILE = "console.pem"
"""Key and certificate in one file, so that they always belong together."""
LASTS = timedelta(days=397)
"""A year and a month (own choice): each renewal asks for a look at the fingerprint on every tablet."""
RENEWED = timedelta(days=30)
"""So long before its end it is made anew."""


def keep_certificate(path: Path, names: tuple[str, ...], *, now: datetime) -> None:
    """See to it that a file holds a certificate for some names, made anew only where it has to be.

    Args:
        path: The file; its folder is made.
        names: Names and numbers under which this machine is called. Those of an earlier one stay.
        now: The time of day.

    Raises:
        InputError: If it cannot be written, or the package that makes it is not installed.
    """
    with_library = _cryptography()
    before, until = _read(with_library, path)
    if until is not None and until - now > RENEWED and set(names) <= set(before):
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, _made(with_library, dict.fromkeys((*before, *names)), now=now))
    except OSError as trouble:
        raise InputError(
            f"No certificate can be kept in {path.parent} ({trouble.strerror}); make room there, or give"
            " --certificate and --key."
        ) from trouble


def _read(library: Any, path: Path) -> tuple[tuple[str, ...], datetime | None]:
    """Names of a kept certificate and when it ends; none where there is none that can be used."""
    x509 = library.x509
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=lambda: "")
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return (), None
    numbers = (str(number) for number in names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *numbers), found.not_valid_after_utc


def _made(library: Any, names: dict[str, None], *, now: datetime) -> bytes:
    """A new key and a certificate for it, as PEM: ECDSA on P-256, which every browser of today speaks."""
    x509, serialization = library.x509, library.serialization
    key = library.ec.generate_private_key(library.ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cryoguide console")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a tablet's clock may be behind
        .not_valid_after(now + LASTS)
        .add_extension(
            x509.SubjectAlternativeName([_alternative(x509, one) for one in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, library.hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    return bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem)
    )


def _alternative(x509: Any, name: str) -> Any:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _write(path: Path, data: bytes) -> None:
    """Readable by its owner alone from its first byte on."""
    number, aside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise


def _cryptography() -> Any:
    try:
        from cryptography import x509  # pyright: ignore[reportMissingImports] # an extra
        from cryptography.hazmat.primitives import (  # pyright: ignore[reportMissingImports]
            hashes,
            serialization,
        )
        from cryptography.hazmat.primitives.asymmetric import ec  # pyright: ignore[reportMissingImports]
    except ImportError as trouble:
        raise InputError(
            "On the network the page needs a certificate: give --certificate and --key, or install what makes"
            ' one with pip install "cryoguide[network]".'
        ) from trouble
    return SimpleNamespace(x509=x509, hashes=hashes, serialization=serialization, ec=ec)
