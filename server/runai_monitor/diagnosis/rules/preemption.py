"""Workloads that lose their place: preempted for another, or to pack pods closer.

Sources: the Run:ai scheduler's open source KAI (pkg/scheduler/api/unschedule_info.go: the messages of preempt, reclaim,
consolidation and stale gangs), kube-scheduler's `Preempted` event and the condition `DisruptionTarget`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.messages import Message, Stage, messages
from runai_monitor.diagnosis.rules.finding import Finding, Role
from runai_monitor.diagnosis.rules.told import told
from runai_monitor.diagnosis.wording import describe_workload, token

_PREEMPTED = re.compile(
    r"\b(?:was|been|were) (?:preempted|reclaimed|consolidated)\b|^(?:preempted|reclaimed) (?:by|in order to|to|for|due)\b|"
    r"preempting to accommodate a higher priority",
    re.IGNORECASE,
)
_REASON = re.compile(r"Preempted|PreemptionByScheduler|PreemptionByKubeScheduler|Reclaimed|Preempting")
_STALE = re.compile(r"minimum required number of pods \((?P<needed>\d+)\)[^\n]*evicting", re.IGNORECASE)
_VICTIM = re.compile(r"\b[Pp]od (?:[\w.-]+/)?(?P<pod>[\w.-]+) was (?:preempted|reclaimed)")
_BY = re.compile(
    r"preempted by (?:a )?(?:higher priority )?(?:workload|pod) (?P<who>[\w./-]{1,160}?)(?:\.?(?:\s|$)| on )"
)
_SHARE = re.compile(
    r"(?P<queue>[\w .-]{1,60}?) uses <GPU: (?P<used>[\d.]+)[^>]*> with a quota of <GPU: (?P<quota>[\d.]+)"
)
_WHY = (
    ("consolidation", re.compile(r"consolidat|bin.?packing", re.IGNORECASE)),
    ("a higher priority workload", re.compile(r"higher priority|prioriti[sz]ation|PreemptionBy\w*Scheduler", re.IGNORECASE)),
    ("another project's fair share (reclaim)", re.compile(r"reclaim|fair.?share|deserved|uses <.*quota of|was preempted by workload", re.IGNORECASE)),
    ("a critical pod of the system", re.compile(r"admit critical pod", re.IGNORECASE)),
)  # fmt: skip
_ADVICE = {
    "consolidation": "nothing of the workload failed: it was moved to pack pods closer, and starts again by itself",
}


def find(case: Case) -> Iterator[Finding]:
    """The last preemption that the workload has not recovered from; a gang that was evicted for not being whole."""
    told_of = [m for m in messages(case) if m.passed < Stage.STARTED and not _ran_since(case, m.at)]
    for message in reversed(told_of):
        if _is_ours(case, message):
            yield _preempted(case, message)
            break
    stale = next((m for m in reversed(told_of) if _STALE.search(m.text)), None)
    if stale is not None:
        yield _stale(case, stale)


def _is_ours(case: Case, message: Message) -> bool:
    if not (_REASON.fullmatch(message.reason) or _PREEMPTED.search(message.text)):
        return False
    victim = _VICTIM.search(message.text)
    # A message of that kind is told to the one that took the place, too.
    return victim is None or victim["pod"].startswith(case.workload.name) or victim["pod"] in case.pod_names


def _preempted(case: Case, message: Message) -> Finding:
    # The reclaim's own words are a preemption's; its condition has the same reason: the text comes first.
    why = next((name for name, words in _WHY if words.search(message.text)), None)
    why = why or next((name for name, words in _WHY if words.search(message.reason)), None)
    by, shares = _BY.search(message.text), list(_SHARE.finditer(message.text))
    facts = [f"It was taken for {token(by['who'])}."] if by else []
    facts += [
        f"{token(s['queue'].strip())} used {float(s['used']):g} GPUs of a quota of {float(s['quota']):g}."
        for s in shares
    ]
    return told(
        case,
        message,
        cause="preempted",
        title=f"the scheduler took its resources{f' for {why}' if why else ''}",
        confidence=0.92,
        explanation=" ".join(facts),
        next_steps=(
            _ADVICE.get(why or "", "nothing of the workload failed: it runs again when there is room; save checkpoints so that little is lost"),
            "to keep its place, submit it as non-preemptible within the project's quota (Run:ai: preemptibility)",
            describe_workload(case.workload),
        ),
    )  # fmt: skip


def _stale(case: Case, message: Message) -> Finding:
    needed = _STALE.search(message.text)
    assert needed is not None
    return told(
        case,
        message,
        cause="gang_unschedulable",
        title=f"the gang is no longer whole: fewer than the {needed['needed']} pods it needs were left, and the rest were evicted",
        confidence=0.75,
        explanation="The pod that ended first is the cause; the scheduler only ended the others.",
        next_steps=("look at the pod that ended first: its log and state", describe_workload(case.workload)),
        role=Role.FOLLOWS,
    )


def _ran_since(case: Case, at: datetime | None) -> bool:
    """Whether a container of the workload has started after that time: then it has had its place again."""
    runs = [c for pod in case.pods for c in pod.containers if not c.init and not c.ephemeral]
    starts = [c.started_at or (c.ended.started_at if c.ended else None) for c in runs]
    starts += [change.at for change in case.history.changes if change.phase == "Running"]
    return at is not None and any(start is not None and start > at for start in starts)
