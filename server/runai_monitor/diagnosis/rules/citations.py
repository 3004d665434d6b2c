"""Where what the rules know is written: a page or a document for each entry of their tables, and for each cause.

An entry of a table names its own source; what programs say in their logs, and the advice, rest on the sources of the cause.
"""

from __future__ import annotations

from runai_monitor.diagnosis.xid import CATALOGUE_PAGE

_K8S = "https://kubernetes.io/docs"
POD_STATES = f"{_K8S}/concepts/workloads/pods/pod-lifecycle/#container-states"
IMAGES = f"{_K8S}/concepts/containers/images/"
PULL_BACKOFF = f"{_K8S}/concepts/containers/images/#imagepullbackoff"
PULL_POLICY = f"{_K8S}/concepts/containers/images/#image-pull-policy"
PULL_SECRETS = f"{_K8S}/concepts/containers/images/#specifying-imagepullsecrets-on-a-pod"
SECRETS = f"{_K8S}/concepts/configuration/secret/"
CONFIGMAPS = f"{_K8S}/tasks/configure-pod-container/configure-pod-configmap/"
POD_SECURITY = f"{_K8S}/concepts/security/pod-security-standards/"
MEMORY = f"{_K8S}/tasks/configure-pod-container/assign-memory-resource/"
RESOURCES = f"{_K8S}/concepts/configuration/manage-resources-containers/"
EPHEMERAL = f"{_K8S}/concepts/configuration/manage-resources-containers/#local-ephemeral-storage"
EVICTION = f"{_K8S}/concepts/scheduling-eviction/node-pressure-eviction/"
WEBHOOKS = f"{_K8S}/reference/access-authn-authz/extensible-admission-controllers/#timeouts"
PROBES = f"{_K8S}/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/"
JOBS = f"{_K8S}/concepts/workloads/controllers/job/#pod-backoff-failure-policy"
JOB_DEADLINE = f"{_K8S}/concepts/workloads/controllers/job/#job-termination-and-cleanup"
VOLUMES = f"{_K8S}/concepts/storage/persistent-volumes/"
ACCESS_MODES = f"{_K8S}/concepts/storage/persistent-volumes/#access-modes"
VOLUME_BINDING = f"{_K8S}/concepts/storage/storage-classes/#volume-binding-mode"
SUBPATH = f"{_K8S}/concepts/storage/volumes/#using-subpath"
NODE_STATUS = f"{_K8S}/reference/node/node-status/#condition"
TAINTS = f"{_K8S}/concepts/scheduling-eviction/taint-and-toleration/"
TAINT_EVICTION = f"{_K8S}/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions"
POD_GC = f"{_K8S}/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection"
NODE_SHUTDOWN = f"{_K8S}/concepts/cluster-administration/node-shutdown/"
DEVICE_PLUGINS = f"{_K8S}/concepts/extend-kubernetes/compute-storage-net/device-plugins/"
NETWORK_PLUGINS = f"{_K8S}/concepts/extend-kubernetes/compute-storage-net/network-plugins/"
ASSIGNING = f"{_K8S}/concepts/scheduling-eviction/assign-pod-node/"
QUOTAS = f"{_K8S}/concepts/policy/resource-quotas/"
LIMIT_RANGES = f"{_K8S}/concepts/policy/limit-range/"
DNS = f"{_K8S}/tasks/administer-cluster/dns-debugging-resolution/"
SERVICES = f"{_K8S}/tasks/debug/debug-application/debug-service/"
DISRUPTIONS = f"{_K8S}/concepts/workloads/pods/disruptions/#pod-disruption-conditions"

REGISTRY_ERRORS = "https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes"
REGISTRY_LIMITS = "https://docs.docker.com/docker-hub/usage/pulls/"
IMAGE_NAMES = "https://github.com/distribution/reference: reference.go, grammar of image names"
IMAGE_INDEX = "https://github.com/opencontainers/image-spec/blob/main/image-index.md"
RUNTIME_SPEC = "https://github.com/opencontainers/runtime-spec/blob/main/runtime.md"
RUNC = "https://github.com/opencontainers/runc: libcontainer, messages of container init"
CSI = "https://github.com/container-storage-interface/spec/blob/master/spec.md: error scheme"
ATTACH_DETACH = "https://github.com/kubernetes/kubernetes: pkg/controller/volume/attachdetach, Multi-Attach error"
NFS = "https://man7.org/linux/man-pages/man5/nfs.5.html"
CONTAINER_TOOLKIT = "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/"

