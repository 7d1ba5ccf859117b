# Two commands do everything on a machine with Python 3.11 or later: make demo, make test.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := data/segmentation-sample

.PHONY: demo test lint types check clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What prediction and word discovery need.
$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

# What the tests need besides.
$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,train]'
	touch $@

demo: $(VENV)/installed
	@echo '--- five sentences cut into words: kexue segment'
	@head -n 5 $(SAMPLE)/gold.txt | tr -d ' ' | $(BIN)/kexue segment
	@echo '--- words discovered in $(SAMPLE)/raw.txt, without any dictionary: kexue train segmentation'
	@$(BIN)/kexue train segmentation $(SAMPLE)/raw.txt -o $(VENV)/demo-words
	@echo '--- the most typical of them, against newspapers: kexue models show --lexicon --contrast'
	@$(BIN)/kexue models show ./$(VENV)/demo-words --lexicon --contrast entropy-segmentation \
		| head -n 61 | tail -n +2 | cut -f 1 | paste -sd ' ' - | fold -s -w 100
	@echo '--- a question answered from a passage: kexue predict qa'
	@head -n 3 data/qa-sample/dev.jsonl | $(BIN)/kexue predict qa \
		| $(BIN)/python -c 'import json, sys; [print(r["question"], r["answer"], "(" + str(round(r["score"], 2)) + ")") \
			for r in map(json.loads, sys.stdin)]'
	@echo '--- what a sentence says, as subject, predicate and object: kexue predict triples'
	@echo '《围城》是黄蜀芹执导的电视剧，改编自钱钟书的同名小说，由陈道明、吕丽萍主演。' | $(BIN)/kexue predict triples --text --tsv
	@echo '--- which entity of the sample base each mention is: kexue predict linking'
	@printf '小米发布了新手机，苹果也开了发布会。\n早上喝了小米粥，又吃了一个苹果。\n' | $(BIN)/kexue predict linking --text \
		| $(BIN)/python -c 'import json, sys; [print(m["mention"], m["id"], m["name"]) \
			for r in map(json.loads, sys.stdin) for m in r["mentions"]]'
	@echo '--- the nearest of 89 questions of a FAQ: kexue predict similarity --against'
	@grep -E '八点|密码|火车票' data/similarity-sample/queries.txt | $(BIN)/kexue predict similarity --against data/similarity-sample/faq.txt --text --top-k 1 \
		| $(BIN)/python -c 'import json, sys; [print(r["text"], "->", m["text"], round(m["score"], 2)) \
			for r in map(json.loads, sys.stdin) for m in r["matches"]]'
	@echo '--- a review of a phone that somebody likes: kexue predict generation'
	@echo '{"condition": {"cat": "手机", "label": 1}}' | $(BIN)/kexue predict generation -n 2 \
		| $(BIN)/python -c 'import json, sys; [print(r["text"]) for r in map(json.loads, sys.stdin)]'
	@echo '--- how well the reader does on the sample: kexue evaluate qa'
	@$(BIN)/kexue evaluate qa data/qa-sample/dev.jsonl | grep -E '^(model|exact_match|f1)'
	@echo '--- how well each model agrees with people: kexue evaluate segmentation'
	@for model in ./$(VENV)/demo-words entropy-segmentation entropy-segmentation-jieba; do \
		$(BIN)/kexue evaluate segmentation $(SAMPLE)/gold.txt -m $$model | grep -E '^(model|f1)'; done

# On all cores; tests that share a model that one of them trains stay together: see tests/conftest.py.
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadgroup

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

check: lint types test

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
