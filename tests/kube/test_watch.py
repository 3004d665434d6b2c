from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from runai_monitor.errors import KubeForbiddenError
from runai_monitor.kube.watch import LONGEST_PAUSE_SECONDS, PodChange, PodWatch
from tests.fakes import FakeClock
from tests.kube.fake_kube import (
    PODS,
    VISION_PODS,
    Answer,
    FakeKube,
    bookmark,
    change,
    connected,
    expired,
    fail,
    listing,
    pod_json,
    say,
    stream,
)

pytestmark = pytest.mark.anyio


class Heard:
    """What a watch told, and the requests it made."""

    def __init__(self, fake: FakeKube, clock: FakeClock, watch: PodWatch) -> None:
        self.fake = fake
        self.clock = clock
        self.watch = watch
        self.changes: list[PodChange] = []
        self.error: Exception | None = None

    @property
    def told(self) -> list[tuple[str, list[str]]]:
        return [(change.kind, [pod.name for pod in change.pods]) for change in self.changes]

    @property
    def positions(self) -> list[str]:
        return [request.query["resourceVersion"] for request in self.fake.watched]

    async def run(self) -> None:
        try:
            async with aclosing(self.watch.changes()) as changes:
                async for one in changes:
                    self.changes.append(one)
        except KubeForbiddenError as error:
            self.error = error

    async def until(self, count: int, *, watches: int = 0) -> None:
        """Lets sockets work and pauses pass until so many changes and watches are there."""
        await self.pass_by(lambda: len(self.changes) >= count and len(self.fake.watched) >= watches)

    async def pass_by(self, arrived: Callable[[], bool]) -> None:
        """Lets time pass until it is so."""
        while not arrived():
            await self.clock.advance(1)


@asynccontextmanager
async def watching(
    tmp_path: Path,
    watches: list[Answer],
    *,
    lists: list[Answer] | None = None,
    idle_seconds: float = 60,
    namespace: str | None = None,
) -> AsyncIterator[Heard]:
    path = PODS if namespace is None else VISION_PODS
    fake = FakeKube(answers={path: lists or [say(listing(pod_json("a")))]}, watches=watches)
    clock = FakeClock()
    async with connected(fake, tmp_path, clock) as client:
        watch = PodWatch(client, namespace=namespace, clock=clock, idle_seconds=idle_seconds)
        heard = Heard(fake, clock, watch)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(heard.run)
                yield heard
                tasks.cancel_scope.cancel()


async def test_the_first_change_is_the_whole_list_and_the_rest_are_single_pods(tmp_path: Path) -> None:
    """The consumer replaces what it knew by the list, and then follows."""
    lines = [change("ADDED", pod_json("b")), change("MODIFIED", pod_json("a")), change("DELETED", pod_json("b"))]
    async with watching(tmp_path, [stream(*lines, hold=True)]) as heard:
        await heard.until(4)
        assert heard.told == [("listed", ["a"]), ("upserted", ["b"]), ("upserted", ["a"]), ("removed", ["b"])]
        assert heard.positions == ["100"]
        assert heard.fake.watched[0].query["allowWatchBookmarks"] == "true"


async def test_a_watch_of_one_namespace_asks_only_that_namespace(tmp_path: Path) -> None:
    """A role in one namespace must be enough."""
    async with watching(tmp_path, [stream(hold=True)], namespace="runai-vision") as heard:
        await heard.until(1, watches=1)
        assert {request.path for request in heard.fake.requests} == {VISION_PODS}


async def test_a_cut_stream_resumes_where_it_was_without_a_new_list(tmp_path: Path) -> None:
    """A load balancer cuts streams all night; each new list of a big cluster costs megabytes."""
    first = stream(change("ADDED", pod_json("b", version="105")), cut=True)
    second = stream(change("ADDED", pod_json("c", version="106")), hold=True)
    async with watching(tmp_path, [first, second]) as heard:
        await heard.until(3)
        assert heard.told[1:] == [("upserted", ["b"]), ("upserted", ["c"])]
        assert heard.positions == ["100", "105"]
        assert len(heard.fake.listed) == 1


async def test_a_bookmark_moves_the_position_and_tells_nothing(tmp_path: Path) -> None:
    """Without it, a quiet scope's position expires and every reconnect is a new list."""
    async with watching(tmp_path, [stream(bookmark("170")), stream(hold=True)]) as heard:
        await heard.until(1, watches=2)
        assert heard.told == [("listed", ["a"])]
        assert heard.positions == ["100", "170"]


@pytest.mark.parametrize("gone", [stream(expired()), fail(410, "Expired")], ids=["in the stream", "as a status"])
async def test_an_expired_position_lists_again(tmp_path: Path, gone: Answer) -> None:
    """Deletions were missed: only a new list says what is no longer there."""
    lists = [say(listing(pod_json("a"), pod_json("b"))), say(listing(pod_json("b"), version="900"))]
    async with watching(tmp_path, [gone, stream(hold=True)], lists=lists) as heard:
        await heard.until(2, watches=2)
        assert heard.told == [("listed", ["a", "b"]), ("listed", ["b"])]
        assert heard.positions == ["100", "900"]


