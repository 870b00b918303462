"""Does the embedded sky look like the real one? Medians and scatter per class beside real sets, and a figure.

    python -m benchmarks.sky_realism [--figure docs/figures/sky_classes.png]

Real and simulated light curves go through the same code: tasks.lightcurves.fourier at the catalogue (or true) period,
the same number of harmonics, one band. Reads the real sets from ARGELANDER_DATA or ../shared/data; a set that is not
there is skipped by name. The exit status is 1 when a median of a like-with-like row is off by more than one scatter.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.fourier import fit_fourier
from tasks.sky import generate

DATA = Path(os.environ.get("ARGELANDER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
ERROR_FLOOR_MAG = 0.01
PHASES = np.arange(200) / 200
QUANTITIES = ("period", "amplitude", "R21", "phi21")


@dataclass(frozen=True)
class RealSet:
    """A folder of real light curves: names of its columns and the band to compare in."""

    folder: str
    time: str
    period: str
    band: str
    file: str = "lightcurves"

    @property
    def name(self) -> str:
        return f"{self.folder} {self.band}"


@dataclass(frozen=True)
class Comparison:
    """One row: a label of a real set beside classes (or subclasses) of the sky in the nearest band."""

    real: RealSet
    label: str
    band: str
    classes: tuple[str, ...]
    harmonics: int = 4
    period: tuple[float, float] = (0.0, np.inf)
    skip: tuple[str, ...] = field(default=())  # quantities that are not like with like
    why: str = ""


OGLE = RealSet("ogle_cepheids_vi", "hjd_minus_2450000", "period", "I")
EROS_B, EROS_R = (RealSet("eros_br", "time_days", "period_true", band) for band in "BR")
ZTF_G, ZTF_R = (RealSet("ztf_vsx", "mjd", "period_used", band) for band in "gr")
CSS = RealSet("css_north", "mjd", "period", "V_CSS")
DEKANY = RealSet("dekany_rrab", "phase", "period", "G", "lightcurves_phase_binned")
FLAT = "the fundamental is weak, so R21 and phi21 are noise"
COMPARISONS = (
    Comparison(DEKANY, "", "G", ("RRab",), 5),
    Comparison(ZTF_G, "RR Lyr", "g_ztf", ("RRab",), period=(0.44, 1.0)),
    Comparison(ZTF_R, "RR Lyr", "r_ztf", ("RRab",), period=(0.44, 1.0)),
    Comparison(EROS_B, "RRL", "g_ztf", ("RRab", "RRc"), why="LMC at 19.3 mag: noise widens the scatter"),
    Comparison(EROS_R, "RRL", "r_ztf", ("RRab", "RRc"), why="LMC at 18.8 mag: noise widens the scatter"),
    Comparison(CSS, "RRab", "r_ztf", ("RRab",)),
    Comparison(CSS, "RRc", "r_ztf", ("RRc",)),
    Comparison(CSS, "RRd", "r_ztf", ("RRd",)),
    Comparison(OGLE, "F", "RP", ("CEP F",), 5, why="LMC periods, the sky's are Galactic"),
    Comparison(EROS_B, "CEP", "g_ztf", ("CEP",), why="LMC periods, the sky's are Galactic"),
    Comparison(EROS_R, "CEP", "r_ztf", ("CEP",), why="LMC periods, the sky's are Galactic"),
    Comparison(CSS, "Cep_II", "r_ztf", ("T2CEP",), why="60 stars"),
    Comparison(ZTF_G, "δ Sct", "g_ztf", ("DSCT_SXPHE HADS", "DSCT_SXPHE SXPHE")),
    Comparison(ZTF_R, "δ Sct", "r_ztf", ("DSCT_SXPHE HADS", "DSCT_SXPHE SXPHE")),
    Comparison(CSS, "HADS", "r_ztf", ("DSCT_SXPHE HADS", "DSCT_SXPHE SXPHE")),
    Comparison(CSS, "EW", "r_ztf", ("ECL EW",), skip=("phi21",), why=FLAT),
    Comparison(CSS, "EA", "r_ztf", ("ECL EA",), skip=("phi21",), why=FLAT),
    Comparison(EROS_B, "ECL", "g_ztf", ("ECL EA",), skip=("phi21",), why=FLAT),
    Comparison(CSS, "LPV", "r_ztf", ("MIRA_SR",), skip=("phi21",), why="phi21 spreads over the circle"),
    Comparison(EROS_R, "MIRA", "r_ztf", ("MIRA_SR",), skip=("phi21",), why="phi21 spreads over the circle"),
)


def read_real(real: RealSet) -> tuple[LightCurveBatch, NDArray, NDArray]:
    """Light curves of one band with their periods (S,) day and labels (S,)."""
    objects = pq.read_table(DATA / real.folder / "objects.parquet")
    epochs = pq.read_table(DATA / real.folder / f"{real.file}.parquet")
    epochs = epochs.filter(pc.equal(pc.cast(epochs["band"], "string"), real.band))
    row = pc.index_in(pc.cast(epochs["object_id"], "string"), pc.cast(objects["object_id"].combine_chunks(), "string"))
    time = epochs[real.time].to_numpy().astype(float)
    time = np.where(time > 2_400_000, time - 2_400_000.5, time)  # a few rows of one set carry JD for MJD
    known = row.is_valid().to_numpy() & ((real.time != "phase") | (time < 1.0))
    error = epochs["mag_err"].to_numpy() if "mag_err" in epochs.column_names else np.full(time.size, 0.02)
    index = row.fill_null(-1).to_numpy()
    batch = LightCurveBatch.from_epochs(
        index[known],
        time[known],
        epochs["mag"].to_numpy()[known],
        error[known],
        np.zeros(known.sum(), np.int8),
        None,
        (real.band,),
    )
    period = objects[real.period].to_numpy()[batch.source_id]
    label = objects["label"].to_numpy()[batch.source_id] if "label" in objects.column_names else np.full(len(batch), "")
    return batch, period, label


def shape(batch: LightCurveBatch, period: NDArray, harmonics: int, is_phase: bool = False) -> dict[str, NDArray]:
    """period, amplitude (peak-to-peak of the series, mag), R21, phi21 and phi31 (rad) of every object, (S,)."""
    fit = fit_fourier(
        batch,
        np.where(np.isfinite(period), 1.0, np.nan) if is_phase else period,
        harmonics,
        floor=ERROR_FLOOR_MAG,
        epochs_per_term=1.8,
    )
    amplitude = np.ptp(fit.evaluate(PHASES), axis=1)
    usable = (fit.n_harmonics >= harmonics) & np.isfinite(period)
    values = {
        "period": period,
        "amplitude": amplitude,
        "R21": fit.ratio(2),
        "phi21": fit.phase_difference(2),
        "phi31": fit.phase_difference(3),
    }
    return {name: np.where(usable, value, np.nan) for name, value in values.items()}


def median_scatter(value: NDArray, is_angle: bool) -> tuple[float, float]:
    """Median and robust sigma (1.4826 MAD); angles are cut opposite to their circular mean first."""
    value = value[np.isfinite(value)]
    if is_angle and value.size:
        centre = np.angle(np.exp(1j * value).mean())
        value = centre + np.angle(np.exp(1j * (value - centre)))
    if value.size == 0:
        return np.nan, np.nan
    middle = float(np.median(value))
    return middle % (2 * np.pi) if is_angle else middle, float(1.4826 * np.median(np.abs(value - middle)))


class SkySample:
    """Stars of the embedded sky brighter than G = 18 (as in the catalogues compared with), with their truth."""

    def __init__(self, n: int, seed: int) -> None:
        sky = generate(n, seed)
        self.truth = sky.truth.to_pandas().set_index("source_id")
        self.truth["kind"] = self.truth["class"] + " " + self.truth["subclass"]
        self.epochs = sky.epochs

    def select(self, band: str, classes: tuple[str, ...], bright: float = 0.0) -> tuple[LightCurveBatch, NDArray]:
        """Good epochs in one band of the named classes or "CLASS subclass" fainter than G = `bright`; true periods."""
        batch = next(batch for batch in self.epochs.values() if np.any(batch.band == batch.bands.index(band)))
        star = self.truth.loc[batch.source_id]
        named = star["class"].isin(classes) | star["kind"].isin(classes)
        wanted = named & star["mean_g_mag"].between(bright, 18.0)
        wanted &= ~star["is_wrong_match_ps1"] & ~star["is_wrong_match_ztf"]
        chosen = batch.keep((batch.band == batch.bands.index(band)) & (batch.flags == 0)).select(wanted.to_numpy())
        return chosen, star["period_day"].to_numpy()[wanted.to_numpy()]


def compare(sample: SkySample, row: Comparison, cache: dict) -> tuple[bool, dict[str, float]]:
    """Prints one row; returns whether it agrees, and |difference| / scatter of the real set alone per quantity."""
    if row.real.name not in cache:
        cache[row.real.name] = read_real(row.real)
    batch, period, label = cache[row.real.name]
    chosen = np.flatnonzero((label == row.label) & (period > row.period[0]) & (period < row.period[1]))
    real = shape(batch.select(chosen), period[chosen], row.harmonics, row.real.time == "phase")
    ours = shape(*sample.select(row.band, row.classes), row.harmonics)
    cells, agrees, strict = [], True, {}
    who = f"{row.real.name} {row.label}".strip()
    for name in QUANTITIES:
        (m1, s1), (m2, s2) = (median_scatter(part[name], name == "phi21") for part in (real, ours))
        off = abs(np.angle(np.exp(1j * (m2 - m1)))) if name == "phi21" else abs(m2 - m1)
        ratio = off / max(s1, s2)
        mark = " " if name in row.skip or ratio <= 1 else "!"
        agrees &= mark == " "
        if name not in row.skip:
            strict[f"{who} {name}"] = off / s1
        verdict = "  --" if name in row.skip else f"{ratio:4.1f}"
        cells.append(f"{m1:7.3f} ± {s1:6.3f} | {m2:7.3f} ± {s2:6.3f} |{verdict}{mark}")
    count = [int(np.isfinite(part["R21"]).sum()) for part in (real, ours)]
    ours_name = "+".join(name.split()[-1] for name in row.classes)
    print(
        f"{who:24s} {count[0]:5d} | {row.band:6s}{ours_name:12s} {count[1]:5d} | "
        + " | ".join(cells)
        + (f" | {row.why}" if row.why else "")
    )
    return agrees, strict


def print_relation(sample: SkySample) -> None:
    """The G-band relation phi31(P, [Fe/H]) of real and simulated RRab, fitted the same way, robustly."""
    batch, period, _ = read_real(DEKANY)
    objects = pq.read_table(DATA / DEKANY.folder / "objects.parquet", columns=["feh"])
    real = shape(batch, period, 5, True)
    curves, truth_period = sample.select("G", ("RRab",))
    ours = shape(curves, truth_period, 5)
    feh = {"real": objects["feh"].to_numpy()[batch.source_id], "sky": sample.truth.loc[curves.source_id, "feh_dex"]}
    for name, part in (("real", real), ("sky", ours)):
        coefficient, scatter = robust_plane(part["period"] - 0.58, np.asarray(feh[name]) + 1.5, part["phi31"])
        print(
            f"RRab G {name:5s} phi31 = {coefficient[0]:.3f} + {coefficient[1]:.2f} (P - 0.58) "
            f"+ {coefficient[2]:.3f} ([Fe/H] + 1.5), scatter {scatter:.3f} rad"
        )


def robust_plane(x: NDArray, y: NDArray, z: NDArray) -> tuple[NDArray, float]:
    """Least squares z = a + b x + c y, (3,), with 3.5 sigma rejected in eight rounds, and the robust scatter."""
    design = np.stack([np.ones_like(x), x, y], axis=1)
    kept = np.isfinite(design).all(axis=1) & (z > 0.5) & (z < 4.0)
    for _ in range(8):
        coefficient = np.linalg.lstsq(design[kept], z[kept])[0]
        residual = z - design @ coefficient
        scatter = 1.4826 * np.median(np.abs(residual[kept]))
        kept = np.isfinite(design).all(axis=1) & (np.abs(residual) < 3.5 * scatter)
    return coefficient, float(scatter)


FIGURE_ROWS = (  # class, sky band, members, real set, its label, period window (day) for both
    ("RRab", "g_ztf", ("RRab",), ZTF_G, "RR Lyr", (0.44, 0.75)),
    ("RRc", "r_ztf", ("RRc",), CSS, "RRc", (0.25, 0.42)),
    ("RRd", "r_ztf", ("RRd",), CSS, "RRd", (0.33, 0.43)),
    ("CEP F", "RP", ("CEP F",), OGLE, "F", (2.5, 30.0)),
    ("T2CEP", "r_ztf", ("T2CEP",), CSS, "Cep_II", (1.0, 25.0)),
    ("DSCT_SXPHE", "g_ztf", ("DSCT_SXPHE HADS", "DSCT_SXPHE SXPHE"), ZTF_G, "δ Sct", (0.04, 0.2)),
    ("ECL EA", "r_ztf", ("ECL EA",), CSS, "EA", (0.4, 4.0)),
    ("ECL EW", "r_ztf", ("ECL EW",), CSS, "EW", (0.25, 0.6)),
    ("MIRA_SR", "r_ztf", ("MIRA_SR",), CSS, "LPV", (80.0, 450.0)),
)


def draw_figure(sample: SkySample, path: Path, columns: int = 4) -> None:
    """Folded curves per class: the sky in the left half (blue), real stars in the right half (grey)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rng = np.random.default_rng(3)
    figure, axes = plt.subplots(len(FIGURE_ROWS), 2 * columns, figsize=(15, 1.55 * len(FIGURE_ROWS)), squeeze=False)
    for line, (name, band, classes, real, label, window) in zip(axes, FIGURE_ROWS, strict=True):
        curves, period = sample.select(band, classes, bright=0.0 if band == "RP" else 14.0)  # ZTF saturates near 13
        _draw_folded(line[:columns], rng, curves, period, window, "tab:blue")
        curves, period, labels = read_real(real)
        own = np.flatnonzero(labels == label)
        _draw_folded(line[columns:], rng, curves.select(own), period[own], window, "0.25")
        line[0].set_ylabel(f"{name}\n{band}", fontsize=8)
        line[columns].set_ylabel(f"{real.folder}\n{label} {real.band}", fontsize=7)
    figure.text(0.25, 0.994, "embedded sky", fontsize=11, ha="center", va="top", color="tab:blue")
    figure.text(0.75, 0.994, "real stars", fontsize=11, ha="center", va="top", color="0.25")
    figure.tight_layout(pad=0.4, rect=(0, 0, 1, 0.984))
    figure.savefig(path, dpi=100)
    print(f"figure: {path}")


