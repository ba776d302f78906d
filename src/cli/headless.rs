//! `recscope run`: a notebook without a screen. Running is `run.rs`, writing is `report/`.

use std::io::IsTerminal;
use std::path::Path;

use super::args::RunArgs;
use super::output::{Ticker, err_line, print, width};
use super::run::{RunOptions, run_notebook};
use super::{Failure, access, settings, stop};
use crate::protocol::{CellState, Event};
use crate::report::{self, RunReport};
use crate::util::{atomic, figures, sanitise};

/// Runs, writes the report, and gives the report's exit code.
pub(super) fn run(args: &RunArgs) -> Result<u8, Failure> {
    let name = args.format.as_deref().or_else(|| args.out.as_deref().and_then(format_of)).unwrap_or("text");
    let width = if args.out.is_some() { 100 } else { width() };
    let format = match name {
        "csv" if args.raw => report::raw_csv(),
        _ => report::format(name, width).ok_or_else(|| {
            Failure::usage(format!("there is no format `{name}`")).hint(report::FORMATS.join(", "))
        })?,
    };
    if let Some(parent) = args.out.as_deref().and_then(Path::parent).filter(|p| !p.as_os_str().is_empty())
        && !parent.is_dir()
    {
        let message = format!("the folder {} does not exist", parent.display());
        return Err(Failure::usage(message).hint("make it first, or choose another --out"));
    }
    let mut options = RunOptions {
        engine: settings::load().engine_options(&args.engine)?,
        only: args.only.clone(),
        result_rows: args.rows,
        cancel: stop::report_on_signal(),
        ..RunOptions::default()
    };
    options.engine.cache &= !args.no_cache;
    options.engine.locked = args.locked;
    options.engine.access = access::of_run(&args.notebook, &args.set, &args.access)?;
    options.engine.write_anywhere = !options.engine.access.is_limited();
    let mut ticker = Ticker::new();
    let report = run_notebook(&args.notebook, &args.set, &options, &mut |event| {
        if let Event::Note { text } = event {
            ticker.clear();
            err_line(&format!("note: {}", sanitise::lines(text)));
        }
        if let Some(line) = progress(event) {
            ticker.show(&line);
        }
    });
    ticker.clear();
    for remark in report.remarks.iter().take(MOST_REMARKS) {
        err_line(&sanitise::lines(&format!("note: {remark}")));
    }
    if report.remarks.len() > MOST_REMARKS {
        err_line(&format!("note: {} more of the kind", report.remarks.len() - MOST_REMARKS));
    }
    let text = format.render(&report);
    match &args.out {
        Some(path) => atomic::write(path, text.as_bytes())?,
        // CSV keeps texts as they are: for files and pipes, not for a terminal.
        None if name == "csv" && std::io::stdout().is_terminal() => drop(print(&sanitise::lines(&text))?),
        None => drop(print(&text)?),
    }
    if !report.ok && (args.out.is_some() || name == "csv") {
        tell_failures(&report);
    }
    if let Some(note) = format.note(&report) {
        err_line(&format!("note: {note}"));
    }
    Ok(stop::exit_of(&report))
}

/// Why a run failed, where the report itself is not on the screen or has no room for it: a CI log must say.
fn tell_failures(report: &RunReport) {
    let tell = |text: &str| err_line(&sanitise::lines(text));
    report.problems.iter().for_each(|problem| tell(&format!("error: {problem}")));
    for cell in &report.cells {
        if let Some(error) = &cell.error {
            tell(&format!("error: {error}"));
        }
        for check in cell.checks.iter().filter(|check| check.ok != Some(true)) {
            tell(&format!("failed: {}: {}", cell.name, report::check_line(check)));
        }
    }
    tell(&format!("not ok: {}", report::verdict(report)));
}

/// Remarks on the notebook's text that are printed; a report as JSON has all of them.
const MOST_REMARKS: usize = 20;

fn format_of(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()?.to_lowercase().as_str() {
        "json" => Some("json"),
        "md" => Some("md"),
        "html" | "htm" => Some("html"),
        "csv" => Some("csv"),
        _ => None,
    }
}

/// Columns of the line; longer ones are cut.
const COLUMNS: usize = 100;

/// `rel: scoring 61 %  9.1s, 6.0s to go`; where rows are scored, what the screen says of it.
pub(super) fn progress(event: &Event) -> Option<String> {
    let Event::Cell { cell, state: CellState::Running(progress), .. } = event else { return None };
    let mut line = format!("{cell}: {}", progress.phase);
    if progress.scoring.is_some() {
        let room = COLUMNS.saturating_sub(line.chars().count() + 1);
        return Some(format!("{line} {}", progress.words(room, |words| words.chars().count())));
    }
    match progress.total {
        Some(total) if total > 0 => {
            let share = (progress.done as f64 / total as f64 * 100.0).floor().min(100.0);
            line.push_str(&format!(" {share:.0} %"));
        }
        _ if progress.done > 0 => {
            line.push_str(&format!(" {} {}", figures::compact(progress.done), progress.unit))
        }
        _ => {}
    }
    line.push_str(&format!("  {}", figures::clock(progress.elapsed_ms)));
    if let Some(eta) = progress.eta_ms {
        line.push_str(&format!(", {} to go", figures::clock(eta)));
    }
    Some(line)
}
