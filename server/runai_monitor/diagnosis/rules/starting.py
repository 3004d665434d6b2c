"""Pods that cannot start, and how kubelet and controllers end them: images, configuration, volumes, limits, nodes.

What kubelet, the container runtime and the controllers say is the evidence. The texts are those of Kubernetes 1.24 to
1.34 (pkg/kubelet, pkg/controller), containerd, runc and nvidia-container-cli.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import timedelta

from runai_monitor.diagnosis.case import Case, Ended
from runai_monitor.diagnosis.messages import Message, Stage, messages
from runai_monitor.diagnosis.rules import citations, node, quota, storage
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.sign import Sign, sign
from runai_monitor.diagnosis.wording import describe_workload, filled, in_namespace, listed, token
from runai_monitor.model.cluster import ContainerPhase
from runai_monitor.model.workload import Workload

_PULL = r"Failed|ErrImagePull|ImagePullBackOff|BackOff|RegistryUnavailable|ImageInspectError|InspectFailed|FailedCreatePodSandBox"
_NAME = r"\"?(?P<detail>[a-z0-9][\w.-]{0,252})\"?"
_CONFIG = r"CreateContainerConfigError|Failed|FailedMount"
_START = r"CreateContainerError|RunContainerError|StartError|ContainerCannotRun|Failed|CrashLoopBackOff|BackOff"
_CREATE = r"FailedCreate|FailedCreatePod\w*|Failed|CreateContainerConfigError|\w*Forbidden"
_EVICTED = r"Evicted|Evict|TerminationByKubelet"

# Of one message the first sign that matches counts, so that the more specific words come first.
_IMAGE = (
    sign("registry_rate_limited", "the registry limits pulls", _PULL, r"toomanyrequests|pull rate limit|429 Too Many", "log in to the registry for a higher limit (a Run:ai credential of type Docker registry), or pull through a mirror", stage=Stage.PULLED, source=citations.REGISTRY_LIMITS),
    sign("wrong_architecture", "the image has no build for the nodes' processor", _PULL, r"no match(?:ing manifest)? for platform|no matching manifest", "push an image for it (docker build --platform linux/amd64), or choose nodes that suit it (Run:ai: nodeType)", stage=Stage.PULLED, source=citations.IMAGE_INDEX),
    sign("node_disk_pressure", "the node has no room to unpack the image", _PULL, r"no space left on device", "free space on the node (kubectl describe node), or use a smaller image", stage=Stage.PULLED, confidence=0.85, source=citations.EVICTION),
    sign("image_auth_failed", "the registry refused the login", _PULL, r"unauthorized|authentication required|no basic auth credentials|403 Forbidden|\b401\b|failed to authorize|insufficient_scope|denied: (?!requested access to the resource)", "add or renew the registry credential of the project (Run:ai: Credentials, type Docker registry; imagePullSecrets)", stage=Stage.PULLED, source=citations.REGISTRY_ERRORS),
    sign("image_not_found", "the image or its tag does not exist", _PULL, r"manifest unknown|manifest (?:for )?\S+ not found|name[ _]unknown|repository \S+ not found|failed to (?:resolve reference|pull and unpack image|pull image)[^\n]*(?:: not found|404 Not Found)|image \S* ?not found|no such image|NotFound desc = ", "correct {detail|the image}, its name or its tag, in the workload (Run:ai: image), or push it", stage=Stage.PULLED, confidence=0.95, source=citations.REGISTRY_ERRORS),
    sign("invalid_image_name", "the image's name is not valid", r"InvalidImageName|InspectFailed|Failed", r"InvalidImageName|couldn't parse image|invalid reference format", "correct the image's name (Run:ai: image): lower case, no spaces, no scheme", stage=Stage.PULLED, confidence=0.97, source=citations.IMAGE_NAMES),
    sign("image_never_pull", "the image is not on the node, and may not be pulled", r"ErrImageNeverPull|Failed", r"ErrImageNeverPull|pull policy of Never", "set Run:ai's imagePullPolicy to IfNotPresent, or load the image on the node", stage=Stage.PULLED, confidence=0.96, source=citations.PULL_POLICY),
    sign("registry_unreachable", "the registry cannot be reached", _PULL, r"(?:pull|resolve reference|fetch|registry|manifest|https?://)[^\n]*(?:dial tcp|i/o timeout|no such host|connection (?:refused|reset)|TLS handshake|x509|deadline exceeded|unexpected EOF|50[234] |server misbehaving|Client\.Timeout|no route to host)|RegistryUnavailable", "check the registry's address, and DNS, proxy and certificates of the node", stage=Stage.PULLED, confidence=0.9, source=citations.PULL_BACKOFF),
)  # fmt: skip
_ADMISSION = (
    "have the webhook's service and its pods checked, or its failurePolicy: no pod is created while it does not answer"
)
_WEBHOOK = r"failed calling webhook[^\n]*"
_WEBHOOKS = (
    sign("tls_error", "an admission webhook shows a certificate that is not trusted", _CREATE, _WEBHOOK + r"(?:x509: |tls: )", _ADMISSION, stage=Stage.STARTED, confidence=0.88, source=citations.WEBHOOKS),
    sign("dns_failure", "the service of an admission webhook has no address", _CREATE, _WEBHOOK + r"(?:no such host|service \S+ not found)", _ADMISSION, stage=Stage.STARTED, confidence=0.82, source=citations.WEBHOOKS),
    sign("connection_refused", "nobody listens for an admission webhook", _CREATE, _WEBHOOK + r"(?:connection refused|no endpoints available|no route to host|connection reset|EOF$)", _ADMISSION, stage=Stage.STARTED, confidence=0.88, source=citations.WEBHOOKS),
    sign("connection_timeout", "an admission webhook does not answer in time", _CREATE, _WEBHOOK + r"(?:deadline exceeded|timed? ?out|i/o timeout|Client\.Timeout)", _ADMISSION, stage=Stage.STARTED, confidence=0.88, source=citations.WEBHOOKS),
)  # fmt: skip
_CONFIGURATION = (
    sign("missing_config_key", "a ConfigMap or Secret lacks a key", _CONFIG, r"couldn't find key (?P<detail>\S{1,120})|references non-existent (?:config|secret) key:? ?(?P<key>\S{0,120})", "add {detail|the key}, or correct its name in the workload (Run:ai: environmentVariables, storage)", stage=Stage.STARTED, confidence=0.96, source=citations.CONFIGMAPS),
    sign("missing_secret", "a Secret does not exist", _CONFIG, rf"\bsecrets? {_NAME} not found", "create Secret {detail|of that name} in namespace {namespace} (Run:ai: Credentials), or correct its name in the workload", "kubectl create secret generic {detail|<name>} -n {namespace} --from-literal=<key>=<value>", stage=Stage.STARTED, confidence=0.96, source=citations.SECRETS),
    sign("missing_configmap", "a ConfigMap does not exist", _CONFIG, rf"\bconfigmaps? {_NAME} not found", "create ConfigMap {detail|of that name} in namespace {namespace}, or correct its name in the workload", "kubectl create configmap {detail|<name>} -n {namespace} --from-literal=<key>=<value>", stage=Stage.STARTED, confidence=0.96, source=citations.CONFIGMAPS),
    sign("missing_configmap", "a ConfigMap does not exist", r"FailedScheduling|Unschedulable|SchedulerError", r"Missing required configmaps: \[(?P<detail>[a-z0-9][\w.-]{0,252})", "create ConfigMap {detail|of that name} in namespace {namespace}, or correct its name in the workload", stage=Stage.SCHEDULED, confidence=0.95, source=citations.KAI),
    sign("security_context_denied", "a security rule refused the container", _CREATE, r"runAsNonRoot|runAsUser breaks|violates PodSecurity|admission webhook \S+ denied|unable to validate against any (?:pod security policy|security context)|hostPath volumes are not allowed|Privileged containers are not allowed|capability may not be added", "run as a non-root user (Run:ai: security.runAsUid, runAsNonRoot) without the named privilege, or have the policy allow it", stage=Stage.STARTED, confidence=0.95, source=citations.POD_SECURITY),
)  # fmt: skip
_OF_RUNTIME = "look at the container runtime on the node; another node may do: delete the pod"
_RUNTIME = (
    sign("container_oom", "the memory limit is too small to start the container", _START, r"container init was OOM-killed|memory limit too low", "raise the memory limit (Run:ai: compute.cpuMemoryLimit)", stage=Stage.STARTED, confidence=0.93, source=citations.RUNC),
    sign("cuda_driver_mismatch", "the NVIDIA driver is too old for the image's CUDA", _START, r"nvidia-container-cli: requirement error|unsatisfied condition: (?:cuda|driver)|please update your driver", "use an image built for the node's driver, or have the driver updated", stage=Stage.STARTED, confidence=0.95, source=citations.CUDA_COMPATIBILITY),
    sign("wrong_architecture", "the image is for another processor architecture", _START, r"exec format error", "rebuild it for the nodes' architecture (docker build --platform linux/amd64), or choose nodes that suit it (Run:ai: nodeType)", stage=Stage.STARTED, confidence=0.93, source=citations.EXECVE),
    sign("not_executable", "the entrypoint may not be executed", _START, r"exec:? \\?\"?(?P<detail>[\w./-]{1,120})\\?\"?:[^\n]{0,80}permission denied|\bopen executable: permission denied", "chmod +x the entrypoint in the image, or call it through its interpreter (Run:ai: command)", stage=Stage.STARTED, confidence=0.94, source=citations.EXECVE),
    sign("bad_command", "the command does not exist in the image", _START, r"exec:? \\?\"?(?P<detail>[\w./ -]{1,120}?)\\?\"?: (?:executable file not found|stat [^\n]{0,160}no such file|no such file)|executable file (?:`(?P<key>[^`\n]{1,120})` )?not found in \$PATH|no command specified", "correct the workload's command, or install it in the image (Run:ai: command, image)", stage=Stage.STARTED, confidence=0.95, source=citations.EXECVE),
    sign("missing_file", "the working directory does not exist in the image", _START, r"chdir to cwd \(\"(?P<detail>[\w./-]{1,120})\"\)[^\n]*no such file", "correct the working directory (Run:ai: workingDir), or create it in the image", stage=Stage.STARTED, confidence=0.88, source=citations.RUNC),
    sign("read_only_filesystem", "the runtime cannot write to the image's file system", _START, r"read-only file system", "mount the volume at a path that exists in the image, or clear security.readOnlyRootFilesystem", stage=Stage.STARTED, confidence=0.85, needs_reason=True, source=citations.RUNC),
    sign("container_create_failed", "the runtime could not create the container", r"CreateContainerError|RunContainerError|StartError|ContainerCannotRun|FailedCreatePodSandBox|Failed", r"failed to (?:create|start|generate|reserve)|is reserved\b|deadline exceeded|OCI runtime|nvidia-container-cli|no runtime for", _OF_RUNTIME, stage=Stage.STARTED, confidence=0.82, needs_reason=True, source=citations.RUNTIME_SPEC),
    # The reason alone says that it failed; what else its text says no sign knows.
    sign("container_create_failed", "the runtime could not create the container", r"CreateContainerError|RunContainerError|StartError|ContainerCannotRun", r".*", _OF_RUNTIME, stage=Stage.STARTED, confidence=0.75, needs_reason=True, source=citations.RUNTIME_SPEC),
)  # fmt: skip
_ENDED = (
    sign("ephemeral_storage_exceeded", "the pod used more ephemeral storage than it may", _EVICTED, r"ephemeral[ -](?:local )?storage (?:usage )?(?:exceeds the total limit of containers (?P<detail>\d[\w.]{0,20}\w)|exceeds|limit)|exceeded its local ephemeral storage(?: limit \"?(?P<key>\d[\w.]{0,20}\w))?|exceeds the (?:total )?limit", "write to a mounted volume (Run:ai: storage.pvc) instead of the container's disk, or raise the ephemeral-storage limit{detail|}", stage=Stage.RUNNING, confidence=0.96, source=citations.EPHEMERAL),
    sign("node_memory_eviction", "the node ran low on memory and evicted the pod", _EVICTED, r"low on resource: memory|MemoryPressure", "set the memory request to what the workload uses (Run:ai: compute.cpuMemoryRequest), so that it is placed where there is room", stage=Stage.RUNNING, confidence=0.95, source=citations.EVICTION),
    sign("container_oom", "the container ran out of memory", r"OOMKill(?:ed|ing)|BackOff|Failed|Killing|Error|ContainerDied", r"\bOOM ?Kill(?:ed|ing)\b|memory cgroup out of memory", "raise the memory limit (Run:ai: compute.cpuMemoryLimit), or reduce batch size, num_workers or prefetching", stage=Stage.RUNNING, confidence=0.88, source=citations.MEMORY),
    sign("probe_failed", "kubelet ended the container for a failed probe", r"Killing", r"failed (?P<detail>liveness|startup) probe", "give the program more time (probe's initialDelaySeconds, failureThreshold), or correct the probe's port and path", stage=Stage.RUNNING, confidence=0.9, source=citations.PROBES),
    sign("time_limit_reached", "a time limit of the project's rules ended it", r".*", r"\bidle (?:GPU )?(?:time(?:out)?|duration|limit|for (?:longer|more))|exceed\w* (?:the )?(?:max\w* |allowed )?(?:idle|run(?:ning|time)?)[ -]?(?:time|duration)|\b(?:run-?time|running[ -]time|duration) limit|(?:reached|exceeded|passed) (?:the |its )?[^.\n]{0,60}\btime limit|time limit (?:of \S+ )?(?:was |has been )?(?:reached|exceeded)|^TimedOut$", "ask for another rule (Run:ai: project, scheduling rules), or save checkpoints and resume", stage=Stage.RUNNING, confidence=0.9, source=citations.RUNAI_RULES),
    sign("deadline_exceeded", "the job's own deadline passed", r"DeadlineExceeded|\w*Failed", r"(?<!code = )\bDeadlineExceeded\b|active (?:on the node )?longer than (?:the )?specified deadline", "raise the deadline (activeDeadlineSeconds), or make the job faster", stage=Stage.RUNNING, confidence=0.92, role=Role.LIMIT, source=citations.JOB_DEADLINE),
    sign("backoff_limit_exceeded", "the job used up its retries", r"BackoffLimitExceeded|Failed", r"BackoffLimitExceeded|reached the specified backoff limit", "read the failed pods' logs where they are kept: nothing of them is left here; the number of retries is Run:ai's backoffLimit", stage=Stage.RUNNING, confidence=0.72, role=Role.AFTERMATH, source=citations.JOBS),
)  # fmt: skip
# Which part of an image's name the registry does not have.
_LACKING = (
    (re.compile(r"name[ _]unknown|repository \S+ not found|repository does not exist", re.IGNORECASE), "repository"),
    (
        re.compile(r"manifest unknown|manifest (?:for )?\S+ not found|tag \S+ not found|: not found", re.IGNORECASE),
        "tag",
    ),
)
_WRITES = re.compile(
    r"\b(?:writ(?:e|es|ing|ten)|sav(?:e|es|ing|ed)|cach(?:e|es|ing|ed)|spill\w*|dump\w*|stag(?:e|es|ing|ed)|extract\w*|download\w*|unpack\w*|checkpoint\w*)"
    r"\b[^\n]{0,80}?(?<![\w:/])(?P<path>/(?:[\w.@+-]{1,60}/?){1,8})",
    re.IGNORECASE,
)
_RAN_ON = timedelta(minutes=10)
_PULLS = frozenset({"ImagePullBackOff", "ErrImagePull", "ImageInspectError", "RegistryUnavailable"})
_UNNAMED = 0.3
"""So low that no cause is named by it: only where to look."""
SIGNS: tuple[Sign, ...] = (
    *_WEBHOOKS,
    *_CONFIGURATION,
    *quota.SIGNS,
    *storage.SIGNS,
    *node.SIGNS,
    *_ENDED,
    *_RUNTIME[:-2],
    *_IMAGE,
    *_RUNTIME[-2:],
)
_AMBIGUOUS = (
    "may require authorization",
    "may require 'docker login'",
    "pull access denied",
    "requested access to the resource is denied",
)


def find(case: Case) -> Iterator[Finding]:
    """Findings from events, waiting states and status texts: one for each cause and object."""
    found: dict[tuple[str, str | None], Finding] = {}
    told = messages(case)
    for message in told:
        finding = _of_message(case, message, told)
        if finding is None:
            continue
        known = found.get((finding.cause, message.about))
        if known is None or (known.strength, known.confidence) < (finding.strength, finding.confidence):
            found[finding.cause, message.about] = finding
    yield from found.values()
    yield from _unexplained_pulls(case, {message_about for _, message_about in found})


def _unexplained_pulls(case: Case, explained: Collection[str | None]) -> Iterator[Finding]:
    """Images that cannot be pulled while nothing that was read says why: no cause, but a place to look."""
    for pod in case.pods:
        waits = next((c for c in pod.containers if c.phase is ContainerPhase.WAITING and c.reason in _PULLS), None)
        if waits is None or pod.name in explained:
            continue
        image, name = token(waits.image, 160), token(pod.name)
        place = f"container {token(waits.name)} of pod {name}"
        events = f"kubectl get events --field-selector involvedObject.name={name} --watch"
        yield Finding(
            cause="image_not_found",
            title=f"image {image} cannot be pulled, and nothing says why",
            confidence=_UNNAMED,
            explanation=f"{place} waits in {token(waits.reason)}; the event that says why is gone or could not be read.",
            evidence_ids=(case.cite(f"state of {place}", f"waiting: {waits.reason}: {waits.message or ''}"),),
            next_steps=(
                f"kubelet tries again every five minutes at the latest, and its event then says why: {in_namespace(events, case.workload)}",
                f"check image {image} (Run:ai: image) and the project's registry credential (Run:ai: Credentials): {in_namespace('kubectl get secrets', case.workload)}",
                *((f"pull it where it fails, on node {token(pod.node)}: crictl pull {image}",) if pod.node else ()),
                in_namespace(f"kubectl describe pod {name}", case.workload),
            ),
            role=Role.HINT,
            place=pod.name,
            never=False,
        )


def start_finding(case: Case, ended: Ended) -> Finding:
    """Why the runtime could not start a container, from the state it left."""
    message = Message(source="", reason="StartError", text=ended.end.message or "", at=ended.end.finished_at)
    match = next(((s, m) for s in (*node.SIGNS, *_RUNTIME) if (m := s.match(message)) is not None), None)
    entry = match[0] if match else _RUNTIME[-1]
    detail = _detail(match[1]) if match else ""
    return Finding(
        cause=entry.cause,
        title=entry.title + (f": {detail}" if detail else ""),
        confidence=entry.confidence,
        explanation=f"{ended.place} could not be started (exit code {ended.end.exit_code}): {entry.title}.",
        evidence_ids=(case.cite_end(ended),),
        next_steps=(*filled(entry.advice, detail, case.workload.namespace), describe_workload(case.workload)),
        at=ended.end.finished_at,
        place=ended.pod.name,
        earlier=ended.earlier,
    )


def _of_message(case: Case, message: Message, told: list[Message]) -> Finding | None:
    entry, match = next(((s, m) for s in SIGNS if (m := s.match(message)) is not None), (None, None))
    if entry is not None and entry.stage is Stage.RUNNING and _went_on_after(case, message):
        return None
    if any(words in message.text for words in _AMBIGUOUS) and message.passed < Stage.PULLED:
        return _not_found_or_private(case, message, told)
    if entry is None or match is None:
        return None
    if entry in quota.SIGNS:
        return quota.told_of(case, message, entry)
    if entry in node.SIGNS:
        return node.told_of(case, message, entry)
    if entry in storage.SIGNS:
        return storage.told_of(case, message, entry, _detail(match))
    detail = _image(case, message) if entry in _IMAGE else _detail(match)
    where, written = _written(case, message) if entry.cause == "ephemeral_storage_exceeded" else ("", ())
    return Finding(
        cause=entry.cause,
        title=_title(entry, detail, message),
        confidence=entry.confidence,
        explanation=f"{message.source} ({token(message.reason)}) says so.{where}",
        evidence_ids=(case.cite(message.source, message.quoted, at=message.at), *written),
        next_steps=(*_advice(case, entry, detail), _look_at(case.workload, message)),
        strength=message.strength,
        role=entry.role,
        at=message.at,
        place=message.about,
        never=entry.never,
    )


def _went_on_after(case: Case, message: Message) -> bool:
    """Whether the pod's containers ran on for long after an event that would have ended them, and then ended themselves."""
    if message.strength is not Strength.EVENT or message.at is None:
        return False
    ends = [
        c.ended.finished_at for p in case.pods if p.name == message.about for c in p.containers if c.ended is not None
    ]
    return bool(ends) and all(end is not None and end - message.at > _RAN_ON for end in ends)


