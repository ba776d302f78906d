//! The only user of DuckDB: opening it within bounds, sources, cell results as relations, pages of
//! rows, cancel, and the registry of `queries/**/*.sql`.
//!
//! What must not be here: models, metrics, the protocol, the screen, and SQL that is longer than a
//! line of quoted identifiers (that lives in `queries/`). Imports `util` only.
//!
//! ```text
//! Store::open ─► Store::connect ─► Connection   one per lane; all see the same relations
//!   cells.main     results, one table per cell    ┐ unqualified names are looked up
//!   sources.main   views over files               ┘ in this order
//! ```

mod catalog;
mod cells;
mod complete;
mod confine;
mod connection;
mod error;
mod export;
pub mod inspect;
mod keep;
mod open;
mod page;
mod params;
mod registry;
mod relations;
mod source;
mod spill;
mod statement;
mod value;
mod watch;

pub use complete::Completions;
pub use confine::FileLimits;
pub use connection::{Connection, Flow};
pub use error::{ErrorKind, StoreError};
pub use export::{Target, left_over as left_over_tables};
pub use open::{Extension, Store, StoreOptions};
pub use page::{PageRows, Select};
pub use registry::{Query, queries, query};
pub use relations::{ColumnInfo, Relation, RelationKind};
pub use source::{SourceFormat, SourceSpec, read_text};
pub use spill::left_over as left_over_spills;
pub use value::Params;

use crate::terms::{Bindings, SqlValue, quote_ident, quote_text};

/// What every call here returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The attached database that holds cell results.
pub(crate) const CELLS: &str = "cells";
/// The attached database that holds views over sources.
pub(crate) const SOURCES: &str = "sources";
/// Relations whose name starts so are the engine's own: never listed, never completed.
pub const HIDDEN: &str = "__";
