//! The jobs of the cell lane that do not run: those that wait, in their order, and the one that is
//! paused. Decides which comes next; runs nothing.
//!
//! While a job is paused, a later one may go before it if it needs no model and reads nothing that the
//! paused one, or a job before it that has to wait, is still to make.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::cells::ScoreJob;
use super::jobs::Hold;
use super::workspace::Workspace;
use crate::protocol::{FirstRows, JobId, Outcome};
use crate::util::cancel::Cancel;

/// A job that has not begun.
pub(super) struct Order {
    pub id: JobId,
    pub cells: Vec<String>,
    pub workspace: Arc<Workspace>,
    pub first: Vec<FirstRows>,
}

/// One job as it runs, or stands still.
pub(super) struct Job {
    pub id: JobId,
    pub cells: Vec<String>,
    /// Which of the cells has its turn.
    pub at: usize,
    pub workspace: Arc<Workspace>,
    pub first: Vec<FirstRows>,
    pub cancel: Cancel,
    pub hold: Hold,
    /// Cells without a result in this job and all that depends on them, in lower case, and the one that
    /// began it.
    pub bad: HashMap<String, String>,
    /// Which cells are out of date or made of one that is, and of which; in lower case, as far as it was
    /// asked.
    pub stale: HashMap<String, Option<String>>,
    /// What live refreshes have made of cells that have not had their turn.
    pub partial: HashMap<String, Outcome>,
    /// Time that it has run, pauses left out.
    pub spent: Duration,
    /// The cell that was held in its turn.
    pub held: Option<Held>,
}

/// A score cell between being held and going on.
pub(super) struct Held {
    pub scoring: Box<ScoreJob>,
    /// What its result will be kept under, and which of the cells above it was out of date: as it was
    /// when its rows were read.
    pub key: Option<String>,
    pub stale: Option<String>,
    /// Time that the cell has run.
    pub spent: Duration,
}

impl Job {
    /// A cell ended without a result, because of itself or of another: what depends on it has none either.
    /// Each is marked once, so that all failures of a job together are one walk.
    pub fn lost(&mut self, cell: &str, because: &str) {
        let Self { bad, workspace, .. } = self;
        bad.insert(cell.to_lowercase(), because.to_owned());
        workspace.graph.each_below(cell, |below| match bad.entry(below.to_lowercase()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(because.to_owned());
                true
            }
        });
    }
}

pub(super) enum Next {
    Begin(Order),
    GoOn(Box<Job>),
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Order>,
    paused: Option<Box<Job>>,
}

impl Queue {
    pub fn add(&mut self, order: Order) {
        self.waiting.push_back(order);
    }

    pub fn park(&mut self, job: Job) {
        self.paused = Some(Box::new(job));
    }

    /// Whether the paused job has still to make this cell.
    pub fn is_to_make(&self, cell: &str) -> bool {
        self.paused.as_ref().is_some_and(|job| {
            let mut left = job.cells.iter().skip(job.at);
            left.any(|name| name.eq_ignore_ascii_case(cell))
        })
    }

    pub fn next(&mut self) -> Option<Next> {
        if let Some(job) = self.paused.take_if(|job| !job.hold.is_set() || job.cancel.is_cancelled()) {
            return Some(Next::GoOn(job));
        }
        let at = match &self.paused {
            None => 0,
            Some(paused) => overtaking(paused, &self.waiting)?,
        };
        self.waiting.remove(at).map(Next::Begin)
    }

    /// Everything that is left, the paused job first.
    pub fn take_paused(&mut self) -> Option<Box<Job>> {
        self.paused.take()
    }
}

/// The first of the waiting jobs that may run while another is paused.
fn overtaking(paused: &Job, waiting: &VecDeque<Order>) -> Option<usize> {
    let lower = |name: &String| name.to_lowercase();
    let mut ahead: HashSet<String> = paused.cells.iter().skip(paused.at).map(lower).collect();
    waiting.iter().position(|order| {
        let cheap = |cell: &String| order.workspace.cell(cell).map_or(true, |cell| cell.kind.is_cheap());
        let names: Vec<&str> = order.cells.iter().map(String::as_str).collect();
        let mut needed =
            order.workspace.graph.order_for(&names).into_iter().chain(order.cells.iter().cloned());
        let free = order.cells.iter().all(cheap) && !needed.any(|cell| ahead.contains(&lower(&cell)));
        ahead.extend(order.cells.iter().map(lower));
        free
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook() -> Arc<Workspace> {
        let text = "```sql a\nSELECT 1 AS t\n```\n```score rel\nfrom = \"a\"\nmodel = \"m\"\ntext = \"t\"\n```\n\
                    ```sql top\nFROM rel\n```\n```sql b\nSELECT 2\n```\n```sql c\nFROM b\n```\n";
        Arc::new(Workspace::read(text, None, ".".into(), &[]))
    }

    fn order(id: JobId, cells: &[&str]) -> Order {
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        Order { id, cells, workspace: notebook(), first: Vec::new() }
    }

    fn paused(cells: &[&str]) -> Job {
        let Order { id, cells, workspace, first } = order(1, cells);
        let hold = Hold::default();
        hold.set(true);
        Job {
            id,
            cells,
            at: 0,
            workspace,
            first,
            cancel: Cancel::new(),
            hold,
            bad: HashMap::new(),
            stale: HashMap::new(),
            partial: HashMap::new(),
            spent: Duration::ZERO,
            held: None,
        }
    }

    fn ids(queue: &mut Queue) -> Vec<JobId> {
        let next = std::iter::from_fn(|| queue.next());
        next.map(|next| match next {
            Next::Begin(order) => order.id,
            Next::GoOn(job) => job.id,
        })
        .collect()
    }

    #[test]
    fn jobs_run_in_their_order() {
        let mut queue = Queue::default();
        for id in 1..4 {
            queue.add(order(id, &["rel"]));
        }
        assert_eq!(ids(&mut queue), [1, 2, 3]);
    }

    #[test]
    fn while_one_is_paused_only_what_is_free_of_it_goes_on() {
        let mut queue = Queue::default();
        let job = paused(&["rel", "top"]);
        let hold = job.hold.clone();
        queue.park(job);
        assert!(queue.is_to_make("TOP") && !queue.is_to_make("a"));
        // Scoring waits, what reads the paused cells does, and what reads those that wait.
        for (id, cells) in [(2, ["rel"]), (3, ["top"]), (4, ["c"]), (5, ["c"]), (6, ["a"])] {
            queue.add(order(id, &cells));
        }
        queue.add(order(7, &["b", "rel"]));
        queue.add(order(8, &["c"]));
        assert_eq!(ids(&mut queue), [4, 5, 6], "8 reads what 7 is to make");
        hold.set(false);
        assert_eq!(ids(&mut queue), [1, 2, 3, 7, 8]);
    }

    #[test]
    fn a_cancelled_job_leaves_its_pause() {
        let mut queue = Queue::default();
        let job = paused(&["rel"]);
        let cancel = job.cancel.clone();
        queue.park(job);
        assert!(queue.next().is_none());
        cancel.cancel();
        assert_eq!(ids(&mut queue), [1]);
    }
}
