"""Mail through an SMTP server: text and HTML, and one conversation per alert.

The first message of an alert has an id made from the alert's, and every later one refers to it: a restart or another
server needs no memory, and a message sent twice has one id.
"""

from __future__ import annotations

import html
import logging
import re
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

import aiosmtplib
import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import DeliveryError
from runai_monitor.model.alert import Change, Severity
from runai_monitor.model.notification import Notification
from runai_monitor.notify.message import Message, as_text, message_of, shortened
from runai_monitor.notify.notifier import idempotency_key
from runai_monitor.notify.posting import TIMEOUT_SECONDS
from runai_monitor.notify.safe_text import plain

log = logging.getLogger(__name__)

_REPORT = 10_000
_SUBJECT = 150
_GOODBYE_SECONDS = 1.0
_NO_ID = re.compile(r"[^A-Za-z0-9._-]")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class EmailNotifier:
    """Sends through one server to some recipients. The password is a secret: it is in no error and no log.

    `tls` is made by the caller, once: it reads the certificate authorities, and that takes too long for the event loop.
    """

    spacing_seconds = 0.0  # each is a connection of its own, and SMTP has no pace; a server that wants one answers 4xx

    def __init__(
        self,
        *,
        host: str,
        port: int | None,
        security: Literal["starttls", "tls", "none"],
        username: str | None,
        password: str | None,
        sender: str,
        recipients: tuple[str, ...],
        clock: Clock,
        name: str,
        tls: ssl.SSLContext,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.name = name
        self._host = host
        self._port = port or _PORTS[security]
        self._security = security
        self._username = username
        self._password = password
        self._sender = sender
        self._recipients = recipients
        self._clock = clock
        self._tls = tls
        self._timeout_seconds = timeout_seconds

    def __repr__(self) -> str:
        return f"EmailNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`."""
        mail = mail_of(notification, sender=self._sender, recipients=self._recipients, channel=self.name)
        # When it is sent: after an outage it must not stand among yesterday's mail.
        mail["Date"] = format_datetime(self._clock.now())
        try:
            with anyio.fail_after(self._timeout_seconds):
                refused = await self._deliver(mail)
        # SMTP's errors quote the server, and a server may quote what it was sent: only their numbers are told.
        except (TimeoutError, aiosmtplib.SMTPTimeoutError):
            raise self._trouble(f"did not answer within {self._timeout_seconds:.0f} s") from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise self._of_code(min(one.code for one in error.recipients), "every recipient") from None
        except aiosmtplib.SMTPAuthenticationError as error:
            raise self._of_code(error.code, "user name and password") from None
        except aiosmtplib.SMTPNotSupported:
            raise self._refused("does not offer what security and username need") from None
        except aiosmtplib.SMTPResponseException as error:
            raise self._of_code(error.code, "the message") from None
        except ssl.SSLError:
            raise self._trouble("has a certificate that is not trusted here, or speaks no TLS at this port") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            tls = isinstance(error.__cause__, ssl.SSLError)
            what = (
                "its certificate is not trusted here, or it speaks no TLS at this port" if tls else type(error).__name__
            )
            raise self._trouble(
                f"cannot be reached ({what}); check host, port and security of channel {self.name}"
            ) from None
        for recipient in refused:
            log.warning(
                "mail server %s refused %s as recipient; the others were told", self._host, plain(recipient, 100)
            )

    async def _deliver(self, mail: EmailMessage) -> list[str]:
        """Hands it over; the recipients that the server does not take, where it takes others."""
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=self._tls,
            timeout=self._timeout_seconds,
        )
        try:
            await client.connect()
            errors, _ = await client.send_message(mail, sender=self._sender, recipients=list(self._recipients))
            # It is taken; what goes wrong now must not have it sent again.
            with anyio.move_on_after(min(_GOODBYE_SECONDS, self._timeout_seconds / 2)):
                with suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit()
        finally:
            client.close()
        return list(errors)

    def _of_code(self, code: int, what: str) -> DeliveryError:
        """4xx passes by itself, 5xx does not (RFC 5321, 4.2.1)."""
        if code >= 500:
            return self._refused(f"refuses {what} ({code})")
        return self._trouble(f"does not take {what} now ({code})")

    def _refused(self, said: str) -> DeliveryError:
        return DeliveryError(
            f"mail server {self._host} {said}; correct the settings of channel {self.name}", retryable=False
        )

    def _trouble(self, said: str) -> DeliveryError:
        return DeliveryError(f"mail server {self._host} {said}; it is tried again", retryable=True)


def mail_of(notification: Notification, *, sender: str, recipients: tuple[str, ...], channel: str) -> EmailMessage:
    """The mail: headers that thread it, and its text once plain and once as HTML."""
    alert = notification.alert
    message = message_of(notification)
    domain = sender.rpartition("@")[2]
    root = f"<{_NO_ID.sub('.', f'{alert.alert_id}.{channel}')}@{domain}>"
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = plain(message.title, _SUBJECT)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    about_one = not notification.test and notification.digest is None
    if about_one and notification.change is Change.OPENED:
        mail["Message-ID"] = root
    else:
        of = "digest." if notification.digest is not None else ""
        mail["Message-ID"] = f"<{of}{_NO_ID.sub('.', idempotency_key(notification, channel))}@{domain}>"
        if about_one:
            mail["In-Reply-To"] = root
            mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"  # so that no holiday notice answers
    told = (notification,) if notification.digest is None else notification.digest.members
    if any(one.alert.severity is Severity.CRITICAL and one.change is not Change.RESOLVED for one in told):
        mail["Importance"] = "high"
    mail.set_content(as_text(message, excerpt_characters=_REPORT), cte="base64")
    mail.add_alternative(_html(message), subtype="html", cte="base64")
    return mail


def _html(message: Message) -> str:
    """Every text escaped, no link and no image: cluster text must lead a reader nowhere."""

    def paragraph(text: str) -> str:
        return f"<p>{html.escape(text)}</p>" if text else ""

    parts = [f"<h2>{html.escape(message.title)}</h2>", *map(paragraph, (message.summary, *message.lines))]
    if message.verdict is not None:
        parts.append(f"<p><b>Verdict:</b> {html.escape(message.verdict.line)}</p>")
    parts.append(paragraph(message.explanation))
    if message.steps or message.commands:
        steps = "".join(f"<li>{html.escape(step)}</li>" for step in message.steps)
        commands = html.escape("\n".join(message.commands))
        parts.append(f"<p><b>Next steps:</b></p><ul>{steps}</ul>" + (f"<pre>{commands}</pre>" if commands else ""))
    rows = "".join(
        f'<tr><th align="left">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in message.facts
    )
    parts.append(f"<table>{rows}</table>" if rows else "")
    for title, text in shortened(message, _REPORT):
        parts.append(f"<p><b>{html.escape(title)}</b> (text from the cluster)</p><pre>{html.escape(text)}</pre>")
    parts.append(paragraph(f"Could not be read: {message.unread}" if message.unread else ""))
    parts.append(f"<p><small>{html.escape(message.footer)}</small></p>")
    return f"<!DOCTYPE html><html><body>{''.join(parts)}</body></html>"
