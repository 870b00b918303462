"""Train: every recipe of every target on folds; the best out of fold becomes current."""
