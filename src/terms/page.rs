//! A window of rows as it is asked for, and how many rows there are.

use serde::{Deserialize, Serialize};

/// Which rows of which relation. `filter` and `order` are SQL over that relation's columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageSpec {
    pub relation: String,
    pub offset: u64,
    pub limit: u32,
    pub filter: Option<String>,
    pub order: Option<String>,
    /// `None`: all columns.
    pub columns: Option<Vec<String>>,
}

/// A row count is true or says that it is a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowCount {
    Exact(u64),
    AtLeast(u64),
}

impl Default for RowCount {
    fn default() -> Self {
        RowCount::Exact(0)
    }
}

impl RowCount {
    /// The number itself, bound or not.
    pub fn known(self) -> u64 {
        match self {
            RowCount::Exact(n) | RowCount::AtLeast(n) => n,
        }
    }
}
