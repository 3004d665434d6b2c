"""Selectors of the Kubernetes API, with only the fields that really exist."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
Accepts = Callable[[Json], bool]

POD_FIELDS: Mapping[str, tuple[str, ...]] = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
    "spec.nodeName": ("spec", "nodeName"),
    "spec.restartPolicy": ("spec", "restartPolicy"),
    "spec.schedulerName": ("spec", "schedulerName"),
    "spec.serviceAccountName": ("spec", "serviceAccountName"),
    "status.phase": ("status", "phase"),
    "status.podIP": ("status", "podIP"),
}
EVENT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "metadata.name": ("metadata", "name"),
    "metadata.namespace": ("metadata", "namespace"),
    "involvedObject.kind": ("involvedObject", "kind"),
    "involvedObject.namespace": ("involvedObject", "namespace"),
    "involvedObject.name": ("involvedObject", "name"),
    "involvedObject.uid": ("involvedObject", "uid"),
    "involvedObject.apiVersion": ("involvedObject", "apiVersion"),
    "reason": ("reason",),
    "reportingComponent": ("reportingComponent",),
    "source": ("source", "component"),
    "type": ("type",),
}
_EQUALITY = re.compile(r"^\s*(?P<key>[^\s=!]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s=!,]*)\s*$")
_SET = re.compile(r"^\s*(?P<key>[^\s=!,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*$")
_EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[A-Za-z0-9][\w./-]*)\s*$")
_COMMA_OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")


class BadSelectorError(ValueError):
    """The selector cannot be parsed or names a field that cannot be selected by: answered with 400."""


def field_selector(text: str, fields: Mapping[str, tuple[str, ...]]) -> Accepts:
    """What `fieldSelector` accepts.

    Raises:
        BadSelectorError: it is malformed, or a field is not one of `fields`.
    """
    terms: list[tuple[tuple[str, ...], bool, str]] = []
    for part in filter(None, text.split(",")):
        match = _EQUALITY.match(part)
        if match is None:
            raise BadSelectorError(f'invalid selector: "{text}"; can\'t understand "{part}"')
        if match["key"] not in fields:
            raise BadSelectorError(f"field label not supported: {match['key']}")
        terms.append((fields[match["key"]], match["op"] != "!=", match["value"]))
    return lambda item: all((_dig(item, path) == value) is wanted for path, wanted, value in terms)


def label_selector(text: str) -> Accepts:
    """What `labelSelector` accepts: `=`, `==`, `!=`, `in`, `notin`, existence and its negation.

    Raises:
        BadSelectorError: it is malformed.
    """
    terms = [_label_term(part, text) for part in _COMMA_OUTSIDE_BRACKETS.split(text) if part.strip()]

    def accepts(item: Json) -> bool:
        labels = item["metadata"].get("labels") or {}
        return all(term(labels) for term in terms)

    return accepts


def _label_term(part: str, whole: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.match(part):
        key, values, wanted = match["key"], {v.strip() for v in match["values"].split(",")}, match["op"] == "in"
        return lambda labels: (labels.get(key) in values) is wanted
    if match := _EQUALITY.match(part):
        key, value, wanted = match["key"], match["value"], match["op"] != "!="
        return lambda labels: (labels.get(key) == value) is wanted
    if match := _EXISTS.match(part):
        key, wanted = match["key"], not match["not"]
        return lambda labels: (key in labels) is wanted
    raise BadSelectorError(f'unable to parse requirement: "{whole}"')


def _dig(item: Any, path: tuple[str, ...]) -> str:
    for key in path:
        item = item.get(key) if isinstance(item, dict) else None
    return "" if item is None else str(item)
