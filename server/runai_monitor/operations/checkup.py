"""Proves a set-up before it is trusted: each thing that monitoring will need, tried once, with what to do if it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import anyio

from runai_monitor.errors import MonitorError

Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing that was tried. `advice` is empty when there is nothing to do."""

    name: str
    outcome: Outcome
    detail: str
    advice: str = ""

    @property
    def failed(self) -> bool:
        """Whether this makes `check` exit with 1."""
        return self.outcome == "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One named attempt; `run` returns results of its own, or raises one of our errors."""

    name: str
    run: Callable[[], Awaitable[Sequence[CheckResult]]]
    advice: str = ""
    timeout_seconds: float = 30


async def run_check(check: Check) -> list[CheckResult]:
    """Runs one check to its end or its timeout; an error of ours becomes a failed result, never an exception."""
    try:
        with anyio.fail_after(check.timeout_seconds):
            return list(await check.run())
    except MonitorError as error:
        return [CheckResult(name=check.name, outcome="failed", detail=str(error), advice=check.advice)]
    except TimeoutError:
        detail = f"no answer within {check.timeout_seconds:.0f} s"
        return [CheckResult(name=check.name, outcome="failed", detail=detail, advice=check.advice)]


async def run_checks(checks: Sequence[Check]) -> list[CheckResult]:
    """All checks one after the other, in order, so that the output reads as a story."""
    results: list[CheckResult] = []
    for check in checks:
        results += await run_check(check)
    return results
