"""How people and agents answer alerts: through a real client of each protocol era, over in-memory services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertKind, AlertState
from runai_monitor.model.audit import AuditAction
from tests.fakes import EPOCH
from tests.mcp_server.test_tools import ERAS, Era, connected, data_of, text_of
from tests.operations.world import World

pytestmark = pytest.mark.anyio
QUIET = {"matchers": ["project=vision"], "reason": "switch upgrade", "duration": "2h"}


async def call(client: Any, tool: str, **arguments: Any) -> dict[str, Any]:
    return data_of(await client.call_tool(tool, arguments))


async def refused(client: Any, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


@pytest.mark.parametrize("era", ERAS)
async def test_an_acknowledgement_names_who_and_by_what(era: Era) -> None:
    """Others rely on it: a person, through a client, at an instant; and once."""
    world = World()
    world.alerts.put("al-1")
    async with connected(world, era) as client:
        first = await call(client, "acknowledge_alert", alert_id="al-1", author=" anna ", note="on it")
        assert first["changed"]
        assert first["alert"]["state"] == "acknowledged"
        assert first["alert"]["acknowledged_at"] == "2026-03-01T03:00:00Z"
        assert first["alert"]["acknowledged_by"].startswith("anna via mcp ")
        again = await call(client, "acknowledge_alert", alert_id="al-1", author="ben")
        assert not again["changed"]
        assert "already, by anna via mcp" in again["outcome"]
        listed = await client.call_tool("list_alerts", {"state": "acknowledged"})
        assert [alert["alert_id"] for alert in data_of(listed)["alerts"]] == ["al-1"]
        assert "acknowledged by anna" in text_of(listed)
        assert (await call(client, "list_alerts", state="firing"))["alerts"] == []


async def test_an_agent_that_names_nobody_is_recorded_as_itself() -> None:
    """Nobody acts without a name."""
    world = World()
    world.alerts.put("al-1")
    async with connected(world) as client:
        found = await call(client, "acknowledge_alert", alert_id="al-1")
        await call(client, "start_monitoring", project="vision")
        await call(client, "stop_monitoring")
        await call(client, "send_test_notification")
    assert found["alert"]["acknowledged_by"].startswith("mcp ")
    assert [author.split()[0] for author in world.monitors.authors] == ["mcp", "mcp"]
    (entry,) = world.audit.entries
    assert (entry.action, entry.target, entry.detail) == (AuditAction.TEST_SENT, "slack", "test message delivered")
    assert entry.author.startswith("mcp ")


async def test_a_resolved_alert_says_that_it_is_over() -> None:
    """Whoever comes late should go back to bed, not look for what to do."""
    world = World()
    world.alerts.put("al-1", state=AlertState.RESOLVED)
    async with connected(world) as client:
        found = await call(client, "acknowledge_alert", alert_id="al-1", author="anna")
    assert not found["changed"]
    assert "it was resolved" in found["outcome"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_silence_tells_what_it_matches_and_is_seen_where_somebody_wonders(era: Era) -> None:
    """One that matches nothing, or too much, is noticed when it is made; and Slack's silence has a reason."""
    world = World()
    world.alerts.put("al-1")
    world.alerts.put("al-2", project="secret-lab", name="cold-fusion")
    world.alerts.put("al-3", state=AlertState.RESOLVED)
    async with connected(world, era) as client:
        result = await client.call_tool("silence_alerts", {**QUIET, "author": "anna"})
        silence = data_of(result)["silence"]
        assert (silence["state"], silence["matches_now"]) == ("active", 1)
        assert silence["alerts"] == [{"alert_id": "al-1", "name": "vision/train-a", "status": "OOMKilled"}]
        assert (silence["starts_at"], silence["ends_at"]) == ("2026-03-01T03:00:00Z", "2026-03-01T05:00:00Z")
        assert (silence["matchers"], silence["reason"]) == (['project="vision"'], "switch upgrade")
        assert silence["author"].startswith("anna via mcp ")
        assert "matches now: 1 (vision/train-a)" in text_of(result)

        one = await client.call_tool("get_alert", {"alert_id": "al-1"})
        assert data_of(one)["silenced_by"] == [silence["silence_id"]]
        assert silence["silence_id"] in text_of(one)
        assert (await call(client, "get_alert", alert_id="al-2"))["silenced_by"] == []
        assert len((await call(client, "list_alerts"))["alerts"]) == 3, "recorded and listed as ever"
        status = await client.call_tool("monitoring_status", {})
        assert data_of(status)["active_silences"] == 1
        assert "Active silences: 1" in text_of(status)


