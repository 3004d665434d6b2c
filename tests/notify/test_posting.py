"""What a service says about when to come back."""

from __future__ import annotations

import pytest

from runai_monitor.notify.posting import pause_seconds

NOW = "Sun, 01 Mar 2026 03:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "sent_at", "seconds"),
    [
        ("7", None, 7),
        ("999999", None, 3600),
        ("Sun, 01 Mar 2026 03:02:00 GMT", NOW, 120),
        ("Sun, 01 Mar 2026 02:00:00 GMT", NOW, 1),
        ("Sun, 01 Mar 2026 03:02:00 GMT", None, None),
        ("soon", NOW, None),
        ("-5", NOW, None),
        (None, NOW, None),
    ],
)
def test_a_pause_is_a_number_or_an_instant_of_the_server(
    value: str | None, sent_at: str | None, seconds: float | None
) -> None:
    """HTTP allows both, and our clock may differ from theirs."""
    assert pause_seconds(value, sent_at=sent_at) == seconds
