"""kexue segment: lines in, segmented lines out."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from kexue_cli import console
from kexue_cli.commands import options
from kexue_cli.commands.options import OnError
from kexue_cli.errors import KexueError, RecordError, UsageError, unknown_name
from kexue_cli.records import SENTENCE_MARKS, Block, dump, pieces_of, read_blocks
from kexue_cli.segmentation.rules import RULES
from kexue_cli.streams import STDIO, Output, check_readable, open_input, open_output

SLOW_BLOCK_BYTES = 64 << 10  # of text for which records or lattices are made at a time

RULE_HELP = "Switch a rule off; may be given several times. Rules: " + "; ".join(
    f"{name} ({text})" for name, (_, text) in RULES.items()
)


class Engine(StrEnum):
    """What cuts the lines."""

    kexue = "kexue"
    jieba = "jieba"
    jieba_nohmm = "jieba-nohmm"


def segment(
    files: options.InputFiles = None,
    model: options.Model = None,
    output: options.OutputFile = None,
    separator: Annotated[str, typer.Option(metavar="TEXT", help="What stands between words.")] = " ",
    json: options.Json = False,
    user_dict: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Words to keep: WORD or WORD FREQUENCY a line. Without a frequency a word is always kept.",
        ),
    ] = None,
    conflicts: Annotated[
        bool,
        typer.Option(
            "--conflicts", help="Report what in --user-dict overlaps, repeats or has no effect (TSV), and stop."
        ),
    ] = False,
    without_rule: Annotated[list[str] | None, typer.Option(metavar="RULE", help=RULE_HELP)] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Show every possible word of each line with its weight (TSV, or records with --json)."
        ),
    ] = False,
    structure: Annotated[
        bool,
        typer.Option(
            "--structure",
            help="Parse each clause into nested blocks by sentence templates, and show them in brackets, or with "
            "--json as a tree beside the words. Marks stand between clauses. A clause of more than 128 words is "
            "parsed in parts of 128.",
        ),
    ] = False,
    templates: Annotated[
        str | None,
        typer.Option(
            "--templates", "-t", metavar="NAME|PATH", help="With --structure: the templates; default entropy-templates."
        ),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="What cuts the lines; jieba is there for comparison, with and without its HMM.")
    ] = Engine.kexue,
    line_buffered: Annotated[
        bool, typer.Option("--line-buffered", help="Answer each line at once: for a pipe that waits for it.")
    ] = False,
    encoding: options.Encoding = "utf-8",
    on_error: options.OnErrorOption = OnError.stop,
    threads: options.Threads = None,
    quiet: options.Quiet = False,
) -> int:
    """Cut lines of text into words.

    The words of a line, joined, are the line: nothing is added or lost but the separator. White space
    is itself a boundary and is passed through.

    Example: echo 我爱北京天安门 | kexue segment
    """
    if separator == "" and not json:
        raise UsageError("--separator must not be empty; use --json for words with their places")
    if "\n" in separator:
        raise UsageError("--separator must not hold a line feed; for a word a line: | tr ' ' '\\n'")
    if templates is not None and not structure:
        raise UsageError("--templates goes with --structure")
    if structure and (explain or conflicts):
        raise UsageError(f"--structure and --{'explain' if explain else 'conflicts'} show different things; give one")
    if conflicts and user_dict is None:
        raise UsageError("--conflicts needs --user-dict FILE")
    own = {"--model": model, "--user-dict": user_dict, "--without-rule": without_rule, "--explain": explain}
    given = [name for name, value in own.items() if value]
    if engine is not Engine.kexue and given:
        raise UsageError(f"{' and '.join(given)} goes with --engine kexue")
    paths = files or [STDIO]
    _check_inputs(paths)
    with open_output(output) as sink:
        segmenter = make_segmenter(engine, model, user_dict, without_rule or [], encoding)
        if conflicts:
            return _report_conflicts(segmenter, str(user_dict), encoding, sink)
        write = _renderer(segmenter, separator, json=json, explain=explain)
        if structure:
            write = _structures(segmenter, model, templates, separator, json=json)
        is_live = line_buffered or (paths == [STDIO] and _is_terminal())
        if is_live:
            segmenter.prepare()
        is_slow = json or explain or structure
        may_cut = not is_slow and segmenter.may_cut_at(SENTENCE_MARKS)
        blocks = _blocks(paths, encoding, is_live=is_live, may_cut=may_cut)
        if is_slow:  # enough to show each few lines at once
            blocks = (piece for block in blocks for piece in pieces_of(block, SLOW_BLOCK_BYTES))
        results = _in_order(write, blocks, on_error, 1 if is_live else threads or options.usable_cores())
        failures = 0
        for data, error in results:
            sink.write(data)
            if is_live:
                sink.flush()
            failures += error is not None
        if failures:
            console.warn(f"{failures} bad line{'s' * (failures > 1)} skipped, each with an error record in its place")
        return 1 if failures else 0


def _is_terminal() -> bool:
    import sys

    return sys.stdin is not None and sys.stdin.isatty()


def _check_inputs(paths: list[str]) -> None:
    for path in paths:
        check_readable(path)


def make_segmenter(engine: Engine, model: str | None, user_dict: str | None, without: list[str], encoding: str) -> Any:
    """Return what cuts the lines. Raises KexueError for a model, rule or dictionary that is not there or is damaged."""
    for name in without:
        if name not in RULES:
            raise UsageError(unknown_name("rule", name, RULES))
    if engine is not Engine.kexue:
        from kexue_cli.segmentation.jieba_engine import JiebaSegmenter

        return JiebaSegmenter(use_hmm=engine is Engine.jieba)
    from kexue_cli import zoo
    from kexue_cli.segmentation import task
    from kexue_cli.segmentation.user_dictionary import read_user_dictionary
    from kexue_cli.tasks import TASKS

    user = read_user_dictionary(user_dict, encoding=encoding) if user_dict else None
    folder = zoo.find_model(model or TASKS["segmentation"].default_model)
    rules = None
    if without:
        rules = tuple(name for name in task.read_decoding(folder).rules if name not in without)
    return task.load(folder, rules=rules, user=user).segmenter


def _report_conflicts(segmenter: Any, user_dict: str, encoding: str, sink: Output) -> int:
    from kexue_cli.segmentation.user_dictionary import conflicts, read_user_dictionary

    for conflict in conflicts(read_user_dictionary(user_dict, encoding=encoding), segmenter.segment):
        sink.write(f"{conflict.line}\t{conflict.word}\t{conflict.problem}\n".encode())
    return 0


def _renderer(segmenter: Any, separator: str, *, json: bool, explain: bool) -> Callable[[Block], bytes]:
    """Return the function that makes a block's output."""
    if explain:
        from kexue_cli.segmentation.lattice import lattice

        def explained(block: Block) -> bytes:
            pieces = []
            for record in segmenter.records(block):
                edges = lattice(segmenter, record["text"])
                if json:
                    pieces.append(dump({**record, "lattice": [vars(edge) for edge in edges]}))
                    continue
                for edge in edges:
                    weight = "kept" if edge.weight is None else f"{edge.weight:.2f}"
                    mark = "*" if edge.is_chosen else ""
                    pieces.append(f"{edge.start}\t{edge.end}\t{edge.word}\t{weight}\t{edge.source}\t{mark}\n".encode())
                pieces.append(b"\n")
            return b"".join(pieces)

        return explained
    if json:
        return lambda block: b"".join(map(dump, segmenter.records(block)))

    def plain(block: Block) -> bytes:
        data: bytes = segmenter.write(block, separator)
        return data

    return plain


