"""`bench/RESULTS.md`: each benchmark owns one section of it, and leaves the others alone."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).with_name("RESULTS.md")
_TITLE = "# Benchmark results"


def machine(*more: str) -> str:
    """When and on what a benchmark ran, as a line."""
    parts = [f"{datetime.now(UTC):%Y-%m-%d}", platform.system(), platform.machine(), f"{os.cpu_count()} cores"]
    return ", ".join([*parts, f"Python {platform.python_version()}", *more]) + "."


def write_section(heading: str, body: str) -> None:
    """Puts a section in the place of its older self, or at the end."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else _TITLE
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    known = {section.partition("\n")[0]: section.partition("\n")[2].strip() for section in sections}
    known[heading] = body.strip()
    page = [_TITLE, *(f"## {name}\n{said}" for name, said in known.items())]
    PAGE.write_text("\n\n".join(page) + "\n", encoding="utf-8")
