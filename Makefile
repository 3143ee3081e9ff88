# make run: set up, start Triton, extract the sample study, go on serving.
# make test: set up, run all tests, the real Triton among them.
# make deploy-check: look through the files for containers, without a container.
# make test-long: those that take minutes: a cohort of 200 studies through every outage, huge zips.

# The first Python on PATH that can run the wheel's Triton; else one whose sentence says why not.
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
	$$p tools/platform_check.py >/dev/null 2>&1 && echo $$p && exit; done; echo python3)
READY := .venv/.ready

.PHONY: run test test-long deploy-check lint format lock clean

run: $(READY)
	.venv/bin/deepfeatures demo

# Two processes, each with a Triton of its own (1.5 GB): half of the time that one takes.
test: $(READY)
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile

test-long: $(READY)
	.venv/bin/python -m pytest -m long

# Files for containers, each by the program that reads it: those that are not installed are named. Then
# what no program checks: the board's panels and their metrics, runbooks of alerts, the proxy for gRPC.
deploy-check: $(READY)
	.venv/bin/python -m tools.deployment
	.venv/bin/python -m pytest --quiet tests/test_monitoring_files.py

lint: $(READY) deploy-check
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

COMPILE := uv pip compile --generate-hashes --no-annotate --custom-compile-command "make lock"
# Images have one Python, and the versions that are tested here.
FOR_IMAGES := --python-version 3.12 --python-platform x86_64-manylinux_2_36 --constraint requirements.lock

lock:
	$(COMPILE) pyproject.toml --extra bench --extra dev --extra openvino \
		--universal --python-version 3.11 -o requirements.lock
	$(COMPILE) pyproject.toml --extra cuda --extra openvino $(FOR_IMAGES) \
		--override requirements/triton-image.txt -o requirements/triton.lock
	$(COMPILE) --group gateway $(FOR_IMAGES) -o requirements/gateway.lock
	$(COMPILE) --group build $(FOR_IMAGES) -o requirements/build.lock

clean:
	rm -rf .venv demo
