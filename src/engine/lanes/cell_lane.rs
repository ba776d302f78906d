//! The cell lane: one thread that owns the writing connection, opens sources, and runs the cells of
//! jobs one after another. Decides what runs, what is served from before, and what is skipped; which
//! job comes next is `queue.rs`'s business.

mod keeping;
mod notebook;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use parking_lot::Mutex;

use super::cells::{self, Ended};
use super::checks::Known;
use super::jobs::Jobs;
use super::keeper::Keeper;
use super::keys::{KeyBook, ModelHashes};
use super::live::{self, Live};
use super::model_lane::ModelLane;
use super::options::EngineOptions;
use super::problems::panicked;
use super::progress::Work;
use super::queue::{Held, Job, Next, Order, Queue};
use super::results::Results;
use super::sources::Sources;
use super::workspace::Workspace;
use crate::engine::store::{Connection, Store};
use crate::notebook::Kind;
use crate::notebook::spec::CellSpec;
use crate::protocol::{CellState, Event, Outcome, Problem, ProblemKind};

use keeping::Kept;

/// A look at the sources may take this share of all time.
const LOOK_SHARE: u32 = 20;

pub(super) enum Task {
    Sync(Arc<Workspace>),
    Run(Order),
    /// A flag of a job was changed.
    Look,
}

pub(super) struct CellLane {
    /// Locked only to connect.
    store: Arc<Mutex<Store>>,
    connection: Connection,
    models: ModelLane,
    events: Sender<Event>,
    jobs: Arc<Jobs>,
    options: EngineOptions,
    /// Told when the database can no longer be trusted.
    broken: Sender<Problem>,
    sources: Sources,
    hashes: ModelHashes,
    keys: KeyBook,
    finished: Results,
    queue: Queue,
    keeper: Keeper,
    /// The notebook as it stands.
    workspace: Option<Arc<Workspace>>,
    /// Notebooks whose older results were looked at.
    opened: HashSet<PathBuf>,
    /// Cells whose results were saved and whose older ones are to go.
    saved: HashSet<String>,
}

impl CellLane {
    pub fn new(
        store: Arc<Mutex<Store>>,
        models: ModelLane,
        events: Sender<Event>,
        jobs: Arc<Jobs>,
        options: EngineOptions,
        broken: Sender<Problem>,
    ) -> Result<Self, Problem> {
        let connection = store.lock().connect()?;
        let (sources, keeper) = (Sources::new(options.locked), Keeper::new(&options));
        Ok(Self {
            store,
            connection,
            models,
            events,
            jobs,
            options,
            broken,
            sources,
            hashes: ModelHashes::default(),
            keys: KeyBook::default(),
            finished: Results::default(),
            queue: Queue::default(),
            keeper,
            workspace: None,
            opened: HashSet::new(),
            saved: HashSet::new(),
        })
    }

