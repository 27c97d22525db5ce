# `make hunt` and `make test` are all a newcomer needs: each makes the environment first, if it is not there.

PYTHON ?= python3
VENV ?= .venv
EXAMPLES ?= 20000
BIN := $(VENV)/bin
# One thread a test process: several torch processes on several threads each slow one another down tenfold.
ONE_THREAD := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1

.PHONY: hunt test lint types unit slow coverage docs bench bugs photographs repairs rounds benchmark crash fuzz diffusion diorama-check format clean

hunt: $(VENV)/base
	$(BIN)/foible hunt

test: lint types unit

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev
	$(BIN)/mypy

unit: $(VENV)/dev
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

# What `unit` leaves out: the tests that are marked as slow.
slow: $(VENV)/dev
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadgroup -m slow

# As `unit` and `slow` together, and what share of the lines and branches of src/foible it ran: fails below `fail_under` of pyproject.toml.
coverage: $(VENV)/dev
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadgroup --cov --cov-report=term

# The site that docs/ and the docstrings make, in build/docs; every warning is an error.
docs: $(VENV)/docs
	$(BIN)/sphinx-build --fail-on-warning --keep-going --fresh-env --quiet -b html -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

bench: $(VENV)/dev
	$(BIN)/python benchmarks/run.py

bugs: $(VENV)/dev
	$(BIN)/python benchmarks/planted.py

photographs: $(VENV)/dev
	$(BIN)/python benchmarks/photographs.py

benchmark: $(VENV)/dev
	$(BIN)/python benchmarks/benchmark.py --page docs

repairs: $(VENV)/dev
	$(BIN)/python benchmarks/repair.py

rounds: $(VENV)/dev
	$(BIN)/python benchmarks/rounds.py

# Kills, failing disks and lost power, against a hunt that was never disturbed: `make crash CRASH="--kills 500 --seed 1"`.
crash: $(VENV)/dev
	$(ONE_THREAD) $(BIN)/python benchmarks/crash.py $(CRASH)

# Every parser on what hypothesis makes up, so many examples each: `make fuzz EXAMPLES=1000000`.
fuzz: $(VENV)/dev
	$(ONE_THREAD) $(BIN)/python benchmarks/fuzz.py --examples $(EXAMPLES)

# The diffusion pipeline of the narrow diorama, from its pictures to its table: each step goes on where it was stopped.
diffusion: $(VENV)/dev
	$(ONE_THREAD) $(BIN)/python training/narrow.py
	$(ONE_THREAD) $(BIN)/python training/diffusion_decoder.py
	$(ONE_THREAD) $(BIN)/python training/diffusion.py
	$(ONE_THREAD) $(BIN)/python training/diffusion_check.py

diorama-check: $(VENV)/dev
	$(BIN)/python training/check.py

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@ $(VENV)/base

$(VENV)/docs: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@ $(VENV)/base
