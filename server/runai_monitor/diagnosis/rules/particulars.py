"""What makes advice this workload's own: the numbers that were seen, its names, and a command to paste for each cause.

The rules say what to do about a cause; here the case's own limits, images, hosts, claims and nodes are put to it. The
commands are those of kubectl (kubernetes.io/docs/reference/kubectl) and of Run:ai's CLI (docs.nvidia.com/run-ai, reference,
cli); nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.rules.advice import collective_advice, memory_advice
from runai_monitor.diagnosis.rules.finding import Finding
from runai_monitor.diagnosis.rules.scheduling import asked_for
from runai_monitor.diagnosis.wording import amount, gpu_count, in_namespace, listed, token
from runai_monitor.model.cluster import Container, Pod

_SHOWN_AS_HOURS = 120
_HOST = re.compile(r"^(?P<host>[A-Za-z0-9][\w-]*(?:\.[\w-]+)*)(?::(?P<port>\d{1,5}))?$")
_EVICTED_USER = re.compile(r"Container \S{1,63} was using (?P<used>[\d.]+\w{0,2}), request is (?P<asked>[\d.]+\w{0,2})")
_QUOTA = re.compile(r"requested: [^=\s]{1,100}=(?P<asked>[\w.]+)[^:]*, used: [^=\s]{1,100}=(?P<used>[\w.]+)[^:]*, limited: [^=\s]{1,100}=(?P<hard>[\w.]+)")  # fmt: skip
# Why a runtime could not create a container, by its words, and what to do about it on the node.
_RUNTIME = (
    (re.compile(r"name \S+ is reserved|is reserved for"), "a container of an earlier try still holds its name: delete the pod, its owner makes another: kubectl delete pod {pod} -n {namespace}"),
    (re.compile(r"no runtime for|RuntimeHandler|runtime handler"), "the node does not know the runtime class that the pod asks for: kubectl get runtimeclass"),
    (re.compile(r"nvidia-container-cli|nvidia-container-runtime|error running (?:prestart )?hook|libnvidia|\bCDI\b"), "have NVIDIA's container toolkit on {node} checked, pods of the GPU operator: kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),
    (re.compile(r"not a directory|mounting \S+ to rootfs|mount through procfd|no such file or directory"), "correct the mount path of its volumes (Run:ai: storage, path): a file and a folder stand for each other"),
    (re.compile(r"deadline exceeded|context canceled|timed? ?out"), "the runtime of {node} is overloaded or hangs: have it restarted (systemctl restart containerd) and look at its load: kubectl describe node {node}"),
    (re.compile(r"cgroup|systemd|no space left|too many open files|resource temporarily unavailable", re.IGNORECASE), "node {node} has run out of something that every container needs (cgroups, pids, disk): kubectl describe node {node}"),
)  # fmt: skip
_NO_RUNTIME_WORDS = "let another node try: keep pods off {node} (kubectl cordon {node}, whoever runs the cluster), then have the pod made anew: kubectl delete pod {pod} -n {namespace}"


@dataclass(frozen=True)
class _Facts:
    """A finding with what is known around it, as words for sentences and commands."""

    case: Case
    finding: Finding

    @cached_property
    def pod(self) -> Pod | None:
        """The pod that it is about."""
        return next((pod for pod in self.case.pods if pod.name == self.finding.place), None)

    @cached_property
    def container(self) -> Container | None:
        """Its container that failed or waits, else its first."""
        regular = [c for c in (self.pod.containers if self.pod is not None else ()) if not c.ephemeral]
        failed = [c for c in regular if c.reason or any(e and e.exit_code != 0 for e in (c.ended, c.last_ended))]
        return next(iter(failed or regular), None)

    @cached_property
    def quoted(self) -> str:
        """The texts that the finding cites."""
        return "\n".join(item.excerpt for item in self.case.evidence if item.id in self.finding.evidence_ids)

    @cached_property
    def image(self) -> str | None:
        """The image that runs there."""
        found = self.container.image if self.container is not None else None
        return token(found or next(iter(self.case.workload.images), None), 200) if found or self.case.workload.images else None  # fmt: skip

    @cached_property
    def memory_limit(self) -> str | None:
        """The container's memory limit, by Kubernetes or else by Run:ai."""
        detail = self.case.detail
        of_runai = detail.requested.memory_limit if detail is not None and detail.requested is not None else None
        return (self.container.memory_limit if self.container is not None else None) or of_runai

    @cached_property
    def claims(self) -> list[str]:
        """The volume claims that its pods mount."""
        pods = [self.pod] if self.pod is not None else self.case.pods
        return [token(name) for name in dict.fromkeys(name for pod in pods for name in pod.claims)]

    @cached_property
    def nodes(self) -> list[str]:
        """The nodes that its pods are or were on."""
        places = [*(pod.node for pod in self.case.pods), *(pod.node for pod in self.case.runai_pods)]
        return [token(node) for node in dict.fromkeys(places) if node]

    def here(self, command: str) -> str:
        """A command in the workload's namespace."""
        return in_namespace(command, self.case.workload)

    def filled(self, words: str) -> str:
        """Words with the pod, its node and the namespace."""
        node = self.pod.node if self.pod is not None else None
        namespace = token(self.case.workload.namespace) if self.case.workload.namespace else "<namespace>"
        pod = token(self.finding.place) if self.finding.place else "<pod>"
        return words.format(node=token(node) if node else "<node>", pod=pod, namespace=namespace)


