# Commands. `make demo` and `make test` need python3 (3.11 to 3.13) with venv, git and make.

PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
BIN := .venv/bin
# GPU=1 takes the CUDA build of torch; an environment that has it keeps it until GPU=0.
GPU ?= $(if $(wildcard .venv/.lock-cuda-*),1,0)
BUILD := $(if $(filter 1,$(GPU)),cuda,cpu)
# An environment is finished when its stamp, named by the lock's checksum, stands in it.
READY := .venv/.lock-$(BUILD)-$(firstword $(shell cksum < envs/lock.txt))
# Kernels are compiled when a stamp of the code stands beside it.
KERNELS := .venv/.kernels-$(firstword $(shell find lib -name '*.py' | sort | xargs cat | cksum))
TORCH_cpu := https://download.pytorch.org/whl/cpu
TORCH_cuda := https://download.pytorch.org/whl/cu130
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)
DEMO := --configfile config/demo.yaml
SNAKES := Snakefile rules
PYTHONS := lib workflow_scripts tests tools benchmarks

.PHONY: pages demo test slow-test lint format report noise audit exchange bench soak kills check-model lock setup device clean help

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: setup  ## from simulated market to report, no account needed
	@$(SNAKEMAKE) train_all $(DEMO)
	@PYTHONPATH=lib $(BIN)/python tools/summary.py runs/demo

test: setup  ## every test but those that take minutes
	@$(BIN)/python -m pytest -q -rs -n $(CORES) --dist loadgroup -m "not slow"

slow-test: setup  ## the tests that take minutes; Slurm's needs root, slurm-wlm and munge
	@$(BIN)/python -m pytest -q -rs -n $(CORES) --dist loadgroup -m slow

lint: setup  ## style, types and Snakemake's own lint; changes nothing
	$(BIN)/ruff check $(PYTHONS)
	$(BIN)/ruff format --check $(PYTHONS)
	$(BIN)/mypy
	$(BIN)/snakefmt --check $(SNAKES)
	$(BIN)/snakemake --lint

format: setup  ## lay code out as lint wants it
	$(BIN)/ruff check --fix-only $(PYTHONS)
	$(BIN)/ruff format $(PYTHONS)
	$(BIN)/snakefmt $(SNAKES)

report: demo  ## Snakemake's report on the demo: every rule, parameter and figure in one file
	@$(SNAKEMAKE) train_all $(DEMO) --report runs/demo/snakemake.html

noise: setup  ## the demo with nothing planted: no model may find anything
	@$(SNAKEMAKE) audit_noise $(DEMO) config/noise.yaml

audit: setup  ## change the demo's future: no earlier bit may move
	@$(SNAKEMAKE) audit_leaks $(DEMO)

exchange: setup  ## the simulated exchange alone on a port, for any client (ARGS=--help)
	@PYTHONPATH=lib $(BIN)/python -m simulated_exchange $(ARGS)

bench: demo  ## what each stage of the demo cost
	@PYTHONPATH=lib $(BIN)/python tools/stages.py runs/demo

soak: setup  ## fetch through 1,000 faults and 50 kills: the files must be those of an undisturbed fetch
	@PYTHONPATH=lib $(BIN)/python benchmarks/soak.py

kills: setup  ## kill the smoke run 30 times, go on each time: nothing may be lost, and the bits stay the same
	@PYTHONPATH=lib:tests $(BIN)/python tools/kills.py $(ARGS)

check-model: setup  ## what the workflow asks of a model, as MODEL=my_model.py keeps it
	@$(BIN)/python tools/check_model.py $(MODEL)

pages: setup  ## make the pages and the schema that follow from code again
	@PYTHONPATH=lib $(BIN)/python -m gogooku.features.catalogue > .page && mv .page docs/features.md
	@$(BIN)/python tools/file_schemas.py > .page && mv .page docs/files.md
	@$(BIN)/python tools/blast_radius.py > .page && mv .page docs/blast-radius.md
	@$(BIN)/python tools/config_schema.py

lock:  ## write what .venv holds to envs/lock.txt
	@{ head -n 2 envs/lock.txt; $(BIN)/pip freeze --all --exclude pip | sed 's/+cpu$$//'; } > envs/lock.new
	@mv envs/lock.new envs/lock.txt

clean:  ## remove what runs have built; raw data, the ledger of trials and the environment stay
	rm -rf runs/*/ builds comparisons .snakemake

setup: $(READY) $(KERNELS)  ## make .venv from envs/lock.txt and compile kernels (GPU=1: with CUDA)

device: setup  ## which device networks are fitted on
	@$(BIN)/python tools/device.py

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "gogooku needs Python 3.11, 3.12 or 3.13 as python3, or: make PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "this Python cannot make environments: sudo apt-get install python3-venv"; exit 1; }
	@echo "making .venv from envs/lock.txt, once: about 2.5 GB and 5 to 10 minutes"
	@$(PYTHON) -m venv .venv
	@rm -f .venv/.lock-*
	@$(BIN)/pip install --no-deps --force-reinstall --retries 1 --index-url $(TORCH_$(BUILD)) \
		$$(grep '^torch==' envs/lock.txt) \
		|| echo "no $(BUILD) build of torch at $(TORCH_$(BUILD)): taking PyPI's, which may bring CUDA"
	@$(BIN)/pip install -r envs/lock.txt
	@$(BIN)/python tools/device.py
	@touch $@

$(KERNELS): $(READY)
	@echo "compiling kernels that changed, at most half a minute"
	@PYTHONPATH=lib $(BIN)/python tools/compile_kernels.py
	@rm -f .venv/.kernels-*
	@touch $@
