//! The front desk: takes requests, never works itself, and so is never busy. Hands jobs to the cell
//! lane, looks to the peek lane, acknowledges cancels, and says when a lane does not stop.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use parking_lot::Mutex;

use super::access::file_limits;
use super::cell_lane::{CellLane, Task};
use super::jobs::{Cancelled, Jobs};
use super::model_lane::ModelLane;
use super::options::EngineOptions;
use super::peek_lane::{self, PeekQueue, RecipeOf};
use super::problems::{fell, panicked};
use super::queue::Order;
use super::workspace::Workspace;
use crate::engine::model::cache::ScoreCache;
use crate::engine::model::{DeviceChoice, open_device};
use crate::engine::store::{Store, StoreOptions};
use crate::protocol::{CellState, Event, FirstRows, JobId, Problem, ProblemKind, Request};
use crate::trust::Access;
use crate::util::memory::resident_bytes;
use crate::util::supervised;

/// How often a cancel that has not ended is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long lanes may take to end.
const WIND_UP: Duration = Duration::from_secs(2);

pub(super) struct Desk {
    events: Sender<Event>,
    tasks: Sender<Task>,
    peeks: Arc<PeekQueue>,
    jobs: Arc<Jobs>,
    workspace: Arc<Workspace>,
    access: Arc<Access>,
    broken: Receiver<Problem>,
    /// Closes when both lanes have ended.
    ended: Receiver<()>,
    stuck_after: Duration,
}

impl Desk {
    /// Opens the database and starts the lanes.
    pub fn open(options: &EngineOptions, events: Sender<Event>) -> Result<Self, Problem> {
        let store = Arc::new(Mutex::new(Store::open(&store_options(options))?));
        let models = ModelLane::start(ScoreCache::new(options.scores())).map_err(no_thread)?;
        let jobs = Arc::new(Jobs::default());
        let peeks = Arc::new(PeekQueue::default());
        let (tasks, inbox) = unbounded();
        let (break_it, broken) = unbounded();
        let (alive, ended) = unbounded::<()>();
        let peek_alive = alive.clone();
        let lane = CellLane::new(
            Arc::clone(&store),
            models,
            events.clone(),
            Arc::clone(&jobs),
            options.clone(),
            break_it.clone(),
        )?;
        let cell_lane = move || {
            lane.serve(&inbox);
            drop(alive);
        };
        spawn("cell-lane", cell_lane, &break_it)?;
        let (queue, peek_store, peek_events) = (Arc::clone(&peeks), Arc::clone(&store), events.clone());
        let no_more = break_it.clone();
        let peek_lane = move || {
            if let Err(problem) = peek_lane::serve(&queue, &peek_store, &peek_events) {
                // Without it no page would ever be answered again.
                let _ = no_more.send(problem);
            }
            drop((peek_store, peek_alive));
        };
        spawn("peek-lane", peek_lane, &break_it)?;
        let duckdb = store.lock().duckdb_version()?;
        let ready = Event::Ready {
            version: env!("CARGO_PKG_VERSION").into(),
            duckdb,
            device: device_name(&options.device),
        };
        let _ = events.send(ready);
        Ok(Self {
            events,
            tasks,
            peeks,
            jobs,
            workspace: Arc::new(Workspace::empty()),
            access: Arc::new(options.access.clone()),
            broken,
            ended,
            stuck_after: Duration::from_millis(options.stuck_ms),
        })
    }

