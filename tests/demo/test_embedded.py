"""`serve --demo`: what is simulated never mixes with what is real."""

from __future__ import annotations

from pathlib import Path

import pytest

from runai_monitor.demo.embedded import embedded_tenant
from runai_monitor.settings import Settings, load_settings

pytestmark = pytest.mark.anyio


def configured(**environ: str) -> Settings:
    return load_settings(environ=environ, dotenv=None)


async def test_the_demo_alarms_no_real_channel_and_touches_no_real_state(tmp_path: Path) -> None:
    """The webhook stands in many a shell's environment; colleagues must not be woken by a show."""
    mine = configured(
        RUNAI_MONITOR_SLACK_WEBHOOK_URL="https://hooks.slack.com/services/T0/B0/x",
        RUNAI_MONITOR_CHANNELS='[{"name": "phone", "kind": "apprise", "url": "ntfys://mine"}]',
        RUNAI_MONITOR_ROUTES='[{"channels": ["phone"]}]',
        RUNAI_MONITOR_DEFAULT_CHANNELS="phone",
        RUNAI_MONITOR_STATE_DIR=str(tmp_path),
        RUNAI_MONITOR_KUBERNETES="off",
        RUNAI_MONITOR_KUBE_CLUSTER_ID="mine",
        RUNAI_MONITOR_MONITORED_PROJECTS="mine",
    )
    async with embedded_tenant(mine) as settings:
        assert settings.all_channels == ()
        assert (settings.routes, settings.default_channels) == ((), ())
        assert settings.state_dir != tmp_path
        assert (settings.kubernetes, settings.kube_cluster_id) == ("auto", None)
        assert settings.watches_all_projects


async def test_a_receiver_on_this_machine_may_watch_the_demo() -> None:
    """That is how people try the Slack messages."""
    mine = configured(RUNAI_MONITOR_SLACK_WEBHOOK_URL="http://127.0.0.1:9/hook")
    async with embedded_tenant(mine) as settings:
        assert settings.slack_webhook_url == mine.slack_webhook_url
