"""What Prefect's server does by itself for us: pools of work, and automations that mark dead runs and notify."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from prefect.automations import Automation, AutomationCore
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.events.actions import CallWebhook, ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.exceptions import ObjectAlreadyExists

SILENT_S = 75  # a run whose heart beats every 30 s is dead when it was silent for two beats and a half
HEARTBEAT = "prefect.flow-run.heartbeat"
ENDED = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling")}
FAILED = {"prefect.flow-run.Failed", "prefect.flow-run.Crashed"}
NOTICE = """{"text": {{ (flow.name ~ " / " ~ flow_run.name ~ ": " ~ flow_run.state.name ~ ". "
    ~ flow_run.state.message) | tojson }}}"""

DEAD_RUNS = Automation(
    name="argelander: mark dead runs",
    description="A run that falls silent is marked as crashed, which frees its place in the queue.",
    trigger=EventTrigger(
        after={HEARTBEAT},
        expect={HEARTBEAT, *ENDED},
        match={"prefect.resource.id": ["prefect.flow-run.*"]},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=SILENT_S),
    ),
    actions=[
        ChangeFlowRunState(
            state=StateType.CRASHED,
            name="Crashed",
            message=f"The run was silent for {SILENT_S} s: its process or machine is gone. The next one goes on.",
        )
    ],
)


def set_up_pools(names: Sequence[str]) -> None:
    """Pools of processes of these names, where there are none."""
    with get_client(sync_client=True) as client:
        for name in names:
            try:
                client.create_work_pool(WorkPoolCreate(name=name, type="process"))
            except ObjectAlreadyExists:
                continue


def notify_of_failures(url: str) -> Automation:
    """The automation that posts a line of JSON to `url` when a run has failed or is dead; the server keeps `url` as a
    secret.
    """
    block = Webhook(url=url).save("argelander", overwrite=True)
    return Automation(
        name="argelander: notify of failures",
        description="A run that failed, or is dead, is told to the webhook argelander.",
        trigger=EventTrigger(
            expect=FAILED,
            match={"prefect.resource.id": ["prefect.flow-run.*"]},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[CallWebhook(block_document_id=block, payload=NOTICE)],
    )


def set_up_automations(notify: str | None = None) -> None:
    """Our automations as this version declares them, in place of those of another version; that which posts to the
    address `notify` stays as it is where none is given.
    """
    wanted = [DEAD_RUNS, *([notify_of_failures(notify)] if notify else [])]
    with get_client(sync_client=True) as client:
        for automation in wanted:
            for held in client.read_automations_by_name(automation.name):
                client.delete_automation(held.id)
            client.create_automation(AutomationCore(**automation.model_dump(exclude={"id"})))
