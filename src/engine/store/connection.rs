//! One connection: running a statement with bound values, under a watcher, streaming its rows.
//! Every other file here goes through `execute`, `stream` or `collect`.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use arrow::array::StructArray;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;

use super::catalog::Catalog;
use super::page::{CountCache, Indexes};
use super::relations::ColumnCache;
use super::spill::SpillDir;
use super::watch::watched;
use super::{CELLS, ErrorKind, Params, Result, SOURCES, SqlValue, StoreError};
use crate::util::cancel::Cancel;

/// Rows that are made ahead while a consumer is busy. With DuckDB's 1 MB the other threads wait for whoever
/// takes the rows, who then makes most of them himself.
const STREAMED: &str = "16MB";
/// Of two streams side by side each: of a million rows, with 16 MB, they took a tenth longer.
const STREAMED_BESIDE: &str = "1MB";

/// What a consumer of batches says: go on, or enough.
pub type Flow = ControlFlow<()>;

/// What all connections of one instance share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) catalog: Catalog,
    pub(crate) counts: CountCache,
    pub(crate) columns: ColumnCache,
    /// Which source made which view, both in lower case.
    pub(crate) views: Mutex<HashMap<String, String>>,
    /// Sources (in lower case) of whose files something could not be made sure, and what.
    pub(crate) doubts: Mutex<HashMap<String, String>>,
    /// DuckDB is held to named files: what it writes for others goes through the spill folder.
    pub(crate) confined: bool,
    /// Dropped last: after the last connection, hence after DuckDB.
    spill: SpillDir,
}

impl Shared {
    pub(crate) fn new(spill: SpillDir, confined: bool) -> Self {
        Self {
            confined,
            catalog: Catalog::default(),
            counts: CountCache::default(),
            columns: ColumnCache::default(),
            views: Mutex::default(),
            doubts: Mutex::default(),
            spill,
        }
    }
}

/// A connection belongs to one thread at a time (it can be moved, not shared).
#[derive(Debug)]
pub struct Connection {
    // Declared before `shared`: DuckDB closes before its spill folder goes.
    pub(crate) raw: duckdb::Connection,
    pub(crate) indexes: Indexes,
    pub(crate) shared: Arc<Shared>,
}

impl Connection {
    pub(crate) fn new(raw: duckdb::Connection, shared: Arc<Shared>) -> Result<Self> {
        // Cells first: a cell may shadow a source.
        raw.execute_batch(&format!("SET search_path = '{CELLS}.main,{SOURCES}.main'"))?;
        let made = Self { raw, indexes: Indexes::default(), shared };
        made.stream_ahead(STREAMED)?;
        Ok(made)
    }

    /// How much of a stream is made ahead.
    fn stream_ahead(&self, size: &str) -> Result<()> {
        Ok(self.raw.execute_batch(&format!("SET streaming_buffer_size = '{size}'"))?)
    }

    /// For a connection that streams while others do: every core is busy then, and what waits costs memory.
    pub fn stream_beside_others(&self) -> Result<()> {
        self.stream_ahead(STREAMED_BESIDE)
    }

    /// Another connection to the same instance. TEMP tables are not shared, everything else is.
    pub fn try_clone(&self) -> Result<Self> {
        Self::new(self.raw.try_clone()?, self.shared.clone())
    }

    /// Relative file names in statements that are not in the working directory are looked for here too.
    /// An instance with limits has its configuration locked; its process stands in that folder.
    pub fn look_in(&self, folder: &Path) -> Result<()> {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        let folder = folder.display().to_string();
        // The setting is a list; a folder with a comma in its name cannot stand in it.
        let sql = match folder.contains(',') {
            true => "RESET GLOBAL file_search_path".to_owned(),
            false => format!("SET GLOBAL file_search_path = {}", super::quote_text(&folder)),
        };
        Ok(self.raw.execute_batch(&sql)?)
    }

    /// The private folder into which DuckDB spills, for others' intermediate results.
    pub(crate) fn spill_folder(&self) -> &Path {
        self.shared.spill.path()
    }

    /// Runs one statement of this program for its effect; rows changed. Not for untrusted text.
    pub(crate) fn execute(&self, sql: &str, params: &Params, cancel: &Cancel) -> Result<u64> {
        self.under_watch(cancel, || {
            let mut statement = self.raw.prepare(sql)?;
            let values = in_order(&statement, params)?;
            Ok(statement.execute(duckdb::params_from_iter(values))? as u64)
        })
    }

