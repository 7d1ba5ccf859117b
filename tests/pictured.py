"""Records of every task, small enough to check by hand, for tests of how they are drawn."""

QUESTION = {
    "id": "q-1",
    "question": "《呐喊》是谁写的？",
    "passages": [
        {"text": "《呐喊》的作者鲁迅生于绍兴。", "answers": ["鲁迅"]},
        {"text": "巴金写了《家》。", "answers": []},
    ],
    "answer": "巴金",
    "score": 0.5,
    "passage": 1,
    "start": 0,
    "end": 2,
    "candidates": [
        {"answer": "巴金", "score": 0.5, "passage": 1, "start": 0, "end": 2},
        {"answer": "绍兴", "score": 0.25, "passage": 0, "start": 11, "end": 13},
    ],
}
TRIPLES = {
    "text": "鲁迅生于绍兴，写了《呐喊》。",
    "triples": [
        {"subject": "呐喊", "predicate": "作者", "object": "鲁迅", "subject_start": 10, "subject_end": 12,
         "object_start": 0, "object_end": 2, "score": 0.9},
        {"subject": "绍兴", "predicate": "作者", "object": "鲁迅", "subject_start": 4, "subject_end": 6,
         "object_start": 0, "object_end": 2, "score": 0.4},
    ],
    "gold": {"triples": [
        {"subject": "呐喊", "predicate": "作者", "object": "鲁迅"},
        {"subject": "鲁迅", "predicate": "出生地", "object": "绍兴"},
    ]},
}  # fmt: skip
MENTIONS = {
    "text": "小米发布了新手机。",
    "mentions": [
        {"mention": "小米", "start": 0, "end": 2, "id": "K2", "name": "小米（粮食）", "score": 0.6, "candidates": [
            {"id": "K2", "name": "小米（粮食）", "score": 0.6}, {"id": "K1", "name": "小米公司", "score": 0.4}]},
        {"mention": "手机", "start": 6, "end": 8, "id": None, "name": None, "score": 0.8, "candidates": []},
    ],
    "gold": {"mentions": [{"mention": "小米", "start": 0, "id": "K1"}, {"mention": "手机", "start": 6, "id": None}]},
}  # fmt: skip
LATTICE = {
    "text": "我爱北京",
    "words": [
        {"word": "我", "start": 0, "end": 1}, {"word": "爱", "start": 1, "end": 2},
        {"word": "北京", "start": 2, "end": 4},
    ],
    "lattice": [
        {"start": 0, "end": 1, "word": "我", "weight": -4.0, "source": "lexicon", "is_chosen": True},
        {"start": 1, "end": 2, "word": "爱", "weight": -5.0, "source": "lexicon", "is_chosen": True},
        {"start": 2, "end": 3, "word": "北", "weight": -7.0, "source": "unknown", "is_chosen": False},
        {"start": 2, "end": 4, "word": "北京", "weight": None, "source": "user", "is_chosen": True},
        {"start": 3, "end": 4, "word": "京", "weight": -8.0, "source": "unknown", "is_chosen": False},
    ],
}  # fmt: skip
STRUCTURE = {
    "text": "北京的天气",
    "words": ["北京", "的", "天气"],
    "structure": {"start": 0, "end": 5, "template": [None, "的", None], "children": [
        {"word": "北京", "start": 0, "end": 2}, {"word": "的", "start": 2, "end": 3},
        {"word": "天气", "start": 3, "end": 5}]},
}  # fmt: skip
PAIR = {"text_a": "怎么退货", "text_b": "如何退货", "score": 0.3, "similar": False, "gold": {"label": 1}}
MATCHES = {
    "text": "怎么退货",
    "matches": [{"text": "如何换货", "score": 0.7, "line": 3}, {"text": "如何退货", "score": 0.6, "line": 8}],
    "gold": {"texts": ["如何退货"]},
}
SAMPLES = [
    {"condition": {"cat": "手机", "label": 1}, "text": "屏幕很大", "sample": 1, "score": -2.5},
    {"condition": {"cat": "手机", "label": 1}, "text": "声音很好", "sample": 2, "score": -2.0},
]
EPOCHS = [
    {"epoch": 1, "stage": 1, "loss": 3.0, "f1": 0.25, "seconds": 10.0},
    {"epoch": 2, "stage": 1, "loss": 1.0, "f1": 0.75, "seconds": 20.0},
]
SKIPPED = {"error": "missing field 'text'; found ['a']", "line": 3}
UNKNOWN = {"title": "不是任务的记录", "size": 12345678901234567890123}
HOSTILE = {
    "text": "<script>window.hacked = 1</script> </script><!-- \u202e反写\u202c",
    "triples": [{"subject": "反写", "predicate": "<img src=x onerror='window.hacked = 2'>", "object": "</script>"}],
    "note</dt><script>window.hacked = 3</script>": "\u2066\u200b",
}

RECORDS = [
    QUESTION, TRIPLES, MENTIONS, LATTICE, STRUCTURE, PAIR, MATCHES, *SAMPLES, *EPOCHS, SKIPPED, UNKNOWN, HOSTILE,
]  # fmt: skip
DRAWINGS = len(RECORDS) - 2  # two samples are drawn as one, and so are two epochs
