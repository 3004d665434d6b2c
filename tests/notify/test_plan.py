"""What a channel is told, together or singly, now or later: a planner without a clock, a store or a channel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runai_monitor.model.alert import Alert, AlertId, AlertKind, AlertState, AlertSubject, Change, Severity
from runai_monitor.model.diagnosis import Cause, Diagnosis, Verdict
from runai_monitor.model.notification import Delivery, DeliveryState, Notification
from runai_monitor.model.silence import Matcher, MatchField, Silence, SilenceId
from runai_monitor.model.telling import Announcement, Told, Withheld, features_of
from runai_monitor.notify.digest import digest_lines
from runai_monitor.notify.plan import Context, Message, Plan, plan
from runai_monitor.notify.storms import QuietOptions
from runai_monitor.notify.withhold import GRACE, released
from tests.fakes import EPOCH

OPTIONS = QuietOptions()
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def make_alert(name: str, **fields: Any) -> Alert:
    cause = fields.pop("cause", "")
    at = fields.get("started_at", EPOCH)
    subject = AlertSubject(
        id=f"id-{name}",
        name=name,
        project=fields.pop("project", f"project-of-{name}"),
        cluster_id="c",
        nodes=fields.pop("nodes", ()),
        images=fields.pop("images", ()),
    )
    diagnosis = None
    if cause:
        found = Cause(cause=cause, title=cause, confidence=0.9, explanation="", next_steps=("do this",))
        diagnosis = Diagnosis(verdict=Verdict.FAILURE, confidence=0.9, generated_at=at, causes=(found,))
    return Alert(
        **{
            "alert_id": AlertId(f"al-{name}"),
            "cursor": 1,
            "kind": AlertKind.WORKLOAD_UNHEALTHY,
            "status": f"status-of-{name}",
            "state": AlertState.FIRING,
            "severity": Severity.CRITICAL,
            "subject": subject,
            "summary": f"{name} failed",
            "started_at": EPOCH,
            "updated_at": at,
            "diagnosis": diagnosis,
            **fields,
        }
    )


def node_alert(name: str = "gpu-7", **fields: Any) -> Alert:
    subject = AlertSubject(id=f"node/{name}", name=name, type="Node")
    found = make_alert(name, kind=AlertKind.NODE_UNHEALTHY, status="NotReady", **fields)
    return dataclasses.replace(found, subject=subject)


class Channel:
    """A channel and its rows: what is stored for it, and what it took."""

    def __init__(self, options: QuietOptions = OPTIONS) -> None:
        self.options = options
        self.rows: list[Delivery] = []
        self.sent: list[tuple[datetime, Message]] = []
        self.told: list[Told] = []
        self.announced: dict[AlertId, int] = {}
        self.settled: dict[int, DeliveryState] = {}
        self.silences: tuple[Silence, ...] = ()
        self.nodes: tuple[Alert, ...] = ()

    def put(self, alert: Alert, change: Change = Change.OPENED, at: datetime = EPOCH) -> Delivery:
        if change is Change.RESOLVED:
            alert = dataclasses.replace(alert, state=AlertState.RESOLVED, resolved_at=at)
        row = Delivery(
            delivery_id=len(self.rows) + 1,
            channel="slack",
            notification=Notification(alert=alert, change=change, reason="because"),
            state=DeliveryState.PENDING,
            created_at=at,
        )
        self.rows.append(row)
        return row

    @property
    def pending(self) -> list[Delivery]:
        gone = {d.delivery_id for _, m in self.sent for d in m.deliveries} | set(self.settled)
        return [row for row in self.rows if row.delivery_id not in gone]

    def context(self) -> Context:
        sizes: dict[int, int] = {}
        for root in self.announced.values():
            sizes[root] = sizes.get(root, 0) + 1
        ended = {d.notification.alert.alert_id for _, m in self.sent for d in m.deliveries if is_end(d)}
        known = {
            alert_id: Announcement(
                message=root,
                alerts=sizes[root],
                over=sum(1 for other, r in self.announced.items() if r == root and other in ended),
            )
            for alert_id, root in self.announced.items()
        }
        return Context(
            silences=self.silences, inhibiting=self.nodes, sent_lately=tuple(self.told), announced=known
        )  # fmt: skip

    def plan(self, now: datetime) -> Plan:
        return plan(self.pending, self.context(), now=now, options=self.options)

    def look(self, now: datetime) -> Plan:
        """One round of the sender: settles, and sends the first message of the plan."""
        planned = self.plan(now)
        for settled in planned.settled:
            self.settled.update(dict.fromkeys(settled.delivery_ids, settled.state))
        if planned.messages:
            message = planned.messages[0]
            self.sent.append((now, message))
            root = message.deliveries[0].delivery_id
            newest: dict[AlertId, Delivery] = {}
            for delivery in sorted(message.deliveries, key=lambda d: d.delivery_id):
                newest[delivery.notification.alert.alert_id] = delivery
                if not is_end(delivery):
                    self.announced.setdefault(delivery.notification.alert.alert_id, root)
            for delivery in newest.values():
                features = features_of(delivery.notification.alert)
                self.told.append(Told(message=root, at=now, over=is_end(delivery), features=features))
        return planned

    def run(self, start: datetime, seconds: int) -> None:
        """As the sender: a message a second, and nothing before the plan says."""
        now = start
        while now < start + seconds * SECOND:
            planned = self.look(now)
            if not planned.messages and planned.wake_at is None:
                break
            now = now + SECOND if planned.messages else max(planned.wake_at or now, now + SECOND)


def is_end(delivery: Delivery) -> bool:
    return delivery.notification.change is Change.RESOLVED


def titles(channel: Channel) -> list[str]:
    return [
        m.digest.title if m.digest else f"{m.deliveries[0].notification.change} {m.deliveries[0].notification.alert.subject.name}"
        for _, m in channel.sent
    ]  # fmt: skip


def test_a_lone_failure_is_told_at_once() -> None:
    """Nothing waits for company while it is quiet."""
    channel = Channel()
    channel.put(make_alert("a"))
    assert [len(m.deliveries) for m in channel.plan(EPOCH).messages] == [1]


def test_failures_without_anything_in_common_are_told_one_by_one() -> None:
    """Three people's different troubles are three messages."""
    channel = Channel()
    for name in ("a", "b", "c"):
        channel.put(make_alert(name))
    assert [m.digest for m in channel.plan(EPOCH).messages] == [None] * 3


