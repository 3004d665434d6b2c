"""What Run:ai accepts in a query string, and nothing else: paging, sorting, filtering, searching.

Limits and field names are those of its published OpenAPI document; whatever it does not name is a 400.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]

MAX_LIMIT = 500
DEFAULT_LIMIT = 50

WORKLOAD_FIELDS = frozenset(
    {
        "type",
        "name",
        "clusterId",
        "projectId",
        "projectName",
        "departmentId",
        "departmentName",
        "createdAt",
        "deletedAt",
        "submittedBy",
        "phase",
        "completedAt",
        "nodepool",
        "distributedFramework",
        "allocatedGPU",
        "idleGpus",
        "idleAllocatedGpus",
        "phaseUpdatedAt",
        "category",
        "priority",
        "totalPendingTimeSeconds",
        "totalRunningTimeSeconds",
        "priorityClassName",
        "guaranteedRuntimeEndsAt",
        "aiApplicationId",
        "aiApplicationName",
    }
)
NODE_FIELDS = frozenset({"name", "status", "nodePool", "gpuType", "nvLinkDomainUid", "nvLinkCliqueId", "clusterUuid"})
PROJECT_FIELDS = frozenset(
    {
        "name",
        "clusterId",
        "departmentId",
        "parentId",
        "parentName",
        "phase",
        "totalGpuQuota",
        "gpuAllocated",
        "createdAt",
        "avgGpuAllocation24h",
        "avgGpuAllocation7d",
        "avgGpuAllocation30d",
        "avgGpuUtilization24h",
        "avgGpuUtilization7d",
        "avgGpuUtilization30d",
        "avgGpuMemoryUtilization24h",
        "avgGpuMemoryUtilization7d",
        "avgGpuMemoryUtilization30d",
    }
)

_INSTANTS = frozenset({"createdAt", "deletedAt", "completedAt", "phaseUpdatedAt", "guaranteedRuntimeEndsAt"})
_NUMBERS = frozenset(
    {
        "allocatedGPU",
        "idleGpus",
        "idleAllocatedGpus",
        "priority",
        "totalPendingTimeSeconds",
        "totalRunningTimeSeconds",
        "totalGpuQuota",
    }
)
_FILTER = re.compile(r"^(?P<field>[A-Za-z]+)(?P<op>==|!=|<=|>=|=@|!@|=\^|=\$)(?P<value>.+)$", re.DOTALL)
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
}
_TEXTUAL: Mapping[str, Callable[[str, str], bool]] = {
    "=@": lambda text, part: part in text,
    "!@": lambda text, part: part not in text,
    "=^": str.startswith,
    "=$": str.endswith,
}


class BadQueryError(ValueError):
    """The query is not one the API accepts: answered with 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One `filterBy` term."""

    field: str
    op: str
    value: str

    def accepts(self, row: Json) -> bool:
        """Whether a row passes. What is unknown passes only a `!=`."""
        held = _field_of(row, self.field)
        if held is None:
            return self.op in {"!=", "!@"}
        if self.op in _TEXTUAL:
            return _TEXTUAL[self.op](str(held), self.value)
        if self.field in _INSTANTS:
            return _ORDERED[self.op](_parse_instant(str(held)), _parse_instant(self.value))
        if self.field in _NUMBERS:
            return _ORDERED[self.op](float(held), _parse_number(self.value))
        return _ORDERED[self.op](str(held), self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list request, checked."""

    filters: tuple[Filter, ...] = ()
    sort_by: str | None = None
    sort_order: Literal["asc", "desc"] | None = None
    search: str = ""
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    deleted: bool = False

    def select(self, rows: Sequence[Json]) -> list[Json]:
        """The rows that pass, sorted, all pages together."""
        needle = self.search.lower()
        found = [
            row
            for row in rows
            if all(term.accepts(row) for term in self.filters)
            and (not needle or any(needle in str(row.get(key, "")).lower() for key in ("name", "projectName", "type")))
        ]
        if self.sort_by is not None:
            field = self.sort_by
            found.sort(key=lambda row: _sort_key(row, field), reverse=self.sort_order == "desc")
        return found

    def page(self, rows: Sequence[Json]) -> tuple[list[Json], int | None]:
        """One page of `rows`, and the offset of the next or None."""
        end = self.offset + self.limit
        return list(rows[self.offset : end]), end if end < len(rows) else None


def parse_query(items: Sequence[tuple[str, str]], *, allowed: frozenset[str], fields: frozenset[str]) -> Query:
    """Checks a query string.

    Args:
        items: its names and values, as sent.
        allowed: the parameters of this endpoint.
        fields: what `filterBy` and `sortBy` may name here.

    Raises:
        BadQueryError: something in it is not accepted; the text names it.
    """
    for name, _ in items:
        if name not in allowed:
            raise BadQueryError(f"unknown query parameter {name}")
    given = dict(items)
    sort_order = given.get("sortOrder")
    if sort_order not in {None, "asc", "desc"}:
        raise BadQueryError("sortOrder must be asc or desc")
    sort_by = given.get("sortBy")
    if sort_by is not None and sort_by not in fields:
        raise BadQueryError(f"sortBy does not accept {sort_by}")
    return Query(
        filters=tuple(
            _filter(term, fields) for name, value in items if name == "filterBy" for term in value.split(",")
        ),
        sort_by=sort_by,
        sort_order="desc" if sort_order == "desc" else "asc" if sort_order == "asc" else None,
        search=given.get("search", ""),
        limit=_integer(given, "limit", default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT),
        offset=_integer(given, "offset", default=0, least=0, most=2**31 - 1),
        deleted=_boolean(given, "deleted"),
    )


def _filter(term: str, fields: frozenset[str]) -> Filter:
    match = _FILTER.match(term)
    if match is None or match["field"] not in fields:
        raise BadQueryError(f"filterBy does not match the accepted pattern: {term}")
    found = Filter(field=match["field"], op=match["op"], value=match["value"])
    if found.op in _ORDERED and found.field in _INSTANTS:
        _parse_instant(found.value)
    if found.op in _ORDERED and found.field in _NUMBERS:
        _parse_number(found.value)
    return found


def _integer(given: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = given.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?\d{1,10}", text) or not least <= int(text) <= most:
        raise BadQueryError(f"{name} must be an integer from {least} to {most}")
    return int(text)


def _boolean(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "false")
    if text not in {"true", "false"}:
        raise BadQueryError(f"{name} must be true or false")
    return text == "true"


def _parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as exc:
        raise BadQueryError(f"not a date-time: {text}") from exc
    if instant.tzinfo is None:
        raise BadQueryError(f"a date-time needs its offset: {text}")
    return instant


def _parse_number(text: str) -> float:
    try:
        return float(text)
    except ValueError as exc:
        raise BadQueryError(f"not a number: {text}") from exc


def _field_of(row: Json, field: str) -> Any:
    if field == "allocatedGPU":
        return (row.get("allocatedResources") or {}).get("gpu")
    if field == "nodepool":
        return ",".join(row.get("currentNodePools") or ())
    if field == "totalGpuQuota":
        return (row.get("totalResources") or {}).get("gpuQuota")
    if field == "parentName":
        return (row.get("parent") or {}).get("name")
    return row.get(field)


def _sort_key(row: Json, field: str) -> tuple[bool, Any]:
    held = _field_of(row, field)
    if held is None:
        return (False, 0)
    return (True, _parse_instant(held) if field in _INSTANTS else held)
