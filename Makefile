# Needs python3 (3.11 or later) with venv and pip, and a package index. Everything else is installed here.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DATA ?=
# The rules left out speak of what every migration that may run twice does: IF NOT EXISTS and OR
# REPLACE. The functions without a search_path are inlined, and name everything in full, which
# tests/isolation/walls.py holds them to.
PGSPOT := --ignore PS002 --ignore PS010 --ignore PS012 --ignore PS014 \
  --proc-without-search-path 'agent_memory.claimed_organization(claims jsonb)' \
  --proc-without-search-path 'agent_memory.lexemes(language text,content text)' \
  --proc-without-search-path 'agent_memory.may_read(visibility text,user_id text,agent_id text,person text,program text)' \
  --proc-without-search-path 'agent_memory.may_write(visibility text,user_id text,agent_id text,role text,person text,program text)' \
  --proc-without-search-path 'agent_memory.openness(visibility text)' \
  --proc-without-search-path 'agent_memory.text_config(language text)' \
  --proc-without-search-path 'agent_memory.memberships(member text,organization_id uuid,role text)'

.PHONY: demo test test-nightly test-matrix test-beside check format bench clean

demo: $(VENV)/ready
	$(BIN)/pgrecall demo

# In two processes, each with a server of its own: a test waits for the server half of its time.
test: $(VENV)/ready
	$(BIN)/pytest -n 2 --dist loadfile

# What takes a minute or more; and the property tests, which draw others each time, the longest of
# them ten times as many.
test-nightly: $(VENV)/ready
	$(BIN)/pytest -n 2 --dist loadfile -m nightly
	PGRECALL_HYPOTHESIS=nightly $(BIN)/pytest -n 2 --dist loadfile -m hypothesis

# The database part of the suite on PostgreSQL 13 to 18; ONLY=13,15 for some of them, QUICK=1 for
# what CI adds to `make test`. Needs npm.
test-matrix: $(VENV)/ready
	$(BIN)/python scripts/test_matrix.py $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

# Beside Alembic, Django, Prisma and Drizzle, as docs/beside-other-migrations.md says; for nightly
# runs. Needs npm.
test-beside: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group beside
	$(BIN)/pytest tests/beside

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_sync.py --check
	$(BIN)/python scripts/assemble_schema.py --check
	$(BIN)/squawk src/pgrecall/sql/install/*.sql
	$(BIN)/pgspot $(PGSPOT) src/pgrecall/sql/install/*.sql

format: $(VENV)/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/generate_sync.py
	$(BIN)/python scripts/assemble_schema.py

# make bench DATA=folder with the LoCoMo conversations
bench: $(VENV)/ready
	@test -n "$(DATA)" || { echo 'make bench DATA=DIR: the folder that holds the LoCoMo conversations'; exit 2; }
	$(BIN)/python -m benchmarks.locomo --data $(DATA) --rates

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[backup,multilingual,otel,parquet,remote]' --group dev
	touch $@
