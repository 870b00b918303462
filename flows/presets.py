"""Presets: each is a function that returns complete settings."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas import BadInput
from schemas.errors import nearest
from schemas.inputs import ArchiveSource, FolderSource, Sample
from schemas.mapping import load_preset, load_spec, preset_names
from tasks.learning.training_config import TrainingConfig

if TYPE_CHECKING:  # settings bring numerical libraries, and `argelander presets` starts at once without them
    from flows.settings import Settings

# One in 4,000 sources of Gaia DR3 has a random_index below this.
FEW = 449_999


def demo(data: Path | None = None) -> Settings:
    """About 3,000 stars in Gaia, Pan-STARRS1, ZTF and the TIC, from a local replica of the archives; no network."""
    _refuse_data("demo", data)
    # The network folds Gaia alone, which every star has, and not for long; the trees read all three surveys.
    options: dict[str, dict[str, Any]] = {
        "boosting": {"rounds": 60, "rate": 0.15},
        "folded": {"bands": ["G", "BP", "RP"], "max_passes": 12},
    }
    return _archives("demo", Sample(random_index=(0, FEW)), TrainingConfig(options=options, budget_minutes=2.0))


def rrlyrae(data: Path | None = None) -> Settings:
    """All RR Lyrae of Gaia DR3 (vari_rrlyrae) in Gaia, Pan-STARRS1, ZTF and the TIC."""
    _refuse_data("rrlyrae", data)
    return _archives("rrlyrae", Sample(tables=("vari_rrlyrae",)))


def cepheids(data: Path | None = None) -> Settings:
    """All Cepheids of Gaia DR3 (vari_cepheid), classical and type II, in all surveys."""
    _refuse_data("cepheids", data)
    return _archives("cepheids", Sample(tables=("vari_cepheid",)))


def pulsators(data: Path | None = None) -> Settings:
    """The six classes that Becker et al. (2025) take from Gaia: RRab, RRc, CEP, T2CEP, DSCT_SXPHE, MIRA_SR."""
    _refuse_data("pulsators", data)
    labels = ("RRab", "RRc", "CEP", "T2CEP", "DSCT_SXPHE", "MIRA_SR")
    return _archives("pulsators", Sample(classes=("RR", "CEP", "DSCT|GDOR|SXPHE", "LPV"), labels=labels))


def ids(data: Path | None = None) -> Settings:
    """Your own list of Gaia sources: --data FILE with source_id or dr2_source_id, a table in any format."""
    if data is None or not data.is_file():
        raise BadInput("The preset ids reads a file of source_id or dr2_source_id: say which with --data FILE.")
    return _archives("ids", Sample(ids=data.resolve()))


def _archives(name: str, sample: Sample, training: TrainingConfig | None = None) -> Settings:
    from flows.settings import Settings
    from tasks.surveys import SURVEYS

    options = {each: dict(survey.options) for each, survey in SURVEYS.items()}
    usual = tuple(name for name, survey in SURVEYS.items() if not survey.only_with)
    source = ArchiveSource(sample=sample, surveys=usual, options=options)
    return Settings(preset=name, dataset=name, source=source, training=training or TrainingConfig())


def _refuse_data(name: str, data: Path | None) -> None:
    if data is not None:
        raise BadInput(f"The preset {name} asks the archives: leave out --data, or use another preset.")


def folder(data: Path | None = None, name: str | None = None) -> Settings:
    """Any folder of light curves: its dataset.toml says how to read it, or its columns are recognised."""
    if data is None:
        raise BadInput(f"The preset {name or 'folder'} reads a folder: say which with --data DIR.")
    from flows.settings import Settings

    spec = load_spec(data, name)
    return Settings(preset=name or "folder", dataset=spec.name, source=FolderSource(folder=data.resolve(), spec=spec))


ARCHIVED = ("demo", "rrlyrae", "cepheids", "pulsators", "ids")
PRESETS: dict[str, Callable[[Path | None], Settings]] = {
    "demo": demo,
    "rrlyrae": rrlyrae,
    "cepheids": cepheids,
    "pulsators": pulsators,
    "ids": ids,
    "folder": folder,
    **{name: partial(folder, name=name) for name in preset_names()},
}


def preset(name: str, data: Path | None = None) -> Settings:
    """Settings of the preset called `name`; raises BadInput where there is none, with the preset for a path."""
    if name not in PRESETS:
        raise BadInput(f"There is no preset {name!r}; {_preset_for(Path(name)) or _list_presets(name)}")
    return PRESETS[name](data)


def _preset_for(path: Path) -> str:
    """The options to use for a path that stands where a preset's name belongs; "" where nothing is there."""
    if not path.exists():
        return ""
    reads = "folder" if path.is_dir() else "ids"
    return f"it is a path: write {reads} --data {shlex.quote(str(path))} in its place."


def _list_presets(name: str) -> str:
    return f"there are {', '.join(PRESETS)}.{nearest(name, [*PRESETS])}"


def folder_of(name: str, data: Path, lake: Path) -> tuple[str, FolderSource]:
    """The dataset of the lake that preset or dataset `name` trains on, and `data` as a folder for its models to score.

    A preset for folders says how to read it; for the models of the archives' presets the folder says so itself.
    """
    if name in ARCHIVED or name not in PRESETS:
        from flows.scoring import find_trained

        dataset = find_trained(lake, name)
        if dataset is None and name not in PRESETS:
            preset(name)  # says that there is none
        name = dataset or name
        return name, FolderSource(folder=data.resolve(), spec=load_spec(data))
    settings = preset(name, data)
    assert isinstance(settings.source, FolderSource)
    return settings.dataset, settings.source


def describe(name: str) -> str:
    """One line about a preset."""
    if name in preset_names():
        return load_preset(name).doc or f"A folder laid out as {name}; say which with --data DIR."
    return (PRESETS[name].__doc__ or "").split("\n")[0]
