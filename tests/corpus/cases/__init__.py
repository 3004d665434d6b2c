"""The labelled cases, by family. To add one: a `case(...)` in the family's module, with a reason; nothing else."""

from __future__ import annotations

from tests.corpus.case import LabelledCase
from tests.corpus.cases import (
    circumstances,
    configuration,
    gpu,
    hostile,
    images,
    memory,
    nodes,
    noisy_logs,
    other_words,
    programs,
    public_common,
    public_endings,
    public_logs,
    public_shapes,
    quiet,
    ranks,
    scheduling,
    secrets,
    services,
    starts_and_ends,
    unseen,
    unseen_platform,
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
    *noisy_logs.CASES,
    *circumstances.CASES,
    *other_words.CASES,
    *hostile.CASES,
    *secrets.CASES,
    *unseen.CASES,
    *unseen_platform.CASES,
    *public_logs.CASES,
    *public_endings.CASES,
    *public_shapes.CASES,
    *public_common.CASES,
)