def _not_found_or_private(case: Case, message: Message, told: list[Message]) -> Finding:
    """The registry does not tell which: without a pull secret, a missing login is the likelier reading."""
    unusable = [
        item for item in told if item.reason == "FailedToRetrieveImagePullSecret" and item.about == message.about
    ]
    pods = [pod for pod in case.pods if message.about in (None, pod.name)]
    with_secret = any(pod.image_pull_secrets for pod in pods) and not unusable
    known = any(pod.image_pull_secrets is not None for pod in pods)
    seen = (
        "a pull secret is set"
        if with_secret
        else "no usable pull secret is set"
        if known
        else "whether a pull secret is set is not known"
    )
    cited = (
        case.cite(message.source, message.quoted, at=message.at),
        *(case.cite(i.source, i.quoted, at=i.at) for i in unusable[:1]),
    )
    image = f" (image {name})" if (name := _image(case, message)) else ""
    steps = (
        "check the image's name and tag for typing errors (Run:ai: image)",
        "add the registry credential of the project (Run:ai: Credentials, type Docker registry; imagePullSecrets)",
    )
    return Finding(
        cause="image_not_found" if with_secret else "image_auth_failed",
        title="the image does not exist, or the login may not see it" if with_secret else "the registry wants a login, or the image does not exist",
        confidence=0.78,
        explanation=f"The registry does not say whether the image is missing or private{image}; {seen}, which makes this reading the likelier one.",
        evidence_ids=cited,
        next_steps=(*(steps if with_secret else steps[::-1]), _look_at(case.workload, message)),
        strength=message.strength,
        at=message.at,
        place=message.about,
    )  # fmt: skip


