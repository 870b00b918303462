"""Which table and column each name of a query means, and what columns come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from sqlglot import exp

from tasks.replica.adql.errors import AdqlError
from tasks.replica.adql.grammar import is_list
from tasks.replica.served import ServedColumn, ServedTable


@dataclass(frozen=True)
class Output:
    """A column of an answer: its name, and the served column that it is, where it is no more than that."""

    name: str
    served: ServedColumn | None = None


@dataclass
class Source:
    """A table or sub-select of a FROM: the name that columns are qualified by, and its columns by lower-case name."""

    alias: str
    columns: dict[str, Output]
    table: ServedTable | None = None
    full_name: str = ""


@dataclass
class Scope:
    """Names that can be used at one level of a query; a sub-select also sees those of the levels around it."""

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)  # columns of USING: one column of two tables
    outputs: list[Output] = field(default_factory=list)

    def source(self, qualifier: str) -> Source | None:
        """The table with this alias or full name, of the nearest query that has it; None where no query has."""
        wanted = qualifier.lower()
        for source in self.sources:
            if wanted in (source.alias, source.full_name):
                return source
        return self.parent.source(qualifier) if self.parent else None

    def holders(self, name: str) -> list[Source]:
        """The sources that have an unqualified column, of the nearest level that has any."""
        found = [source for source in self.sources if name in source.columns]
        return found or (self.parent.holders(name) if self.parent else [])


def resolve(query: exp.Query, tables: Mapping[str, ServedTable], parent: Scope | None = None) -> list[Output]:
    """Point every name in the query to the view's columns, in place, and say what comes out.

    `tables` has lower-case qualified names. AdqlError names an unknown or ambiguous table or column. A column
    that was served as it stands keeps its `ServedColumn` in the node's ``meta["served"]``.
    """
    if isinstance(query, exp.SetOperation):
        return _resolve_union(query, tables, parent)
    scope = Scope(parent)
    _resolve_from(query, tables, scope)
    projections = [new for old in query.expressions for new in _expand(old, scope)]
    for projection in projections:
        _resolve_columns(projection, tables, scope)
    scope.outputs = _distinct([_output(projection, place) for place, projection in enumerate(projections, start=1)])
    query.set("expressions", [_name(*pair) for pair in zip(projections, scope.outputs, strict=True)])
    for clause in ("where", "group", "having", "order"):
        node = query.args.get(clause)
        if node is not None:
            _resolve_columns(node, tables, scope, clause)
    return scope.outputs


def _resolve_union(query: exp.SetOperation, tables: Mapping[str, ServedTable], parent: Scope | None) -> list[Output]:
    left, right = (resolve(_unwrap(part), tables, parent) for part in (query.this, query.expression))
    if len(left) != len(right):
        raise AdqlError(f"{query.key.upper()} joins {len(left)} columns with {len(right)}")
    scope = Scope(parent, outputs=left)
    if (order := query.args.get("order")) is not None:
        _resolve_columns(order, tables, scope, "order")
    return left


def _resolve_from(query: exp.Query, tables: Mapping[str, ServedTable], scope: Scope) -> None:
    start = query.args.get("from_")
    if start is None:
        raise AdqlError("a query says FROM which table it reads")
    _add_source(start.this, tables, scope)
    for join in query.args.get("joins") or []:
        _check_join(join)
        source = _add_source(join.this, tables, scope)
        for using in join.args.get("using") or []:
            name = using.name.lower()
            if name not in source.columns or not any(name in other.columns for other in scope.sources[:-1]):
                raise AdqlError(f"USING ({using.name}) needs that column in both tables, found in one or none")
            scope.merged.add(name)
            using.replace(quote(source.columns[name].name))
        if (condition := join.args.get("on")) is not None:
            _resolve_columns(condition, tables, scope)


def _check_join(join: exp.Join) -> None:
    if join.method:
        raise AdqlError(f"{join.method.upper()} JOIN is not supported by this service")
    if join.kind not in ("", "INNER", "OUTER", "CROSS"):
        raise AdqlError(f"{join.kind.upper()} JOIN is not supported by this service")
    if join.side and not (join.args.get("on") or join.args.get("using")):
        raise AdqlError(f"{join.side} JOIN says ON or USING which columns")


def _add_source(node: exp.Expr, tables: Mapping[str, ServedTable], scope: Scope) -> Source:
    alias = node.alias.lower()
    if node.alias_column_names:
        raise AdqlError(f"columns are not renamed in FROM: {node.sql()[:100]}")
    if isinstance(node, exp.Subquery):
        if not alias:
            raise AdqlError("a sub-select in FROM needs a name: (SELECT ...) AS name")
        columns = resolve(_unwrap(node), tables, scope.parent)
        source = Source(alias, {column.name.lower(): column for column in columns})
        node.set("alias", exp.TableAlias(this=quote(alias)))
    elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) and not node.args.get("joins"):
        table = _table(node, tables)
        columns = [Output(column.name, column) for column in table.columns]
        full_name = "" if alias else _full_name(node)
        alias = alias or node.name.lower()
        source = Source(alias, {column.name.lower(): column for column in columns}, table, full_name)
        node.replace(exp.Table(this=quote(table.relation), alias=exp.TableAlias(this=quote(alias))))
    else:
        raise AdqlError(f"FROM reads tables and sub-selects, found {node.sql()[:100]}")
    if any(other.alias == alias for other in scope.sources):
        raise AdqlError(f'two tables of one query are called "{alias}": give one of them another name with AS')
    scope.sources.append(source)
    return source


def _full_name(node: exp.Table) -> str:
    return ".".join(part.name for part in node.parts).lower()


def _table(node: exp.Table, tables: Mapping[str, ServedTable]) -> ServedTable:
    name = _full_name(node)
    if name not in tables:
        near = get_close_matches(name, tables, 3, 0.5)
        raise AdqlError(f'unknown table "{name}"' + (f"; near are {', '.join(near)}" if near else ""))
    return tables[name]


def _unwrap(node: exp.Expr) -> exp.Query:
    while isinstance(node, exp.Subquery | exp.Paren):
        node = node.this
    if not isinstance(node, exp.Query):
        raise AdqlError(f"a sub-select is a SELECT, found {node.sql()[:100]}")
    return node


def _expand(projection: exp.Expr, scope: Scope) -> list[exp.Expr]:
    """The columns that * or name.* stand for; any other projection as it is."""
    if isinstance(projection, exp.Star):
        sources = scope.sources
    elif isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
        qualifier = ".".join(part.name for part in projection.parts[:-1])
        source = scope.source(qualifier)
        if source is None:
            raise AdqlError(f'unknown table "{qualifier}" in {qualifier}.*')
        sources = [source]
    else:
        return [projection]
    columns: list[exp.Expr] = []
    shown: set[str] = set()
    for source in sources:
        for name, column in source.columns.items():
            if len(sources) > 1 and name in scope.merged:
                if name in shown:
                    continue
                shown.add(name)
                columns.append(exp.column(exp.to_identifier(column.name, quoted=True)))
            else:
                columns.append(exp.column(quote(column.name), table=quote(source.alias)))
    return columns


def _resolve_columns(node: exp.Expr, tables: Mapping[str, ServedTable], scope: Scope, clause: str = "") -> None:
    """Resolve the columns below a node; sub-selects among them by themselves, with this level around them."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.Query) and not isinstance(part, exp.Subquery):
            resolve(part, tables, scope)
        elif isinstance(part, exp.Column):
            _resolve_column(part, scope, clause)
        elif is_list(part):
            stack.append(part.this)
        else:
            stack.extend(part.iter_expressions())


