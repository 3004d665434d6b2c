"""Processes that ended: the container's state, its exit code, and what the process said last.

Exit codes: Kubernetes' container states (128 + signal), POSIX shells (126, 127) and the container runtime.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from runai_monitor.diagnosis.case import Case, Ended, ended_badly
from runai_monitor.diagnosis.raised import STOPPED
from runai_monitor.diagnosis.rules import citations, last_words, readings
from runai_monitor.diagnosis.rules.advice import memory_advice
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.log_signs import SMELLS
from runai_monitor.diagnosis.rules.starting import start_finding
from runai_monitor.diagnosis.wording import describe_pod, read_log, times, token

KILLED, TERMINATED, INTERRUPTED = 137, 143, 130
_STOPPED_BY_SIGNAL = frozenset({KILLED, TERMINATED, INTERRUPTED, 129})
_NOT_STARTED = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
_OOM_NEAR = timedelta(seconds=90)
"""The kernel's message and the container's end are stamped by different clocks, and the watcher of the kernel's log lags."""
_OOM_VICTIM = re.compile(r"Killed process \d+[, ]*\(?(?P<name>[^),\s]+)\)?|victim process: (?P<victim>[^,\s]+)")
_CHILD_DIED = re.compile(r"(?:died|exited|exits|terminated|crashed) unexpectedly|unexpectedly (?:died|exit\w*)|process (?:has )?died|exit ?code:? -9", re.IGNORECASE)  # fmt: skip
_KILLED, _LAST_WORDS = re.compile(r"\bkilled\b|SIGKILL|\b137\b|\bsignal 9\b", re.IGNORECASE), 40
"""How a shell, or what runs a pipeline's steps, tells that one of them was killed: beside its name."""
_RENAMED = frozenset({"pt_main_thread", "pt_data_worker", "pt_data_pin"})
"""The names PyTorch gives its processes."""
_PYTHON = re.compile(r"python|torchrun|accelerate|deepspeed")
_POD_OF_CGROUP = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")

# Exit code: cause, title, advice, source. What the process said last comes first, where it says something.
EXITS: dict[int, tuple[str, str, str, str]] = {
    139: ("segfault", "a segmentation fault", "set PYTHONFAULTHANDLER=1 to see where (Run:ai: environmentVariables); suspect native extensions that were built for other versions", citations.SIGNALS),
    134: ("aborted", "the process aborted itself", "read the lines before the abort for the failed assertion", citations.SIGNALS),
    132: ("illegal_instruction", "an illegal instruction", "the image was built for another processor: rebuild it for the nodes' one (no -march=native)", citations.SIGNALS),
    135: ("shm_exhausted", "a bus error: as a rule shared memory (/dev/shm) is too small", "enable large shared memory for the workload (Run:ai: compute.largeShmRequest: true), or use fewer DataLoader workers", citations.SHM),
    127: ("bad_command", "the command does not exist in the image", "correct the workload's command, or install it in the image (Run:ai: command, image)", citations.SHELL_STATUS),
    126: ("not_executable", "the command may not be executed", "chmod +x the entrypoint in the image, or call it through its interpreter (Run:ai: command)", citations.SHELL_STATUS),
}  # fmt: skip
_SURE = {135: 0.72, 126: 0.76, 127: 0.76}
"""A program may end with these codes for reasons of its own: surer where the last words agree."""
_AGREED = 0.86
_ABORTED, _DOUBTED, _LAST_LINES = 134, 0.74, 10
"""Whoever aborts has a reason: where its last lines smell of one, the abort alone is no sure answer."""
_AGREES = {126: re.compile(r"cannot execute|permission denied", re.IGNORECASE), 127: re.compile(r"not found|no such file", re.IGNORECASE)}  # fmt: skip
_NOT_FOUND, _LIBRARY = 127, re.compile(r"\.so\b|shared librar|symbol|relocat", re.IGNORECASE)
"""A dynamic loader ends with the code of a shell that finds no command: what it does not find is a library."""
# The words of a shell that cannot start a command; the code says that it is the command.
_SAID_BY_SHELL = frozenset({(126, "permission_denied"), (126, "missing_file"), (127, "missing_file")})
_MOST_UNSURE = 4
"""Runs whose other readings are looked for: those of 64 ranks are much the same."""
_OF_A_KILL = frozenset({"killed_by_signal", "python_exception", "application_error"})
"""What processes say when one of theirs was killed: that it is gone, in many words."""


