"""One frozen tree of settings, resolved once and written whole into the run manifest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from lakehouse.run import Run
from schemas import BadInput
from schemas.dataset_nodes import Frozen
from schemas.errors import nearest
from schemas.inputs import ArchiveSource, Source
from tasks.features.feature import FeatureConfig
from tasks.learning.training_config import TrainingConfig
from tasks.surveys import check_options, find_sample_provider
from tasks.surveys.cuts import CutConfig
from tasks.surveys.survey import Variant

LARGEST = 2**31


class ComputeSettings(Frozen):
    """Where the work runs: a local cluster, or the scheduler at an address."""

    n_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024, description="Processes of the local cluster."
    )
    scheduler: str | None = Field(None, description="Address of a running Dask scheduler, tcp://host:port.")
    chunk_objects: int = Field(Run.chunk_objects, ge=1, le=100_000, description="Sources in a chunk of work.")
    retries: int = Field(Run.retries, ge=0, le=10, description="How often a chunk that failed is tried again.")


class Settings(Frozen):
    """Everything that decides what a run does."""

    preset: str = Field(description="The preset that these settings began with.")
    dataset: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Name of the dataset in the lake.")
    source: Source = Field(description="The archives, or a folder.")
    limit: int | None = Field(None, ge=1, lt=LARGEST, description="Take only this many objects.")
    models: str | None = Field(
        None, min_length=1, description="Score with the models of this dataset, or LAKE/DATASET, and train none."
    )
    seed: int = Field(1, ge=0, lt=LARGEST, description="Seed of splits and models.")
    cuts: CutConfig = Field(default_factory=CutConfig, description="The quality cuts.")
    features: FeatureConfig = Field(default_factory=FeatureConfig, description="The features and the period search.")
    training: TrainingConfig = Field(default_factory=TrainingConfig, description="Targets, recipes and splits.")
    compute: ComputeSettings = Field(ComputeSettings(), description="Where the work runs.")

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        """What is a number must be one that arrays of 32 bits can hold, or that compares."""
        for name, value in _list_leaves(self.model_dump(include={"cuts", "features", "training"})):
            if isinstance(value, int | float) and not abs(value) < LARGEST:
                raise ValueError(f"{name} = {value!r}: the number is too large")
        return self

    @property
    def cut_config(self) -> CutConfig:
        """The cuts, told whether the source quotes errors at all, and in which sense one is missing."""
        return replace(self.cuts, has_error=self.source.has_errors, errors_by_band=self.source.errors_by_band)

    @property
    def feature_config(self) -> FeatureConfig:
        """The features; without times there is no period to search."""
        has_time = self.source.has_time
        return replace(self.features, has_time=has_time, second_period=self.features.second_period and has_time)


def _list_leaves(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a tree of settings with its dotted name."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _list_leaves(value, f"{name}.{key}".lstrip("."))
    else:
        yield name, tree


def override(settings: Settings, assignments: tuple[str, ...]) -> Settings:
    """`settings` with each ``dotted.key=value`` applied; values are YAML scalars or lists.

    Raises BadInput, in one sentence, for an unknown key or a value out of range.
    """
    tree, assigned = settings.model_dump(), set()
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise BadInput(f"--set {assignment!r}: write key=value, for example --set training.n_folds=10.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise BadInput(f"--set {assignment!r}: {text!r} is no YAML value; lists are [a, b].") from None
        _assign(tree, key.strip(), value)
        assigned.add(key.strip())
    return _follow_variant(settings, validate_settings(tree), assigned)


def _follow_variant(before: Settings, after: Settings, assigned: set[str]) -> Settings:
    """The settings `after`, as another variant of the sample's sources than that of `before` wants them.

    A dataset that was not named gets a name of its own, and random indices that were not given bring as many sources.
    """
    old, new = find_variant(before), find_variant(after)
    if old is None or new is None or old == new:
        return after
    tree = after.model_dump()
    if "dataset" not in assigned:
        tree["dataset"] += new.suffix
    sample = tree["source"]["sample"]
    if sample["random_index"] and not assigned & {"source.sample.random_index", "source.sample"}:
        first, last = (round(index * new.share / old.share) for index in sample["random_index"])
        sample["random_index"] = (first, last)
    return validate_settings(tree)


def find_variant(settings: Settings) -> Variant | None:
    """The variant of the archive's sources that the settings ask for; None for a folder."""
    if not isinstance(settings.source, ArchiveSource):
        return None
    provider = find_sample_provider()
    return provider.find_variant({**provider.options, **settings.source.options.get(provider.name, {})})


def validate_settings(tree: dict[str, Any]) -> Settings:
    """Settings of a plain tree; the first thing wrong with it becomes one sentence."""
    try:
        settings = Settings.model_validate(tree)
        if isinstance(settings.source, ArchiveSource):
            check_options(settings.source.options)
        return settings
    except ValidationError as error:
        first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("archives", "folder"))
    reason = first["msg"].removeprefix("Value error, ").rstrip(".")
    if not reason[1:2].isupper():  # a word, no name such as RRab
        reason = f"{reason[:1].lower()}{reason[1:]}"
    end = "" if reason.endswith("?") else "."
    setting = f"Setting {where} = {first['input']!r}: " if where else "Setting "
    raise BadInput(f"{setting}{reason}{end} Nothing was run.")


# Settings that hold any names below them: what they may be is checked where they are used.
OPEN = ("training.options",)


def _assign(tree: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    node = tree
    is_open = key.startswith(OPEN)
    for part in path:
        if is_open:
            node.setdefault(part, {})
        if not isinstance(node.get(part), dict):
            raise _unknown(key, part, node)
        node = node[part]
    if last not in node and not is_open:
        raise _unknown(key, last, node)
    node[last] = value


def _unknown(key: str, part: str, node: dict[str, Any]) -> BadInput:
    names = sorted(node)
    return BadInput(
        f"Setting {key}: there is no {part!r}; here are {', '.join(names)}.{nearest(part, names)} Nothing was run."
    )