def _resolve_column(column: exp.Column, scope: Scope, clause: str) -> None:
    name, qualifier = column.name.lower(), ".".join(part.name for part in column.parts[:-1])
    if isinstance(column.this, exp.Star):
        raise AdqlError("* stands alone, after a table's name, or in COUNT(*)")
    if qualifier:
        source = scope.source(qualifier)
        if source is None:
            raise AdqlError(f'unknown table "{qualifier}" in {qualifier}.{column.name}')
        if name not in source.columns:
            raise AdqlError(_unknown(column.name, [source]))
        return _point(column, source.columns[name], source.alias)
    output = next((one for one in scope.outputs if one.name.lower() == name), None)
    if output and clause == "order":
        return _point(column, output, None)
    holders = scope.holders(name)
    if len(holders) > 1 and name not in scope.merged:
        raise AdqlError(f'column "{column.name}" is in {" and ".join(one.alias for one in holders)}: say which')
    if holders:
        return _point(column, holders[0].columns[name], None if name in scope.merged else holders[0].alias)
    if output and clause == "group":
        return _point(column, output, None)
    raise AdqlError(_unknown(column.name, scope.sources))


def _point(column: exp.Column, output: Output, alias: str | None) -> None:
    column.set("this", quote(output.name))
    column.set("table", quote(alias) if alias else None)
    column.set("db", None)
    column.set("catalog", None)
    column.meta["served"] = output.served


def _unknown(name: str, sources: list[Source]) -> str:
    near = get_close_matches(name.lower(), [column for source in sources for column in source.columns], 3)
    where = " or ".join(source.full_name or source.alias for source in sources) or "the answer"
    return f'unknown column "{name}" in {where}' + (f"; near are {', '.join(near)}" if near else "")


def _output(projection: exp.Expr, place: int) -> Output:
    """Name and origin of a projection. How live services call unnamed expressions is not confirmed."""
    inner = projection.unalias()
    served = inner.meta.get("served") if isinstance(inner, exp.Column) else None
    if projection.alias:
        return Output(projection.alias, served)
    if isinstance(inner, exp.Column):
        return Output(inner.name, served)
    if isinstance(inner, exp.Count) and isinstance(inner.this, exp.Star):
        return Output("COUNT_ALL")
    if isinstance(inner, exp.Func):
        return Output("distance" if isinstance(inner, exp.Anonymous) else inner.key)
    return Output(f"col{place}")


def _distinct(outputs: list[Output]) -> list[Output]:
    """Names told apart by _2, _3 and so on where a name comes twice."""
    taken: set[str] = set()
    result = []
    for output in outputs:
        name, count = output.name, 1
        while name.lower() in taken:
            count += 1
            name = f"{output.name}_{count}"
        taken.add(name.lower())
        result.append(Output(name, output.served))
    return result


def _name(projection: exp.Expr, output: Output) -> exp.Alias:
    return exp.Alias(this=projection.unalias(), alias=quote(output.name))


def quote(name: str) -> exp.Identifier:
    """`name` as an identifier that keeps its case."""
    return exp.to_identifier(name, quoted=True)