def _title(entry: Sign, detail: str, message: Message) -> str:
    """What happened to what: of an image its name and, where the registry tells, which part of it is not there."""
    if entry.cause != "image_not_found" or not detail:
        return entry.title + (f": {detail}" if detail else "")
    lacks = next((f" ({part} not found)" for words, part in _LACKING if words.search(message.text)), "")
    return f"image {detail} does not exist{lacks}"


def _advice(case: Case, entry: Sign, detail: str) -> tuple[str, ...]:
    of_limit = f" (now {detail})" if entry.cause == "ephemeral_storage_exceeded" and detail else detail
    return filled(entry.advice, of_limit, case.workload.namespace)


def _written(case: Case, message: Message) -> tuple[str, tuple[str, ...]]:
    """Where the pod's own log says that it writes, in words and as evidence."""
    for item in case.logs:
        if item.pod != message.about:
            continue
        lines = [line for line in item.log.lines if _WRITES.search(line.text)][-3:]
        paths = [token(match["path"]) for line in lines if (match := _WRITES.search(line.text)) is not None]
        if paths:
            source = f"log of container {token(item.container)} of pod {token(item.pod)}"
            cited = case.cite(source, "\n".join(f"{line.number}: {line.text}" for line in lines))
            return f" Its log says that it writes to {listed(list(dict.fromkeys(paths)))}.", (cited,)
    return "", ()


def _image(case: Case, message: Message) -> str:
    """The image that a message is about: one that its text names, else the one that its pod waits for."""
    pods = [pod for pod in case.pods if pod.name == message.about]
    known = [c for pod in pods for c in pod.containers if c.image]
    named = [c for c in known if c.image and c.image in message.text] or [c for c in known if c.reason] or known
    if named:
        return token(named[0].image, 160)
    return token(case.workload.images[0], 160) if len(case.workload.images) == 1 else ""


def _detail(match: re.Match[str]) -> str:
    groups = match.groupdict()
    name = groups.get("detail") or groups.get("key")
    return token(name) if name else ""


def _look_at(workload: Workload, message: Message) -> str:
    if message.kind == "Pod" and message.about:
        return in_namespace(f"kubectl describe pod {token(message.about)}", workload)
    return describe_workload(workload)