def _draw_folded(
    axes: NDArray,
    rng: np.random.Generator,
    batch: LightCurveBatch,
    period: NDArray,
    window: tuple[float, float],
    colour: str,
) -> None:
    """One random well-observed star per panel, phase 0 at the brightest point of its Fourier series."""
    usable = np.flatnonzero((batch.n_epoch >= 40) & (period > window[0]) & (period < window[1]))
    chosen = rng.permutation(usable)[: axes.size]
    for axis, star in zip(axes, chosen, strict=False):
        one = batch.select([star])
        series = fit_fourier(one, period[[star]], 4, floor=ERROR_FLOOR_MAG).evaluate(PHASES)[0]
        phase = (one.time / period[star] - PHASES[np.argmin(series)]) % 1.0
        axis.plot(np.concatenate([phase, phase + 1]), np.tile(one.mag, 2), ".", ms=1.6, color=colour)
        low, high = np.percentile(one.mag, [0.5, 99.5])
        axis.set_ylim(high + 0.15 * (high - low) + 0.01, low - 0.15 * (high - low) - 0.01)
        axis.set_title(f"{period[star]:.4g} d", fontsize=7, pad=2)
        axis.tick_params(labelsize=6)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path, default=Path("docs/figures/sky_classes.png"))
    parser.add_argument("--objects", type=int, default=8192)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    absent = sorted({row.real.folder for row in COMPARISONS if not (DATA / row.real.folder).is_dir()})
    if absent:
        print(f"sky_realism: no {', '.join(absent)} under {DATA}; set ARGELANDER_DATA to the folder of real sets.")
    rows = [row for row in COMPARISONS if row.real.folder not in absent]
    sample, cache = SkySample(options.objects, options.seed), {}
    print(
        "real set                     n | band  sky              n | "
        + " | ".join(f"{name + ' real':>16s} | {'sky':>16s} | off " for name in QUANTITIES)
    )
    verdicts = [compare(sample, row, cache) for row in rows]
    agree = [verdict for verdict, _ in verdicts]
    print(
        f"{sum(agree)} of {len(rows)} rows agree within one scatter in every compared quantity "
        "(off = |difference of medians| / larger scatter)"
    )
    strict = {name: value for _, ratios in verdicts for name, value in ratios.items()}
    beyond = [f"{name} {value:.1f}" for name, value in strict.items() if value > 1]
    print(
        f"{len(strict) - len(beyond)} of {len(strict)} medians also agree within the scatter of the real set alone; "
        f"beyond it: {', '.join(beyond) or 'none'}"
    )
    if not absent:
        print_relation(sample)
        options.figure.parent.mkdir(parents=True, exist_ok=True)
        draw_figure(sample, options.figure)
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
