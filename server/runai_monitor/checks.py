"""What `runai-monitor check` tries: settings, state, Run:ai, each Kubernetes permission, each channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from runai_monitor import wiring
from runai_monitor.clock import Clock, SystemClock
from runai_monitor.errors import KubeNotConfiguredError, StoreError
from runai_monitor.model.audit import AuditAction, AuditEntry
from runai_monitor.operations.checkup import (
    Check,
    CheckResult,
    permission_results,
    reach,
    read_like_a_diagnosis,
    run_checks,
)
from runai_monitor.settings import Settings

if TYPE_CHECKING:
    from runai_monitor.kube.lazy import LazyKube

PATIENCE_SECONDS = 8.0
"""For Run:ai: a few attempts. A person waits, and whether it answers is known long before a poll's own patience ends."""


async def check_setup(
    settings: Settings, *, send_test: bool, on_result: Callable[[CheckResult], None] | None = None
) -> list[CheckResult]:
    """Tries each thing that monitoring will need, in order; `on_result` hears of each as it is known.

    Raises:
        SettingsError: credentials are missing.
    """
    settings.require_credentials()
    async with AsyncExitStack() as stack:
        setup = _Setup(stack, settings, SystemClock())
        return await run_checks(
            [
                Check(name="settings", run=setup.check_settings),
                Check(name="state", run=setup.check_state, advice="alerts are stored before they are sent"),
                Check(name="Run:ai", run=setup.check_runai, advice="without Run:ai nothing can be monitored"),
                Check(
                    name="Kubernetes",
                    run=setup.check_kubernetes,
                    advice="without it there are no container states and no logs",
                ),
                Check(name="channels", run=lambda: setup.check_channels(send_test=send_test)),
            ],
            on_result=on_result,
        )


class _Setup:
    """One set-up under test; what is opened is closed with `stack`."""

    def __init__(self, stack: AsyncExitStack, settings: Settings, clock: Clock) -> None:
        self._stack = stack
        self._settings = settings
        self._clock = clock
        self._namespaces: list[str] = []

    async def check_settings(self) -> list[CheckResult]:
        """They are valid, or the command would not have come so far."""
        allowed = wiring.allowed_projects(self._settings)
        projects = "every project" if allowed is None else ", ".join(allowed)
        return [CheckResult(name="settings", outcome="ok", detail=f"{self._settings.runai_base_url}, {projects}")]

    async def check_state(self) -> list[CheckResult]:
        """The database can be opened and written."""
        database = await wiring.database_of(self._settings)
        await database.aclose()
        return [CheckResult(name="state", outcome="ok", detail=f"{database.place} can be written")]

    async def check_runai(self) -> list[CheckResult]:
        """A token, the projects and their workloads, and what a diagnosis reads of one."""
        hurried = {"runai_timeout_seconds": min(PATIENCE_SECONDS, self._settings.runai_timeout_seconds)}
        runai = wiring.runai_client(self._settings.model_copy(update=hurried), self._clock)
        self._stack.push_async_callback(runai.aclose)
        allowed = wiring.allowed_projects(self._settings)
        reached = await reach(runai, allowed=allowed)
        self._namespaces = list(reached.namespaces)
        return [*reached.results, *await read_like_a_diagnosis(runai, allowed=allowed)]

    async def check_kubernetes(self) -> list[CheckResult]:
        """It answers, and allows each thing that is read."""
        kube = wiring.kube_client(self._settings, self._clock)
        if kube is None:
            detail = "switched off by RUNAI_MONITOR_KUBERNETES"
            return [CheckResult(name="Kubernetes", outcome="skipped", detail=detail)]
        self._stack.push_async_callback(kube.aclose)
        return await self._probe(kube)

    async def _probe(self, kube: LazyKube) -> list[CheckResult]:
        from runai_monitor.kube.access import probe

        try:
            client = await kube.client()
        except KubeNotConfiguredError as error:
            return [CheckResult(name="Kubernetes", outcome="skipped", detail=str(error))]
        found = await probe(client, namespaces=None)
        if any(permission.outcome == "denied" for permission in found) and self._namespaces:
            found = await probe(client, namespaces=self._namespaces)
        return permission_results(found)

    async def check_channels(self, *, send_test: bool) -> list[CheckResult]:
        """Each is configured; with `send_test`, each takes a message."""
        wiring.fallback_channel(self._settings)
        names = wiring.channel_names(self._settings)
        if not names:
            detail = "none: set RUNAI_MONITOR_SLACK_WEBHOOK_URL, or channels in the workflow file"
            return [CheckResult(name="channels", outcome="skipped", detail=detail)]
        if not send_test:
            kinds = wiring.channel_kinds(self._settings)
            return [
                CheckResult(name=name, outcome="ok", detail=f"configured ({kinds[name]}); --send-test proves it")
                for name in names
            ]
        outbox = await wiring.open_outbox(self._stack, self._settings, None, self._clock)
        results = [
            CheckResult(name=name, outcome="failed" if error else "ok", detail=error or "test message delivered")
            for name, error in (await outbox.send_test(None)).items()
        ]
        await self._record(results)
        return results

    async def _record(self, tests: Sequence[CheckResult]) -> None:
        """That messages were sent, for who wonders where they came from; why nothing can be stored is said elsewhere."""
        from runai_monitor.store.audit import AuditStore

        with suppress(StoreError):
            database = await wiring.database_of(self._settings)
            try:
                for test in tests:
                    await AuditStore(database).append(
                        AuditEntry(
                            at=self._clock.now(),
                            author="runai-monitor check",
                            action=AuditAction.TEST_SENT,
                            target=test.name,
                            detail=test.detail,
                        )
                    )
            finally:
                await database.aclose()
