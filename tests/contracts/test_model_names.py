"""No code outside its own rooms names a model: everyone asks its spec."""

import ast
from pathlib import Path

from schemas.quantities import QUANTITIES
from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipes import RECIPES, STANDARD, recipes_for
from tasks.learning.targets import KINDS, targets_for

ROOT = Path(__file__).parents[2]
OWN = ("tasks/learning/models/", "tasks/learning/recipes/")
# A preset may set a recipe otherwise by its name; a family of features is no model.
ALLOWED = {
    "flows/presets.py": set(RECIPES),
    "tasks/features/__init__.py": {"folded"},
    "tasks/features/folded.py": {"folded"},
}


def named(path: Path) -> set[str]:
    """Names of models among the string constants of a file."""
    found = ast.walk(ast.parse(path.read_text()))
    return {node.value for node in found if isinstance(node, ast.Constant) and node.value in MODELS}


def test_no_model_is_named_outside_models_and_recipes():
    paths = {
        str(path.relative_to(ROOT)): path
        for room in ("flows", "tasks", "lakehouse", "schemas")
        for path in (ROOT / room).rglob("*.py")
    }
    offences = {
        name: named(path) - ALLOWED.get(name, set()) for name, path in paths.items() if not name.startswith(OWN)
    }
    assert {name: names for name, names in offences.items() if names} == {}


def test_the_search_finds_a_name(tmp_path):
    (tmp_path / "guilty.py").write_text(f"is_network = model == {list(MODELS)[-1]!r}")
    assert named(tmp_path / "guilty.py") == {list(MODELS)[-1]}


def test_every_model_is_registered_under_its_own_name_and_ranked_by_simplicity():
    specs = [spec_of(name) for name in MODELS]
    assert [spec.name for spec in specs] == list(MODELS)
    assert len({spec.simplicity for spec in specs}) == len(specs)
    assert all(spec.config() == spec.config() and set(spec.kinds) <= set(KINDS.values()) for spec in specs)


def test_every_registered_recipe_is_complete_and_of_a_registered_model():
    recipes = recipes_for(tuple(RECIPES), targets_for(QUANTITIES))
    assert {recipe.name for recipe in recipes} == set(RECIPES) >= set(STANDARD)
    assert all(recipe.model in MODELS and recipe.config is not None for recipe in recipes)
