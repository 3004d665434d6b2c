"""The hard limit: which projects this server may see at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runai_monitor.errors import NotFoundError, RefusedError
from runai_monitor.model.alert import Alert
from runai_monitor.operations.arguments import name_text, nearest, quoted


@dataclass(frozen=True, slots=True)
class Scope:
    """The allowed projects; None means every project. What is outside is refused in words that do not tell existence."""

    projects: tuple[str, ...] | None

    def allows(self, project: str) -> bool:
        """Whether this project may be seen."""
        return self.projects is None or project in self.projects

    def allows_alert(self, alert: Alert) -> bool:
        """Whether this alert may be seen: its project is allowed, or it is about none."""
        return not alert.subject.project or self.allows(alert.subject.project)

    def project(self, given: str | None) -> str | None:
        """The project an argument names; None for all of the allowed ones (no value, or `*`).

        Raises:
            RefusedError: it is outside the limit; the text is the same whether or not it exists.
            InputError: it is no name at all.
        """
        if given is None or given.strip() == "*":
            return None
        name = name_text("project", given)
        if not self.allows(name):
            raise RefusedError(self._refusal(name))
        return name

    def require_known(self, project: str, existing: Sequence[str]) -> None:
        """Checks an allowed project against those that exist.

        Raises:
            NotFoundError: it does not exist; the nearest of the allowed ones that do are named.
        """
        if project in existing:
            return
        seen = [name for name in existing if self.allows(name)]
        close = nearest(project, seen) or sorted(seen)[:5]
        hint = f"; the nearest are {_names(close)}" if close else "; Run:ai shows no project to this account"
        raise NotFoundError(f"there is no project {quoted(project)}{hint}")

    def targets(self, project: str | None) -> tuple[str | None, ...]:
        """The values to ask Run:ai with: one project, each allowed one, or None for no filter."""
        if project is not None:
            return (project,)
        return (None,) if self.projects is None else self.projects

    def _refusal(self, name: str) -> str:
        assert self.projects is not None
        shown = nearest(name, self.projects) or list(self.projects[:10])
        return (
            f"project {quoted(name)} is not among those this server may look at (monitored_projects); "
            f"try {_names(shown)}"
        )


def _names(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)