    /// Works until the tasks close.
    pub fn serve(mut self, tasks: &Receiver<Task>) {
        let mut pause = self.options.watch_ms.map(Duration::from_millis);
        loop {
            match pause.map_or_else(|| tasks.recv().map_err(Into::into), |pause| tasks.recv_timeout(pause)) {
                Ok(Task::Sync(workspace)) => {
                    self.guard(|lane| lane.sync(&workspace, tasks));
                    self.workspace = Some(workspace);
                }
                Ok(Task::Run(order)) => self.queue.add(order),
                Ok(Task::Look) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let began = Instant::now();
                    self.guard(Self::look);
                    let slow = began.elapsed() * LOOK_SHARE;
                    pause = self.options.watch_ms.map(|ms| Duration::from_millis(ms).max(slow));
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(next) = self.queue.next() {
                match next {
                    Next::Begin(order) => self.begin(order),
                    Next::GoOn(job) => self.run(*job),
                }
            }
        }
        // What is paused now has been cancelled, and must end like every job.
        if let Some(job) = self.queue.take_paused() {
            job.cancel.cancel();
            self.run(*job);
        }
    }

    fn guard(&mut self, work: impl FnOnce(&mut Self)) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| work(self))) {
            self.panicked(panicked(payload));
        }
    }

    fn begin(&mut self, order: Order) {
        let Order { id, cells, workspace, first } = order;
        // One that was cancelled while it waited is no longer there.
        let Some((cancel, hold)) = self.jobs.start(id) else { return };
        self.guard(Self::look);
        self.run(Job {
            id,
            cells,
            at: 0,
            workspace,
            first,
            cancel,
            hold,
            bad: HashMap::new(),
            stale: HashMap::new(),
            partial: HashMap::new(),
            spent: Duration::ZERO,
            held: None,
        });
    }

    /// Runs a job from where it stands, to its end or until it is held.
    fn run(&mut self, mut job: Job) {
        let began = Instant::now();
        while let Some(cell) = job.cells.get(job.at).cloned() {
            let Some(state) = self.turn(&mut job, &cell) else {
                job.spent += began.elapsed();
                return self.queue.park(job);
            };
            if !matches!(state, CellState::Done(_)) {
                let because = match &state {
                    CellState::Skipped { because } => because.clone(),
                    _ => cell.clone(),
                };
                job.lost(&cell, &because);
            }
            // It is another one now.
            job.stale.remove(&cell.to_lowercase());
            let _ = self.events.send(Event::Cell { job: job.id, cell, state });
            job.at += 1;
        }
        self.prune(&job.workspace);
        self.jobs.end(job.id);
        let elapsed_ms = (job.spent + began.elapsed()).as_millis() as u64;
        let _ = self.events.send(Event::JobEnded { job: job.id, ok: job.bad.is_empty(), elapsed_ms });
    }

    /// What becomes of one cell of a job; `None`: it is held.
    fn turn(&mut self, job: &mut Job, cell: &str) -> Option<CellState> {
        // A held one has rows to leave behind.
        if job.cancel.is_cancelled() && job.held.is_none() {
            let partial = job.partial.remove(&cell.to_lowercase());
            return Some(CellState::Cancelled(partial.map(Box::new)));
        }
        if let Some(because) = job.bad.get(&cell.to_lowercase()) {
            return Some(CellState::Skipped { because: because.clone() });
        }
        self.keys.look_again(&job.workspace, &self.sources, &mut self.hashes);
        let guarded = catch_unwind(AssertUnwindSafe(|| self.cell(job, cell)));
        Some(match guarded {
            Ok(Ok(Some(outcome))) => CellState::Done(Box::new(outcome)),
            Ok(Ok(None)) => return None,
            Ok(Err(state)) => state,
            Err(payload) => {
                let problem = panicked(payload).in_cell(cell);
                self.panicked(problem.clone());
                CellState::Failed(problem)
            }
        })
    }

    /// A panic may have left the connection in the middle of something: take a new one.
    fn panicked(&mut self, problem: Problem) {
        tracing::error!("{problem}");
        let _ = self.events.send(Event::Fault { problem });
        let connection = self.store.lock().connect();
        match connection {
            Ok(connection) => self.connection = connection,
            Err(error) => drop(self.broken.send(error.into())),
        }
    }

    /// A cell's turn: served from before, begun, or gone on with. `None`: it is held.
    fn cell(&mut self, job: &mut Job, cell: &str) -> Result<Option<Outcome>, CellState> {
        let workspace = Arc::clone(&job.workspace);
        let failed = |problem: Problem| CellState::Failed(problem.in_cell(cell));
        let spec = |workspace: &Workspace| workspace.spec(cell).map_err(failed);
        if let Some(held) = job.held.take() {
            return self.work(
                job,
                cell,
                &spec(&workspace)?,
                held.key.clone(),
                held.stale.clone(),
                Some(held),
            );
        }
        let kind = workspace.cell(cell).map_err(failed)?.kind;
        let key = self.key(cell, &workspace).filter(|_| kind != Kind::Check);
        let kept = key.as_ref().map_or(Kept::Nothing, |key| self.kept(cell, key, &workspace));
        let foreign = match kept {
            Kept::Result(outcome) => return Ok(Some(*outcome)),
            Kept::Foreign => true,
            Kept::Nothing => false,
        };
        let spec = spec(&workspace)?;
        self.can_read(cell, &workspace).map_err(failed)?;
        let stale = self.stale_ancestor(cell, job);
        #[cfg(test)]
        super::tests::panic_where_asked(cell);
        let mut done = self.work(job, cell, &spec, key, stale, None)?;
        if let Some(outcome) = done.as_mut().filter(|_| foreign) {
            outcome.notes.push("a kept result was not used: it was made elsewhere, or changed since".into());
        }
        Ok(done)
    }

    fn work(
        &mut self,
        job: &mut Job,
        cell: &str,
        spec: &CellSpec,
        key: Option<String>,
        stale: Option<String>,
        held: Option<Held>,
    ) -> Result<Option<Outcome>, CellState> {
        let workspace = Arc::clone(&job.workspace);
        let mut live = self.live(job, spec, cell);
        let (spent, begun) = held.map_or((Duration::ZERO, None), |held| (held.spent, Some(held.scoring)));
        let work = Work::new(job, cell, &self.connection, &self.models, &self.options, &self.events, spent);
        let result = cells::run(&work, spec, &self.finished, &mut live, begun);
        let spent = work.spent();
        for (name, outcome) in live.into_partial() {
            // Its rows are no longer what was finished before.
            self.finished.0.remove(&name);
            job.partial.insert(name, outcome);
        }
        let result = match result {
            Ok(Ended::Held(scoring)) => {
                job.held = Some(Held { scoring, key, stale, spent });
                return Ok(None);
            }
            Ok(Ended::Done(done)) => Ok(done),
            Err(stop) => Err(stop),
        };
        let own_partial = job.partial.remove(&cell.to_lowercase());
        match result {
            Ok(mut done) => {
                let read = workspace.graph.sources(cell).iter().map(String::as_str).chain([cell]);
                done.outcome.notes.extend(read.filter_map(|name| self.connection.doubt(name)));
                if let Some(stale) = &stale {
                    done.outcome
                        .notes
                        .push(format!("computed on rows of {stale} that are out of date or partial"));
                }
                let moved = self.sources.changed(workspace.graph.sources(cell), &self.connection);
                if let Some(source) = moved.first() {
                    let note = format!("source {source} changed while this was computed: run again");
                    done.outcome.notes.push(note);
                }
                let key = key.filter(|_| stale.is_none() && moved.is_empty());
                Ok(Some(self.keep(cell, key, *done, &workspace, &job.cancel)))
            }
            Err(stop) if stop.problem.kind == ProblemKind::Cancelled || job.cancel.is_cancelled() => {
                if let Some(partial) = &stop.partial {
                    self.keep_partial(cell, partial, &workspace);
                }
                Err(CellState::Cancelled(stop.partial))
            }
            Err(stop) => {
                match &stop.partial {
                    Some(partial) => {
                        self.keep_partial(cell, partial, &workspace);
                        let state = CellState::Partial(partial.clone());
                        let _ = self.events.send(Event::Cell { job: job.id, cell: cell.to_owned(), state });
                    }
                    None if own_partial.is_some() => self.drop_relation(cell),
                    None => {}
                }
                self.check_database(&stop.problem);
                Err(CellState::Failed(stop.problem.in_cell(cell)))
            }
        }
    }

    /// A source that did not open, or an ancestor that was never run, said before the database does.
    fn can_read(&self, cell: &str, workspace: &Workspace) -> Result<(), Problem> {
        let sources = workspace.graph.sources(cell);
        if let Some(problem) = sources.iter().find_map(|name| self.sources.problem(name)) {
            return Err(problem.clone());
        }
        let Some(missing) = workspace.graph.direct(cell).find(|name| self.finished.figures(name).is_none())
        else {
            return Ok(());
        };
        // In a circle no cell can be the first: the way around says more than the cell before.
        let mut faults = workspace.graph.diagnostics().iter();
        let circle = faults.find(|fault| fault.is_error() && fault.cell.as_deref() == Some(cell));
        Err(match circle {
            Some(circle) => Problem::from(circle.clone()),
            None => Problem::new(ProblemKind::Usage, format!("it reads {missing}, which has no result"))
                .hint(format!("run {missing} first, or run from there")),
        })
    }

    /// An ancestor whose rows are not those of its present text. What is known of the cells above stays
    /// with the job, so that each is looked at once.
    fn stale_ancestor(&mut self, cell: &str, job: &mut Job) -> Option<String> {
        let workspace = Arc::clone(&job.workspace);
        let above = |cell: &str| workspace.graph.direct(cell).map(str::to_lowercase).collect::<Vec<_>>();
        let wanted = above(cell);
        let (mut stack, mut begun) = (wanted.clone(), HashSet::new());
        while let Some(top) = stack.last().cloned() {
            if job.stale.contains_key(&top) {
                stack.pop();
            } else if begun.insert(top.clone()) {
                stack.extend(above(&top).into_iter().filter(|read| !begun.contains(read)));
            } else {
                let first = above(&top).iter().find_map(|read| job.stale.get(read).cloned().flatten());
                let stale = first.or_else(|| self.is_out_of_date(&top, &workspace));
                job.stale.insert(top, stale);
                stack.pop();
            }
        }
        wanted.iter().find_map(|read| job.stale.get(read).cloned().flatten())
    }

    /// The cell's name, if its rows are not those of its present text.
    fn is_out_of_date(&mut self, name: &str, workspace: &Workspace) -> Option<String> {
        let cell = workspace.notebook.cell(name).filter(|cell| cell.kind != Kind::Check)?;
        let key = self.key(name, workspace)?;
        let finished = self.finished.0.get(name)?;
        (finished.key.as_ref() != Some(&key)).then(|| cell.name.clone())
    }

    fn live(&self, job: &Job, spec: &CellSpec, cell: &str) -> Live {
        let jobs = Arc::clone(&self.jobs);
        // Without refreshes nobody asks it for figures, and a copy of all is no small thing.
        if !matches!(spec, CellSpec::Score(_)) || self.options.live_ms.is_none() {
            return Live::new(jobs, Vec::new(), HashMap::new(), None);
        }
        let later = job.cells.iter().skip(job.at + 1).cloned().collect::<Vec<_>>();
        let below = live::below(cell, &later, &job.workspace);
        let figures = self.finished.0.iter().map(|(name, f)| (name.clone(), f.figures.clone())).collect();
        Live::new(jobs, below, figures, self.options.live_ms.map(Duration::from_millis))
    }

    /// After a fault of the database: if it no longer answers, the engine must be replaced.
    fn check_database(&self, problem: &Problem) {
        if problem.kind == ProblemKind::Bug
            && let Err(error) = self.store.lock().duckdb_version()
        {
            let _ = self.broken.send(error.into());
        }
    }
}
