//! Runs a notebook without a screen, through the same [`Engine`] as the screen uses. Prints nothing:
//! the caller renders the [`RunReport`].

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;

use super::rows::rows;
use crate::engine::lanes::EngineOptions;
use crate::notebook::{BlockKind, Diagnostic, Graph, Notebook};
use crate::protocol::{
    CellState, Engine, Event, JobId, Outcome, Page, PageSpec, Problem, ProblemKind, Request,
};
use crate::report::{CellReport, ResultRows, RunReport};
use crate::trust::Access;
use crate::util::cancel::Cancel;

const JOB: JobId = 1;

#[derive(Debug, Clone)]
pub struct RunOptions {
    pub engine: EngineOptions,
    /// Only these cells and their ancestors; empty: all.
    pub only: Vec<String>,
    /// Rows of each cell's relation that go into the report.
    pub result_rows: u32,
    /// Set by Ctrl-C.
    pub cancel: Cancel,
    /// Lines of the text before those that the user wrote.
    pub lines_before: u32,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            engine: EngineOptions::default(),
            only: Vec::new(),
            result_rows: 200,
            cancel: Cancel::new(),
            lines_before: 0,
        }
    }
}

/// Runs the notebook at `path` with `params` over those of its front matter. Every event is shown to
/// `watch` as it comes. Never fails: what went wrong is in the report.
pub fn run_notebook(
    path: &Path,
    params: &[(String, String)],
    options: &RunOptions,
    watch: &mut dyn FnMut(&Event),
) -> RunReport {
    let text = super::access::read_notebook(path).map_err(|e| {
        Problem::new(ProblemKind::Usage, format!("{} cannot be read: {e}", path.display()))
            .hint("name a notebook, e.g. `recscope run shoes.md`")
    });
    whole(text, path, params, options, watch)
}

/// As [`run_notebook`], of a text that stands for the file at `path`: relative paths start from its folder.
pub fn run_text(
    text: String,
    path: &Path,
    params: &[(String, String)],
    options: &RunOptions,
    watch: &mut dyn FnMut(&Event),
) -> RunReport {
    whole(Ok(text), path, params, options, watch)
}

fn whole(
    text: Result<String, Problem>,
    path: &Path,
    params: &[(String, String)],
    options: &RunOptions,
    watch: &mut dyn FnMut(&Event),
) -> RunReport {
    let began = Instant::now();
    let mut report = RunReport { notebook: path.display().to_string(), ..RunReport::default() };
    let ran = text.and_then(|text| run(text, path, params, options, watch, &mut report));
    if let Err(problem) = ran {
        report.problems.push(problem);
    }
    report.exit = exit_code(&report, options.cancel.is_cancelled());
    report.ok = report.exit == 0;
    report.elapsed_ms = began.elapsed().as_millis() as u64;
    report
}

fn run(
    text: String,
    path: &Path,
    params: &[(String, String)],
    options: &RunOptions,
    watch: &mut dyn FnMut(&Event),
    report: &mut RunReport,
) -> Result<(), Problem> {
    let notebook = Notebook::parse(&text);
    let (values, faults) = notebook.params(params);
    let (graph, told) = notebook.checked(&values);
    report.title = title(&notebook);
    report.params = values.iter().map(|(name, value)| (name.to_owned(), value.to_text())).collect();
    report.cells = cells(&notebook);
    let own = (path, options.lines_before);
    let (errors, warnings): (Vec<_>, Vec<_>) = faults.into_iter().chain(told).partition(Diagnostic::is_error);
    report.problems = errors.into_iter().map(|fault| in_file(own, fault)).collect();
    report.remarks = warnings.into_iter().map(|fault| in_file(own, fault).to_string()).collect();
    if !report.problems.is_empty() {
        return Ok(());
    }
    let order = order(&notebook, &graph, &options.only).inspect_err(|_| report.cells.clear())?;
    if !options.only.is_empty() {
        let wanted: HashSet<&String> = order.iter().collect();
        report.cells.retain(|cell| wanted.contains(&cell.name));
    }
    let full = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let base = full.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let mut engine = super::engine::for_run(&without_screen(&options.engine))?;
    let params = params.to_vec();
    let sync = Request::Sync { text, path: Some(full), base, params };
    let run = Request::Run { job: JOB, cells: order, first: Vec::new() };
    ask(engine.as_ref(), sync)?;
    ask(engine.as_ref(), run)?;
    let mut pages = Pages { limit: options.result_rows, ..Pages::default() };
    let done = follow(engine.as_ref(), options, watch, report, &mut pages);
    if done.is_err() && options.cancel.is_cancelled() {
        match options.engine.access {
            // Threads of this process: dropping them would wait for what does not end.
            Access::Everything => {
                report.stuck = true;
                std::mem::forget(engine);
            }
            // A process of its own can be ended.
            Access::Limited(_) => engine.kill(),
        }
        return done;
    }
    done.and_then(|()| pages.fetch(engine.as_ref(), watch, report))
}

