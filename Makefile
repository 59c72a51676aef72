.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt bench bench-stt bench-llm bench-tts bench-room screens proto proto-check models lock clean
bin := .venv/bin

help:         ## Show what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22
setup:        ## Install everything into .venv and fetch the models of the embedded profile (minutes, once)
	@scripts/setup.sh
run: setup    ## Start the four services and talk
	@$(bin)/python deploy/local/run.py
test: setup   ## Run all tests
	@$(bin)/pytest --junitxml=.run/tests.xml
check: setup  ## Lint, types, architecture, generated code
	@scripts/check.sh
fmt: setup    ## Format the code
	@$(bin)/ruff format . && $(bin)/ruff check --fix .
bench: setup  ## Measure conversations: make bench ARGS="--json figures.json --picture figures.svg"
	@$(bin)/python -m tests.bench.conversation --json .run/bench.json $(ARGS)
bench-stt: setup  ## Measure the ears: make bench-stt ARGS="--json figures.json"
	@$(bin)/python -m tests.bench.stt $(ARGS)
bench-llm: setup  ## Measure the mind: make bench-llm ARGS="throughput --conversations 4"
	@$(bin)/python -m tests.bench.llm $(ARGS)
bench-tts: setup  ## Measure the mouth: make bench-tts ARGS="--made-voice"
	@$(bin)/python -m tests.bench.tts $(ARGS)
bench-room: setup  ## Measure the client in a made room: make bench-room ARGS="interruptions"
	@$(bin)/python -m tests.bench.room $(ARGS)
screens: setup  ## Draw the pictures of the terminal view in docs/screens anew
	@$(bin)/python -m scripts.make_screens
proto: setup  ## Generate protos/gen anew
	@scripts/generate-protos.sh
proto-check: setup  ## Fail if protos/gen is not what the protos say
	@scripts/check-protos.sh
models: setup ## Fetch the models of a profile: make models PROFILE=embedded
	@$(bin)/superwhisper models pull --profile $(or $(PROFILE),embedded)
lock: setup   ## Pin the newest versions of all dependencies in constraints/
	@scripts/lock.sh
clean:        ## Remove all that was made here (models stay)
	@rm -rf .venv .run dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis reply.wav && find . -name __pycache__ -type d -prune -exec rm -rf {} +
