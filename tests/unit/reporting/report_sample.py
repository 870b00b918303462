"""A plausible report, drawn at random: every piece filled in, with shapes, counts and shares as a real run gives."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from tasks.reporting import (
    ClassCounts,
    ClassPeriods,
    Command,
    FoldedCurve,
    HeldOutClasses,
    HeldOutQuantity,
    ReportData,
    SkyPositions,
    confident_examples,
)

CLASSES = ("RRab", "RRc", "RRd", "CEP", "T2CEP", "DSCT_SXPHE", "ECL", "MIRA_SR", "CONST")
CENTRES = (0.57, 0.32, 0.4, 4.0, 8.0, 0.08, 1.2, 220.0, 0.5)  # day, typical periods
SIXTEEN = ("EW", "EA", "RRc", "RRab", "RS_CVn", "LPV", "RRd", "beta_lyrae", "HADS", "ELL", "Cep_II", "PCEB", "Blazhko",
           "ACEP", "Hump", "LADS")  # fmt: skip
BANDS = ("G", "BP", "RP", "g_ps1", "r_ps1", "i_ps1", "g_ztf", "r_ztf", "i_ztf")


def outcomes(rng, n, share):
    """Calibrated class probabilities (S, C), and true classes (S,) drawn from them."""
    n_class = len(share)
    logits = np.log(share) + rng.normal(0, 1.0, (n, n_class))
    logits[np.arange(n), rng.choice(n_class, size=n, p=share)] += rng.gamma(3.0, 2.2, n)
    prob = np.exp(logits - logits.max(axis=1, keepdims=True))
    prob /= prob.sum(axis=1, keepdims=True)
    return prob, (prob.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


def folded_curve(rng, object_id, name, label, prob, period, bands=BANDS):
    """A light curve with a steep rise, a slow decline, noise and a few outliers."""
    n = int(rng.integers(60, 320))
    phase, band = rng.random(n), rng.integers(0, len(bands), n).astype(np.int8)
    shape = 0.35 * np.cos(2 * np.pi * phase) + 0.14 * np.cos(4 * np.pi * phase + 0.6) + 0.06 * np.cos(6 * np.pi * phase)
    err = rng.uniform(0.01, 0.06, n)
    mag = 15.5 + 0.3 * band / len(bands) + shape * rng.uniform(0.3, 1.2) + err * rng.normal(size=n)
    mag[rng.random(n) < 0.01] += 1.5
    return FoldedCurve(
        object_id,
        name,
        prob,
        label,
        period,
        phase,
        mag.astype(np.float32),
        err.astype(np.float32),
        band,
        bands,
        note="out of fold" if label else "",
    )


def metric(target, recipe, split, name, value, half, n, chosen, cls="all", note=None):
    """One row of `score_model__metric`."""
    return {
        "target": target,
        "recipe": recipe,
        "model_id": f"{recipe}-7f3a",
        "split": split,
        "metric": name,
        "class": cls,
        "value": value,
        "lo": value - half,
        "hi": value + half,
        "n": n,
        "note": note,
        "is_chosen": chosen,
    }


def metrics(rng, classes, n):
    """Metrics of four recipes and a baseline for the class, of two recipes and a baseline for two quantities."""
    rows = []
    recipes = (("balanced_forest", 0.912), ("forest", 0.897), ("lstm", 0.874), ("constant_guess", 0.061))
    for split, loss in (("oof", 0.0), ("truth", 0.013)):
        for recipe, score in recipes:
            chosen = recipe == "balanced_forest"
            for name, shift in (("macro_f1", 0.0), ("balanced_accuracy", 0.006), ("accuracy", 0.021)):
                rows.append(metric("class", recipe, split, name, score + shift - loss, 0.012, n, chosen))
            rows.append(metric("class", recipe, split, "log_loss", 0.31 + 2 * (0.912 - score), 0.02, n, chosen))
            for k, cls in enumerate(classes):
                value = float(np.clip(score - 0.25 * rng.random() ** 2, 0, 1))
                few = "trained without stratification: fewer members than folds" if k == 2 else None
                rows.append(metric("class", recipe, split, "f1", value, 0.03, 20 + 40 * k, chosen, cls, few))
        for target, scale in (("teff_k", 210.0), ("feh_dex", 0.21)):
            for recipe, factor in (("forest_regressor", 1.0), ("linear", 1.4), ("mean_of_labels", 3.1)):
                chosen = recipe == "forest_regressor"
                rows.append(metric(target, recipe, split, "rmse", scale * factor, 0.06 * scale, 1234, chosen))
                rows.append(metric(target, recipe, split, "r2", 1 - 0.1 * factor**2, 0.02, 1234, chosen))
                rows.append(metric(target, recipe, split, "coverage_90", 0.887, 0.018, 1234, chosen))
    return pa.Table.from_pylist(rows)


def quantities(rng, n=1234):
    """Held-out temperatures and metallicities whose intervals are a little too narrow."""
    teff = rng.normal(6500, 700, n)
    feh = -rng.gamma(4, 0.35, n)
    pieces = []
    for name, unit, y, err in (("teff_k", "K", teff, 210.0), ("feh_dex", "dex", feh, 0.21)):
        mean = y + rng.normal(0, err, n) - 0.1 * (y - y.mean())
        half = 1.5 * err * rng.uniform(0.8, 1.2, n)
        pieces.append(HeldOutQuantity(name, unit, y, mean, mean - half, mean + half, 0.9, "forest_regressor", "Gaia"))
    return tuple(pieces)


def sky(rng, n, pred, radius_deg=None):
    """Positions over the whole sky, concentrated to the galactic plane's neighbourhood, or in one small field."""
    if radius_deg is None:
        ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    else:
        dec = -69 + radius_deg * 0.4 * rng.normal(size=n)
        ra = 80 + radius_deg * 0.4 * rng.normal(size=n) / np.cos(np.radians(dec))
    return SkyPositions(ra, dec, pred)


