# The only door to this project. Each target sets up what it needs and does nothing
# when nothing changed. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The demo needs a fifth of it; where all of it is there, that will do.
DEMO_READY := $(if $(wildcard $(READY)),$(READY),$(VENV)/.ready-demo)
export PATH := $(CURDIR)/$(BIN):$(PATH)

##@ Start here

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## Make .venv from the lock file (every other target does it by itself)

SET_UP = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12" >&2; exit 2; }; \
  $(PYTHON) tools/set_up.py $@

$(READY): requirements.lock pyproject.toml generator/pyproject.toml
	@$(SET_UP) requirements.lock . generator
	@$(BIN)/python -m compileall -q generator/src src

$(VENV)/.ready-demo: requirements-demo.lock pyproject.toml
	@$(SET_UP) requirements-demo.lock .

# A Python that is named is the one to use, also where another has made .venv.
ifneq ($(filter command% environment%,$(origin PYTHON)),)
ifeq ($(wildcard $(VENV)/lib/$(shell $(PYTHON) -c 'import sys; print("python%d.%d" % sys.version_info[:2])')),)
.PHONY: $(READY) $(VENV)/.ready-demo
endif
endif

##@ Change something

# Both always run: only a run can tell whether what is there was edited or deleted.
.PHONY: generate
generate: $(READY) ## Write src/generated from db/ with sqlc (after editing SQL)
	@$(BIN)/sqlc-gen-psycopg generate

.PHONY: sync
sync: $(READY) ## Write src/store/_sync from src/store/_async (after editing it)
	@$(BIN)/python tools/make_sync.py

.PHONY: format
format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
  --generate-hashes --no-strip-extras --no-header --no-annotate --quiet

.PHONY: lock
lock: $(BIN)/uv ## Pin the dependencies of pyproject.toml anew in the lock files
	@$(COMPILE) --group dev --all-extras --output-file requirements.lock
	@$(COMPILE) --group demo --extra migrate --constraint requirements.lock --output-file requirements-demo.lock
	@$(COMPILE) --extra migrate --constraint requirements.lock --output-file requirements-deploy.lock
	@$(COMPILE) --group docs --constraint requirements.lock --output-file requirements-docs.lock
	@$(subst pyproject.toml,benchmarks/peers/django.in,$(COMPILE)) --constraint requirements.lock --output-file benchmarks/peers/django.lock

$(BIN)/uv: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv && touch $@

DIST ?= dist

