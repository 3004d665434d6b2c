"""A connected client: by the kubeconfig given, else the default one, else as a pod's service account."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeNotConfiguredError, KubeUnavailableError
from runai_monitor.kube.api import KubeApi
from runai_monitor.kube.client import KubeClient
from runai_monitor.kube.kubeconfig import SERVICE_ACCOUNT, choose_context, choose_service_account, kubeconfig_paths
from runai_monitor.kube.login import ClusterLogin


async def connect(
    *,
    kubeconfig: str | None,
    context: str | None,
    clock: Clock,
    redact: Callable[[str], str],
    environ: Mapping[str, str] | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> KubeClient:
    """Reads the configuration and logs in; asks the API server nothing yet.

    Args:
        kubeconfig: a file, or several joined by the path separator; None for `~/.kube/config` when it exists.
        context: a context of it; None for its current one.
        clock: for the renewal of logins and the pauses between retries.
        redact: takes secrets out of what the API server says, before it becomes part of an error.
        environ: the environment variables; None for the process's own.
        service_account: where a pod finds its token.

    Raises:
        KubeUnavailableError: there is no usable configuration; the text says what was tried and what failed.
            KubeNotConfiguredError when there is none at all.
    """
    environ = os.environ if environ is None else environ
    paths = kubeconfig_paths(kubeconfig)
    if paths:
        choose = partial(choose_context, paths, context)
    elif context:
        raise KubeUnavailableError(f"the context {context!r} needs a kubeconfig and there is none; set KUBECONFIG")
    elif environ.get("KUBERNETES_SERVICE_HOST"):
        choose = partial(choose_service_account, environ=environ, directory=service_account)
    else:
        raise KubeNotConfiguredError(
            "no Kubernetes configuration: ~/.kube/config does not exist and this is no pod; set KUBECONFIG"
        )
    login = ClusterLogin(choose=choose, clock=clock)
    return KubeClient(KubeApi(await login.open(), login=login, clock=clock, redact=redact))
