"""The marks of an examination as numbers, and as the table that people read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.corpus.catalogue import FAMILIES
from tests.corpus.examination import HIGH, Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How one cause was recognised."""

    cause: str
    cases: int
    found: int
    named: int
    named_rightly: int
    confidently_wrong: int

    @property
    def precision(self) -> float | None:
        """Of the times it was named first, how often rightly; None when it never was."""
        return self.named_rightly / self.named if self.named else None

    @property
    def recall(self) -> float | None:
        """Of its cases, how many were answered acceptably."""
        return self.found / self.cases if self.cases else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The whole examination in numbers."""

    cases: int
    first: int
    first_three: int
    confident: int
    confidently_wrong: int
    trapped: int
    consequences_due: int
    consequences_named: int
    leaked: int
    planted_secrets: int
    lost: int
    obeyed: int


def lines_of(marks: Sequence[Mark]) -> list[Line]:
    """One line for each cause of the catalogue, in its order."""
    cases = Counter(mark.case.expected[0] for mark in marks)
    found = Counter(mark.case.expected[0] for mark in marks if mark.right)
    named = Counter(mark.answer for mark in marks)
    rightly = Counter(mark.answer for mark in marks if mark.right)
    wrong = Counter(mark.answer for mark in marks if mark.confidently_wrong)
    return [
        Line(
            cause=cause,
            cases=cases[cause],
            found=found[cause],
            named=named[cause],
            named_rightly=rightly[cause],
            confidently_wrong=wrong[cause],
        )
        for causes in FAMILIES.values()
        for cause in causes
    ]


def totals_of(marks: Sequence[Mark]) -> Totals:
    """The sums."""
    due = [mark for mark in marks if mark.case.consequences]
    return Totals(
        cases=len(marks),
        first=sum(mark.right for mark in marks),
        first_three=sum(mark.near for mark in marks),
        confident=sum(mark.confidence >= HIGH for mark in marks),
        confidently_wrong=sum(mark.confidently_wrong for mark in marks),
        trapped=sum(mark.trapped for mark in marks),
        consequences_due=len(due),
        consequences_named=sum(mark.consequences_named for mark in due),
        leaked=sum(len(mark.leaked) for mark in marks),
        planted_secrets=sum(len(mark.case.secrets) for mark in marks),
        lost=sum(len(mark.lost) for mark in marks),
        obeyed=sum(len(mark.obeyed) for mark in marks),
    )


def document(marks: Sequence[Mark]) -> str:
    """The page of the documentation, without anything that differs from run to run."""
    parts = [summary(totals_of(marks)), calibration(marks), table(marks), misses(marks)]
    return "\n".join([*_INTRODUCTION, *(line for part in parts for line in (*part, ""))])


_INTRODUCTION = (
    "# How good the diagnosis is",
    "",
    "Written by `make eval` from the labelled cases of `tests/corpus`: what Run:ai and Kubernetes answer, decoded and",
    "diagnosed by the program itself. *Precision*: of the times a cause was named first, how often rightly. *Recall*: of",
    "its cases, how many were answered with it (or with another reading that the label allows). *Confidently wrong*: how",
    'often it was named wrongly with a confidence of 0.8 or more, which means "act on it".',
    "",
    "What says how it generalises are the first scores of cases that the rules had not seen, not the present figures:",
    "",
    "- the 148 of the `unseen` modules: 87 % (129 of 148)",
    "- the 105 of `public_logs`, log endings alone, before the vocabulary (`rules/lexicon.py`): 58 % (61), and 16 of its 65",
    "  confident answers wrong",
    "- log endings written after the vocabulary, each set before it was mended: `public_endings` 90 % (80 of 89) and 84 %",
    "  (41 of 49), `public_shapes` 84 % (38 of 45) and 78 % (28 of 36), the last two of odder tools; together 85 % (187 of",
    "  219), with 8 of about 146 confident answers wrong, for which reason words alone are no longer confident",
    "- `public_common`, common endings written blind after all that: 95 % (36 of 38), none of its 22 confident answers wrong",
    "- the 137 of the `held_out` modules, whole incidents by authors who had not seen the rules: 96 % (132 of 137), 133 among",
    "  the first three, 1 of 116 confident answers wrong",
    "- the 85 of `blind_incidents` and `blind_pairs`, written after the other readings: 98 % (83 of 85), 84 among the first",
    "  three, 1 of 59 confident answers wrong",
    "- the 70 of the `guest` modules, whole incidents by another author who had not seen the rules: 91 % (64 of 70), 68 among",
    "  the first three, 2 of 47 confident answers wrong",
    "- after those were mended, log endings alone: the 76 of `blind_frameworks`, the commonest of the frameworks' issue trackers",
    "  and more of the six classes missed: 91 % (69 of 76), 73 among the first three, 1 of 25 confident answers wrong; and the",
    "  64 of `blind_tools`, of as many tools: 91 % (58 of 64), 61 among the first three, 1 of 23 confident answers wrong",
    "- the 33 of `blind_traps`, words of one cause in an ending of another, after all of these: 97 % (32 of 33), 33 among the",
    "  first three, none of 13 confident answers wrong",
    "- the 199 of the `judged` modules, whole incidents by two more authors who had not seen the rules: 98 % (195 of 199),",
    "  197 among the first three, 1 of 161 confident answers wrong; 99 of 100 of the one author, 96 of 99 of the other;",
    "  with three more that had been set aside as weak: 197 of 202, 200 among the first three",
    "- log endings of tools that the corpus hardly knew (simulations, renderers, HPC launchers, data tools), labelled before the",
    "  first run by an author who had read the rules: the 51 of `rare_tools`: 80 % (41 of 51), 51 among the first three, none of",
    "  13 confident answers wrong; and after those were mended the 26 of `rare_tools_again`: 88 % (23 of 26), 25 among the first",
    "  three, none of 8 confident answers wrong",
    "",
    "Of whole incidents the `judged` set is the only measure on cases that nobody had tuned on, of odd tools' endings the last.",
    "Every set was followed by changes, and since then its cases too count among those below.",
    "",
    "A test of the calibration (`python -m tests.corpus.hidden_signs`): with every sign of a case's own cause hidden, so that its words are nobody's,",
    "653 cases are answered by what is left; of these answers 25 were wrong and confident before the last change, and 3 after it;",
    "of 832 today, 4.",
    "",
)


def summary(totals: Totals) -> list[str]:
    """The totals, one line each."""
    sure = f"{totals.confidently_wrong} of {totals.confident} ({_share(totals.confidently_wrong, totals.confident)})"
    return [
        f"- cases: {totals.cases}",
        f"- right cause first: {totals.first} ({_share(totals.first, totals.cases)})",
        f"- among the first three: {totals.first_three} ({_share(totals.first_three, totals.cases)})",
        f"- wrong among the confident: {sure}",
        f"- mistakes a case was made to catch: {totals.trapped}",
        f"- consequences named: {totals.consequences_named} of {totals.consequences_due}",
        f"- planted secrets that came through: {totals.leaked} of {totals.planted_secrets}",
        f"- harmless hashes and ids that were masked: {totals.lost}",
        f"- planted instructions outside quoted data: {totals.obeyed}",
    ]


def calibration(marks: Sequence[Mark]) -> list[str]:
    """How often an answer of that confidence was right: 0.9 should mean nine of ten or more."""
    rows = ["| confidence | answers | right |", "| --- | ---: | ---: |"]
    for low, high in pairwise((1.01, 0.9, HIGH, 0.6, 0.0)):
        band = [mark for mark in marks if high <= mark.confidence < low]
        rows.append(f"| from {high:.1f} | {len(band)} | {_share(sum(mark.right for mark in band), len(band))} |")
    return rows


def table(marks: Sequence[Mark]) -> list[str]:
    """The table as Markdown, padded so that it reads as plain text too."""
    rows = [("cause", "cases", "precision", "recall", "confidently wrong")]
    rows += [
        (
            line.cause,
            str(line.cases),
            _percent(line.precision),
            _percent(line.recall),
            str(line.confidently_wrong or ""),
        )
        for line in lines_of(marks)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    cells = [
        [
            text.ljust(width) if number == 0 else text.rjust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return [f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:])]


def misses(marks: Sequence[Mark]) -> list[str]:
    """Every case that was not answered as its label says, the confident mistakes first."""
    wrong = sorted((mark for mark in marks if not mark.right), key=lambda mark: (-mark.confidence, mark.case.id))
    if not wrong:
        return ["No case was missed."]
    rows = [
        f"| {mark.case.id} | {' or '.join(mark.case.expected)} | {mark.answer} | {mark.confidence:.2f} |"
        for mark in wrong
    ]
    return ["## Misses", "", "| case | expected | got | confidence |", "| --- | --- | --- | ---: |", *rows]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"
