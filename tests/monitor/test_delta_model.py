"""Delta polling against the truth: whatever happens between pages and polls, nothing that changed is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runai_monitor.clock import isoformat
from runai_monitor.errors import RunaiError
from runai_monitor.model.workload import WorkloadId
from runai_monitor.monitor.poll import Poller
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.runai.client import RunaiClient
from tests.fakes import FakeClock
from tests.runai.fake_runai import WORKLOADS, FakeRunai, json_answer, make_client, workload_row

PHASES = ("Pending", "Running", "Failed", "Completed")
SKEW_SECONDS = 60
"""How far the clock that stamps changes may be from ours: half the overlap, for polls are a minute apart."""
Row = dict[str, Any]


class Tenant(FakeRunai):
    """Run:ai with a truth that changes while it is being read."""

    def __init__(self, clock: FakeClock, *, cap: int) -> None:
        super().__init__()
        self.clock = clock
        self.cap = cap
        self.rows: dict[str, Row] = {}
        self.filter = "obeyed"
        self.between: list[Callable[[], None]] = []
        """What happens after each page, one a page."""
        self.breaks_after: int | None = None
        self.serial = 0

    def add(self, *, age: int, skew: int) -> None:
        self.serial += 1
        created = self.clock.now() - timedelta(seconds=age)
        row = workload_row(self.serial, createdAt=isoformat(created))
        self.rows[str(row["id"])] = row | {"phase": "Pending", "phaseUpdatedAt": self.stamp(skew)}

    def change(self, pick: int, phase: str, skew: int) -> None:
        if self.rows:
            row = self.rows[sorted(self.rows)[pick % len(self.rows)]]
            row.update(phase=phase, phaseUpdatedAt=self.stamp(skew))

    def delete(self, pick: int, count: int) -> None:
        ids = sorted(self.rows)
        for row_id in (ids[pick % len(ids) :] + ids)[:count] if ids else ():
            self.rows.pop(row_id, None)

    def stamp(self, skew: int) -> str:
        return isoformat(self.clock.now() + timedelta(seconds=skew))

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == WORKLOADS:
            return self.page(request)
        if request.url.path.startswith(f"{WORKLOADS}/"):
            row = self.rows.get(request.url.path.rpartition("/")[2])
            return json_answer({"code": 404, "message": "gone"}, 404) if row is None else json_answer(row)
        return await super().handle(request)

    def page(self, request: httpx2.Request) -> httpx2.Response:
        if self.breaks_after == 0:
            return json_answer({"code": 403, "message": "not now"}, 403)
        self.breaks_after = None if self.breaks_after is None else self.breaks_after - 1
        since = request.url.params.get("filterBy", "").removeprefix("phaseUpdatedAt>=")
        if since and self.filter == "refused":
            return json_answer({"code": 400, "message": "unknown filter"}, 400)
        listed = sorted(self.rows.values(), key=lambda row: (row["createdAt"], row["id"]))
        if since and self.filter == "obeyed":
            listed = [row for row in listed if row["phaseUpdatedAt"] >= since]
        offset, limit = int(request.url.params["offset"]), min(self.cap, int(request.url.params["limit"]))
        shown = listed[offset : offset + limit]
        body: Row = {"workloads": shown}
        if offset + limit < len(listed):
            body["next"] = offset + limit
        answer = json_answer(body)
        if self.between:
            self.between.pop(0)()
        return answer


happening = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 3600), st.integers(-SKEW_SECONDS, SKEW_SECONDS)),
    st.tuples(
        st.just("change"), st.integers(0, 999), st.sampled_from(PHASES), st.integers(-SKEW_SECONDS, SKEW_SECONDS)
    ),
    st.tuples(st.just("delete"), st.integers(0, 999), st.integers(1, 40)),
)


class DeltaPolling(RuleBasedStateMachine):
    """The real client, poller and snapshot against a tenant. Polls are at most a minute apart."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.quiet = False

    @initialize(cap=st.integers(2, 60), count=st.integers(0, 120))
    def begin(self, cap: int, count: int) -> None:
        async def build() -> tuple[FakeClock, Tenant, RunaiClient]:
            clock = FakeClock()
            tenant = Tenant(clock, cap=cap)
            return clock, tenant, await make_client(tenant, clock)

        self.clock, self.tenant, self.client = self.runner.run(build())
        for _ in range(count):
            self.tenant.add(age=0, skew=0)  # equal instants, over the edges of pages
        self.restart()
        self.poll([])

    @rule()
    def restart(self) -> None:
        """The process is another one: no cursor, no snapshot."""
        self.snapshot = Snapshot()
        self.poller = Poller(
            runai=self.client,
            projects=None,
            only_failed=False,
            reconcile_interval_seconds=300,
            clock=self.clock,
            workloads=self.snapshot.workloads,
        )
        self.quiet = False

    @rule(what=happening)
    def happen(self, what: tuple[Any, ...]) -> None:
        self._do(what)
        self.quiet = False

    @rule(how=st.sampled_from(["obeyed", "ignored", "refused"]))
    def treat_the_filter(self, how: str) -> None:
        self.tenant.filter = how

    @rule(between=st.lists(happening, max_size=6))
    def poll(self, between: list[tuple[Any, ...]]) -> None:
        """A poll while things happen between its pages; then time passes until the next is due."""
        self.tenant.between = [lambda what=what: self._do(what) for what in between]  # type: ignore[misc]
        self._poll()
        self.quiet = len(self.tenant.between) == len(between)
        self.tenant.between.clear()

    @rule(pages=st.integers(0, 3))
    def poll_that_breaks_off(self, pages: int) -> None:
        """Nothing is learnt from half a list."""
        self.tenant.breaks_after = pages
        try:
            self._poll()
        except RunaiError:
            self.quiet = False
        self.tenant.breaks_after = None

    @precondition(lambda self: hasattr(self, "tenant"))
    @rule()
    def reconcile(self) -> None:
        """After a complete read without disturbance the snapshot is the truth, deletions included."""
        self._pass(300)
        self._poll()
        assert self._known() == self._truth()
        self.quiet = True

    @invariant()
    def nothing_that_changed_is_missed(self) -> None:
        """After a poll that nothing disturbed, all that exists is known as it is; what is gone may linger."""
        if self.quiet:
            known, truth = self._known(), self._truth()
            assert {row_id: known.get(row_id) for row_id in truth} == truth

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.runner.run(self.client.aclose())
        self.runner.close()

    def _do(self, what: tuple[Any, ...]) -> None:
        match what:
            case ("add", age, skew):
                self.tenant.add(age=age, skew=skew)
            case ("change", pick, phase, skew):
                self.tenant.change(pick, phase, skew)
            case ("delete", pick, count):
                self.tenant.delete(pick, count)

    def _poll(self) -> None:
        try:
            polled = self.runner.run(self.poller.poll())
            self.snapshot.put_workloads(polled.workloads)
            self.snapshot.drop_workloads(polled.gone)
            if polled.complete:
                self.snapshot.drop_workloads(set(self.snapshot.workloads) - self.poller.known)
        finally:
            self._pass(60)

    def _pass(self, seconds: float) -> None:
        self.runner.run(self.clock.advance(seconds))

    def _known(self) -> dict[str, tuple[str, str]]:
        found = self.snapshot.workloads.values()
        return {str(w.id): (w.phase, isoformat(w.phase_updated_at)) for w in found if w.phase_updated_at is not None}

    def _truth(self) -> dict[str, tuple[str, str]]:
        return {WorkloadId(i): (row["phase"], row["phaseUpdatedAt"]) for i, row in self.tenant.rows.items()}


DeltaPolling.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestDeltaPolling = DeltaPolling.TestCase
