//! The cell lane: one thread that owns the writing connection, opens sources, and runs the cells of
//! jobs one after another. Decides what runs, what is served from before, and what is skipped.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use parking_lot::Mutex;

use super::cells::{self, Done};
use super::checks::Known;
use super::figures::Figures;
use super::jobs::Jobs;
use super::keys::{Keys, ModelHashes};
use super::live::{self, Live};
use super::model_lane::ModelLane;
use super::options::EngineOptions;
use super::problems::panicked;
use super::progress::Work;
use super::results::{Finished, Results, stands, worth_keeping};
use super::sidecar::{Entry, Sidecar};
use super::sources::Sources;
use super::workspace::Workspace;
use crate::engine::store::{Connection, Store};
use crate::notebook::Kind;
use crate::notebook::spec::CellSpec;
use crate::protocol::{CellState, Event, JobId, Outcome, Problem, ProblemKind, RESTORED};
use crate::util::cancel::Cancel;

pub(super) enum Task {
    Sync(Arc<Workspace>),
    Run { job: JobId, cells: Vec<String>, workspace: Arc<Workspace> },
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
    finished: Results,
}

/// One job as it runs.
struct Job {
    id: JobId,
    cells: Vec<String>,
    workspace: Arc<Workspace>,
    cancel: Cancel,
    /// Cells without a result in this job, and the one that began it.
    bad: HashMap<String, String>,
    /// What live refreshes have made of cells that have not had their turn.
    partial: HashMap<String, Outcome>,
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
        Ok(Self {
            store,
            connection,
            models,
            events,
            jobs,
            options,
            broken,
            sources: Sources::default(),
            hashes: ModelHashes::default(),
            finished: Results::default(),
        })
    }

    /// Works until the tasks close.
    pub fn serve(mut self, tasks: &Receiver<Task>) {
        for task in tasks {
            match task {
                Task::Sync(workspace) => {
                    let guarded = catch_unwind(AssertUnwindSafe(|| self.sync(&workspace, tasks)));
                    if let Err(payload) = guarded {
                        self.panicked(panicked(payload));
                    }
                }
                Task::Run { job, cells, workspace } => self.run(job, cells, workspace),
            }
        }
    }

    fn sync(&mut self, workspace: &Workspace, tasks: &Receiver<Task>) {
        for event in self.sources.sync(workspace, &self.connection) {
            let _ = self.events.send(event);
        }
        let gone: Vec<String> =
            self.finished.0.keys().filter(|name| workspace.notebook.cell(name).is_none()).cloned().collect();
        for name in gone {
            self.finished.0.remove(&name);
            self.drop_relation(&name);
        }
        for cell in workspace.graph.order() {
            // Whoever asked for more meanwhile goes first; what is kept is found when it is run.
            if !tasks.is_empty() {
                return;
            }
            self.restore(&cell, workspace);
        }
    }

    /// Brings back a cell's kept result, if it is still the result.
    fn restore(&mut self, cell: &str, workspace: &Workspace) {
        let Some(key) = self.key(cell, workspace) else { return };
        let name = cell.to_lowercase();
        if self.finished.0.get(&name).is_some_and(|f| f.key.as_ref() == Some(&key)) {
            return;
        }
        if let Some(outcome) = self.kept(cell, &key, workspace) {
            let state = CellState::Done(Box::new(outcome));
            let _ = self.events.send(Event::Cell { job: RESTORED, cell: cell.to_owned(), state });
        }
    }

    fn key(&mut self, cell: &str, workspace: &Workspace) -> Option<String> {
        Keys::new(workspace, &self.sources, &mut self.hashes).of(cell)
    }

    /// A result from before that is still right: of this engine, or of the sidecar.
    fn kept(&mut self, cell: &str, key: &str, workspace: &Workspace) -> Option<Outcome> {
        let name = cell.to_lowercase();
        if let Some(found) = self.finished.0.get(&name).filter(|f| f.key.as_deref() == Some(key))
            && stands(&found.made, &mut self.hashes)
        {
            return Some(Outcome { cached: true, ..found.outcome.clone() });
        }
        let sidecar = self.sidecar(workspace)?;
        let entry = sidecar.load(cell, key, &self.connection)?;
        if !stands(&entry.made, &mut self.hashes) {
            return None;
        }
        let outcome = Outcome { cached: true, ..entry.outcome };
        let finished = Finished {
            key: Some(key.to_owned()),
            outcome: outcome.clone(),
            figures: entry.figures,
            made: entry.made,
        };
        self.finished.0.insert(name, finished);
        Some(outcome)
    }

    fn sidecar(&self, workspace: &Workspace) -> Option<Sidecar> {
        workspace.path.as_deref().filter(|_| self.options.cache).and_then(Sidecar::of)
    }

    fn run(&mut self, id: JobId, cells: Vec<String>, workspace: Arc<Workspace>) {
        let Some(cancel) = self.jobs.start(id) else { return };
        let began = Instant::now();
        let (bad, partial) = (HashMap::new(), HashMap::new());
        let mut job = Job { id, cells, workspace, cancel, bad, partial };
        for at in 0..job.cells.len() {
            let Some(cell) = job.cells.get(at).cloned() else { break };
            let state = self.turn(&mut job, &cell, at);
            if !matches!(state, CellState::Done(_)) {
                let because = match &state {
                    CellState::Skipped { because } => because.clone(),
                    _ => cell.clone(),
                };
                job.bad.insert(cell.to_lowercase(), because);
            }
            let _ = self.events.send(Event::Cell { job: id, cell, state });
        }
        self.jobs.end(id);
        let elapsed_ms = began.elapsed().as_millis() as u64;
        let _ = self.events.send(Event::JobEnded { job: id, ok: job.bad.is_empty(), elapsed_ms });
    }

    /// What becomes of one cell of a job.
    fn turn(&mut self, job: &mut Job, cell: &str, at: usize) -> CellState {
        if job.cancel.is_cancelled() {
            return CellState::Cancelled(job.partial.remove(&cell.to_lowercase()).map(Box::new));
        }
        let ancestors = job.workspace.graph.ancestors(cell);
        if let Some(because) = ancestors.iter().find_map(|name| job.bad.get(&name.to_lowercase())) {
            return CellState::Skipped { because: because.clone() };
        }
        let guarded = catch_unwind(AssertUnwindSafe(|| self.cell(job, cell, at)));
        match guarded {
            Ok(Ok(outcome)) => CellState::Done(Box::new(outcome)),
            Ok(Err(state)) => state,
            Err(payload) => {
                let problem = panicked(payload).in_cell(cell);
                self.panicked(problem.clone());
                CellState::Failed(problem)
            }
        }
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

    fn cell(&mut self, job: &mut Job, cell: &str, at: usize) -> Result<Outcome, CellState> {
        let workspace = Arc::clone(&job.workspace);
        let failed = |problem: Problem| CellState::Failed(problem.in_cell(cell));
        let kind = workspace.cell(cell).map_err(failed)?.kind;
        let key = self.key(cell, &workspace).filter(|_| kind != Kind::Check);
        if let Some(key) = &key
            && let Some(outcome) = self.kept(cell, key, &workspace)
        {
            return Ok(outcome);
        }
        let spec = workspace.spec(cell).map_err(failed)?;
        self.can_read(cell, &workspace).map_err(failed)?;
        let stale = self.stale_ancestor(cell, &workspace);
        let mut live = self.live(job, &spec, cell, at);
        #[cfg(test)]
        super::tests::panic_where_asked(cell);
        let work = Work::new(
            job.id,
            cell,
            &workspace,
            &self.connection,
            &self.models,
            &self.options,
            &job.cancel,
            &self.events,
        );
        let result = cells::run(&work, &spec, &self.finished, &mut live);
        for (name, outcome) in live.into_partial() {
            // Its rows are no longer what was finished before.
            self.finished.0.remove(&name);
            job.partial.insert(name, outcome);
        }
        let own_partial = job.partial.remove(&cell.to_lowercase());
        match result {
            Ok(mut done) => {
                if let Some(stale) = &stale {
                    done.outcome
                        .notes
                        .push(format!("computed on rows of {stale} that are out of date or partial"));
                }
                Ok(self.keep(cell, key.filter(|_| stale.is_none()), done, &workspace, &job.cancel))
            }
            Err(stop) if stop.problem.kind == ProblemKind::Cancelled || job.cancel.is_cancelled() => {
                if let Some(partial) = &stop.partial {
                    self.keep_partial(cell, partial);
                }
                Err(CellState::Cancelled(stop.partial))
            }
            Err(stop) => {
                if own_partial.is_some() {
                    self.drop_relation(cell);
                }
                self.check_database(&stop.problem);
                Err(failed(stop.problem))
            }
        }
    }

    /// A source that did not open, or an ancestor that was never run, said before the database does.
    fn can_read(&self, cell: &str, workspace: &Workspace) -> Result<(), Problem> {
        let sources = workspace.graph.sources(cell);
        if let Some(problem) = sources.iter().find_map(|name| self.sources.problem(name)) {
            return Err(problem.clone());
        }
        let missing =
            workspace.graph.reads(cell).into_iter().find(|name| self.finished.figures(name).is_none());
        // In a circle no cell can be the first: the way around says more than the cell before.
        let mut faults = workspace.graph.diagnostics().iter();
        let circle = faults.find(|fault| fault.is_error() && fault.cell.as_deref() == Some(cell));
        match (missing, circle) {
            (Some(_), Some(circle)) => Err(Problem::from(circle.clone())),
            (Some(name), None) => {
                Err(Problem::new(ProblemKind::Usage, format!("it reads {name}, which has no result"))
                    .hint(format!("run {name} first, or run from there")))
            }
            (None, _) => Ok(()),
        }
    }

    /// An ancestor whose rows are not those of its present text.
    fn stale_ancestor(&mut self, cell: &str, workspace: &Workspace) -> Option<String> {
        let ancestors = workspace.graph.ancestors(cell);
        ancestors.into_iter().find(|name| {
            let key = self.key(name, workspace);
            let check = workspace.notebook.cell(name).is_some_and(|cell| cell.kind == Kind::Check);
            let finished = self.finished.0.get(&name.to_lowercase());
            !check && key.is_some() && finished.is_some_and(|finished| finished.key != key)
        })
    }

    fn live(&self, job: &Job, spec: &CellSpec, cell: &str, at: usize) -> Live {
        let jobs = Arc::clone(&self.jobs);
        if !matches!(spec, CellSpec::Score(_)) {
            return Live::new(jobs, Vec::new(), HashMap::new(), None);
        }
        let later = job.cells.iter().skip(at + 1).cloned().collect::<Vec<_>>();
        let below = live::below(cell, &later, &job.workspace);
        let figures = self.finished.0.iter().map(|(name, f)| (name.clone(), f.figures.clone())).collect();
        Live::new(jobs, below, figures, self.options.live_ms.map(Duration::from_millis))
    }

    /// Makes a finished cell's result available to later cells and engines.
    fn keep(
        &mut self,
        cell: &str,
        key: Option<String>,
        done: Done,
        workspace: &Workspace,
        cancel: &Cancel,
    ) -> Outcome {
        let Done { mut outcome, figures, made } = done;
        let made = made.and_then(|folder| {
            let hash = self.hashes.get(&folder)?;
            Some((folder, hash))
        });
        if let Some(key) = key.as_ref().filter(|_| worth_keeping(&outcome, workspace, cell))
            && let Some(sidecar) = self.sidecar(workspace)
        {
            let columns = outcome.relation.iter().flat_map(|relation| &relation.columns);
            let entry = Entry {
                key: key.clone(),
                outcome: outcome.clone(),
                figures: figures.clone(),
                types: columns.map(|c| (c.name.clone(), c.sql_type.clone())).collect(),
                made: made.clone(),
            };
            if let Err(why) = sidecar.save(&entry, &self.connection, cancel) {
                tracing::warn!("{cell}: {why}");
                outcome.notes.push(why);
            }
        }
        let finished = Finished { key, outcome: outcome.clone(), figures, made };
        self.finished.0.insert(cell.to_lowercase(), finished);
        outcome
    }

    fn keep_partial(&mut self, cell: &str, partial: &Outcome) {
        let rows = partial.relation.as_ref().map_or(0, |relation| relation.rows.known());
        let figures = Figures::of_rows(rows);
        let finished = Finished { key: None, outcome: partial.clone(), figures, made: None };
        self.finished.0.insert(cell.to_lowercase(), finished);
    }

    fn drop_relation(&self, cell: &str) {
        if let Err(error) = self.connection.drop_cell(cell) {
            tracing::warn!("{cell} not dropped: {error}");
        }
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
