"""Platform: whole incidents by the second of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import (
    JOB,
    claim,
    container,
    crashed,
    creating,
    distributed,
    ended,
    event,
    job,
    looping,
    node,
    on_group,
    on_node,
    on_owner,
    past,
    pod,
    quota,
    running,
    stuck,
    unscheduled,
)

INIT = job("Initializing", since=-28, created=-30)

CASES: list[LabelledCase] = [
    # --- platform -----------------------------------------------------------------------------------------------------
    case(
        "judged-sandbox-no-nvidia-runtime",
        ("network_plugin_failed", "container_create_failed"),
        "gpu-operator#549: FailedCreatePodSandBox, no runtime for nvidia: a sandbox failure by its row, a runtime failure by its nature",
        creating(
            event(
                "FailedCreatePodSandBox",
                'Failed to create pod sandbox: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing dial unix /run/containerd/containerd.sock: connect: connection refused"',
                at=-27,
            ),
            event(
                "FailedCreatePodSandBox",
                'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "nvidia" is configured',
                at=-1,
                count=93,
            ),
        ),
        job=INIT,
        never=("connection_refused", "device_plugin_failed"),
    ),
    case(
        "judged-cni-calico-unauthorized",
        "network_plugin_failed",
        "calico issues: plugin type=calico failed (add): connection is unauthorized",
        creating(
            event(
                "FailedCreatePodSandBox",
                'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "5f0d1a": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized',
                at=-1,
                count=118,
            ),
        ),
        job=INIT,
        never=("credential_rejected", "container_create_failed"),
    ),
    case(
        "judged-kai-gang-5-of-17",
        "gang_unschedulable",
        "KAI-Scheduler#577: resources for 5 pods while 17 are required for gang scheduling",
        *(
            unscheduled(
                "Resources were found for 5 pods while 17 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found: 12 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0", "worker-1")
        ),
        job=distributed("Pending", workers=17, since=-45, created=-45),
        never=("insufficient_gpu", "gpu_fragmentation"),
        consequences=("insufficient_gpu",),
    ),
    case(
        "judged-kubelet-outofmemory",
        "insufficient_memory",
        "KAI-Scheduler#306: kubelet rejected the pod, Reason OutOfmemory: a matter of requests, nothing was killed",
        pod(
            phase="Failed",
            reason="OutOfmemory",
            message="Pod was rejected: Node didn't have enough resource: memory, requested: 2147483648, used: 32290433792, capacity: 32457011200",
            created=-12,
            events=[
                event(
                    "OutOfmemory",
                    "Node didn't have enough resource: memory, requested: 2147483648, used: 32290433792, capacity: 32457011200",
                    at=-11,
                )
            ],
        ),
        job=job("Failed", since=-11, created=-12),
        never=("container_oom", "node_memory_eviction"),
    ),
    case(
        "judged-unexpected-admission-no-healthy",
        "device_plugin_failed",
        "k8s-device-plugin issues: UnexpectedAdmissionError, no healthy devices present",
        pod(
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
            created=-9,
            events=[
                event(
                    "UnexpectedAdmissionError",
                    "Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
                    at=-8,
                )
            ],
        ),
        job=job("Failed", since=-8, created=-10),
        never=("insufficient_gpu", "no_gpu_visible"),
    ),
    case(
        "judged-podsecurity-restricted",
        "security_context_denied",
        "netdata guide / Kubernetes docs: FailedCreate, violates PodSecurity restricted",
        job=job("Initializing", since=-20, created=-21),
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true',
                at=-1,
                count=14,
            )
        ],
        never=("permission_denied", "namespace_quota_exceeded", "pending_normally"),
        pair="judged-forbidden",
    ),
    case(
        "judged-exceeded-compute-quota",
        "namespace_quota_exceeded",
        "Kubernetes docs: FailedCreate, exceeded quota on requests.memory",
        job=job("Initializing", since=-20, created=-21),
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: exceeded quota: compute, requested: requests.memory=64Gi, used: requests.memory=480Gi, limited: requests.memory=512Gi',
                at=-1,
                count=9,
            )
        ],
        objects=[quota("compute", {"requests.memory": "512Gi"}, {"requests.memory": "480Gi"})],
        never=("project_over_quota", "insufficient_memory", "security_context_denied"),
        pair="judged-forbidden",
    ),
    case(
        "judged-emptydir-limit",
        "ephemeral_storage_exceeded",
        "kubelet eviction message of an emptyDir over its own limit",
        pod(
            container(ended(137, at=-6), log="Map:  71%|███████   | 710000/1000000 [12:01<04:55, 984.10 examples/s]\n"),
            phase="Failed",
            reason="Evicted",
            message='Usage of EmptyDir volume "scratch" exceeds the limit "50Gi". ',
            events=[event("Evicted", 'Usage of EmptyDir volume "scratch" exceeds the limit "50Gi". ', at=-6)],
        ),
        never=("disk_full", "node_disk_pressure", "killed_by_signal"),
        pair="judged-evicted",
    ),
    case(
        "judged-node-low-ephemeral",
        "node_disk_pressure",
        "kubelet: The node was low on resource: ephemeral-storage; taint and condition on the node",
        pod(
            container(ended(137, at=-6), log="step 300 loss 2.2\n"),
            phase="Failed",
            reason="Evicted",
            message="The node was low on resource: ephemeral-storage. Threshold quantity: 94366150656, available: 90112004Ki. Container main was using 1204Ki, request is 0, has larger consumption of ephemeral-storage. ",
            events=[
                event(
                    "Evicted",
                    "The node was low on resource: ephemeral-storage. Threshold quantity: 94366150656, available: 90112004Ki. ",
                    at=-6,
                )
            ],
        ),
        objects=[
            node(
                conditions=[("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")],
                taints=[("node.kubernetes.io/disk-pressure", "NoSchedule")],
            )
        ],
        never=("ephemeral_storage_exceeded", "disk_full", "killed_by_signal"),
        pair="judged-evicted",
    ),
    case(
        "judged-imminent-shutdown",
        "node_shutdown",
        "kubelet graceful node shutdown: Pod was terminated in response to imminent node shutdown",
        pod(
            container(ended(143, at=-8), log="step 9911 loss 1.71\nSIGTERM received, saving emergency checkpoint\n"),
            phase="Failed",
            reason="Terminated",
            message="Pod was terminated in response to imminent node shutdown.",
            events=[event("Killing", "Stopping container main", kind="Normal", at=-8.5)],
        ),
        never=("killed_by_signal", "preempted"),
    ),
    case(
        "judged-node-silent",
        ("node_lost", "node_not_ready"),
        "node controller: NodeNotReady, Ready Unknown, taint unreachable; both identifiers describe a silent node",
        pod(
            container(running(-200), log="step 1710 loss 2.01\n"),
            created=-205,
            conditions=[{"type": "Ready", "status": "False", "reason": "NodeNotReady"}],
            events=[event("NodeNotReady", "Node is not ready", at=-8, source="node-controller")],
        ),
        events=[
            on_node(
                "NodeNotReady",
                "Node gpu-07 status is now: NodeNotReady",
                at=-8,
                kind="Normal",
                source="node-controller",
            )
        ],
        objects=[
            node(
                ready="Unknown",
                taints=[
                    ("node.kubernetes.io/unreachable", "NoSchedule"),
                    ("node.kubernetes.io/unreachable", "NoExecute"),
                ],
            )
        ],
        job=job("Degraded", since=-8, created=-206),
        never=("healthy", "insufficient_evidence"),
    ),
    case(
        "judged-dockerhub-toomanyrequests",
        "registry_rate_limited",
        "Docker Hub: toomanyrequests, pull rate limit",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime": ErrImagePull: failed to pull and unpack image "docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/pytorch/pytorch/manifests/sha256:11691e: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
            image="pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime",
        ),
        job=INIT,
        never=("rate_limited", "image_auth_failed"),
    ),
    case(
        "judged-pull-denied-without-secret",
        "image_auth_failed",
        "registry answers both readings; no pull secret is set: causes.md's closing note",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "acme/llm-train:v3": ErrImagePull: failed to pull and unpack image "docker.io/acme/llm-train:v3": failed to resolve reference "docker.io/acme/llm-train:v3": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
            image="acme/llm-train:v3",
            pull_secret=False,
        ),
        job=INIT,
        never=("credential_rejected",),
        pair="judged-pull-denied",
    ),
    case(
        "judged-pull-denied-with-secret",
        "image_not_found",
        "the same answer with a pull secret in the pod: causes.md's closing note",
        stuck(
            "ErrImagePull",
            'failed to pull and unpack image "docker.io/acme/llm-trian:v3": failed to resolve reference "docker.io/acme/llm-trian:v3": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
            image="acme/llm-trian:v3",
            events=[
                event(
                    "Failed",
                    'Failed to pull image "acme/llm-trian:v3": failed to resolve reference "docker.io/acme/llm-trian:v3": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
                    count=4,
                )
            ],
        ),
        job=INIT,
        never=("invalid_image_name",),
        pair="judged-pull-denied",
    ),
    case(
        "judged-harbor-io-timeout",
        "registry_unreachable",
        "containerd: dial tcp i/o timeout to a private Harbor; seen only in the event, the state has gone to back-off",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "harbor.corp.example/ml/train:1.9"',
            image="harbor.corp.example/ml/train:1.9",
            events=[
                event("Pulling", 'Pulling image "harbor.corp.example/ml/train:1.9"', kind="Normal", at=-3, count=7),
                event(
                    "Failed",
                    'Failed to pull image "harbor.corp.example/ml/train:1.9": failed to pull and unpack image "harbor.corp.example/ml/train:1.9": failed to resolve reference "harbor.corp.example/ml/train:1.9": failed to do request: Head "https://harbor.corp.example/v2/ml/train/manifests/1.9": dial tcp 10.9.8.7:443: i/o timeout',
                    at=-2.5,
                    count=7,
                ),
                event(
                    "BackOff",
                    'Back-off pulling image "harbor.corp.example/ml/train:1.9"',
                    kind="Normal",
                    at=-1,
                    count=80,
                ),
            ],
        ),
        job=INIT,
        never=("connection_timeout", "image_not_found"),
    ),
    case(
        "judged-config-key",
        "missing_config_key",
        "kubelet: CreateContainerConfigError couldn't find key",
        stuck(
            "CreateContainerConfigError",
            "couldn't find key WANDB_API_KEY in Secret runai-vision/wandb",
        ),
        job=INIT,
        never=("missing_secret", "missing_configmap"),
        pair="judged-secret",
    ),
    case(
        "judged-secret-volume",
        "missing_secret",
        "FailedMount: secret not found, with the timeout message repeated after it",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "gcp-sa" : secret "vertex-sa" not found',
                at=-1,
                count=20,
            ),
            event(
                "FailedMount",
                "Unable to attach or mount volumes: unmounted volumes=[gcp-sa], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition",
                at=-4,
                count=3,
            ),
        ),
        job=INIT,
        never=("volume_mount_failed", "storage_unresponsive"),
        pair="judged-secret",
    ),
    case(
        "judged-cephfs-deadline",
        "storage_unresponsive",
        "rook/ceph-csi issues: MountDevice DeadlineExceeded, then 'an operation with the given Volume ID already exists'",
        creating(
            event(
                "FailedMount",
                'MountVolume.MountDevice failed for volume "pvc-8c01" : rpc error: code = DeadlineExceeded desc = context deadline exceeded',
                at=-24,
                count=2,
            ),
            event(
                "FailedMount",
                'MountVolume.MountDevice failed for volume "pvc-8c01" : rpc error: code = Aborted desc = an operation with the given Volume ID 0001-0009-rook-ceph-8c01 already exists',
                at=-1,
                count=16,
            ),
        ),
        objects=[claim("datasets", phase="Bound", storage_class="rook-cephfs", volume="pvc-8c01")],
        job=INIT,
        never=("volume_in_use", "deadline_exceeded"),
    ),
    case(
        "judged-nfs-access-denied",
        "volume_mount_failed",
        "mount.nfs: access denied by server while mounting: exit status 32 of the mount",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "nfs-home" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs -o vers=4.1 filer01:/export/home /var/lib/kubelet/pods/1/volumes/kubernetes.io~nfs/nfs-home\nOutput: mount.nfs: access denied by server while mounting filer01:/export/home',
                at=-1,
                count=21,
            ),
        ),
        job=INIT,
        never=("credential_rejected", "permission_denied", "storage_unresponsive"),
    ),
    case(
        "judged-reclaimed-fair-share",
        "preempted",
        "Run:ai docs, over-quota quick start: team-a's over-quota training is taken back for team-b's quota",
        pod(
            container(ended(143, at=-13), log="step 800 loss 2.4\n[rank0] received signal SIGTERM, exiting\n"),
            deleting=True,
            events=[event("Killing", "Stopping container main", kind="Normal", at=-13.5)],
        ),
        job=job("Pending", since=-13, created=-300),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{JOB}-0-0 was reclaimed by workload runai-speech/b2: project vision is over its fair share in node pool default",
                at=-13.6,
            )
        ],
        history=past(("Creating", -300), ("Running", -290), ("Pending", -13)),
        never=("killed_by_signal", "pending_normally", "insufficient_gpu"),
    ),
    case(
        "judged-nonpreemptible-over-quota",
        "project_over_quota",
        "Run:ai/KAI NonPreemptibleOverQuota message, with free GPUs about",
        unscheduled(
            "Non-preemptible workload is over quota. Workload requested 8 GPUs, but vision quota is 16 GPUs, while 12 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota.",
            reason="NonPreemptibleOverQuota",
        ),
        job=job("Pending", since=-45, created=-45, gpus=8, preemptible=False, kind="Workspace"),
        never=("insufficient_gpu", "namespace_quota_exceeded"),
    ),
    case(
        "judged-vllm-startup-probe",
        "probe_failed",
        "vLLM on Kubernetes: the startup probe gives up while weights are still loading; kubelet kills with 137",
        looping(
            137,
            """
            INFO 03-01 02:30:01 [api_server.py:1289] vLLM API server version 0.9.0.1
            INFO 03-01 02:30:21 [cuda.py:217] Using Flash Attention backend on V1 engine.
            Loading safetensors checkpoint shards:  60% Completed | 18/30 [08:41<05:50, 29.2s/it]
            Loading safetensors checkpoint shards:  63% Completed | 19/30 [09:10<05:20, 29.1s/it]
            """,
            events=(
                event(
                    "Unhealthy",
                    'Startup probe failed: Get "http://10.244.7.12:8000/health": dial tcp 10.244.7.12:8000: connect: connection refused',
                    at=-3,
                    count=60,
                ),
                event(
                    "Killing", "Container main failed startup probe, will be restarted", kind="Normal", at=-3, count=6
                ),
            ),
        ),
        job=job("Degraded", kind="Inference", since=-50, created=-70),
        never=("connection_refused", "killed_by_signal", "container_oom"),
        pair="judged-exit-137",
    ),
    case(
        "judged-toolkit-cuda-requirement",
        "cuda_driver_mismatch",
        "nvidia-container-toolkit: unsatisfied condition cuda>=12.6, please update your driver; containerd says StartError",
        crashed(
            128,
            reason="StartError",
            message="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.6, please update your driver to a newer version, or use an earlier cuda container: unknown",
        ),
        never=("bad_command", "container_create_failed", "not_executable"),
    ),
]
