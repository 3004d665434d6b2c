"""Keeps a connection logged in: plugins run again before their token ends, token files are read again.

The official client does the TLS and the legacy logins. It logs in once: after that its plugins never run again, a
rotated token file is never read, and a failing plugin makes it go on anonymously. Hence this.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeUnavailableError
from runai_monitor.kube.kubeconfig import Chosen
from runai_monitor.kube.plugin import run_plugin

RENEW_BEFORE = timedelta(seconds=60)
"""How long before its end a login is renewed; a quarter of its life when that is shorter."""
TOKEN_FILE_PERIOD = timedelta(seconds=60)
"""How often a token file is read again: projected tokens are replaced long before they end."""
RETRY_SECONDS = 10.0
"""How long a failed or fruitless renewal is not tried again: a plugin is a process, and callers are many."""
_COPIED = ("host", "ssl_ca_cert", "cert_file", "key_file", "verify_ssl", "tls_server_name", "proxy", "api_key")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Login(Protocol):
    """Credentials that stay valid. `prepare` returns the serial of the login that the next request will use."""

    async def prepare(self) -> int:
        """Renews what is about to end; KubeUnavailableError when that fails and nothing valid is left."""
        ...

    async def renew(self, *, stale: int) -> bool:
        """After a 401 with login `stale`: whether there is another one now."""
        ...


class ClusterLogin:
    """One cluster's connection and its credentials; `choose` is asked again at every new login."""

    def __init__(self, *, choose: Callable[[], Chosen], clock: Clock) -> None:
        self._choose = choose
        self._clock = clock
        self._lock = anyio.Lock()
        self._configuration: Any = None
        self._api: Any = None
        self._serial = 0
        self._identity: tuple[Any, ...] = ()
        self._due_at: datetime | None = None
        self._expires_at: datetime | None = None
        self._tried_at: float | None = None
        self._failure: KubeUnavailableError | None = None

    async def open(self) -> Any:
        """Logs in and returns the official client's `ApiClient`.

        Raises:
            KubeUnavailableError: no usable configuration, login or certificate.
        """
        self._configuration = await anyio.to_thread.run_sync(_new_configuration)
        chosen = await self._log_in()
        try:
            self._api = await anyio.to_thread.run_sync(_new_api_client, self._configuration)
        except (OSError, ValueError) as error:
            raise KubeUnavailableError(
                f"the certificates of {chosen.origin} cannot be used ({type(error).__name__}); restore them"
            ) from error
        return self._api

    async def prepare(self) -> int:
        """As `Login.prepare`."""
        if self._is_due():
            async with self._lock:
                if self._is_due():
                    await self._renew_or_go_on()
        return self._serial

    async def renew(self, *, stale: int) -> bool:
        """As `Login.renew`; a fruitless renewal is not repeated for `RETRY_SECONDS`."""
        async with self._lock:
            if self._serial == stale:
                if not self._tried_lately():
                    await self._try()
                elif self._failure is not None:
                    raise KubeUnavailableError(str(self._failure))
            return self._serial != stale

    def _is_due(self) -> bool:
        return self._due_at is not None and self._clock.now() >= self._due_at

    def _tried_lately(self) -> bool:
        return self._tried_at is not None and self._clock.monotonic() - self._tried_at < RETRY_SECONDS

    async def _renew_or_go_on(self) -> None:
        if not self._tried_lately():
            with suppress(KubeUnavailableError):  # remembered; it counts only if the present login has ended
                await self._try()
        if self._failure is not None and self._expires_at is not None and self._clock.now() >= self._expires_at:
            raise KubeUnavailableError(str(self._failure))

    async def _try(self) -> None:
        try:
            await self._log_in()
        except KubeUnavailableError as error:
            self._failure = error
            raise
        finally:
            self._tried_at = self._clock.monotonic()

    async def _log_in(self) -> Chosen:
        """Chooses, authenticates, and puts the result into the configuration in one step."""
        chosen = await anyio.to_thread.run_sync(self._choose)
        user, expires_at, due_at = await self._authenticated(chosen)
        fresh = await _load(chosen, user)
        for name in _COPIED:
            setattr(self._configuration, name, getattr(fresh, name))
        self._configuration.disable_strict_ssl_verification = bool(fresh.ssl_ca_cert)
        self._avoid_proxy_for_loopback()
        identity = _identity(fresh)
        if identity != self._identity:
            self._identity = identity
            self._serial += 1
            if self._api is not None and fresh.cert_file:
                await anyio.to_thread.run_sync(_present_certificate, self._api, fresh, chosen.origin)
        self._expires_at, self._due_at, self._failure = expires_at, due_at, None
        return chosen

    async def _authenticated(self, chosen: Chosen) -> tuple[dict[str, Any], datetime | None, datetime | None]:
        """The user with plugins run and token files read; when that ends and when to do it again."""
        user, now = dict(chosen.user), self._clock.now()
        spec = user.pop("exec", None)
        if isinstance(spec, Mapping):
            gained = await run_plugin(spec, cluster=chosen.cluster)
            if gained.token:
                user["token"] = gained.token
            if gained.certificate and gained.key:
                user["client-certificate-data"] = base64.b64encode(gained.certificate.encode()).decode()
                user["client-key-data"] = base64.b64encode(gained.key.encode()).decode()
            ends = gained.expires_at
            return user, ends, None if ends is None else ends - min(RENEW_BEFORE, max(ends - now, timedelta()) / 4)
        token_file = user.pop("tokenFile", None)
        if token_file:
            user["token"] = await anyio.to_thread.run_sync(_token_of, Path(token_file), chosen.origin)
            return user, None, now + TOKEN_FILE_PERIOD
        return user, None, None

    def _avoid_proxy_for_loopback(self) -> None:
        # The session honours HTTP_PROXY, and a proxy cannot reach this machine's own loopback.
        if urlsplit(self._configuration.host).hostname in _LOOPBACK:
            self._configuration.client_session_kwargs = {"trust_env": False}


