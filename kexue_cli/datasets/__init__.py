"""Published data formats, one reader a file; DATASETS names them all.

Each module holds ``looks_like(head)``, which tells the format from the first few thousand characters of a file, and
``convert(content, source)``, which yields (place, record of ours or LeftOut). A format of lines is given numbered
lines and names places by line number; one whose file is a single JSON document is given that and names them by id.
"""

from typing import NamedTuple


class DatasetEntry(NamedTuple):
    """module: holds looks_like and convert; task: whose records it gives; summary: for help."""

    module: str
    task: str
    summary: str
    is_document: bool = False  # the file is one JSON document, not lines


class LeftOut(NamedTuple):
    """A published record that has no counterpart among ours; reason: for people, to be counted by."""

    reason: str


DATASETS = {  # a file is taken for the first that it looks like: those that much else would look like come last
    "webqa": DatasetEntry("kexue_cli.datasets.webqa", "qa", "WebQA: me_*.json", is_document=True),
    "sogouqa": DatasetEntry("kexue_cli.datasets.sogouqa", "qa", "CIPS-SOGOU, as SogouQA.json", is_document=True),
    "kb_data": DatasetEntry(
        "kexue_cli.datasets.kb_data", "knowledge-base", "kb_data, the knowledge base of CCKS2019 and CCKS2020"
    ),
    "mini-kb": DatasetEntry(
        "kexue_cli.datasets.mini_kb", "knowledge-base", "a small base: id, name, base, desc and triples"
    ),
    "squad": DatasetEntry(
        "kexue_cli.datasets.squad",
        "qa",
        "SQuAD and what follows it: CMRC2018, DRCD, CJRC, DuReader-robust",
        is_document=True,
    ),
    "cmeie": DatasetEntry("kexue_cli.datasets.cmeie", "triples", "CMeIE: medical texts and their relations"),
    "duie": DatasetEntry("kexue_cli.datasets.duie", "triples", "DuIE 1.0 and 2.0, of LIC2019 and LIC2020"),
    "relation-tsv": DatasetEntry(
        "kexue_cli.datasets.relation_tsv", "triples", "FinRE, SanWen: head, tail, relation and sentence, with tabs"
    ),
    "relation-pairs": DatasetEntry(
        "kexue_cli.datasets.relation_pairs", "triples", "the same, with the pairs that have no relation; if named"
    ),
    "zhidao": DatasetEntry("kexue_cli.datasets.zhidao", "similarity", "10 million questions of Baidu Zhidao"),
    "pairs": DatasetEntry(
        "kexue_cli.datasets.pairs", "similarity", "LCQMC and others: text, text and label, with tabs"
    ),
    "groups": DatasetEntry(
        "kexue_cli.datasets.groups",
        "similarity",
        "texts that mean the same: id and text with a tab, or lines of standard and queries, or of lists",
    ),
    "ccks2020": DatasetEntry("kexue_cli.datasets.ccks2020", "linking", "CCKS2020: short texts and their entities"),
    "ccks2019": DatasetEntry("kexue_cli.datasets.ccks2019", "linking", "CCKS2019: the same"),
    "cndbpedia-short": DatasetEntry(
        "kexue_cli.datasets.cndbpedia_short", "linking", "short texts linked to CN-DBpedia by name"
    ),
    "mentions-csv": DatasetEntry(
        "kexue_cli.datasets.mentions_csv", "linking", "a row for each mention: kb_id,mention,offset,text"
    ),
    "triples-csv": DatasetEntry(
        "kexue_cli.datasets.triples_csv", "triples", "facts without a text: entity,attribute,value"
    ),
    "sighan": DatasetEntry(
        "kexue_cli.datasets.sighan", "segmentation", "segmented text: words separated by white space, a sentence a line"
    ),
}
