"""Runs a kubeconfig's login plugin (`exec`) by the client authentication protocol.

Our own, because the official client's lets the plugin read our standard input (an MCP server's protocol stream), waits
for ever, and logs what the plugin says.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio
import msgspec

from runai_monitor.errors import KubeUnavailableError
from runai_monitor.kube.convert import instant

PLUGIN_SECONDS = 60.0
"""Cloud logins take seconds; one that waits for a person never ends, and there is nobody to ask."""
_PASSED_CLUSTER_KEYS = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
)
_CLUSTER_EXTENSION = "client.authentication.k8s.io/exec"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginCredential:
    """What a plugin gave: a token, a client certificate with its key (PEM), or both."""

    token: str | None = field(default=None, repr=False)
    certificate: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


class StatusWire(msgspec.Struct, rename="camel"):
    """The `status` of an ExecCredential."""

    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: str | None = None


class ExecCredentialWire(msgspec.Struct, rename="camel"):
    """What a plugin prints."""

    api_version: str | None = None
    status: StatusWire | None = None


async def run_plugin(
    spec: Mapping[str, Any], *, cluster: Mapping[str, Any], timeout_seconds: float = PLUGIN_SECONDS
) -> PluginCredential:
    """Runs the plugin once. What it writes to stderr is dropped: it may hold what must not be logged.

    Raises:
        KubeUnavailableError: it is missing, fails, takes too long or prints no credential.
    """
    command, version = str(spec.get("command") or ""), str(spec.get("apiVersion") or "")
    if not command or not version:
        raise KubeUnavailableError("the kubeconfig's exec section lacks command or apiVersion; correct it")
    name = f"the login plugin {os.path.basename(command)}"  # noqa: PTH119  # a name for people, not a path
    if spec.get("interactiveMode") == "Always":
        raise KubeUnavailableError(f"{name} needs a terminal; use a login that works without one")
    environment = {**os.environ, **_environment(spec), "KUBERNETES_EXEC_INFO": _info(spec, version, cluster)}
    arguments = [str(argument) for argument in _listed(spec, "args")]
    try:
        with anyio.fail_after(timeout_seconds):
            done = await anyio.run_process(
                [command, *arguments],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                check=False,
            )
    except TimeoutError as error:
        raise KubeUnavailableError(
            f"{name} did not finish within {timeout_seconds:.0f} s; log in with it by hand"
        ) from error
    except ValueError:
        # `from None`: what no process can be given may be a secret.
        raise KubeUnavailableError(f"{name} is given what no program can take; correct its exec section") from None
    except OSError as error:
        raise KubeUnavailableError(f"{name} cannot be run ({error.strerror}); install it or correct PATH") from error
    if done.returncode != 0:
        raise KubeUnavailableError(f"{name} failed (exit code {done.returncode}); log in with it by hand")
    return _credential(done.stdout, version=version, name=name)


def _credential(printed: bytes, *, version: str, name: str) -> PluginCredential:
    try:
        wire = msgspec.json.decode(printed, type=ExecCredentialWire)
    except (msgspec.MsgspecError, ValueError):
        # `from None`: the decoder's error may quote what was printed.
        raise KubeUnavailableError(f"{name} printed no ExecCredential; run it by hand to see what it says") from None
    if wire.api_version != version:
        raise KubeUnavailableError(f"{name} does not speak {version}; correct apiVersion in the kubeconfig")
    status = wire.status or StatusWire()
    certificate = status.client_certificate_data if status.client_key_data else None
    if not status.token and not certificate:
        raise KubeUnavailableError(f"{name} gave neither a token nor a certificate; log in with it by hand")
    return PluginCredential(
        token=status.token,
        certificate=certificate,
        key=status.client_key_data if certificate else None,
        expires_at=instant(status.expiration_timestamp),
    )


def _environment(spec: Mapping[str, Any]) -> dict[str, str]:
    items = _listed(spec, "env")
    return {
        str(item["name"]): str(item.get("value", "")) for item in items if isinstance(item, dict) and "name" in item
    }


def _listed(spec: Mapping[str, Any], key: str) -> list[Any]:
    found = spec.get(key)
    return found if isinstance(found, list) else []


def _info(spec: Mapping[str, Any], version: str, cluster: Mapping[str, Any]) -> str:
    told: dict[str, Any] = {"interactive": False}
    if spec.get("provideClusterInfo"):
        about: dict[str, Any] = {key: cluster[key] for key in _PASSED_CLUSTER_KEYS if key in cluster}
        for extension in cluster.get("extensions") or ():
            if isinstance(extension, dict) and extension.get("name") == _CLUSTER_EXTENSION:
                about["config"] = extension.get("extension")
        told["cluster"] = about
    return msgspec.json.encode({"apiVersion": version, "kind": "ExecCredential", "spec": told}).decode()
