"""What the platform says, in words of public incidents that the rules were not tuned on: images to nodes, ranks, and quiet."""

from __future__ import annotations

from collections.abc import Sequence

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import (
    Json,
    PodWire,
    container,
    crashed,
    creating,
    distributed,
    ended,
    event,
    job,
    node,
    on_node,
    on_owner,
    oom_killed,
    past,
    pod,
    raised,
    running,
    stuck,
    unscheduled,
    waiting,
)

START = job("Initializing", since=-29, created=-30)
WAIT = job("Pending", since=-45, created=-45, gpus=8)
RUNS = job("Running", since=-300, created=-305, running=1)
REGISTRY = "registry.corp.example/ml/train:1.4"
WORKERS = ("master-0", "worker-0", "worker-1", "worker-2")


def pull(id: str, expected: str | Sequence[str], why: str, message: str, **fields: str) -> LabelledCase:  # noqa: A002 - as in `case`
    """A pod that waits for its image; kubelet's message is the whole evidence."""
    image = fields.get("image", REGISTRY)
    said = f'Failed to pull image "{image}": {message}'
    held = stuck("ErrImagePull", message, events=[event("Failed", said, count=6)], image=image)
    return case(id, expected, why, held, job=START, pair=fields.get("pair", ""))


def mount(id: str, expected: str | Sequence[str], why: str, message: str, pair: str = "") -> LabelledCase:  # noqa: A002 - as in `case`
    """A pod that waits for a volume."""
    return case(id, expected, why, creating(event("FailedMount", message, count=9)), job=START, pair=pair)


def queued(id: str, expected: str | Sequence[str], why: str, message: str, pair: str = "") -> LabelledCase:  # noqa: A002 - as in `case`
    """A pod without a node for three quarters of an hour."""
    return case(id, expected, why, unscheduled(message), job=WAIT, pair=pair)


def works(id: str, why: str, log: str, *, events: Sequence[Json] = (), pair: str = "") -> LabelledCase:  # noqa: A002 - as in `case`
    """A job that runs for five hours."""
    return case(
        id, "healthy", why, pod(container(running(-300), log=log), created=-305, events=events), job=RUNS, pair=pair
    )


def rank(number: int, code: int, log: str, *, at: float = -5) -> PodWire:
    return crashed(code, log, at=at, rank=WORKERS[number], node=f"gpu-{number:02}")


def remote(number: int) -> str:
    return (
        f"llama-ft-{WORKERS[number]}:61:402 [0] misc/socket.cc:518 NCCL WARN Net : Call to recv from 10.200.84.247<58355> failed : Broken pipe\n"
        f"[rank{number}]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1691, remote process exited or there was a network error, NCCL version 2.21.5\n"
        f"[rank{number}]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.\n"
    )


def stuck_watchdog(number: int) -> str:
    return (
        f"[rank{number}]:[F301 02:54:08.511 ProcessGroupNCCL.cpp:1557] [PG ID 0 PG GUID 0 Rank {number}] [PG ID 0 PG GUID 0 Rank {number}] Terminating the process after attempting to dump debug info, due to collective timeout or exception.\n"
        f"[rank{number}]:[E301 02:44:08.408 ProcessGroupNCCL.cpp:629] [Rank {number}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=4, OpType=BROADCAST, NumelIn=112, NumelOut=112, Timeout(ms)=1800000) ran for 1800010 milliseconds before timing out.\n"
    )


EVICTED = "Evicted"

