"""Every table of the lake. A new one is a file here, and its name below."""

from importlib import import_module

from schemas.table import TableSpec

# Modules of this folder, with the tables that each declares, in the order of the data dictionary.
MODULES = (
    "request",
    "epoch",
    "sample",
    "input",
    "survey",
    "match",
    "successor",
    "quantity",
    "name",
    "quality",
    "feature",
    "label",
    "score",
    "run",
    "catalogue",
)
TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for name in MODULES
    for spec in vars(import_module(f"{__name__}.{name}")).values()
    if isinstance(spec, TableSpec)
}
