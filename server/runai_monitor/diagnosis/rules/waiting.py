"""Pods that cannot start: images, configuration, volumes, quota. What kubelet and the scheduler say is the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runai_monitor.diagnosis.case import Case, Message, messages
from runai_monitor.diagnosis.rules.finding import Finding


@dataclass(frozen=True, slots=True)
class EventSign:
    """A cause named by an event's reason and words."""

    cause: str
    title: str
    reason: re.Pattern[str]
    words: re.Pattern[str]
    advice: str
    confidence: float = 0.93
    specific: int = 65


def _sign(
    cause: str, title: str, reason: str, words: str, advice: str, confidence: float = 0.93, specific: int = 65
) -> EventSign:
    return EventSign(cause, title, re.compile(reason), re.compile(words, re.IGNORECASE), advice, confidence, specific)


_PULL = r"Failed|ErrImagePull|ImagePullBackOff|BackOff"
_MOUNT = r"FailedMount|FailedAttachVolume|CreateContainerConfigError|Failed"
# Of one message the first matching sign counts, so the more specific words come first.
_SIGNS = (
    _sign("registry_rate_limited", "the registry limits pulls", _PULL, r"toomanyrequests|rate limit|429 too many", "authenticate to the registry, or use a mirror"),
    _sign("image_auth_failed", "the registry refused the login", _PULL, r"unauthorized|authentication required|denied: |403 forbidden|no basic auth", "add or correct the image pull secret of the project"),
    _sign("image_not_found", "the image does not exist", _PULL, r"manifest unknown|manifest \S+ not found|name unknown|repository .* does not exist|image \S* ?not found|failed to resolve reference .*not found", "correct the image name or tag"),
    _sign("wrong_architecture", "no image for this processor architecture", _PULL, r"no match(ing manifest)? for platform|no matching manifest", "push an image for the nodes' architecture"),
    _sign("registry_unreachable", "the registry cannot be reached", r"Failed|ErrImagePull", r"dial tcp|i/o timeout|no such host|connection refused|tls handshake|x509", "check the registry's address and the node's network and DNS"),
    _sign("invalid_image_name", "the image name is not valid", r"InvalidImageName|InspectFailed|Failed", r"invalid ?image ?name|couldn't parse image|invalid reference format", "correct the image name", 0.97),
    _sign("image_never_pull", "the image is not on the node and may not be pulled", r"ErrImageNeverPull|Failed", r"never", "set imagePullPolicy to IfNotPresent, or load the image on the node", 0.95),
    _sign("missing_config_key", "a ConfigMap or Secret lacks a key", _MOUNT, r"couldn't find key|references non-existent (config|secret) key", "add the key, or correct its name in the workload"),
    _sign("missing_secret", "a Secret does not exist", _MOUNT, r"secret \S+ not found", "create the secret in the workload's namespace, or correct its name", 0.96),
    _sign("missing_configmap", "a ConfigMap does not exist", _MOUNT, r"configmap \S+ not found", "create the ConfigMap in the workload's namespace, or correct its name", 0.96),
    _sign("security_context_denied", "the security rules refused the container", r"Failed|CreateContainerConfigError|FailedCreate", r"runAsNonRoot|run as (non-)?root|violates PodSecurity|admission webhook .* denied", "run as a non-root user, or have the policy allow it"),
    _sign("pvc_not_found", "a volume claim does not exist", r"FailedScheduling|FailedMount", r'persistentvolumeclaim "?\S+"? not found', "create the claim, or correct its name"),
    _sign("pvc_unbound", "a volume claim is not bound", r"FailedScheduling|FailedBinding", r"unbound immediate PersistentVolumeClaims|no persistent volumes available", "check the storage class and the claim's size", 0.9),
    _sign("volume_in_use", "the volume is attached to another node", r"FailedAttachVolume", r"Multi-Attach", "stop the other user of the volume, or use one that many nodes may mount"),
    _sign("volume_mount_failed", "a volume could not be mounted", r"FailedMount|FailedAttachVolume", r".", "read the message: server, path and credentials of the volume", 0.8, 50),
    _sign("project_over_quota", "the project is over its quota", r".*", r"over ?quota|over the quota|quota (is )?exceeded|OverLimit|reached the limit of", "wait, free resources of the project, or make the workload preemptible", 0.9, 55),
    _sign("namespace_quota_exceeded", "a Kubernetes quota refused the pod", r"FailedCreate", r"exceeded quota|LimitRange|forbidden: maximum", "raise the quota, or request less"),
    _sign("insufficient_gpu", "not enough free GPUs", r"FailedScheduling|Unschedulable", r"insufficient nvidia.com/gpu|not enough .*gpu", "wait for GPUs, or request fewer", 0.85, 45),
    _sign("container_create_failed", "the runtime could not create the container", r"CreateContainerError|RunContainerError|Failed", r"failed to create (container|containerd task)|context deadline exceeded", "look at the node's runtime", 0.75, 40),
    _sign("node_memory_eviction", "the node ran low on memory", r"Evicted", r"low on resource: memory", "set the memory request to what the workload uses", 0.9),
    _sign("ephemeral_storage_exceeded", "the pod used more ephemeral storage than it may", r"Evicted", r"ephemeral", "write to a volume, or raise the ephemeral-storage limit", 0.9),
    _sign("container_oom", "the container ran out of memory", r"OOMKill(ed|ing)|BackOff|Failed|Killing", r"OOMKilled|out of memory|oom-kill", "raise the workload's memory limit, or use less memory", 0.85, 70),
    _sign("probe_failed", "the container failed its probe", r"Killing|Unhealthy", r"failed (liveness|startup) probe", "give the program more time to start, or correct the probe", 0.85, 55),
    _sign("deadline_exceeded", "the job's own deadline passed", r"DeadlineExceeded", r".*", "raise the deadline, or make the job faster", 0.9, 35),
    _sign("backoff_limit_exceeded", "the job used up its retries", r"BackoffLimitExceeded", r".*", "look at the failed pods' logs in your log store", 0.6, 10),
)  # fmt: skip


