"""Processes that ended: exit codes, signals and the exception a log ends with.

Exit codes: Kubernetes' container states (128 + signal), POSIX shells (126, 127) and the container runtime.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runai_monitor.diagnosis.case import Case, Ended, ended_badly
from runai_monitor.diagnosis.logs import UncaughtException, tail, uncaught_exception
from runai_monitor.diagnosis.rules.finding import Finding

_UNITS = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4}


@dataclass(frozen=True, slots=True)
class LogSign:
    """A cause named by the exception or the last lines a failed process left."""

    cause: str
    title: str
    pattern: re.Pattern[str]
    advice: str
    confidence: float = 0.92


# In order: the first that matches the final exception, or else the last lines, is the cause.
_SIGNS = (
    LogSign("cuda_oom", "GPU memory ran out", re.compile(r"CUDA out of memory|CUDA error: out of memory|RESOURCE_EXHAUSTED: Out of memory|torch\.(cuda\.)?OutOfMemoryError|No available memory for the cache blocks"), "reduce the batch size or sequence length, use gradient checkpointing or sharding, or request GPUs with more memory", 0.95),
    LogSign("shm_exhausted", "shared memory (/dev/shm) is too small", re.compile(r"bus error.*shared memory|insufficient shared memory|DataLoader worker .* killed by signal: Bus error", re.IGNORECASE), "enable the large shared memory option of the workload (Run:ai: largeShmRequest), or use fewer DataLoader workers"),
    LogSign("missing_module", "a Python module or library is missing", re.compile(r"ModuleNotFoundError|ImportError: .*(No module named|cannot open shared object file|cannot import name)"), "install the missing package in the image, or use an image that has it", 0.95),
    LogSign("disk_full", "the disk is full", re.compile(r"No space left on device|OSError: \[Errno 28\]"), "write less, clean up, or mount a larger volume"),
    LogSign("missing_file", "a file does not exist", re.compile(r"FileNotFoundError|No such file or directory"), "check the path and that its volume is mounted"),
    LogSign("permission_denied", "access to a file, device or port was denied", re.compile(r"PermissionError|Permission denied|Operation not permitted"), "check the file's owner and mode against the user the container runs as"),
    LogSign("application_memory_limit", "the program stopped at a memory limit of its own", re.compile(r"java\.lang\.OutOfMemoryError|ray\.exceptions\.OutOfMemoryError|OutOfMemoryError: Java heap"), "raise the program's own memory limit (for Java -Xmx), then the container's"),
    LogSign("invalid_arguments", "the program refused its arguments or configuration", re.compile(r"error: (the following arguments are required|unrecognized arguments|argument |invalid choice)|(^|\n)usage: |yaml\.(scanner|parser)\.|ConfigError|Missing required environment variable|KeyError: '[A-Z][A-Z0-9_]{3,}'"), "correct the command, arguments or configuration of the workload", 0.88),
    LogSign("nccl_timeout", "a collective operation between ranks timed out", re.compile(r"Watchdog caught collective operation timeout|NCCL.*(timed out|timeout)"), "find the rank that stopped first; this one only waited for it", 0.6),
    LogSign("nccl_network_error", "the network between ranks failed", re.compile(r"NCCL error.*(remote|system) error|ncclRemoteError|ncclSystemError|ibv_\w+ failed"), "check the network of the nodes involved and NCCL_SOCKET_IFNAME", 0.75),
    LogSign("training_diverged", "the training diverged (NaN or infinite loss)", re.compile(r"loss is (nan|inf)|nan loss|Loss is nan, stopping|FloatingPointError", re.IGNORECASE), "lower the learning rate, clip gradients, and restart from the last good checkpoint", 0.88),
    LogSign("segfault", "a segmentation fault", re.compile(r"Segmentation fault|SIGSEGV|Signal 11"), "run with PYTHONFAULTHANDLER=1 to see where; suspect native extensions", 0.85),
    LogSign("aborted", "the process aborted itself", re.compile(r"SIGABRT|Signal 6\b|core dumped.*Aborted"), "read the lines before the abort for the failed assertion", 0.8),
)  # fmt: skip

_EXITS: dict[int, tuple[str, str, str]] = {
    139: ("segfault", "a segmentation fault", "run with PYTHONFAULTHANDLER=1 to see where; suspect native extensions"),
    134: ("aborted", "the process aborted itself", "read the lines before the abort for the failed assertion"),
    132: ("illegal_instruction", "an illegal instruction", "the image was built for another processor: rebuild it for this one"),
    127: ("bad_command", "the command does not exist in the image", "correct the workload's command, or install it in the image"),
    126: ("not_executable", "the command may not be executed", "chmod +x the entrypoint in the image, or call it through its interpreter"),
}  # fmt: skip


def find(case: Case) -> Iterator[Finding]:
    """Findings about every container that ended badly."""
    for ended in ended_badly(case):
        yield from _of_container(case, ended)
    for pod in case.pods:
        if pod.reason == "Evicted":
            yield _evicted(case, pod.name, pod.message or "")


def _of_container(case: Case, ended: Ended) -> Iterator[Finding]:
    end, log = ended.end, case.log_of(ended.pod.name, ended.container.name)
    state = case.cite(
        f"state of {ended.place}",
        f"terminated: reason {end.reason}, exit code {end.exit_code}, restarts {ended.container.restarts}"
        + (f", memory limit {ended.container.memory_limit}" if ended.container.memory_limit else "")
        + (f"\n{end.message}" if end.message else ""),
        at=end.finished_at,
    )
    if end.reason == "OOMKilled":
        yield _container_oom(ended, state)
        return
    if end.reason in {"StartError", "ContainerCannotRun"}:
        yield _start_error(ended, state)
        return
    sign = None if log is None else _sign(case, ended, log.text, state)
    if sign is not None:
        yield sign
    elif end.exit_code in _EXITS:
        cause, title, advice = _EXITS[end.exit_code]
        yield _finding(
            ended,
            cause,
            title,
            0.85,
            f"{ended.place} ended with exit code {end.exit_code}: {title}.",
            (state,),
            (advice,),
        )
    elif end.exit_code in {137, 143}:
        yield _finding(
            ended, "killed_by_signal", "the process was killed from outside", 0.55,
            f"{ended.place} got signal {end.exit_code - 128} and nothing says from whom: it is not marked OOMKilled.",
            (state,), ("look at the node's events around that time, and at who deleted or preempted the pod",), specific=20,
        )  # fmt: skip
    elif log is not None:
        yield _last_words(case, ended, log.text, state)


def _sign(case: Case, ended: Ended, text: str, state: str) -> Finding | None:
    """The cause named by the final exception, else by the last lines; a word further up is no evidence."""
    exception = uncaught_exception(text)
    words = f"{exception.type}: {exception.said}" if exception else tail(text, 12)
    for sign in _SIGNS:
        match = sign.pattern.search(words)
        if match is None:
            continue
        quoted = exception.excerpt if exception else tail(text, 12)
        log = case.cite(f"log of {ended.place}", quoted, at=ended.end.finished_at)
        explanation = f"{ended.place} ended with exit code {ended.end.exit_code} on: {_short(words, match)}"
        return _finding(
            ended, sign.cause, sign.title, sign.confidence, explanation, (state, log), (sign.advice, _logs_command(ended)),
            specific=30 if sign.cause.startswith("nccl") else 60,
        )  # fmt: skip
    return _python_exception(case, ended, exception, state) if exception else None


def _python_exception(case: Case, ended: Ended, exception: UncaughtException, state: str) -> Finding:
    log = case.cite(f"log of {ended.place}", exception.excerpt, at=ended.end.finished_at)
    where = f" at {exception.file}:{exception.line}" if exception.file else ""
    said = f": {exception.said}" if exception.said else ""
    return _finding(
        ended, "python_exception", f"uncaught {exception.type}{where}", 0.9,
        f"{ended.place} ended on an uncaught exception{where}: {exception.type}{said}",
        (state, log), (f"look at {exception.file or 'the traceback'}, line {exception.line or '?'}", _logs_command(ended)), specific=45,
    )  # fmt: skip


def _last_words(case: Case, ended: Ended, text: str, state: str) -> Finding:
    log = case.cite(f"log of {ended.place}", tail(text, 12), at=ended.end.finished_at)
    return _finding(
        ended, "application_error", "the program ended on an error of its own", 0.5,
        f"{ended.place} ended with exit code {ended.end.exit_code}; its last lines are the best hint.",
        (state, log), (_logs_command(ended),), specific=25,
    )  # fmt: skip


def _container_oom(ended: Ended, state: str) -> Finding:
    limit = ended.container.memory_limit
    more = _one_half_more(limit)
    raise_to = (
        f"raise the memory limit from {limit} to {more}" if limit and more else "raise the workload's memory limit"
    )
    times = f", {ended.container.restarts} restarts so far" if ended.container.restarts else ""
    return _finding(
        ended, "container_oom", "the container ran out of memory", 0.97,
        f"{ended.place} was killed by the kernel at its memory limit{f' of {limit}' if limit else ''} (OOMKilled{times}).",
        (state,),
        (f"{raise_to} (Run:ai: compute.cpuMemoryLimit), or reduce batch size and num_workers",
         f"kubectl describe pod {ended.pod.name} -n {ended.pod.namespace}"),
        specific=80,
    )  # fmt: skip


def _start_error(ended: Ended, state: str) -> Finding:
    message = ended.end.message or ""
    if "permission denied" in message:
        cause, title, advice = _EXITS[126]
    elif "exec format error" in message:
        cause, title = "wrong_architecture", "the image is for another processor architecture"
        advice = "rebuild the image for the nodes' architecture (docker build --platform)"
    else:
        cause, title, advice = _EXITS[127]
    return _finding(
        ended,
        cause,
        title,
        0.93,
        f"{ended.place} could not be started: {message[:300]}",
        (state,),
        (advice,),
        specific=70,
    )


def _evicted(case: Case, pod: str, message: str) -> Finding:
    evidence = case.cite(f"status of pod {pod}", f"Evicted: {message}")
    lowered = message.lower()
    if "ephemeral" in lowered and ("exceeds" in lowered or "limit" in lowered):
        cause, title = "ephemeral_storage_exceeded", "the pod used more ephemeral storage than it may"
        advice = "write checkpoints and caches to a volume, or raise the ephemeral-storage limit"
    elif "memory" in lowered:
        cause, title = "node_memory_eviction", "the node ran low on memory and evicted the pod"
        advice = "set the memory request to what the workload uses, so that it is placed where there is room"
    elif "disk" in lowered or "ephemeral" in lowered:
        cause, title = "node_disk_pressure", "the node ran low on disk and evicted the pod"
        advice = "free space on the node, or move large files to a volume"
    else:
        cause, title = "killed_by_signal", "the pod was evicted"
        advice = "look at the node's conditions"
    return Finding(
        cause=cause, title=title, confidence=0.93, explanation=f"pod {pod} was evicted: {message[:300]}",
        evidence_ids=(evidence,), next_steps=(advice, f"kubectl describe pod {pod} -n {case.workload.namespace}"), specific=75,
    )  # fmt: skip


def _finding(
    ended: Ended,
    cause: str,
    title: str,
    confidence: float,
    explanation: str,
    evidence: tuple[str, ...],
    steps: tuple[str, ...],
    *,
    specific: int = 50,
) -> Finding:
    return Finding(
        cause=cause,
        title=title,
        confidence=confidence,
        explanation=explanation,
        evidence_ids=evidence,
        next_steps=steps,
        specific=specific,
        at=ended.end.finished_at,
    )


def _logs_command(ended: Ended) -> str:
    previous = " --previous" if ended.container.ended is None else ""
    return f"kubectl logs {ended.pod.name} -n {ended.pod.namespace} -c {ended.container.name}{previous}"


def _one_half_more(quantity: str | None) -> str | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti)", quantity or "")
    return None if match is None else f"{float(match[1]) * 1.5:g}{match[2]}"


def _short(words: str, match: re.Match[str]) -> str:
    """The line of the match, cut."""
    start = words.rfind("\n", 0, match.start()) + 1
    return words[start:].partition("\n")[0][:300]
