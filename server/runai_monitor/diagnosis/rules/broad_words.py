"""Words that a cause may be told with, too broad to name it by: they only offer another reading of what is not sure.

Where a first cause is not sure, a reader who knows what else the end of a log may mean looks in the right place. The words
are those of `lexicon.py` without what makes them mean one thing only; of one text the first entries that match count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runai_monitor.diagnosis.rules.log_signs import SIGNS
from runai_monitor.diagnosis.wording import filled

_LONGEST_TEXT = 600
_GPU = r"cuda|\bgpus?\b|\bvram\b|\bhbm\b|cublas|cudnn|kv.?cache|\bnvidia"
_ABSENT = r"missing|not (?:found|installed|available)|undefined|cannot|could ?not|unable|required|fail\w*"
_FAILS = r"fail\w*|error\w*|refus\w*|unreachable|unavailable|reset|closed|lost|abort\w*|down\b"

# What a process says, in its log or as its termination message.
_OF_PROCESS = (
    ("cuda_oom", rf"(?:{_GPU}|device)[^\n]{{0,120}}(?:memory|alloc|\boom\b)|(?:memory|alloc|\boom\b)[^\n]{{0,120}}(?:{_GPU})|RESOURCE_EXHAUSTED"),
    ("gpu_hardware_fault", r"\bxid\b|\becc\b|nvlink|nvswitch|uncorrectable|cuda error: unknown|\bgpu\b[^\n]{0,40}(?:lost|reset|unhealthy|fallen|hang)"),
    ("cuda_driver_mismatch", r"driver[^\n]{0,60}(?:version|old|updat|upgrad|incompat|mismatch|support)|no kernel image|\bdriver\b|\bsm_\d\d|compute capability|\bptx"),
    ("no_gpu_visible", rf"(?:\bno\b|without|\bnot?\b|find|detect|visible|unable)[^\n]{{0,40}}(?:{_GPU}|accelerator)|(?:{_GPU})[^\n]{{0,60}}(?:not (?:found|available|detected|visible)|unavailable|initiali)"),
    ("cuda_illegal_access", r"\bcuda\w*[ _](?:error|failure|kernel|exception)|(?:CUBLAS|CUDNN|CUSOLVER|CUFFT)_STATUS_\w+|device-side|illegal (?:memory|address|access)"),
    ("nccl_timeout", r"(?:nccl|collective|all_?reduce|all_?gather|barrier|rendezvous|watchdog|heartbeat|\branks?\b)[^\n]{0,80}(?:time|hang|hung|stuck|wait)"),
    ("nccl_network_error", rf"(?:nccl|gloo|\bucx\b|\bib\b|infiniband|rdma|\bpeer\b)[^\n]{{0,80}}(?:network|socket|connect|remote|{_FAILS})"),
    ("shm_exhausted", r"\bdev/shm|shared.?memory|\bshm\b|bus error|SIGBUS"),
    ("application_memory_limit", r"\bheap\b|memory (?:limit|budget|threshold)|\bXmx|OutOfMemoryError"),
    ("container_oom", r"\boom\b|out of memory|cannot allocate memory|MemoryError|bad_?alloc|\bkilled\b|low on memory|\bENOMEM\b|exit ?code:? -9"),
    ("disk_full", r"(?:disk|space|quota|inodes?|storage|volume)[^\n]{0,40}(?:full|left|exceed|exhaust|insufficient|not enough)|(?:fail\w*|error|could not|cannot)[^\n]{0,40}\bwrit(?:e|ing|ten)\b"),
    ("read_only_filesystem", r"\bread.?only\b"),
    ("storage_unresponsive", r"\bstale\b|input/output|i/o error|\b(?:nfs|lustre|gpfs|ceph|fuse|mount)\b[^\n]{0,60}(?:fail|error|time|hang|respond)"),
    ("missing_module", rf"(?:module|library|package|dependency|plugin|import|\.so\b|symbol|extension)[^\n]{{0,60}}(?:{_ABSENT})|cannot import|\bno (?:such )?(?:module|package|library|extension)|\binstall(?:ed)?\b"),
    ("tls_error", r"\bssl|\btls\b|certificate|x509|handshake"),
    ("rate_limited", r"\b429\b|rate.?limit|throttl|too many requests|quota exceeded|slow ?down"),
    ("credential_rejected", r"\b40[137]\b|unauthori[sz]ed|forbidden|credential|access ?denied|\bauth\w*[^\n]{0,30}(?:fail|error|requir|invalid|expired)|(?:token|api.?key|login|password|licen[sc]e)\b[^\n]{0,40}(?:invalid|expired|missing|required|reject|denied|not )|(?:invalid|expired|missing|no) (?:\w+ )?(?:token|api.?key|password|licen[sc]e)"),
    ("dns_failure", r"\bresolv\w+[^\n]{0,40}(?:host|name|address)|(?:cannot|could not|unable to|fail\w* to) resolve|getaddrinfo|\bdns|\bhost ?name\b|(?:no such|unknown) host|\bhost\b[^\n]{0,20}not found|name or service"),
    ("connection_timeout", r"timed? ?out|deadline|no response|not respond"),
    ("connection_refused", rf"(?:connect\w*|socket|endpoint|server|service|broker)\b[^\n]{{0,60}}(?:{_FAILS})|(?:fail\w*|unable|cannot|could not) (?:to )?(?:connect|reach|contact)|broken pipe|\b50[23]\b"),
    ("permission_denied", r"\bdenied\b|not permitted|permission|not writable"),
    ("preempted", r"preempt|\bevict|reclaim|spot (?:instance|interruption)"),
    ("training_diverged", r"\bnans?\b|\binf\b|diverg|loss scale|non.?finite"),
    ("segfault", r"segfault|segmentation|SIGSEGV|signal:? 11|core dumped|(?:exit|return)\w*[ _-]?(?:code|status)?[ :=]{1,3}(?:-11|139)\b"),
    ("aborted", r"\babort(?:ed|ing)?\b|assert\w* fail|terminate called"),
    ("killed_by_signal", r"\bSIG(?:TERM|KILL|INT|HUP|QUIT)\b|\bsignal\b|terminated by|interrupted"),
    ("missing_file", r"no such|not found|(?:does not|doesn't) exist|\bmissing\b|(?:cannot|can't|could not|couldn't|unable to|failed to) (?:be )?(?:found|find|open|load|locate|read)"),
    ("invalid_arguments", r"(?:argument|option|flag|parameter|config\w*|setting|ya?ml|toml|environment|usage|--\w[\w-]+)[^\n]{0,80}(?:invalid|unknown|missing|requir|expect|must|not |unrecogni|error|fail)|\b(?:invalid|unknown|unsupported|unrecogni[sz]ed|must (?:be|set|specify)|expected)\b"),
)  # fmt: skip
# Single words, for texts that none of the above fit.
_PLAIN = (
    ("cuda_oom", r"\bmemory\b|\balloc\w*|cache blocks"),
    ("credential_rejected", r"\bauth\w*|\btoken\b|\blogin\b|log(?:ged)? in\b|password|private|\bgated\b"),
    ("connection_refused", r"\bconnect\w*|\bhttps?\b|\bserver\b|\bendpoint\b|\bbroker"),
    ("storage_unresponsive", r"\btransport endpoint|\bfuse\b|\bnfs\b|lustre|\bceph"),
    ("missing_file", r"\bfiles?\b|\bpath\b|director(?:y|ies)|\bload\w*"),
    ("invalid_arguments", r"\bvariable\b|\bconfig\w*|\bargs?\b|\bfield required|\bregion\b|\bset\b"),
)  # fmt: skip
# What kubelet, schedulers and controllers say.
_OF_CLUSTER = (
    ("gpu_hardware_fault", r"\bxid\b|\becc\b|nvlink|\bgpu\b[^\n]{0,40}(?:lost|unhealthy|fallen)"),
    ("device_plugin_failed", r"device.?plugin|nvidia[^\n]{0,60}(?:fail|error)|\bcdi\b|unhealthy devices"),
    ("preempted", r"preempt|reclaim|higher.priority"),
    ("node_memory_eviction", r"memory ?pressure|low on resource: memory|out of memory"),
    ("node_disk_pressure", r"disk ?pressure|ephemeral-storage|no space left"),
    ("missing_secret", r"\bsecrets?\b[^\n]{0,80}(?:not found|missing|fail|forbidden)"),
    ("missing_configmap", r"\bconfigmaps?\b[^\n]{0,80}(?:not found|missing|fail|forbidden)"),
    ("image_auth_failed", r"(?:pull|registry|image)[^\n]{0,120}(?:unauthori|denied|forbidden|\b40[13]\b)"),
    ("registry_unreachable", r"(?:pull|registry|image)[^\n]{0,120}(?:dial|time|refused|reset|\b50\d\b|eof|tls|x509)"),
    ("image_not_found", r"(?:pull|registry|image)[^\n]{0,120}(?:not found|unknown|no such)"),
    ("volume_in_use", r"multi-attach|already (?:attached|used)|exclusively attached"),
    ("storage_unresponsive", r"(?:mount|volume|csi|nfs)[^\n]{0,120}(?:time|deadline|stale|not respond)"),
    ("volume_mount_failed", r"(?:mount|attach|volume|csi)[^\n]{0,120}(?:fail|error|unable|denied)|(?:fail|unable)[^\n]{0,60}(?:mount|attach)"),
    ("network_plugin_failed", r"sandbox|\bcni\b|network plugin|ip address"),
    ("namespace_quota_exceeded", r"exceeded quota|\bquota\b|limitrange"),
    ("security_context_denied", r"policy|admission|webhook|privileged|forbidden|seccomp|apparmor|selinux"),
    ("node_not_ready", r"node[^\n]{0,40}(?:not ready|notready|unready|taint)"),
    ("node_shutdown", r"shut(?:ting)? ?down|drain|scale ?down|terminat\w+ (?:node|instance)|reboot"),
    ("probe_failed", r"(?:liveness|startup|readiness)[^\n]{0,20}probe"),
    ("container_create_failed", r"containerd|oci runtime|runc|create container|start container"),
)  # fmt: skip

_OWN = (
    ("python_exception", "an uncaught exception of the program"),
    ("application_error", "the program's own error"),
    ("container_oom", "out of memory: the kernel kills with SIGKILL too"),
    ("preempted", "preempted: the scheduler ends pods with SIGTERM, and with SIGKILL after the grace period"),
    ("node_memory_eviction", "the node ran low on memory"),
    ("node_shutdown", "the node was shut down or drained"),
    ("node_not_ready", "the node was not ready"),
    ("node_disk_pressure", "the node was low on disk"),
    ("device_plugin_failed", "the node's device plugin or container toolkit"),
    ("missing_secret", "a Secret does not exist"),
    ("missing_configmap", "a ConfigMap does not exist"),
    ("image_auth_failed", "the registry refused the login"),
    ("registry_unreachable", "the registry cannot be reached"),
    ("image_not_found", "the image or its tag does not exist"),
    ("volume_in_use", "the volume is attached to another node"),
    ("volume_mount_failed", "a volume could not be mounted"),
    ("network_plugin_failed", "the pod got no network"),
    ("namespace_quota_exceeded", "a quota of the namespace"),
    ("security_context_denied", "a policy refused the pod"),
    ("probe_failed", "kubelet ended the container for a failed probe"),
    ("container_create_failed", "the runtime could not create the container"),
    ("bad_command", "the command does not exist in the image"),
)
TITLES: dict[str, str] = {sign.cause: sign.title for sign in reversed(SIGNS)} | dict(_OWN)
"""How a cause is told as another reading."""
ADVICE: dict[str, tuple[str, ...]] = {sign.cause: filled(sign.advice[:1], "") for sign in reversed(SIGNS)}
ADVICE |= {
    "container_oom": ("compare the memory it used with its limit (Run:ai: the workload's metrics; kubectl top pod)",),
    "preempted": ("look in the project's events for a preemption, reclaim or eviction at that time",),
    "node_shutdown": ("look whether its node was drained, rebooted or taken back at that time: kubectl get nodes",),
}
"""What to do first about one."""
_PROCESS = tuple((cause, re.compile(f"(?i:{words})")) for cause, words in (*_OF_PROCESS, *_PLAIN))
_CLUSTER = tuple((cause, re.compile(f"(?i:{words})")) for cause, words in _OF_CLUSTER)


_ITS_OWN = frozenset({"invalid_arguments", "aborted", "segfault", "killed_by_signal"})
"""What a program's own error is as a rule told with."""


def of_process(text: str) -> Iterator[str]:
    """The causes that a text of a process may speak of, the most telling first."""
    return (cause for cause, words in _PROCESS if words.search(text[:_LONGEST_TEXT]))


def of_cluster(text: str) -> Iterator[str]:
    """The causes that a message of the cluster may speak of, the most telling first."""
    return (cause for cause, words in _CLUSTER if words.search(text[:_LONGEST_TEXT]))


def smells(text: str) -> bool:
    """Whether a program's own error may be another cause that it tells in words which no entry knows."""
    text = text[:_LONGEST_TEXT]
    return any(cause not in _ITS_OWN and words.search(text) for cause, words in _PROCESS[: len(_OF_PROCESS)])
