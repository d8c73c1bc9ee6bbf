"""The console as on a network: TLS and a paired screen, or nothing. On this machine's own address here."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path

import cv2
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus

from guidance.console.access import OPEN, Access, Wanted, access, token_words
from guidance.console.address import Address, resolve
from guidance.console.certificate import identity
from guidance.console.guard import Allowance
from guidance.console.pairing import Pairing, Token
from guidance.console.self_signed import FILE, LASTS, RENEWED, keep_certificate
from guidance.console.server import listen
from models.problems import InputError
from tests.chromium import MISSING, Browser, chromium
from tests.served_console import Running, Screen, knock, running

pytest.importorskip("cryptography", reason="a certificate of one's own is an extra (cryoguide[network])")

A, B = "a" * 32, "b" * 32


@dataclass(eq=False)
class Network:
    """A console to which a screen must be paired, and what stands on the machine's own screen."""

    server: Running
    shown: list[str]
    now: list[float]

    @property
    def token(self) -> str:
        """The newest."""
        found = re.search(r"\d{4} \d{4}", self.shown[-1])
        assert found is not None
        return found[0]

    @property
    def wrong(self) -> str:
        return f"{(int(self.token.replace(' ', '')) + 1) % 10**8:08}"

    def type(self, token: str, **headers: str) -> tuple[int, str]:
        """What the pairing page sends; gives the answer's status and words."""
        said = {"origin": self.server.origin} | headers
        answer = self.server.ask("/pair", method="POST", body=token, **said)
        return answer.status, answer.body.decode()  # type: ignore[attr-defined]

    def paired(self) -> Running:
        """As a screen that was paired calls it."""
        self.now[0] += 2.0
        self.server.ask("/pair")
        said = {"origin": self.server.origin}
        answer = self.server.ask("/pair", method="POST", body=self.token, **said)
        assert answer.status == 204
        return replace(self.server, cookie=str(answer.getheader("set-cookie")).split(";")[0])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("network")
    shown: list[str] = []
    now = [1000.0]
    made = access(Wanted(pair=True), folder=folder)
    pairing = Pairing(show=lambda token: shown.append(token.words), now_s=lambda: now[0])
    trusts = ssl.create_default_context(cafile=str(folder / FILE))
    with running(folder / "a-live-report", access=replace(made, pairing=pairing)) as server:
        server.trusts = trusts
        server.served.refusals.allowance = Allowance(a_second=1e6, at_once=1e6)  # tests knock often
        yield Network(server, shown, now)


def test_on_this_machines_own_address_there_is_neither_tls_nor_token(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        found = access(Wanted(host=host), folder=tmp_path)
        assert (found.tls, found.pairing) == (None, None)
    assert not list(tmp_path.iterdir())


def test_on_any_other_address_there_are_both(tmp_path: Path) -> None:
    """192.0.2.0/24 is kept for examples (RFC 5737): nothing listens here."""
    found = access(Wanted(host="192.0.2.7"), folder=tmp_path)
    assert found.tls is not None
    assert found.pairing is not None
    assert found.address.hosts(port=8710, scheme=found.scheme) == ("192.0.2.7:8710",)
    with pytest.raises(InputError, match=r"^192\.0\.2\.7 is no address of this machine .*--host ADDRESS"):
        listen(0, found.address)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "no such name", "fe80::1%lo"])
def test_an_address_that_is_none_or_every_one_is_refused_in_a_sentence(host: str) -> None:
    with pytest.raises(InputError, match="--host ADDRESS"):
        resolve(host)


def test_a_host_may_be_called_by_its_name_and_its_number_and_by_nothing_else() -> None:
    address = Address("cart.clinic", "192.0.2.7")
    assert address.hosts(port=8710, scheme="https") == ("cart.clinic:8710", "192.0.2.7:8710")
    assert "cart.clinic" in address.hosts(port=443, scheme="https")
    assert "cart.clinic" not in address.hosts(port=443, scheme="http")
    assert Address("::1", "::1").hosts(port=8710, scheme="http") == ("[::1]:8710",)
    assert Address("::1", "::1").url(port=8710, scheme="https") == "https://[::1]:8710/"


@pytest.mark.parametrize(
    "path", ["/console.js", "/pages.js", "/high-technical.wav", "/report", "/x", "/live"]
)
def test_a_screen_that_is_not_paired_gets_nothing(network: Network, path: str) -> None:
    answer = network.server.ask(path)
    assert answer.status == 401
    assert repr(path) in network.server.notes[-1]


def test_a_screen_that_is_not_paired_is_led_to_the_pairing_page(network: Network) -> None:
    answer = network.server.ask("/")
    assert (answer.status, answer.getheader("location")) == (303, "/pair")
    for path in ("/pair", "/pair.js", "/pair.css"):
        answer = network.server.ask(path)
        assert answer.status == 200
        policy = str(answer.getheader("content-security-policy"))
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
    assert any("asks to be paired" in note for note in network.server.notes)
    assert re.fullmatch(r"\d{4} \d{4}", network.token)


