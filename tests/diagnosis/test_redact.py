"""Redaction: secrets go, and what people search for stays."""

from __future__ import annotations

import base64
import re
import string
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from runai_monitor.diagnosis import pieces
from runai_monitor.diagnosis.redact import MASK, redact, redact_environment

VALUE = st.text(alphabet=string.ascii_letters + string.digits, min_size=24, max_size=36)
SHAPES = [
    "eyJhbGciOiJIUzI1NiJ9.{}.{}", "AKIA{:.16}", "ghp_{}", "github_pat_{}", "glpat-{}", "hf_{}", "nvapi-{}", "xoxb-{}",
    "https://hooks.slack.com/services/T0/B0/{}", "AIza{0}{0}", "sk-{}", "sk-ant-{}", "postgres://user:{}@db:5432/x",
    "Authorization: Bearer {}", "authorization: Basic {}", "Bearer {}", "password={}", "PASSWORD: '{}'",
    "AWS_SECRET_ACCESS_KEY={}", '"api_key": "{}"', "client_secret => {}", "--token {}", "WANDB_API_KEY {}",
    "AccountKey={};EndpointSuffix=x", "https://x.blob/y?sv=1&sig={}", "Cookie: session={}",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=25, deadline=None)
@given(value=VALUE, before=st.sampled_from(["", "error: ", "line one\n", '{"msg": "']))
def test_no_planted_secret_survives(shape: str, value: str, before: str) -> None:
    """What is stored and sent must never hold a working credential."""
    if "AKIA" in shape:
        value = value.upper()
    planted = value[:16] if "AKIA" in shape else value
    assert planted not in redact(before + shape.format(value, value) + " and then it failed")


