"""Volumes that keep a pod from starting or fail under it: claims, attachment, mounts, servers that do not answer.

The texts are those of kube-scheduler's volume binding, the persistent-volume controller and kubelet's volume manager
(kubernetes.io/docs/concepts/storage/persistent-volumes), of mount.nfs, Lustre and the CSI drivers' gRPC codes. What the
process itself says of a file system is in `log_signs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runai_monitor.diagnosis.around import event_words
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.messages import Message, Stage
from runai_monitor.diagnosis.rules import citations
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.sign import Sign, sign
from runai_monitor.diagnosis.rules.told import describe_place, node_of, told
from runai_monitor.diagnosis.wording import in_namespace, listed, token
from runai_monitor.model.cluster import KubeEvent, Pod, VolumeClaim

_PLACING = r"FailedScheduling|Unschedulable|SchedulerError|SchedulingFailed"
_VOLUME = r"FailedMount|FailedAttachVolume|FailedMapVolume|FailedUnMount|VolumeFailedMount|ContainerCreating"
_NAME = r"\"?(?P<detail>[a-z0-9][\w.-]{0,252})\"?"
_VOLUME_NAME = r"(?:for volume|\[)\s?\"?(?P<detail>[a-z0-9][\w.-]{0,252})\"?"

# Of one message the first sign that matches counts, so that the more specific words come first. A missing ConfigMap or
# Secret is told as a failed mount too: no words here match it.
SIGNS: tuple[Sign, ...] = (
    sign("pvc_not_found", "a volume claim does not exist", rf"{_PLACING}|{_VOLUME}|FailedCreate", rf"persistentvolumeclaims? {_NAME} (?:not found|is being deleted)", "create it in the workload's namespace, or correct its name (Run:ai: data source, storage.pvc.claimName)", stage=Stage.PREPARED, confidence=0.96, source=citations.VOLUMES),
    sign("volume_in_use", "the volume is attached to another node", _VOLUME, rf"Multi-Attach error(?: {_VOLUME_NAME})?|already (?:exclusively )?attached to (?:an?|one|another|node\S*)\b|already being used by|still being used|is (?:already )?in use by (?:another|pod)|VolumeInUse|RESOURCE_IN_USE", "stop what uses it on the other node, or use a claim that many nodes may mount (access mode ReadWriteMany)", stage=Stage.PREPARED, confidence=0.95, needs_reason=True, source=citations.ATTACH_DETACH),
    sign("volume_in_use", "the claim may be used by one pod only, and another uses it", _PLACING, r"PersistentVolumeClaim with ReadWriteOncePod access mode already in-use", "stop the other pod, or use a claim with the access mode ReadWriteMany", stage=Stage.SCHEDULED, confidence=0.93, source=citations.ACCESS_MODES),
    sign("storage_unresponsive", "the storage does not answer", _VOLUME, r"code = (?:DeadlineExceeded|Unavailable)|context deadline exceeded|stale (?:NFS )?file handle|mount\.\w+\S*:? [^\n]{0,120}(?:[Cc]onnection (?:timed out|refused|reset)|[Nn]o route to host|[Hh]ost is down|[Nn]etwork is unreachable|[Tt]ransport endpoint)|nfs: server \S+ not responding|Is the MGS running|Input/output error|[Nn]o route to host|operation with the given Volume ID \S+ already exists", "check the storage server, its CSI driver's pods, and the route from {node} to it", stage=Stage.PREPARED, confidence=0.9, needs_reason=True, source=citations.CSI),
    sign("volume_zone_conflict", "the volume can only be used on other nodes", _VOLUME, r"NodeAffinity check failed|no matching NodeSelectorTerms", "use a node that the volume belongs to, or another volume", stage=Stage.PREPARED, confidence=0.9, needs_reason=True, source=citations.VOLUME_BINDING),
    sign("read_only_filesystem", "the volume can only be mounted for reading", _VOLUME, r"read-only file ?system|write-protected|cannot mount \S+ read-write", "mount it for reading (Run:ai: storage, readOnly: true), or use a volume that may be written", stage=Stage.PREPARED, confidence=0.85, needs_reason=True, source=citations.ACCESS_MODES),
    sign("volume_mount_failed", "a volume could not be mounted", _VOLUME, rf"(?:(?:MountVolume|AttachVolume|MapVolume|NodeStageVolume|MountDevice)\S* (?:initialization )?failed(?![^\n]*(?:(?:secret|configmap)\S* \S+ not found|failed to sync (?:secret|configmap) cache))(?: {_VOLUME_NAME})?|mount failed|access denied by server|not found in the list of registered CSI drivers|wrong fs type|hostPath type check failed|special device \S+ does not exist|bad superblock)", "read the quoted message: server, path, driver and credentials of the volume", stage=Stage.PREPARED, confidence=0.9, needs_reason=True, source=citations.CSI),
    sign("volume_mount_failed", "a part (subPath) of a volume could not be prepared", rf"{_VOLUME}|CreateContainerConfigError|Failed", r"failed to (?:prepare|create) (?:the )?subPath|subPath [^\n]{0,120}(?:no such|not a directory)", "correct the subPath of the mount (Run:ai: storage), or create it in the volume", stage=Stage.STARTED, confidence=0.88, needs_reason=True, source=citations.SUBPATH),
    sign("volume_mount_failed", "a volume is not mounted in time", _VOLUME, r"(?:Unable to attach or mount volumes|timed out waiting for the condition|timeout expired waiting for volumes)(?:[^\n]*unmounted volumes=\[(?P<detail>[a-z0-9][\w.-]{0,252}))?", "look at the events of the claim and of its CSI driver", stage=Stage.PREPARED, confidence=0.7, role=Role.HINT, needs_reason=True, source=citations.VOLUMES),
    sign("pvc_unbound", "a volume claim is not bound", rf"{_PLACING}|FailedBinding|ProvisioningFailed", r"binding volumes: [^\n]*(?:deadline|timed out|timeout)|waiting for ephemeral volume controller to create the persistentvolumeclaim|unbound immediate PersistentVolumeClaims|no persistent volumes available|didn't find available persistent volumes to bind|no volume plugin matched|failed to provision volume|storageclass\S* \S+ not found|bound to non-?existent", "check the claim's storage class, size and access mode (Run:ai: data source, storage.pvc)", stage=Stage.SCHEDULED, confidence=0.9, never=False, source=citations.VOLUMES),
)  # fmt: skip
_MOUNT_ADVICE = (
    (re.compile(r"access denied by server|Permission denied|code = PermissionDenied"), "have the server export the path to the nodes (NFS exports), or correct the volume's credentials"),
    (re.compile(r"No such file or directory|does not exist|code = NotFound"), "correct the path: the server or node does not have it"),
    (re.compile(r"not found in the list of registered CSI drivers"), "have the CSI driver installed or repaired on {node}: kubectl get csinode {node}"),
    (re.compile(r"hostPath type check failed"), "correct the host path, or create it on {node}"),
    (re.compile(r"wrong fs type|bad superblock"), "have the volume's file system checked, or the mount helper installed on {node}"),
    (re.compile(r"code = ResourceExhausted|exceed max volume count|LimitExceeded"), "have a volume detached from {node}, or use another node: it has as many as it may"),
)  # fmt: skip
# Why a claim stays unbound, by its own events (`Normal` ones that say it waits are no failure).
_WHY_UNBOUND = (
    (re.compile(r"storageclass\S* (?P<detail>\S+) not found", re.IGNORECASE), "its storage class does not exist", "use a storage class that exists: kubectl get storageclass"),
    (re.compile(r"no storage class is set|no persistent volumes available", re.IGNORECASE), "no volume fits and no storage class is set", "set a storage class (Run:ai: storage.pvc.storageClass), or have a volume of that size created"),
    (re.compile(r"quota|ResourceExhausted|insufficient|out of space|not enough", re.IGNORECASE), "the storage has no room for it", "ask for less, or have the storage enlarged"),
    (re.compile(r"access ?mode|does not support|unsupported", re.IGNORECASE), "the storage class does not offer its access mode", "use an access mode that the storage class offers"),
    (re.compile(r"failed to provision|ProvisioningFailed", re.IGNORECASE), "the storage could not provision it", "look at the CSI driver's controller: kubectl get pods -A"),
)  # fmt: skip
_NORMAL_WAIT = frozenset({"WaitForFirstConsumer", "WaitForPodScheduled", "ExternalProvisioning", "Provisioning"})


def find(case: Case) -> Iterator[Finding]:
    """Findings from the claims that pods wait for."""
    for pod in case.pods:
        for name in pod.claims if _waits(pod) else ():
            if name in case.around.missing:
                yield _missing(case, pod, name)
            elif (claim := case.around.claims.get(name)) is not None and claim.phase in {"Pending", "Lost"}:
                yield from _unbound(case, pod, claim)


def told_of(case: Case, message: Message, entry: Sign, name: str) -> Finding:
    """The finding from a message that an entry of `SIGNS` matches; `name` is what its words name, if anything."""
    node = node_of(case, message.about)
    steps = list(entry.advice)
    if entry.cause == "volume_mount_failed":
        steps = [advice for pattern, advice in _MOUNT_ADVICE if pattern.search(message.text)][:1] or steps
    claims = _claims_of(case, message, name if entry.cause == "pvc_not_found" else None)
    steps += [in_namespace(f"kubectl describe pvc {token(claim)}", case.workload) for claim in claims[:1]]
    where = token(node) if node else "the node"
    known = [case.around.claims[name] for name in claims if name in case.around.claims]
    explanation = f"The pod mounts {listed([f'claim {token(claim)}' for claim in claims])}." if claims else ""
    return told(
        case,
        message,
        cause=entry.cause,
        title=entry.title + (f": {name}" if name else ""),
        confidence=entry.confidence,
        explanation=explanation,
        next_steps=(*(step.replace("{node}", where) for step in steps), describe_place(case, message)),
        evidence_ids=[case.cite(*_claim_words(claim)) for claim in known[:2]],
        role=entry.role,
        never=entry.never,
    )


def _missing(case: Case, pod: Pod, name: str) -> Finding:
    namespace = token(pod.namespace)
    return Finding(
        cause="pvc_not_found",
        title=f"volume claim {token(name)} does not exist",
        confidence=0.95,
        explanation=f"Pod {token(pod.name)} mounts claim {token(name)}, and namespace {namespace} has none of that name.",
        evidence_ids=(case.cite(f"volume claim {token(name)}", f"namespace {namespace} has no claim {name} (404)"),),
        next_steps=(
            "create it, or correct its name (Run:ai: data source, storage.pvc.claimName)",
            in_namespace("kubectl get pvc", case.workload),
        ),
        at=pod.created_at,
        place=pod.name,
    )


def _unbound(case: Case, pod: Pod, claim: VolumeClaim) -> Iterator[Finding]:
    """A claim that waits only for its pod to be placed is no failure."""
    events = [e for e in case.around.claim_events if e.object_name == claim.name]
    failed = next((e for e in reversed(events) if e.reason not in _NORMAL_WAIT and e.type != "Normal"), None)
    if failed is None and claim.phase == "Pending":
        return
    cited = [case.cite(*_claim_words(claim))]
    why, advice = _why(failed)
    if failed is not None:
        cited.append(case.cite(*event_words(failed), at=failed.at))
    elif claim.phase == "Lost":
        why, advice = "the volume it was bound to is gone", "have the volume restored, or use a new claim"
    yield Finding(
        cause="pvc_unbound",
        title=f"volume claim {token(claim.name)} is not bound{f': {why}' if why else ''}",
        confidence=0.95 if why else 0.9,
        explanation=f"Pod {token(pod.name)} waits for claim {token(claim.name)} ({token(claim.size)}, storage class {token(claim.storage_class)}).",
        evidence_ids=tuple(cited),
        next_steps=(
            advice or "check the claim's storage class, size and access mode (Run:ai: data source, storage.pvc)",
            in_namespace(f"kubectl describe pvc {token(claim.name)}", case.workload),
        ),
        strength=Strength.STATE,
        at=pod.created_at,
        place=pod.name,
        never=claim.phase == "Lost",
    )  # fmt: skip


def _why(event: KubeEvent | None) -> tuple[str, str]:
    said = f"{event.reason} {event.message}" if event is not None else ""
    return next(((why, advice) for pattern, why, advice in _WHY_UNBOUND if pattern.search(said)), ("", ""))


def _claim_words(claim: VolumeClaim) -> tuple[str, str]:
    """A claim as it is cited: where from, and what it is."""
    facts = [
        f"phase {claim.phase}",
        f"storage class {claim.storage_class or 'none'}",
        f"size {claim.size or 'unknown'}",
    ]
    facts += [f"access mode {', '.join(claim.access_modes)}"] if claim.access_modes else []
    return f"volume claim {token(claim.name)}", ", ".join(facts)


def _claims_of(case: Case, message: Message, named: str | None) -> list[str]:
    if named is not None:
        return [named]
    pods = [pod for pod in case.pods if message.about in (None, pod.name)]
    return list(dict.fromkeys(claim for pod in pods for claim in pod.claims))


def _waits(pod: Pod) -> bool:
    """Whether no container of a pod has run yet."""
    return not any(c.started_at or c.ended or c.last_ended for c in pod.containers)
