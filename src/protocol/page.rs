//! Windows of rows, as Arrow IPC, and how many rows there are.

use serde::{Deserialize, Serialize};

/// Which rows of which relation. `filter` and `order` are SQL over that relation's columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageSpec {
    pub relation: String,
    pub offset: u64,
    pub limit: u32,
    pub filter: Option<String>,
    pub order: Option<String>,
    /// `None`: all columns.
    pub columns: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    pub spec: PageSpec,
    pub total: RowCount,
    pub columns: Vec<Column>,
    /// One Arrow IPC stream.
    #[serde(with = "serde_bytes")]
    pub ipc: Vec<u8>,
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

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// DuckDB's name of the type, e.g. `VARCHAR`, `DECIMAL(18,3)`.
    pub sql_type: String,
    /// Role guessed or declared (`query`, `item`, ...), and whether it is a guess.
    pub role: Option<String>,
    pub guessed: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationInfo {
    pub name: String,
    pub rows: RowCount,
    pub columns: Vec<Column>,
}
