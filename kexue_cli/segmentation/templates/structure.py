"""The structure of a line: its clauses, each a tree of blocks, and the marks between them."""

from collections.abc import Sequence
from typing import Any

from kexue_cli.segmentation.segmenter import Span
from kexue_cli.segmentation.templates.parser import Block, Parser
from kexue_cli.segmentation.templates.template import is_word

Node = dict[str, Any]


def structure(parser: Parser, spans: Sequence[Span]) -> Node:
    """Return the tree of a line from its words.

    A node is a word, ``{"start", "end", "word"}``, or a block, ``{"start", "end", "template", "children"}``; template
    is a list of words and None for each placeholder, or None if no template fits. A block of one word is the word.
    Offsets are those of the spans. The root is the line's only clause; a line with marks, or with several clauses, is a
    block without a template around them.
    """
    children: list[Node] = []
    clause: list[Span] = []
    for span in [*spans, None]:
        if span is not None and is_word(span.word):
            clause.append(span)
            continue
        if clause:
            children.append(_clause(parser, clause))
            clause = []
        if span is not None:
            children.append(vars(span))
    if len(children) == 1 and "children" in children[0]:
        return children[0]
    end = spans[-1].end if spans else 0
    return {"start": 0, "end": end, "template": None, "children": children}


def _clause(parser: Parser, clause: list[Span]) -> Node:
    """Return the tree of a clause: of a single word the word."""
    if len(clause) == 1:
        return vars(clause[0])
    return _node(parser.parse([span.word for span in clause]), clause)


def _node(block: Block, clause: list[Span]) -> Node:
    children = [vars(clause[child]) if isinstance(child, int) else _node(child, clause) for child in block.children]
    template = None if block.template is None else list(block.template)
    return {
        "start": clause[block.start].start, "end": clause[block.end - 1].end, "template": template, "children": children
    }  # fmt: skip


def bracketed(root: Node, separator: str = " ") -> str:
    """Return a tree in brackets: ((雪梨 和 苹果) 和 香蕉). White space is left out; a line is no block and has none."""
    parts = [_bracketed(child, separator) for child in root["children"]]
    text = separator.join(part for part in parts if part.strip())
    return f"({text})" if _is_clause(root) else text


def _is_clause(root: Node) -> bool:
    children = root["children"]
    return root["template"] is not None or (
        len(children) > 1 and all(is_word(each.get("word", "")) for each in children)
    )


def _bracketed(node: Node, separator: str) -> str:
    if "word" in node:
        return str(node["word"])
    return f"({separator.join(_bracketed(child, separator) for child in node['children'])})"
