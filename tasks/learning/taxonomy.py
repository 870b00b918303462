"""Trees of classes: which groups are told apart first, and which classes inside of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Pairs of a branch and what hangs from it: classes, and other branches. What hangs from none hangs from the root.
Taxonomy = tuple[tuple[str, tuple[str, ...]], ...]
Way = int | list["Way"]  # a class, or the ways that part here

# Of Sanchez-Saez et al. 2021 (AJ 161, 141), section 3.1: transient, stochastic or periodic first; the periodic are
# told apart once more here, by what varies. The names are those of the surveys and presets of this project.
DEFAULT: Taxonomy = (
    ("periodic", ("RR Lyrae", "Cepheids", "delta Scuti", "long periods", "binaries", "rotation", "Periodic-Other")),
    ("RR Lyrae", ("RRL", "RRLyr", "RR Lyr", "RRab", "RRc", "RRd", "Blazhko")),
    ("Cepheids", ("CEP", "Cep", "Cepheid", "ACEP", "aCep", "T2CEP", "T2Cep", "Cep_II")),
    ("delta Scuti", ("DSCT", "DSCT_SXPHE", "HADS", "LADS", "δ Sct")),
    ("long periods", ("LPV", "MIRA", "MIRA_SR", "Mira", "SR")),
    ("binaries", ("E", "ECL", "EA", "EB", "EW", "beta_lyrae", "ELL", "Ellipsoidal", "PCEB", "R", "Hump", "DPV")),
    ("rotation", ("RS_CVn", "BY")),
    ("stochastic", ("AGN", "QSO", "Blazar", "YSO", "CV/Nova", "RCB")),
    ("transient", ("SNIa", "SNIbc", "SNII", "SLSN")),
)


def check_taxonomy(taxonomy: Taxonomy) -> Taxonomy:
    """The taxonomy; ValueError where a name hangs twice, or a branch from itself, at whatever distance."""
    names = [name for name, _ in taxonomy]
    hanging = [member for _, members in taxonomy for member in members]
    twice = sorted({name for part in (names, hanging) for name in part if part.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} stands twice; a class or branch hangs from one branch")
    above = {member: name for name, members in taxonomy for member in members}
    for name in names:
        seen = set()
        while name in above and name not in seen:
            seen.add(name)
            name = above[name]
        if name in seen:
            raise ValueError(f"the branch {name!r} hangs from itself")
    return taxonomy


def branchings(taxonomy: Taxonomy, classes: Sequence[str]) -> list[list[list[int]]]:
    """The places at which `classes` (C,) part: at each the groups of their numbers, one for each way to go.

    The first is the root, and every class is alone in the last of its groups. Where there is one way to go is no place.
    """
    members, number = dict(taxonomy), {name: each for each, name in enumerate(classes)}
    hanging = {member for below in members.values() for member in below}

    def ways_from(names: Iterable[str]) -> list[Way]:
        ways: list[Way] = []
        for name in names:
            own: list[Way] = [number[name]] if name in number else []
            if below := own + ways_from(members.get(name, ())):
                ways.append(_join(below))
        return ways

    return _places(_join(ways_from([name for name in dict.fromkeys((*members, *classes)) if name not in hanging])))


def _join(ways: list[Way]) -> Way:
    """The ways as one; where there is but one, that one."""
    return ways[0] if len(ways) == 1 else ways


def _classes(way: Way) -> list[int]:
    return [way] if isinstance(way, int) else [each for part in way for each in _classes(part)]


def _places(way: Way) -> list[list[list[int]]]:
    if isinstance(way, int):
        return []
    return [[_classes(part) for part in way], *(place for part in way for place in _places(part))]
