"""One place tells the real archives from a replica: addresses, credentials and limits are all that differs."""

import ast
from pathlib import Path

import pytest

from flows.presets import preset
from flows.settings import override

ROOT = Path(__file__).parents[2]
ROOMS = ("tasks", "lakehouse", "schemas")
ENVIRONMENTS = {"live", "replica", "demo"}
MAY_TELL = (
    "tasks/stages/acquire/addresses.py", "tasks/archives/endpoints.py", "tasks/archives/services.py", "tasks/replica/",
    "schemas/inputs.py",  # declares the setting
)  # fmt: skip
MAY_START = ("tasks/stages/acquire/addresses.py", "flows/cli.py", "tasks/replica/")
# What flows may say of them, and no more: settings and presets that bear these names, and where the command `replica`
# keeps its tables. None of it decides anything.
FLOWS_SAY = {
    "flows/cli.py": ["'replica'"],
    "flows/presets.py": ["'demo'"] * 4,
}
# What stands for one side of the distinction, by the module that has it.
SIDES = {
    "tasks.archives.endpoints": {"LIVE", "replica"},
    "tasks.archives.services": {"PROFILES"},
}

# Attributes that only one side has: the addresses, the limits, and where the HATS catalogues of a survey are.
SIDES_BY_ATTRIBUTE = {"LIVE", "PROFILES", "live_address"}


def mentions(tree: ast.AST) -> list[str]:
    """Where code names an environment, takes one side of the distinction, or decides by an endpoint or a profile."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in ENVIRONMENTS:
            found.append(f"line {node.lineno}: {node.value!r}")
        elif isinstance(node, ast.ImportFrom):
            taken = SIDES.get(node.module or "", set()) & {alias.name for alias in node.names}
            found += [f"line {node.lineno}: import of {name}" for name in sorted(taken)]
        elif isinstance(node, ast.Attribute) and node.attr in SIDES_BY_ATTRIBUTE:
            found.append(f"line {node.lineno}: .{node.attr}")
        elif isinstance(node, ast.Compare | ast.If | ast.IfExp | ast.While | ast.BoolOp | ast.Match):
            tested = node.subject if isinstance(node, ast.Match) else getattr(node, "test", node)
            names = {getattr(part, "attr", getattr(part, "id", None)) for part in ast.walk(tested)}
            found += [f"line {node.lineno}: a decision by {name}" for name in sorted(names & {"endpoint", "profile"})]
    return found


def replica_imports(tree: ast.AST) -> list[str]:
    """Modules of the replica that are imported."""
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return [name for name in names if name == "tasks.replica" or name.startswith("tasks.replica.")]


def offences(rooms: tuple[str, ...], allowed: tuple[str, ...], look) -> dict[str, list[str]]:
    """What `look` finds, by module, in the modules of the rooms but the `allowed` ones (files, folders with a /)."""
    paths = {str(path.relative_to(ROOT)): path for room in rooms for path in (ROOT / room).rglob("*.py")}
    trees = {name: ast.parse(path.read_text()) for name, path in paths.items() if not name.startswith(allowed)}
    return {name: found for name, tree in trees.items() if (found := look(tree))}


def test_no_module_but_the_addresses_tells_live_from_replica():
    assert offences(ROOMS, MAY_TELL, mentions) == {}


def test_flows_name_them_and_decide_nothing():
    found = offences(("flows",), (), mentions)
    assert {name: sorted(each.split(": ", 1)[1] for each in found[name]) for name in found} == FLOWS_SAY


def test_only_the_addresses_and_the_command_start_a_replica():
    assert offences((*ROOMS, "flows"), MAY_START, replica_imports) == {}


def test_the_addresses_do_tell_them_apart():
    """The search finds what it looks for where it is allowed to stand."""
    tree = ast.parse((ROOT / "tasks/stages/acquire/addresses.py").read_text())
    assert mentions(tree) and replica_imports(tree)


@pytest.mark.parametrize(
    "code",
    [
        "if source.endpoint == name: pass",
        "if 'live' != where: pass",
        "x = 1 if endpoint.startswith(y) else 2",
        "wait = {'replica': 0.1}[kind]",
        "match source.profile:\n  case _: pass",
        "from tasks.archives.services import PROFILES",
        "from tasks.archives import endpoints\nm = endpoints.LIVE",
        "while not demo_mode and run.endpoint in real: pass",
    ],
)
def test_the_search_finds_a_second_branch(code):
    assert mentions(ast.parse(code))


@pytest.mark.parametrize("code", ["import tasks.replica.serve", "from tasks import replica",
                                  "def f():\n  from tasks.replica.serve import running"])  # fmt: skip
def test_the_search_finds_an_import(code):
    assert replica_imports(ast.parse(code))


def leaves(tree, prefix=()):
    """Every value of nested settings by its path."""
    if isinstance(tree, dict):
        return {path: value for name, part in tree.items() for path, value in leaves(part, (*prefix, name)).items()}
    return {prefix: tree}


def test_live_settings_differ_from_those_of_the_demo_in_one_value():
    demo = preset("demo")
    live = override(demo, ("source.endpoint=live",))
    one, other = leaves(demo.model_dump()), leaves(live.model_dump())
    assert one.keys() == other.keys()
    differing = {path: (one[path], other[path]) for path in one if one[path] != other[path]}
    assert differing == {("source", "endpoint"): ("replica", "live")}