def with_particulars(case: Case, finding: Finding) -> Finding:
    """The finding with advice that names this case's numbers and things; as it is where nothing of the kind is known."""
    facts = _Facts(case, finding)
    steps = list(finding.next_steps)
    if (first := _first_step(facts)) is not None:
        steps[:1] = [first]
    more = [step for step in MORE.get(finding.cause, _nothing)(facts) if step not in steps]
    # After what to do, before where to look: the last step of a rule shows the object itself.
    steps[1:1] = more
    return replace(finding, next_steps=tuple(step.replace("{node}", facts.filled("{node}")) for step in steps))


def _first_step(facts: _Facts) -> str | None:
    """The first step with the numbers in it, where it is one that has room for them."""
    step, cause = next(iter(facts.finding.next_steps), ""), facts.finding.cause
    if cause == "container_oom" and facts.memory_limit and ": OOMKilled at" not in step:
        return memory_advice(facts.memory_limit, facts.container.restarts if facts.container is not None else 0)
    if cause == "node_memory_eviction" and (user := _EVICTED_USER.search(facts.quoted)) is not None:
        return f"set the memory request to what it uses: {user['used']} were in use, {user['asked']} are asked for (Run:ai: compute.cpuMemoryRequest)"  # fmt: skip
    if cause == "namespace_quota_exceeded" and (quota := _QUOTA.search(facts.quoted)) is not None:
        used, hard = amount(quota["used"]), amount(quota["hard"])
        if used is not None and hard is not None and hard < 1e4:
            return f"ask for at most {max(hard - used, 0):g} instead of {token(quota['asked'])}, free some, or have the quota of {token(quota['hard'])} raised (it is Kubernetes', not Run:ai's)"  # fmt: skip
    if cause == "container_create_failed":
        return facts.filled(next((words for said, words in _RUNTIME if said.search(facts.quoted)), _NO_RUNTIME_WORDS))
    if cause == "insufficient_gpu" and asked_for(facts.case, cause) == "1 GPU":
        return step.replace("ask for fewer (Run:ai: ", "ask for a part of one (Run:ai: compute.gpuPortionRequest, ", 1)
    if cause == "no_gpu_visible" and facts.case.workload.gpus == 0:
        return "have the workload ask for a GPU: it asks for none (Run:ai: compute.gpuDevicesRequest)"
    if cause in _ASKED and (asked := asked_for(facts.case, cause)):
        return step.replace(_ASKED[cause][0], _ASKED[cause][1].format(asked=asked), 1)
    return None


# How much is asked for, put into the advice of what lacks.
_ASKED = {
    "insufficient_gpu": ("ask for fewer (", "ask for fewer than {asked} ("),
    "insufficient_memory": ("lower the memory request (", "lower the request of {asked} ("),
    "insufficient_cpu": ("lower the CPU request (", "lower the request of {asked} ("),
}


def _nothing(_: _Facts) -> Sequence[str]:
    return ()


