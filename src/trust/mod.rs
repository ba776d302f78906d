//! Whose notebooks run without being asked about, and what the others may touch: the list of trusted
//! folders, a survey of what a notebook names, the limits that follow from it, and the operating
//! system's part in holding an engine to them. DuckDB's part is `engine/store/confine.rs`; asking the
//! user is `screen`'s and `cli`'s.

mod access;
mod list;
pub mod sandbox;
mod survey;

pub use access::{Access, Limits, is_below, locate, shown};
pub use list::{Entry, Scope, TrustList, is_open_to_all};
pub use survey::{Finding, Survey, What, is_database, survey_text};