    /// Runs one statement and hands each batch (about 2,048 rows) to `each` as it is made. An error
    /// at any step is returned: rows are never cut off silently. Gives the schema, also for 0 rows.
    pub(crate) fn stream(
        &self,
        sql: &str,
        params: &Params,
        cancel: &Cancel,
        each: impl FnMut(RecordBatch) -> Result<Flow>,
    ) -> Result<SchemaRef> {
        match self.stream_once(sql, params, cancel, each) {
            // A thread of DuckDB's that fails interrupts the others, and one of them may be heard first.
            Err(error) if error.is_cancelled() && !cancel.is_cancelled() => {
                Err(self.failure_of(sql, params, cancel).unwrap_or(error))
            }
            ended => ended,
        }
    }

    /// Why a statement that nobody cancelled says that it was interrupted: it is run again, for its error.
    fn failure_of(&self, sql: &str, params: &Params, cancel: &Cancel) -> Option<StoreError> {
        const TRIES: usize = 5;
        let failure = |_| self.stream_once(sql, params, cancel, |_| Ok(Flow::Continue(()))).err();
        (0..TRIES).filter_map(failure).find(|error| !error.is_cancelled() || cancel.is_cancelled())
    }

    fn stream_once(
        &self,
        sql: &str,
        params: &Params,
        cancel: &Cancel,
        mut each: impl FnMut(RecordBatch) -> Result<Flow>,
    ) -> Result<SchemaRef> {
        self.under_watch(cancel, || {
            let mut statement = self.raw.prepare(sql)?;
            let values = in_order(&statement, params)?;
            // The iterator that this returns panics on a fetch error; `step` returns it.
            drop(statement.stream_arrow(duckdb::params_from_iter(values))?);
            let schema = statement.schema();
            while let Some(rows) = statement.step()? {
                cancel.check()?;
                if each(batch(&schema, rows)?)?.is_break() {
                    break;
                }
            }
            Ok(schema)
        })
    }

    /// Collects all rows into one batch: for results that fit in memory.
    pub(crate) fn collect(&self, sql: &str, params: &Params, cancel: &Cancel) -> Result<RecordBatch> {
        let mut batches = Vec::new();
        let schema = self.stream(sql, params, cancel, |rows| {
            batches.push(rows);
            Ok(Flow::Continue(()))
        })?;
        arrow::compute::concat_batches(&schema, &batches)
            .map_err(|e| StoreError::new(ErrorKind::OutOfMemory, format!("the result is too large: {e}")))
    }

    /// The only value of a statement of this program, as text.
    pub(crate) fn text(&self, sql: &str) -> Result<String> {
        Ok(self.raw.query_row(sql, [], |row| row.get(0))?)
    }

    /// The only value of a statement of this program, as a count.
    pub(crate) fn number(&self, sql: &str, params: &Params, cancel: &Cancel) -> Result<u64> {
        self.under_watch(cancel, || {
            let mut statement = self.raw.prepare(sql)?;
            let values = in_order(&statement, params)?;
            Ok(statement.query_row(duckdb::params_from_iter(values), |row| row.get::<_, u64>(0))?)
        })
    }

    /// One watcher for all that `work` does; an interrupt is told as a cancel only if there was one.
    pub(crate) fn under_watch<T>(&self, cancel: &Cancel, work: impl FnOnce() -> Result<T>) -> Result<T> {
        cancel.check()?;
        watched(self.raw.interrupt_handle(), cancel, work)
            .map_err(|e| if cancel.is_cancelled() && !e.poisoned() { StoreError::cancelled() } else { e })
    }
}

/// The values of a statement's parameters, in the order in which it numbers them.
fn in_order<'p>(statement: &duckdb::Statement<'_>, params: &'p Params) -> Result<Vec<&'p SqlValue>> {
    let count = statement.parameter_count();
    // A statement may name thousands of them.
    let wanted = params.iter().take(if count == 0 { 0 } else { params.len() }).rev();
    let values: HashMap<String, &SqlValue> =
        wanted.map(|(n, value)| (n.to_ascii_lowercase(), value)).collect();
    (1..=count)
        .map(|i| {
            let name = statement.parameter_name(i)?;
            values.get(&name.to_ascii_lowercase()).copied().ok_or_else(|| {
                StoreError::new(ErrorKind::Usage, format!("no value for the parameter ${name}"))
                    .hint("write {{name}} for a parameter of the notebook, and give it in `params:`")
            })
        })
        .collect()
}

fn batch(schema: &SchemaRef, rows: StructArray) -> Result<RecordBatch> {
    let (_, columns, _) = rows.into_parts();
    RecordBatch::try_new(schema.clone(), columns)
        .map_err(|e| StoreError::bug(format!("DuckDB's rows do not fit their schema: {e}")))
}
