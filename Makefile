# Everything starts here; each target installs what it needs into .venv first.
# Needed on the machine: Python 3.11 or later, and make. The tests also open the book in Chromium.

.DEFAULT_GOAL := help
SHELL := bash
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PORT ?= 8000
# Where the book is published and where its source is, if _config.yml does not say so.
PUBLISHED := $(if $(BASEURL),--baseurl "$(BASEURL)") $(if $(REPOSITORY),--repository "$(REPOSITORY)")
# A class gets the notebooks of one edition in a folder of their own.
UNSOLVED := $(filter no,$(SOLUTIONS))
LAB = _build/notebooks/$(EDITION)$(if $(UNSOLVED),-without-solutions)
# The numbers of a run must not depend on how many cores a machine has.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export PYTHONUTF8 := 1

.PHONY: help book test new chapter notebooks experiments serve lab pdf slides bench fuzz clean lock \
	lint unit validate editions-run site

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: $(STAMP)  ## build both editions; ends by saying where to open them
	@$(PY) -m press.build $(PUBLISHED)

test:  ## everything: code, every notebook, both editions in a browser
	@for stage in lint unit validate site; do $(MAKE) --no-print-directory $$stage || exit 1; done

new: $(STAMP)  ## begin a planned chapter, C=part/name: its text with all parts, its line in _toc.yml
	@$(PY) -m press.skeleton $(C)

chapter: $(STAMP)  ## run, check and compare one chapter, C=part/name, and bring its pages up to date
	@$(PY) -m press.execute chapters/$(or $(C),$(error C=part/name is needed)).md
	@$(PY) -m press.lint chapters/$(C).ipynb
	@$(NBVAL) -n 0 chapters/$(C).ipynb
	@$(PY) -m press.build --page $(C)

notebooks: $(STAMP)  ## run every notebook and store its outputs
	@$(PY) -m press.execute

experiments: $(STAMP)  ## run the long experiments and store their results (C=part/chapter: one)
	@for script in $(or $(C:%=chapters/%.py),$(wildcard chapters/*/*.py)); do \
		echo "== $$script"; OPENBLAS_CORETYPE=Haswell $(PY) $$script || exit 1; done

serve: $(STAMP)  ## build the book and serve it at http://localhost:8000 (PORT=…)
	@$(PY) -m press.build
	@echo "Serving at http://localhost:$(PORT)/  (stop with Ctrl-C)"
	@$(PY) -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: $(STAMP)  ## open the notebooks in JupyterLab (EDITION=zh or en: that language only; SOLUTIONS=no)
ifdef EDITION
	@$(PY) -m press.build notebooks $(EDITION) $(LAB) $(if $(UNSOLVED),--without-solutions)
	@$(PY) -m jupyterlab $(LAB)
else ifdef UNSOLVED
	$(error SOLUTIONS=no needs EDITION=zh or EDITION=en)
else
	@$(PY) -m jupyterlab chapters
endif

# What is handed out (press/handouts): of chapter C or of all, in one EDITION or in both.
HANDOUT = $(PY) -m press.handouts $(if $(C),--chapter $(C)) $(if $(EDITION),--edition $(EDITION)) \
	$(if $(BASEURL),--baseurl "$(BASEURL)")

pdf: $(STAMP)  ## the book on paper, _build/pdf (C=part/name, EDITION=zh or en, ANSWERS=no)
	@$(PY) -m press.build $(PUBLISHED)
	@$(HANDOUT) pdf $(if $(filter no,$(ANSWERS)),--without-answers)

slides: $(STAMP)  ## chapters as slides, _build/slides (C=part/name, EDITION=zh or en)
	@$(PY) -m press.build $(PUBLISHED)
	@$(HANDOUT) slides

bench: $(STAMP)  ## minigrad beside NumPy by hand, PyTorch, JAX, … (BENCH="--quick --only iris")
	@$(PY) -m benchmarks $(BENCH)

fuzz: $(STAMP)  ## every public function compiled against itself, every NumPy option against NumPy
	@$(PY) tests/support/fuzz.py
	@$(PY) tests/support/numpy_table.py

clean:  ## remove what was built (the environment stays; rm -r .venv removes that)
	rm -rf _build

lock:  ## upgrade every pinned version in requirements.txt
	@rm -rf _build/lock && python3.11 -m venv --upgrade-deps _build/lock  # --group is new in pip 25.1
	@_build/lock/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable ".[notebooks]" --group press --group test
	@{ grep '^#' requirements.txt; \
		_build/lock/bin/python -m pip freeze --all --exclude-editable --exclude pip; } > _build/lock/new
	@mv _build/lock/new requirements.txt

# Runs notebooks and compares; not with --doctest-modules, which would import the scripts beside them.
NBVAL := $(CURDIR)/$(PY) -m pytest -o addopts=-q --rootdir $(CURDIR) \
	--nbval --nbval-sanitize-with $(CURDIR)/press/nbval.cfg -n 2 --dist loadfile
# Of the halves of chapters, `make test` runs those that take the least time.
FEW := {zh,en}/notation.ipynb

# --- the stages of `make test`, in its order; each can be run alone ----------------------------

lint: $(STAMP)  ## style and types of the code
	@echo "== lint"
	@$(PY) -m ruff check .
	@$(PY) -m mypy

# What T stands for: optim is tests/optim and minigrad/optim; press/lint is a test and a module.
UNITS = $(wildcard tests/$(T) $(dir tests/$(T))test_$(notdir $(T)).py minigrad/$(T) minigrad/$(T).py \
	$(T) $(T).py)

unit: $(STAMP)  ## tests of the code and of the examples in it (T=optim or T=losses/ranking: of that)
	@echo "== unit tests"
ifdef T
	@$(PY) -m pytest $(or $(UNITS),$(error no tests or module $(T)))
else
	@$(PY) -m pytest -n 2 --dist worksteal --ignore tests/site tests minigrad press
endif

validate: $(STAMP)  ## run every notebook again and compare with the stored outputs
	@echo "== notebooks"
	@$(NBVAL) chapters
	@$(MAKE) --no-print-directory editions-run HALVES="$(FEW)"

editions-run: $(STAMP)  ## run the notebooks of each edition and compare with what its pages show
	@rm -rf _build/halves
	@$(PY) -m press.build notebooks zh _build/halves/zh
	@$(PY) -m press.build notebooks en _build/halves/en
	@cd _build/halves && $(subst nbval.cfg,nbval-halves.cfg,$(NBVAL)) $(or $(HALVES),zh en)

site: $(STAMP)  ## build both editions, warnings as errors, and open them in Chromium
	@echo "== site"
	@$(PY) -m press.build --strict $(PUBLISHED)
	@$(PY) -m pytest -n 2 --dist worksteal tests/site

# --- the environment --------------------------------------------------------------------------

$(STAMP): requirements.txt
	@python=; for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or later is needed and none was found (set PYTHON=… if it has another name)." >&2; \
		exit 1; fi; \
	if ! $(PY) -c '' 2>/dev/null; then \
		echo "Creating $(VENV) with $$($$python --version) …"; \
		$$python -m venv $(VENV) || { echo "On Debian: apt-get install python3-venv" >&2; exit 1; }; fi
	@echo "Installing what requirements.txt lists (a few minutes the first time) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(PY) -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "minigrad-book.pth").write_text(str(pathlib.Path.cwd()))'
	@touch $@
