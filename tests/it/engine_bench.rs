//! A notebook on a bench: a temporary folder with data, an engine, and what it said. For the engine's
//! tests; holds none itself.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use recscope::engine::lanes::{EngineOptions, start_in_process};
use recscope::protocol::{
    CellState, Engine, Event, FirstRows, JobId, Outcome, Page, PageSpec, Problem, Request,
};

/// Longer than anything here takes on a busy machine; only a hang runs into it.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Bench {
    pub folder: tempfile::TempDir,
    pub engine: Box<dyn Engine>,
    jobs: JobId,
}

/// No sidecar and no live tables: what most tests want.
pub fn plain() -> EngineOptions {
    let state = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("state"));
    EngineOptions { cache: false, live_ms: None, device: "cpu".into(), state, ..EngineOptions::default() }
}

impl Bench {
    pub fn new(options: EngineOptions) -> Self {
        Self::with(Box::new(start_in_process(options)))
    }

    pub fn with(engine: Box<dyn Engine>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let csv = "q,item,pos,grade\nshoes,a,1,3\nshoes,b,2,0\nshoes,c,3,1\n跑鞋,d,1,0\n跑鞋,e,2,2\n";
        std::fs::write(folder.path().join("shown.csv"), csv).unwrap();
        Self { folder, engine, jobs: 0 }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("nb.md")
    }

    /// Front matter over `shown.csv`, then the cells.
    pub fn notebook(cells: &str) -> String {
        format!(
            "---\nrecscope: 1\nparams: {{ k: 2 }}\nsources: {{ shown: shown.csv }}\n\
             schema: {{ query: q, item: item, position: pos, gain: grade }}\n---\n{cells}"
        )
    }

    pub fn sync(&self, text: &str) {
        self.sync_params(text, &[]);
    }

    pub fn sync_params(&self, text: &str, params: &[(&str, &str)]) {
        let params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let base = self.folder.path().to_path_buf();
        self.engine.send(Request::Sync { text: text.into(), path: Some(self.path()), base, params }).unwrap();
    }

    pub fn start(&mut self, cells: &[&str]) -> JobId {
        self.start_with(cells, Vec::new())
    }

    /// With rows to be scored first.
    pub fn start_with(&mut self, cells: &[&str], first: Vec<FirstRows>) -> JobId {
        self.jobs += 1;
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        self.engine.send(Request::Run { job: self.jobs, cells, first }).unwrap();
        self.jobs
    }

    pub fn next(&self) -> Event {
        self.engine.events().recv_timeout(PATIENCE).expect("the engine says something")
    }

    /// Events up to the first for which `enough` holds, that one included.
    pub fn until(&self, mut enough: impl FnMut(&Event) -> bool) -> Vec<Event> {
        let mut seen = Vec::new();
        loop {
            let event = self.next();
            let last = enough(&event);
            seen.push(event);
            if last {
                return seen;
            }
        }
    }

    pub fn until_ended(&self, job: JobId) -> Vec<Event> {
        self.until(|event| matches!(event, Event::JobEnded { job: ended, .. } if *ended == job))
    }

    pub fn run(&mut self, cells: &[&str]) -> Vec<Event> {
        let job = self.start(cells);
        self.until_ended(job)
    }

    pub fn page(&self, spec: PageSpec) -> Result<Page, Problem> {
        self.engine.send(Request::Page { slot: 9, seq: 1, spec }).unwrap();
        let seen = self.until(|event| matches!(event, Event::Page { slot: 9, .. }));
        match seen.into_iter().next_back() {
            Some(Event::Page { result, .. }) => result,
            other => panic!("{other:?}"),
        }
    }

    /// The whole of a small relation, a line per row.
    pub fn rows(&self, relation: &str) -> Vec<String> {
        let spec = PageSpec { relation: relation.into(), limit: 1000, ..PageSpec::default() };
        lines(&self.page(spec).unwrap())
    }
}

pub fn lines(page: &Page) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in arrow::ipc::reader::StreamReader::try_new(page.ipc.as_slice(), None).unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let mut line = String::new();
            for column in batch.columns() {
                let value = recscope::util::arrow_text::short(column, row, 1000);
                let gap = if line.is_empty() { "" } else { "|" };
                write!(line, "{gap}{}", value.text).unwrap();
            }
            lines.push(line);
        }
    }
    lines
}

/// The last state of a cell.
pub fn last<'e>(events: &'e [Event], name: &str) -> &'e CellState {
    let states = events.iter().rev().filter_map(|event| match event {
        Event::Cell { cell, state, .. } if cell == name => Some(state),
        _ => None,
    });
    states.into_iter().next().unwrap_or_else(|| panic!("no state of {name} in {events:#?}"))
}

pub fn done<'e>(events: &'e [Event], name: &str) -> &'e Outcome {
    match last(events, name) {
        CellState::Done(outcome) => outcome,
        other => panic!("{name} is {other:?}"),
    }
}

pub fn failed<'e>(events: &'e [Event], name: &str) -> &'e Problem {
    match last(events, name) {
        CellState::Failed(problem) => problem,
        other => panic!("{name} is {other:?}"),
    }
}

/// What was said, without times and progress: `few done 4 rows`.
pub fn story(events: &[Event]) -> Vec<String> {
    let state = |state: &CellState| {
        Some(match state {
            CellState::Queued => "queued".to_owned(),
            CellState::Running(_) | CellState::Partial(_) | CellState::Paused(_) => return None,
            CellState::Done(outcome) => {
                let rows = outcome.relation.as_ref().map_or(0, |relation| relation.rows.known());
                let checks: Vec<_> = outcome.checks.iter().map(|check| check.ok).collect();
                format!("done {rows} rows {checks:?}")
            }
            CellState::Failed(problem) => format!("failed: {problem}"),
            CellState::Cancelled(kept) => format!("cancelled, kept {}", kept.is_some()),
            CellState::Skipped { because } => format!("skipped because of {because}"),
        })
    };
    let told = events.iter().filter_map(|event| match event {
        Event::Cell { cell, state: now, .. } => Some(format!("{cell} {}", state(now)?)),
        Event::JobEnded { ok, .. } => Some(format!("ended {ok}")),
        Event::Source { name, result } => Some(format!("source {name} {}", result.is_ok())),
        _ => None,
    });
    told.collect()
}
