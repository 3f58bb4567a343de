# The two commands of the README, `make demo` and `make test`, from nothing to running on a bare machine. Quick the second time.

UV = sh setup/uv
RUN = $(UV) run --no-sync
# Of the tests, which are made for two cores: more would run more browsers beside the arm that moves in real time.
PROCESSES = 2
# Chromium for the browser tests, OpenGL without a display for the twin's cameras, openssl for a board's certificate in the tests, and Node.js
# for the checks of the page's scripts, unless it is there already, from wherever it came.
SYSTEM_PACKAGES = chromium libegl1 libgl1-mesa-dri openssl $(if $(shell command -v npm),,nodejs npm)

.PHONY: demo test check lint types contracts scripts environment system-packages

demo: environment
	$(RUN) app.py

test: system-packages check
	$(RUN) pytest -n $(PROCESSES) --dist loadfile

check: lint types contracts scripts

lint: environment
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: environment
	$(RUN) mypy

contracts: environment
	$(RUN) lint-imports --no-logo

scripts: node_modules/.package-lock.json
	npm run --silent check

node_modules/.package-lock.json: package-lock.json
	@command -v npm >/dev/null || { echo "The page's scripts are checked with Node.js, which is not here. Install it: sudo apt-get install nodejs npm" >&2; exit 1; }
	npm ci --no-audit --no-fund --silent
	@touch $@

environment:
	$(UV) sync --locked

system-packages:
	sh setup/system-packages $(SYSTEM_PACKAGES)
