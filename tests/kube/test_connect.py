from __future__ import annotations

import json
import logging
import os
import ssl
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runai_monitor.clock import isoformat
from runai_monitor.errors import KubeForbiddenError, KubeUnavailableError
from runai_monitor.kube.connect import connect
from runai_monitor.kube.plugin import run_plugin
from tests.fakes import FakeClock
from tests.kube.fake_kube import PODS, TOKEN, FakeKube, listing, opened, pod_json, say, serving, write_kubeconfig

pytestmark = pytest.mark.anyio

EXEC_V1 = "client.authentication.k8s.io/v1"


@pytest.fixture(autouse=True)
def _nobody_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own kubeconfig is none of our business."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def make_fake(*tokens: str) -> FakeKube:
    fake = FakeKube(answers={PODS: [say(listing(pod_json("a")))]})
    if tokens:
        fake.accepted = {f"Bearer {token}" for token in tokens}
    return fake


class Plugin:
    """A login plugin: prints what `says` holds and counts its runs."""

    def __init__(self, folder: Path) -> None:
        self._says = folder / "says.json"
        self._runs = folder / "runs"
        self.path = folder / "login-plugin"
        self.path.write_text(
            f"#!{sys.executable}\n"
            "import os, sys, json, pathlib\n"
            f"with open({str(self._runs)!r}, 'a') as runs: runs.write(os.environ['KUBERNETES_EXEC_INFO'] + '\\n')\n"
            "assert sys.stdin.read() == ''\n"
            "sys.stderr.write('s3cret-refresh-token\\n' * 20000)\n"
            f"said = pathlib.Path({str(self._says)!r}).read_text()\n"
            "sys.exit(3) if said == 'fail' else print(said)\n"
        )
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)

    @property
    def infos(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._runs.read_text().splitlines()]

    @property
    def user(self) -> dict[str, Any]:
        return {"exec": {"apiVersion": EXEC_V1, "command": f"./{self.path.name}", "provideClusterInfo": True}}

    def gives(self, token: str, *, expires_at: datetime | None = None) -> None:
        status = {"token": token, **({"expirationTimestamp": isoformat(expires_at)} if expires_at else {})}
        self._says.write_text(json.dumps({"apiVersion": EXEC_V1, "kind": "ExecCredential", "status": status}))

    def fails(self) -> None:
        self._says.write_text("fail")

    def prints(self, text: str) -> None:
        self._says.write_text(text)


# --- which configuration ---------------------------------------------------------------------------------------------


async def test_several_files_are_one_configuration_and_the_first_wins(tmp_path: Path) -> None:
    """Kubectl takes the first file's current context; taking the last one's watches the wrong cluster."""
    fake = make_fake()
    async with serving(fake):
        mine = write_kubeconfig(tmp_path / "mine", fake.url, name="mine")
        other = write_kubeconfig(tmp_path / "other", "http://127.0.0.1:9", name="other")
        joined = os.pathsep.join([str(tmp_path / "missing"), str(mine), str(other)])
        async with opened(joined, FakeClock()) as client:
            assert [pod.name for pod in await client.list_pods(None)] == ["a"]


async def test_a_context_of_another_file_can_be_chosen(tmp_path: Path) -> None:
    """One person, many clusters: `RUNAI_MONITOR_KUBE_CONTEXT` says which."""
    fake = make_fake()
    async with serving(fake):
        other = write_kubeconfig(tmp_path / "other", "http://127.0.0.1:9", name="other")
        mine = write_kubeconfig(tmp_path / "mine", fake.url, name="mine")
        async with opened(f"{other}{os.pathsep}{mine}", FakeClock(), context="mine") as client:
            assert await client.list_pods(None)


async def test_an_unknown_context_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    """A typo in a setting, found at the start."""
    path = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9", name="prod-eu")
    with pytest.raises(KubeUnavailableError, match=r"no context 'prod-us'; it has: prod-eu"):
        await connect(kubeconfig=str(path), context="prod-us", clock=FakeClock(), redact=str, environ={})


async def test_without_any_configuration_it_says_what_was_looked_for(tmp_path: Path) -> None:
    """Kubernetes is optional; that it is not used must be explicable."""
    with pytest.raises(KubeUnavailableError, match=r"^no Kubernetes configuration.*KUBECONFIG"):
        await connect(kubeconfig=None, context=None, clock=FakeClock(), redact=str, environ={})


