"""Which setting reaches which part, where nothing else would notice a mistake."""

from __future__ import annotations

from runai_monitor import wiring
from runai_monitor.notify.plan import Context
from runai_monitor.settings.channels import KINDS
from tests.fakes import EPOCH
from tests.notify.test_plan import Channel, make_alert
from tests.test_channel_settings import EXAMPLES, load


def test_programs_get_a_message_per_alert_and_people_a_digest() -> None:
    """PagerDuty and a webhook keep a record per alert; a person reads one message about forty."""
    settings = load(EXAMPLES)
    planner, planners = wiring.planners(settings)
    rows = Channel()
    for number in range(40):
        rows.put(make_alert(f"job-{number}", nodes=("gpu-7",)))
    messages = {
        channel.kind: len(planners.get(channel.name, planner)(rows.rows, Context(), now=EPOCH).messages)
        for channel in settings.channels
    }
    assert messages == {kind: 40 if kind in {"pagerduty", "webhook"} else 1 for kind in KINDS}
