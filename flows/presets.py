"""Presets: each is a function that returns complete settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from flows.settings import FolderSource, NetworkSettings, Settings, SkySource, TrainingSettings
from schemas import BadInput
from schemas.dataset import load_preset, load_spec, preset_names


def demo(data: Path | None = None) -> Settings:
    """3,000 stars of the embedded sky in Gaia, Pan-STARRS1 and ZTF; needs no data and no network."""
    if data is not None:
        raise BadInput("The preset demo makes its own sky: leave out --data, or use another preset.")
    # The network reads Gaia alone, which every star has, and not for long; the forests read all three surveys.
    training = TrainingSettings(n_trees=150, network=NetworkSettings(survey="gaia", max_training_epochs=20))
    return Settings(preset="demo", dataset="demo", source=SkySource(), training=training)


def folder(data: Path | None = None, name: str | None = None) -> Settings:
    """Any folder of light curves: its dataset.toml says how to read it, or its columns are recognised."""
    if data is None:
        raise BadInput(f"The preset {name or 'folder'} reads a folder: say which with --data DIR.")
    spec = load_spec(data, name)
    return Settings(preset=name or "folder", dataset=spec.name, source=FolderSource(folder=data.resolve(), spec=spec))


PRESETS: dict[str, Callable[[Path | None], Settings]] = {
    "demo": demo,
    "folder": folder,
    **{name: partial(folder, name=name) for name in preset_names()},
}


def preset(name: str, data: Path | None = None) -> Settings:
    """Settings of the preset called `name`; raises BadInput where there is none."""
    if name not in PRESETS:
        raise BadInput(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name](data)


def folder_of(name: str, data: Path) -> tuple[str, FolderSource]:
    """The dataset that preset `name` trains on, and `data` as a folder to be scored by its models.

    A preset for folders says how to read it; for the models of the embedded sky the folder says so itself.
    """
    if name == "demo":
        return demo().dataset, FolderSource(folder=data.resolve(), spec=load_spec(data))
    settings = preset(name, data)
    assert isinstance(settings.source, FolderSource)
    return settings.dataset, settings.source


def describe(name: str) -> str:
    """One line about a preset."""
    if name in preset_names():
        return load_preset(name).doc or f"A folder laid out as {name}; say which with --data DIR."
    return (PRESETS[name].__doc__ or "").split("\n")[0]
