"""The labelled cases: wire data, and the cause that an expert would name first."""

from __future__ import annotations

from dataclasses import dataclass

from tests.diagnosis.scene import (
    NAME,
    NAMESPACE,
    NODE,
    Json,
    Scene,
    condition,
    container,
    ended,
    event,
    exited,
    gone,
    pod,
    preparing,
    runai_event,
    running,
    stuck,
    traceback,
    unplaced,
    waiting,
)


@dataclass(frozen=True)
class Labelled:
    """A case: its name, its scene, and the cause or quiet verdict expected.

    `sure` is whether the confidence must reach 0.8 (None: either will do). `then` is a cause that must be listed later.
    `absent` is a cause that must not be listed. `says` must stand in the first cause's title, explanation or next steps.
    """

    name: str
    scene: Scene
    expected: str
    sure: bool | None = True
    then: str | None = None
    says: tuple[str, ...] = ()
    absent: str | None = None


def case(
    name: str,
    expected: str,
    scene: Scene,
    *,
    sure: bool | None = True,
    then: str | None = None,
    says: tuple[str, ...] = (),
    absent: str | None = None,
) -> Labelled:
    """A case of a whole scene."""
    return Labelled(name, scene, expected, sure, then, says, absent)


def dies(
    name: str, expected: str, raised: str, *, says: tuple[str, ...] = (), sure: bool | None = True, code: str = "main()"
) -> Labelled:
    """A process that ends with 1 on an uncaught exception."""
    return case(name, expected, exited(1, traceback(raised, code=code)), says=says, sure=sure)


def ends(
    name: str, expected: str, exit_code: int, log: str, *, sure: bool | None = True, says: tuple[str, ...] = ()
) -> Labelled:
    """A process that ends with a code after some last words."""
    return case(name, expected, exited(exit_code, log), sure=sure, says=says)


STEPS = "\n".join(f"step {n} | loss 2.{n}" for n in range(10, 20)) + "\n"
CHILD_FAILED = """E0301 elastic failed (exitcode: 1) local_rank: 3 (pid: 71) of binary: /usr/bin/python
Traceback (most recent call last):
  File "/usr/bin/torchrun", line 8, in <module>
    sys.exit(main())
  File "/usr/lib/python3.11/site-packages/torch/distributed/run.py", line 812, in main
    run(args)
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-03-01_02:54:58
  rank      : 3 (local_rank: 3)
  exitcode  : {code} (pid: 71)
  error_file: <N/A>
  traceback : {said}
============================================================
"""
NCCL_TIMEOUT = (
    "[rank{rank}]:[E ProcessGroupNCCL.cpp:632] [Rank {rank}] Watchdog caught collective operation timeout: "
    "WorkNCCL(SeqNum=88213, OpType=ALLREDUCE, Timeout(ms)=600000) ran for 600012 milliseconds before timing out.\n"
)


def ranks(*containers: Json, logs: dict[int, str], phase: str = "Failed") -> Scene:
    """One pod for each rank, with their logs by number."""
    pods = [pod(item, index=index) for index, item in enumerate(containers)]
    scene = Scene(phase=phase, pods=pods)
    scene.logs.update({(index, "main", False): text for index, text in logs.items()})
    return scene