@pytest.mark.parametrize("ending", [stream(), stream(bookmark("101")), fail(502, "<html>")])
async def test_a_server_that_always_ends_at_once_is_not_hammered(tmp_path: Path, ending: Answer) -> None:
    """Ready-made watches asked 1300 times a second, and a cluster in trouble went down for good."""
    async with watching(tmp_path, [ending]) as heard:
        await heard.until(1, watches=1)
        before = len(heard.fake.requests)
        for _ in range(60):
            await heard.clock.advance(1)
        assert len(heard.fake.requests) - before < 150


@pytest.mark.parametrize("line", [b"<html>502 Bad Gateway</html>\n", b'{"type":"ADDED","obj\n', b"[]\n"])
async def test_a_garbage_line_is_no_pod_and_the_watch_resumes(tmp_path: Path, line: bytes) -> None:
    """A proxy's error page in the middle of a stream was once reported as an event."""
    garbage = stream(change("ADDED", pod_json("b", version="105")), line)
    async with watching(tmp_path, [garbage, stream(change("ADDED", pod_json("c")), hold=True)]) as heard:
        await heard.until(3)
        assert heard.told[1:] == [("upserted", ["b"]), ("upserted", ["c"])]
        assert heard.positions == ["100", "105"]


async def test_a_pod_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """One odd object must not stop the stream for all others, again and again at the same position."""
    odd = pod_json("odd", version="104")
    odd["spec"]["containers"] = "many"
    async with watching(tmp_path, [stream(change("ADDED", odd), change("ADDED", pod_json("b")), hold=True)]) as heard:
        await heard.until(2)
        assert heard.told[1:] == [("upserted", ["b"])]


async def test_a_position_that_never_works_is_given_up(tmp_path: Path) -> None:
    """A stream poisoned at one position must not blind us for the night."""
    async with watching(tmp_path, [stream(b"garbage\n")]) as heard:
        await heard.until(2)
        assert heard.told[:2] == [("listed", ["a"]), ("listed", ["a"])]


async def test_silence_reconnects_at_the_same_position_without_a_list(tmp_path: Path) -> None:
    """A quiet cluster sends no bookmarks, and a dead peer looks the same: neither is a failure."""
    watches = [stream(bookmark("120"), hold=True), stream(change("ADDED", pod_json("b")), hold=True)]
    async with watching(tmp_path, watches, idle_seconds=0.1) as heard:
        await heard.pass_by(lambda: len(heard.changes) >= 2)
        assert heard.positions[:2] == ["100", "120"]
        assert len(heard.fake.listed) == 1
        assert heard.watch.error is None


async def test_a_list_that_fails_for_a_while_is_tried_until_it_works(tmp_path: Path) -> None:
    """An upgrade of the control plane takes minutes; nobody restarts us afterwards."""
    lists = [*[fail(503, "upgrading")] * 8, say(listing(pod_json("a")))]
    async with watching(tmp_path, [stream(hold=True)], lists=lists) as heard:
        await heard.pass_by(lambda: heard.watch.error is not None)
        assert heard.watch.error is not None
        assert "503" in heard.watch.error
        await heard.until(1)
        assert heard.told == [("listed", ["a"])]


async def test_a_quiet_cluster_is_in_sight_again_as_soon_as_it_is_watched_again(tmp_path: Path) -> None:
    """Until an outage is known to be over nothing recovers, and the first line may be a minute's bookmark away."""
    lists = [*[fail(503, "upgrading")] * 3, say(listing(pod_json("a")))]
    async with watching(tmp_path, [stream(hold=True)], lists=lists) as heard:
        await heard.pass_by(lambda: heard.watch.error is not None)
        await heard.until(1, watches=1)
        await heard.pass_by(lambda: heard.watch.error is None)
        assert heard.told == [("listed", ["a"])]


async def test_the_pause_a_server_asks_for_is_made(tmp_path: Path) -> None:
    """Priority and fairness answers 429 with Retry-After; coming back earlier makes it worse."""
    async with watching(tmp_path, [fail(429, "busy", **{"Retry-After": "20"}), stream(hold=True)]) as heard:
        await heard.until(1, watches=1)
        started = heard.clock.monotonic()
        await heard.until(1, watches=2)
        assert 4 <= heard.clock.monotonic() - started <= LONGEST_PAUSE_SECONDS


async def test_a_refused_watch_ends_the_stream_and_names_the_rule_to_add(tmp_path: Path) -> None:
    """A role with list but without watch is the commonest mistake; the caller then tries less."""
    refusal = fail(403, 'pods is forbidden: User "system:serviceaccount:ops:monitor" cannot watch resource "pods"')
    async with watching(tmp_path, [refusal]) as heard:
        await heard.pass_by(lambda: heard.error is not None)
        text = str(heard.error)
        assert 'resources: ["pods"], verbs: ["watch"]' in text
        assert "system:serviceaccount:ops:monitor" in text


async def test_cancelling_closes_the_connection_at_once(tmp_path: Path) -> None:
    """A shutdown must not wait for a server that has nothing to say, nor leave a watcher behind in it."""
    async with watching(tmp_path, [stream(hold=True)]) as heard:
        await heard.until(1, watches=1)
        transport = heard.fake.watched[0].transport
        assert transport is not None
    assert transport.is_closing()
