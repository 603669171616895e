"""What can be broken in a module of rules, found by its syntax tree; see mutants.py."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

SWAPPED = {"matmul": 0, "inner": 0, "where": 1, "moveaxis": 1, "divide": 0, "solve": 0}
"""Functions whose arguments can be confused, and the first of the two."""
SUMS = ("sum", "cumsum", "unbroadcast")
MOVES = ("swapaxes", "transpose", "moveaxis", "flip")
SIGNS = {ast.Sub: "-", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}
OPPOSITE = {
    ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
NUMBERS = (ast.BinOp, ast.Call, ast.Name, ast.Subscript, ast.UnaryOp, ast.IfExp)


def text(node: ast.AST) -> str:
    return f"({ast.unparse(node)})"


def mutations(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    """What can be broken at one node: the kind, what is replaced, and by what."""
    match node:
        case ast.Lambda(body=value) | ast.Return(value) if isinstance(value, NUMBERS):
            yield "sign", value, f"(-{text(value)})"
            yield "factor", value, f"(2 * {text(value)})"
        case ast.Return(ast.Dict(values=values)):
            for value in values:
                yield "factor", value, f"(2 * {text(value)})"
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield "sign", node, text(operand)
        case ast.BinOp(left, op, right):
            if type(op) in SIGNS and text(left) != text(right):
                yield "swapped", node, f"({text(right)} {SIGNS[type(op)]} {text(left)})"
            if not isinstance(op, (ast.MatMult, ast.Pow)):
                yield "dropped", node, text(left)
            if isinstance(op, (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr)):
                yield "dropped", node, text(right)
        case ast.Compare(left, [op], [right]):
            yield "comparison", node, f"({text(left)} {OPPOSITE[type(op)]} {text(right)})"
        case ast.AugAssign(target, _, value):
            yield "overwritten", node, f"{ast.unparse(target)} = {text(value)}"
        case ast.Expr(ast.Call(ast.Attribute(attr="at"), [array, index, value])):
            yield "overwritten", node, f"{text(array)}[{text(index)}] = {text(value)}"
        case ast.Expr(
            ast.Call(
                ast.Attribute(ast.Call(ast.Attribute(x, "setdefault"), [key, _])), [g]
            )
        ):
            yield "overwritten", node, f"{text(x)}[{text(key)}] = [{text(g)}]"
        case ast.Attribute(matrix, "T"):
            yield "axis", node, text(matrix)
        case ast.Subscript(slice=index):
            for part in ast.walk(index):
                if isinstance(part, ast.Constant) and type(part.value) is int:
                    yield "index", part, str(part.value + 1)
        case ast.Call(ast.Name("range"), [stop]):
            yield "index", stop, f"{text(stop)} - 1"
        case ast.Call(function, args, keywords):
            name = getattr(function, "attr", getattr(function, "id", ""))
            i = SWAPPED.get(name, len(args))
            if len(args) >= i + 2:
                other = [*args[:i], args[i + 1], args[i], *args[i + 2 :]]
                yield "swapped", node, ast.unparse(ast.Call(function, other, keywords))
            if name in SUMS:
                unsummed = args[0] if args else function.value
                yield "unsummed", node, text(unsummed)
            if name in MOVES:
                yield "axis", node, text(args[0])
            for word, value in ((k.arg, k.value) for k in keywords):
                if word == "keepdims" and isinstance(value, ast.Constant):
                    yield "axis", value, str(not value.value)
                if word == "axis" and ast.unparse(value) in ("0", "-1"):
                    yield "axis", value, "0" if ast.unparse(value) == "-1" else "-1"


def computing(node: ast.AST, number: bool = True) -> Iterator[ast.AST]:
    """The nodes that compute: no annotation, decorator, default or error message.

    `number` says whether the function around them returns numbers, by its annotation.
    """
    raises = isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise)
    if raises or isinstance(node, (ast.Raise, ast.JoinedStr, ast.arguments)):
        return
    if isinstance(node, ast.FunctionDef):
        inner = {n.name for n in node.body if isinstance(n, ast.FunctionDef)}
        last = ast.unparse(node.body[-1]).removeprefix("return ")
        number = bool(node.returns) and last not in inner
        number = number and ast.unparse(node.returns).endswith(("Any", "Array", "Array]"))
    if number or not isinstance(node, ast.Return):
        yield node
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns", "decorator_list"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from computing(child, number)


@dataclass(frozen=True)
class Unit:
    """A part of a module: one VJP, one function, one method.

    `bound` is the name by which the others `use` it; `rows` begin the names of rows of
    the table of operations.
    """

    name: str
    node: ast.AST
    rows: frozenset[str]
    bound: str | None = None
    uses: frozenset[str] = frozenset()


def units(body: list[ast.stmt], rows: frozenset[str] = frozenset()) -> Iterator[Unit]:
    for node in body:
        uses = frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        match node:
            case ast.FunctionDef(name, decorator_list=marks):
                own = rows | {name} | attributes(*marks)
                yield Unit(name, node, own, name, uses)
            case ast.ClassDef(name, body=inner):
                for unit in units(inner):
                    yield Unit(f"{name}.{unit.name}", unit.node, rows, name, uses)
            case ast.For(iter=functions, body=inner):
                yield from units(inner, rows | attributes(functions))
            case ast.If(body=inner):
                yield from units(inner, rows)
            case ast.Expr(ast.Call(function, [_, *_] as args)):
                ours = isinstance(function, ast.Attribute)  # sigmoid.defvjp(…)
                declared, *vjps = [function.value, *args] if ours else args
                name = ast.unparse(declared).removeprefix("np.")
                own = rows | {name} | attributes(declared)
                for i, vjp in enumerate(vjps or [function]):
                    place = f"{name}.{i}" if len(vjps) > 1 else name
                    yield Unit(place, vjp, own, name if ours else None, uses)
            case ast.Assign(targets=[target]) | ast.AnnAssign(target):
                name = ast.unparse(target)
                yield Unit(name, node, rows | {name}, name, uses)


def attributes(*nodes: ast.AST) -> set[str]:
    """The last names of np.tanh, np.linalg.inv, …."""
    return {
        n.attr for node in nodes for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }


def reached(unit: Unit, others: list[Unit]) -> set[str]:
    """The rows of what a unit is and of all that is made with it."""
    found, rows, stack = {unit.bound}, set(unit.rows), [unit]
    while stack:
        bound = stack.pop().bound
        for user in others:
            if bound in user.uses and user.name not in found:
                found.add(user.name)
                rows |= user.rows
                stack.append(user)
    return rows


def broken(source: bytes) -> Iterator[tuple[str, str, int, int, str, tuple[str, ...]]]:
    """(name, kind, start, stop, text, rows) for all that can be broken in a module.

    `text` is to take the place of the bytes from `start` to `stop`. The name is that of
    the unit, the kind, and a number from the second of a kind on.
    """
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    numbers, seen, parts = Counter(), set(), list(units(ast.parse(source).body))
    for unit in parts:
        rows = tuple(sorted(reached(unit, parts)))
        for node in computing(unit.node):
            for kind, old, new in mutations(node):
                start = starts[old.lineno - 1] + old.col_offset
                stop = starts[old.end_lineno - 1] + old.end_col_offset
                if (start, stop, new) not in seen:
                    seen.add((start, stop, new))
                    name = f"{unit.name}:{kind}"
                    numbers[name] += 1
                    number = f":{numbers[name]}" if numbers[name] > 1 else ""
                    yield name + number, kind, start, stop, new, rows
