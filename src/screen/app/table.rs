//! The rows of one relation as far as the screen knows them: a sparse cache of blocks, keyed by
//! offset, that asks for what is visible and keeps showing old rows until newer ones arrive.

use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;

use arrow::ipc::reader::StreamReader;
use arrow::record_batch::RecordBatch;

use super::value::{Value, value_at};
use crate::protocol::{Column, Page, PageSpec, Problem, RelationInfo, Request, RowCount};

/// Rows per request.
pub const BLOCK_ROWS: u64 = 64;
/// Blocks kept per table; the least recently shown one goes first.
const BLOCKS_KEPT: usize = 24;
/// Requests in flight share this many slots, so that a far jump overtakes older requests.
const SLOTS: u64 = 4;

#[derive(Debug, Clone, Default)]
pub struct Table {
    pub relation: String,
    pub columns: Vec<Column>,
    pub total: RowCount,
    /// Why the last page did not come.
    pub problem: Option<Problem>,
    /// SQL predicate and SQL order that the rows are seen through.
    pub filter: Option<String>,
    pub order: Option<String>,
    generation: u64,
    clock: u64,
    blocks: BTreeMap<u64, Block>,
    waiting: HashMap<u64, (u64, u64)>,
}

#[derive(Debug, Clone)]
struct Block {
    generation: u64,
    used: u64,
    batch: RecordBatch,
}

impl Table {
    pub fn new(info: &RelationInfo) -> Self {
        Self {
            relation: info.name.clone(),
            columns: info.columns.clone(),
            total: info.rows,
            ..Self::default()
        }
    }

    /// The relation holds new rows: what is shown stays until it is replaced.
    pub fn refresh(&mut self, info: &RelationInfo) {
        if self.columns != info.columns {
            self.blocks.clear();
            self.columns.clone_from(&info.columns);
        }
        self.generation += 1;
        if self.filter.is_none() {
            self.total = info.rows;
        }
        self.problem = None;
    }

    /// Looks at the relation through another filter or order.
    pub fn look_through(&mut self, filter: Option<String>, order: Option<String>) {
        if self.filter != filter || self.order != order {
            (self.filter, self.order) = (filter, order);
            self.blocks.clear();
            self.generation += 1;
            self.problem = None;
        }
    }

    /// Requests for what is missing of `rows` rows from `first`, plus one block ahead.
    pub fn wants(&mut self, first: u64, rows: u64, seq: &mut u64) -> Vec<Request> {
        let total = self.total.known();
        let last = first.saturating_add(rows).min(total.max(1)).saturating_sub(1);
        let mut wanted = Vec::new();
        self.clock += 1;
        for block in first / BLOCK_ROWS..=last / BLOCK_ROWS {
            match self.blocks.get_mut(&block) {
                Some(b) if b.generation == self.generation => b.used = self.clock,
                _ if self.waiting.values().any(|w| *w == (block, self.generation)) => {}
                _ => wanted.push(block),
            }
        }
        wanted.iter().map(|block| self.request(*block, seq)).collect()
    }

    fn request(&mut self, block: u64, seq: &mut u64) -> Request {
        *seq += 1;
        let slot = (block % SLOTS) as u32 + 1;
        // An older request of this slot may have been replaced before it ran: ask again when needed.
        self.waiting.retain(|_, (waiting, _)| *waiting % SLOTS != block % SLOTS);
        self.waiting.insert(*seq, (block, self.generation));
        let spec = PageSpec {
            relation: self.relation.clone(),
            offset: block * BLOCK_ROWS,
            limit: BLOCK_ROWS as u32,
            filter: self.filter.clone(),
            order: self.order.clone(),
            columns: None,
        };
        Request::Page { slot, seq: *seq, spec }
    }

    pub fn is_waiting_for(&self, seq: u64) -> bool {
        self.waiting.contains_key(&seq)
    }

    /// Takes an answer; `false` when it was not for this table.
    pub fn accept(&mut self, seq: u64, result: Result<Page, Problem>) -> bool {
        let Some((block, generation)) = self.waiting.remove(&seq) else { return false };
        if generation != self.generation {
            return true;
        }
        match result.and_then(|page| decode(&page).map(|batch| (page, batch))) {
            Ok((page, batch)) => {
                self.problem = None;
                self.total = page.total;
                self.columns = page.columns;
                self.clock += 1;
                self.blocks.insert(block, Block { generation, used: self.clock, batch });
                self.forget_oldest();
            }
            Err(problem) => self.problem = Some(problem),
        }
        true
    }

