"""What people and agents answer to alerts: I take care of it, or do not tell me for a while.

Needs nothing but the database: an alert can be silenced while Run:ai cannot be reached, which is when it matters.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread

from runai_monitor.clock import Clock
from runai_monitor.errors import InputError, NotFoundError, RefusedError
from runai_monitor.model.alert import Alert, AlertId
from runai_monitor.model.silence import Matcher, Silence, SilenceId, SilenceState
from runai_monitor.notify.silencing import is_for_everything, matches, state_of
from runai_monitor.operations import arguments, confinement
from runai_monitor.operations.matchers import read_matchers
from runai_monitor.operations.results import Acknowledgement, SilenceView
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.services import StoredServices, StoredServicesReady

MOST_SILENCES = 500
"""That have not ended, at a time: more than that is a channel that should be routed elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRequest:
    """The arguments of `silence_alerts`. Exactly one of `duration` and `until` is given."""

    matchers: Sequence[str]
    reason: str
    duration: str | None = None
    until: str | None = None
    starts_at: str | None = None
    everything: bool = False
    replaces: str | None = None


class Responses:
    """Acknowledges and silences. `author` is always the person or agent behind it, in words.

    Args:
        services: the stored part of the services.
        scope: the project limit.
        clock: what time it is.
        on_change: called after an alert has changed.
    """

    def __init__(
        self, *, services: StoredServicesReady, scope: Scope, clock: Clock, on_change: Callable[[], None]
    ) -> None:
        self._services = services
        self._scope = scope
        self._clock = clock
        self._on_change = on_change

    async def acknowledge(self, alert_id: str, *, author: str, note: str = "") -> Acknowledgement:
        """Notes who takes care of an alert: no more reminders of it. Doing it twice changes nothing.

        Raises:
            NotFoundError: there is no such alert within the limit. InputError: author or note are not acceptable.
            StoreError: nothing was stored.
        """
        wanted = AlertId(arguments.name_text("alert_id", alert_id))
        who = arguments.sentence("author", author, limit=arguments.MAX_AUTHOR_LENGTH)
        said = arguments.sentence("note", note, required=False)
        services = await self._services()
        alert = await services.alerts.get(wanted)
        found = None
        if alert is not None and self._scope.allows_alert(alert):
            now = self._clock.now()
            found = await services.alerts.acknowledge(wanted, author=who, note=said, at=now, channels=services.channels)
        if found is None:
            raise NotFoundError(f"there is no alert {arguments.quoted(wanted)}; list_alerts gives the ids")
        acknowledged, changed = found
        if changed:
            self._on_change()
        return Acknowledgement(alert=acknowledged, changed=changed)

    async def silence(self, request: SilenceRequest, *, author: str) -> SilenceView:
        """Keeps matching alerts from the channels for a while; they are recorded and pushed to MCP clients as ever.

        Raises:
            InputError: matchers, times, reason or author are not acceptable, or everything would be silenced.
            RefusedError: it names a project outside the limit, or there are too many silences.
            NotFoundError: the silence that it replaces does not exist. StoreError: nothing was stored.
        """
        now = self._clock.now()
        starts, ends = arguments.silence_times(
            now=now, duration=request.duration, until=request.until, starts_at=request.starts_at
        )
        silence = Silence(
            silence_id=SilenceId(f"si-{secrets.token_hex(6)}"),
            matchers=self._matchers(request),
            author=arguments.sentence("author", author, limit=arguments.MAX_AUTHOR_LENGTH),
            reason=arguments.sentence("reason", request.reason),
            starts_at=starts,
            ends_at=ends,
        )
        services = await self._services()
        replaced = None if request.replaces is None else await self._open(services, request.replaces)
        if replaced is None and await services.silences.count_open(now) >= MOST_SILENCES:
            raise RefusedError(f"there are {MOST_SILENCES} silences already; expire some, or match more with one")
        await services.silences.create(silence, at=now, replaces=None if replaced is None else replaced.silence_id)
        return await self._view(services, silence)

    async def list_silences(self, *, state: str | None = None, limit: int = 50) -> list[SilenceView]:
        """Silences that concern the projects within the limit: those that have not ended, or those in one state, or `all`.

        Raises:
            InputError: there is no such state.
        """
        wanted = _states(state)
        limit = arguments.whole_in_range("limit", limit, arguments.LIMIT)
        services = await self._services()
        now = self._clock.now()
        with_expired = SilenceState.EXPIRED in wanted
        stored = await services.silences.list(now=now, expired=with_expired)
        chosen = [silence for silence in stored if state_of(silence, now) in wanted and self._concerns(silence)]
        unresolved = await services.alerts.unresolved()
        # In a thread: in a storm these are hundreds of thousands of comparisons, and others want to be served.
        return await anyio.to_thread.run_sync(lambda: [self._seen(silence, unresolved) for silence in chosen[:limit]])

    async def expire_silence(self, silence_id: str, *, author: str) -> tuple[SilenceView, bool]:
        """Ends a silence now; the view of it, and whether this ended it. One that has ended stays as it was.

        Raises:
            NotFoundError: there is none, or it concerns no project within the limit. RefusedError: it reaches beyond.
        """
        who = arguments.sentence("author", author, limit=arguments.MAX_AUTHOR_LENGTH)
        services = await self._services()
        found = await self._reachable(services, silence_id)
        now = self._clock.now()
        if state_of(found, now) is SilenceState.EXPIRED:
            return await self._view(services, found), False
        ended = await services.silences.expire(found.silence_id, author=who, at=now)
        return await self._view(services, ended or found), True

    def _matchers(self, request: SilenceRequest) -> tuple[Matcher, ...]:
        matchers = read_matchers(request.matchers)
        for matcher in matchers:
            if matcher.field == "project" and matcher.operator == "=" and matcher.value:
                self._scope.project(matcher.value)
        if is_for_everything(matchers) and not request.everything:
            raise InputError(
                "these matchers match more or less every alert, and nobody would be told anything; narrow them, or say "
                "everything=true (--everything) if that is meant"
            )
        return confinement.confined(matchers, self._scope.projects)

    async def _open(self, services: StoredServices, silence_id: str) -> Silence:
        found = await self._reachable(services, silence_id)
        if state_of(found, self._clock.now()) is SilenceState.EXPIRED:
            raise InputError(f"silence {found.silence_id} has ended already; leave replaces out")
        return found

    async def _reachable(self, services: StoredServices, silence_id: str) -> Silence:
        wanted = SilenceId(arguments.name_text("silence_id", silence_id))
        found = await services.silences.get(wanted)
        if found is None or not self._concerns(found):
            raise NotFoundError(f"there is no silence {arguments.quoted(wanted)}; list_silences gives the ids")
        if not confinement.within(found, self._scope.projects):
            raise RefusedError(
                f"silence {wanted} also concerns projects that this server may not look at (monitored_projects); "
                "end it where it was made"
            )
        return found

    def _concerns(self, silence: Silence) -> bool:
        return confinement.touches(silence, self._scope.projects)

    async def _view(self, services: StoredServices, silence: Silence) -> SilenceView:
        return self._seen(silence, await services.alerts.unresolved())

    def _seen(self, silence: Silence, unresolved: Sequence[Alert]) -> SilenceView:
        matching = tuple(a for a in unresolved if self._scope.allows_alert(a) and matches(silence, a))
        return SilenceView(
            silence=confinement.as_seen_by(silence, self._scope.projects),
            state=state_of(silence, self._clock.now()),
            matching=matching,
        )


def _states(text: str | None) -> frozenset[Any]:
    if text is None:
        return frozenset({SilenceState.ACTIVE, SilenceState.PENDING})
    word = text.strip().lower()
    if word == "all":
        return frozenset(SilenceState)
    try:
        return frozenset({SilenceState(word)})
    except ValueError as error:
        raise InputError(f"state must be one of {', '.join(SilenceState)} or all") from error
