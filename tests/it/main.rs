//! The one integration-test binary: one link step for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architectures;
mod bad_input;
mod chorus;
mod cli;
mod demo;
mod engine;
mod engine_bench;
mod engine_cache;
mod engine_cancel;
mod engine_models;
mod engine_run;
mod engine_scores;
mod engine_socket;
mod eval_conventions;
mod explain;
mod fairness;
#[cfg(feature = "hub")]
mod hub_server;
mod metrics;
mod metrics_catalogue;
mod metrics_catalogue_random;
mod metrics_random;
mod model;
mod model_bad;
mod model_paths;
mod model_stream;
mod models_archive;
#[cfg(feature = "hub")]
mod models_hub;
mod models_support;
mod notebook;
mod pty;
mod queries;
mod score_arrow;
mod score_cache;
mod score_cache_cli;
mod score_files;
mod score_pipe;
mod screen_child;
mod screen_pty;
mod shrink;
mod stats;
mod store;
mod store_pages;
mod store_sources;
mod support;
mod support_queries;
mod tidy;
mod tiny_model;
mod train;