RUNAI_COMPUTE = "NVIDIA Run:ai documentation, API reference: trainings, spec.compute"
RUNAI_ENVIRONMENT = "NVIDIA Run:ai documentation, API reference: trainings, spec.environmentVariables and spec.command"
RUNAI_SCHEDULER = "NVIDIA Run:ai documentation, Scheduler: concepts and principles"
RUNAI_RULES = "NVIDIA Run:ai documentation, Scheduling rules"
RUNAI_CREDENTIALS = "NVIDIA Run:ai documentation, Credentials"
RUNAI_NODE_POOLS = "NVIDIA Run:ai documentation, Node pools"
KAI = "https://github.com/NVIDIA/KAI-Scheduler: pkg/scheduler/api/unschedule_info.go"

XID = CATALOGUE_PAGE
SXID = "NVIDIA Fabric Manager User Guide, SXid errors"
CUDA_ERRORS = "https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html"
CUDA_COMPATIBILITY = "https://docs.nvidia.com/deploy/cuda-compatibility/"
NCCL = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html"
TORCH_MEMORY = "https://docs.pytorch.org/docs/stable/notes/cuda.html"
TORCH_DISTRIBUTED = "https://docs.pytorch.org/docs/stable/distributed.html"
TORCH_AMP = "https://docs.pytorch.org/docs/stable/amp.html"
TORCH_SHARING = "https://docs.pytorch.org/docs/stable/multiprocessing.html"

SHELL_STATUS = (
    "https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html: 2.8.2 exit status for commands"
)
SIGNALS = "https://man7.org/linux/man-pages/man7/signal.7.html"
ERRNO = "https://man7.org/linux/man-pages/man3/errno.3.html"
EXECVE = "https://man7.org/linux/man-pages/man2/execve.2.html"
SHM = "https://man7.org/linux/man-pages/man7/shm_overview.7.html"
CGROUP = "https://docs.kernel.org/admin-guide/cgroup-v2.html: memory interface files"
RESOLVER = "https://man7.org/linux/man-pages/man3/getaddrinfo.3.html"
PYTHON_EXCEPTIONS = "https://docs.python.org/3/library/exceptions.html"
PYTHON_ARGPARSE = "https://docs.python.org/3/library/argparse.html#exiting-methods"
PYTHON_FAULTHANDLER = "https://docs.python.org/3/library/faulthandler.html"
GO_PANIC = "https://go.dev/ref/spec#Handling_panics"
JVM_MEMORY = "https://docs.oracle.com/en/java/javase/21/troubleshoot/troubleshooting-memory-leaks.html"
RAY_MEMORY = "https://docs.ray.io/en/latest/ray-core/scheduling/ray-oom-prevention.html"
HTTP = "https://www.rfc-editor.org/rfc/rfc9110: 15.5.2 (401), 15.5.4 (403)"
HTTP_LIMITS = "https://www.rfc-editor.org/rfc/rfc6585: 4 (429 Too Many Requests)"
TLS = "https://docs.openssl.org/master/man1/openssl-verification-options/"

