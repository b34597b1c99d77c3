# Every target sets up what it needs: Python >= 3.10, make and a package index are enough.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PEERS  := .venvs/bench/.ready
CLIENTS := .venvs/clients/.ready .venvs/clients-v2/.ready
# The clients for Node.
NODE_CLIENTS := .ci/clients/node_modules/.ready
# What `make page` drives its browser with, and what judges the page there.
BROWSER := .venvs/page/.ready .ci/page/node_modules/.ready
ARGS   ?=
SOAK   ?= 1000000
SOAK_MINUTES ?= 31
SOAK_MANY ?= 200000
COPIES ?= 300
SOAK_CHAOS ?= 500
INVENTORY ?= 1000000
SYNC ?= 1000000
export PYTHONPATH := functions/oss_copy
unexport PYTHONDONTWRITEBYTECODE  # a run starts hundreds of programs
# The schema of the fc3 component (its src/schema.json), for `s verify`; left out where it is not.
FC3_SCHEMA ?= ../shared/fc3-schema.json
# Serverless Devs: the genuine tool in its pinned version, or the program that S names.
TOOL   := $(if $(S),,.ci/s/node_modules/.ready)

.DEFAULT_GOAL := install
.PHONY: install help demo rehearse test test-all mutants coverage readings conformance clients exchanges check lint bench layer app dist cloud
.PHONY: soak soak-fuzz soak-copies soak-chaos soak-chaos-many soak-many soak-sim soak-sync soak-inventory openapi lock clean template tool layer-test newcomer

##@ Use it
install: $(READY)        ## the program oss-copy into .venv/bin, with the local cloud (what `make` alone does)
	@echo "$(BIN)/oss-copy is there: \`$(BIN)/oss-copy local FILE\` starts a local cloud with your file in it"

help:                    ## this list
	@awk '/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { name = $$0; sub(/:.*/, "", name); sub(/.*## /, ""); printf "  %-12s %s\n", name, $$0 }' $(MAKEFILE_LIST)

demo: $(READY)           ## three copies and 20,000 objects on the local cloud, shown live (ARGS=--kill ends an instance on the way)
	$(BIN)/python -m tests.tours.demo $(ARGS)

cloud: $(READY)          ## the local cloud with s.yaml deployed; prints one line of JSON
	@exec $(BIN)/python -m tests.cloud $(ARGS)

##@ Check a change
check: lint template test  ## lint, types, import rules, s.yaml, tests

lint: $(READY)           ## lint, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Most of a test is waiting: more processes than cores.
TESTS  ?= -n 8 --dist worksteal
# Of simulation, half of it on each of two processes; `make soak-sim` goes on for half an hour.
export SIM_SECONDS ?= 10

test: $(READY)           ## the whole suite on one interpreter
	$(BIN)/python -m pytest $(TESTS) $(ARGS)

template: $(READY) $(TOOL)  ## s.yaml judged by our rules, by FC's SDK and by the genuine `s` tool
	$(BIN)/python -m functions.cli template$(if $(S), --tool "$(S)") --schema "$(FC3_SCHEMA)"

##@ Check it further
coverage: $(READY)       ## the suite, and which lines and branches of the product it runs, instances included
	$(BIN)/python -m tests.coverage $(TESTS) $(ARGS)

test-all:                ## the suite on every interpreter of 3.10, 3.11 and 3.12 that is installed
	$(PYTHON) tests/tours/interpreters.py $(ARGS)
	$(MAKE) layer-test ARGS=
	$(MAKE) readings ARGS=

readings: $(READY)       ## the flow tests under each reading of the local cloud where sources disagree (ARGS="--reading copy-limit")
	$(BIN)/python -m tests.readings $(ARGS)

mutants: $(READY)        ## every planted fault, each to be found by its test (ARGS="--only hop.py")
	$(BIN)/python -m tests.mutants $(ARGS)