def find(case: Case) -> Iterator[Finding]:
    """Findings from events and waiting states; each cause once, with the newest message that names it."""
    found: dict[str, Finding] = {}
    for message in messages(case):
        sign = next(
            (
                s
                for s in _SIGNS
                if s.reason.fullmatch(message.reason) and s.words.search(message.text or message.reason)
            ),
            None,
        )
        if sign is not None and sign.cause not in found:
            found[sign.cause] = _finding(case, sign, message)
    yield from found.values()
    workload = case.workload
    said = " ".join(part for part in (workload.phase_reason, workload.phase_message) if part)
    if (
        workload.phase == "Pending"
        and re.search(r"OverQuota|OverLimit|over.?quota", said, re.IGNORECASE)
        and "project_over_quota" not in found
    ):
        yield Finding(
            cause="project_over_quota", title="the project is over its quota", confidence=0.92,
            explanation=f"Run:ai keeps the workload pending: {said[:300]}",
            evidence_ids=(case.cite("Run:ai workload", f"phase Pending: {said}", at=workload.phase_updated_at),),
            next_steps=("wait, free resources of the project, or submit the workload as preemptible",), specific=55,
        )  # fmt: skip


def _finding(case: Case, sign: EventSign, message: Message) -> Finding:
    evidence = case.cite(message.source, f"{message.reason}: {message.text}", at=message.at)
    cause, title, note = sign.cause, sign.title, ""
    if "may require authorization" in message.text or "pull access denied" in message.text:
        # The registry does not tell which: without a pull secret, a missing login is the likelier reading.
        with_secret = any(pod.image_pull_secrets for pod in case.pods)
        cause = "image_not_found" if with_secret else "image_auth_failed"
        title = "the image does not exist" if with_secret else "the registry refused the login"
        note = " The registry does not say whether the image is missing or private; both are possible."
    return Finding(
        cause=cause,
        title=title,
        confidence=sign.confidence,
        explanation=f"{message.source} says: {' '.join(message.text.split())[:400]}{note}",
        evidence_ids=(evidence,),
        next_steps=(sign.advice,),
        specific=sign.specific,
        at=message.at,
    )