.PHONY: wheel
wheel: $(READY) ## Build what is deployed, in dist/: the store, its migrations, the lock file
	@mkdir -p "$(DIST)" && rm -f "$(DIST)"/*.whl
	@$(BIN)/hatchling build --target wheel --directory "$(abspath $(DIST))"
	@cp requirements-deploy.lock "$(DIST)/requirements.lock"

.PHONY: distributions
distributions: $(DEMO_READY) ## Build the generator's release: tag=sqlc-gen-psycopg-0.1.0
	@$(BIN)/python -m generator.tools.release "$${tag-}"
	@rm -rf generator/dist && cd generator && $(CURDIR)/$(BIN)/hatchling build

##@ Database

.PHONY: doctor
doctor: $(READY) ## Look for what is wrong with settings, server, schema and keys
	@$(BIN)/python -m store doctor

POOLER = $(if $(allow_pooler),--allow-pooler)

.PHONY: migrate
migrate: $(READY) ## Apply pending migrations to DATABASE_URL_DIRECT, else DATABASE_URL
	@$(BIN)/python -m store migrate up $(if $(dry_run),--dry-run) \
	  $(if $(allow_unrecorded),--allow-unrecorded) $(POOLER)

.PHONY: migrate-rollback
migrate-rollback: $(READY) ## Take back the newest applied migration
	@$(BIN)/python -m store migrate rollback $(POOLER)

.PHONY: migrate-new
migrate-new: $(READY) ## Write the next migration's skeleton: make migrate-new name=add_x
	@$(BIN)/python -m store migrate new -- "$${name-}"

.PHONY: migrate-check
migrate-check: $(READY) ## Check the migrations' files, without a database
	@$(BIN)/python -m store migrate check

.PHONY: migrate-record
migrate-record: $(READY) ## Add new migrations to the journal, after which they are final
	@$(BIN)/python -m store migrate record

.PHONY: migrate-repair
migrate-repair: $(READY) ## Make the journal (database=1: the ledger) agree with name=FILE
	@$(BIN)/python -m store migrate repair $(if $(database),--database) -- "$${name-}"

# make ends with 2 whatever a recipe's code was. To tell 1 (pending) from 2 (failure) call
# `python -m store migrate status` itself.
.PHONY: migrate-status
migrate-status: $(READY) ## List applied and pending migrations; fails if any is pending
	@$(BIN)/python -m store migrate status

.PHONY: studio
studio: $(READY) ## Browse DATABASE_URL_DIRECT, else DATABASE_URL, in a visual UI, read-only
	@$(BIN)/python -m store studio

# What tries things works on a server of its own: a database of its own is no wall
# around roles, tablespaces and other databases.
SCRATCH = $(BIN)/python -m postgres_testing.embedded '' sh -ec \
  'export SCRATCH_DATABASE_URL="$$TEST_DATABASE_URL"; exec "$$@"' sh
ON_OUR_SERVER = $(SCRATCH) sh -ec \
  'export DATABASE_URL="$$TEST_DATABASE_URL"; unset DATABASE_URL_DIRECT; exec "$$@"' sh

# Files that are not final count too, here as for the tests.
MIGRATED = sh -ec '$(BIN)/python -m store migrate up --allow-unrecorded >/dev/null; exec "$$@"' sh

.PHONY: schema-dump
schema-dump: $(READY) ## Write the schema that the migrations make to db/schema.sql
	@$(ON_OUR_SERVER) $(BIN)/python -m store schema dump

.PHONY: schema-diagram
schema-diagram: $(READY) ## Draw that schema and list its tables in docs/schema.md
	@$(ON_OUR_SERVER) $(MIGRATED) $(BIN)/python -m store schema diagram

.PHONY: migrate-draft
migrate-draft: $(READY) ## Draft the migration to an edited db/schema.sql: name=add_x
	@$(ON_OUR_SERVER) $(BIN)/python -m store migrate draft \
	  $(if $(destructive),--allow-destructive) $(foreach one,$(rename),--rename='$(one)') \
	  $(foreach one,$(drop),--drop='$(one)') -- "$${name-}"

# dry_run=1 takes all back; cursor='{…}' and time_zone=NAME are the old backend's.
.PHONY: adopt
adopt: $(READY) ## Adopt a database that Drizzle made; first with dry_run=1
	@$(BIN)/python -m store adopt $(if $(dry_run),--dry-run) \
	  $(if $(cursor),--cursor "$$cursor") $(if $(time_zone),--time-zone "$$time_zone") $(POOLER)

.PHONY: migrate-verify
migrate-verify: $(READY) ## Run all migrations up, down and up on rows; compare the database
ifeq ($(DATABASE_URL)$(DATABASE_URL_DIRECT),)
	@$(ON_OUR_SERVER) $(MIGRATED) $(BIN)/python -m store migrate verify
else
	@$(SCRATCH) $(BIN)/python -m store migrate verify
endif

##@ Wallet keys

.PHONY: keys-rotate
keys-rotate: $(READY) ## Encrypt all wallet keys with the first of WALLET_ENCRYPTION_KEYS
	@$(BIN)/python -m store keys rotate

.PHONY: keys-check
keys-check: $(READY) ## List users whose wallet key does not decrypt; fails if any
	@$(BIN)/python -m store keys check

##@ Check

.PHONY: test
test: lint types drift migrate-check licences ## Run every check, and all tests but the long ones
	@$(BIN)/python -m pytest --numprocesses=logical --dist=worksteal

.PHONY: test-long
test-long: $(READY) ## Run the tests that take many seconds, which `test` leaves out
	@$(BIN)/python -m pytest --numprocesses=logical --dist=worksteal -m long

# Apart from `test`, which it would make half as slow again.
.PHONY: coverage
coverage: $(READY) ## Run the store's tests, and list the lines that none of them runs
	@$(BIN)/python -m pytest --numprocesses=logical --dist=worksteal --cov --cov-report=term tests

# Of each of the four; on a quiet machine half of them are cut off.
STORM_CALLS ?= 26000

.PHONY: storm
storm: $(READY) ## Cut more than 50,000 calls off at random, in four ways; count what is left
	@for kind in timeouts repeated ended signals; do \
	  $(BIN)/python -m tests.support.storms $$kind $(STORM_CALLS) || exit 1; done

HISTORY_CALLS ?= 20000

.PHONY: history
history: $(READY) ## Make 20,000 calls at once, and search for what nothing explains
	@$(BIN)/python -m store_testing.history $(HISTORY_CALLS)

FAULT_CALLS ?= 1000

.PHONY: faults
faults: $(READY) ## Harm server, network and workers under load, for longer than `test`
	@FAULT_CALLS=$(FAULT_CALLS) $(BIN)/python -m pytest -s -v -m "" \
	  tests/faults/test_faults_under_load.py tests/faults/test_failover.py \
	  tests/faults/test_bytes.py

# In an environment of its own. Left out is what checks types and style, and what takes long.
PART = tests/unit generator/tests/command/test_command.py generator/tests/test_execution.py \
  generator/tests/test_schema.py tests/integration/migrations/test_runs.py \
  tests/integration/migrations/test_urls.py \
  $(addprefix tests/integration/,chats mirror users) \
  $(addprefix tests/integration/test_,cart_items.py checkout.py constraints.py \
    demo.py keys.py logging.py order_events.py pool.py transactions.py)
# Of (PYTHON, REQUIREMENTS).
TEST_PART = $(BIN)/uv venv --quiet --clear --python $(1) .cache/elsewhere; \
  export VIRTUAL_ENV=.cache/elsewhere; $(BIN)/uv pip install --quiet --requirement $(2); \
  $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e . -e generator; \
  .cache/elsewhere/bin/python -m pytest --numprocesses=logical --dist=worksteal $(PART)

.PHONY: test-minimum
test-minimum: $(BIN)/uv ## Run part of the tests on the lowest versions of all dependencies
	@mkdir -p .cache && rm -f .cache/minimum.txt
	@$(BIN)/uv pip compile pyproject.toml generator/pyproject.toml --group test --all-extras \
	  --resolution lowest-direct --python $(BIN)/python --quiet --output-file .cache/minimum.txt \
	  >/dev/null
	@$(call TEST_PART,$(BIN)/python,.cache/minimum.txt)

.PHONY: test-python
test-python: $(BIN)/uv ## Run part of the tests on another Python: python=python3.13
	@$(call TEST_PART,$(python),requirements.lock)

.PHONY: lint
lint: $(READY) ## Check format and style
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .

.PHONY: types
types: $(READY) ## Check types, with mypy and pyright
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pyright --pythonpath $(BIN)/python

.PHONY: drift
drift: $(READY) ## Check that what is generated is what would be; say what mends it
	@differs=0; \
	$(BIN)/sqlc-gen-psycopg generate --check || { echo "run: make generate"; differs=1; }; \
	$(BIN)/python tools/make_sync.py --check || differs=1; \
	$(ON_OUR_SERVER) $(BIN)/python -m store schema dump --check || differs=1; \
	$(ON_OUR_SERVER) $(MIGRATED) $(BIN)/python -m store schema diagram --check || differs=1; \
	exit $$differs

.PHONY: plans
plans: $(READY) ## Plan each query on tables of up to 10^9 rows; find what would grow
	@$(ON_OUR_SERVER) $(MIGRATED) $(BIN)/sqlc-gen-psycopg plans

.PHONY: licences
licences: $(READY) ## Check that the licences of all dependencies allow their use here
	@$(BIN)/pip-licenses --summary

##@ Show

.PHONY: demo
demo: $(DEMO_READY) ## Buy something on a database of its own, and show the rows
	@$(BIN)/python -m examples.demo

# What only the site needs is installed with its first build.
SITE_READY := $(VENV)/.ready-docs

$(SITE_READY): requirements-docs.lock | $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

.PHONY: docs
docs: $(SITE_READY) ## Build the documents as a site in build/docs; broken links are errors
	@$(BIN)/python tools/make_site.py

.PHONY: docs-serve
docs-serve: $(SITE_READY) ## Serve the documents as a site that follows their files, until Ctrl-C
	@$(BIN)/python tools/make_site.py --serve

# carts=onchain has them on chain; port=0 takes a free port.
.PHONY: api
api: $(READY) ## Serve the example API on a database of its own, until Ctrl-C
	@exec $(BIN)/python -m examples.api $(or $(port),8000) $(or $(carts),db)

.PHONY: pictures
pictures: $(READY) ## Take the screenshots of docs/ anew; needs Chromium
	@$(BIN)/python -m examples.pictures

.PHONY: bench
bench: $(READY) ## Measure the store beside its peers; QUICK=1 shows only that all can be
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) --json build/benchmarks.json \
	  --table build/benchmarks.md --plot $(if $(QUICK),build,docs/pictures)/benchmarks.svg

.PHONY: bench-profile
bench-profile: $(READY) ## Show where the time of a checkout and of a page of messages goes
	@$(BIN)/python -m benchmarks.profile

.PHONY: bench-migrations
bench-migrations: $(READY) ## Measure applying 500 migrations, beside dbmate, and verifying 60
	@$(BIN)/python -m benchmarks.migrations

.PHONY: bench-growth
bench-growth: $(READY) ## Measure each query at 10^4 to 10^6 rows, and draw docs/pictures/growth.svg
	@$(BIN)/python -m benchmarks.growth --svg docs/pictures/growth.svg

.PHONY: bench-bloat
bench-bloat: $(READY) ## Measure what many checkouts leave behind in tables and indexes
	@$(BIN)/python -m benchmarks.bloat

.PHONY: bench-generator
bench-generator: $(READY) ## Measure the generator beside sqlc's own, and its ways to send rows
	@$(BIN)/python -m generator.benchmarks
	@$(BIN)/python -m postgres_testing.embedded '' $(BIN)/python -m generator.benchmarks.rows
