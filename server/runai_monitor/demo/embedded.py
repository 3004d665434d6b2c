"""The simulated tenant as the server's own: what `serve --demo` monitors when nobody has credentials."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from pydantic import SecretStr

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import run_tenant
from runai_monitor.settings import LOOPBACK_HOSTS

if TYPE_CHECKING:
    from runai_monitor.demo.tenant import Tenant
    from runai_monitor.settings import Settings

log = logging.getLogger(__name__)


def monitor_environment(tenant: Tenant, *, state_dir: Path, slack: bool) -> dict[str, str]:
    """The environment that points a server at `tenant`, with thresholds for a show that lasts under a minute."""
    environment = {
        "RUNAI_BASE_URL": tenant.runai_base_url,
        "RUNAI_CLIENT_ID": tenant.client_id,
        "RUNAI_CLIENT_SECRET": tenant.client_secret,
        "KUBECONFIG": str(tenant.kubeconfig_path),
        "RUNAI_MONITOR_STATE_DIR": str(state_dir),
        "RUNAI_MONITOR_RECONCILE_INTERVAL_SECONDS": "10",
        "RUNAI_MONITOR_RESOLVE_AFTER_SECONDS": "3",
        "RUNAI_MONITOR_SUSPECT_AFTER_SECONDS": "5",
    }
    if slack:
        environment["RUNAI_MONITOR_SLACK_WEBHOOK_URL"] = tenant.slack_webhook_url
    return environment


@asynccontextmanager
async def embedded_tenant(settings: Settings) -> AsyncIterator[Settings]:
    """Runs a tenant for as long as the block lasts; yields `settings` pointed at it, with a state of its own.

    The user's own database, cluster and Slack are left alone: what is simulated never mixes with what is real, but for
    a Slack webhook on this machine, which is somebody's receiver for trying. The stories begin when somebody first looks at
    the workloads: a person may talk for an hour before asking to monitor, and then wants a show.
    """
    with tempfile.TemporaryDirectory(prefix="runai-monitor-demo-") as folder:
        async with run_tenant(clock=SystemClock()) as tenant, anyio.create_task_group() as tasks:
            tasks.start_soon(_begin_when_visited, tenant)
            if settings.channels:
                log.warning("the demo sends nothing to your channels: %s", ", ".join(c.name for c in settings.channels))
            yield settings.model_copy(
                update={
                    "runai_base_url": tenant.runai_base_url,
                    "runai_client_id": tenant.client_id,
                    "runai_client_secret": SecretStr(tenant.client_secret),
                    "kubeconfig": str(tenant.kubeconfig_path),
                    "kubernetes": "auto",
                    "kube_context": None,
                    "kube_cluster_id": None,
                    "slack_webhook_url": _on_this_machine(settings.slack_webhook_url),
                    "channels": (),
                    "routes": (),
                    "default_channels": (),
                    "fallback_channel": None,  # it may be one that the demo leaves alone
                    "monitored_projects": ("*",),
                    # Who looked around first still sees each failure, not a summary of the past.
                    "existing_failures": "each",
                    "poll_interval_seconds": 2.0,
                    "reconcile_interval_seconds": 10.0,
                    "resolve_after_seconds": 3.0,
                    "suspect_after_seconds": 5.0,
                    "state_dir": Path(folder),
                    "database_url": None,
                }
            )
            tasks.cancel_scope.cancel()


def _on_this_machine(webhook: SecretStr | None) -> SecretStr | None:
    """The webhook if it is on loopback: colleagues must not be woken by a show."""
    if webhook is None or urlsplit(webhook.get_secret_value()).hostname in LOOPBACK_HOSTS:
        return webhook
    log.warning("the demo sends nothing to your Slack webhook; it would accept one on this machine")
    return None


async def _begin_when_visited(tenant: Tenant) -> None:
    await tenant.runai.visited.wait()
    tenant.begin()
