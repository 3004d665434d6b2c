"""Many alerts in one message: how many of what, the first names, and how to read the rest.

The same words for every channel (`digest_title`, `digest_lines`, `digest_footer`), and Slack's blocks of them. Names and causes come from the cluster: they
are cleaned here, and escaped where a channel formats text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from runai_monitor.model.alert import Alert, AlertId, AlertKind, AlertState, Change
from runai_monitor.model.notification import Digest, Notification
from runai_monitor.model.telling import Announcement, features_of
from runai_monitor.notify.safe_text import escaped, plain

MOST_NAMES = 12
"""Members that are named: what fits on a phone's screen or two."""
MOST_VALUES = 5
"""Values of each count that are spelled out."""
_VALUE, _NAME, _STEP, _TITLE = 80, 120, 300, 150
_CHANGES = {
    Change.OPENED: "new",
    Change.ESCALATED: "worse",
    Change.REMINDED: "still failing",
    Change.ACKNOWLEDGED: "acknowledged",
    Change.RESOLVED: "over",
}
Block = dict[str, object]


def digest_of(
    members: Sequence[Notification],
    *,
    key: tuple[str, str],
    announced: Mapping[AlertId, Announcement] | None,
    late_since: datetime | None,
    now: datetime,
    more: bool = False,
) -> Digest:
    """The digest of alerts that share `key`, a dimension and its value; `late_since` since when they waited in vain.

    `more` tells that it goes on with a storm that was told before.

    The gravest are named first, and among those the ones that began first: what began a storm explains it best.
    """
    ranked = sorted(members, key=lambda member: (-member.alert.severity.rank, member.alert.started_at))
    known = announced or {}
    roots = {a.message: a for member in members if (a := known.get(member.alert.alert_id)) is not None}
    ends = [member for member in members if member.change is Change.RESOLVED]
    unheard = {m.alert.alert_id for m in ends if announced is not None and m.alert.alert_id not in known}
    told = sum(root.alerts for root in roots.values()) + len(unheard)
    over = min(told, sum(root.over for root in roots.values()) + len(ends))
    common = _common(key, [member.alert for member in members])
    digest = Digest(
        title="", members=tuple(ranked), common=common, ended=frozenset(unheard), told=max(told, len(ends)), over=over
    )
    title = _late_title(digest, late_since, now) if late_since is not None else _title(digest, more=more)
    return Digest(
        title=title, members=digest.members, common=common, ended=digest.ended, told=digest.told, over=digest.over
    )  # fmt: skip


def digest_lines(digest: Digest) -> list[str]:
    """The digest below its title, a line each: counts, names and what to do."""
    return [*_counts(digest), *_named(digest), *_next_step(digest)]


def digest_footer(notification: Notification) -> str:
    """The last words: which delivery carries the digest, and how to read the rest."""
    digest = notification.digest
    assert digest is not None
    about = f"alert {notification.alert.alert_id} · {notification.change}"
    more = len(digest.members) - 1
    others = f": and {more:,} other{'s' if more > 1 else ''}" if more else ""
    return f"{about}{others}. {_reading(digest)}"


def digest_title(digest: Digest) -> str:
    """The text of the push notification on a phone."""
    over = all(member.change is Change.RESOLVED for member in digest.members)
    return f"{'🟢' if over else '🔴'} {digest.title}"


def slack_digest(notification: Notification) -> dict[str, object]:
    """The body for an incoming webhook, at most five blocks and about 5,000 characters whatever the digest's size."""
    digest = notification.digest
    assert digest is not None
    title = digest_title(digest)
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": escaped(title, _TITLE), "emoji": False}}
    ]
    parts = (_counts(digest), _named(digest), _next_step(digest))
    blocks += [_section("\n".join(lines)) for lines in parts if lines]
    footer = escaped(digest_footer(notification), 2 * _STEP)
    context: Block = {"type": "plain_text", "text": footer, "emoji": False}
    return {"text": escaped(title, _TITLE), "blocks": [*blocks, {"type": "context", "elements": [context]}]}


def _title(digest: Digest, *, more: bool) -> str:
    members = digest.members
    where = f" {digest.common}" if digest.common else ""
    if all(member.change is Change.RESOLVED and member.alert.alert_id not in digest.ended for member in members):
        if digest.over >= digest.told:
            return f"All {digest.told:,} are over{where}"
        return f"{digest.over:,} of {digest.told:,} {'is' if digest.over == 1 else 'are'} over{where}"
    nodes = all(member.alert.kind is AlertKind.NODE_UNHEALTHY for member in members)
    noun = "nodes" if nodes else "workloads"
    added = " more" if more else ""
    verb = "still fail" if all(member.change is Change.REMINDED for member in members) else "fail"
    return f"{len(members):,}{added} {noun if len(members) > 1 else noun[:-1]} {verb}{'' if len(members) > 1 else 's'}{where}"


