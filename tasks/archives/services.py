"""The services: one row each, with its addresses, its limits and its client. A new service is one row.

Addresses: astroquery 0.4.11 and the archives' own pages, November 2026; none was reached from the tests. Limits:
documentation and threads named in docs/archives.md, read November 2026; untested against the live services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from tasks.archives.limits import Pace, ServiceLimits
from tasks.archives.question import Client


@dataclass(frozen=True)
class Service:
    """One service of an archive.

    `live` is its address at the archive, None where no real archive has it; `path` its address at a replica, below the
    replica's own; `client` names a class of this package, "module.Class", which is made with the service's name,
    address and limits. Services with the same `group` share its limit of requests at a time. A service with
    `is_addressed` False has no address: each question names what is read. `is_tap`: its questions are ADQL, so it can
    count the rows that an answer should have. `ends_lines`: its CSV ends with a newline, so what lacks one was cut off.
    `pace`: how long it takes, None where nobody has measured it and no run asks much of it.
    """

    name: str
    live: str | None
    path: str | None
    limits: ServiceLimits
    client: str
    group: str = ""
    is_addressed: bool = True
    is_tap: bool = False
    ends_lines: bool = False
    pace: Pace | None = None

    def open_client(self, url: str, limits: ServiceLimits) -> Client:
        """The client at `url`; its libraries are imported now, which takes up to a second."""
        module, _, name = self.client.partition(".")
        client: Client = getattr(import_module(f"tasks.archives.{module}"), name)(self.name, url, limits)
        return client


_MAST_TAP = ServiceLimits(4, 500, 120.0, job_s=1200.0, poll_s=(2.0, 10.0), row_cap=100_000)
_TEN_SECONDS = Pace(10.0, 0.0, 0.0, "assumed")
SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "gaia_tap",
            "https://gea.esac.esa.int/tap-server/tap",
            "tap-server/tap",
            ServiceLimits(2, 2000, 120.0, row_cap=3_000_000, job_s=5400.0, queue_s=1800.0),
            "gaia_tap.GaiaTap",
            is_tap=True,
            ends_lines=True,
            pace=_TEN_SECONDS,
        ),
        Service(
            "gaia_datalink",
            "https://gea.esac.esa.int/data-server",
            "data-server",
            # Measured in August 2026: 2.4 s, 0.2 s a source and 0.14 s a KiB; four times that on a bad day.
            ServiceLimits(2, 200, 1200.0, per_second=1.0),
            "gaia_datalink.GaiaDatalink",
            pace=Pace(
                2.4, 0.215, 0.142, "measured: epoch photometry of DR3 on 2026-08-23; a quarter of that on a bad day"
            ),
        ),
        # MAST speaks of about five TAP queries in all, whichever catalogue they ask: the two count together.
        Service(
            "mast_ps1",
            "https://mast.stsci.edu/vo-tap/api/v0.1/ps1dr2/",
            "mast/vo-tap/api/v0.1/ps1dr2/",
            _MAST_TAP,
            "vo_tap.VoTap",
            group="mast_tap",
            is_tap=True,
            ends_lines=True,
            pace=Pace(
                0.0, 30 / 2000 * 5, 0.0, "measured: MAST notebook, 2,000 rows/s by five jobs; assumed: 30 rows a star"
            ),
        ),
        Service(
            "mast_tic",
            "https://mast.stsci.edu/vo-tap/api/v0.1/tic/",
            "mast/vo-tap/api/v0.1/tic/",
            _MAST_TAP,
            "vo_tap.VoTap",
            group="mast_tap",
            is_tap=True,
            ends_lines=True,
            pace=_TEN_SECONDS,
        ),
        Service(
            "mast_portal",
            "https://mast.stsci.edu",
            "mast",
            ServiceLimits(2, 500, 300.0, per_second=2.0),
            "portal.MastPortal",
            pace=_TEN_SECONDS,
        ),
        Service(
            "irsa_tap",
            "https://irsa.ipac.caltech.edu/TAP",
            "irsa/TAP",
            ServiceLimits(2, 5000, 900.0, job_s=3600.0, poll_s=(2.0, 5.0)),
            "vo_tap.VoTap",
            is_tap=True,
            ends_lines=True,
            pace=Pace(0.0, 1 / 190, 0.0, "measured: fornax log of 2024-03-01, 190 positions/s"),
        ),
        Service(
            "irsa_lightcurves",
            "https://irsa.ipac.caltech.edu/cgi-bin/ZTF/nph_light_curves",
            "irsa/cgi-bin/ZTF/nph_light_curves",
            ServiceLimits(3, 50, 150.0, per_second=2.0, attempts=4),
            "ztf.ZtfLightCurves",
            ends_lines=True,
            pace=Pace(1.5, 0.0, 0.0, "measured: reports of about 2 requests/s with three threads"),
        ),
        Service(
            "cds_xmatch",
            "https://cdsxmatch.cds.unistra.fr/xmatch/api/v1/sync",
            "xmatch/api/v1/sync",
            ServiceLimits(1, 20_000, 300.0, attempts=3),
            "xmatch.CdsXmatch",
            pace=Pace(10.0, 50 / 20_000, 0.0, "assumed: a minute for 20,000 rows"),
        ),
        Service(
            "gaia_cdn",
            "https://cdn.gea.esac.esa.int/Gaia/gdr3/Photometry/epoch_photometry/",
            "cdn/Gaia/gdr3/Photometry/epoch_photometry/",
            ServiceLimits(4, 1, 300.0),
            "plain.Files",
        ),
        Service("hats", None, None, ServiceLimits(8, 500, 300.0), "hats.Hats", is_addressed=False),
        # Where a replica tells the truth of its sky.
        Service("truth", None, "truth", ServiceLimits(2, 20_000, 60.0), "plain.Form", ends_lines=True),
    )
}
# Limits by service: of the archives, and of a replica on this machine.
PROFILES: dict[str, dict[str, ServiceLimits]] = {
    "live": {name: service.limits for name, service in SERVICES.items()},
    "fast": {name: service.limits.without_waiting() for name, service in SERVICES.items()},
}


def limits_table(limits: Mapping[str, ServiceLimits]) -> str:
    """The limits as a Markdown table, for the docs."""
    head = "| service | at a time | a second | items | s a reply | s a job | attempts | pauses, s | rows at most |"
    lines = [head, "|" + "---|" * 9]
    for name, m in limits.items():
        rate = f"{m.per_second:g}" if m.per_second else "-"
        cap = f"{m.row_cap:,}" if m.row_cap else "-"
        pauses = f"{m.backoff_s[0]:g} to {m.backoff_s[1]:g}"
        columns = (name, m.parallel, rate, f"{m.chunk:,}", f"{m.timeout_s:g}", f"{m.job_s:g}", m.attempts, pauses, cap)
        lines.append(f"| {' | '.join(map(str, columns))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(limits_table(PROFILES["live"]))
