# Python 3.11 or newer and make are all that a fresh machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SESSION ?= samples/lumbar
# Tests run side by side; "make test JOBS=0" runs them in one process.
JOBS ?= auto

# Checked by hash, and nothing is built outside the lock.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test check lint types contracts bench soak readme-picture lock clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(VENV)/.run ## analyse the sample session and say where the report and the video are
	@$(BIN)/cryoguide analyze $(SESSION)

# Bytecode is kept even where the environment forbids it: else every worker rewrites all assertions again, and every
# process that a test starts compiles the whole package again.
test: $(VENV)/.dev ## run the tests
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m tests.compile_first
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

check: lint types contracts ## lint, types and import contracts

lint: $(VENV)/.dev
	@$(BIN)/ruff check .

types: $(VENV)/.dev
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --threads 2

contracts: $(VENV)/.dev
	@$(BIN)/lint-imports --cache-dir .import_linter_cache

# The sample, and the short session whose truth is known.
BENCH_SESSIONS ?= $(SESSION) tests/recordings/calf
MINUTES ?= 30
bench: $(VENV)/.bench ## time the step and its parts beside their peers, and how the cost grows
	@$(BIN)/python -m benchmarks $(BENCH_SESSIONS)

soak: $(VENV)/.bench ## cost per capture and memory over 30 minutes of session (takes about as long)
	@$(BIN)/python -m benchmarks.soak $(SESSION) --minutes $(MINUTES)

# A capture of the demo with the stop under way; its second can be chosen.
PICTURE_S ?= 14.6
readme-picture: demo ## take the README's picture out of the demo's video
	@$(BIN)/python docs/images/take_picture.py $(SESSION)-report/annotated.mp4 $(PICTURE_S) docs/images/overlay.png

lock: pyproject.toml ## renew the requirements locks (needs uv)
	uv pip compile pyproject.toml --group setup $(LOCK) -o requirements.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock $(LOCK) -o requirements-dev.lock
	uv pip compile --group bench -c requirements-dev.lock --no-emit-package opencv-contrib-python-headless $(LOCK) -o requirements-bench.lock
	uv pip compile --group bench-alone --no-deps $(LOCK) -o requirements-bench-alone.lock
LOCK := --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --upgrade

clean: ## remove the environment and everything that was built
	rm -rf $(VENV) .ruff_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# Set-up, done again only when a lock or the project file is newer than the stamp.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "cryoguide needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Install a newer one, or name it: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make environments: its ensurepip or venv module is missing." \
	       "On Debian or Ubuntu: sudo apt-get install -y python3-venv" >&2; exit 1; }
	@echo "Making the environment in $(VENV) ..." >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements.lock pyproject.toml
	@echo "Installing what cryoguide needs ..." >&2
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "Installing what the checks and tests need ..." >&2
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

# Every dependency is in the lock but for the second cv2 that one of them names: hence --no-deps.
$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock requirements-bench-alone.lock
	@echo "Installing the peers of the benchmarks ..." >&2
	@$(INSTALL) --require-hashes --no-deps --no-build-isolation -r requirements-bench.lock -r requirements-bench-alone.lock
	@touch $@
