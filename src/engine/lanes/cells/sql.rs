//! A `sql` cell: its query's rows become the relation of the cell's name.

use super::{Done, Figures, Stop, Work};
use crate::engine::lanes::dialect::relation_info;
use crate::notebook::spec::SqlSpec;

pub(in crate::engine::lanes) fn sql(work: &Work, spec: &SqlSpec) -> Result<Done, Stop> {
    work.phase("querying", "rows", 0, None);
    let relation = work.connection.materialise(work.cell, &spec.sql, &work.workspace.values, work.cancel)?;
    let rows = relation.rows.unwrap_or(0);
    let info = relation_info(&relation, work.workspace);
    let mut done = Done::new(work, Some(info), Figures::of_rows(rows));
    if rows == 0 {
        done.outcome.notes.push("no rows".into());
    }
    Ok(done)
}
