"""Thirty kinds of credentials, each in its usual context, in every place a text can come from; and what only looks like one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.corpus.case import LabelledCase, case
from tests.corpus.mint import HEX, LETTERS, UPPER, Mint
from tests.corpus.wire import (
    JOB,
    container,
    crashed,
    creating,
    ended,
    event,
    job,
    on_owner,
    past,
    pod,
    stuck,
    unscheduled,
)


def lines(mint: Mint) -> list[str]:
    """One line for each kind, as programs and people write them."""
    return [
        f"AWS_SECRET_ACCESS_KEY={mint.of(40)}",
        f"aws_access_key_id = {mint.of(16, UPPER, prefix='AKIA')}",
        f"export HF_TOKEN={mint.of(34, LETTERS, prefix='hf_')}",
        f"remote: https://oauth2:{mint.of(36, prefix='ghp_')}@github.com/acme/private.git",
        f"using token {mint.of(82, prefix='github_pat_')}",
        f"CI_JOB_TOKEN: {mint.of(20, prefix='glpat-')}",
        f"openai.api_key='{mint.of(40, prefix='sk-proj-')}'",
        f'{{"anthropic_api_key": "{mint.of(80, prefix="sk-ant-api03-")}"}}',
        f"slack token {mint.of(24, prefix='xoxb-204812345678-')}",
        f"POST https://hooks.slack.com/services/T02ABCDEF/B03ABCDEF/{mint.of(24)}",
        f"key={mint.of(35, prefix='AIza')}",
        f"DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={mint.of(86)}==;EndpointSuffix=core.windows.net",
        f"Authorization: Bearer {mint.jwt()}",
        f"Authorization: Basic {mint.basic()}",
        f"postgresql://trainer:{mint.of(18)}@db.acme.internal:5432/runs",
        f"redis://:{mint.of(20)}@redis.data.svc:6379/0",
        f"//registry.npmjs.org/:_authToken={mint.of(36, prefix='npm_')}",
        f"TWINE_PASSWORD={mint.of(120, prefix='pypi-AgEIcHlwaS5vcmc')}",
        f"NGC_API_KEY={mint.of(64, prefix='nvapi-')}",
        f"WANDB_API_KEY={mint.of(40, HEX)}",
        f'{{"auths":{{"nvcr.io":{{"auth":"{mint.basic()}"}}}}}}',
        f"DATABRICKS_TOKEN={mint.of(32, HEX, prefix='dapi')}",
        f"X-Vault-Token: {mint.of(90, prefix='hvs.')}",
        f"stripe key {mint.of(24, prefix='sk_live_')}",
        f"SG key: {mint.of(43, prefix='SG.' + 'a1B2c3D4e5F6g7H8i9J0kL' + '.')}",
        f"password='{mint.of(14)}'",
        f"mysql -u root --password={mint.of(15)} runs",
        f"X-Api-Key: {mint.of(32)}",
        f"https://acme.blob.core.windows.net/ds/x.tar?sv=2023-01-03&sig={mint.of(43)}%3D",
        f"Cookie: session={mint.of(40)}; path=/",
    ]


THIRDS = ((0, 10), (10, 20), (20, 30))
"""Excerpts are short: ten kinds fit in one, thirty do not."""
STARTING = job("Initializing", since=-28, created=-30)
TRACEBACK = 'Traceback (most recent call last):\n  File "/workspace/train.py", line 3, in <module>\n    run(env)\n'


def at_the_end_of_a_log(mint: Mint, said: str) -> LabelledCase:
    log = f"{said}\n{TRACEBACK}RuntimeError: refused: token={mint.of(30)} is not valid for this project\n"
    return case("log", "python_exception", "a dump of the environment before the exception", crashed(1, log))


def in_an_exception(_: Mint, said: str) -> LabelledCase:
    log = f"{TRACEBACK}ValueError: bad environment: {said}\n"
    return case("exception", "python_exception", "the exception quotes the environment", crashed(1, log))


def in_a_termination_message(_: Mint, said: str) -> LabelledCase:
    main = container(ended(1, message=f"fatal: refused\n{said}"))
    why = "a termination message of credentials; its one word of an error allows several readings"
    return case("termination", ("application_error", "invalid_arguments", "insufficient_evidence"), why, pod(main))


def in_kubelet_messages(_: Mint, said: str) -> LabelledCase:
    message = f'secret "wandb-api" not found {said}'
    made = stuck("CreateContainerConfigError", message, events=[event("Failed", f"Error: {message}")])
    return case("kubelet", "missing_secret", "kubelet's messages quote a manifest", made, job=STARTING)


def in_mount_events(_: Mint, said: str) -> LabelledCase:
    message = (
        'MountVolume.SetUp failed for volume "lake" : mount failed: exit status 32\n'
        f"Mounting arguments: -t cifs -o {said}\nOutput: mount error(13): Permission denied"
    )
    made = creating(event("FailedMount", message, count=9))
    return case("mount", "volume_mount_failed", "a mount command with its options", made, job=STARTING)


def in_the_scheduler_and_its_owner(_: Mint, said: str) -> LabelledCase:
    return case(
        "scheduler",
        "insufficient_gpu",
        "conditions, events and owners' events quote an annotation",
        unscheduled(f"0/24 nodes are available: 24 Insufficient nvidia.com/gpu. annotation: {said}"),
        events=[on_owner("FailedCreate", f"Error creating: {said}", kind="Normal")],
        job=job("Pending", since=-45, created=-45),
    )


def in_run_ai(mint: Mint, said: str) -> LabelledCase:
    condition = {
        "type": "Failed",
        "status": "True",
        "reason": "Error",
        "message": said,
        "lastTransitionTime": "2026-03-01T02:55:00Z",
    }
    environment = {f"VAR_{number}_TOKEN": mint.of(24) for number in range(8)}
    return case(
        "runai",
        "insufficient_evidence",
        "Run:ai's phase message, history, conditions, environment and arguments",
        job=job("Failed", message=said, conditions=[condition], environment=environment, arguments=f"train.py {said}"),
        history=past(("Creating", -60), ("Failed", -4, said)),
    )


PLACES: tuple[Callable[[Mint, str], LabelledCase], ...] = (
    at_the_end_of_a_log,
    in_an_exception,
    in_a_termination_message,
    in_kubelet_messages,
    in_mount_events,
    in_the_scheduler_and_its_owner,
    in_run_ai,
)


def planted() -> Iterator[LabelledCase]:
    """Every kind in every place; and long lines of nothing but tokens, so that wherever they are cut a token is cut."""
    for place in PLACES:
        for first, last in THIRDS:
            mint = Mint(f"{place.__name__} {first}")
            written = lines(mint)
            said = " ".join(written[first:last])
            made = place(mint, said)
            secrets = [secret for secret in mint.made if secret in said or secret not in " ".join(written)]
            yield replace(made, id=f"secrets-{made.id}-{first}", secrets=tuple(secrets))
        mint = Mint(f"{place.__name__} long")
        made = place(mint, " ".join(mint.of(70 + number % 13, prefix="ghp_") for number in range(60)))
        yield replace(made, id=f"secrets-{made.id}-long", secrets=tuple(mint.made))


COMMIT = "3f786850e387550fdab836ed7e6dc881de23001b"
RUN = "8f14e45f-ceea-467f-9b0a-2d5f2c1b7a10"
DIGEST = "sha256:9b74c9897bac770ffc029102a200c5de51a0e54cb3f9f5a6c1f6d7e8a9b0c1d2"

CASES = [
    *planted(),
    case(
        "no-secrets-commit-and-run",
        "python_exception",
        "a commit, a run's id and a token count are what the reader needs",
        crashed(
            1,
            f"""
            Traceback (most recent call last):
              File "/workspace/train.py", line 12, in <module>
                raise RuntimeError(why)
            RuntimeError: commit {COMMIT} of run {RUN} has max_tokens=4096 and pad_token_id=128001, expected 8192
            """,
        ),
        kept=(COMMIT, RUN, "max_tokens=4096", "pad_token_id=128001"),
    ),
    case(
        "no-secrets-digest",
        "image_not_found",
        "an image's digest names what is missing",
        stuck(
            "ErrImagePull",
            f'rpc error: code = NotFound desc = failed to pull and unpack image "nvcr.io/acme/x@{DIGEST}": failed to resolve reference "nvcr.io/acme/x@{DIGEST}": nvcr.io/acme/x@{DIGEST}: not found',
            image=f"nvcr.io/acme/x@{DIGEST}",
        ),
        job=job("Initializing", since=-28, created=-30),
        kept=(DIGEST,),
    ),
    case(
        "no-secrets-key-words",
        "missing_config_key",
        "the names of a key and of a secret are no secrets",
        stuck("CreateContainerConfigError", f"couldn't find key api-key in Secret runai-vision/{JOB}-credentials"),
        job=job("Initializing", since=-28, created=-30),
        kept=("api-key", f"{JOB}-credentials"),
    ),
]