conformance: $(READY)    ## oss2's own tests against the OSS server, V1 and V4 signatures; reasons in left_out.txt
	$(BIN)/python -m tests.conformance $(ARGS)

clients: $(READY) $(CLIENTS) $(NODE_CLIENTS)  ## other people's clients of OSS and FC on the local cloud: scenarios x clients (ARGS="--client opendal")
	$(BIN)/python -m tests.clients $(ARGS)

exchanges: $(READY) $(CLIENTS) $(NODE_CLIENTS)  ## records anew what those clients say to the OSS server and hear from it; `make test` repeats it
	$(BIN)/python -m tests.clients.recording

.PHONY: page
page: $(READY) $(BROWSER)  ## the page in a headless Chromium, by keys alone too; axe judges it (ARGS="--out DIR running")
	$(BIN)/python -m tests.tours.page $(ARGS)

pictures: $(READY) $(BROWSER)  ## the pictures of README: the demo's timeline, and a screenshot of the page
	$(BIN)/python -m tests.tours.pictures

##@ Check it for long
soak: soak-fuzz soak-copies soak-chaos soak-chaos-many soak-sim soak-sync soak-inventory  ## the long campaigns, one after the other

soak-fuzz: $(READY) $(VENV)-fuzz/.ready  ## a million fuzzed events, thousands of HTTP requests (SOAK=N events)
	$(VENV)-fuzz/bin/python -m tests.fuzz.soak --inputs $(SOAK)
	$(BIN)/python -m tests.fuzz.marks --inputs $(SOAK)
	FUZZ=100000 $(BIN)/python -m pytest -q -n 2 --timeout 3600 tests/unit/test_fuzz.py
	$(BIN)/python -m tests.fuzz.drive $(ARGS)

soak-copies: $(READY)    ## generated copies, every property by every way (COPIES=N)
	FIDELITY=$(COPIES) $(BIN)/python -m pytest -q -n 2 tests/flow/test_fidelity.py tests/flow/test_fidelity_bulk.py

soak-chaos: $(READY)     ## copies through a storm of faults and dying instances (SOAK_CHAOS=N)
	CHAOS=$(SOAK_CHAOS) $(BIN)/python -m pytest -q -s tests/flow/test_chaos.py

soak-chaos-many: $(READY) ## a job of many objects through such a storm, two sweeps at once (SOAK_MANY=N)
	CHAOS_MANY=$(SOAK_MANY) $(BIN)/python -m pytest -q -s tests/flow/test_chaos_bulk.py

soak-many: $(READY) $(PEERS)  ## a million objects copied by eight walkers, and listed again, beside oss2
	MANY=1000000 $(BIN)/python -m tests.bench many

soak-sim: $(READY)       ## simulated schedules for half an hour, half on each of two processes (SOAK_MINUTES=N)
	$(BIN)/python -m tests.sim --minutes $(SOAK_MINUTES) --processes 2
	$(BIN)/python -m tests.sim.bulk --minutes $(SOAK_MINUTES) --processes 2
	$(BIN)/python -m tests.sim.bulk --delete --minutes $(SOAK_MINUTES) --processes 2

soak-sync: $(READY)       ## a sync of a million equal objects: no copy, few requests (SYNC=N)
	SYNC=$(SYNC) $(BIN)/python -m pytest -q -s --timeout 7200 tests/unit/test_bulk_million.py

soak-inventory: $(READY) ## an inventory of a million objects, copied and compared (INVENTORY=N)
	INVENTORY=$(INVENTORY) $(BIN)/python -m pytest -q -s --timeout 7200 tests/flow/test_inventory.py

.PHONY: soak-scale
soak-scale: $(READY)     ## a second sync of 10⁶ and 10⁷ equal keys, every row counted: keys a second, memory (SCALE=100000000)
	$(BIN)/python -m tests.bench.scale --keys $(or $(SCALE),1000000 10000000)
soak: soak-scale

