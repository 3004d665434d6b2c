"""Quotas: Run:ai's of a project or department, and Kubernetes' of a namespace.

Run:ai (docs.nvidia.com/run-ai, scheduler concepts; its open source KAI, pkg/scheduler/api/unschedule_info.go): what is
non-preemptible stays within the quota, and nothing goes over a limit. Kubernetes (kubernetes.io/docs/concepts/policy,
resource-quotas and limit-range) refuses the pod when it is created, so that there is none to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.messages import WAITING_PHASES, Message, Stage, messages
from runai_monitor.diagnosis.rules import citations
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.sign import Sign, sign
from runai_monitor.diagnosis.rules.told import told
from runai_monitor.diagnosis.wording import amount, describe_workload, in_namespace, listed, token
from runai_monitor.model.cluster import QuotaLine

SIGNS: tuple[Sign, ...] = (
    sign("namespace_quota_exceeded", "a Kubernetes quota or limit of the namespace refused the pod", r"FailedCreate|FailedCreatePod\w*|Failed|CreateContainerConfigError|\w*Forbidden", r"exceeded quota|failed quota|LimitRange|(?:minimum|maximum) \S+ usage per (?:Container|Pod|PersistentVolumeClaim)", "request less, or have the ResourceQuota or LimitRange of the namespace raised", stage=Stage.SCHEDULED, confidence=0.95, source=citations.QUOTAS),
)  # fmt: skip
_EXCEEDED = re.compile(
    r"exceeded quota: (?P<quota>[\w.-]{1,253}), requested: (?P<asked>[^\s,=]{1,100}=[^\s,]{1,40})[^:]*, used: (?P<used>[^\s,=]{1,100}=[^\s,]{1,40})"
    r"[^:]*, limited: (?P<hard>[^\s,=]{1,100}=[^\s,]{1,40})"
)
_UNSAID = re.compile(r"failed quota: (?P<quota>[\w.-]{1,253}): must specify (?P<what>[\w./,-]{1,120})")
_RANGE = re.compile(
    r"(?P<which>minimum|maximum) (?P<what>[\w./-]{1,60}) usage per (?P<kind>\w{1,40}) is (?P<bound>[\w.]{1,30}), but (?:limit|request) is (?P<asked>[\w.]{1,30})"
)

_OVER = re.compile(
    r"NonPreemptibleOverQuota|OverLimit|Non-preemptible workload is over quota|quota has reached the allowable limit|"
    r"reached the limit of non-preemptible resources|over (?:its |the )?(?:project|department|node pool)?\s?quota|"
    r"exceeds? (?:the )?(?:project|department)(?:'s)? quota|(?:project|department) quota (?:is )?exceeded",
    re.IGNORECASE,
)
_OVER_QUOTA = re.compile(
    r"requested (?P<asked>[\d.]+) (?P<unit>GPUs|CPU cores|GB)[^,]{0,20}, but (?P<who>[\w .-]{1,80}?) quota is (?P<quota>[\d.]+)[^,]{0,12}"
    r"(?:, while (?P<used>[\d.]+))?"
)
_OWNER = re.compile(r"\b(?P<kind>project|department|node pool) (?P<name>[\w.-]{1,63})")
_OVER_LIMIT = re.compile(
    r"Limit is (?P<quota>[\d.]+) (?P<unit>GPUs|cores|GB), currently (?P<used>[\d.]+) \S+ allocated and workload requested (?P<asked>[\d.]+)"
)


def find(case: Case) -> Iterator[Finding]:
    """The project's quota, as the scheduler tells it; a quota of the namespace that is used up while no pod exists."""
    placed = all(pod.node or pod.pod_phase != "Pending" for pod in case.pods)
    if case.workload.phase not in WAITING_PHASES and placed:
        return
    waiting = [item for item in messages(case) if item.passed < Stage.SCHEDULED]
    over = next((item for item in reversed(waiting) if _OVER.search(f"{item.reason} {item.text}")), None)
    if over is not None:
        yield _over_quota(case, over)
    elif not case.pods and case.workload.phase in WAITING_PHASES:
        yield from _used_up(case)


