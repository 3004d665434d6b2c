"""Scheduler, quotas, registries, kubelet, admission and nodes, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    JOB,
    container,
    crashed,
    distributed,
    ended,
    event,
    job,
    looping,
    node,
    on_node,
    on_owner,
    pod,
    quota,
    running,
    stuck,
    unscheduled,
    waiting,
)

WAITING = job("Pending", since=-45, created=-45, gpus=8)
STARTING = job("Initializing", since=-28, created=-30)
POD = f"{JOB}-0-0"

CASES = [
    # --- no GPU, and no GPUs together --------------------------------------------------------------------------------
    case(
        "peers-eight-asked-all-used",
        "insufficient_gpu",
        "KAI fit errors (pod fit error tests): used equals capacity on every node",
        unscheduled(
            f"Resources were not found for pod runai-vision/{POD} due to: \n"
            "<gpu-00>: Node didn't have enough resources: GPUs, requested: 8, used: 8, capacity: 8.\n"
            "<gpu-01>: Node didn't have enough resources: GPUs, requested: 8, used: 8, capacity: 8.\n"
            "<gpu-02>: Node didn't have enough resources: GPUs, requested: 8, used: 8, capacity: 8."
        ),
        objects=[node("gpu-00"), node("gpu-01"), node("gpu-02")],
        job=WAITING,
        never=("gpu_fragmentation", "pending_normally"),
        pair="peers-placement",
    ),
    case(
        "peers-eight-asked-five-and-four-free",
        "gpu_fragmentation",
        "KAI fit errors: 5 + 4 + 3 GPUs free, never eight on one node",
        unscheduled(
            f"Resources were not found for pod runai-vision/{POD} due to: \n"
            "<gpu-00>: Node didn't have enough resources: GPUs, requested: 8, used: 3, capacity: 8.\n"
            "<gpu-01>: Node didn't have enough resources: GPUs, requested: 8, used: 4, capacity: 8.\n"
            "<gpu-02>: Node didn't have enough resources: GPUs, requested: 8, used: 5, capacity: 8."
        ),
        objects=[node("gpu-00"), node("gpu-01"), node("gpu-02")],
        job=WAITING,
        never=("insufficient_gpu", "pending_normally"),
        pair="peers-placement",
    ),
    # --- the gang ----------------------------------------------------------------------------------------------------
    case(
        "peers-gang-three-of-four",
        "gang_unschedulable",
        "KAI podgroup fit error: resources were found for 3 pods while 4 are required; GPUs are what is missing",
        *(
            unscheduled(
                "Resources were found for 3 pods while 4 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0", "worker-1", "worker-2")
        ),
        job=distributed("Pending", workers=4, since=-45, created=-45),
        never=("gpu_fragmentation", "pending_normally"),
        consequences=("insufficient_gpu",),
        pair="peers-gang",
    ),
    case(
        "peers-gang-none-of-four",
        "insufficient_gpu",
        "KAI allocate tests: not one pod of the group could be placed; causes.md then says insufficient_gpu",
        *(
            unscheduled(
                "no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0", "worker-1", "worker-2")
        ),
        job=distributed("Pending", workers=4, since=-45, created=-45),
        never=("gang_unschedulable", "gpu_fragmentation"),
        pair="peers-gang",
    ),
    # --- two kinds of quota ------------------------------------------------------------------------------------------
    case(
        "peers-non-preemptible-over-quota",
        "project_over_quota",
        "KAI GetBuildOverCapacityMessageForQueue, as Run:ai users quote it",
        unscheduled(
            "NonPreemptibleOverQuota: Non-preemptible workload is over quota. Workload requested 8 GPUs, but vision quota is 16 GPUs, while 12 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota.."
        ),
        job=job("Pending", since=-45, created=-45, gpus=8, kind="Workspace", preemptible=False),
        never=("namespace_quota_exceeded", "insufficient_gpu"),
        pair="peers-quota",
    ),
    case(
        "peers-resourcequota-forbids-pod",
        "namespace_quota_exceeded",
        "kubernetes docs/HolmesGPT quota fixture: exceeded quota; the job has no pods at all",
        events=[
            on_owner(
                "FailedCreate",
                f'Error creating: pods "{POD}" is forbidden: exceeded quota: team-gpu, requested: requests.nvidia.com/gpu=8, used: requests.nvidia.com/gpu=28, limited: requests.nvidia.com/gpu=32',
                at=-2,
                count=14,
            )
        ],
        objects=[quota("team-gpu", {"requests.nvidia.com/gpu": "32"}, {"requests.nvidia.com/gpu": "28"})],
        job=job("Creating", since=-40, created=-40, gpus=8),
        never=("project_over_quota", "security_context_denied", "insufficient_gpu", "pending_normally"),
        pair="peers-quota",
    ),
    # --- the registry says neither -----------------------------------------------------------------------------------
    case(
        "peers-pull-denied-no-secret",
        "image_auth_failed",
        "Docker Hub: repository does not exist or may require authorization; no pull secret on the pod: causes.md says auth",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "acmelabs/detector:2.3": ErrImagePull: failed to pull and unpack image "docker.io/acmelabs/detector:2.3": failed to resolve reference "docker.io/acmelabs/detector:2.3": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
            image="acmelabs/detector:2.3",
            pull_secret=False,
            events=[
                event(
                    "Failed",
                    'Failed to pull image "acmelabs/detector:2.3": failed to pull and unpack image "docker.io/acmelabs/detector:2.3": failed to resolve reference "docker.io/acmelabs/detector:2.3": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
                    at=-3,
                    count=6,
                ),
                event("Failed", "Error: ErrImagePull", at=-3, count=6),
            ],
        ),
        job=job("Initializing", since=-28, created=-30, image="acmelabs/detector:2.3"),
        never=("registry_rate_limited", "credential_rejected"),
        pair="peers-pull",
    ),
    case(
        "peers-tag-not-found",
        "image_not_found",
        "HolmesGPT/k8sgpt ImagePullBackOff fixtures: manifest unknown for a tag",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "nvcr.io/nvidia/nemo:25.99": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "nvcr.io/nvidia/nemo:25.99": failed to resolve reference "nvcr.io/nvidia/nemo:25.99": nvcr.io/nvidia/nemo:25.99: not found',
            image="nvcr.io/nvidia/nemo:25.99",
            events=[
                event(
                    "Failed",
                    'Failed to pull image "nvcr.io/nvidia/nemo:25.99": rpc error: code = NotFound desc = failed to pull and unpack image "nvcr.io/nvidia/nemo:25.99": failed to resolve reference "nvcr.io/nvidia/nemo:25.99": nvcr.io/nvidia/nemo:25.99: not found',
                    at=-3,
                    count=6,
                )
            ],
        ),
        job=job("Initializing", since=-28, created=-30, image="nvcr.io/nvidia/nemo:25.99"),
        never=("image_auth_failed", "registry_unreachable"),
        pair="peers-pull",
    ),
    # --- too many requests -------------------------------------------------------------------------------------------
    case(
        "peers-hub-429",
        "rate_limited",
        "huggingface_hub issues: HfHubHTTPError 429 after its retries",
        crashed(
            1,
            """
            Resolving data files:  71%|#######   | 3611/5084 [01:02<00:25, 57.9it/s]
            'HTTP Error 429' thrown while requesting GET https://huggingface.co/api/datasets/acme/webtext/tree/main?recursive=True
            Retrying in 1s [Retry 1/5].
            'HTTP Error 429' thrown while requesting GET https://huggingface.co/api/datasets/acme/webtext/tree/main?recursive=True
            Retrying in 8s [Retry 5/5].
            Traceback (most recent call last):
              File "/workspace/prep.py", line 22, in <module>
                ds = load_dataset("acme/webtext", split="train")
              File "/opt/conda/lib/python3.11/site-packages/huggingface_hub/utils/_http.py", line 409, in hf_raise_for_status
                response.raise_for_status()
              File "/opt/conda/lib/python3.11/site-packages/requests/models.py", line 1024, in raise_for_status
                raise HTTPError(http_error_msg, response=self)
            requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/acme/webtext/tree/main?recursive=True

            The above exception was the direct cause of the following exception:

            huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/acme/webtext/tree/main?recursive=True (Request ID: Root=1-67c2)
            We had to rate limit your IP (203.0.113.10). To continue using our service, create a HF account or login to your existing account, and make sure you pass a HF_TOKEN if you're using the API.
            """,
        ),
        never=("registry_rate_limited", "credential_rejected", "python_exception"),
        pair="peers-429",
    ),
    case(
        "peers-dockerhub-toomanyrequests",
        "registry_rate_limited",
        "Docker Hub's limit, as kubelet prints it",
        stuck(
            "ErrImagePull",
            'failed to pull and unpack image "docker.io/library/python:3.11-slim": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/python/manifests/sha256:1d52838af602b4b5a831beb13a0e4d073280665ea7be7f69ce2382f29c5a613f: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit',
            image="python:3.11-slim",
            pull_secret=False,
        ),
        job=job("Initializing", since=-28, created=-30, image="python:3.11-slim"),
        never=("rate_limited", "image_auth_failed", "registry_unreachable"),
        pair="peers-429",
    ),
    # --- kubelet's admission: the plugin, or the card ----------------------------------------------------------------
    case(
        "peers-admission-none-available",
        "device_plugin_failed",
        "kubernetes#130145: Requested: 1, Available: 0 with all GPUs healthy; stale allocation in kubelet",
        pod(
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Pod was rejected: Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected",
            events=[
                event(
                    "UnexpectedAdmissionError",
                    "Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected",
                    at=-5,
                )
            ],
        ),
        never=("gpu_hardware_fault", "insufficient_gpu", "no_gpu_visible"),
        pair="peers-admission",
    ),
    case(
        "peers-admission-gpu-is-lost",
        "gpu_hardware_fault",
        "NVIDIA/k8s-device-plugin#231, kubernetes#97131: nvml: GPU is lost, with XID 79 on the node ten minutes before",
        pod(
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Pod was rejected: Allocate failed due to device plugin GetPreferredAllocation rpc failed with err: rpc error: code = Unknown desc = Unable to retrieve list of available devices: error creating nvml.Device 5: nvml: GPU is lost, which is unexpected",
            events=[
                event(
                    "UnexpectedAdmissionError",
                    "Allocate failed due to device plugin GetPreferredAllocation rpc failed with err: rpc error: code = Unknown desc = Unable to retrieve list of available devices: error creating nvml.Device 5: nvml: GPU is lost, which is unexpected",
                    at=-5,
                )
            ],
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:cb:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
                at=-15,
            )
        ],
        objects=[node("gpu-07", allocatable=7)],
        never=("insufficient_gpu", "no_gpu_visible"),
        pair="peers-admission",
    ),
    # --- refused by policy, refused by the kernel --------------------------------------------------------------------
    case(
        "peers-run-as-non-root",
        "security_context_denied",
        "kubelet: container has runAsNonRoot and image will run as root (k8sgpt, Komodor)",
        stuck(
            "CreateContainerConfigError",
            f'container has runAsNonRoot and image will run as root (pod: "{POD}_runai-vision(0d2c7f5e-4a8e-5b0f-8a64-0a3f3c0c1d11)", container: main)',
            events=[
                event(
                    "Failed",
                    f'Error: container has runAsNonRoot and image will run as root (pod: "{POD}_runai-vision(0d2c7f5e-4a8e-5b0f-8a64-0a3f3c0c1d11)", container: main)',
                    at=-1,
                    count=22,
                )
            ],
        ),
        job=STARTING,
        never=("permission_denied", "missing_configmap", "container_create_failed"),
        pair="peers-root",
    ),
    case(
        "peers-nginx-bind-80",
        "permission_denied",
        "nginx as non-root on port 80: bind() 13 Permission denied",
        looping(
            1,
            """
            /docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration
            10-listen-on-ipv6-by-default.sh: info: can not modify /etc/nginx/conf.d/default.conf (read-only file system?)
            /docker-entrypoint.sh: Configuration complete; ready for start up
            2026/03/01 02:57:40 [warn] 1#1: the "user" directive makes sense only if the master process runs with super-user privileges, ignored in /etc/nginx/nginx.conf:2
            2026/03/01 02:57:40 [emerg] 1#1: bind() to 0.0.0.0:80 failed (13: Permission denied)
            nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)
            """,
            gpus=0,
        ),
        job=job("Degraded", kind="Inference", since=-20, gpus=0),
        never=("security_context_denied", "read_only_filesystem", "credential_rejected", "application_error"),
        pair="peers-root",
    ),
    # === platform ====================================================================================================
    case(
        "peers-istio-webhook-deadline",
        "connection_timeout",
        "istio#43593: failed calling webhook, Post istiod:443 context deadline exceeded; no pod exists, no policy refused it",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": failed to call webhook: Post "https://istiod.istio-system.svc:443/inject?timeout=10s": context deadline exceeded',
                at=-2,
                count=15,
            )
        ],
        job=job("Creating", since=-38, created=-38),
        never=("security_context_denied", "pending_normally", "deadline_exceeded", "insufficient_evidence"),
    ),
    case(
        "peers-psa-restricted",
        "security_context_denied",
        "SREGym#887 and tektoncd/triggers#1477: violates PodSecurity restricted:latest; only the owner's event says so",
        events=[
            on_owner(
                "FailedCreate",
                f'Error creating: pods "{POD}" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
                at=-3,
                count=13,
            )
        ],
        job=job("Creating", since=-38, created=-38),
        never=("namespace_quota_exceeded", "permission_denied", "pending_normally"),
    ),
    case(
        "peers-app-before-envoy",
        "connection_refused",
        "istio#11130, #32233: the application started before the sidecar was ready and gave up on its database",
        pod(
            container(
                ended(1, at=-5, began=-5.1),
                gpus=0,
                log="""
                time="2026-03-01T02:54:53Z" level=info msg="feature-sync v1.9.2 starting" go=go1.22.4
                time="2026-03-01T02:54:53Z" level=info msg="using config" file=/etc/feature-sync/config.yaml
                time="2026-03-01T02:54:54Z" level=fatal msg="cannot reach feature store" error="failed to connect to `user=sync database=features`: 10.96.14.2:5432 (features-db.data.svc): dial error: dial tcp 10.96.14.2:5432: connect: connection refused"
                """,
            ),
            container(
                running(-5.2),
                name="istio-proxy",
                gpus=0,
                memory="1Gi",
                log="""
                2026-03-01T02:54:52.114203Z\tinfo\tEnvoy command: [-c etc/istio/proxy/envoy-rev.json --drain-time-s 45]
                2026-03-01T02:54:53.882117Z\twarn\tca\tca request failed, starting attempt 1 in 91.589072ms
                2026-03-01T02:54:57.310254Z\tinfo\tReadiness succeeded in 5.203110421s
                2026-03-01T02:54:57.310871Z\tinfo\tEnvoy proxy is ready
                """,
            ),
            events=[
                event("Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 503", at=-5.1, count=3)
            ],
        ),
        job=job("Degraded", since=-5, gpus=0),
        never=("probe_failed", "application_error", "tls_error"),
    ),
    case(
        "peers-init-cannot-resolve-db",
        "dns_failure",
        "bitnami/charts#2499: could not translate host name, in the init container; main never started",
        pod(
            container(
                waiting(
                    "CrashLoopBackOff",
                    f"back-off 5m0s restarting failed container=migrate pod={POD}_runai-vision(6f0b)",
                ),
                name="migrate",
                role="init",
                gpus=0,
                restarts=7,
                last=ended(1, at=-2, began=-2.3),
                log="INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.\n",
                previous="""
                Traceback (most recent call last):
                  File "/usr/local/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 146, in __init__
                    self._dbapi_connection = engine.raw_connection()
                  File "/usr/local/lib/python3.11/site-packages/psycopg2/__init__.py", line 122, in connect
                    conn = _connect(dsn, connection_factory=connection_factory, **kwasync)
                psycopg2.OperationalError: could not translate host name "mlflow-pg.mlops.svc.cluster.local" to address: Name or service not known

                The above exception was the direct cause of the following exception:

                sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) could not translate host name "mlflow-pg.mlops.svc.cluster.local" to address: Name or service not known

                (Background on this error at: https://sqlalche.me/e/20/e3q8)
                """,
            ),
            container(waiting("PodInitializing")),
            phase="Pending",
            events=[event("BackOff", f"Back-off restarting failed container migrate in pod {POD}", count=31)],
        ),
        job=job("Initializing", since=-28, created=-30),
        never=("python_exception", "connection_refused", "pending_normally"),
    ),
    case(
        "peers-startup-probe-slow-weights",
        "probe_failed",
        "TGI/vLLM on Kubernetes issues: weights take longer than the startup probe allows; 137 is kubelet's",
        pod(
            container(
                running(-1),
                restarts=5,
                last=ended(137, at=-1.2, began=-11),
                log="2026-03-01T02:59:01.120Z  INFO download: text_generation_launcher: Files are already present on the host. Skipping download.\n",
                previous="""
                2026-03-01T02:49:03.120331Z  INFO text_generation_launcher: Files are already present on the host. Skipping download.
                2026-03-01T02:49:07.001820Z  INFO shard-manager: text_generation_launcher: Starting shard rank=0
                2026-03-01T02:49:17.015512Z  INFO shard-manager: text_generation_launcher: Waiting for shard to be ready... rank=0
                2026-03-01T02:58:27.911402Z  INFO shard-manager: text_generation_launcher: Waiting for shard to be ready... rank=0
                """,
            ),
            events=[
                event(
                    "Unhealthy",
                    'Startup probe failed: Get "http://10.244.3.17:8080/health": dial tcp 10.244.3.17:8080: connect: connection refused',
                    at=-1.3,
                    count=290,
                ),
                event(
                    "Killing",
                    "Container main failed startup probe, will be restarted",
                    kind="Normal",
                    at=-1.25,
                    count=5,
                ),
            ],
        ),
        job=job("Degraded", kind="Inference", since=-50, running=1),
        never=("connection_refused", "killed_by_signal", "container_oom", "healthy"),
    ),
]
