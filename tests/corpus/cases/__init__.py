"""The labelled cases, by family. To add one: a `case(...)` in the family's module, with a reason; nothing else."""

from __future__ import annotations

from tests.corpus.case import LabelledCase
from tests.corpus.cases import (
    configuration,
    gpu,
    hostile,
    images,
    memory,
    nodes,
    programs,
    quiet,
    ranks,
    scheduling,
    services,
    starts_and_ends,
)

CASES: tuple[LabelledCase, ...] = (
    *memory.CASES,
    *programs.CASES,
    *starts_and_ends.CASES,
    *gpu.CASES,
    *ranks.CASES,
    *images.CASES,
    *configuration.CASES,
    *scheduling.CASES,
    *nodes.CASES,
    *services.CASES,
    *quiet.CASES,
    *hostile.CASES,
)
