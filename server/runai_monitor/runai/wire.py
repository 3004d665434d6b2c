"""Bytes from Run:ai to rows: only the fields we use, and only what is indispensable is required.

Every value is `object` on purpose: an unknown phase, a null or a number where text was promised must not lose a
workload (Run:ai's own SDK models reject the specification's own examples). `convert.py` makes sense of the values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from runai_monitor.errors import RunaiPayloadError

T = TypeVar("T")
Row = dict[str, object]

_PATH = re.compile(r"at `\$\.?([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_OK = 200


class WorkloadRow(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One workload of a list. The first four identify it, scope it and decide about it: without them it is no workload."""

    id: object
    name: object
    phase: object
    project_name: object
    type: object = None
    namespace: object = None
    cluster_id: object = None
    phase_reason: object = None
    phase_message: object = None
    phase_updated_at: object = None
    created_at: object = None
    deleted_at: object = None
    completed_at: object = None
    submitted_by: object = None
    preemptible: object = None
    running_pods: object = None
    requested_pods: object = None
    images: object = None
    distributed_framework: object = None
    workload_requested_resources: object = None
    allocated_resources: object = None


class _WorkloadPage(msgspec.Struct, frozen=True):
    workloads: list[WorkloadRow]
    next: object = None


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of any list: its rows, and whether the server says that there is more."""

    rows: list[Row]
    has_next: bool


class WorkloadPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of workloads, and whether the server says that there is more."""

    rows: list[WorkloadRow]
    has_next: bool


_workload_page = msgspec.json.Decoder(_WorkloadPage)
_workload_row = msgspec.json.Decoder(WorkloadRow)
_anything = msgspec.json.Decoder(msgspec.Raw)
_any_object = msgspec.json.Decoder(dict[str, object])


def decode_workload_page(content: bytes, path: str) -> WorkloadPage:
    """A page of workloads.

    Raises:
        RunaiPayloadError: not JSON, no `workloads`, or a row without id, name, phase or project (named by its index).
    """
    page = _decode(_workload_page.decode, content, path, "workloads")
    for index, row in enumerate(page.workloads):
        _check_identity(row, path, f"workloads[{index}].")
    return WorkloadPage(rows=page.workloads, has_next=page.next is not None)


def decode_workload(content: bytes, path: str) -> tuple[WorkloadRow, Row]:
    """One workload: its row, and everything else its own endpoint says about it.

    Raises:
        RunaiPayloadError: not JSON, or without id, name, phase or project.
    """
    row = _decode(_workload_row.decode, content, path, "id")
    _check_identity(row, path, "")
    return row, decode_object(content, path, expected="id")


def decode_list(key: str, *, required: tuple[str, ...] = ()) -> Callable[[bytes, str], ListPage]:
    """A decoder of `{key: [...], next}`. Null rows are left out, as Run:ai declares events nullable.

    The decoder raises RunaiPayloadError: not JSON, no list under `key`, or a row without one of the `required` fields.
    """

    def decode(content: bytes, path: str) -> ListPage:
        answer = decode_object(content, path, expected=key)
        rows = answer.get(key)
        if not isinstance(rows, list):
            raise payload_error(path, key)
        kept: list[Row] = []
        for index, row in enumerate(rows):
            if row is None:
                continue
            if not isinstance(row, dict):
                raise payload_error(path, f"{key}[{index}]")
            absent = next((name for name in required if row.get(name) in (None, "")), None)
            if absent:
                raise payload_error(path, f"{key}[{index}].{absent}")
            kept.append(row)
        return ListPage(rows=kept, has_next=answer.get("next") is not None)

    return decode


def decode_count(content: bytes, path: str) -> int:
    """`{count: n}`.

    Raises:
        RunaiPayloadError: not JSON, or `count` is not a whole number from 0.
    """
    count = decode_object(content, path, expected="count").get("count")
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise payload_error(path, "count")
    return count


def decode_object(content: bytes, path: str, *, expected: str) -> Row:
    """Any JSON object; `expected` is the field an error names when the answer is something else."""
    return _decode(_any_object.decode, content, path, expected)


def decode_json(content: bytes, path: str) -> None:
    """Only checks that it is JSON, without building anything of it.

    Raises:
        RunaiPayloadError: it is not.
    """
    _decode(_anything.decode, content, path, "")


def accept_anything(content: bytes, path: str) -> None:
    """For calls whose answer is their status alone (202): Run:ai promises no body."""


def payload_error(path: str, field: str = "") -> RunaiPayloadError:
    """The error for an answer to `path` that lacks `field`, or that is not JSON at all."""
    fault = f"lacks a usable `{field}`" if field else "is not JSON"
    return RunaiPayloadError(
        f"Run:ai's answer to {path} {fault}: check that RUNAI_BASE_URL is the control plane itself and not a"
        " proxy or login page in front of it.",
        endpoint=path,
        field=field,
        status=_OK,
    )


def _check_identity(row: WorkloadRow, path: str, prefix: str) -> None:
    """A null phase or project is bearable; a workload without id or name cannot be told from another."""
    for field, value in (("id", row.id), ("name", row.name)):
        if not isinstance(value, str) or not value:
            raise payload_error(path, prefix + field)


def _decode(decode: Callable[[bytes], T], content: bytes, path: str, expected: str) -> T:
    try:
        return decode(content)
    except msgspec.ValidationError as exc:
        raise payload_error(path, _field_of(str(exc)) or expected) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Without the cause: its text may quote the body, and the body may hold anything.
        raise payload_error(path) from None


def _field_of(message: str) -> str:
    """The field a msgspec error speaks of, as `workloads[3].id`."""
    place, missing = _PATH.search(message), _MISSING.search(message)
    return ".".join(match.group(1) for match in (place, missing) if match and match.group(1))