def find(case: Case) -> Iterator[Finding]:
    """Findings about every container that ended badly."""
    runs = ended_badly(case)
    told = {ended.end.exit_code for ended in runs if ended.log}
    unsure = 0
    for ended in runs:
        # Of 64 ranks not every log is read: those that ended alike are explained by those that were.
        if ended.log or ended.end.reason == "OOMKilled" or ended.end.exit_code not in told:
            first = _of_run(case, ended)
            yield first
            unsure += first.confidence < readings.SURE
            if unsure <= _MOST_UNSURE:
                yield from readings.of_run(case, ended, first)


def _of_run(case: Case, ended: Ended) -> Finding:
    end = ended.end
    if end.reason == "OOMKilled":
        return _container_oom(ended, 0.97, case.cite_end(ended))
    if end.reason in _NOT_STARTED:
        return start_finding(case, ended)
    if end.exit_code == KILLED and (memory := _from_node(case, ended, by_name=True)) is not None:
        return memory
    stopped = end.exit_code in _STOPPED_BY_SIGNAL
    said = last_words.find(case, ended, ended.log, by_signal=stopped) if ended.log else None
    if said is None or said.cause in _OF_A_KILL or said.role is not Role.OWN:
        # A launcher ends with a code of its own when the kernel kills its child.
        told = said is not None and said.cause == "killed_by_signal"
        died = ended.log is not None and _CHILD_DIED.search(ended.log.tail(20)) is not None
        memory = _from_node(case, ended, by_name=told or died)
        if memory is not None:
            return memory
    if said is not None and (end.exit_code, said.cause) not in _SAID_BY_SHELL:
        return said
    reported = end.exit_code == _ABORTED and ended.log is not None and last_words.ended_by_itself(ended.log)
    if end.exit_code in EXITS and not reported:
        return _from_exit_code(case, ended, end.exit_code)
    if stopped or (ended.log is not None and any(item.name in STOPPED for item in ended.log.fatal_raised)):
        return _killed(case, ended)
    return last_words.unexplained(case, ended, ended.log)


def _from_exit_code(case: Case, ended: Ended, code: int) -> Finding:
    cause, title, advice, _ = EXITS[code]
    cited = [case.cite_end(ended)]
    sure = _SURE.get(code, _AGREED)
    if ended.log is not None:
        cited.append(case.cite_log(ended, ended.log.tail()))
        words = _AGREES.get(code)
        agrees = words is not None and words.search(ended.log.tail(6)) is not None
        sure = _AGREED if agrees else sure
        if agrees and code == _NOT_FOUND and _LIBRARY.search(ended.log.tail(6)):
            sure = _DOUBTED
        if code == _ABORTED and any(SMELLS.search(line.text) for line in ended.log.fatal_lines[-_LAST_LINES:]):
            sure = _DOUBTED
    return Finding(
        cause=cause,
        title=title,
        confidence=sure,
        explanation=f"{ended.place} ended with exit code {code}: {title}.",
        evidence_ids=tuple(cited),
        next_steps=(advice, read_log(ended.pod, ended.container, previous=ended.previous)),
        at=ended.end.finished_at,
        place=ended.pod.name,
        earlier=ended.earlier,
    )


def _container_oom(ended: Ended, confidence: float, *cited: str) -> Finding:
    limit, restarts = ended.container.memory_limit, ended.container.restarts
    facts = [f"at its memory limit of {limit}" if limit else "at its memory limit"]
    facts += [f"after {times(restarts, 'restart')}"] if restarts else []
    return Finding(
        cause="container_oom",
        title=f"out of memory at the container's limit of {limit}" if limit else "out of memory at the container's limit",
        confidence=confidence,
        explanation=f"{ended.place} was killed by the kernel {', '.join(facts)}.",
        evidence_ids=cited,
        next_steps=(
            memory_advice(limit, restarts),
            describe_pod(ended.pod),
            read_log(ended.pod, ended.container, previous=ended.previous),
        ),
        at=ended.end.finished_at,
        place=ended.pod.name,
        earlier=ended.earlier,
    )  # fmt: skip


