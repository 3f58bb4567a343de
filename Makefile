# The two commands of the README, `make demo` and `make test`, from nothing to running on a bare machine. Quick the second time.

UV = sh setup/uv
RUN = $(UV) run --no-sync
# Chromium for the browser tests, OpenGL without a display for the twin's cameras, openssl for a board's certificate in the tests.
SYSTEM_PACKAGES = chromium libegl1 libgl1-mesa-dri openssl

.PHONY: demo test check lint types contracts environment system-packages

demo: environment
	$(RUN) app.py

test: system-packages check
	$(RUN) pytest

check: lint types contracts

lint: environment
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: environment
	$(RUN) mypy

contracts: environment
	$(RUN) lint-imports --no-logo

environment:
	$(UV) sync --locked

system-packages:
	sh setup/system-packages $(SYSTEM_PACKAGES)
