"""Images that cannot be pulled: kubelet's message says why, in the words of each runtime and registry."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import PodWire, event, job, pod, stuck

STARTING = job("Initializing", since=-28, created=-30)


def unpulled(image: str, why: str, *, secret: bool = True, gone: bool = False) -> PodWire:
    """In back-off: the reason stands only in the event of the last attempt, as kubelet has it."""
    return stuck(
        "ImagePullBackOff",
        f'Back-off pulling image "{image}"',
        image=image,
        pull_secret=secret,
        gone=gone,
        events=[
            event("Pulling", f'Pulling image "{image}"', kind="Normal", count=4, at=-4.5),
            event("Failed", f'Failed to pull image "{image}": {why}', count=4, at=-4),
            event("Failed", "Error: ErrImagePull", count=4, at=-4),
            event("BackOff", f'Back-off pulling image "{image}"', kind="Normal", count=40, at=-1),
        ],
    )


def containerd(image: str, why: str, code: str = "Unknown") -> str:
    return f'rpc error: code = {code} desc = failed to pull and unpack image "{image}": failed to resolve reference "{image}": {why}'


MAYBE = (
    "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: "
    "authorization failed"
)

CASES = [
    case(
        "image-tag-missing",
        "image_not_found",
        "containerd: not found; a pull secret is set and the registry answered",
        unpulled(
            "nvcr.io/nvidia/pytorch:24.55-py3",
            containerd("nvcr.io/nvidia/pytorch:24.55-py3", "nvcr.io/nvidia/pytorch:24.55-py3: not found", "NotFound"),
        ),
        job=STARTING,
        never=("image_auth_failed",),
        pair="not-found-in-registry",
    ),
    case(
        "image-manifest-unknown-crio",
        "image_not_found",
        "CRI-O: manifest unknown",
        unpulled(
            "quay.io/acme/trainer:v99",
            "rpc error: code = Unknown desc = reading manifest v99 in quay.io/acme/trainer: manifest unknown",
        ),
        job=STARTING,
    ),
    case(
        "image-ambiguous-with-secret",
        "image_not_found",
        "the registry's answer allows both readings; a pull secret is set, so it is the name (causes.md)",
        unpulled("docker.io/acme/trainr:1.0", containerd("docker.io/acme/trainr:1.0", MAYBE), secret=True),
        job=STARTING,
        never=("image_auth_failed",),
        pair="may-require-authorization",
    ),
    case(
        "image-ambiguous-without-secret",
        "image_auth_failed",
        "the same answer without a pull secret: authorization is the likelier reading (causes.md)",
        unpulled("docker.io/acme/trainr:1.0", containerd("docker.io/acme/trainr:1.0", MAYBE), secret=False),
        job=STARTING,
        never=("image_not_found",),
        pair="may-require-authorization",
    ),
    case(
        "image-401",
        "image_auth_failed",
        "containerd: 401 from the registry's token service",
        unpulled(
            "nvcr.io/acme/private:1.0",
            containerd(
                "nvcr.io/acme/private:1.0",
                "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://nvcr.io/proxy_auth?scope=repository%3Aacme%2Fprivate%3Apull: 401 Unauthorized",
            ),
        ),
        job=STARTING,
        never=("credential_rejected", "image_not_found"),
        pair="registry-answers",
    ),
    case(
        "image-ecr-no-basic-auth",
        "image_auth_failed",
        "ECR's words for a missing or expired login; the named pull secret does not exist",
        unpulled(
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/trainer:7",
            containerd(
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/trainer:7",
                "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
            ),
            secret=False,
        ),
        job=STARTING,
    ),
    case(
        "image-403-artifact-registry",
        "image_auth_failed",
        "Google's Artifact Registry denies the download",
        unpulled(
            "europe-docker.pkg.dev/acme/ml/trainer:7",
            containerd(
                "europe-docker.pkg.dev/acme/ml/trainer:7",
                "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://europe-docker.pkg.dev/v2/token: 403 Forbidden",
            ),
        ),
        job=STARTING,
    ),
    case(
        "registry-timeout",
        "registry_unreachable",
        "the node cannot reach the registry",
        unpulled(
            "registry-1.docker.io/acme/trainer:7",
            containerd(
                "docker.io/acme/trainer:7",
                'failed to do request: Head "https://registry-1.docker.io/v2/acme/trainer/manifests/7": dial tcp 44.208.254.194:443: i/o timeout',
            ),
        ),
        job=STARTING,
        never=("connection_timeout", "image_not_found"),
        pair="registry-answers",
    ),
    case(
        "registry-name",
        "registry_unreachable",
        "the registry's name does not resolve on the node: `no such host` is no missing image",
        unpulled(
            "harbor.acme.internal/ml/trainer:7",
            containerd(
                "harbor.acme.internal/ml/trainer:7",
                'failed to do request: Head "https://harbor.acme.internal/v2/ml/trainer/manifests/7": dial tcp: lookup harbor.acme.internal on 10.0.0.2:53: no such host',
            ),
        ),
        job=STARTING,
        never=("image_not_found", "dns_failure"),
        pair="not-found-in-registry",
    ),
    case(
        "registry-certificate",
        ("registry_unreachable", "tls_error"),
        "kubelet's pull failed on the registry's certificate: the registry cannot be used; TLS is the finer word",
        unpulled(
            "harbor.acme.internal/ml/trainer:7",
            containerd(
                "harbor.acme.internal/ml/trainer:7",
                'failed to do request: Head "https://harbor.acme.internal/v2/ml/trainer/manifests/7": tls: failed to verify certificate: x509: certificate signed by unknown authority',
            ),
        ),
        job=STARTING,
        never=("image_auth_failed", "image_not_found"),
    ),
    case(
        "registry-503",
        "registry_unreachable",
        "the registry is down for the moment",
        unpulled(
            "ghcr.io/acme/trainer:7",
            containerd(
                "ghcr.io/acme/trainer:7",
                "unexpected status from HEAD request to https://ghcr.io/v2/acme/trainer/manifests/7: 503 Service Unavailable",
            ),
        ),
        job=STARTING,
    ),
    case(
        "registry-rate-docker-hub",
        "registry_rate_limited",
        "Docker Hub's pull limit",
        unpulled(
            "docker.io/library/python:3.11",
            containerd(
                "docker.io/library/python:3.11",
                "unexpected status code https://registry-1.docker.io/v2/library/python/manifests/3.11: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
            ),
            secret=False,
        ),
        job=STARTING,
        never=("image_auth_failed", "rate_limited"),
        pair="registry-answers",
    ),
    case(
        "registry-rate-old-words",
        "registry_rate_limited",
        "the older words, through CRI-O",
        unpulled(
            "docker.io/pytorch/pytorch:2.3.0",
            "rpc error: code = Unknown desc = reading manifest 2.3.0 in docker.io/pytorch/pytorch: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit",
        ),
        job=STARTING,
    ),
    case(
        "image-name-upper-case",
        "invalid_image_name",
        "kubelet cannot parse the reference",
        stuck(
            "InvalidImageName",
            'Failed to apply default image tag "Acme/Trainer:7": couldn\'t parse image name "Acme/Trainer:7": invalid reference format: repository name (Acme/Trainer) must be lowercase',
            image="Acme/Trainer:7",
        ),
        job=STARTING,
        never=("image_not_found",),
    ),
    case(
        "image-name-with-protocol",
        "invalid_image_name",
        "an https:// in front of the reference",
        stuck(
            "InvalidImageName",
            'Failed to apply default image tag "https://nvcr.io/nvidia/pytorch:24.05-py3": couldn\'t parse image name "https://nvcr.io/nvidia/pytorch:24.05-py3": invalid reference format',
            image="https://nvcr.io/nvidia/pytorch:24.05-py3",
        ),
        job=STARTING,
        never=("registry_unreachable",),
    ),
    case(
        "image-never-pull",
        "image_never_pull",
        "imagePullPolicy: Never, and the node does not have it",
        stuck(
            "ErrImageNeverPull",
            'Container image "trainer:dev" is not present with pull policy of Never',
            image="trainer:dev",
        ),
        job=STARTING,
        never=("image_not_found",),
        pair="not-found-in-registry",
    ),
    case(
        "image-never-pull-event-only",
        "image_never_pull",
        "the same, only as an event (Run:ai's copy; no Kubernetes access)",
        pod(
            phase="Pending",
            events=[
                event(
                    "ErrImageNeverPull",
                    'Container image "trainer:dev" is not present with pull policy of Never',
                    count=30,
                )
            ],
        ),
        job=STARTING,
        kubernetes=False,
    ),
    case(
        "image-not-found-without-kubernetes",
        "image_not_found",
        "Run:ai's event list alone has kubelet's words",
        unpulled(
            "nvcr.io/nvidia/pytorch:24.55-py3",
            containerd("nvcr.io/nvidia/pytorch:24.55-py3", "nvcr.io/nvidia/pytorch:24.55-py3: not found", "NotFound"),
        ),
        job=STARTING,
        kubernetes=False,
    ),
    case(
        "image-sidecar-only",
        "image_not_found",
        "the trainer's image is there; the sidecar's is not, and the pod does not start without it",
        unpulled(
            "acme/otel-shipper:9.9",
            containerd("docker.io/acme/otel-shipper:9.9", "docker.io/acme/otel-shipper:9.9: not found", "NotFound"),
        ),
        job=STARTING,
    ),
    case(
        "image-401-forgotten-events",
        "image_auth_failed",
        "Kubernetes dropped the events after an hour; Run:ai still has the attempt that says why",
        unpulled(
            "nvcr.io/acme/private:1.0",
            containerd(
                "nvcr.io/acme/private:1.0",
                "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://nvcr.io/proxy_auth: 401 Unauthorized",
            ),
        ),
        job=job("Initializing", since=-300, created=-302),
        forgotten=True,
    ),
]