def _by_hand(facts: _Facts) -> Sequence[str]:
    """The program alone, where it can be watched."""
    if facts.image is None:
        return ()
    name, project = f"try-{token(facts.case.workload.name, 50)}", token(facts.case.workload.project)
    return (
        f"start its command by hand in the same image: runai workspace submit {name} -p {project} -i {facts.image} --command -- sleep infinity",
        f"then, inside it: runai workspace bash {name} -p {project}",
    )


def _probe(facts: _Facts, tool: str, image: str, arguments: str) -> str:
    return facts.here(f"kubectl run {tool} --rm -it --restart=Never --image={image}") + f" -- {arguments}"


def _host(facts: _Facts) -> re.Match[str] | None:
    return _HOST.match(facts.finding.title.rpartition(": ")[2]) if ": " in facts.finding.title else None


def _resolve(facts: _Facts) -> Sequence[str]:
    host = _host(facts)
    name = host["host"] if host else "HOST"
    return (f"try it from its namespace: {_probe(facts, 'dns-check', 'busybox', f'nslookup {name}')}",)


def _connect(facts: _Facts) -> Sequence[str]:
    host = _host(facts)
    name, port = (host["host"], host["port"] or "PORT") if host else ("HOST", "PORT")
    steps = [f"try it from its namespace: {_probe(facts, 'port-check', 'busybox', f'nc -zv -w 5 {name} {port}')}"]
    parts = name.split(".")
    if len(parts) > 2 and parts[2] == "svc":  # <service>.<namespace>.svc
        steps.append(f"see whether that service has pods behind it: kubectl get endpoints {parts[0]} -n {parts[1]}")
    return steps


def _trust(facts: _Facts) -> Sequence[str]:
    host = _host(facts)
    address = f"{host['host']}:{host['port'] or 443}" if host else "HOST:443"
    return (
        f"see which certificate it gets: {_probe(facts, 'tls-check', 'curlimages/curl', f'-vI https://{address}')}",
    )


def _volumes(facts: _Facts) -> Sequence[str]:
    if not facts.claims:
        return (f"see which volumes the project has: {facts.here('kubectl get pvc')}",)
    return (
        f"it mounts {listed(facts.claims)}; their size and state: {facts.here('kubectl get pvc ' + ' '.join(facts.claims[:4]))}",
    )


def _ranks(facts: _Facts) -> Sequence[str]:
    where = f"its pods are on {listed(facts.nodes, 6)}" if facts.nodes else "see where its ranks are"
    selector = f"workloadName={token(facts.case.workload.name)}"
    return (*collective_advice(facts.quoted), f"{where}: {facts.here(f'kubectl get pods -l {selector} -o wide')}")


def _limit(facts: _Facts) -> Sequence[str]:
    return (f"its memory limit is {token(facts.memory_limit)} (Run:ai: compute.cpuMemoryLimit)",) if facts.memory_limit else ()  # fmt: skip


def _gpus(facts: _Facts) -> Sequence[str]:
    gpus = facts.case.workload.gpus
    return () if not gpus else (f"the workload asks for {gpu_count(gpus)} (Run:ai: compute.gpuDevicesRequest)",)


def _plugin(facts: _Facts) -> Sequence[str]:
    if any("--field-selector" in step for step in facts.finding.next_steps):
        return ()
    return (facts.filled("its pods on that node: kubectl get pods -A -o wide --field-selector spec.nodeName={node}"),)


def _node(facts: _Facts) -> Sequence[str]:
    node = facts.pod.node if facts.pod is not None else None
    if node is None or any("kubectl cordon" in step for step in facts.finding.next_steps):
        return ()
    return (f"keep other pods away from it until then (whoever runs the cluster): kubectl cordon {token(node)}",)


def _probes(facts: _Facts) -> Sequence[str]:
    if facts.pod is None:
        return ("its probes are part of the workload (Run:ai: probes)",)
    path = "jsonpath={.spec.containers[*].livenessProbe}"
    return (f"its probe as it is now (Run:ai: probes): {facts.here(f'kubectl get pod {token(facts.pod.name)} -o {path}')}",)  # fmt: skip


def _registry(facts: _Facts) -> Sequence[str]:
    first = (facts.image or "").partition("/")[0]
    registry = first if "." in first or ":" in first else "registry-1.docker.io"
    return (f"try it from the cluster: {_probe(facts, 'registry-check', 'curlimages/curl', f'-vI https://{registry}/v2/')}",)  # fmt: skip


