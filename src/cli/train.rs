//! `recscope train SPEC.toml`: the keys of a train cell in a file of their own, `from` naming a data
//! file. Run as a notebook of one cell.

use std::path::Path;

use toml_edit::DocumentMut;

use super::args::{ShortFormat, TrainArgs};
use super::output::{Ticker, print, width};
use super::run::{RunOptions, run_notebook};
use super::{Failure, settings, stop};
use crate::report;

/// Trains, prints the report; exit code as for `run`.
pub(super) fn train(args: &TrainArgs) -> Result<u8, Failure> {
    let text = std::fs::read_to_string(&args.spec).map_err(|e| {
        Failure::usage(format!("cannot read {}: {e}", args.spec.display()))
            .hint("write the keys of a train cell into it; `recscope docs cells` lists them")
    })?;
    let spec = std::path::absolute(&args.spec).unwrap_or_else(|_| args.spec.clone());
    let notebook_text = notebook_text(&text, spec.parent().unwrap_or(Path::new(".")))?;
    // Before there is a folder to leave behind.
    let cancel = stop::report_on_signal();
    let folder = tempfile::tempdir().map_err(|e| Failure::resource(format!("no temporary folder: {e}")))?;
    let notebook = folder.path().join("train.md");
    std::fs::write(&notebook, notebook_text)
        .map_err(|e| Failure::resource(format!("cannot write {}: {e}", notebook.display())))?;
    let mut options = RunOptions {
        engine: settings::load().engine_options(&args.engine)?,
        cancel,
        ..RunOptions::default()
    };
    options.engine.cache = false;
    let mut ticker = Ticker::new();
    let mut report = run_notebook(&notebook, &[], &options, &mut |event| {
        if let Some(line) = super::headless::progress(event) {
            ticker.show(&line);
        }
    });
    ticker.clear();
    report.notebook = args.spec.display().to_string();
    let name = if args.format == ShortFormat::Json { "json" } else { "text" };
    let format = report::format(name, width()).ok_or_else(|| Failure::bug("a format is missing"))?;
    print(&format.render(&report))?;
    Ok(stop::exit_of(&report))
}

/// The notebook that stands for a spec: data files become sources, relative paths start from `base`.
fn notebook_text(spec: &str, base: &Path) -> Result<String, Failure> {
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
    Ok(format!("---\nrecscope: 1\nsources:\n{sources}---\n~~~~~~train train\n{body}{end}~~~~~~\n"))
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
        let text = notebook_text(spec, Path::new("/data")).unwrap();
        let notebook = Notebook::parse(&text);
        assert_eq!(notebook.diagnostics(), [], "{text}");
        assert_eq!(notebook.front().sources[0].paths, ["/data/训练 \"1\".parquet"]);
        assert_eq!(notebook.front().sources[1].paths, ["s3://b/c.parquet"]);
        assert!(text.contains("out = \"/abs\"") && text.contains("model = \"/data/m\""), "{text}");
        assert!(notebook_text("from = ", Path::new("/")).is_err());
    }
}
