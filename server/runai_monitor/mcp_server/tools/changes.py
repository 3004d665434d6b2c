"""The one tool that changes workloads, and only after a person said yes.

Annotations are evaluated here (no postponed ones): the question is a local function named in one.
"""

from typing import Annotated, Any, Literal

from mcp.server.mcpserver import AcceptedElicitation, Context, Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import BaseModel, Field

from runai_monitor.mcp_server import job_schemas
from runai_monitor.mcp_server.client_name import client_name
from runai_monitor.mcp_server.push import MODERN
from runai_monitor.mcp_server.shape import tool_result, workload_ref
from runai_monitor.mcp_server.toolkit import ToolParts, make_tool
from runai_monitor.mcp_server.tools.workloads import JobArgument, ProjectArgument
from runai_monitor.operations.results import ActionPlan

ActionArgument = Annotated[Literal["suspend", "resume", "delete"], Field(description="What to do with the job.")]
DryRunArgument = Annotated[
    bool, Field(description="true: only say what would happen. false: ask the person, then do it.")
]


class Confirmation(BaseModel):
    """What the person is asked."""

    confirm: bool = Field(description="Do it")


def write_tools(parts: ToolParts) -> list[Tool]:
    """The one tool that changes workloads; the caller registers it only where it is allowed."""
    actions, seen = parts.operations.actions, parts.seen

    async def make_plan(action: ActionArgument, job_name: JobArgument, project: ProjectArgument) -> ActionPlan:
        """Made once in a call, so that what is done is what was asked: a name may mean another job by then."""
        return await actions.plan_change(action, job_name, project)

    async def ask_person(
        ctx: Context[Any, Any], plan: Annotated[ActionPlan, Resolve(make_plan)], dry_run: bool
    ) -> Confirmation | Elicit[Confirmation]:
        """Asks before a real change, on both protocol eras; a client that cannot ask gets a refusal."""
        if dry_run:
            return Confirmation(confirm=False)
        _require_asking(ctx)
        return Elicit(plan.question, Confirmation)

    async def manage_workload(
        ctx: Context[Any, Any],
        action: ActionArgument,
        job_name: JobArgument,
        plan: Annotated[ActionPlan, Resolve(make_plan)],
        answer: Annotated[ElicitationResult[Confirmation], Resolve(ask_person)],
        project: ProjectArgument = None,
        dry_run: DryRunArgument = True,
    ) -> Annotated[CallToolResult, job_schemas.ManageResult]:
        """Suspends, resumes or deletes a job. With dry_run (the default) it only says what would happen.

        With dry_run=false the person at the client is asked first; without their consent nothing is done.
        """
        del job_name, project  # the plan was made of them
        if dry_run:
            outcome = f"would {action}: {plan.effect}; call again with dry_run=false to do it"
            return await seen.append(ctx, _managed(plan, outcome, dry_run=True, done=False))
        if not (isinstance(answer, AcceptedElicitation) and answer.data.confirm):
            return await seen.append(
                ctx, _managed(plan, "the person did not agree; nothing was done", dry_run=False, done=False)
            )
        await actions.apply_change(plan, confirmed_by=client_name(ctx))
        return await seen.append(ctx, _managed(plan, f"{action} was accepted by Run:ai", dry_run=False, done=True))

    return [
        make_tool(
            manage_workload,
            title="Suspend, resume or delete a job",
            read_only=False,
            destructive=True,
            idempotent=False,
        )
    ]


def _require_asking(ctx: Context[Any, Any]) -> None:
    capabilities = ctx.client_capabilities
    asking = None if capabilities is None else capabilities.elicitation
    form = asking is not None and (asking.form is not None or asking.url is None)
    reachable = (ctx.protocol_version or "") >= MODERN or ctx.session.can_send_request
    if not form or not reachable:
        raise ToolError(
            "this client cannot ask the person for consent (elicitation), so nothing is changed; "
            "use a client that can, or make the change in the Run:ai console"
        )


def _managed(plan: ActionPlan, outcome: str, *, dry_run: bool, done: bool) -> CallToolResult:
    result = job_schemas.ManageResult(
        action=plan.action, workload=workload_ref(plan.workload), dry_run=dry_run, done=done, outcome=outcome
    )
    return tool_result(result, f"{plan.workload.project}/{plan.workload.name}: {outcome}.")
