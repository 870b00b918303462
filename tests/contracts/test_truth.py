"""The truth of the embedded sky is read by evaluation alone."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAY_NAME_IT = {
    "schemas/tables/label.py",  # declares it
    "tasks/surveys/truth.py",  # asks the replica for it, and takes it into the lake
    "tasks/replica/tables/truth.py",  # tells it
    "tasks/stages/publish/stage.py",  # evaluates against it
}


def modules() -> list[Path]:
    return [path for room in ("flows", "tasks", "lakehouse", "schemas") for path in (ROOT / room).rglob("*.py")]


def test_only_evaluation_names_the_truth_table():
    named = {str(path.relative_to(ROOT)) for path in modules() if "label_truth" in path.read_text().lower()}
    assert named == MAY_NAME_IT


def test_training_imports_nothing_that_reads_it():
    """Neither the training door nor the science below it imports the evaluating door or the sky."""
    for path in [
        ROOT / "tasks/stages/train/stage.py",
        ROOT / "tasks/stages/inputs.py",
        *(ROOT / "tasks/learning").rglob("*.py"),
    ]:
        tree = ast.parse(path.read_text())
        imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not {name for name in imported if name.startswith(("tasks.stages.publish.stage", "tasks.replica"))}, path