OF_CAUSE: dict[str, tuple[str, ...]] = {
    "aborted": (SIGNALS, PYTHON_FAULTHANDLER),
    "affinity_conflict": (ASSIGNING,),
    "application_error": (GO_PANIC, SHELL_STATUS),
    "application_memory_limit": (JVM_MEMORY, RAY_MEMORY),
    "backoff_limit_exceeded": (JOBS,),
    "bad_command": (SHELL_STATUS, EXECVE),
    "connection_refused": (ERRNO, SERVICES),
    "connection_timeout": (ERRNO, SERVICES),
    "container_create_failed": (POD_STATES, RUNTIME_SPEC),
    "container_oom": (MEMORY, CGROUP, RUNAI_COMPUTE),
    "credential_rejected": (HTTP, RUNAI_CREDENTIALS),
    "cuda_driver_mismatch": (CUDA_COMPATIBILITY, CUDA_ERRORS),
    "cuda_illegal_access": (CUDA_ERRORS, XID),
    "cuda_oom": (TORCH_MEMORY, CUDA_ERRORS),
    "deadline_exceeded": (JOB_DEADLINE,),
    "device_plugin_failed": (DEVICE_PLUGINS,),
    "disk_full": (ERRNO,),
    "dns_failure": (RESOLVER, DNS),
    "ephemeral_storage_exceeded": (EPHEMERAL,),
    "gang_unschedulable": (RUNAI_SCHEDULER, KAI),
    "gpu_fragmentation": (RUNAI_SCHEDULER, RUNAI_NODE_POOLS),
    "gpu_hardware_fault": (XID, SXID),
    "illegal_instruction": (SIGNALS,),
    "image_auth_failed": (PULL_SECRETS, REGISTRY_ERRORS, RUNAI_CREDENTIALS),
    "image_never_pull": (PULL_POLICY,),
    "image_not_found": (PULL_BACKOFF, REGISTRY_ERRORS),
    "insufficient_cpu": (RESOURCES, RUNAI_COMPUTE),
    "insufficient_gpu": (RESOURCES, RUNAI_COMPUTE),
    "insufficient_memory": (RESOURCES, RUNAI_COMPUTE),
    "invalid_arguments": (PYTHON_ARGPARSE, RUNAI_ENVIRONMENT),
    "invalid_image_name": (IMAGES, IMAGE_NAMES),
    "killed_by_signal": (SIGNALS, POD_STATES),
    "missing_config_key": (CONFIGMAPS, SECRETS),
    "missing_configmap": (CONFIGMAPS,),
    "missing_file": (ERRNO,),
    "missing_module": (PYTHON_EXCEPTIONS, "https://man7.org/linux/man-pages/man8/ld.so.8.html"),
    "missing_secret": (SECRETS,),
    "namespace_quota_exceeded": (QUOTAS, LIMIT_RANGES),
    "nccl_network_error": (NCCL,),
    "nccl_timeout": (TORCH_DISTRIBUTED, NCCL),
    "network_plugin_failed": (NETWORK_PLUGINS,),
    "no_gpu_visible": (CUDA_ERRORS, CONTAINER_TOOLKIT),
    "node_disk_pressure": (EVICTION, NODE_STATUS),
    "node_lost": (NODE_STATUS, TAINT_EVICTION, POD_GC),
    "node_memory_eviction": (EVICTION,),
    "node_not_ready": (NODE_STATUS, TAINT_EVICTION),
    "node_selector_mismatch": (ASSIGNING,),
    "node_shutdown": (NODE_SHUTDOWN,),
    "not_executable": (SHELL_STATUS, EXECVE),
    "permission_denied": (ERRNO,),
    "preempted": (RUNAI_SCHEDULER, KAI, DISRUPTIONS),
    "probe_failed": (PROBES,),
    "project_over_quota": (RUNAI_SCHEDULER, KAI),
    "pvc_not_found": (VOLUMES,),
    "pvc_unbound": (VOLUMES, VOLUME_BINDING),
    "python_exception": (PYTHON_EXCEPTIONS,),
    "rate_limited": (HTTP_LIMITS,),
    "read_only_filesystem": (ERRNO, ACCESS_MODES),
    "registry_rate_limited": (REGISTRY_LIMITS, REGISTRY_ERRORS),
    "registry_unreachable": (PULL_BACKOFF,),
    "security_context_denied": (POD_SECURITY,),
    "segfault": (SIGNALS, PYTHON_FAULTHANDLER),
    "shm_exhausted": (SHM, TORCH_SHARING, RUNAI_COMPUTE),
    "storage_unresponsive": (NFS, CSI),
    "time_limit_reached": (RUNAI_RULES,),
    "tls_error": (TLS,),
    "training_diverged": (TORCH_AMP,),
    "untolerated_taint": (TAINTS,),
    "volume_in_use": (ATTACH_DETACH, ACCESS_MODES),
    "volume_mount_failed": (VOLUMES, CSI),
    "volume_zone_conflict": (VOLUME_BINDING,),
    "wrong_architecture": (IMAGE_INDEX, EXECVE),
}
"""The sources of every cause of the catalogue, for what logs say of it and for the advice about it."""
