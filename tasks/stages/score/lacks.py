"""What a folder lacks of what models read: light curves, times, errors, bands, values of catalogues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from lakehouse.bands import Bands
from schemas import Column
from schemas.inputs import FolderSource, Source
from tasks.features import FEATURES, INPUTS, Feature, FeatureConfig, declared_columns, inputs_of
from tasks.features.colours import DECLARED, DECLARED_BESIDE
from tasks.features.feature import bands_of, expand
from tasks.folder.local import Objects
from tasks.learning.recipe import Recipe
from tasks.learning.spec import Offer
from tasks.surveys import SURVEYS, surveys_of


@dataclass(frozen=True)
class Lack:
    """Something that a folder does not give, in a few words, and what to do about it."""

    what: str
    advice: str = "score a folder that has them"


CURVES, TIMES, PHASES, MEANS = map(
    Lack, ("light curves", "times of the epochs", "phases in place of times", "mean photometry")
)
ERRORS = Lack("errors of the magnitudes", "name the column that holds them as mag_err in its dataset.toml")
BAND = "declare it under [[bands]] in its dataset.toml if it was observed"
PERIOD = "period_day"  # the column that light curves are folded with
INPUT = 'name columns that have them under [inputs] in its dataset.toml, as in parallax = "my_column"'


@dataclass(frozen=True)
class SourceContent:
    """What a folder, or the archives that are asked, give: names of bands, and of catalogue values of any object.

    A band counts where it is declared: an object that was not seen in it is scored as such objects were in training.
    """

    bands: frozenset[str]
    inputs: frozenset[str]
    has_curves: bool
    has_time: bool
    has_errors: bool
    source: str = "folder does"  # as a sentence names it

    @classmethod
    def declared(cls, source: Source) -> SourceContent:
        """What archives give by their declarations, or a folder by its dataset.toml."""
        if isinstance(source, FolderSource):
            spec = source.spec
            bands, inputs = frozenset(spec.band_names), frozenset(spec.inputs)
            return cls(bands, inputs, spec.has_light_curves, source.has_time, source.has_errors)
        bands = frozenset(band.name for name in surveys_of(source) for band in SURVEYS[name].bands)
        return cls(bands, frozenset(INPUTS), True, source.has_time, source.has_errors, "archives do")

    @classmethod
    def of(cls, source: FolderSource, objects: Objects, bands: Iterable[str]) -> SourceContent:
        """What the folder of `source` gives, whose objects have been read; `bands` by their names in the lake."""
        values = objects.inputs
        filled = frozenset(name for name in source.spec.inputs if values[name].null_count < values.num_rows)
        return cls(frozenset(bands), filled, source.spec.has_light_curves, source.has_time, source.has_errors)


@dataclass(frozen=True)
class Lacks:
    """What a folder lacks to fill each column of features that a dataset can have, () where nothing; and as a whole."""

    content: SourceContent
    observed: Bands
    columns: dict[str, tuple[Lack, ...]]

    @classmethod
    def of(cls, content: SourceContent, observed: Bands, config: FeatureConfig) -> Lacks:
        """Those of a folder, for a dataset of the bands `observed` whose features are computed by `config`."""
        anything = declared_columns(observed.names, config.surveys)
        if content.has_curves:
            return cls(content, observed, dict.fromkeys(anything, (MEANS,)) | _of_curves(content, observed, config))
        return cls(content, observed, dict.fromkeys(anything, (CURVES,)) | _of_means(content, observed, config))

    def list_for(self, recipe: Recipe) -> tuple[Lack, ...]:
        """What the folder lacks of what a trained model reads, each once; of light curves it reads every band."""
        declared = declared_columns(self.observed.names, tuple(dict.fromkeys(self.observed.surveys)))
        found = [lack for name in recipe.columns for lack in self.columns.get(name, ())]
        read = {name: declared.get(name) for name in recipe.columns}
        whole = recipe.lacks(Offer(read, self.content.has_curves, self.content.has_time))
        found += [Lack(whole)] if whole else []
        found += _absent_bands(self.observed.names, self.content) if recipe.reads_curves and not whole else []
        return tuple(dict.fromkeys(found))


def _of_means(content: SourceContent, observed: Bands, config: FeatureConfig) -> dict[str, tuple[Lack, ...]]:
    """Lacks of the columns of mean photometry."""
    lacks = {}
    names, pairs = observed.names, list(combinations(range(len(observed.names)), 2))
    for declared in (*DECLARED, *(DECLARED_BESIDE if config.inputs else ())):
        inputs = _absent_inputs(declared, content)
        concrete = expand(declared, names, pairs=pairs)
        for column, own in zip(concrete, bands_of(declared.name, len(concrete), names, pairs), strict=True):
            lacks[column.name] = (*inputs, *_absent_bands([names[band] for band in own], content))
    return lacks


def _absent_inputs(declared: Column, content: SourceContent) -> list[Lack]:
    """The values of catalogues that a declared column is computed with and the folder does not give."""
    return [
        Lack(name, INPUT)
        for name in inputs_of([declared.name], {declared.name: declared})
        if name not in content.inputs
    ]


def _of_curves(content: SourceContent, observed: Bands, config: FeatureConfig) -> dict[str, tuple[Lack, ...]]:
    """Lacks of the columns of light curves."""
    lacks = {}
    for feature, declared in ((each, column) for each in FEATURES.values() for column in each.columns):
        concrete = expand(declared, observed.names, config.surveys)
        common = _of_declared(feature, declared, content, config)
        for column, absent in zip(concrete, _absent(declared, len(concrete), content, observed), strict=True):
            lacks[column.name] = (*common, *absent)
    return lacks


def _of_declared(feature: Feature, declared: Column, content: SourceContent, config: FeatureConfig) -> tuple[Lack, ...]:
    """Lacks that all columns of a declared one have in common."""
    found = _absent_inputs(declared, content)
    found += [ERRORS] if declared.name in feature.of_errors and not content.has_errors else []
    found += [TIMES] if declared.name in feature.of_times and not content.has_time else []
    is_folded = bool(feature.needs) or PERIOD in {column.name for column in feature.columns}
    found += [PHASES] if is_folded and content.has_time and not config.has_time else []
    return tuple(found)


def _absent(declared: Column, n: int, content: SourceContent, observed: Bands) -> list[tuple[Lack, ...]]:
    """The bands that the folder does not have, for each of the `n` concrete columns of a declared one."""
    if "{survey}" in declared.name:
        surveys = list(dict.fromkeys(observed.surveys))[:n]
        of_survey = [observed.of(name) for name in surveys]  # one band of a survey is enough for its columns
        return [() if content.bands & {*own} else _absent_bands(own, content) for own in of_survey]
    bands = bands_of(declared.name, n, observed.names)
    return [_absent_bands([observed.names[band] for band in own], content) for own in bands]


def _absent_bands(bands: Iterable[str], content: SourceContent) -> tuple[Lack, ...]:
    """Those of `bands` that the folder does not have."""
    return tuple(Lack(f"the band {name}", BAND) for name in bands if name not in content.bands)
