//! The one integration-test binary: one link step for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod model;
mod support;
mod tidy;
mod train;