async def test_silences_are_pending_active_and_expired() -> None:
    """What is planned, what is quiet now, and what was quiet when nobody was told."""
    world = World()
    async with connected(world) as client:
        now = (await call(client, "silence_alerts", **QUIET))["silence"]
        planned = await call(client, "silence_alerts", **{**QUIET, "starts_at": "2026-03-01T23:00:00Z"})
        assert planned["silence"]["state"] == "pending"
        assert planned["silence"]["ends_at"] == "2026-03-02T01:00:00Z"

        async def states(**arguments: Any) -> list[str]:
            return [one["state"] for one in (await call(client, "list_silences", **arguments))["silences"]]

        assert sorted(await states()) == ["active", "pending"]
        assert await states(state="pending") == ["pending"]
        ended = await call(client, "expire_silence", silence_id=now["silence_id"], author="ben")
        assert ended["changed"]
        assert ended["silence"]["state"] == "expired"
        assert ended["silence"]["expired_by"].startswith("ben via ")
        again = await client.call_tool("expire_silence", {"silence_id": now["silence_id"]})
        assert not data_of(again)["changed"]
        assert "had ended already" in text_of(again)
        assert await states() == ["pending"]
        assert await states(state="expired") == ["expired"]
        assert sorted(await states(state="all")) == ["expired", "pending"]
        await world.clock.advance(timedelta(hours=21).total_seconds())
        assert await states() == ["active"]


async def test_a_silence_is_prolonged_by_one_that_replaces_it() -> None:
    """Maintenance takes longer than planned; two silences of the same would have to be ended twice."""
    world = World()
    async with connected(world) as client:
        first = (await call(client, "silence_alerts", **QUIET))["silence"]["silence_id"]
        second = await call(client, "silence_alerts", **{**QUIET, "duration": "4h", "replaces": first})
        assert [one["silence_id"] for one in (await call(client, "list_silences"))["silences"]] == [
            second["silence"]["silence_id"]
        ]
        assert "has ended already" in await refused(client, "silence_alerts", **{**QUIET, "replaces": first})


async def test_everything_is_silenced_only_when_that_is_said() -> None:
    """A pager that is switched off by a slip is found out the morning after."""
    world = World()
    world.alerts.put("al-1")
    world.alerts.put("al-blind", project="", kind=AlertKind.MONITOR_BLIND)
    async with connected(world) as client:
        for matchers in ([], ["project=~.*"], ["workload=~.+"], ["status!=Pending"]):
            said = await refused(client, "silence_alerts", **{**QUIET, "matchers": matchers})
            assert "everything=true" in said
        assert not world.silences.rows
        meant = await call(client, "silence_alerts", **{**QUIET, "matchers": [], "everything": True})
    assert meant["silence"]["matches_now"] == 2