PROCESS = [
    case("OOMKilled at a limit, restarted three times", "container_oom",
          Scene(phase="Running", pods=[pod(container(waiting("CrashLoopBackOff", "back-off 40s"), last=ended(137, "OOMKilled", at=2), restarts=3, memory="64Gi"), phase="Running")]),
          says=("64Gi", "96Gi", "3 restarts", "compute.cpuMemoryLimit")),
    case("a memory-cgroup event of the same node, time and process", "container_oom",
          exited(137, STEPS, detail={"command": "python", "arguments": "train.py"},
                 node_events=[event("OOMKilling", "Memory cgroup out of memory: Killed process 4242 (python) total-vm:9GB", at=5.2, about=NODE, kind="Node")])),
    case("OOMKilled child, parent ended with 0", "container_oom", exited(0, reason="OOMKilled", memory="8Gi")),
    case("memory limit too low to start", "container_oom", exited(128, reason="StartError", message="failed to create containerd task: OCI runtime create failed: container init was OOM-killed (memory limit too low?): unknown")),
    case("Run:ai's event alone says OOMKilled", "container_oom", gone(runai_event("OOMKilled", "Container main was OOMKilled"))),
    case("node low on memory", "node_memory_eviction", Scene(pods=[pod(container(ended(137)), reason="Evicted", message="The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. Container main was using 90Gi, request is 0.")]), absent="killed_by_signal"),
    case("own ephemeral storage limit", "ephemeral_storage_exceeded", Scene(pods=[pod(container(ended(137)), reason="Evicted", message="Pod ephemeral local storage usage exceeds the total limit of containers 50Gi. ")])),
    case("emptyDir over its size limit", "ephemeral_storage_exceeded", gone(runai_event("Evicted", 'Usage of EmptyDir volume "cache" exceeds the limit "10Gi". '))),
    case("node low on ephemeral storage", "node_disk_pressure", Scene(pods=[pod(container(ended(137)), reason="Evicted", message="The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 8Gi. ")])),
    dies("no space left on a volume", "disk_full", "OSError: [Errno 28] No space left on device: '/data/ckpt/step_100.pt'"),
    dies("no space, German locale", "disk_full", "OSError: [Errno 28] Auf dem Gerät ist kein Speicherplatz mehr verfügbar"),
    dies("shared memory: DataLoader", "shm_exhausted", "RuntimeError: DataLoader worker (pid 77) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory.", says=("largeShmRequest",)),
    ends("shared memory: the line beside an exception that says nothing", "shm_exhausted", 1,
          STEPS + "ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).\n" + traceback("RuntimeError: DataLoader worker (pid(s) 77) exited unexpectedly").split("loss 2.30\n")[1]),
    dies("no space left in /dev/shm is no full disk", "shm_exhausted", "RuntimeError: unable to write to file </torch_71_12_0>: No space left on device (28)"),
    ends("exit 135 without words", "shm_exhausted", 135, STEPS, sure=False),
    dies("module", "missing_module", "ModuleNotFoundError: No module named 'flash_attn'", says=("flash_attn",)),
    dies("shared library", "missing_module", "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory"),
    ends("loader of the system", "missing_module", 127, "/opt/bin/train: error while loading shared libraries: libnccl.so.2: cannot open shared object file: No such file or directory\n"),
    ends("python -m of a module that is not there", "missing_module", 1, "/usr/bin/python3: No module named axolotl\n"),
    dies("file", "missing_file", "FileNotFoundError: [Errno 2] No such file or directory: '/data/tokenizer.json'", says=("/data/tokenizer.json",)),
    ends("python cannot open its script", "missing_file", 2, "python: can't open file '/workspace/trian.py': [Errno 2] No such file or directory\n"),
    dies("model folder without its configuration", "missing_file", "OSError: /models/llama does not appear to have a file named config.json."),
    dies("file without permission", "permission_denied", "PermissionError: [Errno 13] Permission denied: '/data/out'", says=("security.runAsUid",)),
    ends("shell without permission", "permission_denied", 1, "mkdir: cannot create directory '/data/out': Permission denied\n"),
    ends("argparse", "invalid_arguments", 2, "usage: train.py [-h] --model MODEL\ntrain.py: error: the following arguments are required: --model\n"),
    dies("broken YAML", "invalid_arguments", "yaml.scanner.ScannerError: mapping values are not allowed here"),
    dies("environment variable that is not set", "invalid_arguments", "KeyError: 'MASTER_ADDR'", says=("MASTER_ADDR", "environmentVariables"), code='os.environ["MASTER_ADDR"]'),
    dies("uncaught exception with its place", "python_exception", "KeyError: 'motorcycle_rider'", says=("KeyError", "/workspace/train.py", "88", "motorcycle_rider")),
    dies("uncaught exception of a library's type", "python_exception", "transformers.utils.ModelError: the head has 12 labels, the data 13", sure=False, says=("transformers.utils.ModelError",)),
    ends("syntax error", "python_exception", 1, '  File "/workspace/train.py", line 3\n    print "x"\n    ^^^^^^^^^\nSyntaxError: Missing parentheses in call to \'print\'\n', says=("SyntaxError", "/workspace/train.py")),
    ends("command not found", "bad_command", 127, "/bin/sh: 1: torchrnu: not found\n"),
    case("executable not found", "bad_command", exited(128, reason="StartError", message='failed to create containerd task: exec: "pyhton": executable file not found in $PATH: unknown'), says=("pyhton",)),
    case("entrypoint does not exist", "bad_command", exited(127, reason="ContainerCannotRun", message='OCI runtime create failed: exec: "/app/run.sh": stat /app/run.sh: no such file or directory')),
    case("entrypoint not executable", "not_executable", exited(128, reason="StartError", message='exec: "/app/run.sh": permission denied: unknown'), says=("/app/run.sh",)),
    ends("exit 126", "not_executable", 126, "/bin/sh: 1: /app/run.sh: cannot execute\n"),
    ends("wrong architecture", "wrong_architecture", 1, "exec /usr/bin/python: exec format error\n"),
    case("no build for the platform", "wrong_architecture", stuck("ErrImagePull", 'failed to pull and unpack image "x:1": no match for platform in manifest: not found')),
    ends("segmentation fault", "segfault", 139, STEPS),
    ends("segmentation fault of a child", "segfault", 1, STEPS + CHILD_FAILED.format(code=-11, said="Signal 11 (SIGSEGV) received by PID 71")),
    ends("abort", "aborted", 134, STEPS + "train: ../src/x.cc:44: assertion `n > 0' failed.\n"),
    ends("illegal instruction", "illegal_instruction", 132, STEPS),
    ends("illegal instruction in a shell", "illegal_instruction", 1, "run.sh: line 4:    12 Illegal instruction     (core dumped) ./train\n"),
    ends("Java heap", "application_memory_limit", 3, 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n'),
    dies("Ray's memory monitor", "application_memory_limit", "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory."),
    ends("a panic of Go", "application_error", 2, "serving on :8080\npanic: runtime error: index out of range [3] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n"),
    ends("a program's own error in its own words", "application_error", 1, "loading shards\nError: checkpoint version 7 is newer than this program\n", sure=False),
    ends("killed without a reason", "killed_by_signal", 137, STEPS, sure=False),
    ends("terminated without a reason", "killed_by_signal", 143, STEPS, sure=False),
    ends("NaN", "training_diverged", 1, STEPS + "ERROR: loss is nan at step 20, stopping training\n"),
    dies("loss scale", "training_diverged", "FloatingPointError: Minimum loss scale reached (0.0001). Your loss is probably exploding."),
    case("liveness probe", "probe_failed", exited(137, STEPS, phase="Running", events=[event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", at=5.1), event("Killing", "Container main failed liveness probe, will be restarted", at=5.1)]), absent="killed_by_signal"),
    case("job's deadline", "deadline_exceeded", exited(143, STEPS, message=None, events=[], runai_events=[runai_event("DeadlineExceeded", "Job was active longer than specified deadline", kind="Job", about=NAME)]), then="killed_by_signal"),
    case("retries used up, and nothing of the pods left", "backoff_limit_exceeded", gone(runai_event("BackoffLimitExceeded", "Job has reached the specified backoff limit", kind="Job", about=NAME)), sure=False),
]  # fmt: skip

GPU = [
    dies("PyTorch", "cuda_oom", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.91 GiB. GPU 0 has a total capacity of 79.15 GiB of which 2.06 GiB is free. 4.21 GiB is reserved by PyTorch but unallocated.", says=("3.91 GiB", "79.15 GiB", "expandable_segments")),
    dies("JAX", "cuda_oom", "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9663676416 bytes."),
    dies("vLLM's KV cache", "cuda_oom", "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine."),
    dies("driver too old", "cuda_driver_mismatch", "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."),
    case("driver too old for the image's label", "cuda_driver_mismatch", exited(128, reason="StartError", message="nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.4, please update your driver to a newer version")),
    dies("no GPU", "no_gpu_visible", "RuntimeError: No CUDA GPUs are available"),
    dies("driver library not in the container", "no_gpu_visible", "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory"),
    dies("illegal access", "cuda_illegal_access", "RuntimeError: CUDA error: an illegal memory access was encountered"),
    ends("device-side assert aborts", "cuda_illegal_access", 134, STEPS + "terminate called after throwing an instance of 'c10::Error'\n  what():  CUDA error: device-side assert triggered\n"),
    dies("uncorrectable ECC error", "gpu_hardware_fault", "RuntimeError: CUDA error: uncorrectable ECC error encountered"),
    case("every rank timed out, and none failed before", "nccl_timeout",
          ranks(*[container(ended(134, at=5))] * 4, logs={n: STEPS + NCCL_TIMEOUT.format(rank=n) for n in range(4)})),
    dies("InfiniBand", "nccl_network_error", "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1970, remote process exited or there was a network error, NCCL version 2.20.5 ncclRemoteError"),
]  # fmt: skip

PULL = 'Failed to pull image "registry.example.com/llm/train:4.2": '
IMAGE = [
    case("manifest unknown", "image_not_found", stuck("ImagePullBackOff", "Back-off pulling image", event("Failed", PULL + "rpc error: code = NotFound desc = manifest unknown: manifest tagged by 4.2 is not found")), says=("registry.example.com/llm/train:4.2",)),
    case("containerd does not find it", "image_not_found", stuck("ErrImagePull", 'failed to pull and unpack image "docker.io/library/tarin:1": failed to resolve reference "docker.io/library/tarin:1": docker.io/library/tarin:1: not found')),
    case("401", "image_auth_failed", stuck("ErrImagePull", 'failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://nvcr.io/proxy_auth: 401 Unauthorized')),
    case("may require authorization, no pull secret", "image_auth_failed", stuck("ErrImagePull", "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"), sure=None, says=("missing or private",)),
    case("may require authorization, with a pull secret", "image_not_found", stuck("ErrImagePull", "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed", secrets=True), sure=None, says=("missing or private",)),
    case("a pull secret that does not exist", "image_auth_failed", stuck("ErrImagePull", "pull access denied for llm/train, repository does not exist or may require 'docker login'", event("FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed."), secrets=True), sure=None),
    case("no route to the registry", "registry_unreachable", stuck("ImagePullBackOff", "Back-off pulling image", event("Failed", PULL + 'failed to resolve reference: Head "https://registry.example.com/v2/": dial tcp 10.0.0.9:443: i/o timeout'))),
    case("registry of unknown name", "registry_unreachable", stuck("ErrImagePull", 'failed to do request: Head "https://registry.exmple.com/v2/x": dial tcp: lookup registry.exmple.com: no such host')),
    case("rate limit", "registry_rate_limited", stuck("ErrImagePull", "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.")),
    case("invalid name", "invalid_image_name", stuck("InvalidImageName", 'Failed to apply default image tag "Registry/Train:4 2": couldn\'t parse image name: invalid reference format')),
    case("never pull", "image_never_pull", stuck("ErrImageNeverPull", 'Container image "train:dev" is not present with pull policy of Never')),
    case("Run:ai's events alone", "image_not_found", Scene(phase="Initializing", kube=False, runai_events=[runai_event("Failed", PULL + "manifest unknown")])),
]  # fmt: skip

CONFIGURATION = [
    case("ConfigMap of a volume", "missing_configmap", preparing(event("FailedMount", 'MountVolume.SetUp failed for volume "cfg" : configmap "train-config" not found')), says=("train-config",)),
    case("ConfigMap of a variable", "missing_configmap", stuck("CreateContainerConfigError", 'configmap "train-config" not found')),
    case("Secret", "missing_secret", stuck("CreateContainerConfigError", 'secret "wandb-api-key" not found'), says=("wandb-api-key",)),
    case("Secret of a volume", "missing_secret", preparing(event("FailedMount", 'MountVolume.SetUp failed for volume "s" : secret "s3-login" not found'))),
    case("key of a Secret", "missing_config_key", stuck("CreateContainerConfigError", f"couldn't find key HF_TOKEN in Secret {NAMESPACE}/hub"), says=("HF_TOKEN",)),
    case("key of a volume", "missing_config_key", preparing(event("FailedMount", 'MountVolume.SetUp failed for volume "c" : references non-existent config key: train.yaml'))),
    case("must not run as root", "security_context_denied", stuck("CreateContainerConfigError", "container has runAsNonRoot and image will run as root (pod: x, container: main)")),
    case("admission policy", "security_context_denied", Scene(phase="Pending", since=2, runai_events=[runai_event("FailedCreate", 'pods "x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false', kind="Job", about=NAME)])),
    case("runtime timed out", "container_create_failed", stuck("CreateContainerError", "context deadline exceeded")),
    case("claim does not exist", "pvc_not_found", unplaced('persistentvolumeclaim "training-data" not found'), says=("training-data",)),
    case("claim not bound", "pvc_unbound", unplaced("0/8 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/8 nodes are available")),
    case("mount refused", "volume_mount_failed", preparing(event("FailedMount", 'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32 mount.nfs: access denied by server while mounting 10.0.0.4:/export'))),
    case("volume attached elsewhere", "volume_in_use", preparing(event("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) other-0'), event("FailedMount", "Unable to attach or mount volumes: unmounted volumes=[data]: timed out waiting for the condition", at=2))),
    dies("read-only file system", "read_only_filesystem", "OSError: [Errno 30] Read-only file system: '/models/cache'"),
    dies("stale handle", "storage_unresponsive", "OSError: [Errno 116] Stale file handle: '/data/shard-12'"),
    case("CSI timed out", "storage_unresponsive", preparing(event("FailedMount", 'MountVolume.MountDevice failed for volume "pvc-1" : rpc error: code = DeadlineExceeded desc = context deadline exceeded'))),
    case("no network for the sandbox", "network_plugin_failed", preparing(event("FailedCreatePodSandBox", 'Failed to create pod sandbox: plugin type="calico" failed (add): error getting ClusterInformation'))),
]  # fmt: skip

SCHEDULING = [
    case("no GPU free", "insufficient_gpu", unplaced("0/24 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 21 Insufficient nvidia.com/gpu. preemption: 0/24 nodes are available: 24 No preemption victims found for incoming pod.")),
    case("no GPU free, in the Run:ai scheduler's words", "insufficient_gpu", unplaced("no nodes with enough resources were found: 8 node(s) didn't have enough resources: GPUs.")),
    case("no CPU free", "insufficient_cpu", unplaced("0/8 nodes are available: 8 Insufficient cpu.")),
    case("no memory free", "insufficient_memory", unplaced("0/8 nodes are available: 6 Insufficient memory, 2 Insufficient cpu."), then="insufficient_cpu"),
    case("GPUs free, but not together", "gpu_fragmentation", unplaced("Unable to schedule.\n<gpu-1>: node(s) didn't have enough resources: GPUs, requested: 8, used: 4, capacity: 8.\n<gpu-2>: node(s) didn't have enough resources: GPUs, requested: 8, used: 4, capacity: 8."), then="insufficient_gpu"),
    case("selector", "node_selector_mismatch", unplaced("0/10 nodes are available: 10 node(s) didn't match Pod's node affinity/selector."), says=("nodeType",)),
    case("taint", "untolerated_taint", unplaced("0/10 nodes are available: 10 node(s) had untolerated taint {team: vision}.")),
    case("anti-affinity", "affinity_conflict", unplaced("0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.")),
    case("nodes that are not ready", "node_not_ready", unplaced("0/3 nodes are available: 3 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.")),
    case("volume in another zone", "volume_zone_conflict", unplaced("0/10 nodes are available: 10 node(s) had volume node affinity conflict.")),
    case("part of a gang", "gang_unschedulable", unplaced("Resources were found for 3 pods while 8 are required for gang scheduling. Additional pods cannot be scheduled due to: 5 node(s) didn't have enough resources: GPUs."), then="insufficient_gpu"),
    case("over quota", "project_over_quota", unplaced("Non-preemptible workload is over quota. Workload requested 16 GPUs, but llm quota is 12 GPUs, while 8 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota.", reason="NonPreemptibleOverQuota"), says=("16 GPUs", "12")),
    case("over the limit, told by the phase alone", "project_over_quota", Scene(phase="Pending", since=40, kube=False, reason="OverLimit", message="llm quota has reached the allowable limit of GPUs. Limit is 8 GPUs, currently 8 GPUs allocated and workload requested 2 GPUs")),
    case("namespace quota", "namespace_quota_exceeded", Scene(phase="Pending", since=2, runai_events=[runai_event("FailedCreate", 'pods "x" is forbidden: exceeded quota: gpu, requested: requests.nvidia.com/gpu=8, used: 8, limited: 8', kind="Job", about=NAME)])),
    case("preempted by priority, waits", "preempted", Scene(phase="Pending", since=3, runai_events=[runai_event("Evict", f"Pod {NAMESPACE}/{NAME}-0-0 was preempted by higher priority workload prod/serve", kind="PodGroup", about="pg-1")]), says=("higher priority",)),
    case("preempted, told by the pod", "preempted", Scene(phase="Pending", since=3, pods=[pod(container(ended(143)), conditions=(condition("DisruptionTarget", "True", "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"),))]), absent="killed_by_signal"),
    case("time limit of the project", "time_limit_reached", Scene(phase="Stopped", message="Workload was stopped: idle GPU timeout of 60 minutes exceeded")),
]  # fmt: skip

NODES = [
    case("node lost", "node_lost", Scene(pods=[pod(container(running()), phase="Running", reason="NodeLost", message="Node gpu-7 which was running pod x is unresponsive")], phase="Degraded")),
    case("node shut down", "node_shutdown", Scene(pods=[pod(container(ended(137)), reason="Terminated", message="Pod was terminated in response to imminent node shutdown.")])),
    case("no healthy device", "device_plugin_failed", Scene(pods=[pod(container({}), reason="UnexpectedAdmissionError", message="Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected")])),
]  # fmt: skip

OUTSIDE = [
    dies("DNS behind requests' chain", "dns_failure", "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /api (Caused by NameResolutionError(\"Failed to resolve 'huggingface.co'\"))", says=("huggingface.co",)),
    dies("refused", "connection_refused", "ConnectionRefusedError: [Errno 111] Connection refused"),
    dies("timed out", "connection_timeout", "requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='hub.example.com', port=443): Max retries exceeded"),
    dies("TLS", "tls_error", "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
    dies("gated model", "credential_rejected", "huggingface_hub.errors.GatedRepoError: 403 Client Error. Access to model meta-llama/Llama-3-70B is restricted and you are not in the authorized list."),
    dies("object storage", "credential_rejected", "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the GetObject operation: Access Denied"),
    dies("429", "rate_limited", "huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api"),
]  # fmt: skip

EVERY_CAUSE = (*PROCESS, *GPU, *IMAGE, *CONFIGURATION, *SCHEDULING, *NODES, *OUTSIDE)
