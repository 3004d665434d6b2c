"""What channels send to, on real sockets: an HTTP server and an SMTP server that answer, refuse, break and hang by script."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Reply:
    """One scripted answer; `hangs` never comes."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class HttpSink:
    """Answers by `script`, then `usual`; remembers what it was sent."""

    def __init__(self, usual: Reply) -> None:
        self.usual = usual
        self.script: list[Reply] = []
        self.requests: list[Request] = []
        self.url = ""
        self._end = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append(Request(head[0].split(" ")[1], headers, body))
            reply = self.script.pop(0) if self.script else self.usual
            if reply.hangs:
                await self._end.wait()
            content = reply.body.encode()
            lines = [f"HTTP/1.1 {reply.status} X", f"content-length: {len(content)}", "connection: close"]
            lines += [f"{name}: {value}" for name, value in reply.headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + content)
            await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HttpSink]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self._end.set()
            server.close()
            await server.wait_closed()


class MailSink:
    """An SMTP server with STARTTLS and login; `reply` is its answer to a message, `greeting` replaces its protocol."""

    USER, PASSWORD = "monitor", "s3cret-of-mail"

    def __init__(self, *, tls: bool = False) -> None:
        self.tls = tls
        self.port = 0
        self.reply = "250 OK"
        self.recipient_replies: dict[str, str] = {}
        self.hangs = False
        self.hangs_at_the_end = False
        self.greeting: bytes | None = None
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self._end = asyncio.Event()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd looks for the name of the command
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        said = self.recipient_replies.get(address, "250 OK")
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # the same
        if self.hangs:
            await self._end.wait()
        if self.reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.raw.append(envelope.content)
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            self.envelopes.append((envelope.mail_from or "", envelope.rcpt_tos))
        return self.reply

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802  # the same
        if self.hangs_at_the_end:
            await self._end.wait()
        return "221 Bye"

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(
            success=(given.login, given.password) == (self.USER.encode(), self.PASSWORD.encode()), handled=False
        )

    def _protocol(self) -> asyncio.Protocol:
        if self.greeting is not None:
            return _Greeting(self.greeting)
        with warnings.catch_warnings():
            # It does not see that a connection is encrypted from the start.
            warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
            return SMTP(
                self,
                hostname="localhost",
                tls_context=None if self.tls else server_tls(),
                require_starttls=not self.tls,
                auth_required=True,
                auth_require_tls=not self.tls,
                authenticator=self._authenticate,
                loop=asyncio.get_running_loop(),
            )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[MailSink]:
        context = server_tls() if self.tls else None
        server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self._end.set()
            server.close()


class _Greeting(asyncio.Protocol):
    def __init__(self, text: bytes) -> None:
        self._text = text

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._text)  # type: ignore[attr-defined]
        transport.close()


@cache
def _certificate() -> tuple[bytes, bytes]:
    """A certificate of this machine and its key, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), private


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """The certificate and its key as files."""
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(_certificate()[0])
    private.write_bytes(_certificate()[1])
    return public, private


def server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(*write_certificate(Path(folder)))
    return context


def client_tls() -> ssl.SSLContext:
    """Trusts the sinks of these tests and nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=_certificate()[0].decode())
    return context
