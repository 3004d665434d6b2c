"""Mail as a real SMTP server takes it."""

from __future__ import annotations

import asyncio
import mailbox
import socket
import ssl
import sys
from pathlib import Path

import anyio
import pytest

from runai_monitor.errors import DeliveryError
from runai_monitor.model.alert import Change
from runai_monitor.notify.email import EmailNotifier
from tests.fakes import FakeClock
from tests.notify.messages import notification
from tests.notify.rigs import mailer
from tests.notify.sinks import MailSink, client_tls, write_certificate

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("tls", [False, True], ids=["starttls", "tls"])
async def test_it_logs_in_encrypted_either_way(tls: bool) -> None:
    """Providers offer the one or the other, and none takes a password in the clear."""
    async with MailSink(tls=tls).running() as sink:
        await mailer(sink).send(notification())
        assert sink.envelopes == [("monitor@example.com", ["oncall@example.com", "team@example.com"])]


async def test_it_is_readable_as_text_and_as_html_and_answered_by_no_robot() -> None:
    """A phone on a lock screen shows the one, a desk the other."""
    async with MailSink().running() as sink:
        await mailer(sink).send(notification())
        (mail,) = sink.mails
    assert mail["Subject"] == "🔴 Job Failure Alert: job"
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "kubectl describe pod job-0" in text.get_content()
    assert "<pre>kubectl describe pod job-0</pre>" in page.get_content()


async def test_an_alert_is_one_conversation_without_any_memory() -> None:
    """Mail programs gather what refers to one message; the ids come from the alert, whichever process sends."""
    async with MailSink().running() as sink:
        for change in (Change.OPENED, Change.REMINDED, Change.RESOLVED, Change.RESOLVED):
            await mailer(sink).send(notification(change=change))
        first, second, last, again = sink.mails
    assert {second["References"], last["References"], last["In-Reply-To"]} == {first["Message-ID"]}
    assert last["Message-ID"] == again["Message-ID"], "a message sent twice is recognised as one"
    assert first["References"] is None
    assert "Importance" not in last


async def test_a_wrong_password_is_not_tried_for_a_day() -> None:
    """Servers lock accounts that are tried too often."""
    async with MailSink().running() as sink:
        with pytest.raises(DeliveryError, match="user name and password") as caught:
            await mailer(sink, password="wr0ng").send(notification())
        assert not caught.value.retryable
        assert "wr0ng" not in str(caught.value)


async def test_a_certificate_that_nobody_vouches_for_gets_no_password() -> None:
    """Whoever stands in between could read it."""
    async with MailSink(tls=True).running() as sink:
        stranger = EmailNotifier(
            host="127.0.0.1",
            port=sink.port,
            security="tls",
            username=sink.USER,
            password=sink.PASSWORD,
            sender="monitor@example.com",
            recipients=("oncall@example.com",),
            clock=FakeClock(),
            name="mail",
            tls=ssl.create_default_context(),
        )
        with pytest.raises(DeliveryError, match="certificate is not trusted"):
            await stranger.send(notification())
        assert sink.mails == []


async def test_a_recipient_who_is_gone_keeps_nobody_else_from_knowing(caplog: pytest.LogCaptureFixture) -> None:
    """People leave; sending again for the one would tell the others twice."""
    async with MailSink().running() as sink:
        sink.recipient_replies["team@example.com"] = "550 5.1.1 no such user"
        await mailer(sink).send(notification())
        assert sink.envelopes[0][1] == ["oncall@example.com"]
        assert "team@example.com" in caplog.text
        sink.recipient_replies["oncall@example.com"] = "550 5.1.1 no such user"
        with pytest.raises(DeliveryError) as caught:
            await mailer(sink).send(notification())
        assert not caught.value.retryable


async def test_what_goes_wrong_after_the_server_took_it_sends_nothing_again() -> None:
    """The one thing worse than no message at 3 a.m. is the same one every minute."""
    async with MailSink().running() as sink:
        sink.hangs_at_the_end = True
        await mailer(sink, seconds=1).send(notification())
        assert len(sink.mails) == 1


async def test_a_server_process_of_its_own_takes_it(tmp_path: Path) -> None:
    """Against somebody else's program, as it is started from a shell."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    certificate, key = write_certificate(tmp_path)
    command = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    command += ["--tlscert", str(certificate), "--tlskey", str(key)]
    command += ["-c", "aiosmtpd.handlers.Mailbox", str(tmp_path / "mail")]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        with anyio.fail_after(20):
            while not await _listens(port, process):  # noqa: ASYNC110  # another process has no event of ours
                await anyio.sleep(0.05)
        await EmailNotifier(
            host="127.0.0.1",
            port=port,
            security="starttls",
            username=None,
            password=None,
            sender="monitor@example.com",
            recipients=("oncall@example.com",),
            clock=FakeClock(),
            name="mail",
            tls=client_tls(),
        ).send(notification())
        (mail,) = mailbox.Maildir(tmp_path / "mail")
        assert mail["X-RcptTo"] == "oncall@example.com"
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process) -> bool:
    assert process.returncode is None
    try:
        stream = await anyio.connect_tcp("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True
