# recscope: `make demo` and `make test` are the two commands of a fresh machine.
# Everything below works with plain cargo too, once `scripts/libduckdb` has run.

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint fmt fuzz memcheck soak bench bench-scoring bench-cache bench-eval bench-slices bench-big release release-score screenshots clean-cache

help: ## this list
	@printf 'recscope\n\n'
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

setup: ## fetch what a bare machine lacks (Rust is needed; libduckdb is fetched and verified)
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.90 or newer (https://rustup.rs)"; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: install gcc or clang (Debian: apt-get install gcc)"; exit 1; }
	@scripts/libduckdb

# Not incremental: that makes the first build of the program itself a fifth faster. Builds after it that
# are incremental take what is there.
demo: setup ## build and open the demo investigation (headless where there is no terminal)
	@echo "building (the first time compiles DuckDB's bindings and candle: 11 to 13 minutes on two cores) ..."
	@CARGO_INCREMENTAL=0 cargo build --locked --bin recscope
	@CARGO_INCREMENTAL=0 cargo run --quiet --locked --bin recscope -- demo

test: setup ## all tests
	@if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --locked; \
	else \
		cargo test --locked --lib --bins --tests; \
	fi

lint: setup ## format check, clippy with warnings denied
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

# TARGET: notebook, frames, heads, tokenizer, safetensors, keys. Builds everything a second time, recscope instrumented.
fuzz: setup ## search for inputs that break a parser; TARGET=notebook SECONDS=300
	scripts/fuzz $(or $(TARGET),notebook) $(or $(SECONDS),300)

memcheck: setup ## the kernels' unit tests under valgrind (which knows AVX2, not AVX-512)
	CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --error-exitcode=9 --leak-check=no" \
		cargo test --locked --lib engine::model::fused -- --test-threads=1

bench: setup ## scoring tokens/s beside stock candle, first-frame time; prints ratios
	cargo bench --locked --profile dev --bench scoring --bench first_frame

# ARGS: --model NAME, --only CONTESTANT, --rounds N, or --rows 10k,100k,1M for cost against rows.
bench-scoring: setup ## scoring beside ONNX Runtime and PyTorch (installed into a cache: 2 GB); ARGS="--rows 10k,100k"
	cargo bench --locked --profile dev --bench scoring -- --peers $(ARGS)

# ARGS: --rows 1M,10M,100M, --rounds N, --no-peers.
bench-eval: setup ## ranking metrics of judged rows beside ranx and pytrec_eval (installed into a cache)
	cargo bench --locked --profile dev --bench eval -- $(ARGS)

bench-cache: setup ## a million repetitive rows: row by row, equal ones once, again from the score cache
	cargo bench --locked --profile dev --bench repetitive

# ARGS: numbers of rows (10M, 100k), --peer PYTHON with divexplorer installed.
bench-big: setup ## a chain of thousands of cells; a key in notebooks of 1 MB and in 100 MB of prose
	cargo bench --locked --profile dev --bench big_notebook -- $(ARGS)

bench-slices: setup ## slice discovery over 100 k and 1 M rows x 20 attributes, beside GROUPING SETS
	cargo bench --locked --profile dev --bench slices -- $(ARGS)

# ARGS: --rounds N (each row), --seed S, --only ROW; rows are in tests/it/soak/mod.rs.
soak: setup ## kills, signals, drops, full disks, mutated files, random events; ARGS="--rounds 500 --seed 7"
	RECSCOPE_SOAK="$(ARGS)" cargo test --locked --test it soak::soak_long -- --exact --ignored --nocapture

release: ## one file with DuckDB in it (compiles DuckDB: 40 minutes on two cores); says what it needs
	cargo build --locked --release --features bundled
	@scripts/needs "$${CARGO_TARGET_DIR:-target}/release/recscope"

release-score: ## recscope-score alone: small, without DuckDB, for a box with a GPU or a Spark executor
	cargo build --locked --release --no-default-features --bin recscope-score
	@scripts/needs "$${CARGO_TARGET_DIR:-target}/release/recscope-score"

screenshots: setup ## draw docs/*.svg from the running program
	scripts/screenshot