def _late_title(digest: Digest, since: datetime, now: datetime) -> str:
    over = sum(1 for member in digest.members if member.change is Change.RESOLVED)
    counts = f"{len(digest.members) - over:,} still firing, {over:,} over"
    minutes = max(0, int((now - since).total_seconds() // 60))
    count = len(digest.members)
    return f"{count:,} alert{'s' if count > 1 else ''} told late, after up to {minutes} min: {counts}"


def _common(key: tuple[str, str], alerts: Sequence[Alert]) -> str:
    """What they share, in words. Where that was not why they are told together, it may be so all the same."""
    dimension, value = key
    if dimension == "any":
        for dimension in ("node", "cause", "project"):
            shared = set.intersection(*(set(_values(alert, dimension)) for alert in alerts))
            if shared:
                value = min(shared)
                break
        else:
            return ""
    value = plain(value, _VALUE)
    words = {"node": f"on node {value}", "cause": f"of {value}", "image": f"with image {value}"}
    return words.get(dimension, f"in project {value}")


def _values(alert: Alert, dimension: str) -> Iterable[str]:
    features = features_of(alert)
    found: dict[str, Iterable[str]] = {
        "node": features.nodes,
        "cause": [features.cause],
        "project": [features.project],
    }
    return [value for value in found[dimension] if value]


def _counts(digest: Digest) -> list[str]:
    alerts = [member.alert for member in digest.members]
    changes = Counter(
        "failed and over" if member.alert.alert_id in digest.ended else _CHANGES.get(member.change, str(member.change))
        for member in digest.members
    )
    lines = [_count("What", changes)] if len(changes) > 1 else []
    lines.append(_count("Status", Counter(alert.status for alert in alerts)))
    for name, dimension in (("Cause", "cause"), ("Project", "project"), ("Node", "node")):
        counts = Counter(value for alert in alerts for value in _values(alert, dimension))
        if counts and not (dimension == "cause" and set(counts) == {alert.status for alert in alerts}):
            lines.append(_count(name, counts))
    return lines


def _count(name: str, counts: Counter[str]) -> str:
    shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    said = ", ".join(f"{count:,} {plain(value, _VALUE)}" for value, count in shown[:MOST_VALUES])
    more = len(shown) - MOST_VALUES
    return f"{name}: {said}{f', and {more:,} others' if more > 0 else ''}"


def _named(digest: Digest) -> list[str]:
    lines = [f"• {_member(member, digest)}" for member in digest.members[:MOST_NAMES]]
    more = len(digest.members) - MOST_NAMES
    return lines + ([f"… and {more:,} more"] if more > 0 else [])


def _member(member: Notification, digest: Digest) -> str:
    alert = member.alert
    place = "/".join(plain(part, _NAME) for part in (alert.subject.project, alert.subject.name) if part)
    cause = features_of(alert).cause
    said = plain(alert.status, _VALUE) + (f", {plain(cause, _VALUE)}" if cause not in ("", alert.status) else "")
    if alert.alert_id in digest.ended:
        said += f", and over: {plain(member.reason, _VALUE)}"
    elif member.change is Change.RESOLVED:
        said = f"{said} is over: {plain(member.reason, _VALUE)}"
    return f"{place}: {said} ({alert.alert_id})" if place else f"{plain(alert.summary, _NAME)} ({alert.alert_id})"


def _next_step(digest: Digest) -> list[str]:
    """The first step for the commonest cause among what still fails."""
    failing = [m.alert for m in digest.members if m.alert.state is not AlertState.RESOLVED and m.alert.recommendations]
    causes = Counter(features_of(alert).cause for alert in failing)
    if not causes:
        return []
    top = min(causes, key=lambda cause: (-causes[cause], cause))
    step = next(alert.recommendations[0] for alert in failing if features_of(alert).cause == top)
    about = f" for {plain(top, _VALUE)}" if top and len(causes) > 1 else ""
    return [f"Next step{about}: {plain(step, _STEP)}"]


def _reading(digest: Digest) -> str:
    since = min(member.alert.started_at for member in digest.members)
    return (
        f"Each of them: list_alerts with since={since:%Y-%m-%dT%H:%M:%SZ}, then get_alert with its id;"
        f" or runai-monitor alerts --since {since:%Y-%m-%dT%H:%M:%SZ}"
    )


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": escaped(text, 2_900), "emoji": False}}
