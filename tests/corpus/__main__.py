"""`make eval`: examines the diagnosis, prints the table and the misses, and writes them to the documentation."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import anyio

from tests.corpus.cases import CASES
from tests.corpus.examination import diagnose, examine
from tests.corpus.results import calibration, document, misses, summary, table, totals_of

PAGE = Path(__file__).parents[2] / "bench" / "DIAGNOSIS.md"


def main(arguments: list[str]) -> None:
    """Without arguments the whole corpus; with the id of a case, its report."""
    logging.disable(logging.WARNING)
    if arguments:
        for case in CASES:
            if case.id in arguments:
                sys.stdout.write(f"{case.id}: expected {case.expected}\n{case.why}\n\n")
                sys.stdout.write(anyio.run(diagnose, case).markdown + "\n")
        return
    marks = anyio.run(examine, CASES)
    PAGE.write_text(document(marks), encoding="utf-8")
    parts = [table(marks), misses(marks), calibration(marks), summary(totals_of(marks))]
    sys.stdout.write("\n".join(line for part in parts for line in (*part, "")))
    sys.stdout.write("The report of one case: .venv/bin/python -m tests.corpus <case>\n")


if __name__ == "__main__":
    main(sys.argv[1:])
