"""The surveys' archives: the sample from the survey that provides it, and what every survey gives, chunk by chunk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.answers.ledger import write_ledger
from lakehouse.answers.raw import RawStore
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.lineage import fingerprint
from lakehouse.run import Run
from schemas import TABLES, BadInput
from schemas.arrays import align
from schemas.errors import nearest
from schemas.inputs import ArchiveSource
from schemas.rejections import join_reports, reject
from tasks.archives.clients import open_clients
from tasks.lightcurves.batch import DTYPES, LightCurveBatch, offsets_of
from tasks.stages.acquire.addresses import addresses, catalogues_of, limits_of, name_of, times_of_asking
from tasks.stages.acquire.cost import say_cost
from tasks.stages.acquire.exchange import Exchange
from tasks.stages.archive import Archive, ObjectChunk
from tasks.surveys import SURVEYS, check_options, find_sample_provider, surveys_of
from tasks.surveys.bulk import BULK_FROM, is_bulk
from tasks.surveys.survey import Ask, SampleChunk, SampleReader, Survey, SurveyResult

SURVEYS_VERSION = 1  # raise it when answers are put together otherwise than before: lakes then take them in anew
SAMPLE = TABLES["core_sample__source"]
CHUNKS_AHEAD = 1  # chunks being downloaded while one is written


def survey_archive(run: Run, source: ArchiveSource, limit: int | None) -> Archive:
    """The sample of `source` in all its surveys. Nothing is asked before the first chunk is read."""
    surveys = [_configure(name, source) for name in surveys_of(source)]
    bands = tuple(band for survey in surveys for band in survey.dataset_bands)
    reader = _open_sample(source, limit)
    release, selections = reader.identity
    parts = [(survey.name, survey.version, _marked_options(survey)) for survey in surveys]
    chosen = (selections, sorted(source.sample.labels), limit)
    mark = fingerprint("surveys", SURVEYS_VERSION, name_of(source), release, chosen, parts)
    open_parts, since = ExitStack(), times_of_asking(source)
    notes: list[str] = []

    def object_chunks() -> Iterator[ObjectChunk]:
        say_cost(lambda: open_exchange(run, source, since), source, reader, surveys, limit, _count_held(run))
        ask = open_parts.enter_context(open_exchange(run, source, since))
        open_parts.callback(lambda: notes.extend(ask.notes))
        labelled = (_keep_labelled(sample, source.sample.labels) for sample in reader.chunks(ask))
        n_source = 0
        for sample, results in _fetch_chunks(ask, surveys, labelled, reader.neighbours):
            n_source += sample.sources.num_rows
            notes.extend(note for result in results for note in result.notes if note not in notes)
            yield _join_results(sample, results, surveys)
        if not n_source and reader.absence:
            raise BadInput(reader.absence)
        notes.extend(_advice(n_source, surveys))

    def close() -> tuple[TableRef, ...]:
        open_parts.close()
        return (write_ledger(Lake(run.lake), run.run_id),)

    chunks = object_chunks()
    return Archive(bands, mark, limit or 0, chunks, is_gaia=True, notes=notes, is_asked_again=bool(since), close=close)


def _count_held(run: Run) -> int:
    """Sources that the dataset has already."""
    lake = Lake(run.lake)
    return lake.count(SAMPLE, dataset=run.dataset) if lake.exists(SAMPLE) else 0


def _configure(name: str, source: ArchiveSource) -> Survey:
    """The survey called `name` with the options of the run; BadInput where there is no such survey or option."""
    if name not in SURVEYS:
        raise BadInput(f"There is no survey {name!r}; there are {', '.join(SURVEYS)}.{nearest(name, [*SURVEYS])}")
    survey, options = SURVEYS[name], source.options.get(name, {})
    if unknown := sorted(set(options) - set(survey.options)):
        hint = nearest(unknown[0], [*survey.options])
        raise BadInput(
            f"The survey {name} has no option {unknown[0]!r}; it has {', '.join(survey.options) or 'none'}.{hint}"
        )
    check_options({name: options})
    bulk = {"route": "bulk"} if source.bulk and "route" in survey.options else {}
    merged = {**survey.options, **options, **bulk}
    merged |= {option: uri for option, uri in catalogues_of(source, survey).items() if not merged[option]}
    if survey.only_with and not merged[survey.only_with]:
        option = f"source.options.{name}.{survey.only_with}"
        raise BadInput(f"No service has {name}: say where its catalogue is, with --set {option}=URI.")
    if "route" in merged and is_bulk(merged):
        _refuse_missing_catalogue(survey, merged)
    return replace(survey, options=merged)


def _marked_options(survey: Survey) -> list[tuple[str, Any]]:
    """The options that make two lakes differ, by name."""
    return sorted((name, value) for name, value in survey.options.items() if name not in survey.unmarked)


def _refuse_missing_catalogue(survey: Survey, options: Mapping[str, Any]) -> None:
    """BadInput where a catalogue that the bulk route needs has no address."""
    for option in (catalogue.option for catalogue in survey.catalogues if catalogue.is_required):
        if not options[option]:
            name = survey.name
            raise BadInput(
                f"The replica serves no HATS catalogues, so the bulk route of {name} has nothing to read: "
                f"say where one is with --set source.options.{name}.{option}=URI."
            )


def _open_sample(source: ArchiveSource, limit: int | None) -> SampleReader:
    """The sample that the settings describe, from the survey that provides it."""
    provider = _configure(find_sample_provider().name, source)
    assert provider.open_sample
    return provider.open_sample(source.sample, provider.options, limit)


def _advice(n_source: int, surveys: Sequence[Survey]) -> list[str]:
    """One sentence where so many sources went through services that have bulk files instead."""
    slow = [survey.name for survey in surveys if "route" in survey.options and not is_bulk(survey.options)]
    if n_source <= BULK_FROM or not slow:
        return []
    return [
        f"{n_source:,} sources were asked of the services of {', '.join(slow)}: beyond {BULK_FROM:,} of a dense sample "
        "bulk files are faster, which --set source.bulk=true takes instead (docs/archives.md says from where)."
    ]


def _keep_labelled(sample: SampleChunk, labels: Sequence[str]) -> SampleChunk:
    """The sources that carry one of these class labels; all where none is named."""
    if not labels:
        return sample
    classes = sample.class_labels
    kept = classes.filter(pc.is_in(classes["class"], value_set=pa.array(labels)))["source_id"].combine_chunks()
    tables = {name: getattr(sample, name) for name in ("sources", "class_labels", "parameter_labels")}
    return replace(sample, **{name: t.filter(pc.is_in(t["source_id"], value_set=kept)) for name, t in tables.items()})


@contextmanager
def open_exchange(run: Run, source: ArchiveSource, since: Mapping[str, float]) -> Iterator[Exchange]:
    """The exchange with the archives that the settings name."""
    lake, limits = Path(run.lake), limits_of(source)
    with addresses(source, lake) as endpoints:
        clients = {} if source.offline else open_clients(endpoints, limits)
        asked = endpoints.name, run.run_id, source.offline, endpoints.addresses, since
        with Exchange(RawStore(lake), clients, limits, None, *asked) as exchange:
            yield exchange


def _fetch_chunks(
    ask: Ask, surveys: Sequence[Survey], samples: Iterable[SampleChunk], neighbours: Callable[[Ask, pa.Table], pa.Table]
) -> Iterator[tuple[SampleChunk, list[SurveyResult]]]:
    """Each chunk with the result of every survey; the surveys are asked side by side, and one chunk ahead."""
    waiting: deque[tuple[SampleChunk, list[Future[SurveyResult]]]] = deque()
    pool = ThreadPoolExecutor((CHUNKS_AHEAD + 1) * len(surveys), thread_name_prefix="survey")
    try:
        for sample in samples:
            if not sample.sources.num_rows:  # nothing but rejected ids
                yield sample, [SurveyResult() for _ in surveys]
                continue
            near = neighbours(ask, sample.sources)
            waiting.append((sample, [pool.submit(s.fetch, ask, sample.sources, near, s.options) for s in surveys]))
            if len(waiting) > CHUNKS_AHEAD:
                ready, results = waiting.popleft()
                yield ready, [result.result() for result in results]
        while waiting:
            ready, results = waiting.popleft()
            yield ready, [result.result() for result in results]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _join_results(sample: SampleChunk, results: Sequence[SurveyResult], surveys: Sequence[Survey]) -> ObjectChunk:
    """Everything about the sources of a chunk, by source."""
    sources = sample.sources
    source_id = sources["source_id"].to_numpy()
    epochs, objid = _epochs(source_id, results, surveys)
    placed = sources.select(["source_id", "ra", "dec"])
    named = placed.add_column(1, "object_id", sources["source_id"].cast(pa.string()))
    of_sources = find_sample_provider().tables[0]
    beside = {
        of_sources.name: sources.select([each for each in sources.column_names if each in of_sources.columns_by_name]),
        "label_sample__class": pa.concat_tables([sample.class_labels, *(h.class_labels for h in results)]),
        "label_sample__parameter": pa.concat_tables([sample.parameter_labels, *(h.parameter_labels for h in results)]),
        "assn_sample__match": pa.concat_tables([h.matches for h in results]),
    }
    for result in results:
        beside |= result.tables
    refused = join_reports(sample.rejected, *(h.rejected for h in results))
    return _drop_unseen(ObjectChunk(named, epochs, beside, refused, objid))


def _drop_unseen(chunk: ObjectChunk) -> ObjectChunk:
    """Without the sources that no survey has an epoch of: those are in the quarantine alone, with the reason."""
    has_epoch = chunk.epochs.n_epoch > 0
    if has_epoch.all():
        return chunk
    unseen = chunk.epochs.source_id[~has_epoch]
    beside = {
        name: rows.filter(pc.invert(pc.is_in(rows["source_id"], value_set=pa.array(unseen))))
        for name, rows in chunk.beside.items()
    }
    report = reject("core_sample__source", unseen, "n_epoch", "no_epoch")
    return replace(
        chunk,
        sources=chunk.sources.filter(pa.array(has_epoch)),
        epochs=chunk.epochs.select(has_epoch),  # loses no epoch, so `objid` stays as it is
        beside=beside,
        rejected=join_reports(chunk.rejected, report),
    )


def _epochs(
    source_id: NDArray[np.int64], results: Sequence[SurveyResult], surveys: Sequence[Survey]
) -> tuple[LightCurveBatch, NDArray[np.int64]]:
    """All epochs of each source (S,), by time, and the object of its survey that each epoch (N,) belongs to."""
    bands = tuple(band.name for survey in surveys for band in survey.bands)
    parts = [(h.curves, bands.index(s.bands[0].name)) for h, s in zip(results, surveys, strict=True) if h.curves]
    batches = [curves.batch for curves, _ in parts]
    flat = {
        name: np.concatenate([np.empty(0, kind), *(getattr(batch, name) for batch in batches)]).astype(kind)
        for name, kind in DTYPES.items()
    }
    first = np.repeat([start for _, start in parts], [batch.time.size for batch in batches])
    row = np.concatenate([np.empty(0, np.int64), *(align(b.source_id, source_id)[b.row] for b in batches)])
    objid = np.concatenate([np.empty(0, np.int64), *(curves.objid[curves.batch.row] for curves, _ in parts)])
    flat["band"] = (flat["band"] + first).astype(np.int8)
    order = np.lexsort((flat["time"], row))
    counts = np.bincount(row.astype(np.int64), minlength=source_id.size)
    ordered = {name: value[order] for name, value in flat.items()}
    return LightCurveBatch(source_id, offsets_of(counts), bands=bands, **ordered), objid[order]
