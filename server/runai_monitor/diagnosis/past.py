"""What earlier alerts add to a diagnosis: the same workload before, and (`beside`) others in the same hour.

They never make a cause: they are told, and put numbers into the advice about a cause that other evidence supports.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio.lowlevel

from runai_monitor.diagnosis.beside import beside, pointing_at_node, pointing_at_shared
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.safe import safe
from runai_monitor.diagnosis.sources import HistoryReader, LiveReader
from runai_monitor.diagnosis.verdict import Judgement
from runai_monitor.diagnosis.wording import amount, listed, times, token
from runai_monitor.errors import MonitorError, StoreError
from runai_monitor.model.diagnosis import Cause, Verdict
from runai_monitor.model.history import AlertHistory, Episode
from runai_monitor.model.workload import UNHEALTHY_PHASES, Workload

SOURCE = "alert history"
_MOST_LINES = 10
_SILENT = frozenset({Verdict.COMPLETED, Verdict.SUSPENDED_BY_PERSON})
_OVER = re.compile(r"the workload (?:was deleted|completed|was suspended)|(?:healthy|no longer stuck) for [\d.]+ s")
_LIMIT = re.compile(r"limit of (\d+(?:\.\d+)?(?:[KMGTPE]i?|k)?)\b")
_LOWER_LIMITS = 2
# What a second attempt may not meet again: for all others submitting the same again is a waste.
_PASSING = re.compile(
    r"node_|network_|device_plugin|gpu_hardware|nccl_|insufficient_|gang_|gpu_fragmentation|project_over|namespace_quota|"
    r"preempted|time_limit|registry_|storage_|volume_|dns_|connection_|rate_limited|tls_|killed_by|probe_"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The causes with what the past adds to them, the sentences for the report with what they quote, and all of that."""

    causes: tuple[Cause, ...]
    sentences: tuple[tuple[str, str], ...] = ()
    evidence_ids: tuple[str, ...] = ()


async def read_past(history: HistoryReader, workload: Workload, *, now: datetime) -> AlertHistory:
    """The stored past of a workload, around the time it failed.

    Raises:
        MonitorError: it cannot be read; where the store is, which a store's own error says, is not for a diagnosis.
    """
    try:
        return await history.history_of(workload, failed_at=_failed_at(workload, now), now=now)
    except StoreError as error:
        raise MonitorError("the store of earlier alerts could not be read; the log of the server says more") from error


async def with_live(past: AlertHistory, live: LiveReader, workload: Workload, *, now: datetime) -> AlertHistory:
    """The past (which is safe) with who fails right now, each once: what is stored knows causes, what is watched knows everybody."""
    seen = safe(await live(workload, failed_at=_failed_at(workload, now)))
    await anyio.lowlevel.checkpoint()  # in a storm there are hundreds
    found = {other.workload_id: other for other in seen.neighbours}
    for other in past.neighbours:
        watched = found.get(other.workload_id)
        if watched is None or other.cause is not None or watched.cause is None:
            nodes = dict.fromkeys((*other.nodes, *(watched.nodes if watched is not None else ())))
            found[other.workload_id] = replace(other, nodes=tuple(nodes))
    newest = sorted(found.values(), key=lambda other: (-other.started_at.timestamp(), other.name))
    more = past.more_neighbours or seen.more_neighbours
    return replace(past, neighbours=tuple(newest), more_neighbours=more)


def _failed_at(workload: Workload, now: datetime) -> datetime:
    changed = workload.phase_updated_at
    return changed if changed is not None and workload.phase in UNHEALTHY_PHASES else now


def recall(case: Case, judgement: Judgement) -> Recalled:
    """What the past adds to a judgement: nothing to what ended well or on purpose."""
    if judgement.verdict in _SILENT:
        return Recalled(causes=judgement.causes)
    sentences, cited, causes = [], [], judgement.causes
    if case.past.episodes:
        cited.append(_cite(case))
        sentences.append((_before(case), cited[-1]))
        causes = _informed(case, causes, cited[-1])
    if judgement.verdict in {Verdict.FAILURE, Verdict.INSUFFICIENT_EVIDENCE} and (others := beside(case)) is not None:
        cited.append(others.evidence_id)
        sentences += [(sentence, others.evidence_id) for sentence in others.sentences]
        causes = pointing_at_shared(others, pointing_at_node(others, causes))
    return Recalled(causes=causes, sentences=tuple(sentences), evidence_ids=tuple(cited))


def _cite(case: Case) -> str:
    episodes = case.past.episodes
    lines = [_line(episode) for episode in episodes[:_MOST_LINES]]
    more = len(episodes) - len(lines)
    lines += [f"and {more}{' or more' if case.past.more_episodes else ''} before"] if more else []
    return case.cite(SOURCE, "\n".join(lines), at=episodes[0].started_at)


