"""What a run takes in, as types that flows and stages share: the surveys' archives for a sample, or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.dataset import DatasetSpec
from schemas.dataset_nodes import Frozen


class Sample(Frozen):
    """Which Gaia sources: the union of all that is named here."""

    tables: tuple[str, ...] = Field(
        (), description="Whole tables: vari_rrlyrae, vari_cepheid, vari_eclipsing_binary, ..."
    )
    classes: tuple[str, ...] = Field((), description="best_class_name of vari_classifier_result: RR, CEP, LPV, ...")
    labels: tuple[str, ...] = Field((), description="Keep only sources labelled so: RRab, CEP, ...; all where empty.")
    min_score: float = Field(0.0, ge=0, le=1, description="Lowest best_class_score.")
    cones: tuple[tuple[float, float, float], ...] = Field((), description="ra, dec, radius in degrees (ICRS).")
    tiles: tuple[int, ...] = Field((), description="Nested HEALPix cells of order tile_order.")
    tile_order: int = Field(3, ge=0, le=12, description="HEALPix order of the tiles.")
    ids: Path | None = Field(None, description="File of source_id or dr2_source_id: Parquet, CSV, FITS or VOTable.")
    random_index: tuple[int, int] | None = Field(None, description="First and last random_index.")
    with_epochs: bool = Field(
        True, description="Of cones, tiles and random_index, take only sources with epoch photometry."
    )
    min_stetson: float | None = Field(
        None, ge=0, le=1e6, description="Of all but ids, only sources whose light curve in G has this Stetson index."
    )
    min_variable_score: float | None = Field(
        None, ge=0, le=1, description="Of all but ids, only sources that Gaia thinks so likely to be variable."
    )
    n_range: int = Field(12, ge=1, le=3072, description="Ranges of source_id in which a whole table is asked for.")


class ReplicaSky(Frozen):
    """The embedded sky that the local replica serves where no live archive is asked."""

    n_objects: int = Field(3000, ge=100, le=10_000_000, description="Stars of the sky.")
    seed: int = Field(1, ge=0, lt=2**32, description="Which sky.")


class ArchiveSource(Frozen):
    """The surveys' archives: a sample from Gaia, and its photometry in every survey."""

    kind: Literal["archives"] = Field("archives", description="The surveys' archives.")
    sample: Sample = Field(Sample(), description="Which Gaia sources.")
    surveys: tuple[str, ...] = Field(
        (), description="Which surveys, in this order; all that are registered where empty."
    )
    options: dict[str, dict[str, Any]] = Field(
        {}, description="Options of each survey; its own defaults where left out."
    )
    endpoint: Literal["replica", "live"] = Field("replica", description="A local replica, or the real archives.")
    base_url: str | None = Field(None, description="A replica that runs already; else one is started for the run.")
    profile: Literal["fast", "live"] | None = Field(
        None, description="Limits and pauses: live, unless a replica is asked."
    )
    ask_again: tuple[str, ...] = Field(
        (), description="Services whose stored answers are asked for again; an age (30d) spares the younger ones."
    )
    offline: bool = Field(False, description="Use the stored answers alone.")
    bulk: bool = Field(
        False, description="Light curves and catalogues from bulk files; for dense samples of more than 200,000."
    )
    replica: ReplicaSky = Field(ReplicaSky(), description="Which sky the replica serves.")
    budget_hours: float | None = Field(
        48.0, gt=0, description="Longest download, as it is reckoned before it begins; none is refused where null."
    )

    @property
    def has_time(self) -> bool:
        """Epochs of archives have times."""
        return True

    @property
    def has_errors(self) -> bool:
        """Archives quote errors of their magnitudes."""
        return True

    @property
    def errors_by_band(self) -> bool:
        """Archives quote errors in every band: an epoch without one is bad."""
        return False

    @property
    def is_synthetic(self) -> bool:
        """Whether the stars are those of the embedded sky, which a replica serves."""
        return self.endpoint == "replica"


class FolderSource(Frozen):
    """A folder of light curves or mean photometry, and how to read it."""

    kind: Literal["folder"] = Field("folder", description="A folder.")
    folder: Path = Field(description="Where the files are.")
    spec: DatasetSpec = Field(description="How to read them.")

    @property
    def has_time(self) -> bool:
        """False for folded curves and for mean photometry."""
        return self.spec.kind == "time"

    @property
    def has_errors(self) -> bool:
        """Whether the folder quotes errors of its magnitudes."""
        return self.spec.has_errors

    @property
    def errors_by_band(self) -> bool:
        """Single bands may quote no errors: its reader refuses an epoch without one in any other band."""
        return True

    @property
    def is_synthetic(self) -> bool:
        """Whether the folder says that its light curves are simulated."""
        return self.spec.is_synthetic


def is_synthetic(source: Mapping[str, Any]) -> bool:
    """`is_synthetic` of a source that a manifest of this version or an older one holds as plain values."""
    if "spec" in source:
        return bool(source["spec"].get("is_synthetic", False))
    return bool(source.get("endpoint") == "replica")


Source = Annotated[ArchiveSource | FolderSource, Field(discriminator="kind")]