@pytest.mark.parametrize("cookie", ["", "__Host-cryoguide-1=x", "__Host-cryoguide-{port}=guessed", "{port}"])
def test_no_page_connects_without_its_session(network: Network, cookie: str) -> None:
    cookie = cookie.format(port=network.server.port)
    with pytest.raises(InvalidStatus) as refused, knock(network.server, A, cookie=cookie):
        pass
    assert refused.value.response.status_code == 403
    assert "not paired" in network.server.notes[-1]


def test_a_wrong_token_is_counted_delayed_and_told_and_is_nowhere_written(network: Network) -> None:
    network.now[0] += 100.0
    network.server.ask("/pair")
    before, typed = len(network.server.notes), network.wrong
    assert network.type(typed)[0] == 403
    assert network.type(network.token)[0] == 429
    told = network.server.notes[before:]
    assert len(told) == 2
    assert all("127.0.0.1" in note and typed not in note for note in told)


def test_after_five_wrong_tokens_there_is_a_new_one(network: Network) -> None:
    network.paired()
    network.server.ask("/pair")
    first = network.token
    for _ in range(5):
        network.now[0] += 1.0
        assert network.type(network.wrong)[0] == 403
    assert "a new token stands" in network.server.notes[-1]
    assert network.token != first
    assert network.type(network.token)[0] == 429
    network.now[0] += 10.0
    assert network.type(network.token)[0] == 204


def test_the_right_token_opens_the_console_once(network: Network) -> None:
    network.now[0] += 100.0
    network.server.ask("/pair")
    token = network.token
    answer = network.server.ask("/pair", method="POST", body=token, origin=network.server.origin)
    said = str(answer.getheader("set-cookie"))
    assert said.startswith(f"__Host-cryoguide-{network.server.port}=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(said.split("; "))
    assert "Domain" not in said
    assert any(note.startswith("Paired: a screen at 127.0.0.1") for note in network.server.notes)
    assert network.type(token)[0] == 403
    server = replace(network.server, cookie=said.split(";")[0])
    policy = str(server.ask("/").getheader("content-security-policy"))
    assert f"wss://{server.host}" in policy
    assert server.ask("/pair").status == 303
    with Screen(server, A) as screen:
        screen.until(phase="preflight")


def test_a_token_comes_only_from_the_console_s_own_page(network: Network) -> None:
    network.now[0] += 100.0
    network.server.ask("/pair")
    for origin in ("https://evil.example", f"http://{network.server.host}", "null"):
        assert network.type(network.token, origin=origin)[0] == 403
        assert "Origin" in network.server.notes[-1]
    assert network.server.ask("/pair", method="POST", body=network.token).status == 403
    assert network.type(network.token, host="evil.example")[0] == 403
    assert network.type("1" * 100)[0] == 413
    assert network.type(network.token)[0] == 204  # none of those was judged


def test_a_foreign_origin_and_a_foreign_host_are_refused_although_paired(network: Network) -> None:
    server = network.paired()
    for origin in ("https://evil.example", f"http://{server.host}", None):
        with pytest.raises(InvalidStatus), knock(server, A, origin=origin):
            pass
    assert server.ask("/", origin="https://evil.example").status == 403
    assert server.ask("/", host="evil.example").status == 403
    assert server.ask("/", host=f"127.0.0.2:{server.port}").status == 403


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/..%2f..%2fetc/passwd", "/etc/passwd", "//etc/passwd", "/pair/../x", "/%00"],
)
def test_no_path_of_the_machine_is_reachable(network: Network, path: str) -> None:
    assert network.server.ask(path).status == 401
    assert network.paired().ask(path).status == 404


def test_plain_http_is_refused_and_told(network: Network) -> None:
    plain = replace(network.server, trusts=None)
    with pytest.raises((ConnectionError, HTTPException)):
        plain.ask("/")
    assert "plain http" in network.server.notes[-1]
    with socket.create_connection(("127.0.0.1", network.server.port), 10.0) as line:
        line.sendall(b"\x16\x03\x01\x00\x05hello")
        with suppress(ConnectionError):
            while line.recv(1000):
                pass
    assert "without proper TLS" in network.server.notes[-1]


def test_old_versions_of_tls_are_refused(network: Network) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", network.server.port), 10.0) as line,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        old.wrap_socket(line)


def test_two_consoles_on_the_network(network: Network) -> None:
    one, two = network.paired(), network.paired()
    assert one.cookie != two.cookie
    with Screen(one, A) as first:
        first.say("take_control")
        first.until(controls=True)
        with Screen(two, B) as second:
            second.until(controls=False, phase="preflight")
            second.say("take_control")
            second.until(controls=True)
            first.until(controls=False)