/// Nobody watches tables fill up, and no screen needs a core.
fn without_screen(options: &EngineOptions) -> EngineOptions {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    EngineOptions {
        live_ms: None,
        watch_ms: None,
        threads: options.threads.or(Some(cores)),
        ..options.clone()
    }
}

fn ask(engine: &dyn Engine, request: Request) -> Result<(), Problem> {
    engine.send(request).map_err(|gone| ended(engine, &gone.to_string()))
}

/// Why an engine has ended: in its own words, if it left any.
fn ended(engine: &dyn Engine, otherwise: &str) -> Problem {
    let mut said = None;
    // Its last words may come a moment after its end was noticed.
    while let Ok(event) = engine.events().recv_timeout(Duration::from_secs(1)) {
        if let Event::Fault { problem } = event {
            said = Some(problem);
        }
    }
    said.unwrap_or_else(|| Problem::new(ProblemKind::Resource, otherwise))
}

/// `before`: lines of the notebook that are not the user's.
fn in_file((path, before): (&Path, u32), fault: Diagnostic) -> Problem {
    let (line, column) = (fault.line.saturating_sub(before).max(1), fault.column);
    let message = format!("{}:{line}:{column}: {}", path.display(), fault.message);
    Problem { hint: fault.suggestion, ..Problem::new(ProblemKind::Usage, message) }
}

fn title(notebook: &Notebook) -> Option<String> {
    let prose = notebook.blocks().iter().filter(|block| block.kind == BlockKind::Prose);
    let mut lines = prose.flat_map(|block| block.text.lines());
    lines.find_map(|line| line.strip_prefix("# ").map(|title| title.trim().to_owned()))
}

/// Every cell as it stands before the run, with the prose that leads to it.
fn cells(notebook: &Notebook) -> Vec<CellReport> {
    let mut found = Vec::new();
    let mut prose = String::new();
    for block in notebook.blocks() {
        match &block.kind {
            BlockKind::Front => {}
            BlockKind::Prose => prose.push_str(&block.text),
            BlockKind::Cell(cell) => found.push(CellReport {
                name: cell.name.clone(),
                kind: cell.kind.to_string(),
                state: "queued".into(),
                source: cell.body.clone(),
                prose: std::mem::take(&mut prose).trim().to_owned(),
                ..CellReport::default()
            }),
        }
    }
    found
}