def _downloads(facts: _Facts) -> Sequence[str]:
    pods = max(len(facts.case.pods), len(facts.case.runai_pods), facts.case.workload.requested_pods or 0)
    many = f"its {pods} pods ask at once: " if pods > 1 else ""
    return (f"{many}let one download into a volume that all mount, and read from there (Run:ai: storage.pvc; HF_HOME, HF_HUB_OFFLINE=1 in environmentVariables)",)  # fmt: skip


def _of_job(field: str) -> Callable[[_Facts], Sequence[str]]:
    def step(facts: _Facts) -> Sequence[str]:
        name = token(facts.case.workload.name)
        created, ended = facts.case.workload.created_at, facts.finding.at
        ran = ""
        if field == "activeDeadlineSeconds" and created is not None and ended is not None and ended > created:
            minutes = (ended - created).total_seconds() / 60
            ran = (
                f"it had {minutes:.0f} minutes; " if minutes < _SHOWN_AS_HOURS else f"it had {minutes / 60:.1f} hours; "
            )
            if (
                facts.pod is not None and facts.pod.reason == "DeadlineExceeded"
            ):  # kubelet's word of the pod's own deadline
                return (
                    f"{ran}its {field}: {facts.here(f'kubectl get pod {token(facts.pod.name)} -o jsonpath={{.spec.{field}}}')}",
                )
        return (f"{ran}its {field}: {facts.here(f'kubectl get job {name} -o jsonpath={{.spec.{field}}}')}",)

    return step


def _always(*steps: str) -> Callable[[_Facts], Sequence[str]]:
    return lambda facts: tuple(facts.here(step) if step.endswith((" secrets", "secrets,configmaps")) else step for step in steps)  # fmt: skip


_NATIVE_TRACE = _always("set TORCH_SHOW_CPP_STACKTRACES=1 and PYTHONFAULTHANDLER=1 for the next run (Run:ai: environmentVariables)")  # fmt: skip
MORE: dict[str, Callable[[_Facts], Sequence[str]]] = {
    "aborted": _NATIVE_TRACE,
    "application_error": _by_hand,
    "application_memory_limit": _limit,
    "backoff_limit_exceeded": _of_job("backoffLimit"),
    "connection_refused": _connect,
    "connection_timeout": _connect,
    "credential_rejected": _always("the project's credentials: kubectl get secrets"),
    "cuda_oom": _gpus,
    "cuda_driver_mismatch": _always("the newest CUDA of each node's driver: kubectl get nodes -L nvidia.com/cuda.driver.major,nvidia.com/cuda.driver.minor"),
    "deadline_exceeded": _of_job("activeDeadlineSeconds"),
    "device_plugin_failed": _plugin,
    "disk_full": _volumes,
    "dns_failure": _resolve,
    "gpu_hardware_fault": _node,
    "illegal_instruction": _always("the processors of the nodes: kubectl get nodes -L kubernetes.io/arch,feature.node.kubernetes.io/cpu-model.id"),
    "image_auth_failed": _always("the project's credentials: kubectl get secrets"),
    "killed_by_signal": _limit,
    "missing_config_key": _always("what there is: kubectl get secrets,configmaps"),
    "missing_configmap": _always("what there is: kubectl get secrets,configmaps"),
    "nccl_network_error": _ranks,
    "nccl_timeout": _ranks,
    "no_gpu_visible": _gpus,
    "permission_denied": _volumes,
    "probe_failed": _probes,
    "pvc_unbound": _volumes,
    "rate_limited": _downloads,
    "read_only_filesystem": _volumes,
    "registry_rate_limited": _always("the project's credentials: kubectl get secrets"),
    "registry_unreachable": _registry,
    "storage_unresponsive": _volumes,
    "tls_error": _trust,
    "training_diverged": _always("set them for the next run (Run:ai: args, environmentVariables)"),
    "volume_mount_failed": _volumes,
    "volume_in_use": _always("which node holds it: kubectl get volumeattachments"),
    "wrong_architecture": _always("the processors of the nodes: kubectl get nodes -L kubernetes.io/arch"),
}  # fmt: skip
