"""What does the training of the trees cost, against the recipes before them? And how many stars do they score?

    argelander bench training [stars, default 600] [share of the trees, default 0.1] [highest frequency, default 2]

Embedded stars in all four archives, the class and three quantities, the feature columns of all bands; the network
recipes have a benchmark of their own. Each recipe is trained on all folds but the first. With a share below 1 it grows
that share of its trees, and one alone: from the two follows the time of all, for trees cost the same one by one.
"Before" are the three forests as they were: 300 trees, and each drew as many objects as there are.
The loss is that of the forest, on the first fold, as a paired 95 % interval over its stars: it means something with all
trees alone. A low highest frequency makes the search of periods cheap: long periods suffice to train on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from tasks.features import FeatureConfig, compute_features, declared_columns
from tasks.learning.data import Examples, examples_from_table
from tasks.learning.fit import Model, fit
from tasks.learning.recipe import Recipe
from tasks.learning.recipes import STANDARD, recipes_for
from tasks.learning.spec import Offer
from tasks.learning.splits import split
from tasks.learning.targets import CLASS, Classification, Regression, Target
from tasks.lightcurves.batch import LightCurveBatch, concatenate
from tasks.lightcurves.cuts import cut_by_survey
from tasks.lightcurves.series import PeriodConfig
from tasks.sky import Sky, generate
from tasks.surveys.cuts import CutConfig

SEED, BLOCK, N_FOLD = 20_261, 500, 5
BEFORE = ("colour_forest", "forest", "balanced_forest")
AS_BEFORE = {"trees": 300, "most_drawn": 10**9}
QUANTITIES = ("teff_k", "radius_rsun", "feh_dex")
RATIO, RATE = 0.3, 5_000.0  # of the time before, at most, for 20,000 stars; stars/s/core, at least
TREES = ("trees", "rounds")  # what a recipe calls the number of them


def joined(sky: Sky) -> LightCurveBatch:
    """The clean light curves of each source, of all surveys together."""
    every = concatenate(list(sky.epochs.values()))
    survey = np.repeat(np.arange(len(sky.epochs)), [len(batch) for batch in sky.epochs.values()])
    order = np.lexsort((survey, every.source_id))
    return cut_by_survey(every.select(order), survey[order], CutConfig())[0].merge_rows().sort_by_time()


def embedded(n: int, f_max: float) -> tuple[Examples, Offer, pd.DataFrame]:
    """Features of n embedded stars, what they offer, and their published labels by source_id, None or NaN for none."""
    tables, labels, inputs = [], [], ("parallax", "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error")
    for start in range(0, n, BLOCK):
        sky = generate(n, SEED, start=start, stop=min(start + BLOCK, n))
        curves = joined(sky)
        groups = tuple(2 if band.endswith("_ztf") else int(band.endswith("_ps1")) for band in curves.bands)
        period = replace(PeriodConfig(), f_max=f_max)
        config = FeatureConfig(groups=groups, surveys=tuple(sky.epochs), inputs=inputs, period=period)
        sources = sky.sources.to_pandas().set_index("source_id").loc[curves.source_id]
        tables.append(compute_features(curves, config, {name: sources[name].to_numpy(float) for name in inputs}))
        named = sky.class_labels.to_pandas().drop_duplicates("source_id").set_index("source_id")["class"]
        values = sky.parameter_labels.to_pandas().drop_duplicates(["source_id", "quantity"])
        values = values.pivot(index="source_id", columns="quantity", values="value")
        labels.append(sources[[]].join(named).join(values))
    table = pa.concat_tables(tables)
    declared = declared_columns(curves.bands, config.surveys)
    columns = {name: declared[name] for name in table.column_names if name in declared}
    return examples_from_table(table, tuple(columns)), Offer(columns), pd.concat(labels)


@dataclass(frozen=True)
class Trained:
    """A model without the first fold, seconds of processor time with all trees, and raw predictions of that fold."""

    model: Model
    seconds: float
    raw: np.ndarray


def recipes(names: tuple[str, ...], target: Target, share: float, options: dict | None = None) -> Iterator[Recipe]:
    """The recipes of features among `names` for a target, each with a share of its trees."""
    for recipe in recipes_for(names, (target,), {name: options for name in names} if options else None):
        own = {
            name: max(2, round(share * getattr(recipe.config, name))) for name in TREES if hasattr(recipe.config, name)
        }
        if own and not recipe.spec.reads_curves:
            yield replace(recipe, config=replace(recipe.config, **own))


def train(recipe: Recipe, examples: Examples, y: np.ndarray, fold: np.ndarray, share: float) -> Trained:
    """Trained on all folds but the first, with a share of the trees."""
    name = next(name for name in TREES if hasattr(recipe.config, name))
    n, own, spent = getattr(recipe.config, name), examples.select(fold != 0), []
    for each in (replace(recipe, config=replace(recipe.config, **{name: 1})), recipe):
        began = time.process_time()
        model = fit(each, own, y[fold != 0])
        spent.append(time.process_time() - began)
    one, some = spent
    seconds = one + (some - one) / (n - 1) * (n / share - 1)
    return Trained(model, max(seconds, some), model.predict(examples.select(fold == 0)))


def warm_up(examples: Examples, offer: Offer, labels: pd.DataFrame) -> None:
    """Everything imported that trains a class: two trees each, of a few stars."""
    few = np.flatnonzero(labels[CLASS.name].notna())[:50]
    for recipe in recipes((*BEFORE, *STANDARD), CLASS, 0.0):
        fit(recipe.complete_for(offer), examples.select(few), labels[CLASS.name].to_numpy()[few].astype(str))


def loss_of(target: Target, before: Trained, now: Trained, y: np.ndarray) -> str:
    """Accuracy, or RMSE, of now less before, with its paired 95 % interval over stars."""

    def right(raw: np.ndarray) -> np.ndarray:
        return raw.argmax(1) == np.searchsorted(before.model.target.classes, y)

    draws = np.random.default_rng(0).integers(0, y.size, (1000, y.size))
    if isinstance(target, Classification):
        each = np.stack([right(before.raw), right(now.raw)]).astype(float)
        figure, name = each[:, draws].mean(-1), "accuracy"
    else:
        assert isinstance(target, Regression)
        each = np.stack([(one.raw[:, 0] - target.to_learned(y)) ** 2 for one in (before, now)])
        figure, name = np.sqrt(each[:, draws].mean(-1)), "RMSE (learned space)"
    low, high = np.quantile(figure[1] - figure[0], [0.025, 0.975])
    return f"{name} of the forest now less before: [{low:+.4f}, {high:+.4f}] of {y.size}"


def rate_of(model: Model, examples: Examples, share: float) -> float:
    """Stars that it would score in a second of one core with all of its trees."""
    spent = []
    for run in (model.predict, model.predict, lambda own: own.matrix(own.feature_names)):
        began = time.process_time()
        run(examples)
        spent.append(time.process_time() - began)
    _, whole, taken = spent  # the first has compiled the trees; what is taken of the columns does not grow with them
    return len(examples) / (max(whole - taken, 0.0) / share + taken)


def main(n: int = 600, share: float = 0.1, f_max: float = 2.0) -> float:
    """Prints the times and the ratio; returns it."""
    examples, offer, labels = embedded(n, f_max)
    print(f"{n:,} embedded stars, {len(offer.columns)} columns; {share:.0%} of the trees, one of {N_FOLD} folds")
    print("| target | stars | recipe | before, s | now, s | now, stars/s/core |\n" + "|---" * 6 + "|")
    warm_up(examples, offer, labels)
    total = np.zeros(2)
    targets: tuple[Target, ...] = (CLASS, *map(Regression.of, QUANTITIES))
    for target in targets:
        y = labels[target.name].fillna(target.missing).to_numpy()
        y = y.astype(str) if isinstance(target, Classification) else y.astype(float)
        known = target.is_usable(y)
        own, y = examples.select(known), y[known]
        fold = split(target, y, own.source_id, N_FOLD, 0.0, SEED).fold
        found = [
            {r.name: train(r.complete_for(offer), own, y, fold, share) for r in recipes(names, target, share, options)}
            for names, options in ((BEFORE, AS_BEFORE), (STANDARD, None))
        ]
        for name in {**found[0], **found[1]}:
            cells = [f"{one[name].seconds:.1f}" if name in one else "" for one in found]
            rate = f"{rate_of(found[1][name].model, own, share):,.0f}" if name in found[1] else ""
            print(f"| {target.name} | {y.size:,} | {name} | {cells[0]} | {cells[1]} | {rate} |", flush=True)
        total += [sum(one.seconds for one in each.values()) for each in found]
        print(loss_of(target, found[0]["forest"], found[1]["forest"], y[fold == 0]))
    times = (f"{name} {seconds * N_FOLD:,.0f} s" for name, seconds in zip(("before", "now"), total, strict=True))
    print(f"processor time of {N_FOLD} folds: {', '.join(times)}; ratio {total[1] / total[0]:.2f} (limit {RATIO} for "
          f"20,000 stars); scoring wanted at {RATE:,.0f} stars/s/core")  # fmt: skip
    return float(total[1] / total[0])


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((int, float, float), sys.argv[1:4], strict=False)))