def told_of(case: Case, message: Message, entry: Sign) -> Finding:
    """The finding from a message that an entry of `SIGNS` matches, with the numbers it holds."""
    title, advice, command = entry.title, entry.advice, "kubectl describe resourcequota,limitrange"
    if exceeded := _EXCEEDED.search(message.text):
        resource, _, asked = exceeded["asked"].partition("=")
        used, hard = (exceeded[name].partition("=")[2] for name in ("used", "hard"))
        quota = token(exceeded["quota"])
        title = f"quota {quota} of the namespace refused the pod: {token(resource)} {token(asked)} asked for, {token(used)} of {token(hard)} in use"
        advice = (
            f"ask for at most what is left, free some, or have quota {quota} raised (it is Kubernetes', not Run:ai's)",
        )
        command = f"kubectl describe resourcequota {quota}"
    elif unsaid := _UNSAID.search(message.text):
        quota, what = token(unsaid["quota"]), token(unsaid["what"])
        title = f"quota {quota} of the namespace wants every pod to name {what}"
        advice = (f"set {what} for the workload (Run:ai: compute.cpuCoreLimit, compute.cpuMemoryLimit and requests)",)
    elif bound := _RANGE.search(message.text):
        title = f"a LimitRange of the namespace allows {'at most' if bound['which'] == 'maximum' else 'at least'} {token(bound['bound'])} of {token(bound['what'])} per {bound['kind']}, and {token(bound['asked'])} is asked for"
        advice = (f"ask for {token(bound['what'])} within it (Run:ai: compute), or have the LimitRange changed",)
    return told(
        case,
        message,
        cause=entry.cause,
        title=title,
        confidence=entry.confidence,
        next_steps=(*advice, in_namespace(command, case.workload)),
        never=entry.never,
    )


def _over_quota(case: Case, message: Message) -> Finding:
    numbers = _OVER_QUOTA.search(message.text) or _OVER_LIMIT.search(message.text)
    limit = "OverLimit" in message.reason or "allowable limit" in message.text
    word, never, advice = "limit" if limit else "quota", False, list[str]()
    title = f"the project is over its {word}"
    if numbers is not None:
        asked, quota, used = float(numbers["asked"]), float(numbers["quota"]), numbers["used"]
        never = asked > quota
        free = f" ({max(quota - float(used), 0):g} free now)" if used else ""
        title = f"the workload asks for {asked:g} {numbers['unit']}; {_owner(numbers)} may use {quota:g}{free}"
    if never and numbers is not None:
        at_most = f"ask for at most {float(numbers['quota']):g} {numbers['unit']}"
        advice.append(f"{at_most}: as it is, it can never be placed within the {word}")
    if limit:
        advice.append(
            "have the limit raised, or wait until others of the project end (Run:ai: project, quota management)"
        )
    else:
        advice.append(
            "submit it as preemptible to go over quota (Run:ai: preemptibility, or a priority class below 100)"
        )
    if not never and not limit:
        advice.append("wait until others of the project end, or have the quota raised")
    return told(
        case,
        message,
        cause="project_over_quota",
        title=title,
        confidence=0.93,
        next_steps=(*advice, describe_workload(case.workload)),
        never=never,
    )


def _owner(numbers: re.Match[str]) -> str:
    """Whose quota or limit it is, as a kind and a single word."""
    who = numbers.groupdict().get("who") or ""
    if (owner := _OWNER.search(who)) is not None:
        return f"{owner['kind']} {token(owner['name'])}"
    return token(who) if who and " " not in who else "its project"


def _used_up(case: Case) -> Iterator[Finding]:
    for quota in case.around.quotas:
        full = [line for line in quota.lines if _is_full(line)]
        if full:
            shown = listed([f"{token(line.resource)} {token(line.used)} of {token(line.hard)}" for line in full])
            yield Finding(
                cause="namespace_quota_exceeded",
                title=f"quota {token(quota.name)} of the namespace is used up: {shown}",
                confidence=0.62,
                explanation="No pod was created, and nothing that was read says why; a quota that is used up is a likely reason.",
                evidence_ids=(case.cite(f"ResourceQuota {token(quota.name)}", shown), case.cite_workload()),
                next_steps=(
                    "free what others of the namespace use, or have the quota raised",
                    in_namespace(f"kubectl describe resourcequota {token(quota.name)}", case.workload),
                ),
                strength=Strength.NODE,
                role=Role.HINT,
                at=case.workload.phase_updated_at,
            )  # fmt: skip


def _is_full(line: QuotaLine) -> bool:
    used, hard = amount(line.used), amount(line.hard)
    return used is not None and hard is not None and used >= hard > 0
