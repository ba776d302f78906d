//! Results of cells: tables in the attached database `cells`, named like their cell.

use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;

use super::{
    Bindings, CELLS, Connection, ErrorKind, Flow, Params, Relation, Result, Select, StoreError, quote_ident,
};
use crate::util::cancel::Cancel;

impl Connection {
    /// Runs a cell's query; its result becomes (or replaces) the relation `name`, rows in order.
    /// On any failure the previous result stays. Errors are placed in `sql`.
    pub fn materialise(&self, name: &str, sql: &str, params: &Params, cancel: &Cancel) -> Result<Relation> {
        let checked = self.check(sql, params, cancel)?;
        self.check_named(name, sql, cancel)?;
        let (statement, begins) = checked.after(&format!("CREATE OR REPLACE TABLE {} AS", cell_path(name)));
        self.execute(&statement, params, cancel).map_err(|e| checked.place(e, begins))?;
        self.made(name)
    }

    /// The relation that has just been made as a cell's; its rows are counted by the database, which has
    /// their number at hand (a CREATE TABLE itself says 0).
    pub(crate) fn made(&self, name: &str) -> Result<Relation> {
        self.shared.catalog.forget(name);
        let rows =
            self.number(&format!("SELECT count(*)::UBIGINT FROM {}", cell_path(name)), &[], &Cancel::new())?;
        self.relation(self.shared.catalog.made(name, rows))
    }

    /// Keeps the selected rows of a relation as `name`, in order: a snapshot to read and join by row.
    pub fn snapshot(
        &self,
        name: &str,
        select: &Select,
        params: &Params,
        cancel: &Cancel,
    ) -> Result<Relation> {
        let sql = self.select_sql(select)?;
        self.materialise(name, &sql, params, cancel).map_err(StoreError::unplaced)
    }

    /// Streams a query's rows without keeping them; see `Flow` for stopping early.
    pub fn query(
        &self,
        sql: &str,
        params: &Params,
        cancel: &Cancel,
        each: impl FnMut(RecordBatch) -> Result<Flow>,
    ) -> Result<arrow::datatypes::SchemaRef> {
        let checked = self.check(sql, params, cancel)?;
        let (statement, begins) = checked.after("");
        self.stream(&statement, params, cancel, each).map_err(|e| checked.place(e, begins))
    }

    /// All rows of a query in one batch: for results that fit in memory.
    pub fn rows(&self, sql: &str, params: &Params, cancel: &Cancel) -> Result<RecordBatch> {
        let checked = self.check(sql, params, cancel)?;
        let (statement, begins) = checked.after("");
        self.collect(&statement, params, cancel).map_err(|e| checked.place(e, begins))
    }

    /// Rows `from..from + limit` of a cell's table (by row id), only `columns`, types as stored.
    pub fn rows_at(
        &self,
        name: &str,
        columns: &[String],
        from: u64,
        limit: u64,
        cancel: &Cancel,
    ) -> Result<RecordBatch> {
        let columns: Vec<String> = columns.iter().map(|c| quote_ident(c)).collect();
        let found = self.find(name)?;
        let window = self.window(&found, from, limit)?;
        let sql = format!("SELECT {} FROM {} {window}", columns.join(", "), found.path);
        self.collect(&sql, &[], cancel).map_err(StoreError::unplaced)
    }