def _new_configuration() -> Any:
    """A fresh configuration; importing the official client takes half a second, hence in a thread."""
    from kubernetes.aio.client import Configuration

    # It logs what plugins and servers say, secrets included; what matters comes out as our errors.
    logging.getLogger("kubernetes").setLevel(logging.CRITICAL + 1)
    # `type.__call__` as the client's own loaders do: a plain call may copy a process-wide default.
    configuration = type.__call__(Configuration)
    # Every watched namespace holds one connection for hours: a pool with a limit would run dry.
    configuration.connection_pool_maxsize = 0
    return configuration


def _new_api_client(configuration: Any) -> Any:
    from kubernetes.aio.client.api_client import ApiClient

    return ApiClient(configuration)


async def _load(chosen: Chosen, user: Mapping[str, Any]) -> Any:
    """A configuration for one cluster and user, by the official loader."""
    from kubernetes.aio.config import load_kube_config_from_dict
    from kubernetes.aio.config.config_exception import ConfigException

    fresh = await anyio.to_thread.run_sync(_new_configuration)
    document = {
        "current-context": "chosen",
        "contexts": [{"name": "chosen", "context": {"cluster": "chosen", "user": "chosen"}}],
        "clusters": [{"name": "chosen", "cluster": dict(chosen.cluster)}],
        "users": [{"name": "chosen", "user": dict(user)}],
    }
    try:
        await load_kube_config_from_dict(document, client_configuration=fresh)
    except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # `from None`: the loader's errors quote the entries they fail on, tokens included.
        raise KubeUnavailableError(
            f"{chosen.origin} cannot be used ({type(error).__name__}); try `kubectl get pods` with it"
        ) from None
    return fresh


def _token_of(path: Path, origin: str) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise KubeUnavailableError(f"the token file {path} of {origin} cannot be read; restore it") from error
    if not token:
        raise KubeUnavailableError(f"the token file {path} of {origin} is empty; restore it")
    return token


def _identity(configuration: Any) -> tuple[Any, ...]:
    """What changes when another login is in place. Certificates are renewed in place: hence their times."""
    times = [Path(name).stat().st_mtime_ns for name in (configuration.cert_file, configuration.key_file) if name]
    return (configuration.host, dict(configuration.api_key), configuration.cert_file, *times)


def _present_certificate(api: Any, configuration: Any, origin: str) -> None:
    """New connections present the new certificate; those that are open stay as they are."""
    try:
        api.rest_client.ssl_context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    except OSError as error:
        raise KubeUnavailableError(f"the client certificate of {origin} cannot be used; log in again") from error