async def test_a_named_file_that_is_missing_is_no_reason_to_use_another(tmp_path: Path) -> None:
    """In a pod with a wrong KUBECONFIG, the pod's own account would watch the wrong cluster."""
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1"}
    with pytest.raises(KubeUnavailableError, match="does not exist; correct KUBECONFIG"):
        await connect(kubeconfig=str(tmp_path / "nope"), context=None, clock=FakeClock(), redact=str, environ=environ)


async def test_the_default_kubeconfig_is_used_when_there_is_one(tmp_path: Path) -> None:
    """As kubectl: what works in the terminal works here."""
    fake = make_fake()
    folder = tmp_path / "home" / ".kube"
    folder.mkdir(parents=True)
    async with serving(fake):
        write_kubeconfig(folder / "config", fake.url)
        client = await connect(kubeconfig=None, context=None, clock=FakeClock(), redact=str, environ={})
        assert await client.list_pods(None)
        await client.aclose()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("users: [{name: u, user: {token: s3cret-token", "is not YAML"),
        ("- s3cret-token", "is not a kubeconfig"),
        ("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]", "a cluster that no file defines"),
        (
            (
                "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                "clusters: [{name: k, cluster: {server: 'https://k.example', certificate-authority-data: s3cret-token}}]\n"
                "users: [{name: u, user: {token: s3cret-token}}]"
            ),
            "cannot be used",
        ),
        ("[" * 5000, "is not YAML"),
        (
            (
                "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
                "clusters: [{name: k, cluster: {server: 'https://[s3cret-token'}}]"
            ),
            "names no server address",
        ),
    ],
)
async def test_a_broken_kubeconfig_is_an_error_that_quotes_nothing_of_it(
    tmp_path: Path, text: str, expected: str
) -> None:
    """Parsers quote the line they fail on, and kubeconfigs are made of secrets."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(KubeUnavailableError, match=expected) as caught:
        await connect(kubeconfig=str(path), context=None, clock=FakeClock(), redact=str, environ={})
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in str(error)
        error = error.__cause__


# --- plugins ---------------------------------------------------------------------------------------------------------


async def test_a_plugin_logs_in_and_is_told_the_cluster(tmp_path: Path) -> None:
    """Relative commands start at the kubeconfig; standard input stays ours; a chatty plugin does not block."""
    plugin, fake = Plugin(tmp_path), make_fake("first")
    plugin.gives("first")
    async with (
        serving(fake),
        opened(write_kubeconfig(tmp_path / "c", fake.url, user=plugin.user), FakeClock()) as client,
    ):
        assert await client.list_pods(None)
        spec = plugin.infos[0]["spec"]
        assert (spec["interactive"], spec["cluster"]["server"]) == (False, fake.url)
        assert len(plugin.infos) == 1


async def test_a_plugins_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    """The official client never runs the plugin again: blind after the first hour."""
    plugin, fake, clock = Plugin(tmp_path), make_fake("first"), FakeClock()
    plugin.gives("first", expires_at=clock.now() + timedelta(hours=1))
    async with serving(fake), opened(write_kubeconfig(tmp_path / "c", fake.url, user=plugin.user), clock) as client:
        await client.list_pods(None)
        plugin.gives("second", expires_at=clock.now() + timedelta(hours=2))
        await clock.advance(3600 - 61)
        await client.list_pods(None)
        assert len(plugin.infos) == 1
        fake.accepted = {"Bearer second"}
        await clock.advance(2)
        await client.list_pods(None)
        assert len(plugin.infos) == 2
        assert all(request.headers["Authorization"] in {"Bearer first", "Bearer second"} for request in fake.requests)
        assert len(fake.requests) == 3


async def test_a_token_refused_early_is_renewed_once_for_all_who_ask(tmp_path: Path) -> None:
    """Revoked or rotated; ten parallel readers must not start ten logins."""
    plugin, fake = Plugin(tmp_path), make_fake("first")
    plugin.gives("first")
    async with (
        serving(fake),
        opened(write_kubeconfig(tmp_path / "c", fake.url, user=plugin.user), FakeClock()) as client,
    ):
        plugin.gives("second")
        fake.accepted = {"Bearer second"}
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(client.list_pods, None)
        assert len(plugin.infos) == 2


async def test_a_token_that_stays_refused_is_forbidden_and_the_plugin_is_left_alone(tmp_path: Path) -> None:
    """The account was disabled: say so; do not start a process at every request of the night."""
    plugin, fake = Plugin(tmp_path), make_fake("other")
    plugin.gives("first")
    async with (
        serving(fake),
        opened(write_kubeconfig(tmp_path / "c", fake.url, user=plugin.user), FakeClock()) as client,
    ):
        for _ in range(5):
            with pytest.raises(KubeForbiddenError, match="log in again"):
                await client.list_pods(None)
        assert len(plugin.infos) == 2


async def test_a_plugin_that_fails_is_an_error_and_never_anonymous(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The official client logs it and goes on without a login; then RBAC is blamed."""
    plugin = Plugin(tmp_path)
    plugin.fails()
    path = write_kubeconfig(tmp_path / "c", "http://127.0.0.1:9", user=plugin.user)
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(KubeUnavailableError, match=r"login-plugin failed \(exit code 3\)"),
    ):
        await connect(kubeconfig=str(path), context=None, clock=FakeClock(), redact=str, environ={})
    assert "s3cret" not in caplog.text


