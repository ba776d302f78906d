//! Text <-> document. Pure: no file, no clock, no database. Parsing never fails; what is wrong
//! becomes a [`Diagnostic`] with a line, and the text is kept byte for byte.

pub mod cells;
pub mod check;
pub mod complete;
pub mod diagnostics;
mod document;
mod edit;
mod fences;
mod form;
pub mod fresh;
pub mod front;
pub mod graph;
mod heads;
pub mod help;
mod keys;
mod kind;
mod measure_keys;
pub mod params;
mod policy_keys;
pub mod reach;
pub mod reserved;
pub mod roles;
pub mod spec;
mod specs;
pub mod sql;
mod values;

pub use diagnostics::{Diagnostic, Severity};
pub use document::{Block, BlockKind, Cell, Notebook, identifier, is_identifier};
pub use front::{Front, Source};
pub use graph::Graph;
pub use kind::Kind;
pub use measure_keys::CONVENTIONS;
pub use params::Params;