    /// The engine that was to answer has gone.
    pub fn lost_engine(&mut self) {
        self.waiting.clear();
    }

    fn forget_oldest(&mut self) {
        while self.blocks.len() > BLOCKS_KEPT {
            let oldest = self.blocks.iter().min_by_key(|(_, b)| b.used).map(|(n, _)| *n);
            if let Some(oldest) = oldest {
                self.blocks.remove(&oldest);
            }
        }
    }

    /// A value, or `None` while its row has not arrived.
    pub fn value(&self, row: u64, column: usize) -> Option<Value> {
        let block = self.blocks.get(&(row / BLOCK_ROWS))?;
        let at = (row % BLOCK_ROWS) as usize;
        let array = block.batch.columns().get(column)?;
        (at < block.batch.num_rows()).then(|| value_at(array, at))
    }

    pub fn has_row(&self, row: u64) -> bool {
        let at = (row % BLOCK_ROWS) as usize;
        self.blocks.get(&(row / BLOCK_ROWS)).is_some_and(|b| at < b.batch.num_rows())
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// Columns that are shown, in order: the bounds of an interval stand beside its value, predicates are for
    /// following rows.
    pub fn shown_columns(&self) -> Vec<usize> {
        let has = |name: &str| self.column(name).is_some();
        let interval = has("value") && has("lower") && has("upper");
        let hidden = |name: &str| (interval && matches!(name, "lower" | "upper")) || name == "predicate";
        let mut shown: Vec<usize> = (0..self.columns.len())
            .filter(|c| self.columns.get(*c).is_some_and(|c| !hidden(&c.name)))
            .collect();
        // Of scored rows, first what was asked for: the new scores, then the texts that were read.
        let score = format!("{}_score", self.relation);
        if has(&score) {
            shown.sort_by_key(|at| match self.columns.get(*at) {
                Some(c) if c.name.starts_with(&score) => 0,
                Some(c) if c.role.as_deref() == Some("text") => 1,
                _ => 2,
            });
        }
        shown
    }

    /// Blocks at hand, for drawing: the first row's number and the rows.
    pub fn batches(&self) -> impl Iterator<Item = (u64, &RecordBatch)> {
        self.blocks.iter().map(|(block, b)| (block * BLOCK_ROWS, &b.batch))
    }

    pub fn rows(&self) -> u64 {
        self.total.known()
    }
}

fn decode(page: &Page) -> Result<RecordBatch, Problem> {
    let bug = |e: arrow::error::ArrowError| {
        Problem::new(
            crate::protocol::ProblemKind::Bug,
            format!("a page of {} is unreadable: {e}", page.spec.relation),
        )
    };
    let reader = StreamReader::try_new(Cursor::new(&page.ipc), None).map_err(bug)?;
    let schema = reader.schema();
    let batches = reader.collect::<Result<Vec<_>, _>>().map_err(bug)?;
    arrow::compute::concat_batches(&schema, &batches).map_err(bug)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::app::fake;

    #[test]
    fn asks_once_for_what_is_visible_and_keeps_old_rows_while_new_ones_travel() {
        let mut table = Table::new(&fake::info("rel", 200));
        let mut seq = 0;
        let asked = table.wants(60, 10, &mut seq);
        assert_eq!(asked.len(), 2, "rows 60..70 lie in two blocks");
        assert!(table.wants(60, 10, &mut seq).is_empty(), "nothing is asked twice");
        for request in &asked {
            let Request::Page { seq, spec, .. } = request else { panic!("{request:?}") };
            assert!(table.accept(*seq, Ok(fake::page(spec, 200))));
        }
        assert_eq!(table.value(65, 0), Some(Value::Int(65)));
        table.refresh(&fake::info("rel", 300));
        assert_eq!(table.value(65, 0), Some(Value::Int(65)), "no flicker");
        let again = table.wants(60, 4, &mut seq);
        assert_eq!(again.len(), 1);
        assert_eq!(table.rows(), 300);
    }

    #[test]
    fn an_unreadable_page_is_a_problem_not_a_panic() {
        let mut table = Table::new(&fake::info("rel", 10));
        let mut seq = 0;
        table.wants(0, 5, &mut seq);
        let page = Page { ipc: vec![1, 2, 3], ..Page::default() };
        assert!(table.accept(seq, Ok(page)));
        assert!(table.problem.is_some());
        assert_eq!(table.value(0, 0), None);
        assert!(!table.accept(999, Ok(Page::default())), "an answer to nobody");
    }
}
