"""The same causes in other words: other versions, runtimes, registries, clients and languages."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import (
    PodWire,
    container,
    crashed,
    creating,
    ended,
    event,
    job,
    looping,
    on_node,
    on_owner,
    oom_killed,
    pod,
    raised,
    stuck,
)

STARTING = job("Initializing", since=-28, created=-30)
SERVING = job("Degraded", kind="Inference", since=-30)


def pull(
    name: str,
    expected: str | tuple[str, ...],
    why: str,
    answer: str,
    *,
    secret: bool = True,
    never: tuple[str, ...] = (),
) -> LabelledCase:
    """A failed pull of which only the registry's answer differs."""
    made = stuck(
        "ImagePullBackOff",
        'Back-off pulling image "registry.example/acme/trainer:7"',
        image="registry.example/acme/trainer:7",
        pull_secret=secret,
        events=[event("Failed", f'Failed to pull image "registry.example/acme/trainer:7": {answer}', count=5)],
    )
    return case(name, expected, why, made, job=STARTING, never=never)


def ending(
    name: str,
    expected: str | tuple[str, ...],
    why: str,
    log: str,
    *,
    code: int = 1,
    never: tuple[str, ...] = (),
    pair: str = "",
) -> LabelledCase:
    """A program that ended, of which only its last words differ."""
    return case(name, expected, why, crashed(code, log), never=never, pair=pair)


def rejected(reason: str, message: str) -> PodWire:
    """A pod that kubelet did not admit."""
    return pod(phase="Failed", reason=reason, message=message, created=-6)