##@ Walk through a deployment
rehearse: $(READY)       ## deploy s.yaml to an empty local cloud through the FC 3.0 SDK, and copy with it
	test -f layers/sdk-3.12.zip || $(BIN)/python layers/sdk/build.py
	$(BIN)/python -m tests.tours.rehearsal $(ARGS)

newcomer: $(READY)       ## the documents' way from a fresh clone to the first copy, on the local cloud: how long each command takes
	$(BIN)/python -m tests.tours.newcomer $(ARGS)

##@ Measure and build
bench: $(READY) $(PEERS)  ## measurements; all of them are written to tests/bench/RESULTS.md (ARGS="--quick floor", ARGS="floor --write")
	$(BIN)/python -m tests.bench $(ARGS)

layer: $(READY)          ## runtime dependencies of the function as layers/sdk-<python>.zip (ARGS="--python 3.10")
	$(BIN)/python layers/sdk/build.py $(ARGS)

app: $(READY)            ## the template package of Serverless Devs, for `s init --uri`, as dist/oss-copy-app-<version>.zip
	$(BIN)/python -m layers.app.build

dist: $(READY)           ## wheel, layers, template package and their checksums, as dist/: the same to the byte each time
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -d dist
	$(BIN)/python -m layers.app.build
	$(BIN)/python layers/sdk/build.py --python 3.10
	$(BIN)/python layers/sdk/build.py --python 3.12
	cp layers/sdk-3.10.zip layers/sdk-3.12.zip layers/sdk-3.10.cdx.json layers/sdk-3.12.cdx.json dist/
	cd dist && sha256sum *.whl *.zip *.json > SHA256SUMS && cat SHA256SUMS

layer-test: $(READY)     ## the layers for 3.12 and 3.10: built twice, then copies with nothing but them
	$(BIN)/python -m pytest -q tests/layers $(ARGS)

tool: $(TOOL)            ## the `s` tool, and Node from the package index if there is none

openapi: $(READY)        ## the OpenAPI document from the types that parse
	$(BIN)/python -m functions.cli.openapi

LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header

lock: $(READY)           ## renew the lock files from pyproject.toml
	$(LOCK) --group layer -o layers/sdk/requirements.txt
	$(LOCK) pyproject.toml --group dev -o requirements-dev.txt
	$(LOCK) --group bench -o tests/bench/requirements.txt
	$(LOCK) --group clients -o tests/clients/requirements.txt
	$(LOCK) --group clients-v2 -o tests/clients/requirements-v2.txt
	$(LOCK) --group fuzz -o tests/fuzz/requirements.txt
	$(LOCK) --group page -o tests/tours/requirements.txt
	$(LOCK) --group node -o .ci/s/requirements.txt

$(READY): requirements-dev.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-index --no-build-isolation -e .
	touch $@

$(PEERS): tests/bench/requirements.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r tests/bench/requirements.txt
	touch $@

.venvs/clients/.ready: tests/clients/requirements.txt
.venvs/clients-v2/.ready: tests/clients/requirements-v2.txt
.venvs/page/.ready: tests/tours/requirements.txt
$(CLIENTS) .venvs/page/.ready:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	touch $@

$(NODE_CLIENTS) .ci/page/node_modules/.ready: %/node_modules/.ready: %/package-lock.json .ci/s/requirements.txt | $(READY)
	$(BIN)/python -m tests.clients.node $*
	touch $@

$(VENV)-fuzz/.ready: tests/fuzz/requirements.txt
	$(PYTHON) -m venv --clear $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	touch $@

.ci/s/node_modules/.ready: .ci/s/package-lock.json .ci/s/requirements.txt | $(READY)
	$(BIN)/python -m functions.cli.tool
	touch $@

clean:                   ## away with what was built: environments, tools, layers
	rm -rf $(VENV) $(VENV)-fuzz .venvs .ci/s/node .ci/s/node_modules .ci/clients/node .ci/clients/node_modules .ci/page/node .ci/page/node_modules layers/sdk-*/ layers/*.zip layers/*.cdx.json dist