fn order(notebook: &Notebook, graph: &Graph, only: &[String]) -> Result<Vec<String>, Problem> {
    if notebook.cells().next().is_none() {
        // Not success: a gate that was lost with its notebook's text must not pass.
        return Err(Problem::new(ProblemKind::Usage, "the notebook has no cells: nothing was run")
            .hint("a cell is a fenced block that begins with ```KIND NAME: see `recscope docs cells`"));
    }
    if only.is_empty() {
        return Ok(graph.order());
    }
    if let Some(unknown) = only.iter().find(|name| notebook.cell(name).is_none()) {
        let names: Vec<&str> = notebook.cells().map(|cell| cell.name.as_str()).collect();
        return Err(Problem::new(ProblemKind::Usage, format!("there is no cell `{unknown}`"))
            .hint(format!("cells: {}", names.join(", "))));
    }
    Ok(graph.order_for(&only.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Takes events until the job has ended.
fn follow(
    engine: &dyn Engine,
    options: &RunOptions,
    watch: &mut dyn FnMut(&Event),
    report: &mut RunReport,
    pages: &mut Pages,
) -> Result<(), Problem> {
    let mut cancelled = false;
    let before = report.problems.len();
    let places: HashMap<String, usize> =
        report.cells.iter().enumerate().map(|(at, cell)| (cell.name.clone(), at)).collect();
    loop {
        if options.cancel.is_cancelled() && !cancelled {
            cancelled = true;
            ask(engine, Request::Cancel { job: JOB })?;
        }
        let event = match engine.events().recv_timeout(Duration::from_millis(50)) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => {
                // Where it has said why, that is all that is to be said.
                if report.problems.len() > before
                    && let Some(why) = report.problems.pop()
                {
                    return Err(why);
                }
                // A process of its own may have been ended: by its limit of memory, or from outside.
                let why = engine.send(Request::Pulse).err().map_or_else(String::new, |gone| gone.0);
                let message = format!("the engine has ended before the run: {why}");
                return Err(Problem::new(ProblemKind::Resource, message)
                    .hint("finished results are kept; run it again with less data or more memory"));
            }
        };
        watch(&event);
        match event {
            Event::Cell { job: JOB, cell, state } => {
                let Some(at) = places.get(&cell).copied() else { continue };
                if let Some(found) = report.cells.get_mut(at) {
                    settle(found, state);
                    pages.ask(engine, at, found)?;
                }
            }
            // A cancelled job that does not stop: the caller ends the process.
            Event::Fault { .. } if cancelled => {
                let what = "what ran did not stop within 3 s, and ends with the process";
                return Err(Problem::new(ProblemKind::Resource, what).hint("finished results are kept"));
            }
            Event::Fault { problem } => report.problems.push(problem),
            // A cell that names a table of it would only say that there is no such table.
            Event::Source { name, result: Err(problem) } => {
                let remark = format!("source {name}: {}", problem.message);
                if !report.remarks.contains(&remark) {
                    report.remarks.push(remark);
                }
            }
            Event::Page { slot, result, .. } => pages.take(slot, result, report),
            Event::JobEnded { job: JOB, .. } => return Ok(()),
            _ => {}
        }
    }
}

fn settle(cell: &mut CellReport, state: CellState) {
    match state {
        CellState::Queued | CellState::Running(_) | CellState::Paused(_) | CellState::Partial(_) => {}
        CellState::Done(outcome) => {
            cell.state = "done".into();
            take(cell, *outcome);
        }
        CellState::Failed(problem) => {
            cell.state = "failed".into();
            cell.error = Some(problem);
        }
        CellState::Cancelled(kept) => {
            cell.state = "cancelled".into();
            if let Some(outcome) = kept {
                take(cell, *outcome);
            }
        }
        CellState::Skipped { because } => {
            cell.state = "skipped".into();
            cell.because = Some(because);
        }
    }
}

fn take(cell: &mut CellReport, outcome: Outcome) {
    cell.rows = outcome.relation.as_ref().map(|relation| relation.rows.known());
    cell.result = outcome.relation.map(|relation| ResultRows {
        columns: relation.columns,
        truncated: relation.rows.known() > 0,
        rows: Vec::new(),
    });
    cell.elapsed_ms = outcome.elapsed_ms;
    cell.cached = outcome.cached;
    cell.partial = outcome.partial;
    cell.body = outcome.body;
    cell.checks = outcome.checks;
    cell.notes = outcome.notes;
}

/// The first rows of every result: asked for as soon as it is there, so that they come while later cells run.
#[derive(Default)]
struct Pages {
    limit: u32,
    asked: HashSet<usize>,
    missing: usize,
}

impl Pages {
    fn ask(&mut self, engine: &dyn Engine, at: usize, cell: &CellReport) -> Result<(), Problem> {
        if cell.result.is_none() || !self.asked.insert(at) {
            return Ok(());
        }
        let spec = PageSpec { relation: cell.name.clone(), limit: self.limit, ..PageSpec::default() };
        ask(engine, Request::Page { slot: at as u32, seq: 1, spec })?;
        self.missing += 1;
        Ok(())
    }

    fn take(&mut self, slot: u32, result: Result<Page, Problem>, report: &mut RunReport) {
        self.missing = self.missing.saturating_sub(1);
        match (result, report.cells.get_mut(slot as usize)) {
            (Ok(page), Some(cell)) => fill(cell, &page),
            (Err(problem), Some(cell)) => cell.notes.push(format!("its rows cannot be shown: {problem}")),
            (_, None) => {}
        }
    }

    /// Waits for those that are not here yet.
    fn fetch(
        &mut self,
        engine: &dyn Engine,
        watch: &mut dyn FnMut(&Event),
        report: &mut RunReport,
    ) -> Result<(), Problem> {
        while self.missing > 0 {
            let event = engine
                .events()
                .recv_timeout(Duration::from_secs(60))
                .map_err(|_| Problem::new(ProblemKind::Bug, "the engine gives no rows of the results"))?;
            watch(&event);
            if let Event::Page { slot, result, .. } = event {
                self.take(slot, result, report);
            }
        }
        Ok(())
    }
}

fn fill(cell: &mut CellReport, page: &Page) {
    let Some(result) = &mut cell.result else { return };
    match rows(page) {
        Some(rows) => {
            result.truncated = page.total.known() > rows.len() as u64;
            result.rows = rows;
        }
        None => cell.notes.push("its rows arrived damaged".into()),
    }
}

/// 70 bug, 128 and the signal that stopped it, 3 data or model, 2 usage, 1 a check, 0; the first that applies.
fn exit_code(report: &RunReport, cancelled: bool) -> u8 {
    let errors = report.cells.iter().filter_map(|cell| cell.error.as_ref());
    let kinds: Vec<ProblemKind> = errors.chain(&report.problems).map(|problem| problem.kind).collect();
    let any = |wanted: &[ProblemKind]| kinds.iter().any(|kind| wanted.contains(kind));
    let unmet = |cell: &CellReport| cell.checks.iter().any(|check| check.ok != Some(true));
    if any(&[ProblemKind::Bug]) {
        70
    } else if cancelled || any(&[ProblemKind::Cancelled]) {
        super::stop::code()
    } else if any(&[ProblemKind::Data, ProblemKind::Model, ProblemKind::Resource]) {
        3
    } else if any(&[ProblemKind::Usage]) {
        2
    } else {
        u8::from(report.cells.iter().any(unmet))
    }
}
