"""A connected client from a kubeconfig or from inside a cluster, with logins that are renewed.

Configuration, TLS and exec plugins are the official client's. Two of its habits are mended here: it never runs an exec
plugin or reads a token file again, and it goes on anonymously when a plugin fails.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio.to_thread

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeUnavailableError
from runai_monitor.kube.client import KubeClient

_DEFAULT_KUBECONFIG = "~/.kube/config"
_RENEW_BEFORE = timedelta(seconds=60)


async def connect(
    *, kubeconfig: str | None, context: str | None, clock: Clock, environ: Mapping[str, str] | None = None
) -> KubeClient:
    """Connects by the kubeconfig given, else the default one, else as a pod's service account.

    Raises:
        KubeUnavailableError: there is no usable configuration; the text says which was tried.
    """
    environ = os.environ if environ is None else environ
    path = _config_path(kubeconfig)
    configuration = await anyio.to_thread.run_sync(_new_configuration)
    if path is not None:
        login = _KubeconfigLogin(path=path, context=context, configuration=configuration, clock=clock)
        await login.load()
        configuration.refresh_api_key_hook = login.renew_if_due
        return KubeClient(_api_client(configuration), clock=clock, relogin=login.renew)
    if environ.get("KUBERNETES_SERVICE_HOST"):
        _load_in_cluster(configuration)
        return KubeClient(_api_client(configuration), clock=clock)
    raise KubeUnavailableError(
        f"no Kubernetes configuration: {_DEFAULT_KUBECONFIG} does not exist and this is no pod; set KUBECONFIG"
    )


class _KubeconfigLogin:
    """Loads a kubeconfig into a configuration, and again whenever its login has run out."""

    def __init__(self, *, path: str, context: str | None, configuration: Any, clock: Clock) -> None:
        self._path = path
        self._context = context
        self._configuration = configuration
        self._clock = clock
        self._expires_at: datetime | None = None

    async def load(self) -> None:
        """Reads the file and logs in.

        Raises:
            KubeUnavailableError: the file, the context or the exec plugin cannot be used.
        """
        from kubernetes.aio.config import load_kube_config
        from kubernetes.aio.config.config_exception import ConfigException

        try:
            loader = await load_kube_config(
                config_file=self._path,
                context=self._context,
                client_configuration=self._configuration,
                persist_config=False,
            )
        except ConfigException as error:
            raise KubeUnavailableError(f"the kubeconfig {self._path} cannot be used: {_short(error)}") from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise KubeUnavailableError(f"the kubeconfig {self._path} cannot be read: {_short(error)}") from error
        user = getattr(loader, "_user", None)
        if user and "exec" in user and not (getattr(loader, "token", None) or getattr(loader, "cert_file", None)):
            command = str(user["exec"]["command"]) if "command" in user["exec"] else "exec"
            raise KubeUnavailableError(
                f"the login plugin {command} of the kubeconfig failed; log in with it by hand first"
            )
        self._expires_at = getattr(loader, "exec_plugin_expiry", None)

    async def renew(self) -> bool:
        """Logs in again; whether that worked."""
        try:
            await self.load()
        except KubeUnavailableError:
            return False
        return True

    async def renew_if_due(self, _configuration: Any) -> None:
        """Called before every request: a login that is about to end is renewed first."""
        expires_at = self._expires_at
        if expires_at is None:
            return
        aware = expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC)
        if aware - self._clock.now() < _RENEW_BEFORE:
            await self.renew()


def _config_path(kubeconfig: str | None) -> str | None:
    """The file or files to use, None when the default one does not exist.

    Raises:
        KubeUnavailableError: files were named and none of them exists.
    """
    if kubeconfig:
        paths = [Path(part).expanduser() for part in kubeconfig.split(os.pathsep) if part]
        existing = [str(path) for path in paths if path.is_file()]
        if not existing:
            raise KubeUnavailableError(f"the kubeconfig {kubeconfig} does not exist; correct KUBECONFIG")
        return os.pathsep.join(existing)
    default = Path(_DEFAULT_KUBECONFIG).expanduser()
    return str(default) if default.is_file() else None


def _new_configuration() -> Any:
    """A fresh configuration; importing the official client takes half a second, hence the thread."""
    from kubernetes.aio.client import Configuration

    return type.__call__(Configuration)


def _load_in_cluster(configuration: Any) -> None:
    from kubernetes.aio.config import load_incluster_config
    from kubernetes.aio.config.config_exception import ConfigException

    try:
        load_incluster_config(client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise KubeUnavailableError(f"this pod's service account cannot be used: {_short(error)}") from error


def _api_client(configuration: Any) -> Any:
    from kubernetes.aio.client.api_client import ApiClient

    return ApiClient(configuration)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
