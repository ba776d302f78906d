//! Live tables: while a score cell runs, what descends from it and is still to run, in its job or in
//! one that waits, is computed on the rows that have arrived, seldom enough to cost little. Full
//! results come when the jobs get to them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cells::{self, Effort};
use super::checks::Known;
use super::figures::Figures;
use super::jobs::Jobs;
use super::problems::panicked;
use super::progress::{Stop, Work};
use super::workspace::Workspace;
use crate::analysis::metrics::Growing;
use crate::engine::store::StoreError;
use crate::notebook::spec::CellSpec;
use crate::protocol::{CellState, Outcome};

/// A refresh is followed by a pause of at least so many times its own length.
const PAUSE_TIMES: u32 = 4;
/// A cell that took longer than this once is left until the end.
const TOO_SLOW: Duration = Duration::from_millis(1500);

/// A cell below a score cell, and the notebook that it is read from.
pub(super) type Below = (String, Arc<Workspace>);

/// Which of `cells` descend from the score cell, in running order.
pub(super) fn below(score: &str, cells: &[String], workspace: &Arc<Workspace>) -> Vec<Below> {
    let cells: HashSet<String> = cells.iter().map(|cell| cell.to_lowercase()).collect();
    let among = |name: &String| cells.contains(&name.to_lowercase());
    let descendants = workspace.graph.descendants(score).into_iter().filter(among);
    descendants.map(|name| (name, Arc::clone(workspace))).collect()
}

pub(super) struct Live {
    jobs: Arc<Jobs>,
    /// What the score cell's own job has still to run, in running order.
    cells: Vec<Below>,
    /// Names whose relation can be read now, in lower case.
    ready: HashSet<String>,
    /// Finished cells' figures, for checks.
    figures: HashMap<String, Figures>,
    /// Not to be tried again in this job.
    given_up: HashSet<String>,
    /// The last partial outcome of each refreshed cell, the score cell's included.
    partial: HashMap<String, Outcome>,
    /// What metrics cells have measured so far, by their name in lower case.
    growing: HashMap<String, Growing>,
    interval: Option<Duration>,
    next: Instant,
}

impl Live {
    /// `cells`: those of the job below the score cell; `figures`: of all finished cells;
    /// `interval`: shortest time between refreshes, `None` for no refreshes.
    pub fn new(
        jobs: Arc<Jobs>,
        cells: Vec<Below>,
        figures: HashMap<String, Figures>,
        interval: Option<Duration>,
    ) -> Self {
        let ready = figures.keys().cloned().collect();
        let next = Instant::now() + interval.unwrap_or_default();
        let (given_up, partial, growing) = (HashSet::new(), HashMap::new(), HashMap::new());
        Self { jobs, cells, ready, figures, given_up, partial, growing, interval, next }
    }

    /// Cells whose relation now holds partial rows, in lower case.
    pub fn into_partial(self) -> HashMap<String, Outcome> {
        self.partial
    }

    /// Live tables are wanted at all.
    pub fn is_on(&self) -> bool {
        self.interval.is_some()
    }

    pub fn due(&self) -> bool {
        self.interval.is_some() && Instant::now() >= self.next
    }

    /// Makes the score cell's partial rows with `arrived`; whether they are there. What is below stays
    /// as it is: the very first rows are too few for it.
    pub fn show(&mut self, work: &Work, arrived: impl FnOnce() -> Result<Outcome, StoreError>) -> bool {
        match arrived() {
            Ok(outcome) => {
                self.ready.insert(work.cell.to_lowercase());
                self.partial.insert(work.cell.to_lowercase(), outcome.clone());
                work.state(CellState::Partial(Box::new(outcome)));
                return true;
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                tracing::warn!("no live rows of {}: {error}", work.cell);
                self.interval = None;
            }
        }
        false
    }

    /// Makes the score cell's partial rows with `arrived`, then refreshes what can be; whether the rows
    /// are there.
    pub fn refresh(&mut self, work: &Work, arrived: impl FnOnce() -> Result<Outcome, StoreError>) -> bool {
        let began = Instant::now();
        let shown = self.show(work, arrived);
        if shown {
            for (cell, workspace) in self.to_refresh(work) {
                if work.cancel.is_cancelled() {
                    break;
                }
                self.refresh_cell(work, &cell, &workspace);
            }
        }
        let pause = (began.elapsed() * PAUSE_TIMES).max(self.interval.unwrap_or_default());
        self.next = Instant::now() + pause;
        shown
    }

    /// Asked for anew each time: a cell that is run while the model still scores fills up as well.
    fn to_refresh(&self, work: &Work) -> Vec<Below> {
        let same = |workspace: &Workspace| {
            let body = |workspace: &Workspace| workspace.cell(work.cell).map(|cell| cell.body.clone()).ok();
            body(workspace) == body(work.workspace)
        };
        let mut cells = self.cells.clone();
        for (waiting, workspace) in self.jobs.waiting().into_iter().filter(|(_, workspace)| same(workspace)) {
            cells.extend(below(work.cell, &waiting, &workspace));
        }
        cells
    }

    fn refresh_cell(&mut self, above: &Work, cell: &str, workspace: &Workspace) {
        let key = cell.to_lowercase();
        let reads = workspace.graph.reads(cell);
        let readable = reads.iter().all(|read| self.ready.contains(&read.to_lowercase()));
        if !readable || self.given_up.contains(&key) {
            return;
        }
        let began = Instant::now();
        let work = above.below(cell, workspace);
        let mut growing = self.growing.remove(&key).unwrap_or_default();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.compute(&work, above.cell, &mut growing)
        }));
        self.growing.insert(key.clone(), growing);
        match result {
            Ok(Ok(Some(mut outcome))) => {
                outcome.partial = true;
                outcome.elapsed_ms = began.elapsed().as_millis() as u64;
                self.ready.insert(key.clone());
                self.partial.insert(key.clone(), outcome.clone());
                above.state_of(cell, CellState::Partial(Box::new(outcome)));
            }
            Ok(Ok(None)) => {
                self.given_up.insert(key.clone());
            }
            Ok(Err(stop)) => {
                // Too few rows yet, perhaps: the full run will tell.
                tracing::debug!("{cell} not refreshed: {}", stop.problem);
                if !above.cancel.is_cancelled() {
                    self.given_up.insert(key.clone());
                }
            }
            Err(payload) => {
                tracing::error!("{cell} not refreshed: {}", panicked(payload));
                self.given_up.insert(key.clone());
            }
        }
        if began.elapsed() > TOO_SLOW {
            self.given_up.insert(key);
        }
    }

    /// `None` for kinds that wait until the end. Metrics of the rows that arrive are not measured from
    /// the first row again.
    fn compute(&self, work: &Work, above: &str, growing: &mut Growing) -> Result<Option<Outcome>, Stop> {
        let done = match work.workspace.spec(work.cell)? {
            CellSpec::Sql(spec) => cells::sql(work, &spec)?,
            CellSpec::Metrics(spec) if spec.input.from.eq_ignore_ascii_case(above) => {
                cells::grow(work, &spec, self, growing)?
            }
            CellSpec::Metrics(spec) => cells::metrics(work, &spec, self, Effort::Glance)?,
            CellSpec::Fairness(spec) => cells::fairness(work, &spec, self, Effort::Glance)?,
            CellSpec::Compare(spec) => cells::compare(work, &spec, self, Effort::Glance)?,
            _ => return Ok(None),
        };
        Ok(Some(done.outcome))
    }
}

impl Known for Live {
    fn figures(&self, cell: &str) -> Option<&Figures> {
        self.figures.get(&cell.to_lowercase())
    }
}
