"""Nodes as Run:ai lists them: for those that Kubernetes does not show, because it may not, cannot, or is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio

from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.safe import safe, safe_text
from runai_monitor.diagnosis.sources import RunaiReader
from runai_monitor.diagnosis.wording import token
from runai_monitor.diagnosis.xid import reports_of_condition
from runai_monitor.errors import RunaiAuthError, RunaiError
from runai_monitor.model.cluster import Node
from runai_monitor.model.workload import Condition

MOST_NODES = 8
CONCURRENT_READS = 4


async def read_listed_nodes(runai: RunaiReader, case: Case, names: Sequence[str], *, cluster_id: str) -> None:
    """Puts into the case what Run:ai lists of these nodes; what Kubernetes itself says of one stays.

    Args:
        runai: where they are listed.
        case: what is filled.
        names: as the cluster knows them; of more than `MOST_NODES` the first.
        cluster_id: the cluster they are of: another may have nodes of the same names.

    Raises:
        RunaiAuthError: nodes may not be read; other failures are noted for each node.
    """
    limiter = anyio.CapacityLimiter(CONCURRENT_READS)
    refused: list[RunaiAuthError] = []

    async def one(name: str) -> None:
        async with limiter:
            if refused:
                return
            try:
                found = await runai.find_nodes(name, cluster_id=cluster_id)
            except RunaiAuthError as error:
                refused.append(error)
            except RunaiError as error:
                case.unread.append(f"node {token(name)} in Run:ai's list: {safe_text(str(error))[:300]}")
            else:
                for node in found:
                    case.around.nodes.setdefault(safe_text(name), _judged(safe(node)))

    async with anyio.create_task_group() as tasks:
        for name in list(dict.fromkeys(names))[:MOST_NODES]:
            tasks.start_soon(one, name)
    if refused:
        raise refused[0]


def _judged(node: Node) -> Node:
    """Run:ai tells no status of a condition: one that reports an XID holds, of the others nothing is concluded."""
    return replace(node, conditions=tuple(map(_with_status, node.conditions)))


def _with_status(condition: Condition) -> Condition:
    reported = reports_of_condition(f"{condition.type} {condition.reason or ''}", condition.message or "")
    return replace(condition, status="True") if reported and not condition.status else condition
