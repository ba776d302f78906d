//! Which jobs there are, and their flags: cancel and hold. Shared by the front desk and the cell lane.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::workspace::Workspace;
use crate::protocol::JobId;
use crate::util::cancel::Cancel;

/// Whether a job's scoring is to stand still. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub(super) struct Hold(Arc<AtomicBool>);

impl Hold {
    pub fn set(&self, held: bool) {
        self.0.store(held, Ordering::Release);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Default)]
pub(super) struct Jobs(Mutex<HashMap<JobId, Entry>>);

struct Entry {
    cells: Vec<String>,
    /// The notebook that they are read from.
    workspace: Arc<Workspace>,
    cancel: Cancel,
    hold: Hold,
    running: bool,
    /// When a cancel was asked for.
    asked: Option<Instant>,
    told_stuck: bool,
}

/// What a cancel found.
#[derive(Debug, PartialEq)]
pub(super) enum Cancelled {
    /// It works; its lane will end it.
    Running,
    /// It had not begun and is taken off the list: these are its cells.
    Waiting(Vec<String>),
    /// Ended, cancelled before, or never there.
    Unknown,
}

impl Jobs {
    /// Puts a job on the list; `false` where one of that number is there.
    pub fn add(&self, job: JobId, cells: &[String], workspace: &Arc<Workspace>) -> bool {
        let entry = Entry {
            cells: cells.to_vec(),
            workspace: Arc::clone(workspace),
            cancel: Cancel::new(),
            hold: Hold::default(),
            running: false,
            asked: None,
            told_stuck: false,
        };
        let mut jobs = self.0.lock();
        let fresh = !jobs.contains_key(&job);
        if fresh {
            jobs.insert(job, entry);
        }
        fresh
    }

    /// The job begins; `None` where it was cancelled while it waited.
    pub fn start(&self, job: JobId) -> Option<(Cancel, Hold)> {
        let mut jobs = self.0.lock();
        let entry = jobs.get_mut(&job)?;
        entry.running = true;
        Some((entry.cancel.clone(), entry.hold.clone()))
    }

    /// Holds a job or lets it go on; one that is not there is left alone.
    pub fn hold(&self, job: JobId, held: bool) {
        if let Some(entry) = self.0.lock().get(&job) {
            entry.hold.set(held);
        }
    }

    pub fn end(&self, job: JobId) {
        self.0.lock().remove(&job);
    }

    pub fn cancel(&self, job: JobId) -> Cancelled {
        let mut jobs = self.0.lock();
        match jobs.get_mut(&job) {
            Some(entry) if entry.running && entry.asked.is_none() => {
                entry.cancel.cancel();
                entry.asked = Some(Instant::now());
                Cancelled::Running
            }
            Some(entry) if !entry.running => {
                let cells = std::mem::take(&mut entry.cells);
                jobs.remove(&job);
                Cancelled::Waiting(cells)
            }
            _ => Cancelled::Unknown,
        }
    }

    /// Cells of the jobs that have not begun, in the order in which they will.
    pub fn waiting(&self) -> Vec<(Vec<String>, Arc<Workspace>)> {
        let jobs = self.0.lock();
        let mut waiting: Vec<_> = jobs.iter().filter(|(_, entry)| !entry.running).collect();
        waiting.sort_by_key(|(job, _)| **job);
        waiting.into_iter().map(|(_, entry)| (entry.cells.clone(), Arc::clone(&entry.workspace))).collect()
    }

    pub fn cancel_all(&self) {
        for entry in self.0.lock().values() {
            entry.cancel.cancel();
        }
    }

    /// Whether any job was cancelled and has not ended yet.
    pub fn cancelling(&self) -> bool {
        self.0.lock().values().any(|entry| entry.asked.is_some())
    }

    /// Jobs that were cancelled longer than `limit` ago and still run; each is given once.
    pub fn stuck(&self, limit: Duration) -> Vec<JobId> {
        let mut jobs = self.0.lock();
        // A paused one ends when its lane is free of the one that went before it.
        let others = jobs.values().any(|entry| entry.running && entry.asked.is_none());
        let late = jobs.iter_mut().filter(|(_, entry)| {
            let excused = entry.hold.is_set() && others;
            !entry.told_stuck && !excused && entry.asked.is_some_and(|asked| asked.elapsed() >= limit)
        });
        late.map(|(job, entry)| {
            entry.told_stuck = true;
            *job
        })
        .collect()
    }

    pub fn busy(&self) -> u32 {
        self.0.lock().values().filter(|entry| entry.running && !entry.hold.is_set()).count() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_job_leaves_the_list_and_a_running_one_is_flagged_once() {
        let jobs = Jobs::default();
        let notebook = Arc::new(Workspace::empty());
        assert!(jobs.add(1, &["a".into()], &notebook) && jobs.add(2, &["b".into()], &notebook));
        assert!(!jobs.add(1, &[], &notebook));
        let (cancel, hold) = jobs.start(1).unwrap();
        jobs.hold(1, true);
        jobs.hold(7, true);
        assert!(hold.is_set() && jobs.busy() == 0);
        assert_eq!(jobs.waiting().into_iter().map(|(cells, _)| cells).collect::<Vec<_>>(), [["b"]]);
        assert_eq!(jobs.cancel(2), Cancelled::Waiting(vec!["b".into()]));
        assert!(jobs.start(2).is_none());
        assert_eq!(jobs.cancel(1), Cancelled::Running);
        assert!(cancel.is_cancelled());
        assert_eq!(jobs.cancel(1), Cancelled::Unknown);
        assert_eq!(jobs.stuck(Duration::ZERO), [1]);
        assert!(jobs.stuck(Duration::ZERO).is_empty());
        jobs.end(1);
        assert!(!jobs.cancelling());
        assert_eq!(jobs.cancel(1), Cancelled::Unknown);
    }
}
