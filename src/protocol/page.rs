//! Windows of rows, as Arrow IPC.

use serde::{Deserialize, Serialize};

use crate::terms::{PageSpec, RowCount};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    pub spec: PageSpec,
    pub total: RowCount,
    pub columns: Vec<Column>,
    /// One Arrow IPC stream.
    #[serde(with = "serde_bytes")]
    pub ipc: Vec<u8>,
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
