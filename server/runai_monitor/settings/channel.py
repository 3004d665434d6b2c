"""What every channel has. The kinds are apart: they take time to load, and many servers have none but `slack`."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from runai_monitor.settings.structure import Part

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_NAMES = "a name of lower-case letters, digits, - and _, at most 40"


class Channel(Part):
    """One configured destination: `name` in records, routes and tools; `kind` is the code that sends."""

    name: str = Field(description=_NAMES)
    kind: str

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(_NAMES)
        return value
