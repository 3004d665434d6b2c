"""Takes secrets and terminal escapes out of everything that was read, before a rule sees it.

Every text field of every object is treated, whatever its name: a field that is added to `model` later cannot be forgotten.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, cast

from runai_monitor.diagnosis.lines import clean
from runai_monitor.diagnosis.redact import redact, redact_environment
from runai_monitor.model.history import Neighbour
from runai_monitor.model.workload import WorkloadDetail

T = TypeVar("T")
_LONGEST_TEXT = 16_000
_NAME = 80
"""What may be the name of something; longer texts seldom come twice."""
_SHORT = 8
"""No secret is that short; phases, quantities and reasons are, and there are thousands of them."""


def safe_text(text: str) -> str:
    """A text without secrets, escapes and unseen characters; of a gigantic one head and end."""
    if len(text) > _LONGEST_TEXT:
        half = _LONGEST_TEXT // 2
        # Redacted before it is cut: half a secret is not recognised.
        safe = redact(clean(text))
        return safe if len(safe) <= _LONGEST_TEXT else f"{safe[:half]}\n…\n{safe[-half:]}"
    if len(text) <= _SHORT and text.isalnum():
        return text
    return _safe_name(text) if len(text) <= _NAME else redact(clean(text))


@lru_cache(maxsize=8_192)
def _safe_name(text: str) -> str:
    """Projects, images, nodes and statuses: in a storm each diagnosis brings the same hundreds."""
    return redact(clean(text))


def safe(value: T) -> T:
    """The same object with every text in it made safe, however deep."""
    return cast("T", _safe(value))


def _safe(value: Any) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, Neighbour):
        return _safe_neighbour(value)
    if isinstance(value, tuple | list):
        return type(value)(_safe(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return _safe_object(value)
    return value


@lru_cache(maxsize=2_048)
def _safe_neighbour(value: Neighbour) -> Neighbour:
    """Whoever else fails: in a storm each diagnosis brings the same hundreds."""
    return cast("Neighbour", _safe_object(value))


def _safe_object(value: Any) -> Any:
    changed = {field.name: _safe(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, WorkloadDetail):
        # A name tells that its value is a secret: the pair must be seen together.
        changed["environment"] = redact_environment(value.environment)
    return replace(value, **changed)