async def test_a_plugin_that_fails_later_costs_nothing_until_the_token_ends(tmp_path: Path) -> None:
    """A single sign-on outage; when it is over, and a person logged in, we go on by ourselves."""
    plugin, fake, clock = Plugin(tmp_path), make_fake("first", "second"), FakeClock()
    plugin.gives("first", expires_at=clock.now() + timedelta(hours=1))
    async with serving(fake), opened(write_kubeconfig(tmp_path / "c", fake.url, user=plugin.user), clock) as client:
        plugin.fails()
        await clock.advance(3600 - 30)
        assert await client.list_pods(None)
        await clock.advance(31)
        with pytest.raises(KubeUnavailableError, match="login-plugin failed"):
            await client.list_pods(None)
        plugin.gives("second", expires_at=clock.now() + timedelta(hours=1))
        await clock.advance(11)
        assert await client.list_pods(None)


@pytest.mark.parametrize(
    ("prints", "expected"),
    [
        ("Please open https://login.example/?s3cret", "printed no ExecCredential"),
        ('{"apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "t"}}', "does not speak"),
        (json.dumps({"apiVersion": EXEC_V1, "status": {}}), "neither a token nor a certificate"),
    ],
)
async def test_a_plugin_that_prints_something_else_is_an_error(tmp_path: Path, prints: str, expected: str) -> None:
    """A wrapper script that prints a banner, an old plugin, one whose login ran out."""
    plugin = Plugin(tmp_path)
    plugin.prints(prints)
    path = write_kubeconfig(tmp_path / "c", "http://127.0.0.1:9", user=plugin.user)
    with pytest.raises(KubeUnavailableError, match=expected) as caught:
        await connect(kubeconfig=str(path), context=None, clock=FakeClock(), redact=str, environ={})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "section",
    [{"args": 5}, {"env": 5}, {"env": [{"name": "A=B", "value": "s3cret"}]}, {"args": ["s3cret\0"]}],
    ids=["args", "env", "name", "NUL"],
)
async def test_an_exec_section_that_makes_no_sense_is_an_error(tmp_path: Path, section: dict[str, Any]) -> None:
    """Edited by hand; each was a traceback once."""
    plugin = Plugin(tmp_path)
    plugin.prints("")
    user = {"exec": plugin.user["exec"] | section}
    path = write_kubeconfig(tmp_path / "c", "http://127.0.0.1:9", user=user)
    with pytest.raises(KubeUnavailableError, match="login-plugin") as caught:
        await connect(kubeconfig=str(path), context=None, clock=FakeClock(), redact=str, environ={})
    assert "s3cret" not in str(caught.value)


