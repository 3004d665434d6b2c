"""Nodes, networks, volumes and jobs that are gone, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    JOB,
    claim,
    container,
    crashed,
    creating,
    ended,
    event,
    job,
    node,
    on_group,
    on_node,
    on_owner,
    past,
    pod,
    running,
    stuck,
    unscheduled,
)

WAITING = job("Pending", since=-45, created=-45, gpus=8)
STARTING = job("Initializing", since=-28, created=-30)
POD = f"{JOB}-0-0"

CASES = [
    case(
        "peers-calico-unauthorized",
        "network_plugin_failed",
        "calico#9215, #5712: error getting ClusterInformation: connection is unauthorized",
        creating(
            event(
                "FailedCreatePodSandBox",
                'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "b6385006e8b3eedeaa1fd60e3e69afc9fb758a27666c93708a9211b3c988ab34": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized',
                at=-1,
                count=96,
            ),
            event(
                "SandboxChanged",
                "Pod sandbox changed, it will be killed and re-created.",
                kind="Normal",
                at=-1,
                count=95,
            ),
        ),
        job=STARTING,
        never=("credential_rejected", "container_create_failed", "image_auth_failed"),
    ),
    case(
        "peers-node-graceful-shutdown",
        "node_shutdown",
        "Kubernetes docs on graceful node shutdown: reason Terminated, the message names it; exit 143 follows",
        pod(
            container(ended(143, at=-6), log="step 5110 loss 1.71\nW0301 signal 15 received\n"),
            phase="Failed",
            reason="Terminated",
            message="Pod was terminated in response to imminent node shutdown.",
            events=[event("Killing", "Stopping container main", kind="Normal", at=-6.3)],
        ),
        objects=[node("gpu-07", ready="False", since=-6)],
        never=("killed_by_signal", "preempted", "application_error"),
    ),
    case(
        "peers-spot-node-lost",
        ("node_lost", "node_not_ready"),
        "pod reason NodeLost as the node controller writes it; the node's Ready is Unknown, so its condition allows node_not_ready",
        pod(
            container(running(-300), log="step 9100 loss 1.80\nstep 9110 loss 1.80\n"),
            node="gpu-spot-12",
            phase="Unknown",
            reason="NodeLost",
            message=f"Node gpu-spot-12 which was running pod {POD} is unresponsive",
            created=-305,
            conditions=[
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "DeletionByTaintManager",
                    "message": "Taint manager: deleting due to NoExecute taint",
                }
            ],
            deleting=True,
            events=[
                event("NodeNotReady", "Node is not ready", at=-9, source="node-controller"),
                event(
                    "TaintManagerEviction",
                    f"Marking for deletion Pod runai-vision/{POD}",
                    kind="Normal",
                    at=-4,
                    source="taint-eviction-controller",
                ),
            ],
        ),
        events=[
            on_node(
                "NodeNotReady",
                "Node gpu-spot-12 status is now: NodeNotReady",
                node="gpu-spot-12",
                kind="Normal",
                source="node-controller",
                at=-9,
            )
        ],
        objects=[
            node(
                "gpu-spot-12",
                ready="Unknown",
                taints=[
                    ("node.kubernetes.io/unreachable", "NoSchedule"),
                    ("node.kubernetes.io/unreachable", "NoExecute"),
                ],
            )
        ],
        job=job("Running", since=-300, created=-310),
        never=("killed_by_signal", "healthy", "preempted"),
    ),
    case(
        "peers-nfs-mount-timed-out",
        "storage_unresponsive",
        "csi-driver-nfs#846, nacos-k8s#69: mount.nfs: Connection timed out and DeadlineExceeded",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "pvc-9a1309ab" : rpc error: code = DeadlineExceeded desc = context deadline exceeded',
                at=-20,
                count=3,
            ),
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "pvc-9a1309ab" : rpc error: code = Internal desc = mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs -o nfsvers=4.1 filer.int:/export/pvc-9a1309ab /var/lib/kubelet/pods/5cd55a33/volumes/kubernetes.io~csi/pvc-9a1309ab/mount\nOutput: mount.nfs: Connection timed out',
                at=-2,
                count=8,
            ),
            event(
                "FailedMount",
                "Unable to attach or mount volumes: unmounted volumes=[datasets], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition",
                at=-1,
                count=11,
            ),
        ),
        objects=[claim("datasets", phase="Bound", volume="pvc-9a1309ab")],
        job=STARTING,
        never=("volume_mount_failed", "connection_timeout", "pvc_unbound"),
    ),
    case(
        "peers-secret-key-missing",
        "missing_config_key",
        "HolmesGPT config-error fixtures: couldn't find key in Secret; the Secret exists",
        stuck(
            "CreateContainerConfigError",
            "couldn't find key WANDB_API_KEY in Secret runai-vision/wandb-creds",
            events=[
                event(
                    "Failed",
                    "Error: couldn't find key WANDB_API_KEY in Secret runai-vision/wandb-creds",
                    at=-1,
                    count=130,
                )
            ],
        ),
        job=STARTING,
        never=("missing_secret", "credential_rejected"),
    ),
    case(
        "peers-storageclass-not-found",
        "pvc_unbound",
        "HolmesGPT's pending-pvc fixture: the claim waits for a storage class that does not exist",
        unscheduled(
            "0/24 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/24 nodes are available: 24 Preemption is not helpful for scheduling."
        ),
        events=[
            event(
                "ProvisioningFailed",
                'storageclass.storage.k8s.io "fast-nvme" not found',
                at=-1,
                count=180,
                source="persistentvolume-controller",
                on=("PersistentVolumeClaim", "scratch"),
            )
        ],
        objects=[claim("scratch", storage_class="fast-nvme")],
        job=WAITING,
        never=("pvc_not_found", "insufficient_gpu", "pending_normally"),
    ),
    case(
        "peers-consolidated-events-forgotten",
        "preempted",
        "KAI GetConsolidateMessage; Kubernetes forgot, Run:ai still has the event, and the pod waits to run again",
        unscheduled(
            "no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.", created=-75
        ),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{POD} was preempted and rescheduled due to bin packing (resource consolidation) procedure",
                at=-75.5,
            )
        ],
        history=past(("Creating", -600), ("Running", -590), ("Pending", -75)),
        job=job("Pending", since=-75, created=-600),
        forgotten=True,
        never=("insufficient_gpu", "pending_normally", "gpu_fragmentation"),
    ),
    case(
        "peers-volume-in-another-zone",
        "volume_zone_conflict",
        "kubernetes docs on topology-bound volumes: every worker is in another zone; the tainted three are the control plane",
        unscheduled(
            "0/24 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 21 node(s) had volume node affinity conflict. preemption: 0/24 nodes are available: 24 Preemption is not helpful for scheduling."
        ),
        objects=[claim("scratch", phase="Bound", volume="pvc-77ab01c2")],
        job=WAITING,
        never=("untolerated_taint", "pvc_unbound", "insufficient_gpu", "affinity_conflict"),
    ),
    case(
        "peers-anti-affinity-own-replicas",
        "affinity_conflict",
        "k8sgpt's and HolmesGPT's pending pods: required anti-affinity and no node left without a sibling",
        unscheduled(
            "0/6 nodes are available: 1 node(s) were unschedulable, 5 node(s) didn't match pod anti-affinity rules. preemption: 0/6 nodes are available: 1 Preemption is not helpful for scheduling, 5 No preemption victims found for incoming pod."
        ),
        job=WAITING,
        never=("node_selector_mismatch", "insufficient_gpu", "node_not_ready"),
    ),
    case(
        "peers-julia-erofs",
        "read_only_filesystem",
        "ext4 remounted read-only by the kernel; Julia's SystemError on its checkpoint",
        crashed(
            1,
            """
            [ Info: Precompiling Flux [587475ba-b771-5e3f-ad9e-33799f191a9c]
            [ Info: epoch 6 loss=0.412 val=0.455
            [ Info: epoch 7 loss=0.398 val=0.449
            ERROR: LoadError: SystemError: opening file "/work/ckpt/epoch-7.jld2": Read-only file system
            Stacktrace:
             [1] systemerror(p::String, errno::Int32; extrainfo::Nothing)
               @ Base ./error.jl:176
             [2] open(fname::String; lock::Bool, read::Bool, write::Bool, create::Bool, truncate::Bool, append::Bool)
               @ Base ./iostream.jl:295
             [3] save_checkpoint(m::Chain, path::String)
               @ Main /app/train.jl:88
            in expression starting at /app/train.jl:131
            """,
        ),
        never=("permission_denied", "disk_full", "application_error", "missing_file"),
    ),
    case(
        "peers-spark-java-heap",
        "application_memory_limit",
        "Spark executor threads: -XX:+ExitOnOutOfMemoryError ends the JVM with 3 well below the container's limit",
        crashed(
            3,
            """
            26/03/01 02:52:10 INFO TaskSetManager: Starting task 14.0 in stage 3.0 (TID 214) (executor driver, partition 14, PROCESS_LOCAL, 9211 bytes)
            26/03/01 02:52:44 WARN TaskMemoryManager: Failed to allocate a page (67108864 bytes), try again.
            26/03/01 02:53:58 WARN TaskMemoryManager: Failed to allocate a page (67108864 bytes), try again.
            Terminating due to java.lang.OutOfMemoryError: Java heap space
            """,
            gpus=0,
        ),
        never=("container_oom", "cuda_oom", "application_error"),
    ),
    case(
        "peers-backoff-limit-pods-gone",
        "backoff_limit_exceeded",
        "batch Job's BackoffLimitExceeded after its pods were collected: nothing of them is left",
        events=[on_owner("BackoffLimitExceeded", "Job has reached the specified backoff limit", at=-4.1)],
        job=job("Failed"),
        never=("deadline_exceeded",),
    ),
    # === quiet =======================================================================================================
]
