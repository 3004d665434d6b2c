# Everything sets itself up: Python 3.11 or newer is all that is needed.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test clients check eval bench bench-takeover requirements clean help

help:
	@echo "make demo    watch a simulated Run:ai tenant break and every failure arrive, diagnosed"
	@echo "make test    the tests"
	@echo "make clients the MCP surface with other people's clients (TypeScript SDKs, inspector, conformance suite, mcp 1.28)"
	@echo "make check   formatting, lint, types, import contracts"
	@echo "make eval    how good the diagnosis is: the labelled corpus as a table, and in bench/DIAGNOSIS.md"
	@echo "make bench   start, calls, polls, push, storms, memory: side by side with what is bare or naive; bench/RESULTS.md"
	@echo "make bench-takeover  two servers on one database, the leader killed 20 times during a burst of failures"

.venv/run: requirements/run.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or run make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements/dev.txt .venv/run
	$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

demo: .venv/run
	$(BIN)/runai-monitor demo

test: .venv/dev
	$(BIN)/python -m pytest

clients: .venv/dev
	tests/clients/install.sh
	MCP_CLIENTS=1 $(BIN)/python -m pytest tests/clients

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

eval: .venv/dev
	$(BIN)/python -m tests.corpus

bench: .venv/dev
	bench/others/install.sh
	for quantity in cold_start tool_calls polls push_latency fan_out at_once footprint diagnosis_load; do \
		$(BIN)/python -m bench.$$quantity || exit 1; done

bench-takeover: .venv/dev
	$(BIN)/python -m bench.leader_kill

requirements:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make requirements" pyproject.toml requirements/build.in -o requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make requirements" --extra dev -c requirements/run.txt pyproject.toml requirements/build.in -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make requirements" requirements/clients.in -o requirements/clients.txt

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache tests/clients/node_modules tests/clients/.venv