async def test_a_plugin_that_waits_for_a_person_is_ended(tmp_path: Path) -> None:
    """A browser log-in at 3 a.m. never ends; it must not hold the monitor."""
    spec = {"apiVersion": EXEC_V1, "command": sys.executable, "args": ["-c", "import time; time.sleep(60)"]}
    with anyio.fail_after(5), pytest.raises(KubeUnavailableError, match="did not finish"):
        await run_plugin(spec, cluster={}, timeout_seconds=0.2)


async def test_a_missing_plugin_says_to_install_it(tmp_path: Path) -> None:
    """The commonest failure in a container image."""
    with pytest.raises(KubeUnavailableError, match="aws-iam-no-such-thing cannot be run"):
        await run_plugin({"apiVersion": EXEC_V1, "command": "aws-iam-no-such-thing"}, cluster={})


# --- token files, in-cluster, TLS ------------------------------------------------------------------------------------


@pytest.mark.parametrize("refused", [False, True], ids=["in time", "after a 401"])
async def test_a_token_file_that_is_rotated_is_read_again(tmp_path: Path, refused: bool) -> None:
    """Projected tokens are replaced every hour; the old one is refused soon after."""
    fake, clock, token = make_fake("first"), FakeClock(), tmp_path / "token"
    token.write_text("first\n")
    async with (
        serving(fake),
        opened(write_kubeconfig(tmp_path / "c", fake.url, user={"tokenFile": "token"}), clock) as client,
    ):
        await client.list_pods(None)
        token.write_text("second\n")
        fake.accepted = {"Bearer second"}
        if not refused:
            await clock.advance(61)
        await client.list_pods(None)
        assert len(fake.requests) == (3 if refused else 2)


async def test_a_kubeconfig_with_a_new_token_is_read_again_after_a_401(tmp_path: Path) -> None:
    """`oc login` and friends write the new token into the file while we run."""
    fake = make_fake("first")
    async with serving(fake):
        path = write_kubeconfig(tmp_path / "c", fake.url, user={"token": "first"})
        async with opened(path, FakeClock()) as client:
            write_kubeconfig(path, fake.url, user={"token": "second"})
            fake.accepted = {"Bearer second"}
            assert await client.list_pods(None)


async def test_in_a_pod_the_service_account_is_used_over_verified_tls(tmp_path: Path) -> None:
    """No kubeconfig in the image: the mounted account is the configuration."""
    fake, (context, authority) = make_fake(), make_tls(tmp_path)
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(TOKEN)
    (account / "ca.crt").write_bytes(authority)
    async with serving(fake, tls=context):
        host, port = fake.url.removeprefix("https://").split(":")
        environ = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        client = await connect(
            kubeconfig=None, context=None, clock=FakeClock(), redact=str, environ=environ, service_account=account
        )
        assert await client.list_pods(None)
        await client.aclose()


async def test_in_a_pod_without_a_mounted_token_it_says_so(tmp_path: Path) -> None:
    """`automountServiceAccountToken: false` is common hardening."""
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1"}
    with pytest.raises(KubeUnavailableError, match="service account has no token"):
        await connect(
            kubeconfig=None, context=None, clock=FakeClock(), redact=str, environ=environ, service_account=tmp_path
        )


async def test_a_certificate_of_another_authority_is_refused_and_named(tmp_path: Path) -> None:
    """A rebuilt cluster or a listening proxy: never connect, and never call it `unreachable`."""
    fake, (context, _) = make_fake(), make_tls(tmp_path)
    async with serving(fake, tls=context), opened(write_kubeconfig(tmp_path / "c", fake.url), FakeClock()) as client:
        with pytest.raises(KubeUnavailableError, match=r"certificate that is not trusted.*certificate-authority"):
            await client.list_pods(None)
        assert fake.requests == []


async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The VPN is down: the address helps, the vendor's stack trace does not."""
    fake = make_fake()
    async with serving(fake):
        path = write_kubeconfig(tmp_path / "c", fake.url)
    async with opened(path, FakeClock()) as client:
        with pytest.raises(KubeUnavailableError, match=r"127\.0\.0\.1:\d+ refuses connections"):
            await client.list_pods(None)


def make_tls(folder: Path) -> tuple[ssl.SSLContext, bytes]:
    """A self-signed server certificate for loopback, and its PEM for those who shall trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    now = datetime.now(UTC)
    sign: Callable[..., x509.Certificate] = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign
    )
    pem = sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(pem + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, pem