CASES = [
    # --- images ------------------------------------------------------------------------------------------------------
    pull(
        "unseen-crio-manifest-unknown",
        "image_not_found",
        "CRI-O's words for a tag that is not there",
        f"initializing source docker://{REGISTRY}: reading manifest 1.4 in registry.corp.example/ml/train: manifest unknown",
        pair="unseen-crio-image",
    ),
    pull(
        "unseen-crio-unauthorized",
        "image_auth_failed",
        "CRI-O's words for missing rights",
        f"initializing source docker://{REGISTRY}: reading manifest 1.4 in registry.corp.example/ml/train: unauthorized: authentication required",
        pair="unseen-crio-image",
    ),
    pull(
        "unseen-crio-ping-timeout",
        "registry_unreachable",
        "CRI-O cannot reach it",
        f'initializing source docker://{REGISTRY}: pinging container registry registry.corp.example: Get "https://registry.corp.example/v2/": dial tcp 10.1.1.5:443: i/o timeout',
        pair="unseen-crio-image",
    ),
    pull(
        "unseen-gar-403",
        "image_auth_failed",
        "the token server of a cloud's registry refuses the node's account",
        'failed to pull and unpack image: failed to resolve reference "us-docker.pkg.dev/acme/ml/train:1": failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://us-docker.pkg.dev/v2/token?scope=repository%3Aacme%2Fml%2Ftrain%3Apull&service=us-docker.pkg.dev: 403 Forbidden',
        image="us-docker.pkg.dev/acme/ml/train:1",
    ),
    pull(
        "unseen-gateway-timeout",
        "registry_unreachable",
        "the registry's front answers for a registry that does not",
        f'failed to pull and unpack image "{REGISTRY}": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry.corp.example/v2/ml/train/blobs/sha256:0f1c: 504 Gateway Time-out',
    ),
    pull(
        "unseen-proxy-name",
        "registry_unreachable",
        "the node's proxy has no address: the registry is out of reach of the node, not of the program",
        'rpc error: code = Unknown desc = error pinging docker registry registry-1.docker.io: Get "https://registry-1.docker.io/v2/": proxyconnect tcp: dial tcp: lookup proxy.corp: Temporary failure in name resolution',
        image="docker.io/acme/train:1",
    ),
    pull(
        "unseen-no-match-for-platform",
        "wrong_architecture",
        "containerd's newer words for a manifest without this platform",
        f'failed to pull and unpack image "{REGISTRY}": no match for platform in manifest: not found',
        pair="unseen-crio-image",
    ),
    pull(
        "unseen-ecr-rate",
        "registry_rate_limited",
        "a cloud registry's throttle",
        "failed to pull and unpack image: failed to resolve reference: unexpected status from HEAD request to https://1234.dkr.ecr.eu-west-1.amazonaws.com/v2/train/manifests/1: 429 Too Many Requests: toomanyrequests: Rate exceeded",
        image="1234.dkr.ecr.eu-west-1.amazonaws.com/train:1",
    ),
    # --- the runtime -------------------------------------------------------------------------------------------------
    case(
        "unseen-crun-not-found",
        "bad_command",
        "crun says it in its own words",
        stuck("CreateContainerError", "executable file `acccelerate` not found in $PATH: No such file or directory"),
        job=START,
        never=("missing_file", "container_create_failed"),
        pair="unseen-crun",
    ),
    case(
        "unseen-crun-denied",
        "not_executable",
        "crun says it in its own words",
        stuck("CreateContainerError", "container create failed: open executable: Permission denied"),
        job=START,
        never=("permission_denied", "container_create_failed"),
        pair="unseen-crun",
    ),
    case(
        "unseen-cdi",
        ("container_create_failed", "device_plugin_failed"),
        "the runtime cannot resolve the device it was given (nvidia-container-toolkit 1239)",
        crashed(
            128,
            reason="StartError",
            message="failed to create containerd task: failed to create shim task: OCI runtime create failed: could not apply required modification to OCI specification: error modifying OCI spec: failed to inject CDI devices: unresolvable CDI devices management.nvidia.com/gpu=GPU-e78e68c0-4e6a-737e-f9cc-4223fe50aead: unknown",
        ),
        never=("bad_command", "not_executable"),
        pair="unseen-nvidia-hook",
    ),
    case(
        "unseen-cuda-requirement",
        "cuda_driver_mismatch",
        "NVIDIA's hook refuses an image whose CUDA the driver cannot serve",
        crashed(
            128,
            reason="StartError",
            message="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running hook #0: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.6, please update your driver to a newer version, or use an earlier cuda container: unknown",
        ),
        never=("bad_command", "container_create_failed"),
        pair="unseen-nvidia-hook",
    ),
    case(
        "unseen-name-reserved",
        "container_create_failed",
        "containerd still holds the name of an earlier attempt",
        stuck(
            "CreateContainerError",
            'failed to reserve container name "main_llama-ft-0-0_runai-vision_7f3c_0": name "main_llama-ft-0-0_runai-vision_7f3c_0" is reserved for "a1b2c3"',
        ),
        job=START,
    ),
    # --- configuration -----------------------------------------------------------------------------------------------
    mount(
        "unseen-configmap-key",
        "missing_config_key",
        "the map is there, the key is not",
        'MountVolume.SetUp failed for volume "ds-config" : configmap references non-existent config key: zero3.json',
        pair="unseen-config-mount",
    ),
    mount(
        "unseen-secret-object",
        "missing_secret",
        "the secret itself is not there",
        'MountVolume.SetUp failed for volume "ssh-key" : secret "git-deploy-key" not found',
        pair="unseen-config-mount",
    ),
    case(
        "unseen-openshift-scc",
        "security_context_denied",
        "OpenShift's admission",
        job=job("Creating", since=-20, created=-20),
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: unable to validate against any security context constraint: [provider "anyuid": Forbidden: not usable by user or serviceaccount, provider restricted-v2: .containers[0].runAsUser: Invalid value: 0: must be in the ranges: [1000680000, 1000689999]]',
                count=14,
            )
        ],
        pair="unseen-forbidden",
    ),
    case(
        "unseen-limit-range",
        "namespace_quota_exceeded",
        "the namespace's LimitRange",
        job=job("Creating", since=-20, created=-20),
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: maximum memory usage per Container is 512Gi, but limit is 1Ti',
                count=14,
            )
        ],
        pair="unseen-forbidden",
    ),
    # --- volumes -----------------------------------------------------------------------------------------------------
    mount(
        "unseen-nfs-denied",
        "volume_mount_failed",
        "the server answers, and refuses",
        'MountVolume.SetUp failed for volume "datasets" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs filer-2:/exports/ml /var/lib/kubelet/pods/1/volumes/kubernetes.io~nfs/datasets\nOutput: mount.nfs: access denied by server while mounting filer-2:/exports/ml',
        pair="unseen-nfs",
    ),
    mount(
        "unseen-nfs-timeout",
        "storage_unresponsive",
        "the server does not answer",
        'MountVolume.SetUp failed for volume "datasets" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs filer-2:/exports/ml /var/lib/kubelet/pods/1/volumes/kubernetes.io~nfs/datasets\nOutput: mount.nfs: Connection timed out',
        pair="unseen-nfs",
    ),
    mount(
        "unseen-csi-not-registered",
        "volume_mount_failed",
        "the node has no such driver (ceph-csi 1479)",
        'MountVolume.MountDevice failed for volume "pvc-27b9fd2a" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name rbd.csi.ceph.com not found in the list of registered CSI drivers',
        pair="unseen-csi",
    ),
    mount(
        "unseen-csi-deadline",
        "storage_unresponsive",
        "the driver does not answer (rook 7124)",
        'MountVolume.MountDevice failed for volume "pvc-d9ebb103" : rpc error: code = DeadlineExceeded desc = context deadline exceeded',
        pair="unseen-csi",
    ),
    case(
        "unseen-ebs-in-use",
        "volume_in_use",
        "the cloud says that another machine holds the disk",
        creating(
            event(
                "FailedAttachVolume",
                'AttachVolume.Attach failed for volume "pvc-1f" : rpc error: code = Internal desc = Could not attach volume "vol-0ab" to node "i-0cd": operation error EC2: AttachVolume, https response error StatusCode: 400, api error VolumeInUse: vol-0ab is already attached to an instance',
                source="attachdetach-controller",
                count=8,
            )
        ),
        job=START,
    ),
    # --- scheduling --------------------------------------------------------------------------------------------------
    queued(
        "unseen-kai-mig",
        "insufficient_gpu",
        "MIG slices are GPUs (KAI-Scheduler 1876)",
        "Resources were not found for pod runai-vision/llama-ft-0-0 due to: no nodes with enough resources were found: 6 node(s) didn't have enough of mig profile: nvidia.com/mig-1g.5gb.",
    ),
    queued(
        "unseen-cordoned",
        "untolerated_taint",
        "cordoned nodes carry the taint unschedulable",
        "0/6 nodes are available: 6 node(s) were unschedulable. preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.",
        pair="unseen-nodes",
    ),
    queued(
        "unseen-selector-mostly",
        "node_selector_mismatch",
        "two nodes are gone, thirty-eight have other labels",
        "0/40 nodes are available: 2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 38 node(s) didn't match Pod's node affinity/selector. preemption: 0/40 nodes are available: 40 Preemption is not helpful for scheduling.",
        pair="unseen-nodes",
    ),
    queued(
        "unseen-topology-spread",
        "affinity_conflict",
        "topology spread is a rule of placement",
        "0/12 nodes are available: 12 node(s) didn't match pod topology spread constraints. preemption: 0/12 nodes are available: 12 No preemption victims found for incoming pod.",
        pair="unseen-nodes",
    ),
    queued(
        "unseen-volume-zone",
        "volume_zone_conflict",
        "the other plugin's words for the same",
        "0/9 nodes are available: 9 node(s) had no available volume zone. preemption: 0/9 nodes are available: 9 Preemption is not helpful for scheduling.",
        pair="unseen-nodes",
    ),
    queued(
        "unseen-over-limit",
        "project_over_quota",
        "the limit of the department (KAI's words)",
        "research quota has reached the allowable limit of GPUs. Limit is 16 GPUs, currently 16 GPUs allocated and workload requested 8 GPUs",
    ),
    case(
        "unseen-out-of-cpu",
        "insufficient_cpu",
        "kubelet's own admission: somebody else was faster",
        pod(
            phase="Failed",
            reason="OutOfcpu",
            message="Pod was rejected: Node didn't have enough resource: cpu, requested: 8000, used: 121000, capacity: 127940",
        ),
        pair="unseen-outof",
    ),
    case(
        "unseen-out-of-memory-admission",
        "insufficient_memory",
        "the same of memory: nothing was killed",
        pod(
            phase="Failed",
            reason="OutOfmemory",
            message="Pod was rejected: Node didn't have enough resource: memory, requested: 68719476736, used: 2147483648000, capacity: 2164189921280",
        ),
        never=("container_oom", "node_memory_eviction"),
        pair="unseen-outof",
    ),
    case(
        "unseen-disruption-target",
        "preempted",
        "only the pod's condition tells",
        pod(
            container(ended(143)),
            phase="Failed",
            conditions=[
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "PreemptionByScheduler",
                    "message": "default-scheduler: preempting to accommodate a higher priority pod",
                }
            ],
        ),
        never=("killed_by_signal",),
        pair="unseen-disruption",
    ),
    case(
        "unseen-critical-pod",
        "preempted",
        "kubelet made room for a critical pod",
        pod(
            container(ended(137)),
            phase="Failed",
            reason="Preempting",
            message="Preempted in order to admit critical pod",
        ),
        never=("killed_by_signal", "container_oom"),
        pair="unseen-disruption",
    ),
    # --- eviction and nodes ------------------------------------------------------------------------------------------
    case(
        "unseen-emptydir-limit",
        "ephemeral_storage_exceeded",
        "the pod's own volume limit",
        pod(
            container(ended(137)),
            phase="Failed",
            reason=EVICTED,
            message='Usage of EmptyDir volume "scratch" exceeds the limit "50Gi". ',
        ),
        pair="unseen-evicted",
    ),
    case(
        "unseen-node-ephemeral",
        "node_disk_pressure",
        "the node was low on it (kubeplus 1382)",
        pod(
            container(ended(137)),
            phase="Failed",
            reason=EVICTED,
            message="The node was low on resource: ephemeral-storage. Threshold quantity: 2146223340, available: 1883424Ki. Container main was using 10304Ki, request is 10Mi, has larger consumption of ephemeral-storage. ",
        ),
        pair="unseen-evicted",
        never=("ephemeral_storage_exceeded",),
    ),
    case(
        "unseen-node-memory",
        "node_memory_eviction",
        "the node was low on memory",
        pod(
            container(ended(137)),
            phase="Failed",
            reason=EVICTED,
            message="The node was low on resource: memory. Threshold quantity: 100Mi, available: 91204Ki. Container main was using 61243Mi, request is 8Gi, has larger consumption of memory. ",
        ),
        pair="unseen-evicted",
        never=("container_oom",),
    ),
    case(
        "unseen-imminent-shutdown",
        "node_shutdown",
        "kubelet's words on a spot machine that is taken back",
        pod(
            container(ended(143)),
            phase="Failed",
            reason="Terminated",
            message="Pod was terminated in response to imminent node shutdown.",
        ),
        never=("killed_by_signal", "preempted"),
        pair="unseen-disruption",
    ),
    case(
        "unseen-cilium-range",
        "network_plugin_failed",
        "no address left on the node (cilium 10627)",
        creating(
            event(
                "FailedCreatePodSandBox",
                'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "3948297e": plugin type="cilium-cni" failed (add): unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure  range is full',
                count=30,
            )
        ),
        job=START,
    ),
    case(
        "unseen-unregistered-device",
        "device_plugin_failed",
        "kubelet restarted, the plugin has not registered again",
        pod(
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Allocate failed due to can't allocate unregistered device nvidia.com/gpu, which is unexpected",
        ),
    ),
    # --- ranks -------------------------------------------------------------------------------------------------------
    case(
        "unseen-ranks-gloo-timeout",
        "nccl_timeout",
        "Gloo's words on every rank, none failed before",
        *(
            rank(
                n,
                1,
                raised(
                    "RuntimeError: [/pytorch/third_party/gloo/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 1800000ms for recv operation to complete",
                    code="torch.distributed.barrier()",
                ),
            )
            for n in range(4)
        ),
        job=distributed(),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-ib-retry",
        "nccl_network_error",
        "InfiniBand's retry counter on two ranks at once",
        *(
            rank(
                n,
                1,
                f"llama-ft-{WORKERS[n]}:61:402 [3] transport/net_ib.cc:1295 NCCL WARN NET/IB: Got completion from peer 10.1.2.{n}<47911> with status=IBV_WC_RETRY_EXC_ERR(12) opcode=IBV_WC_RDMA_WRITE(1) vendor_err=129 hca mlx5_3\n"
                + remote(n),
            )
            for n in range(4)
        ),
        job=distributed(),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-oom-gloo",
        "container_oom",
        "one rank was killed at its limit three minutes before the others lost it",
        rank(
            0,
            1,
            raised(
                "RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.2.3.4]:31245"
            ),
        ),
        pod(container(oom_killed(at=-8), log="step 1579\n"), rank="worker-0", node="gpu-01"),
        rank(2, 1, remote(2)),
        rank(3, 1, remote(3)),
        job=distributed(),
        never=("nccl_network_error", "connection_refused", "python_exception"),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-barrier-and-keyerror",
        "python_exception",
        "rank 3 fell over its own data before rank 0 missed it",
        rank(0, 1, raised("RuntimeError: Rank 3 failed to pass monitoredBarrier in 600000 ms")),
        rank(
            1,
            1,
            raised(
                "RuntimeError: Rank 1 successfully reached monitoredBarrier, but received errors while waiting for send/recv from rank 0. Please check rank 0 logs for faulty rank."
            ),
        ),
        rank(2, 134, stuck_watchdog(2)),
        rank(3, 1, raised("KeyError: 'pixel_values'", file="/workspace/data.py"), at=-16),
        job=distributed(),
        never=("nccl_timeout",),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-ecc",
        "gpu_hardware_fault",
        "rank 1's GPU first, the watchdogs after it",
        rank(0, 134, stuck_watchdog(0)),
        rank(1, 1, raised("RuntimeError: CUDA error: uncorrectable ECC error encountered"), at=-36),
        rank(2, 134, stuck_watchdog(2)),
        rank(3, 134, stuck_watchdog(3)),
        job=distributed(),
        never=("nccl_timeout", "python_exception"),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-store-waits-for-image",
        "image_not_found",
        "the store waited for a client whose image does not exist",
        rank(
            0,
            1,
            raised(
                "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 3/4 clients joined.",
                code='dist.init_process_group("nccl")',
            ),
        ),
        rank(
            1,
            1,
            raised(
                "torch.distributed.DistNetworkError: The client socket has timed out after 600000ms while trying to connect to (llama-ft-master-0, 23456)."
            ),
        ),
        rank(
            2,
            1,
            raised(
                "torch.distributed.DistNetworkError: The client socket has timed out after 600000ms while trying to connect to (llama-ft-master-0, 23456)."
            ),
        ),
        pod(
            container(
                waiting(
                    "ImagePullBackOff",
                    f'Back-off pulling image "{REGISTRY}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "{REGISTRY}": failed to resolve reference "{REGISTRY}": {REGISTRY}: not found',
                ),
                image=REGISTRY,
            ),
            rank="worker-2",
            created=-30,
        ),
        job=distributed(),
        never=("nccl_timeout", "connection_timeout", "python_exception"),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-evicted-peer",
        "preempted",
        "one worker was consolidated away; its peers only lost it",
        rank(0, 1, remote(0)),
        pod(
            rank="worker-0",
            node="gpu-01",
            gone=True,
            events=[
                event(
                    "Evict",
                    "Pod runai-vision/llama-ft-worker-0 was preempted by higher priority workload runai-nlp/serve-xl",
                    kind="Normal",
                    source="runai-scheduler",
                    at=-5.5,
                )
            ],
        ),
        rank(2, 1, remote(2)),
        rank(3, 1, remote(3)),
        job=distributed(),
        never=("nccl_network_error",),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-mpi-name",
        "dns_failure",
        "the launcher could not resolve its worker",
        crashed(
            1,
            "ssh: Could not resolve hostname llama-ft-worker-0.llama-ft.runai-vision.svc: Name or service not known\n--------------------------------------------------------------------------\nORTE was unable to reliably start one or more daemons.\n",
            rank="launcher-0",
        ),
        pod(container(running(-40), log="Server listening on 0.0.0.0 port 22.\n"), rank="worker-0", node="gpu-01"),
        pod(container(running(-40), log="Server listening on 0.0.0.0 port 22.\n"), rank="worker-1", node="gpu-02"),
        job=distributed(framework="MPI"),
        pair="unseen-ranks",
    ),
    case(
        "unseen-ranks-nan-on-one",
        "training_diverged",
        "rank 2 stopped on its gradients, the others waited",
        rank(0, 134, stuck_watchdog(0)),
        rank(1, 134, stuck_watchdog(1)),
        rank(
            2,
            1,
            raised(
                "AssertionError: Rank 2: found NaN in local grad norm in backward pass before data-parallel communication collective. Device: 2"
            ),
            at=-36,
        ),
        rank(3, 134, stuck_watchdog(3)),
        job=distributed(),
        never=("nccl_timeout", "python_exception"),
        pair="unseen-ranks",
    ),
    # --- nothing is wrong --------------------------------------------------------------------------------------------
    works(
        "unseen-healthy-vllm-request",
        "a served model logs one request's traceback and goes on",
        """
        ERROR 03-01 02:51:10 [serving_chat.py:240] Error in preprocessing prompt inputs
        Traceback (most recent call last):
          File "/usr/local/lib/python3.12/dist-packages/vllm/entrypoints/openai/serving_chat.py", line 228, in create_chat_completion
        ValueError: This model's maximum context length is 8192 tokens. However, you requested 9211 tokens.
        INFO:     10.42.1.9:51234 - "POST /v1/chat/completions HTTP/1.1" 400 Bad Request
        INFO 03-01 02:59:50 [loggers.py:116] Engine 000: Avg generation throughput: 912.4 tokens/s, Running: 14 reqs, GPU KV cache usage: 31.2%
        """,
        pair="unseen-vllm",
    ),
    works(
        "unseen-healthy-nan-skipped",
        "skipped iterations are what a loss scaler does",
        """
         iteration     5426/  250000 | loss scale: 1.0 | grad norm: nan | number of skipped iterations:   1 | number of nan iterations:   0 |
         iteration     5427/  250000 | loss scale: 1.0 | grad norm: 1.214 | number of skipped iterations:   0 | number of nan iterations:   0 |
         iteration     5428/  250000 | loss scale: 1.0 | grad norm: 1.198 | number of skipped iterations:   0 | number of nan iterations:   0 |
        """,
        pair="unseen-nan",
    ),
    works(
        "unseen-healthy-spark-lost-task",
        "Spark lost a task to memory and repeated it",
        """
        26/03/01 02:11:01 WARN TaskSetManager: Lost task 3.0 in stage 2.0 (TID 83) (10.0.0.9 executor 2): java.lang.OutOfMemoryError: Java heap space
        26/03/01 02:11:02 INFO TaskSetManager: Starting task 3.1 in stage 2.0 (TID 91)
        26/03/01 02:58:40 INFO TaskSetManager: Finished task 811.0 in stage 4.0 (TID 2071) in 3121 ms
        """,
    ),
    works(
        "unseen-healthy-readiness",
        "a readiness probe failed while the model was loading, five hours ago",
        'INFO:     Application startup complete.\nINFO:     10.42.0.1:40112 - "GET /health HTTP/1.1" 200 OK\n',
        events=[
            event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", at=-290, count=12)
        ],
    ),
    case(
        "unseen-healthy-another-gpus-xid",
        "healthy",
        "an XID of somebody's application on the node; this job moves",
        pod(container(running(-300), log="step 8120 loss 1.71\nstep 8121 loss 1.70\n"), created=-305),
        job=RUNS,
        events=[
            on_node(
                "XidError",
                "NVRM: Xid (PCI:0000:5d:00): 31, pid=99120, name=python3, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS",
                at=-200,
            )
        ],
        never=("cuda_illegal_access", "gpu_hardware_fault"),
    ),
    case(
        "unseen-completed-with-sidecar",
        "completed",
        "the program is done; the mesh's sidecar was killed after it",
        pod(
            container(
                ended(0, at=-20),
                log="Training completed. Do not forget to share your model on huggingface.co/models =)\n",
            ),
            container(ended(137, at=-19.5), name="istio-proxy", gpus=0, log="warn: received SIGTERM\n"),
            phase="Succeeded",
        ),
        job=job("Completed", since=-19, completed=True),
        never=("killed_by_signal", "container_oom"),
    ),
    case(
        "unseen-completed-after-resume",
        "completed",
        "it failed once, was restarted and finished",
        pod(
            container(
                ended(0, at=-20), restarts=1, last=oom_killed(at=-190), log="epoch 3/3 done\n", previous="epoch 1/3\n"
            ),
            created=-300,
        ),
        job=job("Completed", since=-19, created=-300, completed=True),
        never=("container_oom",),
    ),
    case(
        "unseen-suspended-mid-pull",
        "suspended_by_person",
        "stopped while it pulled its image",
        pod(container(waiting("ContainerCreating")), created=-40, deleting=True),
        job=job("Stopped", since=-25, created=-40),
        history=past(
            ("Creating", -40), ("Pending", -39.9), ("Initializing", -39), ("Stopping", -25.5), ("Stopped", -25)
        ),
    ),
    case(
        "unseen-suspended-with-nccl-noise",
        "suspended_by_person",
        "stopping four ranks makes NCCL complain; nobody's network failed",
        *(
            pod(container(ended(1, at=-30), log=remote(n)), rank=WORKERS[n], node=f"gpu-{n:02}", gone=True)
            for n in range(4)
        ),
        job=distributed("Stopped", since=-30, created=-300),
        history=past(("Creating", -300), ("Running", -290), ("Stopping", -31), ("Stopped", -30)),
        never=("nccl_network_error",),
        pair="unseen-ranks",
    ),
    case(
        "unseen-pending-young-kai",
        "pending_normally",
        "four minutes in the queue, in KAI's words",
        unscheduled(
            "Resources were not found for pod runai-vision/llama-ft-0-0 due to: no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.",
            created=-4,
        ),
        job=job("Pending", since=-4, created=-4, gpus=8),
        never=("insufficient_gpu",),
    ),
    case(
        "unseen-pending-autoscaler",
        "pending_normally",
        "a machine is being added for it",
        pod(
            node=None,
            created=-6,
            events=[
                event(
                    "FailedScheduling",
                    "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
                    source="default-scheduler",
                    at=-5.8,
                ),
                event(
                    "TriggeredScaleUp",
                    "pod triggered scale-up: [{gpu-pool-a 2->3 (max: 8)}]",
                    kind="Normal",
                    source="cluster-autoscaler",
                    at=-5.5,
                ),
            ],
        ),
        job=job("Pending", since=-6, created=-6),
        never=("insufficient_gpu",),
    ),
    case(
        "unseen-pending-pods-missing-young",
        "pending_normally",
        "the operator has created one of four pods a minute ago",
        pod(rank="master-0", node=None, created=-1),
        job=distributed("Pending", since=-1, created=-1.5),
    ),
    # --- not known ---------------------------------------------------------------------------------------------------
    case(
        "unseen-unknown-recovered-refusals",
        "insufficient_evidence",
        "the refusals were overcome an hour before the end, of which nothing is said",
        crashed(
            1,
            "WARNING connect to redis:6379 failed: Connection refused, retry 1/5\nINFO connected to redis:6379\nepoch 1 step 100 loss 2.2\nepoch 1 step 90000 loss 1.4\n",
        ),
        never=("connection_refused",),
    ),
    case(
        "unseen-unknown-255",
        "insufficient_evidence",
        "255 and silence",
        crashed(255, ""),
        never=("wrong_architecture",),
    ),
    case(
        "unseen-unknown-only-childfailed",
        ("insufficient_evidence", "python_exception"),
        "torchrun's summary without the worker's traceback",
        crashed(
            1,
            """
            ============================================================
            train.py FAILED
            ------------------------------------------------------------
            Failures:
              <NO_OTHER_FAILURES>
            ------------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:54:58
              host      : llama-ft-0-0
              rank      : 3 (local_rank: 3)
              exitcode  : 1 (pid: 91)
              error_file: <N/A>
              traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
            ============================================================
            """,
        ),
    ),
    case(
        "unseen-unknown-log-forbidden",
        "insufficient_evidence",
        "exit 1 and logs that may not be read",
        crashed(1, raised("ValueError: never seen")),
        faults={"kube/pods/log": 403},
        never=("python_exception", "permission_denied", "credential_rejected"),
    ),
    case(
        "unseen-unknown-no-cluster",
        "insufficient_evidence",
        "Run:ai alone, which says Failed and no more",
        crashed(1, "step 4\n"),
        kubernetes=False,
    ),
    case(
        "unseen-unknown-progress-bar",
        "insufficient_evidence",
        "a progress bar up to the end, exit 1",
        crashed(
            1,
            "Map (num_proc=16):  61%|██████    | 610000/1000000 [04:11<02:40, 2424.11 examples/s]\rMap (num_proc=16):  62%|██████▏   | 620000/1000000 [04:15<02:36, 2424.11 examples/s]",
        ),
        never=("python_exception",),
    ),
    case(
        "unseen-node-pleg",
        "node_not_ready",
        "kubelet lost its runtime, the taint manager removed the pod",
        pod(
            container(running(-290)),
            created=-300,
            deleting=True,
            events=[
                event(
                    "TaintManagerEviction",
                    "Marking for deletion Pod runai-vision/llama-ft-0-0",
                    kind="Normal",
                    source="taint-eviction-controller",
                )
            ],
        ),
        job=job("Running", since=-290, created=-300),
        objects=[node(ready="False", taints=[("node.kubernetes.io/not-ready", "NoExecute")])],
        events=[on_node("NodeNotReady", "Node gpu-07 status is now: NodeNotReady", source="node-controller", at=-9)],
    ),
]
