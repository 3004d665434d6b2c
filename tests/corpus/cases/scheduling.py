"""Pods without a node, and pods whose node was taken back: the words of the Run:ai scheduler and of Kubernetes' own."""

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
    node,
    on_group,
    on_owner,
    past,
    pod,
    quota,
    running,
    unscheduled,
)

WAITING = job("Pending", since=-45, created=-45, gpus=8)
HELP = " preemption: 0/24 nodes are available: 24 No preemption victims found for incoming pod."
NOT_HELPFUL = " preemption: 0/24 nodes are available: 24 Preemption is not helpful for scheduling."

CASES = [
    # --- resources ---------------------------------------------------------------------------------------------------
    case(
        "gpu-insufficient",
        "insufficient_gpu",
        "every node of the pool is full (Kubernetes' scheduler)",
        unscheduled("0/24 nodes are available: 24 Insufficient nvidia.com/gpu." + HELP),
        job=WAITING,
        never=("gpu_fragmentation",),
        pair="gpus",
    ),
    case(
        "gpu-insufficient-runai",
        "insufficient_gpu",
        "the same in the Run:ai scheduler's words, per node and without a free GPU anywhere",
        unscheduled(
            "no nodes with enough resources were found.\n"
            "<gpu-01>: Node didn't have enough resources: GPUs, requested: 8, used: 8, capacity: 8.\n"
            "<gpu-02>: Node didn't have enough resources: GPUs, requested: 8, used: 8, capacity: 8."
        ),
        job=WAITING,
        never=("gpu_fragmentation", "gang_unschedulable"),
        pair="gpus",
    ),
    case(
        "gpu-larger-than-any-node",
        ("insufficient_gpu", "gpu_fragmentation"),
        "the job wants 16 GPUs of one pod and a node has 8: no node can ever have them; not a question of free ones",
        unscheduled(
            "The pod runai-vision/llama-ft-0-0 requires GPU: 16, CPU: 8 (cores), memory: 64 (GB). "
            "Max GPU resources available in a single node in the default node-pool is topped at 8"
        ),
        job=job("Pending", since=-45, created=-45, gpus=16),
    ),
    case(
        "cpu-insufficient",
        "insufficient_cpu",
        "the GPUs would be there, the cores are not",
        unscheduled("0/24 nodes are available: 24 Insufficient cpu." + HELP),
        job=WAITING,
        never=("insufficient_gpu",),
        pair="which-resource",
    ),
    case(
        "cpu-insufficient-runai",
        "insufficient_cpu",
        "the Run:ai scheduler's short histogram",
        unscheduled("no nodes with enough resources were found: 24 node(s) didn't have enough resources: CPU cores."),
        job=WAITING,
        never=("insufficient_gpu",),
    ),
    case(
        "memory-insufficient",
        "insufficient_memory",
        "a request of memory that no node has free; no OOM kill",
        unscheduled("0/24 nodes are available: 24 Insufficient memory." + HELP),
        job=WAITING,
        never=("container_oom", "node_memory_eviction"),
        pair="which-resource",
    ),
    case(
        "memory-insufficient-runai",
        "insufficient_memory",
        "the Run:ai scheduler's words per node",
        unscheduled(
            "no nodes with enough resources were found.\n"
            "<gpu-01>: Node didn't have enough resources: memory, requested: 1500, used: 900, capacity: 2063.\n"
            "<gpu-02>: Node didn't have enough resources: memory, requested: 1500, used: 1100, capacity: 2063."
        ),
        job=WAITING,
    ),
    case(
        "gpu-among-cordoned-nodes",
        "insufficient_gpu",
        "most nodes lack GPUs; the tainted control plane and the cordoned node are always there",
        unscheduled(
            "0/24 nodes are available: 1 node(s) were unschedulable, 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
            "20 Insufficient nvidia.com/gpu." + HELP
        ),
        job=WAITING,
        never=("untolerated_taint",),
        pair="taints",
    ),
    # --- gpu_fragmentation -------------------------------------------------------------------------------------------
    case(
        "fragmentation-per-node",
        "gpu_fragmentation",
        "nine GPUs are free, no node has the eight asked for (the detailed message's own numbers)",
        unscheduled(
            "no nodes with enough resources were found.\n"
            "<gpu-01>: Node didn't have enough resources: GPUs, requested: 8, used: 5, capacity: 8.\n"
            "<gpu-02>: Node didn't have enough resources: GPUs, requested: 8, used: 4, capacity: 8.\n"
            "<gpu-03>: Node didn't have enough resources: GPUs, requested: 8, used: 6, capacity: 8."
        ),
        job=WAITING,
        never=("insufficient_gpu",),
        pair="gpus",
    ),
    case(
        "fragmentation-two-gpus",
        "gpu_fragmentation",
        "the same with a small request: four nodes with one free GPU each, two asked for",
        unscheduled(
            "no nodes with enough resources were found.\n"
            + "\n".join(
                f"<gpu-0{n}>: Node didn't have enough resources: GPUs, requested: 2, used: 7, capacity: 8."
                for n in (1, 2, 3, 4)
            )
        ),
        job=job("Pending", since=-45, created=-45, gpus=2),
        never=("insufficient_gpu",),
    ),
    # --- placement rules ---------------------------------------------------------------------------------------------
    case(
        "selector-all-nodes",
        "node_selector_mismatch",
        "no node has the label asked for",
        unscheduled("0/24 nodes are available: 24 node(s) didn't match Pod's node affinity/selector." + NOT_HELPFUL),
        job=WAITING,
        never=("affinity_conflict", "insufficient_gpu"),
        pair="placement",
    ),
    case(
        "selector-beside-taints",
        "node_selector_mismatch",
        "21 nodes miss the label, the three others are the control plane as always",
        unscheduled(
            "0/24 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
            "21 node(s) didn't match Pod's node affinity/selector." + NOT_HELPFUL
        ),
        job=WAITING,
        never=("untolerated_taint",),
        pair="taints",
    ),
    case(
        "taint-all-gpu-nodes",
        "untolerated_taint",
        "the whole pool is tainted for another team",
        unscheduled("0/24 nodes are available: 24 node(s) had untolerated taint {dedicated: robotics}." + NOT_HELPFUL),
        job=WAITING,
        never=("node_selector_mismatch",),
        pair="taints",
    ),
    case(
        "taint-older-words",
        "untolerated_taint",
        "the words before Kubernetes 1.24",
        unscheduled(
            "0/6 nodes are available: 6 node(s) had taint {nvidia.com/gpu: present}, that the pod didn't tolerate."
        ),
        job=WAITING,
    ),
    case(
        "affinity-anti",
        "affinity_conflict",
        "pod anti-affinity against its own kind",
        unscheduled("0/24 nodes are available: 24 node(s) didn't match pod anti-affinity rules." + NOT_HELPFUL),
        job=WAITING,
        never=("node_selector_mismatch",),
        pair="placement",
    ),
    case(
        "affinity-topology-spread",
        "affinity_conflict",
        "a topology spread constraint is a placement rule among pods",
        unscheduled("0/24 nodes are available: 24 node(s) didn't match pod topology spread constraints." + NOT_HELPFUL),
        job=WAITING,
    ),
    case(
        "zone-of-the-volume",
        "volume_zone_conflict",
        "the volume lives in another zone (EBS and PD volumes are zonal)",
        unscheduled("0/24 nodes are available: 24 node(s) had volume node affinity conflict." + NOT_HELPFUL),
        job=WAITING,
        never=("node_selector_mismatch", "affinity_conflict", "pvc_unbound"),
        pair="placement",
    ),
    case(
        "zone-no-available-zone",
        "volume_zone_conflict",
        "the older check of the zone labels",
        unscheduled("0/24 nodes are available: 24 node(s) had no available volume zone." + NOT_HELPFUL),
        job=WAITING,
    ),
    # --- quotas ------------------------------------------------------------------------------------------------------
    case(
        "quota-non-preemptible",
        "project_over_quota",
        "Run:ai: a non-preemptible workload may not go over its project's quota",
        unscheduled(
            "Non-preemptible workload is over quota. Workload requested 8 GPUs, but vision quota is 16 GPUs, while 12 GPUs are already "
            "allocated for non-preemptible pods. Use a preemptible workload to go over quota.",
            reason="NonPreemptibleOverQuota",
        ),
        job=job(
            "Pending",
            since=-45,
            created=-45,
            gpus=8,
            preemptible=False,
            reason="NonPreemptibleOverQuota",
            message="Non-preemptible workload is over quota",
            pending=[
                (
                    "NonPreemptibleOverQuota",
                    "Non-preemptible over quota",
                    "You have reached the limit of non-preemptible resources",
                )
            ],
        ),
        never=("insufficient_gpu", "namespace_quota_exceeded"),
        pair="quota",
    ),
    case(
        "quota-over-limit",
        "project_over_quota",
        "Run:ai: the department's limit",
        job=job(
            "Pending",
            since=-45,
            created=-45,
            gpus=8,
            reason="OverLimit",
            message="research quota has reached the allowable limit of GPUs. Limit is 64 GPUs, currently 60 GPUs allocated and workload requested 8 GPUs",
        ),
        kubernetes=False,
        never=("namespace_quota_exceeded",),
        pair="quota",
    ),
    case(
        "quota-kubernetes-resourcequota",
        "namespace_quota_exceeded",
        "Kubernetes' ResourceQuota refused the pod at creation",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: exceeded quota: team-quota, requested: requests.nvidia.com/gpu=8, used: '
                "requests.nvidia.com/gpu=28, limited: requests.nvidia.com/gpu=32",
                count=12,
            )
        ],
        objects=[quota("team-quota", {"requests.nvidia.com/gpu": "32"}, {"requests.nvidia.com/gpu": "28"})],
        job=job("Pending", since=-28, created=-30, gpus=8),
        never=("project_over_quota", "insufficient_gpu"),
        pair="quota",
    ),
    case(
        "quota-limitrange",
        "namespace_quota_exceeded",
        "a LimitRange refused it",
        events=[
            on_owner(
                "FailedCreate",
                'Error creating: pods "llama-ft-0-0" is forbidden: maximum memory usage per Container is 128Gi, but limit is 256Gi',
                count=12,
                owner="PyTorchJob",
            )
        ],
        job=job("Pending", since=-28, created=-30),
        never=("insufficient_memory", "security_context_denied"),
        pair="refused-at-creation",
    ),
    # --- gangs -------------------------------------------------------------------------------------------------------
    case(
        "gang-partly",
        "gang_unschedulable",
        "three of four could be placed; the missing GPUs come second (causes.md)",
        *(
            unscheduled(
                "Resources were found for 3 pods while 4 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0", "worker-1", "worker-2")
        ),
        job=distributed("Pending", workers=4, since=-45, created=-45),
        never=("insufficient_gpu",),
        consequences=("insufficient_gpu",),
        pair="gangs",
    ),
    case(
        "gang-group-event",
        "gang_unschedulable",
        "the pod group's own event; the pods say nothing",
        *(pod(rank=rank, node=None, created=-45) for rank in ("master-0", "worker-0", "worker-1")),
        events=[
            on_group(
                "Unschedulable",
                "Resources were found for 2 pods while 3 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found",
                count=60,
                at=-1,
            )
        ],
        job=distributed("Pending", workers=3, since=-45, created=-45),
    ),
    case(
        "gang-none-fits",
        "insufficient_gpu",
        "not one pod of the gang could be placed: then it is the GPUs (causes.md)",
        *(
            unscheduled(
                "Resources were not found for pod runai-vision/llama-ft-master-0 due to: no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.",
                rank=rank,
            )
            for rank in ("master-0", "worker-0")
        ),
        job=distributed("Pending", workers=2, since=-45, created=-45),
        never=("gang_unschedulable",),
        pair="gangs",
    ),
    # --- preempted ---------------------------------------------------------------------------------------------------
    case(
        "preempted-priority",
        "preempted",
        "the scheduler says by whom; it waits to run again",
        pod(container(ended(143, at=-15)), gone=True),
        unscheduled("0/24 nodes are available: 24 Insufficient nvidia.com/gpu." + HELP, created=-14),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{JOB}-0-0 was preempted by higher priority workload runai-vision/prod-serving",
                at=-15,
            )
        ],
        job=job("Pending", since=-14, created=-300),
        history=past(("Creating", -300), ("Pending", -299), ("Running", -290), ("Pending", -14, "Preempted")),
        never=("insufficient_gpu", "killed_by_signal", "pending_normally"),
        pair="taken-back",
    ),
    case(
        "preempted-reclaim",
        "preempted",
        "another project took its share back (reclaim, with the queues' numbers)",
        pod(container(ended(143, at=-12)), gone=True),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{JOB}-0-0 was preempted by workload runai-nlp/pretrain-7b.\nvision uses <GPU: 24> with a quota of <GPU: 16>, "
                "fair-share of <GPU: 16> and queue priority of <100>.\nnlp uses <GPU: 8> with a quota of <GPU: 16>, fair-share of <GPU: 16> and queue priority of <100>.",
                at=-12,
            )
        ],
        job=job("Pending", since=-12, created=-300),
        never=("project_over_quota", "insufficient_gpu"),
        pair="taken-back",
    ),
    case(
        "preempted-consolidation",
        "preempted",
        "bin packing moved it",
        pod(container(ended(137, at=-12)), gone=True),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{JOB}-0-0 was preempted and rescheduled due to bin packing (resource consolidation) procedure",
                at=-12,
            )
        ],
        job=job("Pending", since=-12, created=-300),
        never=("killed_by_signal", "container_oom"),
        pair="exit-137",
    ),
    case(
        "preempted-kubernetes",
        "preempted",
        "Kubernetes' own scheduler preempts with a DisruptionTarget condition",
        pod(
            container(ended(143, at=-6), log="step 900 loss 2.2\nSIGTERM received\n"),
            phase="Failed",
            conditions=[
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "PreemptionByScheduler",
                    "message": "default-scheduler: preempting to accommodate a higher priority pod",
                }
            ],
            events=[
                event(
                    "Preempted",
                    "Preempted by pod 5a0c3d1e on node gpu-07",
                    kind="Normal",
                    source="default-scheduler",
                    at=-6,
                )
            ],
        ),
        never=("killed_by_signal",),
        pair="exit-143",
    ),
    case(
        "preempted-and-running-again",
        "healthy",
        "preempted an hour ago and running again since: not the state of now",
        pod(
            container(running(-40), log="resuming from step 9000\nstep 9100 loss 1.80\nstep 9200 loss 1.79\n"),
            created=-42,
        ),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{JOB}-0-0 was preempted by higher priority workload runai-vision/prod-serving",
                at=-58,
            )
        ],
        job=job("Running", since=-40, created=-300, running=1),
        history=past(("Creating", -300), ("Running", -290), ("Pending", -58), ("Running", -40)),
        never=("preempted",),
        pair="taken-back",
    ),
    case(
        "oom-before-preemption-of-another",
        "container_oom",
        "the event of a preemption is another job's; this one was OOMKilled",
        crashed(137, "step 900\n", reason="OOMKilled"),
        events=[
            event(
                "Evict",
                "Pod runai-vision/bert-small-0-0 was preempted by higher priority workload runai-vision/prod-serving",
                kind="Normal",
                source="runai-scheduler",
                on=("PodGroup", "pg-bert-small"),
            )
        ],
        never=("preempted",),
    ),
    # --- time_limit_reached ------------------------------------------------------------------------------------------
    case(
        "time-limit-idle",
        "time_limit_reached",
        "the project's rule for idle GPUs stopped it, nobody did (the rule is Run:ai's documentation's, the message's wording is not published)",
        job=job(
            "Stopped",
            kind="Workspace",
            since=-20,
            created=-900,
            message="Workload was stopped because its GPUs were idle for longer than the project's idle GPU timeout (1h)",
        ),
        events=[
            on_owner(
                "IdlenessTimeout",
                "Workload reached the idle GPU timeout of its project and was suspended",
                owner="InteractiveWorkload",
                source="runai-workload-controller",
                at=-20,
            )
        ],
        never=("suspended_by_person", "preempted"),
        pair="stopped",
    ),
    case(
        "time-limit-duration",
        "time_limit_reached",
        "the project's limit of a workspace's duration (as above: the rule is documented, its wording is not)",
        pod(container(ended(143, at=-20)), gone=True),
        job=job(
            "Stopped",
            kind="Workspace",
            since=-20,
            created=-500,
            message="Workload was stopped: it reached the project's workspace duration limit of 8h",
        ),
        never=("suspended_by_person", "killed_by_signal", "deadline_exceeded"),
        pair="stopped",
    ),
    case(
        "gpu-insufficient-nodes-agree",
        "insufficient_gpu",
        "the nodes' own numbers agree: no free GPU in the pool, two nodes not ready",
        unscheduled(
            "0/4 nodes are available: 2 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }."
            + HELP
        ),
        objects=[
            node("gpu-01"),
            node("gpu-02"),
            node("gpu-03", ready="Unknown", taints=[("node.kubernetes.io/unreachable", "NoSchedule")]),
            node("gpu-04", ready="Unknown", taints=[("node.kubernetes.io/unreachable", "NoSchedule")]),
        ],
        job=WAITING,
        never=("untolerated_taint",),
    ),
]