    /// An empty table for rows that are computed outside of SQL; replaces one of the same name.
    pub fn create_table(&self, name: &str, schema: &Schema) -> Result<()> {
        let mut columns = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            columns.push(format!("{} {}", quote_ident(field.name()), sql_type(field.data_type())?));
        }
        let sql = format!("CREATE OR REPLACE TABLE {} ({})", cell_path(name), columns.join(", "));
        self.execute(&sql, &[], &Cancel::new())?;
        self.shared.catalog.forget(name);
        Ok(())
    }

    /// Appends rows to a table made by `create_table`; visible to every connection on return.
    pub fn append(&self, name: &str, rows: &RecordBatch) -> Result<()> {
        let mut appender = self.raw.appender_to_catalog_and_db(name, CELLS, "main")?;
        appender.append_record_batch(rows.clone())?;
        appender.flush()?;
        drop(appender);
        self.shared.catalog.forget(name);
        Ok(())
    }

    /// Removes a cell's result; nothing happens where there is none.
    pub fn drop_cell(&self, name: &str) -> Result<()> {
        let sql = format!("DROP TABLE IF EXISTS {}", cell_path(name));
        let dropped = self.execute(&sql, &[], &Cancel::new()).map(|_| ());
        self.shared.catalog.forget(name);
        dropped
    }

    /// Gives a table another name, replacing what had it, all or nothing: the last step of a job that
    /// built its result aside.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (path, target, name) = (cell_path(from), cell_path(to), quote_ident(to));
        let sql =
            format!("BEGIN; DROP TABLE IF EXISTS {target}; ALTER TABLE {path} RENAME TO {name}; COMMIT");
        let renamed = self.raw.execute_batch(&sql).map_err(|error| {
            let _ = self.raw.execute_batch("ROLLBACK");
            StoreError::from(error).unplaced()
        });
        for name in [from, to] {
            self.shared.catalog.forget(name);
        }
        renamed
    }

    /// `out` = every row of the snapshot `rows` in its order, with the columns of `scores` beside it;
    /// NULL where no score has arrived. `scores` has a first column `row BIGINT`: the row's number in
    /// the snapshot, from 0.
    pub fn join_scores(&self, out: &str, rows: &str, scores: &str, cancel: &Cancel) -> Result<Relation> {
        self.with_scores("store/join_scores", (out, rows, scores), None, cancel)
    }

    /// As `join_scores`, but only the rows whose score has arrived. `since`: so many of `scores` are in
    /// `out` already, which this made; rows of the others are added behind them.
    pub fn arrived_scores(
        &self,
        out: &str,
        rows: &str,
        scores: &str,
        since: u64,
        cancel: &Cancel,
    ) -> Result<Relation> {
        // Rows are found again by their row id, which a column of that name hides.
        if since == 0 || self.names_rowid(&self.find(rows)?)? {
            return self.with_scores("store/arrived_scores", (out, rows, scores), None, cancel);
        }
        self.with_scores("store/more_scores", (out, rows, scores), Some(since), cancel)
    }

    /// Rows of a snapshot, with their row ids, that agree in `columns` with a row of `like`: at most
    /// `most` of them.
    pub fn rows_of_texts(
        &self,
        rows: &str,
        like: &str,
        columns: &[String],
        most: u64,
        cancel: &Cancel,
    ) -> Result<RecordBatch> {
        let fill = Bindings::new()
            .ident("rows", rows)
            .ident("like", like)
            .idents("columns", columns.to_vec())
            .value("most", most as i64);
        self.registered_rows("store/rows_of_texts", &fill, cancel)
    }

    fn with_scores(
        &self,
        id: &str,
        (out, rows, scores): (&str, &str, &str),
        since: Option<u64>,
        cancel: &Cancel,
    ) -> Result<Relation> {
        let found = self.find(scores)?;
        let columns: Vec<String> =
            self.columns(&found)?.into_iter().map(|c| c.name).filter(|n| n != "row").collect();
        let fill = Bindings::new()
            .ident("out", out)
            .ident("rows", rows)
            .ident("scores", scores)
            .idents("columns", columns);
        let fill = since.into_iter().fold(fill, |fill, since| fill.value("since", since as i64));
        self.registered_run(id, &fill, cancel)?;
        self.describe(out)
    }
}

fn cell_path(name: &str) -> String {
    format!("{CELLS}.main.{}", quote_ident(name))
}

/// The column type for values that come from Rust.
fn sql_type(arrow: &DataType) -> Result<&'static str> {
    Ok(match arrow {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "UTINYINT",
        DataType::UInt16 => "USMALLINT",
        DataType::UInt32 => "UINTEGER",
        DataType::UInt64 => "UBIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        other => {
            return Err(StoreError::new(
                ErrorKind::Bug,
                format!("no column type for {other} in a result table"),
            ));
        }
    })
}
