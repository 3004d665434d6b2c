"""Whatever a cluster wrote, a message can be made of it within the limits of each service."""

from __future__ import annotations

import json
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runai_monitor.model.alert import AlertKind, Change
from runai_monitor.notify.email import mail_of
from runai_monitor.notify.message import as_text, message_of, title_of
from runai_monitor.notify.teams import MAX_BYTES as TEAMS_BYTES
from runai_monitor.notify.teams import teams_body
from runai_monitor.notify.webhook import MAX_BYTES as WEBHOOK_BYTES
from runai_monitor.notify.webhook import webhook_body
from tests.notify.messages import HOSTILE, notification

TEXTS = st.one_of(
    st.text(st.characters(), max_size=3000),
    st.sampled_from([HOSTILE, "😀" * 9_000, "\ud800" * 300, "\r\n.\r\n" * 500, "=?utf-8?b?" * 100, "\x00" * 1000]),
)


@settings(max_examples=60, deadline=None)
@given(text=TEXTS, change=st.sampled_from([Change.OPENED, Change.REMINDED, Change.ACKNOWLEDGED, Change.RESOLVED]))
def test_no_text_breaks_a_message_or_its_limit(text: str, change: Change) -> None:
    """A message that cannot be made is an alert that is lost."""
    told = notification(text, change, status=text)
    card = teams_body(message_of(told))
    assert len(card) <= TEAMS_BYTES
    json.loads(card)
    document = webhook_body(told, "id")
    assert len(document) <= WEBHOOK_BYTES
    json.loads(document)
    assert len(as_text(message_of(told), excerpt_characters=1_000)) <= 20_000
    sent = mail_of(told, sender="a@example.com", recipients=("b@example.com",), channel="mail").as_bytes()
    mail = message_from_bytes(sent, policy=policy.default)
    ours = {"Subject", "From", "To", "Message-ID", "Auto-Submitted", "Content-Type", "MIME-Version"}
    assert ours <= set(mail.keys()) <= ours | {"In-Reply-To", "References", "Importance"}
    assert mail["To"] == "b@example.com"


@pytest.mark.parametrize("kind", AlertKind)
@pytest.mark.parametrize("change", [Change.OPENED, Change.ACKNOWLEDGED, Change.RESOLVED])
def test_every_kind_of_alert_has_a_title_of_its_own_at_each_stage(kind: AlertKind, change: Change) -> None:
    """It is all that a locked phone shows."""
    titles = {title_of(notification(change=stage, kind=kind)) for stage in Change}
    assert len(titles) >= 4
    assert title_of(notification(change=change, kind=kind)) in titles