def _structures(
    segmenter: Any, model: str | None, templates: str | None, separator: str, *, json: bool
) -> Callable[[Block], bytes]:
    """Return the function that makes a block's output with --structure."""
    from kexue_cli import zoo
    from kexue_cli.segmentation.segmenter import Span
    from kexue_cli.segmentation.templates import read_parser
    from kexue_cli.segmentation.templates.structure import bracketed
    from kexue_cli.segmentation.templates.structure import structure as structure_of
    from kexue_cli.tasks import TASKS

    folder = zoo.find_model(templates or TASKS["templates"].default_model)
    parser = read_parser(folder)
    known, used = zoo.read_config(folder).get("segmentation"), model or TASKS["segmentation"].default_model
    if templates is not None and known not in (None, used):
        console.warn(f"the templates of {templates} are of words cut by {known}, not by {used}; see --model")

    def structured(block: Block) -> bytes:
        pieces = []
        for record in segmenter.records(block):
            tree = structure_of(parser, [Span(**word) for word in record["words"]])
            pieces.append(dump({**record, "structure": tree}) if json else f"{bracketed(tree, separator)}\n".encode())
        return b"".join(pieces)

    return structured


def _blocks(paths: list[str], encoding: str, *, is_live: bool, may_cut: bool) -> Iterator[Block]:
    """Yield the blocks of all inputs, the last line of each with a line feed."""
    for path in paths:
        with open_input(path) as stream:
            last: Block | None = None  # one without a line feed at its end: the last, or a piece of a long line
            for block in read_blocks(stream, path, encoding=encoding, is_live=is_live, may_cut=may_cut):
                if last is not None:
                    yield last
                last = None if block.data.endswith(b"\n") else block
                if last is None:
                    yield block
            if last is not None:
                yield replace(last, data=last.data + b"\n")