def test_a_certificate_is_kept_readable_by_its_owner_alone_and_made_anew_when_it_must(tmp_path: Path) -> None:
    path, now = tmp_path / "data" / FILE, datetime(2026, 5, 1, tzinfo=UTC)
    keep_certificate(path, ("192.0.2.7",), now=now)
    first = path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    keep_certificate(path, ("192.0.2.7",), now=now + LASTS - RENEWED - timedelta(days=1))
    assert path.read_bytes() == first
    keep_certificate(path, ("cart.clinic",), now=now)
    second = path.read_bytes()
    assert second != first
    keep_certificate(path, ("192.0.2.7", "cart.clinic"), now=now)  # the earlier name stays
    assert path.read_bytes() == second
    keep_certificate(path, ("cart.clinic",), now=now + LASTS - RENEWED + timedelta(days=1))
    third = path.read_bytes()
    assert third != second
    path.write_bytes(third[: len(third) // 2])
    keep_certificate(path, ("cart.clinic",), now=now)
    assert path.read_bytes() not in (third, third[: len(third) // 2])
    assert [file.name for file in path.parent.iterdir()] == [FILE]


def test_a_certificate_of_one_s_own_is_used_and_a_wrong_one_told_in_a_sentence(tmp_path: Path) -> None:
    address = Address("192.0.2.7", "192.0.2.7")
    for name in ("a", "b"):
        keep_certificate(tmp_path / name, ("192.0.2.7",), now=datetime.now(UTC))
    own = identity(address, certificate=tmp_path / "a", key=tmp_path / "a", folder=tmp_path / "none")
    assert own.kept is None
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", own.fingerprint)
    assert not (tmp_path / "none").exists()
    (tmp_path / "text").write_text("no certificate")
    for certificate, key, words in (
        ("a", "b", "belong together"),
        ("text", "a", "belong together"),
        ("missing", "a", "cannot be read"),
        ("a", None, "--certificate and --key together"),
        (None, "a", "--certificate and --key together"),
    ):
        with pytest.raises(InputError, match=words):
            identity(
                address,
                certificate=tmp_path / certificate if certificate else None,
                key=tmp_path / key if key else None,
                folder=tmp_path / "none",
            )


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="No certificate can be kept"):
        keep_certificate(tmp_path / "file" / FILE, ("192.0.2.7",), now=datetime.now(UTC))


@pytest.mark.skipif(chromium() is None, reason=MISSING)
def test_a_screen_is_paired_by_taps_and_shows_the_console(network: Network) -> None:
    network.now[0] += 100.0
    with Browser(width=800, height=1280, trusting=True) as browser:
        tab = browser.open(f"{network.server.origin}/")
        tab.until('document.querySelector("#keys button")')
        assert tab.run("location.pathname") == "/pair"

        def type_in(token: str) -> None:
            for digit in token.replace(" ", ""):
                tab.tap(f"#key-{digit}")
            tab.tap("#pair")

        type_in(network.wrong)
        tab.until('document.querySelector("#says").textContent.includes("not the token")')
        network.now[0] += 5.0
        tab.until('document.querySelector("#token").value === ""')
        tab.run("new Promise((done) => setTimeout(done, 1100))")
        type_in(network.token)
        tab.until('document.body.dataset.phase === "preflight"')
        assert tab.run("document.cookie") == ""  # no script can read it
        other = browser.open(f"{network.server.origin}/")  # a profile of its own
        other.until('document.querySelector("#keys button")')
        # The code on the terminal brings address and token; one tap is left.
        third = browser.open(f"{network.server.origin}/pair#{network.token.replace(' ', '')}")
        third.until('document.querySelector("#says").textContent === "Tap Pair."')
        assert third.run("location.hash") == ""
        third.tap("#pair")
        third.until('document.body.dataset.phase === "preflight"')


def test_a_tablet_s_camera_reads_address_and_token_off_the_terminal() -> None:
    """Drawn as the terminal draws it, and read by another program part: OpenCV's reader of QR codes."""
    url = "https://192.168.100.105:8710/"
    words, *rows = token_words(Token("03526959", 0.0), url=url, code=True).split("\n")
    assert "0352 6959" in words
    rows = [re.sub(r"\x1b\[[0-9;]*m", "", row) for row in rows]
    upper = [[letter in "█▀" for letter in row] for row in rows]
    lower = [[letter in "█▄" for letter in row] for row in rows]
    lit = np.array([line for pair in zip(upper, lower, strict=True) for line in pair])
    picture = np.kron(np.where(lit, 255, 0).astype(np.uint8), np.ones((8, 8), np.uint8))
    read, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert read == f"{url}pair#03526959"


def test_a_loopback_console_stays_as_it_was() -> None:
    assert Access() == OPEN
    assert OPEN.scheme == "http"


def test_the_log_of_attempts_never_holds_a_token(network: Network) -> None:
    log = network.server.out.with_name("a-live-access.log")
    assert log.exists()
    text = log.read_text()
    assert json.loads(text.splitlines()[0])["kind"] == "access"
    assert not [shown for shown in network.shown if shown in text or shown.replace(" ", "") in text]
