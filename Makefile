# Everything starts from Python 3.11+ and make. `make serve` and `make test` do all the set-up themselves.
PYTHON ?= python3
TORCH ?= -r requirements/torch.txt
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --no-compile  # a module is compiled when first imported
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PYTHONPATH := $(CURDIR)
export NO_MKDOCS_2_WARNING := 1
export PYTHONDONTWRITEBYTECODE :=  # where it is set, every test process and snippet compiles all modules again

.PHONY: help serve site offline test lint check bench parity train new lock figures outputs clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# ---- set-up: a stamp per layer, made again when its lock changes -------------------------------------------------
$(VENV)/site.stamp: requirements/site.txt package-lock.json
	$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('Python 3.11 or newer is needed, this is ' + sys.version)"
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements/site.txt
	test -d node_modules/axe-core || npm ci --omit=dev --silent --ignore-scripts
	touch $@

$(VENV)/test.stamp: $(VENV)/site.stamp requirements/test.txt requirements/torch.txt package-lock.json
	$(PIP) --no-deps $(TORCH)
	$(PIP) --require-hashes -r requirements/test.txt
	npm ci --silent --ignore-scripts
	touch $@

# ---- what people use ---------------------------------------------------------------------------------------------
serve: $(VENV)/site.stamp  ## build the site and show it on http://127.0.0.1:8000
	SITE_URL=http://127.0.0.1:$(PORT)/ $(PY) -m sitebuild.prepare
	SITE_URL=http://127.0.0.1:$(PORT)/ $(PY) -m mkdocs serve --dev-addr 127.0.0.1:$(PORT)

site: $(VENV)/site.stamp  ## build the static site into site/ (strict)
	$(PY) -m sitebuild.prepare
	$(PY) -m mkdocs build --strict --clean
	$(PY) -m sitebuild.finish

offline: site  ## build the site as one zip that opens from disk, search included: build/deep-learning-knowledge-map.zip
	$(PY) -m sitebuild.offline

test: $(VENV)/test.stamp site  ## run every test, the snippets and the checks of the built site
	$(PY) -m pytest -n 2 --dist loadgroup

lint: $(VENV)/test.stamp  ## format, lint, types
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

check: lint  ## the fast part: format, lint, types, unit tests
	$(PY) -m pytest -n 2 --dist loadgroup -m "not slow and not browser and not gpu"

bench: $(VENV)/test.stamp  ## measure speed: ratios to named peers, one run
	$(PY) -m bench

parity: $(VENV)/test.stamp  ## measure how far each function is from its torch twin, for the table on the site
	RECORD=1 $(PY) -m tests.parity

train: $(VENV)/test.stamp  ## train the shipped weights again (seeded)
	$(PY) -m training.digits
	$(PY) -m training.cnn
	$(PY) -m training.generalization
	$(PY) -m training.johnson_lindenstrauss
	$(PY) -m training.superposition
	$(PY) -m training.gpt
	$(PY) -m training.scaling
	$(PY) -m training.fine_tuning
	$(PY) -m training.vae
	$(PY) -m training.unet_skips
	$(PY) -m training.latent_diffusion
	$(PY) -m training.classifier_free_guidance
	$(PY) -m training.data_parallel_training
	$(PY) -m training.vision_transformer
	$(PY) -m training.clip
	$(PY) -m training.denoiser
	$(PY) -m training.samplers
	$(PY) -m training.text_to_image

new: $(VENV)/site.stamp  ## make new concept=<slug>: write the files of a planned concept from the template
	$(PY) -m sitebuild.new $(concept)

outputs: $(VENV)/test.stamp  ## rewrite the `#>` outputs of the snippets
	$(PY) -m pytest tests/test_snippets.py --update-examples

lock: $(VENV)/test.stamp  ## resolve requirements/*.in and package.json again
	for f in site test; do $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header requirements/$$f.in -o requirements/$$f.txt; done
	npm install --package-lock-only --ignore-scripts

clean:  ## remove what was built (not the environment)
	rm -rf site build .cache docs/assets/katex docs/snippets docs/wheels docs/source docs/map.json docs/assets/digits_mlp.safetensors docs/notebooks
