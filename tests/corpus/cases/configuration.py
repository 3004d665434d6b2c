"""Configuration and storage: what kubelet, the binder and the volumes say before and while a container runs."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    claim,
    container,
    crashed,
    creating,
    ended,
    event,
    job,
    on_node,
    on_owner,
    pod,
    running,
    stuck,
    unscheduled,
)

STARTING = job("Initializing", since=-28, created=-30)
CONFIG = "CreateContainerConfigError"

CASES = [
    # --- what a container refers to ----------------------------------------------------------------------------------
    case(
        "configmap-env",
        "missing_configmap",
        "kubelet: CreateContainerConfigError names it",
        stuck(CONFIG, 'configmap "train-config" not found'),
        job=STARTING,
        never=("missing_secret", "missing_config_key"),
        pair="references",
    ),
    case(
        "configmap-volume",
        "missing_configmap",
        "FailedMount of a configMap volume",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "config" : configmap "train-config" not found',
                count=19,
            )
        ),
        job=STARTING,
        never=("volume_mount_failed",),
        pair="failed-mount",
    ),
    case(
        "configmap-scheduler",
        "missing_configmap",
        "the Run:ai scheduler checks for it before it places the pod",
        unscheduled("Missing required configmaps: [train-config]"),
        job=job("Pending", since=-45, created=-45),
    ),
    case(
        "secret-env",
        "missing_secret",
        "kubelet: CreateContainerConfigError names it",
        stuck(CONFIG, 'secret "wandb-api" not found'),
        job=STARTING,
        never=("missing_configmap", "credential_rejected"),
        pair="references",
    ),
    case(
        "secret-volume",
        "missing_secret",
        "FailedMount of a secret volume",
        creating(
            event(
                "FailedMount", 'MountVolume.SetUp failed for volume "ssh-keys" : secret "git-ssh" not found', count=19
            )
        ),
        job=STARTING,
        never=("volume_mount_failed",),
    ),
    case(
        "pull-secret-warning-is-harmless",
        "insufficient_evidence",
        "kubelet warns of a pull secret it cannot find and pulled the public image all the same; why the program ended is not said",
        crashed(
            1,
            "",
            events=[
                event(
                    "FailedToRetrieveImagePullSecret",
                    "Unable to retrieve some image pull secrets (ngc-old); attempting to pull the image may not succeed.",
                    count=8,
                ),
                event(
                    "Pulled",
                    'Successfully pulled image "nvcr.io/nvidia/pytorch:24.05-py3" in 2.1s',
                    kind="Normal",
                    at=-55,
                ),
            ],
        ),
        never=("missing_secret", "image_auth_failed"),
    ),
    case(
        "key-secret",
        "missing_config_key",
        "the secret is there, the key is not",
        stuck(CONFIG, "couldn't find key api-key in Secret runai-vision/wandb-api"),
        job=STARTING,
        never=("missing_secret",),
        pair="references",
    ),
    case(
        "key-configmap-volume",
        "missing_config_key",
        "FailedMount names a key",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "config" : configmap references non-existent config key: sft.yaml',
                count=19,
            )
        ),
        job=STARTING,
        never=("missing_configmap", "volume_mount_failed"),
        pair="failed-mount",
    ),
    # --- security ----------------------------------------------------------------------------------------------------
    case(
        "security-non-root",
        "security_context_denied",
        "runAsNonRoot with an image that runs as root",
        stuck(
            CONFIG,
            'container has runAsNonRoot and image will run as root (pod: "llama-ft-0-0_runai-vision(1f0c)", container: main)',
        ),
        job=STARTING,
        never=("permission_denied",),
        pair="references",
    ),
    case(
        "security-pod-security",
        "security_context_denied",
        "the Pod Security admission refused the pod; there is none",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false '
                '(container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities',
                count=9,
            )
        ],
        job=job("Pending", since=-28, created=-30),
        never=("namespace_quota_exceeded",),
        pair="refused-at-creation",
    ),
    case(
        "security-kyverno",
        "security_context_denied",
        "an admission policy (Kyverno) refused it",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/runai-vision/llama-ft-0-0 was '
                "blocked due to the following policies \n\ndisallow-host-path:\n  host-path: 'validation error: HostPath volumes are forbidden.'",
                count=9,
                owner="PyTorchJob",
            )
        ],
        job=job("Pending", since=-28, created=-30),
        pair="refused-at-creation",
    ),
    # --- container_create_failed -------------------------------------------------------------------------------------
    case(
        "create-deadline",
        "container_create_failed",
        "the runtime did not answer kubelet in time",
        stuck(
            "CreateContainerError",
            "context deadline exceeded",
            events=[event("Failed", "Error: context deadline exceeded", count=5)],
        ),
        job=STARTING,
        never=("connection_timeout", "deadline_exceeded", "storage_unresponsive"),
        pair="cannot-create",
    ),
    case(
        "create-name-reserved",
        "container_create_failed",
        "containerd still holds the name of a half-made container",
        stuck(
            "CreateContainerError",
            'failed to reserve container name "main_llama-ft-0-0_runai-vision_1f0c_0": name "main_llama-ft-0-0_runai-vision_1f0c_0" is reserved for "a81c"',
        ),
        job=STARTING,
    ),
    # --- volumes -----------------------------------------------------------------------------------------------------
    case(
        "pvc-missing",
        "pvc_not_found",
        "the scheduler names the claim that does not exist",
        unscheduled(
            '0/24 nodes are available: persistentvolumeclaim "datasets" not found. preemption: 0/24 nodes are available: 24 Preemption is not helpful for scheduling.'
        ),
        job=job("Pending", since=-45, created=-45),
        never=("pvc_unbound", "insufficient_gpu"),
        pair="claims",
    ),
    case(
        "pvc-missing-minutes-old",
        "pvc_not_found",
        "two minutes old, but it can never be placed while the claim does not exist (causes.md on pending_normally)",
        unscheduled('0/24 nodes are available: persistentvolumeclaim "datasets" not found.', created=-2),
        job=job("Pending", since=-2, created=-2),
        never=("pending_normally",),
        pair="young-and-pending",
    ),
    case(
        "pvc-unbound",
        "pvc_unbound",
        "the claim exists and nobody provisions it",
        unscheduled(
            "0/24 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/24 nodes are available: 24 Preemption is not helpful for scheduling."
        ),
        objects=[claim("datasets")],
        events=[
            event(
                "ProvisioningFailed",
                'storageclass.storage.k8s.io "fast-nfs" not found',
                source="persistentvolume-controller",
                on=("PersistentVolumeClaim", "datasets"),
                count=40,
            )
        ],
        job=job("Pending", since=-45, created=-45),
        never=("pvc_not_found",),
        pair="claims",
    ),
    case(
        "pvc-binding-timeout",
        "pvc_unbound",
        "the binder waited for the volume in vain",
        unscheduled('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'),
        objects=[claim("scratch", storage_class="weka")],
        job=job("Pending", since=-45, created=-45),
        never=("connection_timeout", "deadline_exceeded"),
    ),
    case(
        "mount-nfs-denied",
        "volume_mount_failed",
        "the NFS server refuses this client",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "datasets" : mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs '
                "10.0.8.20:/export/datasets /var/lib/kubelet/pods/1f0c/volumes/kubernetes.io~nfs/datasets\nOutput: mount.nfs: access denied by server while mounting 10.0.8.20:/export/datasets",
                count=14,
            )
        ),
        job=STARTING,
        never=("permission_denied", "storage_unresponsive", "credential_rejected"),
        pair="failed-mount",
    ),
    case(
        "mount-csi-not-registered",
        "volume_mount_failed",
        "the CSI driver does not run on that node",
        creating(
            event(
                "FailedMount",
                'MountVolume.MountDevice failed for volume "pvc-2f6e" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name csi.weka.io not found in the list of registered CSI drivers',
                count=14,
            )
        ),
        job=STARTING,
    ),
    case(
        "volume-multi-attach",
        "volume_in_use",
        "Multi-Attach: the volume is attached to another node",
        creating(
            event(
                "FailedAttachVolume",
                'Multi-Attach error for volume "pvc-2f6e0c1a" Volume is already exclusively attached to one node and can\'t be attached to another',
                source="attachdetach-controller",
            ),
            event(
                "FailedMount",
                "Unable to attach or mount volumes: unmounted volumes=[scratch], unattached volumes=[scratch kube-api-access]: timed out waiting for the condition",
                count=6,
            ),
        ),
        job=STARTING,
        never=("volume_mount_failed", "storage_unresponsive"),
        pair="failed-mount",
    ),
    case(
        "volume-used-by-pod",
        "volume_in_use",
        "the same, naming the pod that holds it",
        creating(
            event(
                "FailedAttachVolume",
                'Multi-Attach error for volume "pvc-2f6e0c1a" Volume is already used by pod(s) notebook-0',
                source="attachdetach-controller",
            )
        ),
        job=STARTING,
    ),
    case(
        "read-only-output",
        "read_only_filesystem",
        "EROFS ended the program",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 70, in <module>
                os.makedirs("/data/out", exist_ok=True)
            OSError: [Errno 30] Read-only file system: '/data/out'
            """,
        ),
        never=("permission_denied", "python_exception"),
        pair="denied",
    ),
    case(
        "read-only-shell",
        "read_only_filesystem",
        "coreutils' words for EROFS",
        crashed(1, "touch: cannot touch '/models/.lock': Read-only file system\n"),
        never=("permission_denied",),
    ),
    case(
        "storage-stale-handle",
        "storage_unresponsive",
        "ESTALE of NFS ended the data loader",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/data.py", line 31, in __getitem__
                with open(self.paths[i], "rb") as f:
            OSError: [Errno 116] Stale file handle: '/datasets/imagenet/n01440764/n01440764_18.JPEG'
            """,
        ),
        never=("missing_file", "python_exception"),
        pair="no-such-file",
    ),
    case(
        "storage-csi-deadline",
        "storage_unresponsive",
        "the CSI driver does not answer: rpc DeadlineExceeded",
        creating(
            event(
                "FailedMount",
                'MountVolume.MountDevice failed for volume "pvc-2f6e" : rpc error: code = DeadlineExceeded desc = context deadline exceeded',
                count=14,
            )
        ),
        job=STARTING,
        never=("deadline_exceeded", "container_create_failed"),
        pair="failed-mount",
    ),
    case(
        "storage-nfs-not-responding",
        "storage_unresponsive",
        "the process hangs and then gets EIO; the node's kernel names the NFS server",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 99, in <module>
                torch.save(state, path)
            OSError: [Errno 5] Input/output error
            """,
        ),
        events=[on_node("NFSServerNotResponding", "nfs: server 10.0.8.20 not responding, timed out", at=-7)],
        never=("python_exception",),
        pair="disk",
    ),
    case(
        "mount-retried-then-ran",
        "python_exception",
        "the mount failed once at the start and then succeeded; the exception came an hour later",
        pod(
            container(
                ended(1),
                log="""
                Traceback (most recent call last):
                  File "/workspace/train.py", line 31, in <module>
                    main(cfg)
                  File "/workspace/train.py", line 22, in main
                    head = heads[cfg.head]
                KeyError: 'seqcls'
                """,
            ),
            container(running(-50), name="log-shipper", gpus=0),
            phase="Failed",
            events=[
                event(
                    "FailedMount",
                    'MountVolume.SetUp failed for volume "datasets" : rpc error: code = DeadlineExceeded desc = context deadline exceeded',
                    at=-58,
                ),
                event("Started", "Started container main", kind="Normal", at=-55),
            ],
        ),
        never=("storage_unresponsive", "volume_mount_failed"),
    ),
]
