"""The platform: whole incidents by an author who had not seen the rules, the second set of its kind."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import (
    JOB,
    NAMESPACE,
    claim,
    container,
    creating,
    distributed,
    ended,
    event,
    job,
    node,
    on_group,
    on_node,
    on_owner,
    past,
    pod,
    quota,
    renamed,
    running,
    stuck,
    unscheduled,
)

CASES: list[LabelledCase] = []

PENDING = job("Pending", since=-45, created=-45, gpus=8)
INIT = job("Initializing", since=-28, created=-30)
NO_VICTIMS = " preemption: 0/9 nodes are available: 9 Preemption is not helpful for scheduling."

CASES += [
    case(
        "guest-whereabouts-exhausted",
        "network_plugin_failed",
        "sriov device plugin #420: the IPAM of a second network has no address left, so no sandbox",
        creating(
            event(
                "AddedInterface",
                "Add eth0 [10.233.66.30/32] from k8s-pod-network",
                kind="Normal",
                source="multus",
                at=-2,
            ),
            event(
                "FailedCreatePodSandBox",
                'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "912e05e26df1": plugin type="multus-shim" name="multus-cni-network" failed (add): [runai-vision/llama-ft-0-0:roce-net]: error adding container to network "roce-net": failed to set up IPAM plugin type "whereabouts" from the device "p2p1": Error at storage engine: Could not allocate IP in range: ip: 172.29.44.70 / - 172.29.44.120 / range: 172.29.44.0/24',
                at=-1,
                count=118,
            ),
        ),
        job=INIT,
        never=("container_create_failed", "nccl_network_error", "storage_unresponsive"),
    ),
    case(
        "guest-admission-gpu-is-lost",
        ("device_plugin_failed", "gpu_hardware_fault"),
        "k8s-device-plugin #231: admission fails because the plugin's NVML says that a GPU is lost; both names fit",
        pod(
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Pod was rejected: Allocate failed due to device plugin GetPreferredAllocation rpc failed with err: rpc error: code = Unknown desc = Unable to retrieve list of available devices: error creating nvml.Device 3: nvml: GPU is lost, which is unexpected",
            created=-8,
            events=[
                event(
                    "UnexpectedAdmissionError",
                    "Allocate failed due to device plugin GetPreferredAllocation rpc failed with err: rpc error: code = Unknown desc = Unable to retrieve list of available devices: error creating nvml.Device 3: nvml: GPU is lost, which is unexpected",
                    at=-7,
                )
            ],
        ),
        never=("insufficient_gpu", "no_gpu_visible"),
    ),
    case(
        "guest-rbd-operation-exists",
        ("storage_unresponsive", "volume_mount_failed"),
        "rook #4896: the CSI call times out and its repeats are refused as already running; the timeout is the first",
        creating(
            event(
                "SuccessfulAttachVolume",
                'AttachVolume.Attach succeeded for volume "pvc-f631ef53"',
                kind="Normal",
                source="attachdetach-controller",
                at=-28,
            ),
            event(
                "FailedMount",
                'MountVolume.MountDevice failed for volume "pvc-f631ef53" : rpc error: code = DeadlineExceeded desc = context deadline exceeded',
                at=-26,
            ),
            event(
                "FailedMount",
                'MountVolume.MountDevice failed for volume "pvc-f631ef53" : rpc error: code = Aborted desc = an operation with the given Volume ID 0001-0009-rook-ceph-0000000000000001-3e7b0d61 already exists',
                at=-1,
                count=18,
            ),
        ),
        objects=[claim("datasets", phase="Bound", volume="pvc-f631ef53", storage_class="rook-ceph-block")],
        job=INIT,
        never=("volume_in_use", "pvc_unbound", "deadline_exceeded"),
    ),
    case(
        "guest-gatekeeper-denies-pods",
        "security_context_denied",
        "gatekeeper #3337: no pod was ever made; the controller's event carries the policy's refusal",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: admission webhook "validation.gatekeeper.sh" denied the request: [psp-privileged-container] Privileged container is not allowed: main, securityContext: {"privileged": true}',
                owner="Job",
                kind="Warning",
                at=-3,
                count=14,
            )
        ],
        job=job("Pending", since=-29, created=-30),
        never=("namespace_quota_exceeded", "pending_normally", "insufficient_evidence"),
        pair="guest-refused-pods",
    ),
    case(
        "guest-resourcequota-refuses-pods",
        "namespace_quota_exceeded",
        "Kubernetes docs: ResourceQuota refuses the pod at creation; GPUs of the cluster are not the matter",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: exceeded quota: compute, requested: requests.nvidia.com/gpu=8, used: requests.nvidia.com/gpu=12, limited: requests.nvidia.com/gpu=16',
                owner="Job",
                kind="Warning",
                at=-2,
                count=16,
            )
        ],
        objects=[quota("compute", {"requests.nvidia.com/gpu": "16"}, {"requests.nvidia.com/gpu": "12"})],
        job=PENDING,
        never=("project_over_quota", "insufficient_gpu", "security_context_denied"),
        pair="guest-refused-pods",
    ),
    case(
        "guest-non-preemptible-over-quota",
        "project_over_quota",
        "Run:ai docs: a non-preemptible workload may not go over the project's deserved quota though GPUs are free",
        unscheduled(
            "Non-preemptible workload is over quota. Workload requested 8 GPUs, but project vision quota is 8 GPUs, while 4 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota."
        ),
        objects=[node("gpu-00"), node("gpu-01"), node("gpu-02")],
        job=job(
            "Pending",
            since=-45,
            created=-45,
            gpus=8,
            preemptible=False,
            reason="NonPreemptibleOverQuota",
            pending=[
                (
                    "NonPreemptibleOverQuota",
                    "Non-preemptible over quota",
                    "Non-preemptible workload is over quota. Workload requested 8 GPUs, but project vision quota is 8 GPUs, while 4 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota.",
                )
            ],
        ),
        never=("insufficient_gpu", "namespace_quota_exceeded", "preempted"),
    ),
    case(
        "guest-gang-three-of-four",
        "gang_unschedulable",
        "KAI scheduler: three of four pods could be placed; the fourth lacks GPUs",
        *(
            unscheduled(
                "Resources were found for 3 pods while 4 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found: 12 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0", "worker-1", "worker-2")
        ),
        events=[
            on_group(
                "Unschedulable",
                "Resources were found for 3 pods while 4 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found: 12 node(s) didn't have enough resources: GPUs.",
                at=-1,
                count=30,
            )
        ],
        job=distributed("Pending", workers=4, since=-45, created=-45),
        never=("insufficient_gpu", "gpu_fragmentation"),
        consequences=("insufficient_gpu",),
    ),
    case(
        "guest-harbor-no-route",
        "registry_unreachable",
        "containerd: no route to the registry's host; neither a 401 nor a missing tag",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "harbor.corp.example.com/vision/train:2.3": ErrImagePull: failed to pull and unpack image "harbor.corp.example.com/vision/train:2.3": failed to resolve reference "harbor.corp.example.com/vision/train:2.3": failed to do request: Head "https://harbor.corp.example.com/v2/vision/train/manifests/2.3": dial tcp 10.20.0.14:443: connect: no route to host',
            image="harbor.corp.example.com/vision/train:2.3",
            events=[
                event(
                    "BackOff",
                    'Back-off pulling image "harbor.corp.example.com/vision/train:2.3"',
                    kind="Normal",
                    count=90,
                    at=-1,
                )
            ],
        ),
        job=INIT,
        never=("image_not_found", "image_auth_failed", "connection_refused", "connection_timeout"),
        pair="guest-pulls",
    ),
    case(
        "guest-manifest-arm-only",
        "wrong_architecture",
        "containerd: 'no match for platform in manifest: not found' ends in the words of a missing image and is none",
        stuck(
            "ErrImagePull",
            'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/vision/gh200-train:1.4": no match for platform in manifest: not found',
            image="docker.io/vision/gh200-train:1.4",
            events=[
                event(
                    "Failed",
                    'Failed to pull image "docker.io/vision/gh200-train:1.4": rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/vision/gh200-train:1.4": no match for platform in manifest: not found',
                    count=6,
                    at=-2,
                )
            ],
        ),
        job=INIT,
        never=("image_not_found", "image_auth_failed"),
        pair="guest-pulls",
    ),
    case(
        "guest-node-stopped-posting",
        ("node_lost", "node_not_ready"),
        "node controller: status unknown, taint manager marks the pod for deletion; its container still says running",
        pod(
            container(running(-300), log="step 8120 loss 1.93\n"),
            created=-305,
            reason="NodeLost",
            message="Node gpu-07 which was running pod llama-ft-0-0 is unresponsive",
            deleting=True,
            events=[
                event("NodeNotReady", "Node is not ready", source="node-controller", at=-9),
                event(
                    "TaintManagerEviction",
                    f"Marking for deletion Pod {NAMESPACE}/{JOB}-0-0",
                    kind="Normal",
                    source="taint-eviction-controller",
                    at=-4,
                ),
            ],
        ),
        events=[
            on_node(
                "NodeNotReady",
                "Node gpu-07 status is now: NodeNotReady",
                kind="Normal",
                source="node-controller",
                at=-9,
            )
        ],
        objects=[node(ready="Unknown", taints=[("node.kubernetes.io/unreachable", "NoExecute")])],
        job=job("Running", since=-300, created=-305, running=1),
        never=("healthy", "preempted", "killed_by_signal"),
    ),
    case(
        "guest-imminent-shutdown",
        "node_shutdown",
        "kubelet graceful node shutdown: pod status says so; the 143 and the SIGTERM in the log follow from it",
        pod(
            container(
                ended(143, at=-5),
                log="[NeMo I 2026-03-01 02:54:40] Signal SIGTERM received, saving checkpoint at step 4200\nsaved /ckpt/step=4200.ckpt in 9.1 s\n",
            ),
            phase="Failed",
            reason="Terminated",
            message="Pod was terminated in response to imminent node shutdown.",
            created=-300,
        ),
        events=[
            on_node(
                "NodeNotReady",
                "Node gpu-07 status is now: NodeNotReady",
                kind="Normal",
                source="node-controller",
                at=-4.5,
            )
        ],
        objects=[node(ready="False", since=-4.5)],
        never=("killed_by_signal", "preempted", "node_lost"),
    ),
    case(
        "guest-reclaimed-by-other-queue",
        "preempted",
        "KAI scheduler's reclaim: the pod is gone, the workload waits to run again",
        pod(
            container(ended(143, at=-12, began=-200), log="Received SIGTERM, exiting\n"),
            created=-205,
            gone=True,
        ),
        renamed(
            unscheduled(
                "no nodes with enough resources were found: 12 node(s) didn't have enough resources: GPUs.", created=-11
            ),
            f"{JOB}-0-0-b",
        ),
        events=[
            on_group(
                "Evict",
                f"Pod {NAMESPACE}/{JOB}-0-0 was reclaimed by workload runai-speech/whisper-xl, project speech is below its deserved quota",
                at=-12,
            )
        ],
        history=past(("Creating", -205), ("Running", -200), ("Pending", -12)),
        job=job("Pending", since=-12, created=-205, gpus=8),
        never=("insufficient_gpu", "killed_by_signal", "pending_normally"),
    ),
    case(
        "guest-volume-in-other-zone",
        "volume_zone_conflict",
        "kube-scheduler: every worker with the right pool fails on the volume's node affinity; control plane taints are noise",
        unscheduled(
            "0/9 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 6 node(s) had volume node affinity conflict."
            + NO_VICTIMS
        ),
        objects=[claim("scratch", phase="Bound", volume="pvc-2f6e0c1a", storage_class="gp3")],
        job=PENDING,
        never=("untolerated_taint", "affinity_conflict", "node_selector_mismatch"),
        pair="guest-breakdown",
    ),
    case(
        "guest-eight-free-on-two-nodes",
        "gpu_fragmentation",
        "KAI's detailed message: four free on one node and five on the other, eight asked for on one",
        unscheduled(
            "no nodes with enough resources were found: 2 node(s) didn't have enough resources: GPUs.\n"
            "<gpu-00>: didn't have enough resources: GPUs, requested: 8, used: 4, capacity: 8.\n"
            "<gpu-01>: didn't have enough resources: GPUs, requested: 8, used: 3, capacity: 8."
        ),
        objects=[node("gpu-00"), node("gpu-01")],
        job=PENDING,
        never=("insufficient_gpu", "gang_unschedulable"),
        pair="guest-breakdown",
    ),
    case(
        "guest-start-sh-no-x-bit",
        "not_executable",
        "runc: exec of a script without the x bit; containerd says StartError and 128",
        pod(
            container(
                ended(
                    128,
                    at=-5,
                    began=-5,
                    reason="StartError",
                    message='failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/workspace/start.sh": permission denied: unknown',
                ),
                command=("/workspace/start.sh",),
            ),
            events=[
                event(
                    "Failed",
                    'Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/workspace/start.sh": permission denied: unknown',
                    at=-5,
                )
            ],
        ),
        never=("permission_denied", "bad_command", "container_create_failed"),
    ),
]