def test_two_thousand_on_one_node_are_three_messages() -> None:
    """The issue's own measure, with alerts that arrive over some minutes, as diagnoses do."""
    channel = Channel()
    for second in range(0, 200, 5):
        for number in range(second * 10, second * 10 + 50):
            alert = make_alert(
                f"job-{number}", nodes=("gpu-7",), cause=f"cause_{number % 3}", project=f"p{number % 40}"
            )
            channel.put(alert, at=EPOCH + second * SECOND)
        channel.run(EPOCH + second * SECOND, 5)
    channel.run(EPOCH + 200 * SECOND, 600)
    assert titles(channel)[0] == "50 workloads fail on node gpu-7"
    assert " more workloads fail on node gpu-7" in titles(channel)[-1]
    assert len(channel.sent) <= 3
    assert not channel.pending
    told = [d.notification.alert.alert_id for _, m in channel.sent for d in m.deliveries]
    assert len(told) == len(set(told)) == 2000


def test_the_first_failures_of_a_trickling_storm_do_not_go_out_one_by_one() -> None:
    """What resembles the alert of a moment ago waits until it is clear whether a storm comes."""
    channel = Channel()
    for number in range(3):
        channel.put(make_alert(f"job-{number}", nodes=("gpu-7",)))
    first = channel.look(EPOCH)
    assert len(first.messages) == 1
    assert first.wake_at == EPOCH + 10 * SECOND
    for number in range(3, 40):
        channel.put(make_alert(f"job-{number}", nodes=("gpu-7",)), at=EPOCH + 5 * SECOND)
    assert channel.look(EPOCH + 9 * SECOND).messages == ()
    channel.look(EPOCH + 10 * SECOND)
    assert titles(channel) == ["opened job-0", "39 workloads fail on node gpu-7"]


