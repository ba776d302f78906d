//! `recscope demo`: a generated log, a tiny model and a notebook, put into a temporary folder.
//! What must not be here: running cells (the engine does) and drawing.

mod log;
mod training;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::args::{AccessArgs, DemoArgs, EngineSettings, RunArgs};
use super::output::{cancel_on_signal, err_line, print};
use super::{Failure, headless, open};
use crate::protocol::{Problem, ProblemKind};
use crate::state::StateFolder;
use crate::trust::{Scope, TrustList};
use crate::util::cancel::Cancel;

pub(in crate::cli) use log::judged_shop;
pub use log::{Faults, SEARCHES, SEED, write_log};

const NOTEBOOK: &str = include_str!("../../../queries/notebooks/demo.md");
/// What is planted, in words.
const ANSWERS: &str = include_str!("../../../queries/notebooks/demo-answers.md");

/// The tiny BERT, trained by `scripts/train-demo-model`.
const MODEL: [(&str, &[u8]); 3] = [
    ("config.json", include_bytes!("../../../fixtures/demo-model/config.json")),
    ("tokenizer.json", include_bytes!("../../../fixtures/demo-model/tokenizer.json")),
    ("model.safetensors", include_bytes!("../../../fixtures/demo-model/model.safetensors")),
];

/// Opens the demo on a terminal; elsewhere runs it and prints the report.
pub(super) fn demo(args: &DemoArgs) -> Result<u8, Failure> {
    if args.answers {
        return print(ANSWERS);
    }
    if let Some(dir) = &args.training {
        training::write_training(dir, &cancel_on_signal())?;
        return Ok(0);
    }
    let faults = args.without.iter().try_fold(Faults::ALL, |faults, name| {
        faults.without(name).ok_or_else(|| {
            Failure::usage(format!("there is no fault `{name}`")).hint(Faults::NAMES.join(", "))
        })
    })?;
    // From here on a signal is an answer to wait for, not an end that leaves the folder behind.
    let cancel = cancel_on_signal();
    // Kept until the end of this function, then removed.
    let temporary = tempfile::Builder::new().prefix("recscope-demo-").tempdir().map_err(|e| {
        Failure::resource(format!("no temporary folder: {e}")).hint("free space, or set TMPDIR")
    })?;
    let dir = args.keep.as_deref().unwrap_or(temporary.path());
    if args.keep.is_some() {
        not_over_others(dir)?;
    }
    err_line("generating a week of a shop's search log ...");
    let notebook = write_investigation(dir, faults, &cancel)?;
    if args.keep.is_some() {
        // Opened again later, it is still recscope's own.
        let add = || StateFolder::open().and_then(|s| TrustList::open(&s)?.add(&notebook, Scope::Notebook));
        if let Err(error) = add() {
            err_line(&format!("warning: the notebook is not on the list of trusted ones: {error}"));
        }
    }
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if on_terminal && args.format.is_none() && args.out.is_none() {
        // Nothing of a demo is left behind: neither its files nor its scores.
        super::stop::leave_to_screen();
        let code = open::open_own(&notebook, false);
        if args.keep.is_none() {
            err_line("the demo's files are gone with their folder; `recscope demo --keep FOLDER` keeps them");
        }
        return code;
    }
    report(&notebook, args)
}

/// A folder that is kept may hold somebody's work: only a demo as it was made is made again.
fn not_over_others(dir: &Path) -> Result<(), Failure> {
    let notebook = dir.join("demo.md");
    let taken = match std::fs::read(&notebook) {
        Ok(text) if text == NOTEBOOK.as_bytes() => return Ok(()),
        Ok(_) => notebook,
        Err(_) => match ["impressions.parquet", "demo-model"]
            .map(|name| dir.join(name))
            .into_iter()
            .find(|p| p.exists())
        {
            Some(taken) => taken,
            None => return Ok(()),
        },
    };
    Err(Failure::usage(format!("{} is there already, and is not as the demo makes it", taken.display()))
        .hint(format!(
            "open it with `recscope {}`, or choose another --keep FOLDER",
            dir.join("demo.md").display()
        )))
}

/// The demo's checks fail by design: only cells that could not run are a failure.
fn report(notebook: &Path, args: &DemoArgs) -> Result<u8, Failure> {
    let code = headless::run(&RunArgs {
        notebook: notebook.to_path_buf(),
        set: Vec::new(),
        format: args.format.clone(),
        out: args.out.clone(),
        raw: false,
        only: Vec::new(),
        rows: 10,
        locked: false,
        no_cache: true,
        // Its own notebook, written a moment ago.
        access: AccessArgs { trust: true, ..AccessArgs::default() },
        engine: EngineSettings::default(),
    })?;
    if code == 1 {
        err_line(
            "the failed checks are the planted faults (`recscope demo --answers`); `recscope run` would exit 1",
        );
        return Ok(0);
    }
    Ok(code)
}

/// Writes log, model and notebook into `dir` and gives the notebook's path.
pub fn write_investigation(dir: &Path, faults: Faults, cancel: &Cancel) -> Result<PathBuf, Failure> {
    let put = |path: &Path, bytes: &[u8]| {
        std::fs::write(path, bytes).map_err(|e| {
            Failure::resource(format!("cannot write {}: {e}", path.display()))
                .hint("free space, or use --keep FOLDER")
        })
    };
    let model = dir.join("demo-model");
    std::fs::create_dir_all(&model).map_err(|e| {
        Failure::resource(format!("cannot make {}: {e}", model.display()))
            .hint("choose another --keep FOLDER")
    })?;
    for (name, bytes) in MODEL {
        put(&model.join(name), bytes)?;
    }
    write_log(dir, faults, SEARCHES, SEED, cancel)
        .map_err(|e| if e.is_cancelled() { stopped() } else { e.into() })?;
    let notebook = dir.join("demo.md");
    put(&notebook, NOTEBOOK.as_bytes())?;
    cancel.check().map_err(|_| stopped())?;
    Ok(notebook)
}

fn stopped() -> Failure {
    Failure(Problem::new(ProblemKind::Cancelled, "stopped before the log was complete"))
}
