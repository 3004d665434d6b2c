"""How sure the diagnosis is of words that it does not know: every case once more, the signs of its own cause hidden.

Run by hand, `python -m tests.corpus.hidden_signs`: what it prints as wrong and confident is a class whose confidence is too high.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Sequence
from unittest.mock import patch

import anyio

from runai_monitor.diagnosis.rules.log_sign import LogSign
from tests.corpus.case import LabelledCase
from tests.corpus.cases import CASES
from tests.corpus.examination import Mark, diagnose_all, mark


async def examine_hidden(cases: Sequence[LabelledCase]) -> list[Mark]:
    """The marks of those cases in which a sign of the expected causes was hidden."""
    shown = LogSign._shown
    marks = []
    for case in cases:
        hidden: list[str] = []

        def without(
            sign: LogSign,
            pattern: re.Pattern[str] | None,
            text: str,
            *,
            case: LabelledCase = case,
            hidden: list[str] = hidden,
        ) -> re.Match[str] | None:
            found = shown(sign, pattern, text)
            if found is None or sign.cause not in case.expected:
                return found
            hidden.append(sign.cause)
            return None

        with patch.object(LogSign, "_shown", without):
            (diagnosis,) = await diagnose_all([case])
        if hidden:
            marks.append(mark(case, diagnosis))
    return marks


def main() -> None:
    """Prints the wrong and confident answers, and how many there were."""
    logging.disable(logging.WARNING)
    marks = anyio.run(examine_hidden, CASES)
    wrong = [found for found in marks if found.confidently_wrong]
    for found in wrong:
        sys.stdout.write(f"{found.case.id}: {found.case.expected}, answered {found.answer} {found.confidence:.2f}\n")
    sys.stdout.write(f"{len(wrong)} wrong and confident of {len(marks)} cases with a hidden sign\n")


if __name__ == "__main__":
    main()
