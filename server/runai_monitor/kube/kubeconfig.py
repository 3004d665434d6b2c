"""Which cluster and which user: from kubeconfig files as kubectl reads them, or from inside a pod.

Reads and chooses only. Never quotes a file's content: kubeconfigs hold tokens and keys, in places one does not expect.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from runai_monitor.errors import KubeUnavailableError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where Kubernetes mounts a pod's own token and its cluster's CA."""
_SHOWN_CONTEXTS = 10
_CLUSTER_FILES = ("certificate-authority",)
_USER_FILES = ("tokenFile", "client-certificate", "client-key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One cluster and one user of it, as a kubeconfig spells them, every path absolute.

    `origin` says for people where this comes from.
    """

    origin: str
    cluster: Mapping[str, Any] = field(repr=False)
    user: Mapping[str, Any] = field(repr=False)


def kubeconfig_paths(kubeconfig: str | None) -> tuple[Path, ...]:
    """The existing files among those named, or the default file; empty when nothing was named and there is none.

    Raises:
        KubeUnavailableError: files were named and none of them exists.
    """
    if not kubeconfig:
        default = Path.home() / ".kube" / "config"
        return (default,) if default.is_file() else ()
    named = [Path(part).expanduser() for part in kubeconfig.split(os.pathsep) if part]
    existing = tuple(path for path in named if path.is_file())
    if not existing:
        raise KubeUnavailableError(f"the kubeconfig {kubeconfig} does not exist; correct KUBECONFIG")
    return existing


def choose_context(paths: Sequence[Path], context: str | None) -> Chosen:
    """The cluster and user of a context (None: the current one); what several files define, the first one wins.

    Raises:
        KubeUnavailableError: a file cannot be read, or the context or what it refers to does not exist.
    """
    documents = [(path, _document(path)) for path in paths]
    names = ", ".join(map(str, paths))
    contexts, clusters, users = (_entries(documents, section) for section in ("contexts", "clusters", "users"))
    wanted = context or next((str(d["current-context"]) for _, d in documents if d.get("current-context")), None)
    known = ", ".join(sorted(contexts)[:_SHOWN_CONTEXTS]) or "none"
    if wanted is None:
        raise KubeUnavailableError(f"the kubeconfig {names} has no current context; choose one of: {known}")
    if wanted not in contexts:
        raise KubeUnavailableError(f"the kubeconfig {names} has no context {wanted!r}; it has: {known}")
    origin = f"the kubeconfig {names} (context {wanted})"
    refers = _body(contexts[wanted][1], "context")
    cluster_name, user_name = refers.get("cluster"), refers.get("user")
    if cluster_name not in clusters:
        raise KubeUnavailableError(f"{origin} refers to a cluster that no file defines; correct it")
    if user_name and user_name not in users:
        raise KubeUnavailableError(f"{origin} refers to a user that no file defines; log in again")
    path, cluster = clusters[cluster_name]
    cluster = _absolute(_body(cluster, "cluster"), _CLUSTER_FILES, path, origin)
    if not _is_address(str(cluster.get("server") or "")):
        raise KubeUnavailableError(f"{origin} names no server address for its cluster; correct it")
    user: dict[str, Any] = {}
    if user_name:
        path, entry = users[user_name]
        user = _with_absolute_plugin(_absolute(_body(entry, "user"), _USER_FILES, path, origin), path)
    return Chosen(origin=origin, cluster=cluster, user=user)


def _is_address(server: str) -> bool:
    try:
        parts = urlsplit(server)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def choose_service_account(*, environ: Mapping[str, str], directory: Path) -> Chosen:
    """The cluster this pod runs in and the pod's own service account.

    Raises:
        KubeUnavailableError: the account's files are not mounted.
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    origin = "this pod's service account"
    for name in ("token", "ca.crt"):
        if not (directory / name).is_file():
            raise KubeUnavailableError(f"{origin} has no {name}; let the pod mount its service account's token")
    return Chosen(
        origin=origin,
        cluster={
            "server": f"https://{f'[{host}]' if ':' in host else host}:{port}",
            "certificate-authority": str(directory / "ca.crt"),
        },
        user={"tokenFile": str(directory / "token")},
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise KubeUnavailableError(f"the kubeconfig {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        # `from None`: the parser's error quotes the file, and with it perhaps a token.
        raise KubeUnavailableError(f"the kubeconfig {path} is not YAML{line}; correct it") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise KubeUnavailableError(f"the kubeconfig {path} is not a kubeconfig; correct KUBECONFIG")
    return document


def _entries(documents: Sequence[tuple[Path, dict[str, Any]]], section: str) -> dict[Any, tuple[Path, dict[str, Any]]]:
    found: dict[Any, tuple[Path, dict[str, Any]]] = {}
    for path, document in documents:
        listed = document.get(section)
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("name"), str):
                found.setdefault(entry["name"], (path, entry))
    return found


def _body(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    body = entry.get(key)
    return dict(body) if isinstance(body, dict) else {}


def _absolute(body: dict[str, Any], keys: Sequence[str], path: Path, origin: str) -> dict[str, Any]:
    """Relative paths start at the file that names them."""
    for key in keys:
        if not body.get(key):
            continue
        if body.get(f"{key}-data"):
            del body[key]  # inline data wins, as kubectl has it
            continue
        target = path.absolute().parent / str(body[key])
        if not target.is_file():
            raise KubeUnavailableError(f"the {key} {target} that {origin} names does not exist; restore it")
        body[key] = str(target)
    return body


def _with_absolute_plugin(user: dict[str, Any], path: Path) -> dict[str, Any]:
    plugin = user.get("exec")
    if isinstance(plugin, dict):
        command = plugin.get("command")
        if isinstance(command, str) and os.sep in command:
            user["exec"] = {**plugin, "command": str(path.absolute().parent / command)}
    return user
