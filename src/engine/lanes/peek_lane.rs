//! The peek lane: pages of rows, columns of relations, completions, values as SQL. Has a
//! connection of its own and never waits for a cell. Of several requests for one slot only the newest is
//! answered.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use crossbeam_channel::Sender;
use parking_lot::{Condvar, Mutex};

use super::cells::recipe;
use super::problems::panicked;
use super::progress::View;
use super::workspace::Workspace;
use crate::engine::store::{Connection, Store};
use crate::protocol::{Column, Event, Page, PageSpec, Problem, ProblemKind};
use crate::util::cancel::Cancel;

/// What is asked of the lane. The desk puts requests in, the lane takes them out.
#[derive(Default)]
pub(super) struct PeekQueue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Default)]
struct Waiting {
    pages: BTreeMap<u32, (u64, PageSpec)>,
    /// Slots in the order in which they first asked.
    slots: VecDeque<u32>,
    describe: VecDeque<String>,
    complete: Option<(u64, String, usize)>,
    recipe: Option<RecipeOf>,
    workspace: Option<Arc<Workspace>>,
    /// The page in the making, and its flag.
    running: Option<(u32, Cancel)>,
    closed: bool,
}

enum Peek {
    Page { slot: u32, seq: u64, spec: PageSpec, cancel: Cancel },
    Describe(String),
    Complete { seq: u64, sql: String, cursor: usize },
    Recipe(RecipeOf),
}

/// Which value of which cell is asked for as SQL.
pub(super) struct RecipeOf {
    pub seq: u64,
    pub cell: String,
    pub metric: Option<String>,
    pub predicate: String,
}

impl PeekQueue {
    /// A newer page for a slot replaces one that waits and stops one in the making.
    pub fn page(&self, slot: u32, seq: u64, spec: PageSpec) {
        let mut waiting = self.waiting.lock();
        if waiting.pages.insert(slot, (seq, spec)).is_none() {
            waiting.slots.push_back(slot);
        }
        if let Some((running, cancel)) = &waiting.running
            && *running == slot
        {
            cancel.cancel();
        }
        self.wake.notify_one();
    }

    pub fn describe(&self, relation: String) {
        let mut waiting = self.waiting.lock();
        if !waiting.describe.contains(&relation) {
            waiting.describe.push_back(relation);
        }
        self.wake.notify_one();
    }

    pub fn complete(&self, seq: u64, sql: String, cursor: usize) {
        self.waiting.lock().complete = Some((seq, sql, cursor));
        self.wake.notify_one();
    }

    pub fn recipe(&self, of: RecipeOf) {
        self.waiting.lock().recipe = Some(of);
        self.wake.notify_one();
    }

    pub fn sync(&self, workspace: Arc<Workspace>) {
        self.waiting.lock().workspace = Some(workspace);
    }

    pub fn close(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        if let Some((_, cancel)) = &waiting.running {
            cancel.cancel();
        }
        self.wake.notify_all();
    }

    pub fn busy(&self) -> u32 {
        u32::from(self.waiting.lock().running.is_some())
    }

    /// The next request, completions first (someone is typing); `None` when closed.
    fn next(&self) -> Option<(Peek, Arc<Workspace>)> {
        let mut waiting = self.waiting.lock();
        waiting.running = None;
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(peek) = waiting.take() {
                let workspace = waiting.workspace.clone();
                return Some((peek, workspace.unwrap_or_else(|| Arc::new(Workspace::empty()))));
            }
            self.wake.wait(&mut waiting);
        }
    }
}

impl Waiting {
    fn take(&mut self) -> Option<Peek> {
        if let Some((seq, sql, cursor)) = self.complete.take() {
            return Some(Peek::Complete { seq, sql, cursor });
        }
        if let Some(of) = self.recipe.take() {
            return Some(Peek::Recipe(of));
        }
        if let Some(relation) = self.describe.pop_front() {
            return Some(Peek::Describe(relation));
        }
        let slot = self.slots.pop_front()?;
        let (seq, spec) = self.pages.remove(&slot)?;
        let cancel = Cancel::new();
        self.running = Some((slot, cancel.clone()));
        Some(Peek::Page { slot, seq, spec, cancel })
    }
}

/// Answers until the queue closes.
pub(super) fn serve(queue: &PeekQueue, store: &Mutex<Store>, events: &Sender<Event>) -> Result<(), Problem> {
    let mut connection = store.lock().connect()?;
    while let Some((peek, workspace)) = queue.next() {
        let guarded = catch_unwind(AssertUnwindSafe(|| answer(&connection, &peek, &workspace)));
        let event = match guarded {
            Ok(event) => event,
            Err(payload) => {
                let problem = panicked(payload);
                tracing::error!("{problem}");
                connection = store.lock().connect()?;
                Some(refused(peek, problem))
            }
        };
        if let Some(event) = event {
            let _ = events.send(event);
        }
    }
    Ok(())
}

/// `None`: a newer request has made the answer useless.
fn answer(connection: &Connection, peek: &Peek, workspace: &Workspace) -> Option<Event> {
    Some(match peek {
        Peek::Page { slot, seq, spec, cancel } => {
            let result = page(connection, spec, workspace, cancel);
            if cancel.is_cancelled() {
                return None;
            }
            Event::Page { slot: *slot, seq: *seq, result }
        }
        Peek::Describe(relation) => {
            let found = connection.describe(relation).map_err(Problem::from);
            let result = found.map(|found| workspace.columns(&found.columns));
            Event::Described { relation: relation.clone(), result }
        }
        Peek::Complete { seq, sql, cursor } => {
            let found = connection.complete(sql, *cursor).unwrap_or_default();
            Event::Completions { seq: *seq, from: found.from, items: found.items }
        }
        Peek::Recipe(RecipeOf { seq, cell, metric, predicate }) => {
            let view = View { cell, workspace, connection };
            Event::Recipe { seq: *seq, result: recipe(view, metric.as_deref(), predicate) }
        }
    })
}

fn refused(peek: Peek, problem: Problem) -> Event {
    match peek {
        Peek::Page { slot, seq, .. } => Event::Page { slot, seq, result: Err(problem) },
        Peek::Describe(relation) => Event::Described { relation, result: Err(problem) },
        Peek::Complete { seq, cursor, .. } => Event::Completions { seq, from: cursor, items: Vec::new() },
        Peek::Recipe(RecipeOf { seq, .. }) => Event::Recipe { seq, result: Err(problem) },
    }
}

fn page(
    connection: &Connection,
    spec: &PageSpec,
    workspace: &Workspace,
    cancel: &Cancel,
) -> Result<Page, Problem> {
    let rows = connection.page(spec, &workspace.values, cancel)?;
    let columns: Vec<Column> = workspace.columns(&rows.columns);
    let ipc = ipc(&rows.batch)
        .map_err(|e| Problem::new(ProblemKind::Bug, format!("rows cannot be packed: {e}")))?;
    Ok(Page { spec: spec.clone(), total: rows.total, columns, ipc })
}

fn ipc(batch: &RecordBatch) -> Result<Vec<u8>, arrow::error::ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    writer.into_inner()
}