    /// Answers until the requests close, `Shutdown` comes, or the database is beyond use.
    pub fn serve(mut self, requests: &Receiver<Request>) {
        loop {
            let patience = if self.jobs.cancelling() { LOOK } else { Duration::from_secs(3600) };
            select! {
                recv(requests) -> request => match request {
                    Ok(Request::Shutdown) | Err(_) => break,
                    Ok(request) => self.take(request),
                },
                recv(self.broken) -> problem => {
                    if let Ok(problem) = problem {
                        let _ = self.events.send(Event::Fault { problem });
                    }
                    break;
                },
                default(patience) => {}
            }
            self.tell_stuck();
        }
        let Self { tasks, peeks, jobs, ended, .. } = self;
        jobs.cancel_all();
        peeks.close();
        drop(tasks);
        // The last lane closes the database and removes its spill folder.
        let _ = ended.recv_timeout(WIND_UP);
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Sync { text, path, base, params } => self.sync(&text, path, base, &params),
            Request::Run { job, cells, first } => self.run(job, cells, first),
            Request::Cancel { job } => self.cancel(job),
            Request::Pause { job } => self.hold(job, true),
            Request::Resume { job } => self.hold(job, false),
            Request::Page { slot, seq, spec } => self.peeks.page(slot, seq, spec),
            Request::Describe { relation } => self.peeks.describe(relation),
            Request::Complete { seq, sql, cursor } => self.peeks.complete(seq, sql, cursor),
            Request::Recipe { seq, cell, metric, predicate } => {
                self.peeks.recipe(RecipeOf { seq, cell, metric, predicate });
            }
            Request::Pulse => self.tell(Event::Pulse {
                rss_bytes: resident_bytes().unwrap_or(0),
                cpu_busy: self.jobs.busy() + self.peeks.busy(),
            }),
            Request::Shutdown => {}
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn sync(&mut self, text: &str, path: Option<PathBuf>, base: PathBuf, params: &[(String, String)]) {
        let read = std::panic::catch_unwind(|| Workspace::read(text, path, base, params));
        match read {
            Ok(workspace) => {
                self.workspace = Arc::new(Workspace { access: Arc::clone(&self.access), ..workspace });
                self.peeks.sync(Arc::clone(&self.workspace));
                let _ = self.tasks.send(Task::Sync(Arc::clone(&self.workspace)));
            }
            Err(payload) => self.tell(Event::Fault { problem: panicked(payload) }),
        }
    }

    fn run(&self, job: JobId, cells: Vec<String>, first: Vec<FirstRows>) {
        if !self.jobs.add(job, &cells, &self.workspace) {
            let problem = Problem::new(ProblemKind::Bug, format!("there is a job {job} already"));
            return self.tell(Event::Fault { problem });
        }
        for cell in &cells {
            self.tell(Event::Cell { job, cell: cell.clone(), state: CellState::Queued });
        }
        let workspace = Arc::clone(&self.workspace);
        let _ = self.tasks.send(Task::Run(Order { id: job, cells, workspace, first }));
    }

    fn cancel(&self, job: JobId) {
        match self.jobs.cancel(job) {
            Cancelled::Running => {
                self.tell(Event::Cancelling { job });
                // It may be paused, and its lane wait for something to do.
                let _ = self.tasks.send(Task::Look);
            }
            Cancelled::Waiting(cells) => {
                self.tell(Event::Cancelling { job });
                for cell in cells {
                    self.tell(Event::Cell { job, cell, state: CellState::Cancelled(None) });
                }
                self.tell(Event::JobEnded { job, ok: false, elapsed_ms: 0 });
            }
            // It ended while the cancel was on its way.
            Cancelled::Unknown => {}
        }
    }

    fn hold(&self, job: JobId, held: bool) {
        self.jobs.hold(job, held);
        let _ = self.tasks.send(Task::Look);
    }

    fn tell_stuck(&self) {
        for job in self.jobs.stuck(self.stuck_after) {
            let seconds = self.stuck_after.as_secs_f64();
            let what = format!("job {job} has not stopped {seconds} s after its cancel");
            let problem = Problem::new(ProblemKind::Resource, what)
                .hint("the engine must be restarted; finished results are kept");
            self.tell(Event::Fault { problem });
        }
    }
}

fn store_options(options: &EngineOptions) -> StoreOptions {
    let default = StoreOptions::default();
    StoreOptions {
        memory_limit: options.memory_bytes.unwrap_or(default.memory_limit),
        threads: options.worker_threads(),
        spill_root: options.scratch.clone(),
        limits: file_limits(&options.access),
        ..default
    }
}

/// A lane catches what its cells do; one that falls all the same takes the engine with it, in words.
fn spawn(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
    broken: &Sender<Problem>,
) -> Result<(), Problem> {
    let broken = broken.clone();
    let told = move |fall| {
        let _ = broken.send(fell(&fall));
    };
    supervised::once(name, work, told).map(|_| ()).map_err(no_thread)
}

fn no_thread(error: io::Error) -> Problem {
    Problem::new(ProblemKind::Resource, format!("no thread for a lane: {error}"))
}

/// What `auto` means on this machine; a device that is not there is told when a cell wants it.
fn device_name(asked: &str) -> String {
    let choice = asked.parse().ok().filter(|choice| *choice == DeviceChoice::Auto);
    let device = choice.and_then(|choice| open_device(choice).ok());
    device.map_or_else(|| asked.to_owned(), |device| crate::engine::model::device_name(&device))
}
