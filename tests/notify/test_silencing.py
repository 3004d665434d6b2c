"""Silences side by side with Alertmanager's documented semantics.

Each row names what Alertmanager documents, in our words, and where:
[matcher]  docs/configuration.md, `<matcher>`: the operators, quoting, and that all matchers must match.
[inhibit]  docs/configuration.md, `<inhibit_rule>`: a missing label and an empty one are the same thing.
[regex]    docs/configuration.md, `<regex>` (RE2) and the PromQL selectors it refers to: anchored at both ends.
[silences] docs/alertmanager.md, "Silences": alerts that match all matchers of an active silence are not notified.
Where we differ, the row says so and why.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runai_monitor.errors import InputError
from runai_monitor.model.alert import Alert, AlertId, AlertKind, AlertState, AlertSubject, Severity
from runai_monitor.model.diagnosis import Cause, Diagnosis, Verdict
from runai_monitor.model.silence import Matcher, MatchField, Silence, SilenceId, SilenceState
from runai_monitor.notify.silencing import active, is_for_everything, matches, matches_one, silencing, state_of
from runai_monitor.operations.matchers import read_matcher, read_matchers
from tests.fakes import EPOCH

HOUR = timedelta(hours=1)


def alert(**fields: Any) -> Alert:
    """A workload of ml-team that was OOMKilled on gpu-01 and gpu-02."""
    subject = AlertSubject(id="0b5e", name="llama-sft", project="ml-team", nodes=("gpu-01", "gpu-02"))
    cause = Cause(cause="container_oom", title="t", confidence=0.97, explanation="e")
    return Alert(
        **{
            "alert_id": AlertId("al-1"),
            "cursor": 1,
            "kind": AlertKind.WORKLOAD_UNHEALTHY,
            "status": "OOMKilled",
            "state": AlertState.FIRING,
            "severity": Severity.CRITICAL,
            "subject": subject,
            "summary": "s",
            "started_at": EPOCH,
            "updated_at": EPOCH,
            "diagnosis": Diagnosis(
                verdict=Verdict.FAILURE, confidence=0.9, generated_at=EPOCH, causes=(cause,), nodes=("gpu-07",)
            ),
            **fields,
        }
    )


BLIND = alert(kind=AlertKind.MONITOR_BLIND, status="MonitorBlind", subject=AlertSubject(), diagnosis=None)
NODE = alert(
    kind=AlertKind.NODE_UNHEALTHY, status="NotReady", subject=AlertSubject(id="gpu-07", name="gpu-07"), diagnosis=None
)


def silence(*texts: str, **fields: Any) -> Silence:
    return Silence(
        **{
            "silence_id": SilenceId("si-1"),
            "matchers": read_matchers(texts),
            "author": "anna",
            "reason": "maintenance",
            "starts_at": EPOCH,
            "ends_at": EPOCH + HOUR,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("matchers", "about", "expected", "documented"),
    [
        (["project=ml-team"], alert(), True, "[matcher] = means equals"),
        (["project=ml"], alert(), False, "[matcher] = is the whole value, not a part"),
        (["project=ML-team"], alert(), False, "[matcher] letters count as they are"),
        (["project!=ml-team"], alert(), False, "[matcher] != means not equal"),
        (["project!=vision"], alert(), True, "[matcher] != means not equal"),
        (["workload=~llama.*"], alert(), True, "[matcher] =~ matches the regular expression"),
        (["workload=~llama"], alert(), False, "[regex] anchored at the end"),
        (["workload=~sft"], alert(), False, "[regex] anchored at the start"),
        (["workload=~x|llama-sft"], alert(), True, "[regex] the anchors enclose all alternatives"),
        (["workload=~llama|x"], alert(), False, "[regex] the anchors enclose all alternatives"),
        (["workload!~llama"], alert(), True, "[regex] !~ is anchored, too"),
        (["workload!~llama.*"], alert(), False, "[matcher] !~ does not match the regular expression"),
        (["status=~(?i)oomkilled"], alert(), True, "[regex] RE2's flags"),
        (["project=ml-team", "status=OOMKilled"], alert(), True, "[matcher] all must match"),
        (["project=ml-team", "status=Pending"], alert(), False, "[matcher] all must match, one does not"),
        (["project=ml-team", "status!=Pending"], alert(), True, "[matcher] positive and negative together"),
        (["project="], BLIND, True, "[inhibit] a missing label is an empty one"),
        (["project!="], BLIND, False, "[inhibit] a missing label is an empty one"),
        (["project!=ml-team"], BLIND, True, "[inhibit] != of a missing label: the empty text is another"),
        (["workload=~.*"], BLIND, True, "[inhibit] =~ .* matches what is missing"),
        (["workload=~.+"], BLIND, False, "[inhibit] =~ .+ does not match what is missing"),
        (["workload!~.+"], BLIND, True, "[inhibit] !~ .+ matches what is missing"),
        (["cause=container_oom"], alert(), True, "the cause is the first one of the diagnosis"),
        (["cause="], alert(diagnosis=None), True, "[inhibit] without a diagnosis there is no cause"),
        (["severity=critical", "kind=workload_unhealthy"], alert(), True, "fields beside labels: kind and severity"),
        (["workload=0b5e"], alert(), True, "ours: a workload goes by its UUID, too"),
        (["node=gpu-02"], alert(), True, "ours: a label has one value, a workload many nodes: one is enough"),
        (["node=gpu-07"], alert(), True, "ours: the nodes that the diagnosis blames count"),
        (["node!=gpu-02"], alert(), False, "ours: a negative matcher wants none of them"),
        (["node!~gpu-0[3-6]"], alert(), True, "ours: a negative matcher wants none of them"),
        (["node=gpu-07"], NODE, True, "the alert about a node is about that node"),
        (["workload=gpu-07"], NODE, False, "and about no workload"),
        ([], alert(), True, "[silences] no matcher excludes nothing: possible only when said explicitly"),
    ],
)
def test_a_silence_matches_as_alertmanager_documents(
    matchers: list[str], about: Alert, expected: bool, documented: str
) -> None:
    """Who knows one must not be surprised by the other at 3 a.m."""
    assert matches(silence(*matchers), about) is expected, documented


@pytest.mark.parametrize(
    ("fields", "minutes", "expected"),
    [
        ({"starts_at": EPOCH + HOUR, "ends_at": EPOCH + 2 * HOUR}, 59, SilenceState.PENDING),
        ({}, 0, SilenceState.ACTIVE),
        ({}, 59, SilenceState.ACTIVE),
        # Alertmanager's last instant still counts, ours does not: what ends at ten is told at ten.
        ({}, 60, SilenceState.EXPIRED),
        ({"expired_at": EPOCH + HOUR / 2}, 29, SilenceState.ACTIVE),
        ({"expired_at": EPOCH + HOUR / 2}, 30, SilenceState.EXPIRED),
        # Ending a silence that has not begun: it never begins.
        ({"starts_at": EPOCH + HOUR, "ends_at": EPOCH + 2 * HOUR, "expired_at": EPOCH}, 10, SilenceState.EXPIRED),
        ({"starts_at": EPOCH + HOUR, "ends_at": EPOCH + 2 * HOUR, "expired_at": EPOCH}, 90, SilenceState.EXPIRED),
    ],
)
def test_a_silence_is_pending_active_or_expired(fields: dict[str, Any], minutes: int, expected: SilenceState) -> None:
    """[silences] Only an active silence keeps anything quiet."""
    now = EPOCH + timedelta(minutes=minutes)
    one = silence("project=ml-team", **fields)
    assert state_of(one, now) is expected
    assert active(one, now) is (expected is SilenceState.ACTIVE)
    assert silencing([one], alert(), now) == ([one] if expected is SilenceState.ACTIVE else [])


@pytest.mark.parametrize("state", AlertState)
def test_a_silence_asks_what_an_alert_is_about_not_what_happened_to_it(state: AlertState) -> None:
    """[silences] No notification is sent for an alert that matches, that of its end included."""
    assert silencing([silence("project=ml-team")], alert(state=state), EPOCH)


@pytest.mark.parametrize(
    ("matchers", "everything", "why"),
    [
        ([], True, "Alertmanager wants one matcher at least"),
        (["workload=~.*"], True, "Alertmanager refuses when every matcher matches the empty text"),
        (["project=~.*", "status=~.*"], True, "several that exclude nothing exclude nothing"),
        (["project=~.+"], True, "ours is stricter: every workload has a project"),
        (["status!=Pending"], True, "ours is stricter: a status is any word, so that is nearly everything"),
        (["severity=~info|warning|critical"], True, "all there are"),
        (["severity!=critical"], False, "of three severities two are left"),
        (["kind!=monitor_blind"], False, "of a few kinds one is left out"),
        (["project="], False, "ours is more lenient: that means the monitor's own alerts"),
        (["project=~.+", "status=OOMKilled"], False, "one that excludes is enough"),
        (["node=~gpu-.*"], False, "a pattern with a name in it"),
    ],
)
def test_what_would_silence_more_or_less_everything_is_recognised(
    matchers: list[str], everything: bool, why: str
) -> None:
    """A silence for everything is a pager that is switched off: never by accident."""
    assert is_for_everything(read_matchers(matchers)) is everything, why


@pytest.mark.parametrize(
    ("text", "field", "operator", "value"),
    [
        ("project=ml-team", "project", "=", "ml-team"),
        (' Project  =  "ml-team" ', "project", "=", "ml-team"),
        ('status=~"OOM.*|Evicted"', "status", "=~", "OOM.*|Evicted"),
        ("status!~OOM.*", "status", "!~", "OOM.*"),
        ("workload!=a=b", "workload", "!=", "a=b"),
        (r'workload="say \"hi\" \\"', "workload", "=", 'say "hi" \\'),
        ("cause=", "cause", "=", ""),
        ('cause=""', "cause", "=", ""),
    ],
)
def test_matchers_are_written_as_in_alertmanager(text: str, field: str, operator: str, value: str) -> None:
    """[matcher] A name, one of four operators, a value that may be quoted; blanks around each."""
    read = read_matcher(text)
    assert (read.field, read.operator, read.value) == (field, operator, value)
    assert read_matcher(str(read)) == read, "and what is shown can be given again"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("project", "no matcher"),
        ("project==~x", None),
        ("projct=a", "did you mean project?"),
        ("label=a", "there are project, workload"),
        ('project="a', "a quote is missing"),
        ('project=a"', "a quote is missing"),
        ('project="a"b"', "a quote is missing or too many"),
        (r'project="a\"', "a quote is missing or too many"),
        ("severity=fatal", "there are info, warning, critical"),
        ("kind=job", "there are workload_unhealthy"),
        ("workload=~(", "no regular expression"),
        ("workload=~(?=x)", "no regular expression"),
        ("workload=~(a{1000}){1000}", "no regular expression"),
        ("workload=" + "a" * 257, "longer than 256"),
    ],
)
def test_what_is_no_matcher_is_refused_with_what_is(text: str, told: str | None) -> None:
    """A silence that silently matches nothing is found out at 3 a.m."""
    if told is None:
        assert read_matcher(text).value == "=~x"
        return
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        read_matcher(text)


def test_no_pattern_takes_long() -> None:
    """A model may be talked into a pattern that would keep a backtracking engine busy for years."""
    text = "a" * 253 + "!"
    for pattern in (r"(a+)+", r"(a|a)*b", r"(.*.*)*x", ".*" * 100 + "x", r"(a?){100}a{100}b"):
        matcher = read_matcher(f"workload=~{pattern}")
        assert not matches_one(matcher, (text,))


def test_a_stored_pattern_that_cannot_be_used_silences_nothing() -> None:
    """Another version may have stored it: rather a message too many than none."""
    broken = Matcher(field=MatchField.PROJECT, operator="!~", value="(")
    assert not matches(dataclasses.replace(silence("project=ml-team"), matchers=(broken,)), alert())


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=40), max_size=3))
def test_a_negative_matcher_is_the_opposite_of_the_positive_one(value: str, values: list[str]) -> None:
    """Whatever the value and whatever an alert has: one of the two matches."""
    for positive, negative in (("=", "!="), ("=~", "!~")):
        try:
            found = [
                matches_one(Matcher(field=MatchField.NODE, operator=operator, value=value), values)
                for operator in (positive, negative)
            ]
        except InputError:
            continue
        assert sorted(found) == [False, True]


@given(st.text(max_size=100))
def test_what_is_shown_of_a_matcher_can_be_given_again(value: str) -> None:
    """People copy from a list of silences; quotes, backslashes and blanks must not change what is silenced."""
    matcher = Matcher(field=MatchField.WORKLOAD, operator="!=", value=value)
    assert read_matcher(str(matcher)) == matcher