def test_a_storm_is_told_again_in_growing_intervals() -> None:
    """A storm that goes on for hours costs a handful of messages, not one a minute."""
    channel = Channel()
    for minute in range(120):
        for each in range(6):
            channel.put(make_alert(f"job-{minute}-{each}", cause="x"), at=EPOCH + minute * MINUTE)
        channel.run(EPOCH + minute * MINUTE, 60)
    gaps = [(b - a).total_seconds() for (a, _), (b, _) in zip(channel.sent, channel.sent[1:], strict=False)]
    assert len(channel.sent) <= 10
    assert gaps == sorted(gaps)


def test_a_storm_that_still_grows_is_told_when_it_pauses() -> None:
    """Half of a storm is a message too many, when the other half comes a minute later; but it is not put off for ever."""
    channel = Channel()
    for number in range(10):
        channel.put(make_alert(f"first-{number}", cause="x"))
    channel.run(EPOCH, 2)
    channel.put(make_alert("second", cause="x"), at=EPOCH + 5 * SECOND)
    channel.run(EPOCH + 5 * SECOND, 20)
    assert len(channel.sent) == 2
    at = EPOCH
    for second in range(20, 2000, 5):
        at = EPOCH + second * SECOND
        channel.put(make_alert(f"later-{second}", cause="x"), at=at)
        channel.look(at)
        if len(channel.sent) > 2:
            break
    assert 880 <= (at - EPOCH).total_seconds() <= 925
    channel.put(make_alert("last", cause="x"), at=at + SECOND)
    assert channel.plan(at + SECOND).wake_at is not None


def test_another_trouble_is_told_at_once_in_the_middle_of_a_storm() -> None:
    """A storm on one node must not hide what happens elsewhere."""
    channel = Channel()
    for number in range(40):
        channel.put(make_alert(f"job-{number}", nodes=("gpu-7",), cause="nccl_timeout", project="p"))
    channel.run(EPOCH, 30)
    channel.put(make_alert("other", nodes=("gpu-9",), cause="out_of_memory", project="q"), at=EPOCH + 31 * SECOND)
    channel.look(EPOCH + 31 * SECOND)
    assert titles(channel)[-1] == "opened other"


def test_a_flood_without_anything_in_common_is_told_together() -> None:
    """Whatever fails, nobody can read two hundred messages."""
    channel = Channel()
    for number in range(200):
        channel.put(make_alert(f"job-{number}"))
    channel.run(EPOCH, 600)
    assert len(channel.sent) == 1
    assert titles(channel) == ["200 workloads fail"]


def test_the_ends_of_a_storm_are_told_together_with_their_share() -> None:
    """37 of 40 over, then all of them: not forty times good news."""
    channel = Channel()
    alerts = [make_alert(f"job-{number}", nodes=("gpu-7",)) for number in range(40)]
    for alert in alerts:
        channel.put(alert)
    channel.run(EPOCH, 5)
    later = EPOCH + 20 * MINUTE
    for alert in alerts[:37]:
        channel.put(alert, Change.RESOLVED, at=later)
    channel.run(later, 30)
    for alert in alerts[37:]:
        channel.put(alert, Change.RESOLVED, at=later + 30 * SECOND)
    channel.run(later + 30 * SECOND, 400)
    assert titles(channel)[1:] == ["37 of 40 are over on node gpu-7", "All 40 are over on node gpu-7"]


def test_the_end_of_a_lone_alert_is_told_at_once() -> None:
    """Nothing else happened: there is nothing to collect."""
    channel = Channel()
    channel.put(make_alert("a"))
    channel.look(EPOCH)
    channel.put(make_alert("a"), Change.RESOLVED, at=EPOCH + MINUTE)
    channel.look(EPOCH + MINUTE)
    assert titles(channel) == ["opened a", "resolved a"]


