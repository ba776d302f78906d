//! Windows of rows, fast at any offset.
//!
//! A table without filter and order is cut by row id. With either, the matching row ids are kept
//! once, in order, in a TEMP table of this connection, and that one is cut by row id: scrolling a
//! sorted million rows sorts once. Views over files are cut with LIMIT and OFFSET.

use std::cell::RefCell;
use std::collections::HashMap;

use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;

use super::relations::Found;
use super::{ColumnInfo, Connection, ErrorKind, Params, Result, StoreError, quote_ident};
use crate::terms::{PageSpec, RowCount};
use crate::util::cancel::Cancel;

/// Which rows of which relation: `filter` and `order` are SQL over its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Select {
    pub from: String,
    pub filter: Option<String>,
    pub order: Option<String>,
    pub limit: Option<u64>,
    /// `None`: all columns.
    pub columns: Option<Vec<String>>,
}

/// A window of rows. Booleans, numbers and text keep their type; all else is text as DuckDB writes it.
#[derive(Debug, Clone)]
pub struct PageRows {
    pub batch: RecordBatch,
    pub total: RowCount,
    /// Of the batch's columns, with the types that the relation has.
    pub columns: Vec<ColumnInfo>,
}

/// Row counts of views that hold no count themselves, by path and oid; shared by all connections.
pub(crate) type CountCache = Mutex<HashMap<(String, u64), u64>>;

/// Kept row ids of filtered or ordered tables, of one connection.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    kept: RefCell<Vec<Index>>,
    made: std::cell::Cell<u64>,
}

#[derive(Debug, Clone)]
struct Index {
    /// Path, oid, rows, filter, order: another result or text is another index.
    key: (String, u64, u64, Option<String>, Option<String>),
    table: String,
    rows: u64,
}

/// Indexes kept per connection; the oldest goes.
const KEPT: usize = 4;

impl Connection {
    /// The rows of one page. `{{param}}`s in filter and order are values of `params`.
    pub fn page(&self, request: &PageSpec, params: &Params, cancel: &Cancel) -> Result<PageRows> {
        let found = self.find(&request.relation)?;
        let columns = self.chosen(&found, request.columns.as_deref())?;
        let shown: Vec<String> = columns.iter().map(shown).collect();
        let shown = shown.join(", ");
        let plain = request.filter.is_none() && request.order.is_none();
        let (batch, total) = match (found.table, plain) {
            (true, true) => self.cut_table(&found, &shown, request, cancel)?,
            (true, false) if !self.names_rowid(&found)? => {
                self.cut_index(&found, &shown, request, params, cancel)?
            }
            _ => self.cut_view(&found, &shown, request, params, cancel)?,
        };
        Ok(PageRows { batch, total, columns })
    }

    fn cut_table(
        &self,
        found: &Found,
        shown: &str,
        r: &PageSpec,
        cancel: &Cancel,
    ) -> Result<(RecordBatch, RowCount)> {
        let window = self.window(found, r.offset, r.limit.into())?;
        let sql = format!("SELECT {shown} FROM {} {window}", found.path);
        Ok((self.collect(&sql, &[], cancel)?, RowCount::Exact(found.rows.unwrap_or(0))))
    }

    /// The clause that cuts these rows out of a table: by row id, because an offset is counted row
    /// by row; the limit ends the scan behind the last.
    pub(crate) fn window(&self, found: &Found, from: u64, limit: u64) -> Result<String> {
        let end = from.saturating_add(limit);
        Ok(match self.names_rowid(found)? {
            true => format!("LIMIT {limit} OFFSET {from}"),
            false => format!("WHERE rowid >= {from} AND rowid < {end} LIMIT {limit}"),
        })
    }

    /// Whether a column of its own hides the row id.
    pub(crate) fn names_rowid(&self, found: &Found) -> Result<bool> {
        Ok(self.columns(found)?.iter().any(|c| c.name.eq_ignore_ascii_case("rowid")))
    }

    fn cut_index(
        &self,
        found: &Found,
        shown: &str,
        r: &PageSpec,
        params: &Params,
        cancel: &Cancel,
    ) -> Result<(RecordBatch, RowCount)> {
        let index = self.index(found, r, params, cancel)?;
        let end = r.offset.saturating_add(r.limit.into());
        let sql = format!(
            "SELECT {shown} FROM {} AS __t JOIN (SELECT row AS __row, rowid AS __at FROM temp.main.{} \
             WHERE rowid >= {} AND rowid < {end} LIMIT {}) AS __i ON __t.rowid = __i.__row ORDER BY __i.__at",
            found.path,
            quote_ident(&index.table),
            r.offset,
            r.limit,
        );
        Ok((self.collect(&sql, &[], cancel)?, RowCount::Exact(index.rows)))
    }

    /// The kept row ids for this filter and order, made if need be.
    fn index(&self, found: &Found, r: &PageSpec, params: &Params, cancel: &Cancel) -> Result<Index> {
        let bound = format!("{params:?}");
        let filter = r.filter.as_ref().map(|f| format!("{f}\n{bound}"));
        let key = (found.path.clone(), found.oid, found.rows.unwrap_or(0), filter, r.order.clone());
        if let Some(index) = self.indexes.kept.borrow().iter().find(|i| i.key == key) {
            return Ok(index.clone());
        }
        let from = format!("SELECT rowid AS row FROM {}", found.path);
        let text = conditions(&from, r.filter.as_deref(), r.order.as_deref());
        let checked = self.check(&text, params, cancel).map_err(StoreError::unplaced)?;
        self.indexes.made.set(self.indexes.made.get() + 1);
        let table = format!("__index_{}", self.indexes.made.get());
        let (sql, _) = checked.after(&format!("CREATE OR REPLACE TEMP TABLE {} AS", quote_ident(&table)));
        self.execute(&sql, params, cancel).map_err(StoreError::unplaced)?;
        let count = format!("SELECT count(*)::UBIGINT FROM temp.main.{}", quote_ident(&table));
        let rows = self.number(&count, &[], cancel)?;
        self.keep(Index { key, table, rows })
    }