Result = tuple[bytes, RecordError | None]


def _in_order(
    write: Callable[[Block], bytes], blocks: Iterable[Block], on_error: OnError, threads: int
) -> Iterator[Result]:
    """Yield the output of each block, in order, and the error of each bad line that was skipped.

    Raises RecordError at the first bad line if it is not to be skipped, after the output of all lines before it.
    """

    def results(block: Block) -> list[Result]:
        done: list[Result] = []
        rest: Block | None = block
        while rest is not None:
            part = rest
            try:
                done.append((write(part), None))
                rest = None
            except RecordError as error:
                before, rest = _around(part, error.line)
                done.append((write(before) if before.data else b"", None))
                is_within_line = part.line_offset > 0 and not before.data  # half of the line has been written
                record = dump({"error": error.problem, "line": error.line})
                done.append((b"\n" * is_within_line + record, error))
                if on_error is OnError.stop:
                    rest = None
        return done

    def checked(done: list[Result]) -> Iterator[Result]:
        for data, error in done:
            if error is not None and on_error is OnError.stop:
                raise error
            yield data, error

    if threads == 1:
        for block in blocks:
            yield from checked(results(block))
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[list[Result]]] = deque()
        failure: KexueError | None = None
        source = iter(blocks)
        try:
            while True:
                try:  # what was read before a failure is still written
                    block = next(source)
                except StopIteration:
                    break
                except KexueError as error:
                    failure = error
                    break
                waiting.append(pool.submit(results, block))
                if len(waiting) > threads:
                    yield from checked(waiting.popleft().result())
            while waiting:
                yield from checked(waiting.popleft().result())
        finally:
            for future in waiting:
                future.cancel()
        if failure is not None:
            raise failure


def _around(block: Block, line: int) -> tuple[Block, Block | None]:
    """Return what stands before and after a line of a block."""
    start = 0
    for _ in range(line - block.first_line):
        start = block.data.index(b"\n", start) + 1
    end = block.data.find(b"\n", start)
    before = replace(block, data=block.data[:start])
    if end < 0 or end + 1 == len(block.data):
        return before, None
    return before, Block(block.data[end + 1 :], line + 1, source=block.source)