def test_no_end_is_told_of_what_was_not_announced() -> None:
    """Its opening was silenced, inhibited, or never taken by this channel."""
    channel = Channel()
    row = channel.put(make_alert("a"), Change.RESOLVED)
    channel.look(EPOCH)
    assert channel.sent == []
    assert channel.settled == {row.delivery_id: DeliveryState.SUPPRESSED}


def silence(**fields: Any) -> Silence:
    return Silence(
        **{
            "silence_id": SilenceId("sil-1"),
            "matchers": (Matcher(field=MatchField.WORKLOAD, operator="=", value="a"),),
            "author": "ann",
            "reason": "maintenance",
            "starts_at": EPOCH,
            "ends_at": EPOCH + 60 * MINUTE,
            **fields,
        }
    )


def test_a_silenced_alert_is_settled_with_who_said_so_and_told_when_the_silence_ends() -> None:
    """Silences keep back what is sent; what still fails afterwards is not forgotten."""
    channel = Channel()
    channel.silences = (silence(),)
    row = channel.put(make_alert("a"))
    other = channel.put(make_alert("b"))
    (settled,) = channel.look(EPOCH).settled
    assert settled.delivery_ids == (row.delivery_id,)
    assert settled.state is DeliveryState.SILENCED
    assert "sil-1" in settled.note
    assert "ann" in settled.note
    assert "maintenance" in settled.note
    assert [m.deliveries for _, m in channel.sent] == [(other,)]
    kept = [Withheld(delivery_id=1, alert=make_alert("a"), note=settled.note)]
    now = EPOCH + MINUTE
    assert released(kept, silences=(silence(),), nodes=(), announced=frozenset(), now=now) == {}
    assert list(released(kept, silences=(), nodes=(), announced=frozenset(), now=now)) == [1]


def test_what_was_over_before_a_silence_ended_is_told_only_where_its_opening_was() -> None:
    """An open incident must not stay open for ever; one that nobody heard of needs no end."""
    over = make_alert("a", state=AlertState.RESOLVED)
    kept = [Withheld(delivery_id=1, alert=over, note="silence", is_over=True)]
    assert released(kept, silences=(), nodes=(), announced=frozenset(), now=EPOCH) == {}
    assert list(released(kept, silences=(), nodes=(), announced=frozenset({"al-a"}), now=EPOCH)) == [1]


def test_a_nodes_alert_stands_for_the_workloads_it_explains() -> None:
    """One message about the node instead of one for each workload on it, and each says which alert stands for it."""
    channel = Channel()
    node = node_alert()
    channel.nodes = (node,)
    channel.put(node)
    lost = channel.put(make_alert("lost", nodes=("gpu-7",), started_at=EPOCH + MINUTE, status="Failed"))
    elsewhere = channel.put(make_alert("elsewhere", nodes=("gpu-8",)))
    planned = channel.look(EPOCH + MINUTE)
    assert [(s.delivery_ids, s.state) for s in planned.settled] == [((lost.delivery_id,), DeliveryState.INHIBITED)]
    assert node.alert_id in planned.settled[0].note
    assert [m.deliveries[0].notification.alert.subject.name for m in planned.messages] == ["gpu-7", "elsewhere"]
    assert elsewhere in planned.messages[1].deliveries


def test_a_node_does_not_excuse_what_it_did_not_cause() -> None:
    """An OOMKilled of an hour before, a memory limit, a wrong image: their alerts are told."""
    channel = Channel()
    channel.nodes = (node_alert(),)
    channel.put(make_alert("old", nodes=("gpu-7",), started_at=EPOCH - 60 * MINUTE))
    channel.put(make_alert("oom", nodes=("gpu-7",), status="OOMKilled"))
    channel.put(make_alert("image", nodes=("gpu-7",), status="ImagePullBackOff", cause="image_not_found"))
    channel.put(make_alert("later", nodes=("gpu-7",), started_at=EPOCH + 60 * MINUTE, status="Failed"))
    assert channel.plan(EPOCH + 60 * MINUTE).settled == ()
    channel.put(make_alert("evicted", nodes=("gpu-7",), started_at=EPOCH + 60 * MINUTE, status="Evicted"))
    assert [s.delivery_ids for s in channel.plan(EPOCH + 60 * MINUTE).settled] == [(5,)]


