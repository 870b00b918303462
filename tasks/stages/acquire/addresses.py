"""Which archives a run asks: the real ones, a replica that runs already, or one started for the run.

This is the one place that tells them apart; everything after it sees addresses and limits alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from schemas import BadInput
from schemas.errors import nearest
from schemas.inputs import ArchiveSource, ReplicaSky
from tasks.archives.endpoints import LIVE, Endpoints, replica
from tasks.archives.limits import ServiceLimits
from tasks.archives.services import PROFILES, SERVICES
from tasks.replica.holdings import HOLDINGS_VERSION
from tasks.replica.serve import running, sky_at
from tasks.surveys.survey import Survey

REPLICA_FOLDER = "replica"
DAY_S = 86_400.0
_AGE = re.compile(r"(\d+(?:\.\d+)?)d")


def archives_at(base_url: str | None) -> ArchiveSource:
    """The replica that runs at `base_url`, whatever its sky; the real archives where there is no address."""
    if not base_url:
        return ArchiveSource(endpoint="live")
    sky = sky_at(base_url)
    return ArchiveSource(base_url=base_url, replica=ReplicaSky(n_objects=sky["n"], seed=sky["seed"]))


def name_of(source: ArchiveSource) -> str:
    """Name of the archives asked, part of every request's hash: the same for the same sky on any port."""
    sky = source.replica
    if source.endpoint == "live":
        return LIVE.name
    return f"replica-{sky.n_objects}-{sky.seed}-v{HOLDINGS_VERSION}"


def limits_of(source: ArchiveSource) -> dict[str, ServiceLimits]:
    """Limits for each service: the profile of the archives asked, unless the settings name another."""
    return PROFILES[source.profile or ("live" if source.endpoint == "live" else "fast")]


def is_at_live_pace(source: ArchiveSource) -> bool:
    """Whether something is asked with the limits and pauses of the archives."""
    return not source.offline and limits_of(source) is PROFILES["live"]


def catalogues_of(source: ArchiveSource, survey: Survey) -> Mapping[str, str]:
    """Addresses of the survey's catalogues in files, by option; a replica serves none."""
    return {each.option: each.live_address for each in survey.catalogues} if source.endpoint == "live" else {}


def times_of_asking(source: ArchiveSource) -> dict[str, float]:
    """From when on (Unix time) the stored answers of a service count, for those that are to be asked again.

    Answers from before now, or older than the age that is named beside the services; of all services where an age
    alone is named. BadInput for what is neither a service nor an age, and where nothing is asked.
    """
    ages = [float(found[1]) for word in source.ask_again if (found := _AGE.fullmatch(word))]
    services = [word for word in source.ask_again if not _AGE.fullmatch(word)]
    if unknown := sorted(set(services) - set(SERVICES)):
        hint = nearest(unknown[0], list(SERVICES))
        raise BadInput(
            f"ask_again: {unknown[0]!r} is no service and no age (30d); services are {', '.join(SERVICES)}.{hint}"
        )
    if source.ask_again and source.offline:
        raise BadInput("--ask-again asks and --offline does not: leave one of them out.")
    since = time.time() - DAY_S * max(ages, default=0.0)
    return dict.fromkeys(services or (SERVICES if ages else ()), since)


@contextmanager
def addresses(source: ArchiveSource, lake: Path) -> Iterator[Endpoints]:
    """Addresses of the archives, for as long as the block lasts; nothing is started where none is needed."""
    if source.endpoint == "live":
        if source.base_url:
            raise BadInput("source.base_url names a replica and --live the real archives: leave one of them out.")
        yield LIVE
    elif source.offline:
        yield replica(source.base_url or "http://offline.invalid", name_of(source))
    elif source.base_url:
        _refuse_another_sky(source, source.base_url)
        yield replica(source.base_url, name_of(source))
    else:
        with running(source.replica.n_objects, source.replica.seed, lake / REPLICA_FOLDER) as base:
            yield replica(base, name_of(source))


def _refuse_another_sky(source: ArchiveSource, base_url: str) -> None:
    """Answers are kept by the name of the sky that gave them: a replica of another would mix two skies in one lake."""
    served = sky_at(base_url)
    if served["name"] != name_of(source):
        raise BadInput(
            f"the replica at {base_url} serves {served['name']}, but the settings ask {name_of(source)}: set "
            f"source.replica.n_objects={served['n']} and source.replica.seed={served['seed']}, or start it with theirs."
        )
