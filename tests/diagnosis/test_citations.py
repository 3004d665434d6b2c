"""Every fact says where it is written: whoever doubts a verdict at three in the morning can look it up."""

from __future__ import annotations

import re

import pytest

from runai_monitor.diagnosis.rules import citations, node, process, quota, scheduling, starting, storage
from runai_monitor.diagnosis.rules.log_signs import SIGNS as LOG_SIGNS
from runai_monitor.diagnosis.rules.particulars import MORE
from runai_monitor.diagnosis.rules.sign import Sign
from runai_monitor.diagnosis.xid import CATALOGUE
from tests.corpus.case import QUIET
from tests.corpus.catalogue import CAUSES

_NAMED = re.compile(r"https://[\w./#~%-]+(?:: .+)?|NVIDIA (?:Run:ai documentation|Fabric Manager User Guide), .+")
_TABLES = {
    "starting": starting.SIGNS,
    "quota": quota.SIGNS,
    "storage": storage.SIGNS,
    "node": node.SIGNS,
}


@pytest.mark.parametrize("cause", sorted(CAUSES - set(QUIET)))
def test_every_cause_names_its_sources(cause: str) -> None:
    """A cause that rests on nobody's documentation is an opinion."""
    assert citations.OF_CAUSE[cause]
    for source in citations.OF_CAUSE[cause]:
        assert _NAMED.fullmatch(source), source


@pytest.mark.parametrize("table", _TABLES)
def test_every_message_names_its_source(table: str) -> None:
    """The words of kubelet and schedulers change with their versions: each entry says whose they are."""
    signs: tuple[Sign, ...] = _TABLES[table]
    assert signs
    assert [sign.title for sign in signs if not _NAMED.fullmatch(sign.source)] == []


def test_obstructions_exit_codes_and_xids_name_their_sources() -> None:
    """The other tables of facts."""
    assert [name for name, entry in scheduling.OBSTRUCTIONS.items() if not _NAMED.fullmatch(entry.source)] == []
    assert [code for code, (*_, source) in process.EXITS.items() if not _NAMED.fullmatch(source)] == []
    assert [code for code, entry in CATALOGUE.items() if f"XID {code}" not in entry.source] == []
    assert all(_NAMED.fullmatch(entry.source) for entry in CATALOGUE.values())


def test_what_logs_say_and_what_is_advised_rest_on_the_sources_of_their_cause() -> None:
    """Programs' words have no page of their own; their cause has one, and an unknown cause has none."""
    assert {sign.cause for sign in LOG_SIGNS} <= citations.OF_CAUSE.keys()
    assert MORE.keys() <= citations.OF_CAUSE.keys()
    assert citations.OF_CAUSE.keys() == CAUSES - set(QUIET)