TOKENS = [
    "ghp_{:.36}", "glpat-{:.20}", "hf_{:.34}", "sk-proj-{}", "nvapi-{}", "npm_{0}{0:.12}", "ntn_{0}{0:.10}", "AKCp{0:.24}{0:.24}{0:.24}",
    "xoxb-1-2-{}", "dp.pt.{0:.24}{0:.20}", "tskey-auth-{}", "lsv2_pt_{}", "CCIPAT_{}", "figd_{}", "pscale_tkn_{}",
    "{0:.14}.atlasv1.{0}{0}",
]  # fmt: skip
AROUND = [
    "line\\n{}\\nline", "\\t{}", "\x1b[31m{}\x1b[0m", r"\u001b[31m{}\u001b[0m", r"key\u003d{}", "k%3D{}", "'{}'", r"\x27{}\x27",
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
@settings(max_examples=40, deadline=None)
@given(value=VALUE, token=st.sampled_from(TOKENS))
def test_an_escape_before_a_token_does_not_hide_it(around: str, token: str, value: str) -> None:
    """In JSON a token at the start of a line follows the letter of an escaped new line."""
    assert value[:14] not in redact(around.format(token.format(value)))


@pytest.mark.parametrize(
    "shape",
    [
        "- name: DB_PASSWORD\n  value: {}",
        '{{"name": "DB_PASSWORD",\n   "value": "{}"}}',
        "password: |\n  {}",
        "password: >-\n  {}",
        '"password":\n    "{}"',
        "password=\\\n{}",
        r"{{\\\"password\\\": \\\"{}\\\"}}",
        "<password>{}</password>",
        "password%3D{}",
        r"{{\"auths\": {{\"r.io\": {{\"auth\": \"{}\"}}}}}}",
        "{{'auths': {{'r.io': {{'auth': '{}'}}}}}}",
        "mysql -uroot -p{} runs",
        "sshpass -p {} ssh node",
        "docker login -u ada -p {} r.io",
        "echo {} | docker login -u ada --password-stdin r.io",
        "mc alias set lake http://minio:9000 trainer {}",
        "Authorization: SSWS {}",
        "spark.hadoop.fs.s3a.secret.key={}",
        "LDAP_BINDPW={}",
        'os.environ["HF_TOKEN"]="{}"',
        "Settings(api_key=SecretStr('{}'))",
        "--from-literal=pw={}",
        "az login --service-principal -u x -p {} --tenant t",
    ],
)
@given(value=st.text(alphabet=string.ascii_letters, min_size=7, max_size=12))
@settings(max_examples=10, deadline=None)
def test_a_password_without_digits_goes_by_where_it_stands(shape: str, value: str) -> None:
    """Manifests, pretty-printed JSON and command lines say that a word is a password; the word itself looks like none."""
    secret = f"{value}Zq"
    assert secret not in redact(shape.format(secret))


@pytest.mark.parametrize(
    "shape",
    [
        "wandb login {}", "+ wandb login --relogin {}", "RUN wandb login --host=https://w.corp {} && python train.py", "$ vault login -no-print {}",
        "bash -c 'wandb login {}'", "2026-03-01T02:55:00.123Z + vault login {}", '{{"log": "+ wandb login {}\\n"}}',
        r"net use Z: \\filer\models {} /user:corp\ada", r"$ net use * \\filer\models /user:ada {}",
        "smbclient //filer/models {}", "smbclient -U ada%{} //filer/models", "redis-cli -h cache -a {} ping", "mongodump -u ada -p {}",
        "ldapsearch -x -w {}", "htpasswd -bc users ada {}", "rclone obscure {}", "aws configure set aws_secret_access_key {}",
        "dvc remote modify --local origin password {}", "echo {} | sudo -S ls", "echo {} | kinit ada",
        "Password:\n{}\nnext", "Enter password: \r\n{}\r\n", "[sudo] password for ada:\n{}", "ada@gpu-07's password:\n{}",
        "Password for 'https://ada@git.corp':\n{}", "Enter passphrase for key '/root/.ssh/id_ed25519':\n{}",
        "2026-03-01T02:55:00.123Z Password:\n2026-03-01T02:55:04.567Z {}\n", "step 1\nPASSWORD:\n  {}  \nstep 2",
    ],
)  # fmt: skip
@given(value=st.text(alphabet=string.ascii_lowercase, min_size=4, max_size=14))
@settings(max_examples=10, deadline=None)
def test_a_bare_word_goes_where_only_a_secret_can_stand(shape: str, value: str) -> None:
    """A command that logs in and a prompt that fills its line say what the word is; the word says nothing."""
    secret = f"{value}zqx"
    assert secret not in redact(shape.format(secret))


@given(value=st.text(alphabet=string.ascii_letters, min_size=24, max_size=24))
@settings(max_examples=60, deadline=None)
def test_a_vault_token_needs_no_digit(value: str) -> None:
    """Twenty-four random letters hold a digit seldom enough that hundreds of tokens have none."""
    capitals = sum(letter.isupper() for letter in value)
    assume(7 <= capitals <= 16 and len(re.findall(r"[a-z][A-Z]", value)) >= 3)
    assert value not in redact(f"read s.{value} from the file")


@pytest.mark.parametrize(
    "text",
    [
        "s.getDistributedBackendName is not set",
        "s.configureAuthenticationXY",
        "s.NCCLAllReduceCUDAStream()",
        "wandb login failed",
        "wandb: Use `wandb login --relogin` to force relogin",
        "You can run wandb login first, or set WANDB_MODE=offline",
        "vault login -method=oidc",
        "vault login -method=ldap username=ada",
        "error: vault login required",
        "the net use of memory grew",
        "mongo -p is the option for it",
        "Password:\nAuthenticating...\nConnected",
        "Password: \nConnected",
        "Password:\nLogin incorrect\n",
        "Password:\n/root/.netrc was read",
        "Password:\n100%\n",
        "Enter password:\nPassword:\n",
        "Password:\n------\n",
        "Invalid password:\nlength\n",
        "cannot read the password:\ntraceback\n",
        "missing fields, password:\nusername\n",
        "config:\n  password:\n  username: ada\n",
    ],
)
def test_what_is_said_about_logins_stays(text: str) -> None:
    """Prompts and login commands stand in many logs, and what follows them is as a rule the reason of a failure."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "inside",
    ["ghp_{}", "password={}", '{{"auths": {{"r.io": {{"auth": "{}"}}}}}}', "-----BEGIN RSA PRIVATE KEY-----\n{}"],
)
@settings(max_examples=10, deadline=None)
@given(value=VALUE)
def test_what_is_a_secret_when_decoded_is_one(inside: str, value: str) -> None:
    """Kubernetes writes the data of its secrets, and kubeconfigs their keys, in base64."""
    encoded = base64.b64encode(inside.format(value).encode()).decode()
    assert encoded[-24:] not in redact(f"data: {encoded} end")


@pytest.mark.parametrize(
    "text",
    [
        "npm_config_registry_override",
        "data " + base64.b64encode(b"epoch 3 step 1200 loss 1.83").decode(),
        'Missing key(s) in state_dict:\n  "encoder.layer.0.weight"',
        "/mnt/lake/datasets/imagenet/train/n01440764/n01440764_10026.JPEG",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "workload a1b2c3d4-e5f6-7890-abcd-ef1234567890 failed",
        "image repo/train@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "max_tokens=2048 tokens/sec: 12345.6 num_tokens: 90000",
        "submitted by researcher@example.com",
        "step 403/1000 loss 2.31 tokens=1048576",
        "KeyError: 'token_type_ids'",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB",
        "http://proxy:3128/path",
        "may require authorization: server message: insufficient_scope: authorization failed",
    ],
)
def test_what_people_search_for_stays(text: str) -> None:
    """A report that hides the commit or the digest hides the way to the mend."""
    assert redact(text) == text


def test_the_rest_of_the_line_stays() -> None:
    """Only the secret goes; the sentence around it is evidence."""
    assert redact("login with password=hunter2000 failed for bob") == f"login with password={MASK} failed for bob"


def test_environment_values_go_by_their_names() -> None:
    """A value that looks like nothing is a secret when its variable says so."""
    pairs = [("WANDB_API_KEY", "abc"), ("MY_TOKEN", "x"), ("EPOCHS", "3"), ("URL", "redis://:pw@host")]
    assert redact_environment(pairs) == (
        ("WANDB_API_KEY", MASK),
        ("MY_TOKEN", MASK),
        ("EPOCHS", "3"),
        ("URL", f"redis://:{MASK}@host"),
    )


def test_a_megabyte_on_one_line_is_no_trap() -> None:
    """A log is written by anyone; no line may stop the monitor."""
    for hostile in (
        "a" * 1_000_000,
        "token " * 200_000,
        "password=" * 100_000,
        "eyJ" * 300_000,
        "-----BEGIN A" * 50_000,
        "wandb login " * 50_000,
        "smbclient -U " * 50_000,
        "Password:\n" * 50_000,
        "password for " * 50_000,
    ):
        redact(hostile)


SPANNING = [
    "AKIA{:.16}\n  {:.40}",
    "api_key: |\n    {}",
    '"name": "DB_PASSWORD",\n        "value": "{}"',
    "eyJ{0}{0}.{0}.{0}",
]


@settings(max_examples=60, deadline=None)
@given(
    shapes=st.lists(st.sampled_from([*SHAPES, *TOKENS, *SPANNING]), min_size=1, max_size=12),
    fillings=st.lists(st.integers(min_value=0, max_value=9_000), min_size=12, max_size=12),
    value=VALUE,
)
def test_a_long_text_is_searched_in_pieces_to_the_same_end(shapes: list[str], fillings: list[int], value: str) -> None:
    """Wherever one piece ends and the next begins, no secret slips through between them."""
    value = value.upper() + value[:20]
    parts = []
    for shape, filling in zip(shapes, fillings, strict=False):
        lines = "".join(f"step {number} | loss 1.93 | it/s 3\n" for number in range(filling // 30))
        parts.append(lines + "x" * (filling % 30) + " " + shape.format(value, value) + " and so on\n")
    text = "".join(parts)
    with mock.patch.object(pieces, "PIECE", len(text)):
        whole = redact(text)
    assert redact(text) == whole
