//! A headless run's result, and its formats: one file per format. Pure: a [`RunReport`] in, text out.

mod run;

pub use run::{CellReport, ResultRows, RunReport};
