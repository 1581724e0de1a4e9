# `make` alone prints the commands. What they do is written in backend/tools/.

PYTHON := $(or $(PYTHON),$(shell for name in python3 python3.14 python3.13 python3.12 python3.11 \
	python3.10 python; do "$$name" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' \
	2>/dev/null && echo "$$name" && break; done))

.DEFAULT_GOAL := help
.PHONY: help run test check bench wheel cluster test-cluster dev install clean

help:
	@echo "make run      start Mechanistic Explorer on http://localhost:5173 (and :8000)"
	@echo "              MODEL=gpt2 | any Hugging Face id | a folder | embedded;  PORTS=5173,8000"
	@echo "make test     every test: backend, frontend, browser"
	@echo "make check    format, lint, types, import rules, drift of generated files"
	@echo "make bench    how fast it is, side by side with other ways (25 minutes)"
	@echo "make wheel    packages for pip in dist/: client and command line, and the server with its page"
	@echo "make cluster  replicas behind Ray Serve on http://localhost:8000 (docs/cluster.md);  REPLICAS=2"
	@echo "make dev      API with reload on :8000 and Vite on :5173"
	@echo "make install  only install and build what the others need"
	@echo "make clean    remove all that was installed, built and cached here"

run test check bench wheel cluster test-cluster dev install clean:
ifeq ($(PYTHON),)
	@echo "Error: Python 3.10 to 3.14 is needed and was not found; install it (python.org or a package manager)." >&2; exit 1
else
	@cd backend && exec "$(PYTHON)" -m tools $@
endif
