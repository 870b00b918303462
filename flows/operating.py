"""The commands of who operates runs: `up` and `doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.command import LAKE, LakeOption, one_sentence, screen

operating = typer.Typer()


@operating.command()
@one_sentence
def up(
    lake: LakeOption = LAKE,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port of Prefect's server on 127.0.0.1.")
    ] = 4200,
    n_runs: Annotated[int, typer.Option("--runs", min=1, help="How many runs may work at once.")] = 1,
    gpu: Annotated[bool, typer.Option("--gpu/--no-gpu", help="Whether runs of the pool gpu are taken, too.")] = True,
    notify: Annotated[
        str | None,
        typer.Option("--notify", envvar="ARGELANDER_NOTIFY", help="URL that is posted to when a run failed."),
    ] = None,
) -> None:
    """Start Prefect's server, pools, automations, the deployments of prefect.yaml and workers; stop with Ctrl-C."""
    from flows.up import serve_all

    serve_all(lake, port, n_runs, gpu, notify)


@operating.command()
@one_sentence
def doctor(lake: LakeOption = LAKE) -> None:
    """Check what runs need: versions, server, disk, clock, limits, credentials; exit code 2 where one is wrong."""
    from flows.doctor import examine

    console, findings = screen(), examine(lake)
    for each in findings:
        console.print(f"{each.verdict:<6}{each.what:<14}{each.words}", markup=False, soft_wrap=True)
    if any(each.is_wrong for each in findings):
        raise typer.Exit(2)
