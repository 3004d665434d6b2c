"""Pure: what belongs together, and when a storm is told again.

A storm is many alerts that share a node, a cause, an image or a project. Its first message goes out at once, the next
after a short wait in which the storm shows its size, then after the group interval, then after twice that, and so on. So
a storm costs a message per doubling of time, whatever its size; and as its key is found again in what was told, nothing
needs to be remembered between two plans.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runai_monitor.model.notification import Delivery
from runai_monitor.model.telling import Features, Told

Key = tuple[str, str]
"""What a storm shares: a dimension and its value."""

ANYTHING: Key = ("any", "")
"""Nothing in common but that there is too much."""
DIMENSIONS = ("node", "cause", "image", "project")
"""The strongest first: of two explanations for the same alerts, the one that says more."""
_STRONG = frozenset({"node", "cause", "image"})
_WEIGHTS = {"project": 2, "any": 4}
"""How many times the threshold it takes: a busy project has several failures at a time without a common reason."""
LONGEST_FACTOR = 8
"""A storm is told again after eight group intervals at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietOptions:
    """See `settings` for meanings and reasons of the defaults."""

    storm_threshold: int = 5
    storm_window_seconds: float = 300
    group_wait_seconds: float = 10
    group_interval_seconds: float = 300
    backlog_minutes: float = 10
    together: bool = True
    """False for channels that are read by programs and keep a record per alert: nothing is told as a digest."""

    @property
    def remembered(self) -> timedelta:
        """How far back what was told matters."""
        return timedelta(seconds=max(self.storm_window_seconds, 4 * LONGEST_FACTOR * self.group_interval_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is due about one alert, oldest first. `announced` tells whether the channel knows the alert."""

    deliveries: tuple[Delivery, ...]
    features: Features
    announced: bool

    @property
    def newest(self) -> Delivery:
        """The alert as it is to be told."""
        return self.deliveries[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Units that one message tells, and when. `again` tells whether the channel knows of the storm and of its size."""

    key: Key
    units: tuple[Unit, ...]
    at: datetime
    again: bool = False

    def due_at(self, options: QuietOptions, *, now: datetime) -> datetime:
        """When it is to be told. One that was told and still grows is told when it pauses, or two intervals later."""
        if not self.again or self.at > now:
            return self.at
        newest = max(min(unit.newest.created_at, now) for unit in self.units)
        latest = self.at + timedelta(seconds=2 * options.group_interval_seconds)
        return min(newest + timedelta(seconds=options.group_wait_seconds), latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """One message that was taken."""

    at: datetime
    features: tuple[Features, ...]


class Heard:
    """What a channel was told, by storm."""

    def __init__(self, told: Iterable[Told], options: QuietOptions, *, now: datetime, as_one: bool = False) -> None:
        """`as_one` makes everything one storm, `ANYTHING`."""
        by_message: dict[int, list[Told]] = {}
        for one in told:
            by_message.setdefault(one.message, []).append(one)
        self._messages = sorted(
            (_Heard(at=min(ones[0].at, now), features=tuple(one.features for one in ones)) for ones in by_message.values()),
            key=lambda heard: heard.at,
        )  # fmt: skip
        self._keys = [ANYTHING if as_one else _key_of(heard.features) for heard in self._messages]
        self._options = options
        self._now = now

    def lately(self, key: Key) -> int:
        """Alerts of a storm that were told within the window."""
        since = self._now - timedelta(seconds=self._options.storm_window_seconds)
        return sum(len(heard.features) for heard in self._of(key) if heard.at >= since)

    def next_at(self, key: Key) -> datetime:
        """When a storm may be told again."""
        count, last = self._streak(key)
        return self._now if last is None else last + self._delay(count)

    def is_storm(self, key: Key) -> bool:
        """Whether it is under way: told of more than once, and not over yet."""
        return self._streak(key)[0] > 1

    def last_like(self, features: Features) -> datetime | None:
        """When something that shares a node, a cause or an image was last told."""
        mine = {key for key in keys_of(features) if key[0] in _STRONG}
        found = [
            heard.at
            for heard, key in zip(self._messages, self._keys, strict=True)
            if (key in mine if len(heard.features) > 1 else mine.intersection(keys_of(heard.features[0])))
        ]
        return max(found, default=None)

    def _streak(self, key: Key) -> tuple[int, datetime | None]:
        """How many messages a storm had by now, and its last. Lone alerts before it was one count as the first."""
        window = timedelta(seconds=self._options.storm_window_seconds)
        count, is_known = 0, False
        last, lone = None, deque[datetime]()
        for heard in self._of(key):
            if last is not None and heard.at - last > self._quiet(count):
                count, is_known = 0, False
            is_lone = len(heard.features) == 1
            if is_lone:
                lone.append(heard.at)
            while lone and lone[0] < heard.at - window:
                lone.popleft()
            is_known = is_known or not is_lone or len(lone) >= _needed(key, self._options)
            if is_known or count == 0:
                count += 1
            last = heard.at
        if last is not None and self._now - last > self._quiet(count):
            return 0, None
        return count, last

    def _delay(self, count: int) -> timedelta:
        if count < 2:
            return timedelta(seconds=self._options.group_wait_seconds if count else 0)
        return timedelta(seconds=self._options.group_interval_seconds * min(2 ** (count - 2), LONGEST_FACTOR))

    def _quiet(self, count: int) -> timedelta:
        """How long nothing must have been told of a storm for it to be over: longer than `Group.due_at` puts it off."""
        window = timedelta(seconds=self._options.storm_window_seconds)
        if count < 2:
            return window
        return max(window, 2 * self._delay(count) + 2 * timedelta(seconds=self._options.group_interval_seconds))

    def _of(self, key: Key) -> Iterable[_Heard]:
        for heard, primary in zip(self._messages, self._keys, strict=True):
            lone = len(heard.features) == 1
            if key == primary or (lone and (key == ANYTHING or key in keys_of(heard.features[0]))):
                yield heard


def gather(units: Sequence[Unit], heard: Heard, options: QuietOptions) -> tuple[list[Group], list[Unit]]:
    """The storms among units, the largest first, and the units that belong to none."""
    rest, groups = list(units), []
    while rest:
        counts = Counter(key for unit in rest for key in keys_of(unit.features))
        storms = [key for key, count in counts.items() if _is_storm(key, count, heard, options)]
        if not storms:
            break
        key = min(storms, key=lambda key: (-counts[key], DIMENSIONS.index(key[0]), key[1]))
        groups.append(_group(key, [unit for unit in rest if key in keys_of(unit.features)], heard))
        rest = [unit for unit in rest if key not in keys_of(unit.features)]
    return _bounded(groups, rest, heard, options)


def keys_of(features: Features) -> list[Key]:
    """Everything an alert may share."""
    keys = [("node", node) for node in features.nodes]
    keys += [("cause", features.cause)] if features.cause else []
    keys += [("image", image) for image in features.images]
    keys += [("project", features.project)] if features.project else []
    return keys


def _is_storm(key: Key, pending: int, heard: Heard, options: QuietOptions) -> bool:
    return pending + heard.lately(key) >= _needed(key, options) or heard.is_storm(key)


def _bounded(
    groups: list[Group], rest: list[Unit], heard: Heard, options: QuietOptions
) -> tuple[list[Group], list[Unit]]:
    """Many small storms at once are one great one, and so is a flood of failures that have nothing in common."""
    several, needed = 3, _needed(ANYTHING, options)
    scattered = [unit for group in groups[several - 1 :] for unit in group.units] + rest
    pending = len(scattered)
    is_flood = len(groups) > several or (rest and pending >= needed)
    if is_flood or (rest and len(rest) + heard.lately(ANYTHING) >= needed):
        kept = groups[: several - 1] if is_flood else groups
        units = scattered if is_flood else rest
        return [*kept, _group(ANYTHING, units, heard)], []
    return groups, rest


def _group(key: Key, units: Sequence[Unit], heard: Heard) -> Group:
    return Group(key=key, units=tuple(units), at=heard.next_at(key), again=heard.is_storm(key))


def _needed(key: Key, options: QuietOptions) -> int:
    return options.storm_threshold * _WEIGHTS.get(key[0], 1)


def _key_of(features: Sequence[Features]) -> Key:
    """What the alerts of one message share: the reason why they were told together."""
    counts = Counter(key for each in features for key in keys_of(each))
    shared = [key for key, count in counts.items() if count == len(features)]
    return min(shared, key=lambda key: (DIMENSIONS.index(key[0]), key[1]), default=ANYTHING)