def _from_node(case: Case, ended: Ended, *, by_name: bool) -> Finding | None:
    """What the node's kernel said when a process was killed: tied to the container by node, time and process.

    Without `by_name` only the pod's own memory group ties it: where nothing else tells of a kill, a name is a coincidence.
    """
    for event in case.node_events:
        if event.object_name != ended.pod.node or event.at is None or ended.end.finished_at is None:
            continue
        if abs(event.at - ended.end.finished_at) > _OOM_NEAR or not _is_victim(
            case, ended, event.message, by_name=by_name
        ):
            continue
        cited = (
            case.cite_end(ended),
            case.cite(f"Kubernetes event on Node {token(event.object_name)}", f"{event.reason}: {event.message}", at=event.at),
        )  # fmt: skip
        if event.reason == "OOMKilling" or "emory cgroup out of memory" in event.message:
            return _container_oom(ended, 0.88, *cited)
        if event.reason == "SystemOOM":
            return Finding(
                cause="node_memory_eviction",
                title=f"node {token(ended.pod.node)} ran out of memory",
                confidence=0.75,
                explanation=f"{ended.place} was killed while node {token(ended.pod.node)} as a whole was out of memory.",
                evidence_ids=cited,
                next_steps=(
                    "set the memory request to what the workload uses (Run:ai: compute.cpuMemoryRequest), so that it is placed where there is room",
                    f"kubectl describe node {token(ended.pod.node)}",
                ),
                strength=Strength.NODE,
                at=ended.end.finished_at,
                place=ended.pod.name,
            )  # fmt: skip
    return None


def _is_victim(case: Case, ended: Ended, message: str, *, by_name: bool) -> bool:
    """Whether the kernel's words name this pod's group, or else a process that its command may have started."""
    if group := _POD_OF_CGROUP.search(message):
        return group[1].replace("_", "-") == ended.pod.uid
    victim = _OOM_VICTIM.search(message)
    if victim is None or not by_name:
        return False
    name = (victim["name"] or victim["victim"] or "").lower()
    detail = case.detail
    command = f"{detail.command or ''} {detail.arguments or ''}".lower() if detail is not None else ""
    plain = re.sub(r"[\d.]+$", "", name)
    if name in _RENAMED:
        return _PYTHON.search(command) is not None or not command.strip()
    _, colons, actor = name.partition("::")
    if colons and ended.log is not None:  # Ray and vLLM name processes after their actors
        return actor in ended.log.tail(40).lower()
    told = ended.log is not None and any(
        _KILLED.search(line.text) and re.search(rf"(?<![\w-]){re.escape(plain)}(?![\w-])", line.text.lower())
        for line in ended.log.lines[-_LAST_WORDS:]
    )
    in_command = plain in command or plain in ended.container.name.lower()
    return told or in_command or (not command.strip() and plain == "python")


def _killed(case: Case, ended: Ended) -> Finding:
    code = ended.end.exit_code
    signal = code - 128 if code is not None and code in _STOPPED_BY_SIGNAL else 15
    cited = [case.cite_end(ended)]
    if ended.log is not None:
        cited.append(case.cite_log(ended, ended.log.tail(6)))
    name = {9: "SIGKILL", 15: "SIGTERM", 2: "SIGINT", 1: "SIGHUP"}.get(signal, f"signal {signal}")
    return Finding(
        cause="killed_by_signal",
        title=f"the process was ended from outside by {name}",
        confidence=0.6,
        explanation=f"{ended.place} got {name} (exit code {code}), and nothing that was read says from whom; it is not marked OOMKilled.",
        evidence_ids=tuple(cited),
        next_steps=(
            f"look at what happened on node {token(ended.pod.node)} at that time: kubectl get events -A --field-selector involvedObject.name={token(ended.pod.node)}"
            if ended.pod.node
            else "look at the events of the node it ran on",
            "ask who stopped, preempted or drained it; the audit log of Run:ai names people",
            describe_pod(ended.pod),
        ),
        role=Role.FOLLOWS,
        at=ended.end.finished_at,
        place=ended.pod.name,
        earlier=ended.earlier,
    )  # fmt: skip
