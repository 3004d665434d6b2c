"""Which typed endpoint can suspend, resume or delete a workload: Run:ai has one family of calls per workload type."""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

from runai_monitor.errors import RefusedError
from runai_monitor.model.workload import Workload

Action = Literal["suspend", "resume", "delete"]


class Family(Enum):
    """A family of typed endpoints: runapy's class, and the noun in its method names."""

    TRAINING = ("TrainingsApi", "training")
    WORKSPACE = ("WorkspacesApi", "workspace")
    DISTRIBUTED = ("DistributedApi", "distributed")
    INFERENCE = ("InferencesApi", "inference")
    DISTRIBUTED_INFERENCE = ("DistributedInferencesApi", "distributed_inference")

    def __init__(self, api: str, noun: str) -> None:
        self.api = api
        self.noun = noun

    def allows(self, action: Action) -> bool:
        """Whether the published API has the call: inferences can only be deleted."""
        return action == "delete" or self in {Family.TRAINING, Family.WORKSPACE, Family.DISTRIBUTED}


# `type` is free text in the API. Compared in lower case without separators and without the words that carry nothing.
_FAMILIES = {
    "training": Family.TRAINING,
    "train": Family.TRAINING,
    "standardtraining": Family.TRAINING,
    "workspace": Family.WORKSPACE,
    "interactive": Family.WORKSPACE,
    "distributed": Family.DISTRIBUTED,
    "distributedtraining": Family.DISTRIBUTED,
    "pytorch": Family.DISTRIBUTED,
    "mpi": Family.DISTRIBUTED,
    "tf": Family.DISTRIBUTED,
    "tensorflow": Family.DISTRIBUTED,
    "xgboost": Family.DISTRIBUTED,
    "jax": Family.DISTRIBUTED,
    "inference": Family.INFERENCE,
    "distributedinference": Family.DISTRIBUTED_INFERENCE,
}
_NOISE = re.compile(r"^runai|(workload|job)s?$")
# Run:ai's own job type says nothing about which of the two it is; asking the wrong one is answered by 404.
_PLAIN_JOB = (Family.TRAINING, Family.WORKSPACE)


def families_of(workload: Workload, action: Action) -> tuple[Family, ...]:
    """The families to try for `action`, most likely first; the next is tried only when one says 404.

    Raises:
        RefusedError: Run:ai has no such call for this type of workload.
    """
    word = re.sub(r"[^a-z]", "", workload.type.lower())
    word = _NOISE.sub("", _NOISE.sub("", word))
    candidates: tuple[Family, ...]
    if not word and workload.type:
        candidates = (Family.DISTRIBUTED,) if workload.distributed_framework else _PLAIN_JOB
    elif word in _FAMILIES:
        candidates = (_FAMILIES[word],)
        if candidates == (Family.TRAINING,) and workload.distributed_framework:
            candidates = (Family.DISTRIBUTED, Family.TRAINING)
    else:
        candidates = ()
    able = tuple(family for family in candidates if family.allows(action))
    if not able:
        raise RefusedError(
            f"Run:ai has no call to {action} a workload of type '{_shown(workload.type)}': do it in the Run:ai user"
            " interface, or with the tool that submitted it."
        )
    return able


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:60] or "unknown"