def test_what_still_fails_after_its_node_is_well_again_is_told() -> None:
    """After a grace in which it may come back by itself, or "it still fails" would be about half of them wrong."""
    well = node_alert(state=AlertState.RESOLVED, resolved_at=EPOCH + 10 * MINUTE)
    kept = [Withheld(delivery_id=4, alert=make_alert("a", nodes=("gpu-7",), status="Failed"), note="alert al-gpu-7")]

    def let_go(at: datetime) -> list[int]:
        return list(released(kept, silences=(), nodes=(well,), announced=frozenset(), now=at))

    assert let_go(EPOCH + 11 * MINUTE) == []
    assert let_go(EPOCH + 10 * MINUTE + GRACE) == [4]


def test_after_an_outage_what_waited_is_one_digest_with_the_newest_of_each() -> None:
    """Thirty messages an hour late are no news any more; what failed and is over is one line."""
    channel = Channel()
    for number in range(8):
        channel.put(make_alert(f"job-{number}"), at=EPOCH + number * MINUTE)
    channel.put(make_alert("job-0"), Change.RESOLVED, at=EPOCH + 30 * MINUTE)
    channel.put(make_alert("job-1", status="Failed"), Change.ESCALATED, at=EPOCH + 31 * MINUTE)
    channel.look(EPOCH + 60 * MINUTE)
    ((_, message),) = channel.sent
    assert message.digest is not None
    assert len(message.deliveries) == 10
    assert not channel.pending
    assert message.digest.title == "8 alerts told late, after up to 60 min: 7 still firing, 1 over"
    text = "\n".join(digest_lines(message.digest))
    assert text.count("job-0:") == 1
    assert "and over: because" in text
    assert text.count("job-1:") == 1
    assert "job-1: Failed" in text


def test_the_blindness_of_the_monitor_is_told_by_itself() -> None:
    """In whatever storm: it says that the rest of what is told is not all."""
    channel = Channel()
    for number in range(50):
        channel.put(make_alert(f"job-{number}", nodes=("gpu-7",)))
    channel.put(make_alert("blind", kind=AlertKind.MONITOR_BLIND))
    first = channel.plan(EPOCH).messages[0]
    assert len(first.deliveries) == 1
    assert first.deliveries[0].notification.alert.kind is AlertKind.MONITOR_BLIND


NAMES = st.sampled_from([f"job-{n}" for n in range(12)])
CHANGES = st.sampled_from([Change.OPENED, Change.ESCALATED, Change.REMINDED, Change.RESOLVED])
VALUES = st.sampled_from(["", "x", "y"])
STEPS = st.lists(
    st.tuples(NAMES, CHANGES, VALUES, VALUES, st.integers(0, 400)), min_size=1, max_size=60
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, silenced=st.booleans(), sick=st.booleans(), looks=st.integers(0, 3))
def test_every_delivery_is_in_exactly_one_place_and_waits_only_with_a_time(
    steps: list[tuple[str, Change, str, str, int]], silenced: bool, sick: bool, looks: int
) -> None:
    """Sent, settled or waiting until a time that is yet to come: nothing is lost between these, and nothing is told twice."""
    channel = Channel()
    channel.silences = (
        silence(matchers=(Matcher(field=MatchField.WORKLOAD, operator="=", value="job-3"),)),
    ) * silenced
    channel.nodes = (node_alert("x"),) * sick
    now = EPOCH
    for name, change, node, cause, seconds in steps:
        now += seconds * SECOND
        channel.put(make_alert(name, nodes=(node,) if node else (), cause=cause, started_at=now), change, at=now)
        before = {row.delivery_id for row in channel.pending}
        planned = channel.plan(now)
        places = [d.delivery_id for m in planned.messages for d in m.deliveries]
        places += [number for settled in planned.settled for number in settled.delivery_ids]
        assert len(places) == len(set(places))
        assert set(places) <= before
        assert set(places) == before or (planned.wake_at is not None and planned.wake_at > now)
        for _ in range(looks):
            channel.look(now)
    for minute in range(1500):
        if not channel.pending:
            break
        channel.look(now + minute * MINUTE)
    assert not channel.pending
    assert_order(channel.sent)


