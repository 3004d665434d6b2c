"""What services and receivers of JSON are told: PagerDuty's events and the signed document of the webhook."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from runai_monitor.model.alert import Change, Severity
from runai_monitor.notify.notifier import idempotency_key
from runai_monitor.notify.webhook import signature, webhook_body
from tests.notify.messages import notification
from tests.notify.rigs import KINDS, SECRET, rigged
from tests.notify.sinks import HttpSink

pytestmark = pytest.mark.anyio
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


async def test_an_alert_is_one_incident_from_trigger_to_resolve() -> None:
    """The fingerprint is the key: whatever is sent twice, or by another process, is the same incident."""
    changes = [Change.OPENED, Change.ESCALATED, Change.REMINDED, Change.ACKNOWLEDGED, Change.RESOLVED]
    async with rigged(KINDS["pagerduty"]) as rig:
        for change in changes:
            await rig.notifier.send(notification(change=change))
        events = [json.loads(body) for body in rig.bodies]
    assert [event["event_action"] for event in events] == ["trigger"] * 3 + ["acknowledge", "resolve"]
    assert {event["dedup_key"] for event in events} == {str(notification().alert.alert_id)}
    assert {event["routing_key"] for event in events} == {SECRET}


@pytest.mark.parametrize("severity", Severity)
async def test_severities_are_those_that_pagerduty_knows(severity: Severity) -> None:
    """An unknown one would refuse the event."""
    async with rigged(KINDS["pagerduty"]) as rig:
        await rig.notifier.send(notification(severity=severity))
        payload = json.loads(rig.bodies[0])["payload"]
    assert payload["severity"] == str(severity)
    assert len(payload["summary"]) <= 1024
    assert {"summary", "source", "severity"} <= payload.keys()


async def test_a_test_leaves_no_incident_open() -> None:
    """Trying a channel at noon must not page the night shift."""
    async with rigged(KINDS["pagerduty"]) as rig:
        await rig.notifier.send(notification(test=True))
        first, second = (json.loads(body) for body in rig.bodies)
    assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == second["dedup_key"]


async def test_a_webhook_is_sent_twice_under_one_id_and_never_two_under_one() -> None:
    """A receiver drops what it has already, and nothing else."""
    async with rigged(KINDS["webhook"]) as rig:
        for change in (Change.OPENED, Change.OPENED, Change.RESOLVED):
            await rig.notifier.send(notification(change=change))
        assert isinstance(rig.sink, HttpSink)
        sent = rig.sink.requests
    keys = [request.headers["webhook-id"] for request in sent]
    assert keys[0] == keys[1] != keys[2]
    assert [request.headers["idempotency-key"] for request in sent] == keys
    assert json.loads(sent[0].body)["id"] == keys[0]


def test_the_document_has_the_form_that_the_readme_promises() -> None:
    """Receivers are written against it: version, id, type, timestamp, reason and the alert of `get_alert`."""
    document = json.loads(webhook_body(notification(), "some-id"))
    assert list(document) == ["version", "id", "type", "timestamp", "reason", "alert"]
    assert (document["version"], document["type"]) == (1, "alert.opened")
    assert document["alert"]["workload"]["name"] == "job"
    assert document["alert"]["diagnosis"]["causes"][0]["cause"] == "container_oom"


def test_the_readme_shows_how_to_verify_a_signature() -> None:
    """The example is run as it stands there: it takes what we sign, and nothing changed, unsigned or old."""
    (example,) = re.findall(r"```python\n(.*?def verified.*?)```", README, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)
    verified = names["verified"]
    key = b"k" * 32
    secret = "whsec_" + base64.b64encode(key).decode()
    body = webhook_body(notification(), idempotency_key(notification(), "hook"))
    headers = {"webhook-id": "some-id", "webhook-timestamp": "1772334000"}
    headers["webhook-signature"] = signature(key, headers["webhook-id"], headers["webhook-timestamp"], body)
    assert verified(body, headers, secret, now=1772334010)
    assert not verified(body + b" ", headers, secret, now=1772334010)
    assert not verified(body, headers | {"webhook-id": "another"}, secret, now=1772334010)
    assert not verified(body, headers | {"webhook-signature": ""}, secret, now=1772334010)
    assert not verified(body, headers, secret, now=1772335000), "old: somebody may have kept it"
