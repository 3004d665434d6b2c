"""From the job a person names to the one workload that is meant, or an error that says what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

import anyio

from runai_monitor.errors import InputError, NotFoundError, RunaiError, RunaiNotFoundError
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.operations.arguments import name_text, nearest, quoted
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.sources import Runai

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SUGGESTION_SECONDS = 5
_SUGGESTION_PAGE = 500
_SUGGESTION_PROJECTS = 4


@dataclass(frozen=True, slots=True)
class JobFinder:
    """Finds one workload by exact name (or by its UUID), within the scope only."""

    runai: Runai
    scope: Scope

    async def find(self, job_name: str, project: str | None) -> Workload:
        """The workload meant.

        Raises:
            NotFoundError: there is none; the nearest names are given.
            InputError: several projects have one, or one project has several; the text says how to choose.
            RunaiError: Run:ai could not answer.
        """
        name = name_text("job_name", job_name)
        only = self.scope.project(project)
        if _UUID.fullmatch(name):
            by_id = await self._by_id(name, only)
            if by_id is not None:
                return by_id
        found = [w for w in await self.runai.find_workloads(name, project=only) if self._visible(w, only)]
        return _choose(found, name) or await self._raise_unknown(name, only)

    def _visible(self, workload: Workload, project: str | None) -> bool:
        return self.scope.allows(workload.project) and project in {None, workload.project}

    async def _by_id(self, workload_id: str, project: str | None) -> Workload | None:
        try:
            workload = (await self.runai.get_workload(WorkloadId(workload_id.lower()))).workload
        except RunaiNotFoundError:
            return None
        return workload if self._visible(workload, project) else None

    async def _raise_unknown(self, name: str, project: str | None) -> Workload:
        where = f" in project {quoted(project)}" if project else " in the projects this server may look at"
        close = nearest(name, await self._names(name, project))
        hint = (
            f"; the nearest are {', '.join(quoted(match) for match in close)}"
            if close
            else "; list_workloads shows what there is"
        )
        raise NotFoundError(f"there is no job {quoted(name)}{where}{hint}")

    async def _names(self, name: str, project: str | None) -> set[str]:
        """Names to suggest from: a bounded look, never an error of its own."""
        names: set[str] = set()
        with anyio.move_on_after(_SUGGESTION_SECONDS):
            try:
                for target in self.scope.targets(project)[:_SUGGESTION_PROJECTS]:
                    for search in (name[:4], None):
                        page = await self.runai.page_workloads(project=target, search=search, limit=_SUGGESTION_PAGE)
                        names |= {w.name for w in page if self._visible(w, project)}
            except RunaiError:
                return names
        return names


def _choose(found: list[Workload], name: str) -> Workload | None:
    """The one meant among workloads of the same name: those still there come before deleted ones."""
    candidates = [w for w in found if w.deleted_at is None] or found
    if len({w.id for w in candidates}) <= 1:
        return candidates[0] if candidates else None
    projects = sorted({w.project for w in candidates})
    if len(projects) > 1:
        raise InputError(
            f"there are jobs named {quoted(name)} in several projects ({', '.join(projects[:10])}); "
            "say which with the argument project"
        )
    if all(w.deleted_at is not None for w in candidates):
        return max(candidates, key=lambda w: (w.deleted_at is not None, w.deleted_at))
    choices = ", ".join(f"{w.type} {w.id}" for w in candidates[:5])
    raise InputError(
        f"project {quoted(projects[0])} has several jobs named {quoted(name)} ({choices}); "
        "give the UUID of the one you mean as job_name"
    )
