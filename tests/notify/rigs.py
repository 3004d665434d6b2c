"""Each kind of channel with a sink of its own: what differs between kinds, so that one suite of tests can hold all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from runai_monitor.notify.apprise import AppriseNotifier
from runai_monitor.notify.email import EmailNotifier
from runai_monitor.notify.notifier import Notifier
from runai_monitor.notify.pagerduty import PagerDutyNotifier
from runai_monitor.notify.slack import SlackNotifier
from runai_monitor.notify.slack_bot import SlackBotNotifier
from runai_monitor.notify.teams import TeamsNotifier
from runai_monitor.notify.webhook import WebhookNotifier
from tests.fakes import FakeClock
from tests.notify.sinks import HttpSink, MailSink, Reply, client_tls

SECRET = "s3cretpart0123456789abcdef012345"
NAME = "some-channel"


class Threads:
    """Threads in memory."""

    def __init__(self) -> None:
        self.references: dict[tuple[str, str], str] = {}

    async def get(self, alert_id: str, channel: str) -> str | None:
        return self.references.get((alert_id, channel))

    async def put(self, alert_id: str, channel: str, reference: str) -> None:
        self.references[alert_id, channel] = reference


@dataclass(frozen=True)
class Kind:
    """What a kind answers with, and what it can tell: None where its protocol has no such thing."""

    name: str
    build: Callable[[str, httpx2.AsyncClient, float], Notifier]
    taken: Reply
    refused: Reply
    broken: Reply = field(default_factory=lambda: Reply(503, f"<html>{SECRET}</html>"))
    garbled: Reply | None = field(default_factory=lambda: Reply(200, f"<html>log in {SECRET}</html>"))
    limit: int = 100_000
    knows_permanent: bool = True
    knows_pause: bool = True


def _slack(url: str, http: httpx2.AsyncClient, seconds: float) -> Notifier:
    return SlackNotifier(webhook_url=f"{url}/services/{SECRET}", http=http, name=NAME, timeout_seconds=seconds)


def slack_bot(url: str, http: httpx2.AsyncClient, seconds: float = 5, threads: Any = None) -> SlackBotNotifier:
    return SlackBotNotifier(
        token=f"xoxb-{SECRET}",
        channel="C1",
        http=http,
        threads=threads if threads is not None else Threads(),
        name=NAME,
        api_url=f"{url}/api/",
        timeout_seconds=seconds,
    )


def _pagerduty(url: str, http: httpx2.AsyncClient, seconds: float) -> Notifier:
    return PagerDutyNotifier(routing_key=SECRET, http=http, name=NAME, api_url=url, timeout_seconds=seconds)


def _teams(url: str, http: httpx2.AsyncClient, seconds: float) -> Notifier:
    return TeamsNotifier(webhook_url=f"{url}/workflows/{SECRET}", http=http, name=NAME, timeout_seconds=seconds)


def _webhook(url: str, http: httpx2.AsyncClient, seconds: float) -> Notifier:
    return WebhookNotifier(
        url=f"{url}/hook?key={SECRET}",
        signing_key=SECRET.encode(),
        http=http,
        clock=FakeClock(),
        name=NAME,
        timeout_seconds=seconds,
    )


def _apprise(url: str, _http: httpx2.AsyncClient, seconds: float) -> Notifier:
    address = url.replace("http://", f"json://user:{SECRET}@")
    return AppriseNotifier(url=f"{address}/{SECRET}", name=NAME, timeout_seconds=seconds)


def _bot_says(word: str) -> Reply:
    return Reply(200, json.dumps({"ok": False, "error": word}))


WEB = (
    Kind("slack", _slack, Reply(200, "ok"), Reply(404, "no_service"), limit=40_000),
    Kind(
        "slack_bot",
        slack_bot,
        Reply(200, json.dumps({"ok": True, "channel": "C1", "ts": "1.5"})),
        _bot_says("invalid_auth"),
        limit=40_000,
    ),
    Kind(
        "pagerduty",
        _pagerduty,
        Reply(202, json.dumps({"status": "success", "dedup_key": "x"})),
        Reply(400, json.dumps({"status": "invalid event", "errors": [f"routing_key {SECRET}"]})),
        limit=512 * 1024,
    ),
    Kind("teams", _teams, Reply(202), Reply(404, f"no workflow {SECRET}"), limit=28 * 1024),
    Kind("webhook", _webhook, Reply(204), Reply(410, SECRET), garbled=None, limit=256 * 1024),
    Kind(
        "apprise",
        _apprise,
        Reply(200),
        Reply(404, SECRET),
        garbled=None,
        limit=50_000,
        knows_permanent=False,
        knows_pause=False,
    ),
)
MAIL = Kind(
    "email",
    lambda _url, _http, _seconds: mailer(MailSink()),
    Reply(),
    Reply(),
    limit=200_000,
    knows_pause=False,
)
KINDS = {kind.name: kind for kind in (*WEB, MAIL)}


def mailer(sink: MailSink, *, seconds: float = 5, password: str = MailSink.PASSWORD, port: int = 0) -> EmailNotifier:
    return EmailNotifier(
        host="127.0.0.1",
        port=port or sink.port,
        security="tls" if sink.tls else "starttls",
        username=sink.USER,
        password=password,
        sender="monitor@example.com",
        recipients=("oncall@example.com", "team@example.com"),
        clock=FakeClock(),
        name=NAME,
        tls=client_tls(),
        timeout_seconds=seconds,
    )


class Rig:
    """A notifier and its sink; the methods say how the sink behaves from now on."""

    def __init__(self, kind: Kind, http: httpx2.AsyncClient, sink: HttpSink | MailSink) -> None:
        self.kind = kind
        self._http = http
        self.sink = sink
        self.notifier = self.build()

    def build(self, *, seconds: float = 5, url: str | None = None) -> Notifier:
        """Another notifier for this sink, or for the one at `url`."""
        if isinstance(self.sink, MailSink):
            port = 0 if url is None else int(url.rpartition(":")[2])
            return mailer(self.sink, seconds=seconds, port=port)
        return self.kind.build(url or self.sink.url, self._http, seconds)

    def refuse(self) -> None:
        self._answer(self.kind.refused, mail=f"554 5.7.1 no {MailSink.PASSWORD}")

    def break_down(self) -> None:
        self._answer(self.kind.broken, mail=f"451 4.3.0 later {MailSink.PASSWORD}")

    def throttle(self) -> None:
        self._answer(Reply(429, "rate_limited", {"retry-after": "7"}), mail="421 4.7.0 too many")

    def garble(self) -> None:
        if isinstance(self.sink, MailSink):
            self.sink.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        elif self.kind.garbled is not None:
            self.sink.usual = self.kind.garbled

    def redirect(self, to: str, status: int) -> None:
        assert isinstance(self.sink, HttpSink)
        self.sink.usual = Reply(status, "", {"location": f"{to}/elsewhere"})

    def hang(self) -> None:
        if isinstance(self.sink, MailSink):
            self.sink.hangs = True
        else:
            self.sink.usual = replace(self.kind.taken, hangs=True)

    def _answer(self, reply: Reply, *, mail: str) -> None:
        if isinstance(self.sink, MailSink):
            self.sink.reply = mail
        else:
            self.sink.usual = reply

    @property
    def bodies(self) -> list[bytes]:
        """What was sent, each as it went over the wire."""
        return self.sink.raw if isinstance(self.sink, MailSink) else [request.body for request in self.sink.requests]

    @property
    def texts(self) -> list[str]:
        """What was sent, as its reader sees it."""
        if isinstance(self.sink, MailSink):
            return [
                "\n".join([str(mail), *(part.get_content() for part in mail.walk() if not part.is_multipart())])
                for mail in self.sink.mails
            ]
        return [" ".join(strings(json.loads(body))) for body in self.bodies]


def strings(value: object) -> list[str]:
    """Every text in a JSON value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@asynccontextmanager
async def rigged(kind: Kind) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False))
        if kind is MAIL:
            yield Rig(kind, http, await stack.enter_async_context(MailSink().running()))
        else:
            yield Rig(kind, http, await stack.enter_async_context(HttpSink(kind.taken).running()))
