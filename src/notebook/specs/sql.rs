//! The request of a `sql` cell: its text, and what is wrong with the parameters in it.

use crate::notebook::params::{self, Params};
use crate::notebook::spec::{CellSpec, SqlSpec};
use crate::notebook::{Cell, Diagnostic, Severity};

/// Faults of one text that are told, each with its place and what may be meant.
const MOST_FAULTS: usize = 50;

pub(super) fn read(cell: &Cell, params: &Params) -> (Option<CellSpec>, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    if cell.body.trim().is_empty() {
        faults.push(cell.fault(0, "the cell is empty").suggest("write a SELECT"));
    }
    for (slot, quoted) in params::placed_slots(&cell.body) {
        let unknown = !quoted && params.get(slot.name).is_none();
        let told = faults.iter().filter(|fault: &&Diagnostic| fault.is_error() == unknown).count();
        if !(quoted || unknown) || told >= MOST_FAULTS {
            continue;
        }
        if quoted {
            let fault = cell.fault(
                slot.start,
                format!("`{{{{{}}}}}` inside quotes or a comment is not filled in", slot.name),
            );
            let hint = "a parameter is a value: write it without quotes";
            faults.push(Diagnostic { severity: Severity::Warning, ..fault.suggest(hint) });
        } else {
            let fault = cell.fault(slot.start, format!("there is no parameter `{}`", slot.name));
            faults.push(fault.suggest_from(slot.name, params.iter().map(|(name, _)| name)));
        }
    }
    (Some(CellSpec::Sql(SqlSpec { sql: cell.body.clone() })), faults)
}