def assert_order(sent: Iterable[tuple[datetime, Message]]) -> None:
    """The changes of an alert reach a channel in the order in which they happened."""
    newest: dict[AlertId, int] = {}
    for _, message in sent:
        ids: dict[AlertId, list[int]] = {}
        for delivery in message.deliveries:
            ids.setdefault(delivery.notification.alert.alert_id, []).append(delivery.delivery_id)
        for alert_id, numbers in ids.items():
            assert min(numbers) > newest.get(alert_id, 0)
            newest[alert_id] = max(numbers)


@settings(max_examples=60, deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3)), min_size=100, max_size=600),
    per_second=st.integers(1, 20),
)
def test_messages_are_bounded_whatever_fails(arrivals: Sequence[tuple[int, int, int]], per_second: int) -> None:
    """However many alerts a quarter of an hour brings, and whatever they share, a person can read what is sent."""
    channel = Channel()
    for number, (node, cause, project) in enumerate(arrivals):
        alert = make_alert(f"job-{number}", nodes=(f"n{node}",), cause=f"c{cause}", project=f"p{project}")
        channel.put(alert, at=EPOCH + number // per_second * SECOND)
        if number % per_second == per_second - 1:
            channel.run(EPOCH + number // per_second * SECOND, 1)
    channel.run(EPOCH + len(arrivals) // per_second * SECOND, 900)
    assert len(channel.sent) <= 30


SINGLY = dataclasses.replace(OPTIONS, together=False)


def test_a_channel_that_keeps_a_record_per_alert_gets_no_digest_however_late_or_many() -> None:
    """An incident that a digest opened would be ended by nothing; what waited through an outage comes alert by alert, too."""
    channel = Channel(SINGLY)
    for number in range(60):
        channel.put(make_alert(f"job-{number}", nodes=("gpu-7",), cause="nccl_timeout"))
    channel.put(make_alert("job-0", nodes=("gpu-7",)), Change.RESOLVED)
    late = channel.plan(EPOCH + 60 * MINUTE)
    assert [len(m.deliveries) for m in late.messages] == [1] * 61
    assert {m.digest for m in late.messages} == {None}
    assert late.wake_at is None, "nothing is collected, so nothing waits"
    changes = [m.deliveries[0].notification for m in late.messages]
    assert [told.change for told in changes if told.alert.subject.name == "job-0"] == [Change.OPENED, Change.RESOLVED]


def test_silences_nodes_and_unheard_ends_hold_for_such_a_channel_as_for_any() -> None:
    """A pager that rings in a maintenance window is worse than a message in Slack."""
    channel = Channel(SINGLY)
    channel.silences, channel.nodes = (silence(),), (node_alert(),)
    silenced = channel.put(make_alert("a"))
    inhibited = channel.put(make_alert("lost", nodes=("gpu-7",), status="Failed"))
    unheard = channel.put(make_alert("never-told"), Change.RESOLVED)
    node = channel.put(node_alert())
    told = channel.put(make_alert("b"))
    planned = channel.plan(EPOCH)
    assert {s.delivery_ids: s.state for s in planned.settled} == {
        (silenced.delivery_id,): DeliveryState.SILENCED,
        (inhibited.delivery_id,): DeliveryState.INHIBITED,
        (unheard.delivery_id,): DeliveryState.SUPPRESSED,
    }
    assert [m.deliveries for m in planned.messages] == [(node,), (told,)], "the node explains the rest"
