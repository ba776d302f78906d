//! One cell's work in one job: its progress, told often enough to be seen and no oftener.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::jobs::Hold;
use super::model_lane::ModelLane;
use super::options::EngineOptions;
use super::problems::lane_gone;
use super::queue::Job;
use super::workspace::Workspace;
use crate::engine::store::Connection;
use crate::protocol::{CellState, Event, JobId, Outcome, PageSpec, Problem, ProblemKind, Progress};
use crate::util::cancel::Cancel;

/// Shortest time between two progress events of a cell.
const EVERY: Duration = Duration::from_millis(100);

/// What a cell's work has at hand.
pub(super) struct Work<'a> {
    pub job: JobId,
    pub cell: &'a str,
    pub workspace: &'a Workspace,
    pub connection: &'a Connection,
    pub models: &'a ModelLane,
    pub options: &'a EngineOptions,
    pub cancel: &'a Cancel,
    pub hold: &'a Hold,
    /// Rows that somebody looks at: a score cell begins with them.
    pub first: Option<&'a PageSpec>,
    events: &'a Sender<Event>,
    started: Instant,
    /// Time of the cell before it was held.
    before: Duration,
    told: Cell<Option<Instant>>,
    /// The present phase and when it began: speed is that of the phase.
    phase: RefCell<(String, Instant)>,
    quiet: bool,
}

/// What a cell sees of the notebook and of the database, whether it runs or not.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub cell: &'a str,
    pub workspace: &'a Workspace,
    pub connection: &'a Connection,
}

/// Why a cell has no result.
pub(super) struct Stop {
    pub problem: Problem,
    /// Rows that were there when it was stopped and have been kept.
    pub partial: Option<Box<Outcome>>,
}

impl<P: Into<Problem>> From<P> for Stop {
    fn from(problem: P) -> Self {
        Self { problem: problem.into(), partial: None }
    }
}

impl<'a> Work<'a> {
    /// `before`: time that the cell has run already.
    pub fn new(
        job: &'a Job,
        cell: &'a str,
        connection: &'a Connection,
        models: &'a ModelLane,
        options: &'a EngineOptions,
        events: &'a Sender<Event>,
        before: Duration,
    ) -> Self {
        let (started, told) = (Instant::now(), Cell::new(None));
        let first = job.first.iter().find(|first| first.cell.eq_ignore_ascii_case(cell));
        Self {
            job: job.id,
            cell,
            workspace: &job.workspace,
            connection,
            models,
            options,
            cancel: &job.cancel,
            hold: &job.hold,
            first: first.map(|first| &first.rows),
            events,
            started,
            before,
            told,
            phase: RefCell::new((String::new(), started)),
            quiet: false,
        }
    }

    /// The same job's work on another cell, told quietly: its progress is not shown.
    pub fn below<'b>(&'b self, cell: &'b str, workspace: &'b Workspace) -> Work<'b> {
        let (started, told) = (Instant::now(), Cell::new(None));
        Work {
            cell,
            workspace,
            quiet: true,
            started,
            before: Duration::ZERO,
            told,
            phase: RefCell::new((String::new(), started)),
            ..*self
        }
    }

    pub fn view(&self) -> View<'a> {
        View { cell: self.cell, workspace: self.workspace, connection: self.connection }
    }

    /// Time that the cell has run, pauses left out.
    pub fn spent(&self) -> Duration {
        self.before + self.started.elapsed()
    }

    pub fn elapsed_ms(&self) -> u64 {
        self.spent().as_millis() as u64
    }

    /// Nothing was told of the cell for a while.
    pub fn is_due(&self) -> bool {
        self.told.get().is_none_or(|told| told.elapsed() >= EVERY)
    }

    /// Tells how far the cell is, unless it did a moment ago.
    pub fn progress(&self, phase: &str, unit: &str, done: u64, total: Option<u64>) {
        if self.is_due() {
            self.phase(phase, unit, done, total);
        }
    }

    /// Tells how far the cell is, at once: a new phase has begun.
    pub fn phase(&self, phase: &str, unit: &str, done: u64, total: Option<u64>) {
        let mut now = self.phase.borrow_mut();
        if now.0 != phase {
            *now = (phase.to_owned(), Instant::now());
        }
        let seconds = now.1.elapsed().as_secs_f64();
        let per_second = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        let left = total.map(|total| total.saturating_sub(done) as f64);
        let eta_ms = left.filter(|_| per_second > 0.0).map(|left| (left / per_second * 1000.0) as u64);
        self.running(Progress {
            done,
            total,
            unit: unit.to_owned(),
            per_second,
            elapsed_ms: self.elapsed_ms(),
            eta_ms,
            phase: phase.to_owned(),
            scoring: None,
        });
    }

    pub fn running(&self, progress: Progress) {
        if !self.quiet {
            self.told.set(Some(Instant::now()));
            self.state(CellState::Running(progress));
        }
    }

    pub fn state(&self, state: CellState) {
        self.state_of(self.cell, state);
    }

    /// Also for cells below this one, whose tables are refreshed while it runs.
    pub fn state_of(&self, cell: &str, state: CellState) {
        let _ = self.events.send(Event::Cell { job: self.job, cell: cell.to_owned(), state });
    }

    /// Does something on the model lane and waits for it.
    pub fn on_model_lane<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut super::model_lane::Models) -> T + Send + 'static,
    {
        self.models.run(work).recv().map_err(|_| lane_gone("model"))?
    }

    pub fn usage(&self, message: impl Into<String>) -> Problem {
        Problem::new(ProblemKind::Usage, message)
    }
}
