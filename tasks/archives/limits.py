"""How each service wants to be asked: how many at a time, how often, how much, and how long to wait."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ServiceLimits:
    """Limits of one service.

    `parallel` requests at a time and `per_second` of them begun, over all programs of this machine; `chunk` items a
    request; `timeout_s` for each reply, `job_s` for a whole asynchronous job, asked after every `poll_s` (first and
    longest pause); `attempts` in all, with pauses of `backoff_s` (first and longest, doubling); a request over which
    the server broke down or ran out of time `halve_after` times is halved; `row_cap` rows mean that it was cut off.
    """

    parallel: int
    chunk: int
    timeout_s: float
    per_second: float | None = None
    job_s: float = 7200.0
    poll_s: tuple[float, float] = (2.0, 30.0)
    attempts: int = 5
    backoff_s: tuple[float, float] = (30.0, 900.0)
    halve_after: int = 3
    row_cap: int | None = None


# Sources: documentation and threads named in docs/archives.md, read November 2026; untested against the live services.
LIVE: dict[str, ServiceLimits] = {
    "gaia_tap": ServiceLimits(2, 2000, 120.0, row_cap=3_000_000, job_s=5400.0),
    "gaia_datalink": ServiceLimits(2, 1000, 600.0, per_second=1.0),
    "mast_ps1": ServiceLimits(4, 500, 120.0, job_s=1200.0, poll_s=(2.0, 10.0), row_cap=100_000),
    "mast_tic": ServiceLimits(4, 500, 120.0, job_s=1200.0, poll_s=(2.0, 10.0), row_cap=100_000),
    "mast_portal": ServiceLimits(2, 500, 300.0, per_second=2.0),
    "irsa_tap": ServiceLimits(2, 5000, 900.0, job_s=3600.0, poll_s=(2.0, 5.0)),
    "irsa_lightcurves": ServiceLimits(3, 50, 150.0, per_second=2.0, attempts=4),
    "cds_xmatch": ServiceLimits(1, 20_000, 300.0, attempts=3),
    "gaia_cdn": ServiceLimits(4, 1, 300.0),
    "hats": ServiceLimits(8, 500, 300.0),
    "truth": ServiceLimits(2, 20_000, 60.0),
}
# The replica on this machine: the same chunks, no need to wait.
FAST: dict[str, ServiceLimits] = {
    name: replace(limits, per_second=None, timeout_s=20.0, job_s=120.0, poll_s=(0.01, 0.5), backoff_s=(0.05, 0.5))
    for name, limits in LIVE.items()
}
PROFILES = {"live": LIVE, "fast": FAST}


def table(limits: dict[str, ServiceLimits]) -> str:
    """The limits as a Markdown table, for the docs."""
    head = "| service | at a time | a second | items | s a reply | s a job | attempts | pauses, s | rows at most |"
    lines = [head, "|" + "---|" * 9]
    for name, m in limits.items():
        rate = f"{m.per_second:g}" if m.per_second else "-"
        cap = f"{m.row_cap:,}" if m.row_cap else "-"
        lines.append(f"| {name} | {m.parallel} | {rate} | {m.chunk:,} | {m.timeout_s:g} | {m.job_s:g} | {m.attempts} "
                     f"| {m.backoff_s[0]:g} to {m.backoff_s[1]:g} | {cap} |")  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(LIVE))
