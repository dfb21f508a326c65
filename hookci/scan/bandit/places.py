"""Where in a file a finding of bandit is, and which code it is about; used in bandit's own process."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import Any

__all__ = ["Found", "Source", "described"]

Found = dict[str, Any]
"""A finding as the process writes it."""

_TEXT_LINES = 5
_LONGEST = 500


class Source:
    """The text of one file, by line, as Python's parser counts lines."""

    def __init__(self, data: bytes) -> None:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        self.text = data.decode(encoding)
        self.lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def column(self, line: int, offset: int) -> int:
        """A column from 1 in code points, of a parser's offset from 0 in bytes of UTF-8."""
        return len(self.lines[line - 1].encode()[:offset].decode(errors="replace")) + 1

    def between(self, first: Any, last: Any) -> str:  # noqa: ANN401 (nodes with a place)
        """The source from the beginning of one node to the end of another."""
        lines = [line.encode() for line in self.lines[first.lineno - 1 : last.end_lineno]]
        lines[-1] = lines[-1][: last.end_col_offset]
        lines[0] = lines[0][first.col_offset :]
        return b"\n".join(lines).decode()


def _one_line(text: str) -> str:
    """A message may hold any text that is in the file, also what is no character."""
    return " ".join(text.split())[:_LONGEST].encode(errors="backslashreplace").decode()


def _matched(node: Any, source: Source) -> str:  # noqa: ANN401 (any node)
    """The source that a rule matched on: enough to tell it from its like, without what surrounds it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return ast.unparse(node.args)  # rules look at the defaults; the function may get another name
    if isinstance(node, ast.Constant):
        return _matched_text(node, source)
    return source.between(node, node)


def _above(node: Any) -> Any:  # noqa: ANN401 (any node)
    """The node that one is in, as bandit notes it on its way down."""
    return node._bandit_parent  # noqa: SLF001 (as bandit's rules do)


def _matched_text(node: Any, source: Source) -> str:  # noqa: ANN401 (any node)
    while _is_part_of_text(node, _above(node)):
        node = _above(node)
    if isinstance(_above(node), ast.Subscript):
        node = _above(node)
    parent = _above(node)
    if isinstance(parent, ast.Dict) and node in parent.keys:
        return source.between(node, parent.values[parent.keys.index(node)])
    whole = isinstance(parent, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.Compare))
    return source.between(parent, parent) if whole else source.between(node, node)


def _is_part_of_text(node: ast.AST, parent: ast.AST) -> bool:
    """Whether ``parent`` builds a text of ``node`` and others: ``+``, ``%``, an f-string, ``.format()``."""
    if isinstance(parent, ast.Attribute):
        return parent.attr in ("format", "replace")
    return isinstance(parent, (ast.BinOp, ast.JoinedStr)) or (isinstance(parent, ast.Call) and parent.func is node)


def _place(issue: Any, node: Any, source: Source) -> Found:  # noqa: ANN401 (bandit has no types)
    """Where it is: lines and columns from 1; the line is always bandit's own."""
    line = issue.lineno
    if node is None:
        text = source.text.splitlines()[line - 1]  # as the one rule does that looks at whole files
        return {"line": line, "column": issue.col_offset, "end_column": issue.col_offset + 1, "text": text}
    if line != node.lineno or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        text = source.lines[line - 1]
        column = len(text) - len(text.lstrip()) + 1
        return {"line": line, "column": column, "end_column": len(text.rstrip()) + 1, "text": text}
    return {
        "line": line,
        "column": source.column(line, node.col_offset),
        "end_line": node.end_lineno,
        "end_column": source.column(node.end_lineno, node.end_col_offset),
        "text": "\n".join(source.lines[line - 1 : min(node.end_lineno, line + _TEXT_LINES - 1)]),
    }


def _covering(issue: Any, node: Any) -> list[int]:  # noqa: ANN401 (bandit has no types)
    """The lines on which a ``# nosec`` is about this finding: those of the statement, of a function its head."""
    lines = {issue.lineno, *issue.linerange}
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        lines = {line for line in lines if line < node.body[0].lineno} | {issue.lineno}
    return [min(lines), max(lines)]


def described(issue: Any, node: Any, source: Source) -> Found:  # noqa: ANN401 (bandit has no types)
    """A finding, with the node it is about (None: the file): lines and columns from 1, the line as bandit has it."""
    return {
        "rule": issue.test_id,
        "name": issue.test,
        "message": _one_line(issue.text),
        "severity": issue.severity,
        "confidence": issue.confidence,
        "cwe": issue.cwe.id,
        "covering": _covering(issue, node),
        "code": _matched(node, source) if node is not None else source.text.splitlines()[issue.lineno - 1],
        "end_line": issue.lineno,
        **_place(issue, node, source),
    }
