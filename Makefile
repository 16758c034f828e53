# Everything a developer runs. `make help` lists it.
#
# Needs make and Python 3.11 or 3.13; what else is needed comes, pinned, into .venv (Blender as a Python module included).

# A Python of your choice; otherwise the first one found, 3.11 before 3.13.
PYTHON ?=
# The photo of `make demo`; otherwise the one that comes along.
PHOTO ?=
# The systems to build for: linux-x64, windows-x64, macos-x64, macos-arm64 or all; otherwise this machine's.
PLATFORM ?=
# The Blender versions of `make test-versions`.
VERSIONS ?= 4.2.23 4.5.15 5.0.1 5.2.3
# The Blender of `make test-blender`; may be a command with arguments.
BLENDER ?= blender
# For `make train` and `make train-heads`: minutes to draw scenes and minutes to learn; photos with true depth to score; the folder of a
# human base mesh; a folder with the packages whose portraits are scored.
DRAW ?= 120
MINUTES ?= 240
DEV ?=
HUMAN ?=
PHOTOS ?=
# More arguments for pytest, for example PYTEST="-k depth -x".
PYTEST ?=

RUN := .venv/bin/python
SOURCES := addon headless scripts tests benchmarks training __init__.py

.PHONY: help demo test extension train train-heads test-training test-networks test-versions test-blender lint format clean venv-run venv-test venv-training venv-lint

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

demo: venv-test ## Turn a photo into a short film under build/; PHOTO=my.jpg takes yours
	@$(RUN) headless/demo.py $(if $(PHOTO),--photo "$(PHOTO)") --out build

test: venv-test ## Run the tests on Blender as a Python module
	@$(RUN) -m pytest $(PYTEST)

extension: venv-run ## Build and validate the extension's zip into dist/; PLATFORM=all builds every one
	@$(RUN) scripts/extension.py $(PLATFORM)

test-networks: venv-test ## Run the tests of the large depth networks, with torch (about 1 GB, once; needs Python 3.11)
	@python="$$(sh scripts/find_python.sh "3.11" "$(PYTHON)")" && "$$python" scripts/venv.py .venv-networks networks test
	@[ -d .venv-networks/mediapipe ] || .venv-networks/bin/python -m pip install -qq --disable-pip-version-check --no-deps \
	    --only-binary=:all: --target .venv-networks/mediapipe -r requirements/mediapipe.txt
	@.venv-networks/bin/python -m pytest tests/vision/test_onnx.py $(PYTEST)
	@STILLSCAPE_MEDIAPIPE=.venv-networks/mediapipe/mediapipe/modules .venv-networks/bin/python -m pytest tests/vision -m networks $(PYTEST)
	@STILLSCAPE_WORKER_PYTHON="$(CURDIR)/.venv-networks/bin/python" $(RUN) -m pytest tests/headless -m networks $(PYTEST)

train: venv-training ## Make the built-in depth network anew into build/training; MINUTES=240 DRAW=120 DEV=photos HUMAN=mesh
	@.venv-training/bin/python -m training.generate --out build/training/data --minutes $(DRAW) $(if $(HUMAN),--human "$(HUMAN)")
	@.venv-training/bin/python -m training.train --data build/training/data --out build/training/run --minutes $(MINUTES) \
	    $(if $(DEV),--dev "$(DEV)")
	@.venv-training/bin/python -m training.export build/training/run/$(if $(DEV),best,last).safetensors --out build/training/built_in.onnx

train-heads: venv-training ## Make the landmark network anew into build/training; HUMAN=mesh MINUTES=240 DRAW=120 PHOTOS=packages
	@.venv-training/bin/python -m training.heads --human "$(HUMAN)" --out build/training/heads --minutes $(DRAW)
	@.venv-training/bin/python -m training.heads_train --data build/training/heads --out build/training/heads-run --minutes $(MINUTES)
	@.venv-training/bin/python -m training.heads_network build/training/heads-run/last.safetensors --out build/training/landmarks.onnx
	@.venv-training/bin/python -m training.score_heads --network build/training/landmarks.onnx --data build/training/heads \
	    $(if $(PHOTOS),--photos "$(PHOTOS)")

test-training: venv-training ## Run the tests of what makes the built-in depth network (the environment of `make train`)
	@.venv-training/bin/python -m pytest tests/training $(PYTEST)

test-versions: ## Run the tests marked "versions" on each of VERSIONS
	@python="$$(sh scripts/find_python.sh "3.11 3.13" "$(PYTHON)")" && \
	    "$$python" scripts/test_versions.py --python "$(PYTHON)" --pytest "$(PYTEST)" $(VERSIONS)

test-blender: venv-test ## Install the zip into a real Blender and test it there; BLENDER="command"
	@$(RUN) scripts/extension.py
	@STILLSCAPE_BLENDER="$(BLENDER)" $(RUN) -m pytest -m blender tests/install $(PYTEST)

lint: venv-lint ## Check style, types and which part imports which
	@broken=0; \
	    .venv-lint/bin/python -m ruff check $(SOURCES) || broken=1; \
	    .venv-lint/bin/python -m ruff format --check $(SOURCES) || broken=1; \
	    .venv-lint/bin/python -m pyright || broken=1; \
	    .venv-lint/bin/python scripts/check_imports.py || broken=1; \
	    exit $$broken

format: venv-lint ## Rewrite the sources in the house style
	@.venv-lint/bin/python -m ruff check --fix $(SOURCES)
	@.venv-lint/bin/python -m ruff format $(SOURCES)

clean: ## Remove what was built, not the downloads (.venv*, .venvs, wheels)
	@rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	@find addon headless scripts tests benchmarks training -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that is there is asked for its Python, so that it is not made anew when the PATH changes.
define venv
	@python="$$( [ -z "$(PYTHON)" ] && [ -x $(1)/bin/python ] && echo $(1)/bin/python || sh scripts/find_python.sh "3.11 3.13" "$(PYTHON)")" && \
	    "$$python" scripts/venv.py $(1) $(2)
endef

venv-run:
	$(call venv,.venv,run)

venv-test:
	$(call venv,.venv,run test)

venv-training:
	@python="$$(sh scripts/find_python.sh "3.11" "$(PYTHON)")" && "$$python" scripts/venv.py .venv-training training test

# The test packages too: pyright looks up what is imported.
venv-lint:
	$(call venv,.venv-lint,lint test)
