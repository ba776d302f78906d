//! `recscope train SPEC.toml`: the keys of a train cell in a file of their own, `from` naming a data
//! file. Run as a notebook of one cell.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use toml_edit::DocumentMut;

use super::args::{EngineSettings, ShortFormat};
use super::output::{Ticker, print, width};
use super::run::{RunOptions, run_text};
use super::{Failure, settings, stop};
use crate::report;

/// Opens the one cell.
const FENCE: &str = "~~~~~~train train\n";

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The keys of a train cell, `from` being a file; see `recscope docs cells`
    #[arg(value_name = "SPEC.toml", value_hint = ValueHint::FilePath)]
    pub spec: PathBuf,
    /// Folder to write, wherever it is; the file's own `out` must lie below the file's folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub format: ShortFormat,
    #[command(flatten)]
    pub engine: EngineSettings,
}

/// Trains, prints the report; exit code as for `run`.
pub(super) fn train(args: &TrainArgs) -> Result<u8, Failure> {
    let text = std::fs::read_to_string(&args.spec).map_err(|e| {
        Failure::usage(format!("cannot read {}: {e}", args.spec.display()))
            .hint("write the keys of a train cell into it; `recscope docs cells` lists them")
    })?;
    let spec = std::path::absolute(&args.spec).unwrap_or_else(|_| args.spec.clone());
    let out = args.out.as_deref().map(std::path::absolute).transpose();
    let out = out.map_err(|e| Failure::usage(format!("--out cannot be resolved: {e}")))?;
    let text = notebook_text(&text, spec.parent().unwrap_or(Path::new(".")), out.as_deref())?;
    let lines_before = lines_before(&text);
    let cancel = stop::report_on_signal();
    let mut options = RunOptions {
        engine: settings::load().engine_options(&args.engine)?,
        cancel,
        lines_before,
        ..RunOptions::default()
    };
    options.engine.cache = false;
    options.engine.write_anywhere = out.is_some();
    let mut ticker = Ticker::new();
    let mut report = run_text(text, &spec, &[], &options, &mut |event| {
        if let Some(line) = super::headless::progress(event) {
            ticker.show(&line);
        }
    });
    ticker.clear();
    report.notebook = args.spec.display().to_string();
    for problem in &mut report.problems {
        problem.message = problem.message.replace(&spec.display().to_string(), &report.notebook);
    }
    let name = if args.format == ShortFormat::Json { "json" } else { "text" };
    let format = report::format(name, width()).ok_or_else(|| Failure::bug("a format is missing"))?;
    print(&format.render(&report))?;
    Ok(stop::exit_of(&report))
}

/// How many lines of the notebook stand before the spec's own.
fn lines_before(notebook: &str) -> u32 {
    let body = notebook.find(FENCE).map_or(0, |at| at + FENCE.len());
    notebook.get(..body).map_or(0, |before| before.matches('\n').count() as u32)
}

/// The notebook that stands for a spec: data files become sources, relative paths start from `base`.
fn notebook_text(spec: &str, base: &Path, out: Option<&Path>) -> Result<String, Failure> {
    let mut document: DocumentMut = spec.parse().map_err(|error: toml_edit::TomlError| {
        Failure::usage(format!("the spec is not valid TOML: {}", error.to_string().trim_end()))
    })?;
    let mut sources = String::new();
    for (key, source) in [("from", "train_rows"), ("dev_from", "dev_rows")] {
        let Some(path) = document.get(key).and_then(|item| item.as_str()).map(|path| absolute(path, base))
        else {
            continue;
        };
        sources.push_str(&format!("  {source}: {}\n", serde_json::Value::String(path)));
        document[key] = toml_edit::value(source);
    }
    if let Some(out) = out {
        document["out"] = toml_edit::value(out.to_string_lossy().as_ref());
    }
    for key in ["model", "out"] {
        if let Some(path) = document.get(key).and_then(|item| item.as_str()).map(|path| absolute(path, base))
        {
            document[key] = toml_edit::value(path);
        }
    }
    let body = document.to_string();
    if body.lines().any(|line| line.starts_with("~~~~~~")) {
        return Err(Failure::usage("the spec holds a line of ~~~~~~").hint("take it out"));
    }
    let end = if body.ends_with('\n') { "" } else { "\n" };
    Ok(format!("---\nrecscope: 1\nsources:\n{sources}---\n{FENCE}{body}{end}~~~~~~\n"))
}

fn absolute(path: &str, base: &Path) -> String {
    if path.contains("://") { path.to_string() } else { base.join(path).to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook::Notebook;

    #[test]
    fn a_spec_becomes_a_sound_notebook() {
        let spec = "from = \"训练 \\\"1\\\".parquet\"\nmodel = \"m\"\npair = [\"q\", \"t\"]\nlabel = \"y\"\nout = \"/abs\"\ndev_from = \"s3://b/c.parquet\"";
        let text = notebook_text(spec, Path::new("/data"), None).unwrap();
        let notebook = Notebook::parse(&text);
        assert_eq!(notebook.diagnostics(), [], "{text}");
        assert_eq!(notebook.front().sources[0].paths, ["/data/训练 \"1\".parquet"]);
        assert_eq!(notebook.front().sources[1].paths, ["s3://b/c.parquet"]);
        assert!(text.contains("out = \"/abs\"") && text.contains("model = \"/data/m\""), "{text}");
        let elsewhere = notebook_text(spec, Path::new("/data"), Some(Path::new("/模型"))).unwrap();
        assert!(elsewhere.contains("out = \"/模型\""), "{elsewhere}");
        assert!(notebook_text("from = ", Path::new("/"), None).is_err());
    }
}
