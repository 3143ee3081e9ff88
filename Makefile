# make run: set up, start Triton, extract the sample study, go on serving.
# make test: set up, run all tests, the real Triton among them.
# make test-long: those that take minutes: a cohort of 200 studies through every outage, huge zips.

# The first Python on PATH that can run the wheel's Triton; else one whose sentence says why not.
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
	$$p tools/platform_check.py >/dev/null 2>&1 && echo $$p && exit; done; echo python3)
READY := .venv/.ready

.PHONY: run test test-long lint format lock clean

run: $(READY)
	.venv/bin/deepfeatures demo

# Two processes, each with a Triton of its own (1.5 GB): half of the time that one takes.
test: $(READY)
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile

test-long: $(READY)
	.venv/bin/python -m pytest -m long

lint: $(READY)
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy

format: $(READY)
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

$(READY): requirements.lock pyproject.toml integrations/client/pyproject.toml
	@$(PYTHON) tools/platform_check.py
	$(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --no-deps --require-hashes --requirement requirements.lock
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . --editable integrations/client
	touch $@

lock:
	uv pip compile pyproject.toml --extra bench --extra dev --extra openvino --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" -o requirements.lock

clean:
	rm -rf .venv demo