def make_report(classes=CLASSES, n=3000, seed=7, radius_deg=None, n_each=3):
    """The sample report: `n` objects of `classes`, all of the sky or one field."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(len(classes), 2.0))
    prob, y_true = outcomes(rng, n, share)
    pred = np.array(classes, dtype=object)[prob.argmax(axis=1)]
    period = np.array([CENTRES[i % len(CENTRES)] for i in prob.argmax(axis=1)]) * 10 ** rng.normal(0, 0.12, n)
    period[rng.random(n) < 0.03] = np.nan
    curves = tuple(
        folded_curve(
            rng,
            f"sky-{1_000_000 + i}",
            pred[i],
            classes[y_true[i]] if rng.random() < 0.8 else None,
            float(prob[i].max()),
            float(period[i]) if np.isfinite(period[i]) else 0.5,
        )
        for i in confident_examples(prob, n_each)
    )
    return ReportData(
        title="Variable stars of the embedded sky",
        dataset="demo",
        run_id="20260914T101502-4f6c1a",
        created=datetime(2026, 9, 14, 10, 23, tzinfo=UTC),
        code_version="0.1.0+g1a2b3c4",
        n_objects=n,
        n_epochs=214 * n,
        bands=BANDS,
        n_quarantined=57,
        about=f"{n:,} objects of the embedded sky with Gaia, Pan-STARRS1 and ZTF light curves, classified and "
        "measured by models that never saw them.",
        notes=("RRd has 8 labelled members, fewer than the folds: it was trained and scored without stratification.",),
        sky=sky(rng, n, pred, radius_deg),
        counts=ClassCounts(
            classes,
            np.bincount(prob.argmax(axis=1), minlength=len(classes)),
            np.bincount(y_true[: int(0.6 * n)], minlength=len(classes)),
        ),
        held_out=HeldOutClasses(y_true, prob.argmax(axis=1), prob, classes, "balanced_forest", "oof"),
        quantities=quantities(rng),
        metrics=metrics(rng, classes, n),
        curves=curves,
        periods=ClassPeriods(period, pred),
        cuts=cuts(n),
        quarantine=quarantine(),
        timings=timings(n),
        inputs=[
            {"name": "objects.parquet", "fingerprint": "sha256:9f2c41b07d", "rows": n, "bytes": 81_204},
            {"name": "lightcurves.parquet", "fingerprint": "sha256:03ab77e1c9", "rows": 214 * n, "bytes": 9_412_008},
        ],
        tables=[
            {"table": "core_sample__epoch", "version": 2, "rows": 3 * n},
            {"table": "score__value", "version": 1, "rows": 14 * n},
        ],
        models=[{"target": "class", "recipe": "balanced_forest", "model_id": "balanced_forest-7f3a"}],
        settings={"preset": "demo", "seed": 7, "cuts": {"outlier_sigma": 8.0, "max_mag_err": 1.086}},
        hardware={"cpu": "2 cores", "memory_gib": 7.8},
        commands=(
            Command(
                'argelander query "SELECT object_id, class_pred, period_day FROM out__catalogue LIMIT 5"',
                "The first five objects",
            ),
            Command("argelander describe out__catalogue", "What each column means"),
        ),
    )


def cuts(n):
    """Ledger of the cuts, summed over objects."""
    rows = []
    for survey, before in (("gaia", 60 * n), ("ps1", 40 * n), ("ztf", 114 * n)):
        for cut, part in (("flagged", 0.021), ("positive_error", 0.0), ("well_measured", 0.004), ("outlier", 0.0013)):
            removed = int(before * part)
            rows.append({"cut": cut, "survey": survey, "n_removed": removed, "n_before": before})
            before -= removed
    return pa.Table.from_pylist(rows)


def quarantine():
    """Fifty-seven rejected rows of two kinds."""
    names = ("table", "column", "check", "key", "value")
    rows = [("raw_sample__epoch", "mag_err", "finite", f"sky-{i}/ztf", "NaN") for i in range(45)]
    rows += [("core_sample__source", "dec", "range", f"sky-{i}", "-93.2") for i in range(12)]
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])


def timings(n):
    """Seconds and rows of the stages of a small run."""
    pairs = (("sample", 3.2), ("clean", 6.8), ("featurize", 95.0), ("train", 141.0), ("score", 9.1), ("publish", 7.4))
    return [{"stage": stage, "seconds": seconds, "rows": n} for stage, seconds in pairs]


def bare_report():
    """A report with nothing but its head: every piece is absent."""
    return ReportData("Nothing yet", "empty", "run-0", datetime(2026, 1, 1, tzinfo=UTC), "0.1.0", 0, 0, ())


def phase_only(report):
    """The same report for a dataset of phases without periods, errors, positions or truth."""
    curves = tuple(replace(c, period_day=None, mag_err=None, band=0 * c.band, bands=("I",)) for c in report.curves)
    return replace(report, curves=curves, sky=None, periods=None, bands=("I",))