def _line(episode: Episode) -> str:
    ended = "not resolved"
    if episode.ended_at is not None:
        ended = f"ended {episode.ended_at:%m-%d %H:%M}: {(episode.ending or 'no reason')[:80]}"
    said = f"{episode.status[:40]}, {episode.cause or 'not diagnosed'}"
    return f"{episode.started_at:%Y-%m-%d %H:%M} UTC {said}; {ended} ({episode.alert_id})"


def _before(case: Case) -> str:
    """One sentence: how often, of what causes, and what became of it."""
    past, episodes, last = case.past, case.past.episodes, case.past.episodes[0]
    count = f"at least {len(episodes)} alerts" if past.more_episodes else times(len(episodes), "alert")
    said = (
        f"Before: this workload had {count} in the last {_span(case, episodes)}{_of_others(case)}: {_tally(episodes)}."
    )
    if last.ended_at is None:
        return f"{said} The last one, of {_ago(case.now - last.started_at)} ago, is not resolved."
    ending = last.ending if last.ending and _OVER.fullmatch(last.ending) else None
    again = " and it was submitted again" if last.workload_id != case.workload.id else ""
    why = f": {ending}{again}" if ending else ""
    return f"{said} The last one began {_ago(case.now - last.started_at)} ago and ended {_ago(case.now - last.ended_at)} ago{why}."


def _of_others(case: Case) -> str:
    """How many of the episodes are of earlier submissions under the same name."""
    episodes = case.past.episodes
    count = sum(episode.workload_id != case.workload.id for episode in episodes)
    if not count:
        return ""
    return f" ({count if count < len(episodes) else 'all'} of earlier submissions under this name)"


def _tally(episodes: Sequence[Episode]) -> str:
    counts = Counter(episode.cause or episode.status for episode in episodes)
    if len(counts) == 1:
        return f"{'each ' if len(episodes) > 1 else ''}{token(next(iter(counts)))}"
    return listed([f"{token(name)} ({count})" for name, count in counts.most_common()])


def _span(case: Case, episodes: Sequence[Episode]) -> str:
    return _ago(case.now - min(episode.started_at for episode in episodes))


def _ago(time: timedelta) -> str:
    """`2 days`, `5 hours`, `1 minute`: rounded up, so that what is said to lie within does."""
    minutes = max(math.ceil(time.total_seconds() / 60), 1)
    if minutes <= 90:
        return times(minutes, "minute")
    hours = math.ceil(minutes / 60)
    return times(hours, "hour") if hours <= 36 else times(math.ceil(hours / 24), "day")


def _informed(case: Case, causes: tuple[Cause, ...], evidence_id: str) -> tuple[Cause, ...]:
    """The first cause with what the past says of it: how often it was the cause, and what did not help."""
    first = causes[0] if causes else None
    same = [episode for episode in case.past.episodes if first is not None and episode.cause == first.cause]
    if first is None or not same or first.cause == Verdict.INSUFFICIENT_EVIDENCE:
        return causes
    times_before = f"{times(len(same), 'time')} before in {_span(case, same)}"
    steps = list(first.next_steps)
    if first.cause == "container_oom" and steps:
        steps[0] = _memory_step(steps[0], same, first.title, times_before)
    submitted = {episode.workload_id for episode in same} - {case.workload.id}
    if len(submitted) > 1 and not _PASSING.match(first.cause):
        steps.insert(1, f"submitting it again as it is has not helped {times(len(submitted), 'time')}: change it first")
    first = replace(
        first,
        explanation=f"{first.explanation} It was the cause {times_before}.",
        next_steps=tuple(steps),
        evidence_ids=(*first.evidence_ids, evidence_id),
    )
    return (first, *causes[1:])


def _memory_step(step: str, same: Sequence[Episode], title: str, times_before: str) -> str:
    """The advice about a memory limit, with the limits at which it was killed before."""
    if ": OOMKilled at " not in step:
        return step
    limits = _limits(episode.title for episode in same)
    now = amount(next(iter(_limits([title])), None))
    lower = [limit for limit in limits if now is not None and (amount(limit) or 0) < now]
    at = f" at {listed(sorted(limits, key=lambda limit: amount(limit) or 0))}" if limits else ""
    leak = "; more was not enough twice: look for memory that grows without end" if len(lower) >= _LOWER_LIMITS else ""
    return f"{step}, and {times_before}{at}{leak}"


def _limits(titles: Iterable[str | None]) -> list[str]:
    found = [match[1] for title in titles if (match := _LIMIT.search(title or ""))]
    return list(dict.fromkeys(found))