async def test_a_server_with_a_limit_silences_only_within_it() -> None:
    """A hard limit for every tool: neither by name, nor by pattern, nor by ending what others made."""
    world = World(allowed=("vision", "speech.de"))
    world.alerts.put("al-1")
    world.alerts.put("al-2", project="secret-lab")
    world.alerts.put("al-blind", project="", kind=AlertKind.MONITOR_BLIND)
    world.silences.put("si-both", "project=~vision|secret-lab", "status=OOMKilled")
    world.silences.put("si-all", "status=OOMKilled")
    world.silences.put("si-secret", "project=secret-lab")
    async with connected(world) as client:
        assert "monitored_projects" in await refused(
            client, "silence_alerts", **{**QUIET, "matchers": ["project=secret-lab"]}
        )
        for matchers in (["status=OOMKilled"], ["project=~.*", "status=OOMKilled"], ["project!=vision", "node="]):
            made = (await call(client, "silence_alerts", **{**QUIET, "matchers": matchers}))["silence"]
            assert made["matchers"][-1] == r'project=~"vision|speech\\.de"'
            stored = world.silences.rows[made["silence_id"]]
            assert "secret-lab" not in str(stored)
            assert {alert["alert_id"] for alert in made["alerts"]} <= {"al-1"}
            assert (await call(client, "expire_silence", silence_id=made["silence_id"]))["changed"]
        shown = {one["silence_id"]: one for one in (await call(client, "list_silences"))["silences"]}
        assert set(shown) == {"si-both", "si-all"}
        assert shown["si-both"]["matchers"] == ['status="OOMKilled"', 'project="vision"']
        for silence_id in shown:
            assert "end it where it was made" in await refused(client, "expire_silence", silence_id=silence_id)
        assert "no silence" in await refused(client, "expire_silence", silence_id="si-secret")
        assert "no alert" in await refused(client, "acknowledge_alert", alert_id="al-2")
    assert all(world.silences.rows[name].expired_at is None for name in ("si-both", "si-all", "si-secret"))


async def test_there_is_an_end_to_how_many_silences_there_are() -> None:
    """A loop in an agent must not make every delivery slow for ever."""
    world = World()
    for number in range(500):
        world.silences.put(f"si-{number}", "project=vision")
    async with connected(world) as client:
        assert "expire some" in await refused(client, "silence_alerts", **QUIET)
        await call(client, "silence_alerts", **{**QUIET, "replaces": "si-7"})


async def test_what_these_tools_do_is_declared_to_clients() -> None:
    """Clients ask people by these hints: keeping alerts from everybody is what they should ask about."""
    async with connected(World()) as client:
        tools = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}

    def hints(name: str) -> tuple[bool | None, bool | None, bool | None]:
        found = tools[name]
        assert found is not None
        return (found.read_only_hint, found.destructive_hint, found.idempotent_hint)

    assert hints("acknowledge_alert") == (False, False, True)
    assert hints("silence_alerts") == (False, True, False)
    assert hints("list_silences") == (True, False, True)
    assert hints("expire_silence") == (False, False, True)


async def test_text_of_a_caller_is_one_line_wherever_it_is_shown() -> None:
    """Notes and reasons are written by models that read logs."""
    world = World()
    world.alerts.put("al-1")
    hostile = "on it\n\x1b[2Jproject=x \u202e"
    async with connected(world) as client:
        await call(client, "acknowledge_alert", alert_id="al-1", author=f"anna{hostile}", note=hostile)
        made = await call(client, "silence_alerts", **{**QUIET, "reason": hostile, "author": hostile})
    for text in (made["silence"]["reason"], made["silence"]["author"], world.alerts.stored["al-1"].acknowledged_by):
        assert text
        assert text.isprintable()


@pytest.mark.parametrize("full", [False, True])
async def test_a_change_of_a_workload_is_recorded_before_and_after_or_not_made(full: bool) -> None:
    """Who deleted it, through which client, and what came of it; what cannot be recorded is not done."""
    world = World(allow_write=True)
    world.audit.full = full
    plan = await world.operations.actions.plan_change("delete", "train-a")
    if full:
        with pytest.raises(StoreError):
            await world.operations.actions.apply_change(plan, confirmed_by="mcp 1.0")
        assert world.runai.done == []
        return
    await world.operations.actions.apply_change(plan, confirmed_by="mcp 1.0")
    assert world.runai.done == [("delete", "train-a")]
    assert [(entry.author, entry.action, entry.detail) for entry in world.audit.entries] == [
        ("mcp 1.0", AuditAction.WORKLOAD_CHANGED, "delete vision/train-a: begun"),
        ("mcp 1.0", AuditAction.WORKLOAD_CHANGED, "delete vision/train-a: accepted by Run:ai"),
    ]
    assert all(entry.at == EPOCH for entry in world.audit.entries)