CASES = [
    # --- pulls -------------------------------------------------------------------------------------------------------
    pull(
        "pull-docker-manifest",
        "image_not_found",
        "Docker Engine's words",
        "Error response from daemon: manifest for acme/trainer:7 not found: manifest unknown: manifest unknown",
    ),
    pull(
        "pull-docker-timeout",
        "registry_unreachable",
        "Docker Engine's words for a registry that does not answer",
        'Error response from daemon: Get "https://registry.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
        never=("connection_timeout",),
    ),
    pull(
        "pull-docker-refused",
        "registry_unreachable",
        "the registry's port is closed",
        'rpc error: code = Unknown desc = failed to do request: Head "https://registry.example/v2/acme/trainer/manifests/7": dial tcp 10.3.2.1:443: connect: connection refused',
        never=("connection_refused",),
    ),
    pull(
        "pull-ecr-policy",
        "image_auth_failed",
        "ECR: the node's role lacks the permission",
        "rpc error: code = Unknown desc = failed to pull and unpack image: failed to resolve reference: unexpected status from HEAD request to https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/trainer/manifests/7: 403 Forbidden",
        never=("image_not_found", "permission_denied"),
    ),
    pull(
        "pull-harbor-401",
        "image_auth_failed",
        "Harbor: a robot account that expired",
        'rpc error: code = Unknown desc = failed to resolve reference "registry.example/acme/trainer:7": unexpected status from HEAD request to https://registry.example/v2/acme/trainer/manifests/7: 401 Unauthorized',
    ),
    pull(
        "pull-ghcr-denied",
        "image_auth_failed",
        "GHCR: denied",
        'rpc error: code = Unknown desc = failed to resolve reference "ghcr.io/acme/trainer:7": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token: 403 Forbidden',
        secret=False,
    ),
    pull(
        "pull-node-disk-full",
        ("node_disk_pressure", "disk_full"),
        "the node has no room to unpack the layers: the node's disk, in either word",
        'rpc error: code = Unknown desc = failed to pull and unpack image "registry.example/acme/trainer:7": failed to extract layer sha256:1f0c: write /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/911/fs/opt/x: no space left on device',
        never=("image_not_found", "registry_unreachable"),
    ),
    pull(
        "pull-podman-rate",
        "registry_rate_limited",
        "CRI-O: toomanyrequests",
        "rpc error: code = Unknown desc = initializing source docker://acme/trainer:7: reading manifest 7 in docker.io/acme/trainer: toomanyrequests: You have reached your pull rate limit",
        never=("image_not_found",),
    ),
    # --- starts ------------------------------------------------------------------------------------------------------
    case(
        "start-subpath",
        "volume_mount_failed",
        "kubelet cannot prepare a subPath",
        stuck("CreateContainerConfigError", 'failed to prepare subPath for volumeMount "data" of container "main"'),
        job=STARTING,
        never=("missing_configmap", "container_create_failed"),
    ),
    case(
        "start-host-path",
        "volume_mount_failed",
        "a hostPath of the wrong type",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "raid" : hostPath type check failed: /raid/data is not a directory',
                count=12,
            )
        ),
        job=STARTING,
        never=("missing_file",),
    ),
    case(
        "start-nfs-timeout",
        ("storage_unresponsive", "volume_mount_failed"),
        "mount.nfs gave up: the server does not answer; the mount failed, too",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "datasets" : mount failed: exit status 32\nMounting command: mount\nOutput: mount.nfs: Connection timed out',
                count=12,
            )
        ),
        job=STARTING,
        never=("connection_timeout",),
        pair="timeouts",
    ),
    case(
        "start-openshift-scc",
        "security_context_denied",
        "OpenShift's security context constraints",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: unable to validate against any security context constraint: [provider "restricted-v2": Forbidden: not usable by user or serviceaccount]',
                count=9,
            )
        ],
        job=job("Pending", since=-28, created=-30),
        never=("namespace_quota_exceeded", "permission_denied"),
        pair="refused-at-creation",
    ),
    case(
        "start-nvml-mismatch",
        ("cuda_driver_mismatch", "container_create_failed"),
        "the node's driver was upgraded under a running kernel module: NVML and the module differ",
        crashed(
            128,
            reason="StartError",
            message="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running hook #0: error running hook: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown",
        ),
        never=("bad_command", "missing_module"),
        pair="start-error",
    ),
    case(
        "admission-out-of-gpu",
        ("insufficient_gpu", "device_plugin_failed"),
        "kubelet counted again and found no GPU free: a race with another scheduler, or a device that just vanished",
        rejected(
            "OutOfnvidia.com/gpu",
            "Pod was rejected: Node didn't have enough resource: nvidia.com/gpu, requested: 8, used: 8, capacity: 8",
        ),
        pair="devices",
    ),
    case(
        "admission-node-affinity",
        ("node_selector_mismatch", "affinity_conflict"),
        "the node's labels changed after scheduling; kubelet's predicate covers selector and affinity",
        rejected(
            "NodeAffinity",
            "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
        ),
    ),
    case(
        "preempted-by-kubelet",
        "preempted",
        "kubelet made room for a critical pod",
        rejected("Preempting", "Preempted in order to admit critical pod"),
        never=("insufficient_evidence",),
    ),
    # --- GPUs --------------------------------------------------------------------------------------------------------
    ending(
        "gpu-vllm-free-memory",
        "cuda_oom",
        "vLLM: another process fills the GPU",
        raised(
            "ValueError: Free memory on device (10.21/79.11 GiB) on startup is less than desired GPU memory utilization (0.9, 71.2 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes."
        ),
        never=("python_exception",),
    ),
    ending(
        "gpu-sglang-static",
        "cuda_oom",
        "SGLang: no room for the KV cache",
        raised("RuntimeError: Not enough memory. Please try to increase --mem-fraction-static."),
        never=("container_oom", "application_memory_limit"),
    ),
    ending(
        "gpu-not-found-init",
        "no_gpu_visible",
        "PyTorch's words when the driver finds no device",
        raised("RuntimeError: CUDA driver initialization failed, you might not have a CUDA gpu."),
        never=("cuda_driver_mismatch",),
        pair="no-gpu",
    ),
    case(
        "gpu-tgi-json",
        "cuda_oom",
        "TGI wraps its shard's standard error in JSON",
        looping(
            1,
            r"""
            {"timestamp":"2026-03-01T02:54:50Z","level":"INFO","fields":{"message":"Starting shard"},"target":"text_generation_launcher"}
            {"timestamp":"2026-03-01T02:54:58Z","level":"ERROR","fields":{"message":"Shard complete standard error output:\n\nTraceback (most recent call last):\n  File \"/opt/conda/bin/text-generation-server\", line 8, in <module>\n    sys.exit(app())\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 448.00 MiB. GPU 0 has a total capacity of 21.96 GiB of which 20.12 MiB is free."},"target":"text_generation_launcher"}
            Error: ShardCannotStart
            """,
        ),
        job=SERVING,
        never=("application_error", "container_oom"),
    ),
    case(
        "gpu-nvswitch",
        "gpu_hardware_fault",
        "a fatal NVSwitch error and XID 74 on the node at the moment NCCL failed",
        crashed(
            1,
            raised(
                "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1691, unhandled cuda error, NCCL version 2.20.5\nncclUnhandledCudaError: Call to CUDA function failed."
            ),
            gpus=8,
        ),
        events=[
            on_node(
                "SXIDError", "nvidia-nvswitch3: SXid (PCI:0000:c3:00.0): 20034, Fatal, Link 30 LTSSM Fault Up", at=-5.2
            ),
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:5d:00): 74, pid=48213, name=python, NVLink: fatal error detected on link 2",
                at=-5.2,
            ),
        ],
        job=job(gpus=8),
        never=("nccl_network_error", "python_exception"),
        pair="xid",
    ),
    case(
        "gpu-xid-45-after-a-kill",
        "container_oom",
        "XID 45 is the driver's clean-up after a process was killed; the state says by what",
        pod(container(oom_killed(), log="step 9100 loss 1.80\n")),
        events=[on_node("XIDError", "NVRM: Xid (PCI:0000:5d:00): 45, pid=48213, name=python, Ch 00000008", at=-4.98)],
        never=("gpu_hardware_fault",),
        pair="xid",
    ),
    # --- shared memory and memory ------------------------------------------------------------------------------------
    ending(
        "shm-torch-object",
        "shm_exhausted",
        "a tensor in shared memory: /dev/shm is full, no disk is",
        raised(
            "RuntimeError: unable to open shared memory object </torch_61_2431_17> in read-write mode: No space left on device (28)"
        ),
        never=("disk_full",),
        pair="disk",
    ),
    ending(
        "shm-python-segment",
        "shm_exhausted",
        "multiprocessing's segment in /dev/shm",
        raised("OSError: [Errno 28] No space left on device: '/dev/shm/psm_1a2b3c4d'"),
        never=("disk_full",),
        pair="disk",
    ),
    ending(
        "memory-numpy",
        ("python_exception", "application_memory_limit"),
        "NumPy asked for more than there is and got an exception, nobody was killed",
        raised(
            "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 745. GiB for an array with shape (100000000000,) and data type float64"
        ),
        never=("container_oom",),
        pair="two-kinds-of-memory",
    ),
    ending(
        "memory-shell-killed",
        "killed_by_signal",
        "the shell reports the SIGKILL of its child; who sent it is not said",
        "/entrypoint.sh: line 12:    31 Killed                  python train.py\n",
        code=137,
        never=("container_oom",),
        pair="exit-137",
    ),
    # --- last words of programs --------------------------------------------------------------------------------------
    ending(
        "words-glibcxx",
        ("missing_module", "python_exception"),
        "a library of the right name that lacks a version: missing in effect, an ImportError in word",
        raised(
            "ImportError: /lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by /opt/venv/lib/python3.10/site-packages/scipy/_lib.so)"
        ),
        never=("missing_file",),
        pair="imports",
    ),
    ending(
        "words-r-package",
        ("missing_module", "application_error"),
        "R's missing package; written for Python, so the general word passes",
        "Error in library(data.table) : there is no package called ‘data.table’\nExecution halted\n",
    ),
    ending(
        "words-unbound-variable",
        ("invalid_arguments", "application_error"),
        "bash -u: a variable that should be set",
        "/workspace/run.sh: line 4: DATA_DIR: unbound variable\n",
    ),
    ending(
        "words-cd",
        "missing_file",
        "cd into a folder that is not there",
        "bash: line 1: cd: /workspace/repo: No such file or directory\n",
        never=("bad_command",),
        pair="no-such-file",
    ),
    ending(
        "words-click",
        "invalid_arguments",
        "click's usage error",
        "Usage: train [OPTIONS]\nTry 'train --help' for help.\n\nError: No such option: --epoch\n",
        code=2,
        never=("missing_file",),
        pair="exit-2",
    ),
    ending(
        "words-absl",
        "invalid_arguments",
        "absl's flags",
        "FATAL Flags parsing error: Unknown command line flag 'lr_rate'. Did you mean: lr ?\nPass --helpshort or --helpfull to see help on flags.\n",
    ),
    ending(
        "words-pydantic",
        ("invalid_arguments", "python_exception"),
        "settings that do not validate: configuration, said by an exception",
        raised(
            "pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings\nDATA_BUCKET\n  Field required [type=missing, input_value={}, input_type=dict]"
        ),
    ),
    ending(
        "words-syntax",
        "python_exception",
        "a syntax error is an exception of its own kind",
        '  File "/workspace/train.py", line 12\n    def f(:\n          ^\nSyntaxError: invalid syntax\n',
    ),
    ending(
        "words-open-files",
        "python_exception",
        "EMFILE has no finer word",
        raised("OSError: [Errno 24] Too many open files: '/datasets/coco/1.jpg'"),
        never=("missing_file", "disk_full"),
    ),
    ending(
        "words-address-in-use",
        "python_exception",
        "EADDRINUSE has no finer word",
        raised("OSError: [Errno 98] Address already in use"),
        never=("connection_refused", "permission_denied"),
    ),
    ending(
        "words-node-syntax",
        "application_error",
        "Node ends on an exception of its own",
        "/app/server.js:14\nconst port = config.port.toString();\n                         ^\n\nTypeError: Cannot read properties of undefined (reading 'toString')\n    at Object.<anonymous> (/app/server.js:14:26)\n\nNode.js v20.15.0\n",
        never=("python_exception",),
    ),
    ending(
        "words-cpp-runtime-error",
        "aborted",
        "an uncaught C++ exception under torchrun's -6, without any collective",
        "terminate called after throwing an instance of 'std::runtime_error'\n  what():  bad tokenizer model\nE0301 02:54:59.902 47 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -6) local_rank: 0 (pid: 103) of binary: /usr/bin/tokenize\n",
        never=("nccl_timeout",),
        pair="exit-134",
    ),
    # --- services in other clients' words ----------------------------------------------------------------------------
    ending(
        "service-grpc",
        "connection_refused",
        "gRPC's inactive RPC",
        raised(
            'grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.UNAVAILABLE\n\tdetails = "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.2.3.4:50051: Failed to connect to remote host: Connection refused"\n>'
        ),
        never=("python_exception",),
        pair="refused",
    ),
    ending(
        "service-mongo",
        "connection_timeout",
        "PyMongo found no server in time",
        raised(
            "pymongo.errors.ServerSelectionTimeoutError: mongo.data.svc:27017: timed out (configured timeouts: socketTimeoutMS: 20000.0ms, connectTimeoutMS: 20000.0ms), Timeout: 30s"
        ),
        never=("python_exception",),
        pair="timeouts",
    ),
    ending(
        "service-postgres-password",
        "credential_rejected",
        "PostgreSQL refuses the password",
        raised(
            'psycopg2.OperationalError: connection to server at "db.mlflow.svc" (10.96.1.2), port 5432 failed: FATAL:  password authentication failed for user "mlflow"'
        ),
        never=("connection_refused", "permission_denied"),
        pair="network-errors",
    ),
    ending(
        "service-git-dns",
        "dns_failure",
        "git over https",
        "Cloning into 'repo'...\nfatal: unable to access 'https://github.com/acme/repo.git/': Could not resolve host: github.com\n",
        code=128,
        never=("credential_rejected", "application_error"),
    ),
    ending(
        "service-s3-slow-down",
        "rate_limited",
        "S3's way of saying 429",
        raised(
            "botocore.exceptions.ClientError: An error occurred (SlowDown) when calling the PutObject operation (reached max retries: 4): Please reduce your request rate."
        ),
        never=("credential_rejected", "python_exception"),
        pair="limits",
    ),
    ending(
        "service-azure",
        "credential_rejected",
        "Azure storage",
        raised(
            "azure.core.exceptions.ClientAuthenticationError: Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nErrorCode:AuthenticationFailed"
        ),
        never=("permission_denied", "python_exception"),
    ),
    ending(
        "service-node-timeout",
        "connection_timeout",
        "Node: ETIMEDOUT",
        "Error: connect ETIMEDOUT 10.1.2.3:443\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16) {\n  errno: -110,\n  code: 'ETIMEDOUT',\n  syscall: 'connect',\n  address: '10.1.2.3',\n  port: 443\n}\n\nNode.js v20.15.0\n",
        never=("application_error",),
    ),
    ending(
        "service-node-dns",
        "dns_failure",
        "Node: ENOTFOUND",
        "Error: getaddrinfo ENOTFOUND db.data.svc\n    at GetAddrInfoReqWrap.onlookup [as oncomplete] (node:dns:107:26) {\n  code: 'ENOTFOUND'\n}\n\nNode.js v20.15.0\n",
        never=("application_error", "missing_file"),
    ),
    ending(
        "service-java-dns",
        "dns_failure",
        "Java: UnknownHostException",
        'Exception in thread "main" java.net.UnknownHostException: kafka.data.svc: Name or service not known\n\tat java.base/java.net.Inet6AddressImpl.lookupAllHostAddr(Native Method)\n',
        never=("application_error",),
    ),
    ending(
        "service-java-tls",
        "tls_error",
        "Java: PKIX",
        'Exception in thread "main" javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target\n\tat java.base/sun.security.ssl.Alert.createSSLException(Alert.java:131)\n',
        never=("application_error",),
    ),
    ending(
        "service-go-x509",
        "tls_error",
        "Go: x509",
        '2026/03/01 02:54:58 fatal: Get "https://vault.acme.internal/v1/secret": tls: failed to verify certificate: x509: certificate signed by unknown authority\n',
        never=("application_error", "credential_rejected"),
    ),
    ending(
        "service-wrong-version",
        "tls_error",
        "TLS spoken to a plain port",
        raised(
            "requests.exceptions.SSLError: HTTPSConnectionPool(host='minio.data.svc', port=9000): Max retries exceeded with url: / (Caused by SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)')))"
        ),
        never=("connection_refused",),
    ),
    # --- time ----------------------------------------------------------------------------------------------------------
    case(
        "deadline-job-and-143",
        "deadline_exceeded",
        "the Job says so and the pod's 143 only follows",
        pod(container(ended(143, at=-5), log="step 10400 loss 1.92\n"), phase="Failed"),
        events=[on_owner("DeadlineExceeded", "Job was active longer than specified deadline", at=-5.2)],
        never=("killed_by_signal",),
        pair="exit-143",
    ),
]
