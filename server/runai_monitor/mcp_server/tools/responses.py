"""Tools by which people and agents answer alerts: acknowledge, silence, list silences, expire one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import Field

from runai_monitor.mcp_server import schemas
from runai_monitor.mcp_server.client_name import author_of
from runai_monitor.mcp_server.shape import alert_result, alert_text, first_that_fits, shrinking, tool_result
from runai_monitor.mcp_server.toolkit import ToolParts, chosen, make_tool, ranged
from runai_monitor.mcp_server.tools.alerts import AlertIdArgument
from runai_monitor.model.alert import Alert, AlertState
from runai_monitor.model.silence import MatchField, SilenceState
from runai_monitor.operations import arguments
from runai_monitor.operations.present import instant, one_line, silence_json
from runai_monitor.operations.responses import SilenceRequest
from runai_monitor.operations.results import Acknowledgement, SilenceView

MOST_NAMED = 20
"""Matching alerts that a result names; the number is always of all."""

AuthorArgument = Annotated[
    str | None,
    Field(description="The person you act for, as they are called; null when you act by yourself. It is recorded."),
]
MatchersArgument = Annotated[
    list[str],
    Field(
        description='All must match, such as ["project=ml-team", "status=~OOM.*"]. Fields: '
        + ", ".join(MatchField)
        + ". Operators: = != =~ !~, regular expressions (RE2) for the whole value."
    ),
]
SilenceIdArgument = Annotated[str, Field(description="A silence_id from list_silences.")]


def response_tools(parts: ToolParts) -> list[Tool]:
    """The tools, bound to the operations."""
    return [_acknowledge_tool(parts), _silence_tool(parts), _list_tool(parts), _expire_tool(parts)]


def _acknowledge_tool(parts: ToolParts) -> Tool:
    responses, seen = parts.operations.responses, parts.seen

    async def acknowledge_alert(
        ctx: Context[Any, Any],
        alert_id: AlertIdArgument,
        author: AuthorArgument = None,
        note: Annotated[str, Field(description="What is being done about it, in one line.")] = "",
    ) -> Annotated[CallToolResult, schemas.AcknowledgementResult]:
        """Notes that somebody takes care of an alert: no more reminders of it, and the channels are told who.

        It goes on to change and to resolve, and is told again if it gets more severe. Doing it twice changes nothing.
        Ask the person before you acknowledge for them: others will rely on it.
        """
        outcome = await responses.acknowledge(alert_id, author=author_of(ctx, author), note=note)
        return await seen.append(ctx, _acknowledged(outcome))

    return make_tool(acknowledge_alert, title="Acknowledge an alert", read_only=False, open_world=False)


def _silence_tool(parts: ToolParts) -> Tool:
    responses, seen = parts.operations.responses, parts.seen

    async def silence_alerts(
        ctx: Context[Any, Any],
        matchers: MatchersArgument,
        reason: Annotated[str, Field(description="Why, for who wonders later why nobody was told.")],
        duration: Annotated[str | None, Field(description="How long: 90m, 2h, 1d12h. This or until.")] = None,
        until: Annotated[str | None, Field(description="When it ends: ISO 8601 time. This or duration.")] = None,
        starts_at: Annotated[str | None, Field(description="When it begins: ISO 8601 time; null: now.")] = None,
        author: AuthorArgument = None,
        everything: Annotated[
            bool, Field(description="Only when it is meant to silence more or less every alert.")
        ] = False,
        replaces: Annotated[
            str | None, Field(description="A silence_id that ends as this one begins: to change or to prolong it.")
        ] = None,
    ) -> Annotated[CallToolResult, schemas.SilenceCreatedResult]:
        """Keeps matching alerts from Slack, mail and other channels until an end; at most 30 days.

        They are still recorded, listed and pushed to MCP clients. Tells which open alerts it matches now: check that
        before you rely on it. Ask the person first: silenced alerts wake nobody.
        """
        request = SilenceRequest(
            matchers=matchers,
            reason=reason,
            duration=duration,
            until=until,
            starts_at=starts_at,
            everything=everything,
            replaces=replaces,
        )
        view = await responses.silence(request, author=author_of(ctx, author))
        return await seen.append(ctx, _created(view))

    return make_tool(
        silence_alerts, title="Silence alerts", read_only=False, destructive=True, idempotent=False, open_world=False
    )


def _list_tool(parts: ToolParts) -> Tool:
    responses, seen = parts.operations.responses, parts.seen

    async def list_silences(
        ctx: Context[Any, Any],
        state: Annotated[
            str | None,
            chosen("Only silences in this state; null for active and pending.", [*SilenceState, "all"]),
        ] = None,
        limit: Annotated[int, ranged("At most this many silences.", arguments.LIMIT)] = 50,
    ) -> Annotated[CallToolResult, schemas.SilenceListResult]:
        """Lists silences with their authors, reasons and ends, and the open alerts that each matches now."""
        views = await responses.list_silences(state=state, limit=limit)
        return await seen.append(ctx, _listed(views))

    return make_tool(list_silences, title="List silences", open_world=False)


def _expire_tool(parts: ToolParts) -> Tool:
    responses, seen = parts.operations.responses, parts.seen

    async def expire_silence(
        ctx: Context[Any, Any], silence_id: SilenceIdArgument, author: AuthorArgument = None
    ) -> Annotated[CallToolResult, schemas.SilenceExpiredResult]:
        """Ends a silence now: what happens from then on is told again. It stays in the record."""
        view, changed = await responses.expire_silence(silence_id, author=author_of(ctx, author))
        silence = view.silence
        row = silence_result(view)
        if changed:
            text = f"{silence.silence_id} has ended; {row.matches_now} open alerts that it matched are told of again."
        else:
            text = f"{silence.silence_id} had ended already, at {row.expired_at or row.ends_at}. Nothing was changed."
        return await seen.append(ctx, tool_result(schemas.SilenceExpiredResult(silence=row, changed=changed), text))

    return make_tool(expire_silence, title="End a silence", read_only=False, open_world=False)


def silence_result(view: SilenceView, *, named: int = MOST_NAMED) -> schemas.SilenceResult:
    """A silence in the published shape, with the first `named` of the open alerts that it matches."""
    return schemas.SilenceResult.model_validate(
        {
            **silence_json(view.silence, view.state),
            "matches_now": len(view.matching),
            "alerts": [_matching(alert) for alert in view.matching[:named]],
        }
    )


def _matching(alert: Alert) -> dict[str, str]:
    job = "/".join(one_line(part, limit=100) for part in (alert.subject.project, alert.subject.name) if part)
    return {"alert_id": str(alert.alert_id), "name": job or str(alert.kind), "status": one_line(alert.status, limit=60)}


def _acknowledged(outcome: Acknowledgement) -> CallToolResult:
    alert = outcome.alert
    if outcome.changed:
        said = f"Acknowledged by {alert.acknowledged_by}: no more reminders."
    elif alert.state is AlertState.RESOLVED:
        said = f"Nothing to acknowledge: it was resolved at {instant(alert.resolved_at)}."
    else:
        said = f"Acknowledged already, by {alert.acknowledged_by} at {instant(alert.acknowledged_at)}. Nothing was changed."

    def fitting(evidence: bool) -> CallToolResult:
        result = schemas.AcknowledgementResult(
            alert=alert_result(alert, evidence=evidence, markdown=False),
            changed=outcome.changed,
            outcome=said,
            cut="report left out: get_alert(alert_id) has it" if alert.diagnosis else None,
        )
        return tool_result(result, f"{said}\n{alert_text(alert)}")

    return first_that_fits(fitting(evidence) for evidence in (True, False))


def _created(view: SilenceView) -> CallToolResult:
    row = silence_result(view)
    names = ", ".join(alert.name for alert in row.alerts[:10])
    when = "now" if row.state == SilenceState.ACTIVE else f"from {row.starts_at}"
    text = f"Silenced {when} until {row.ends_at} ({row.silence_id}): {', '.join(row.matchers) or 'everything'}.\n"
    text += f"Open alerts that it matches now: {row.matches_now}" + (f" ({names})." if names else ".")
    return tool_result(schemas.SilenceCreatedResult(silence=row), text)


def _listed(views: Sequence[SilenceView]) -> CallToolResult:
    def fitting(count: int) -> CallToolResult:
        rows = [silence_result(view, named=5) for view in views[:count]]
        left_out = len(views) - count
        cut = f"{left_out} silences not shown: ask for one state, or a smaller limit" if left_out else None
        text = "\n".join(map(_line, rows)) or "No silences."
        return tool_result(schemas.SilenceListResult(silences=rows, cut=cut), text)

    return first_that_fits(fitting(count) for count in shrinking(len(views)))


def _line(row: schemas.SilenceResult) -> str:
    end = row.expired_at or row.ends_at
    return (
        f"{row.silence_id} ({row.state}, {row.starts_at} to {end}) by {row.author}: "
        f"{', '.join(row.matchers) or 'everything'} - {row.reason} [{row.matches_now} open alerts]"
    )
