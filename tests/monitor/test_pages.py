"""The engine on the real client of Run:ai: what is far down the list counts as much as what is first."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from runai_monitor.clock import isoformat
from tests.monitor.world import a_world
from tests.runai.fake_runai import WORKLOADS, FakeRunai, json_answer, make_client, workload_row

pytestmark = pytest.mark.anyio


async def test_a_failure_beyond_the_first_pages_is_told(tmp_path: Path) -> None:
    """1,300 workloads in pages of 500, and the one that fails is on the last of them."""
    rows = [workload_row(number) for number in range(1_300)]

    def listed(request: httpx2.Request) -> httpx2.Response:
        params = request.url.params
        offset, limit = int(params.get("offset", 0)), int(params.get("limit", 50))
        assert limit <= 500
        since = params.get("filterBy", "").removeprefix("phaseUpdatedAt>=")
        found = [row for row in rows if str(row["phaseUpdatedAt"]) >= since]
        page = found[offset : offset + limit]
        following = {"next": offset + limit} if offset + limit < len(found) else {}
        return json_answer({"workloads": page, **following})

    async with a_world(tmp_path, kube=False) as there:
        last = f"{WORKLOADS}/{rows[-1]['id']}"
        fake = FakeRunai({WORKLOADS: [listed], last: [lambda _: json_answer(rows[-1])]})
        client = await make_client(fake, there.clock)
        there.runai = there.busy.watching(client)
        await there.monitor()
        async with there.running() as engine:
            await there.pass_by(minutes=1)
            assert engine.statistics().workloads == 1_300
            rows[-1] |= {"phase": "Failed", "phaseUpdatedAt": isoformat(there.clock.now())}
            await there.pass_by(minutes=1)
            assert await there.slack() == ["opened job-1299 Failed"]
        await client.aclose()