    fn keep(&self, index: Index) -> Result<Index> {
        let mut kept = self.indexes.kept.borrow_mut();
        if kept.len() >= KEPT {
            let oldest = kept.remove(0);
            let sql = format!("DROP TABLE IF EXISTS temp.main.{}", quote_ident(&oldest.table));
            self.execute(&sql, &[], &Cancel::new())?;
        }
        kept.push(index.clone());
        Ok(index)
    }

    fn cut_view(
        &self,
        found: &Found,
        shown: &str,
        r: &PageSpec,
        params: &Params,
        cancel: &Cancel,
    ) -> Result<(RecordBatch, RowCount)> {
        let from = format!("SELECT {shown} FROM {}", found.path);
        let text = conditions(&from, r.filter.as_deref(), r.order.as_deref());
        let text = format!("{text}\nLIMIT {} OFFSET {}", r.limit, r.offset);
        let checked = self.check(&text, params, cancel).map_err(StoreError::unplaced)?;
        let (sql, _) = checked.after("");
        let batch = self.collect(&sql, params, cancel).map_err(StoreError::unplaced)?;
        let seen = r.offset + batch.num_rows() as u64;
        let ended = batch.num_rows() < r.limit as usize && (batch.num_rows() > 0 || r.offset == 0);
        let total = match ended {
            true => RowCount::Exact(seen),
            false if r.filter.is_none() => self.view_total(found, seen, cancel)?,
            false => RowCount::AtLeast(seen),
        };
        Ok((batch, total))
    }

    /// The count of a view: exact where it is known or cheap, else a bound.
    fn view_total(&self, found: &Found, seen: u64, cancel: &Cancel) -> Result<RowCount> {
        let key = (found.path.clone(), found.oid);
        if let Some(known) = self.shared.counts.lock().get(&key) {
            return Ok(RowCount::Exact(*known));
        }
        match found.counted {
            true => Ok(RowCount::Exact(self.counted(found, cancel)?)),
            false => Ok(RowCount::AtLeast(seen)),
        }
    }

    /// Counts once per version of a relation.
    pub(crate) fn counted(&self, found: &Found, cancel: &Cancel) -> Result<u64> {
        if let Some(rows) = found.rows {
            return Ok(rows);
        }
        let key = (found.path.clone(), found.oid);
        if let Some(known) = self.shared.counts.lock().get(&key) {
            return Ok(*known);
        }
        let n = self.number(&format!("SELECT count(*)::UBIGINT FROM {}", found.path), &[], cancel)?;
        self.shared.counts.lock().insert(key, n);
        Ok(n)
    }

    /// The columns asked for, in that order; an unknown one is an error that names the known.
    fn chosen(&self, found: &Found, wanted: Option<&[String]>) -> Result<Vec<ColumnInfo>> {
        let all = self.columns(found)?;
        let Some(wanted) = wanted else { return Ok(all) };
        let find = |name: &String| {
            all.iter().find(|c| c.name.eq_ignore_ascii_case(name)).cloned().ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
                StoreError::new(ErrorKind::Binder, format!("{} has no column {name}", found.name))
                    .hint(format!("its columns: {}", known.join(", ")))
            })
        };
        wanted.iter().map(find).collect()
    }

    /// The query that a `Select` stands for.
    pub(crate) fn select_sql(&self, select: &Select) -> Result<String> {
        let found = self.find(&select.from)?;
        let columns = match &select.columns {
            None => "*".to_owned(),
            Some(wanted) => {
                let chosen = self.chosen(&found, Some(wanted))?;
                chosen.iter().map(|c| quote_ident(&c.name)).collect::<Vec<_>>().join(", ")
            }
        };
        let from = format!("SELECT {columns} FROM {} AS {}", found.path, quote_ident(&found.name));
        let mut sql = conditions(&from, select.filter.as_deref(), select.order.as_deref());
        if let Some(limit) = select.limit {
            sql.push_str(&format!("\nLIMIT {limit}"));
        }
        Ok(sql)
    }
}

fn conditions(from: &str, filter: Option<&str>, order: Option<&str>) -> String {
    let mut sql = from.to_owned();
    if let Some(filter) = filter {
        sql.push_str(&format!("\nWHERE (\n{filter}\n)"));
    }
    if let Some(order) = order {
        sql.push_str(&format!("\nORDER BY\n{order}\n"));
    }
    sql
}

/// A column as a page shows it.
fn shown(column: &ColumnInfo) -> String {
    let name = quote_ident(&column.name);
    let plain = ["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "VARCHAR"];
    let unsigned = ["UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"];
    let kind = column.sql_type.as_str();
    if plain.contains(&kind) || unsigned.contains(&kind) {
        name
    } else {
        format!("{name}::VARCHAR AS {name}")
    }
}
