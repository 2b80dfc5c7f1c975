# make run   sample archives through every stage, to runs/sample/
# make test  linter, type checker, all tests
# make readers  shards in all formats, read by Megatron's, datatrove's, MosaicML's and Hugging Face's own code
# make bench  the figures of the documentation
# make chaos  a hundred runs, with workers, nodes, drivers and connections killed on the way
# make audit  the pinned packages against PyPI's advisories, by pip-audit
# make pictures  those of docs/, taken in Chromium
# make lock  newest versions that pyproject.toml allows, into requirements/

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --only-binary :all:
ROOMS := corpus filters dedup pipelines configs
LOCKED := run test cluster s3 audit

# One beside the others, with what a file of requirements/ pins.
define environment
	$(PYTHON) -m venv $(VENV)/$(1)
	$(VENV)/$(1)/bin/python -m pip --disable-pip-version-check install --quiet --only-binary :all: --require-hashes --requirement requirements/$(1).txt
	@touch $@
endef

.PHONY: run test readers bench chaos audit pictures lock clean
run: $(VENV)/run
	$(BIN)/seiryu run configs/sample.yaml

test: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=$(VENV)/typing $(BIN)/mypy -p seiryu
	$(BIN)/python -m pytest --numprocesses 4 --dist worksteal --ignore tests/readers

readers: $(VENV)/readers
	$(BIN)/seiryu run configs/sample.yaml --set run=runs/readers --set shards.tokens=60K \
	--set 'shards.formats=[megatron,datatrove,mds,parquet,parquet_tokens,jsonl]'
	SEIRYU_RUN=runs/readers $(BIN)/python -m pytest tests/readers

bench: $(VENV)/bench
	$(BIN)/python -m benchmarks

chaos: $(VENV)/test
	$(BIN)/python tests/chaos --runs 100

# --strict: a package of which the service knows nothing is no package without advisories.
audit: $(VENV)/audit/made
	$(VENV)/audit/bin/pip-audit --strict --disable-pip --require-hashes $(LOCKED:%=--requirement requirements/%.txt)

pictures: $(VENV)/test run
	$(BIN)/python tests/pipelines/browser/pictures.py runs/sample docs

$(VENV)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; \
	sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11, 3.12 or 3.13 is wanted, this is {v[0]}.{v[1]}: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run: $(VENV)/python requirements/run.txt pyproject.toml
	@echo "installing into $(VENV): about a minute"
	$(PIP) --require-hashes --requirement requirements/run.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# An object store for the tests to talk to; the many packages it needs are no business of ours.
$(VENV)/s3/made: $(VENV)/python requirements/s3.txt
	$(call environment,s3)

# The rooms stand at the top of the repository; the type checker finds them as seiryu.* through links.
$(VENV)/test: $(VENV)/run $(VENV)/s3/made $(VENV)/cluster/made requirements/test.txt
	$(PIP) --require-hashes --requirement requirements/test.txt
	mkdir -p $(VENV)/typing/seiryu
	for room in $(ROOMS); do ln -sfn "$(CURDIR)/$$room" $(VENV)/typing/seiryu/$$room; done
	@touch $@

$(VENV)/readers: $(VENV)/test requirements/readers.txt
	$(PIP) --requirement requirements/readers.txt
	$(PIP) --no-deps mosaicml-streaming==0.13.0
	@touch $@

# A node of a cluster, for the tests to start jobs on and scrape metrics from: the built package, not this folder.
$(VENV)/cluster/packages: $(VENV)/python requirements/cluster.txt
	$(call environment,cluster)
# After $(VENV)/run: both build in this folder.
$(VENV)/cluster/made: $(VENV)/cluster/packages pyproject.toml $(shell git ls-files $(ROOMS)) | $(VENV)/run
	$(VENV)/cluster/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --force-reinstall .
	rm -rf build *.egg-info
	@touch $@

$(VENV)/audit/made: $(VENV)/python requirements/audit.txt
	$(call environment,audit)

# datatrove, which is measured beside us.
$(VENV)/bench: $(VENV)/test requirements/bench.txt
	$(PIP) --requirement requirements/bench.txt
	@touch $@

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --custom-compile-command "make lock"
lock: $(VENV)/python
	$(PIP) uv
	$(BIN)/$(LOCK) pyproject.toml requirements/build.in --extra llama3 --extra s3 --output-file requirements/run.txt
	$(BIN)/$(LOCK) pyproject.toml requirements/build.in --extra llama3 --extra s3 --extra inspect --extra test --constraint requirements/run.txt \
	--output-file requirements/test.txt
	$(BIN)/$(LOCK) pyproject.toml requirements/build.in --extra llama3 --extra s3 --extra cluster --constraint requirements/run.txt \
	--output-file requirements/cluster.txt
	$(BIN)/$(LOCK) requirements/s3.in --output-file requirements/s3.txt
	$(BIN)/$(LOCK) requirements/audit.in --output-file requirements/audit.txt

clean:
	rm -rf $(VENV) runs build *.egg-info
