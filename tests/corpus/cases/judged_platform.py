"""Platform, as the evaluation suites of others inject it: whole incidents by the first of two authors who had not seen the rules."""

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
    on_owner,
    past,
    pod,
    quota,
    running,
    stuck,
    unscheduled,
)

SERVING = job("Degraded", kind="Inference", since=-20, created=-60)
WAITING = job("Pending", since=-45, created=-45, gpus=8)
START = job("Initializing", since=-28, created=-30)
HELP = " preemption: 0/12 nodes are available: 12 Preemption is not helpful for scheduling."

CASES: list[LabelledCase] = [
    case(
        "judged-holmes-09-crashpod",
        "bad_command",
        "HolmesGPT 09_crashpod: the command is `wge`, containerd: executable file not found in $PATH",
        looping(
            128,
            "",
            reason="StartError",
            events=[
                event(
                    "Failed",
                    'Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "wge": executable file not found in $PATH: unknown',
                    count=7,
                )
            ],
        ),
        job=SERVING,
        never=("missing_file", "container_create_failed"),
        pair="judged-not-found",
    ),
    case(
        "judged-holmes-13a-node-selector",
        "node_selector_mismatch",
        "HolmesGPT 13a_pending_node_selector_basic, SREGym assign_non_existent_node",
        unscheduled("0/12 nodes are available: 12 node(s) didn't match Pod's node affinity/selector." + HELP),
        job=WAITING,
        never=("insufficient_gpu", "affinity_conflict"),
    ),
    case(
        "judged-holmes-17-oom-loop",
        "container_oom",
        "HolmesGPT 17_oom_kill: a memory-eating service is OOMKilled again and again, its log ends in the middle",
        looping(
            137,
            """
INFO:     Started server process [1]
INFO:     Waiting for application startup.
loading index shard 1/16 ... ok (3.9 GiB)
loading index shard 2/16 ... ok (3.9 GiB)
loading index shard 3/16 ...
""",
            reason="OOMKilled",
            memory="8Gi",
        ),
        job=SERVING,
        never=("killed_by_signal", "probe_failed"),
    ),
    case(
        "judged-holmes-24-storageclass",
        "pvc_unbound",
        "HolmesGPT 24_misconfigured_pvc: the claim waits for a storage class that does not exist",
        unscheduled("0/12 nodes are available: pod has unbound immediate PersistentVolumeClaims." + HELP),
        events=[
            event(
                "ProvisioningFailed",
                'storageclass.storage.k8s.io "standard-ssd" not found',
                at=-1,
                count=120,
                source="persistentvolume-controller",
                on=("PersistentVolumeClaim", "redis-data"),
            )
        ],
        objects=[claim("redis-data", storage_class="standard-ssd")],
        job=WAITING,
        never=("pvc_not_found", "insufficient_gpu"),
        pair="judged-claims",
    ),
    case(
        "judged-sregym-pvc-claim-mismatch",
        "pvc_not_found",
        "SREGym pvc_claim_mismatch: the template names `<claim>-broken`",
        unscheduled('0/12 nodes are available: persistentvolumeclaim "mongodb-rate-broken" not found.' + HELP),
        objects=[claim("mongodb-rate", phase="Bound", volume="pvc-9f31")],
        job=WAITING,
        never=("pvc_unbound",),
        pair="judged-claims",
    ),
    case(
        "judged-sregym-pv-affinity",
        "volume_zone_conflict",
        "SREGym persistent_volume_affinity_violation: the volume is bound to another node",
        unscheduled(
            "0/12 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 9 node(s) had volume node affinity conflict."
            + HELP
        ),
        objects=[claim("ckpt-local", phase="Bound", storage_class="local-nvme", volume="local-pv-41")],
        job=WAITING,
        never=("untolerated_taint", "affinity_conflict"),
        pair="judged-claims",
    ),
    case(
        "judged-sregym-multi-attach",
        "volume_in_use",
        "SREGym duplicate_pvc_mounts: a ReadWriteOnce volume on a second node",
        creating(
            event(
                "Scheduled",
                f"Successfully assigned runai-vision/{JOB}-0-0 to gpu-07",
                kind="Normal",
                at=-29,
                source="runai-scheduler",
            ),
            event(
                "FailedAttachVolume",
                'Multi-Attach error for volume "pvc-2c0d8a31-6f0e-4d63-9f44-1c6b1f7a2a0e" Volume is already exclusively attached to one node and can\'t be attached to another',
                at=-28.5,
                source="attachdetach-controller",
            ),
            event(
                "FailedMount",
                "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data kube-api-access-x7k2p]: timed out waiting for the condition",
                at=-2,
                count=11,
            ),
        ),
        job=START,
        never=("volume_mount_failed", "storage_unresponsive"),
    ),
    case(
        "judged-holmes-82-anti-affinity",
        "affinity_conflict",
        "HolmesGPT 82_pod_anti_affinity_conflict, SREGym pod_anti_affinity_deadlock",
        unscheduled(
            "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
        ),
        job=WAITING,
        never=("node_selector_mismatch",),
    ),
    case(
        "judged-holmes-83-secret",
        "missing_secret",
        "HolmesGPT 83_secret_not_found: CreateContainerConfigError",
        stuck(
            "CreateContainerConfigError",
            'secret "db-credentials-v2" not found',
            events=[event("Failed", 'Error: secret "db-credentials-v2" not found', count=140, at=-1)],
        ),
        job=START,
        never=("missing_configmap", "container_create_failed"),
        pair="judged-config",
    ),
    case(
        "judged-holmes-79-config-key",
        "missing_config_key",
        "HolmesGPT 79_configmap_mount_issue: the configMap is there, the key is not",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "config" : configmap references non-existent config key: app-config.yaml',
                at=-1,
                count=22,
            ),
        ),
        job=START,
        never=("missing_configmap", "volume_mount_failed"),
        pair="judged-config",
    ),
    case(
        "judged-holmes-81-service-account",
        ("credential_rejected", "permission_denied"),
        "HolmesGPT 81_service_account_permission_denied: the API server answers 403; its answer ended the process, though an RBAC refusal is also called permission",
        crashed(
            1,
            """
2026-03-01 02:51:00,114 - launcher - INFO - listing worker pods of experiment exp-31
Traceback (most recent call last):
  File "/app/launcher.py", line 58, in <module>
    pods = v1.list_namespaced_pod(namespace="runai-vision", label_selector="exp=exp-31")
  File "/usr/local/lib/python3.11/site-packages/kubernetes/client/rest.py", line 238, in request
    raise ApiException(http_resp=r)
kubernetes.client.exceptions.ApiException: (403)
Reason: Forbidden
HTTP response headers: HTTPHeaderDict({'Audit-Id': '0a6fb0c1', 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff'})
HTTP response body: {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden: User \\"system:serviceaccount:runai-vision:default\\" cannot list resource \\"pods\\" in API group \\"\\" in the namespace \\"runai-vision\\"","reason":"Forbidden","details":{"kind":"pods"},"code":403}
""",
            gpus=0,
        ),
        pair="judged-denied",
    ),
    case(
        "judged-sregym-missing-env",
        "invalid_arguments",
        "SREGym missing_env_variable: a Go service stops because an environment variable is not set",
        looping(
            2,
            """
{"message":"Tracing disabled.","severity":"info","timestamp":"2026-03-01T02:55:01.101231Z"}
{"message":"Profiling disabled.","severity":"info","timestamp":"2026-03-01T02:55:01.101299Z"}
panic: environment variable "PRODUCT_CATALOG_SERVICE_ADDR" not set

goroutine 1 [running]:
main.mustMapEnv(0xc0002a6050, {0xb2d3e1, 0x1c})
	/src/main.go:231 +0xa5
main.main()
	/src/main.go:118 +0x40c
""",
            gpus=0,
        ),
        job=SERVING,
        never=("application_error", "missing_config_key"),
    ),
    case(
        "judged-sregym-taint",
        "untolerated_taint",
        "SREGym taint_no_toleration, in the words of the Run:ai scheduler",
        unscheduled(
            "no nodes with enough resources were found: 9 node(s) had untolerated taint {sre-fault: blocked}. 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }."
        ),
        job=WAITING,
        never=("node_selector_mismatch", "insufficient_gpu"),
    ),
    case(
        "judged-sregym-liveness",
        "probe_failed",
        "SREGym liveness_probe_too_aggressive: kubelet kills a server that is still loading; 137 is the end of the grace period",
        looping(
            137,
            """
2026-03-01 02:53:01.221 INFO 1 --- [main] c.a.s.ScorerApplication : Starting ScorerApplication using Java 17.0.9 with PID 1
2026-03-01 02:53:09.870 INFO 1 --- [main] c.a.s.ModelLoader : loading 14 models from /models
""",
            events=[
                event(
                    "Unhealthy",
                    'Liveness probe failed: Get "http://10.244.2.19:8080/healthz": dial tcp 10.244.2.19:8080: connect: connection refused',
                    count=18,
                    at=-2.2,
                ),
                event(
                    "Killing",
                    "Container main failed liveness probe, will be restarted",
                    kind="Normal",
                    count=6,
                    at=-2.1,
                ),
            ],
        ),
        job=SERVING,
        never=("killed_by_signal", "connection_refused", "container_oom"),
        pair="judged-exit-137",
    ),
    case(
        "judged-sregym-request-too-large",
        "insufficient_memory",
        "SREGym resource_request_too_large: the memory request fits on no node",
        unscheduled(
            "0/12 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 9 Insufficient memory."
            + HELP
        ),
        job=job("Pending", since=-45, created=-45, memory="4000Gi"),
        never=("untolerated_taint", "insufficient_gpu", "container_oom"),
    ),
    case(
        "judged-kai-306-outofmemory",
        "insufficient_memory",
        "KAI-Scheduler#306: placed by GPU, kubelet rejected the pod as OutOfmemory: nothing ran and nothing was killed",
        pod(
            container(None),
            phase="Failed",
            reason="OutOfmemory",
            message="Pod was rejected: Node didn't have enough resource: memory, requested: 2147483648, used: 32290433792, capacity: 32457011200",
            events=[
                event(
                    "OutOfmemory",
                    "Node didn't have enough resource: memory, requested: 2147483648, used: 32290433792, capacity: 32457011200",
                    at=-5,
                )
            ],
        ),
        never=("container_oom", "node_memory_eviction"),
    ),
    case(
        "judged-sregym-namespace-limit",
        "namespace_quota_exceeded",
        "SREGym namespace_memory_limit: ResourceQuota refuses the pod, so there is none",
        events=[
            on_owner(
                "FailedCreate",
                f'Error creating: pods "{JOB}-0-0" is forbidden: exceeded quota: memory-limit-quota, requested: limits.memory=64Gi, used: limits.memory=8Gi, limited: limits.memory=64Gi',
                kind="Warning",
                count=14,
                at=-1,
            )
        ],
        objects=[quota("memory-limit-quota", {"limits.memory": "64Gi"}, {"limits.memory": "8Gi"})],
        job=job("Pending", since=-45, created=-45),
        never=("project_over_quota", "insufficient_memory"),
        pair="judged-quota",
    ),
    case(
        "judged-runai-non-preemptible",
        "project_over_quota",
        "Run:ai: a non-preemptible workload above the project's quota",
        unscheduled(
            "Workload requested 8 GPUs, but vision quota is 8 GPUs, while 4 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota",
            reason="NonPreemptibleOverQuota",
        ),
        job=job(
            "Pending",
            since=-45,
            created=-45,
            gpus=8,
            preemptible=False,
            pending=[
                (
                    "NonPreemptibleOverQuota",
                    "Non-preemptible over quota",
                    "Workload requested 8 GPUs, but vision quota is 8 GPUs, while 4 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota",
                )
            ],
        ),
        never=("insufficient_gpu", "namespace_quota_exceeded"),
        pair="judged-quota",
    ),
    case(
        "judged-sregym-dns-policy",
        "dns_failure",
        "SREGym wrong_dns_policy: a Go service resolves cluster names at 8.8.8.8",
        looping(
            1,
            """
{"level":"info","time":"2026-03-01T02:55:00Z","message":"Initializing jaeger agent [service name: rate | host: jaeger:6831]..."}
{"level":"info","time":"2026-03-01T02:55:00Z","message":"Read database URL: mongodb-rate:27017"}
{"level":"info","time":"2026-03-01T02:55:00Z","message":"Initializing DB connection..."}
{"level":"panic","error":"server selection error: server selection timeout, current topology: { Type: Unknown, Servers: [{ Addr: mongodb-rate:27017, Type: Unknown, Last error: dial tcp: lookup mongodb-rate on 8.8.8.8:53: no such host }, ] }","time":"2026-03-01T02:55:30Z","message":"Got error while initializing DB session"}
""",
            gpus=0,
        ),
        job=SERVING,
        never=("connection_timeout", "application_error"),
    ),
    case(
        "judged-aiopslab-mongo-auth",
        "credential_rejected",
        "AIOpsLab/SREGym revoke_auth_mongodb: authentication failed ended the service",
        looping(
            1,
            """
2026-03-01T02:55:01Z INF cmd/geo/main.go:41 > Reading config...
2026-03-01T02:55:01Z INF cmd/geo/main.go:45 > Read database URL: mongodb-geo:27017
2026-03-01T02:55:01Z INF cmd/geo/db.go:31 > New session successfull...
2026-03-01T02:55:02Z FTL cmd/geo/db.go:44 > connection() error occurred during connection handshake: auth error: sasl conversation error: unable to authenticate using mechanism "SCRAM-SHA-256": (AuthenticationFailed) Authentication failed.
""",
            gpus=0,
        ),
        job=SERVING,
        never=("connection_refused", "permission_denied", "missing_secret"),
        pair="judged-denied",
    ),
    case(
        "judged-sregym-kubelet-crash",
        ("node_lost", "node_not_ready"),
        "SREGym kubelet_crash: the node stopped posting status and the pod is being deleted by the taint: lost or not ready, both hold",
        pod(
            container(running(-300), log="step 12000 loss 1.71\n"),
            created=-305,
            deleting=True,
            events=[
                event("NodeNotReady", "Node is not ready", at=-9, source="node-controller"),
                event(
                    "TaintManagerEviction",
                    f"Marking for deletion Pod runai-vision/{JOB}-0-0",
                    kind="Normal",
                    at=-4,
                    source="taint-eviction-controller",
                ),
            ],
        ),
        objects=[node(ready="Unknown", taints=[("node.kubernetes.io/unreachable", "NoExecute")])],
        job=job("Running", since=-300, created=-305),
        never=("healthy", "preempted"),
    ),
    case(
        "judged-itbench-manifest-unknown",
        "image_not_found",
        "ITBench/SREGym incorrect_image: manifest unknown",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "ghcr.io/acme/trainer:v2.13.7-typo"',
            image="ghcr.io/acme/trainer:v2.13.7-typo",
            events=[
                event(
                    "Failed",
                    'Failed to pull image "ghcr.io/acme/trainer:v2.13.7-typo": rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/acme/trainer:v2.13.7-typo": failed to resolve reference "ghcr.io/acme/trainer:v2.13.7-typo": ghcr.io/acme/trainer:v2.13.7-typo: not found',
                    count=6,
                )
            ],
        ),
        job=START,
        never=("image_auth_failed", "registry_unreachable"),
        pair="judged-pull",
    ),
    case(
        "judged-pull-timeout-behind-proxy",
        "registry_unreachable",
        "kubelet: dial tcp i/o timeout to the registry",
        stuck(
            "ErrImagePull",
            'failed to pull and unpack image "registry-1.docker.io/vllm/vllm-openai:v0.8.4": failed to resolve reference "docker.io/vllm/vllm-openai:v0.8.4": failed to do request: Head "https://registry-1.docker.io/v2/vllm/vllm-openai/manifests/v0.8.4": dial tcp 54.198.86.24:443: i/o timeout',
            image="vllm/vllm-openai:v0.8.4",
            events=[
                event("Pulling", 'Pulling image "vllm/vllm-openai:v0.8.4"', kind="Normal", at=-6, count=5),
                event("Failed", "Error: ErrImagePull", count=5),
            ],
        ),
        job=START,
        never=("image_not_found", "connection_timeout"),
        pair="judged-pull",
    ),
    case(
        "judged-pull-toomanyrequests",
        "registry_rate_limited",
        "Docker Hub: toomanyrequests, unauthenticated pull rate limit",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime"',
            image="pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime",
            events=[
                event(
                    "Failed",
                    'Failed to pull image "pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime": failed to pull and unpack image "docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/pytorch/pytorch/manifests/sha256:11691e035a3651d25a87116b4f6adc113a27a29d8f5a6a583f8569e0ee5ff897: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
                    count=4,
                )
            ],
        ),
        job=START,
        never=("rate_limited", "registry_unreachable"),
        pair="judged-pull",
    ),
    case(
        "judged-kai-577-gang",
        "gang_unschedulable",
        "KAI-Scheduler#577: Resources were found for 5 pods while 17 are required",
        *(
            unscheduled(
                "Resources were found for 5 pods while 17 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found: 12 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0", "worker-1")
        ),
        job=distributed("Pending", workers=17, since=-45, created=-45),
        never=("insufficient_gpu", "gpu_fragmentation"),
        pair="judged-gang",
    ),
    case(
        "judged-runai-none-of-the-gang",
        "insufficient_gpu",
        "Run:ai/KAI: no pod of the group could be placed, all nodes lack GPUs",
        *(
            unscheduled(
                f"Resources were not found for pod runai-vision/{JOB}-{rank} due to: no nodes with enough resources were found: 12 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0")
        ),
        job=distributed("Pending", workers=2, since=-45, created=-45),
        never=("gang_unschedulable", "pending_normally"),
        pair="judged-gang",
    ),
    case(
        "judged-runai-reclaimed",
        "preempted",
        "Run:ai over quota: the pod was reclaimed for another project's deserved quota, the log shows SIGTERM and 143",
        pod(
            container(
                ended(143, at=-12),
                log="""
{'loss': 1.882, 'grad_norm': 0.41, 'learning_rate': 8.1e-06, 'epoch': 1.32}
W0301 02:48:00.100000 1 torch/distributed/elastic/agent/server/api.py:704] Received 15 death signal, shutting down workers
torch.distributed.elastic.multiprocessing.api.SignalException: Process 1 got signal: 15
""",
            ),
            phase="Failed",
            deleting=True,
            events=[event("Killing", "Stopping container main", kind="Normal", at=-12.2)],
        ),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{JOB}-0-0 was reclaimed by workload runai-nlp/pretrain-7b (queue nlp is below its deserved quota)",
                at=-12.3,
            )
        ],
        history=past(("Creating", -300), ("Running", -290), ("Pending", -12)),
        job=job("Pending", since=-12, created=-300),
        never=("killed_by_signal", "python_exception", "pending_normally"),
        pair="judged-exit-143",
    ),
    case(
        "judged-nvidia-container-cli-timeout",
        "container_create_failed",
        "nvidia-docker#1648/#1691: the prestart hook of nvidia-container-cli: driver rpc error: timed out",
        stuck(
            "RunContainerError",
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running hook #0: error running hook: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: initialization error: driver rpc error: timed out: unknown",
            events=[
                event(
                    "Failed",
                    "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running hook #0: error running hook: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: initialization error: driver rpc error: timed out: unknown",
                    count=9,
                )
            ],
        ),
        job=START,
        never=("bad_command", "not_executable", "connection_timeout"),
    ),
    case(
        "judged-device-plugin-unhealthy",
        "device_plugin_failed",
        "k8s-device-plugin: UnexpectedAdmissionError, no healthy devices present",
        pod(
            container(None),
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
            events=[
                event(
                    "UnexpectedAdmissionError",
                    "Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
                )
            ],
        ),
        never=("insufficient_gpu", "gpu_hardware_fault"),
    ),
    case(
        "judged-calico-sandbox",
        "network_plugin_failed",
        "SREGym calico problems: FailedCreatePodSandBox, plugin type calico failed (add)",
        creating(
            event(
                "FailedCreatePodSandBox",
                'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "5d0a6cc1c1fd3f0a": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized',
                count=41,
                at=-1,
            )
        ),
        job=START,
        never=("credential_rejected", "container_create_failed"),
    ),
    case(
        "judged-nfs-access-denied-by-server",
        "volume_mount_failed",
        "k8sgpt/HolmesGPT FailedMount: mount.nfs: access denied by server while mounting: the mount is refused, nothing hangs",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "nfs-datasets" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs -o nfsvers=4.1,hard 10.20.0.5:/export/datasets /var/lib/kubelet/pods/5a0c/volumes/kubernetes.io~nfs/nfs-datasets\nOutput: mount.nfs: access denied by server while mounting 10.20.0.5:/export/datasets',
                at=-1,
                count=19,
            )
        ),
        job=START,
        never=("storage_unresponsive", "permission_denied", "credential_rejected", "pvc_not_found"),
    ),
    case(
        "judged-exec-format-error",
        "wrong_architecture",
        "an arm64 image built on a laptop: exec /usr/local/bin/python: exec format error, exit 255",
        looping(255, "exec /usr/local/bin/python: exec format error\n"),
        job=SERVING,
        never=("bad_command", "not_executable", "application_error"),
    ),
]
