//! Whether a notebook is trusted, and what a headless run may touch if it is not: the list, the flags,
//! and the lines on stderr that say what lies outside.

use std::path::{Path, PathBuf};

use super::Failure;
use super::args::AccessArgs;
use super::output::err_line;
use crate::engine::store::FileLimits;
use crate::state::StateFolder;
use crate::trust::{Access, Survey, TrustList, is_database, locate, survey_text};
use crate::util::sanitise;

/// Whether the list covers this file. Where it cannot be read, nothing is trusted.
pub(super) fn is_trusted(file: &Path) -> bool {
    let list = StateFolder::open().and_then(|state| TrustList::open(&state));
    list.is_ok_and(|list| list.covers(file).is_some())
}

/// The text of a notebook. A pipe or a device is none: it gives its text once, or never.
pub(super) fn read_notebook(path: &Path) -> std::io::Result<String> {
    let utf8 = |_| std::io::Error::other("it is not UTF-8 text");
    String::from_utf8(notebook_bytes(path)?).map_err(utf8)
}

/// Its bytes.
pub(super) fn notebook_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.is_file() {
        return std::fs::read(path);
    }
    Err(std::io::Error::other("it is no regular file (a folder, a pipe or a device)"))
}

/// The access of `recscope run`; says on stderr what an untrusted notebook names outside its folder.
pub(super) fn of_run(path: &Path, set: &[(String, String)], args: &AccessArgs) -> Result<Access, Failure> {
    if args.trust {
        return Ok(Access::Everything);
    }
    let full = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let base = full.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    // An unreadable notebook is told of by the run itself; should it be readable by then, it named nothing.
    let text = read_notebook(path).unwrap_or_default();
    let mut found = survey_text(&text, set, &base, Some(&full));
    if !args.sandbox && is_trusted(path) {
        let foreign = found.foreign_databases(is_trusted);
        if foreign.is_empty() {
            return Ok(Access::Everything);
        }
        found.limits.allowed = allowed(&args.allow)?;
        for (written, _) in &foreign {
            err_line(&format!(
                "note: {written} is a DuckDB file that is not trusted: its views and macros read no other files (`recscope trust add {written}`, or --trust)"
            ));
        }
        return Ok(Access::Limited(found.widened()));
    }
    found.limits.allowed = allowed(&args.allow)?;
    tell(path, &found);
    Ok(Access::Limited(found.limits))
}

/// The limits of a command over named inputs: where one of them is a DuckDB file that is not trusted, its
/// views and macros read nothing but these. `folders`: what the command itself reads and writes.
pub(super) fn of_inputs(inputs: &[&str], folders: Vec<PathBuf>) -> Option<FileLimits> {
    let base = std::env::current_dir().ok()?;
    let foreign = |input: &&str| {
        let file = locate(input, &base);
        is_database(&file) && !is_trusted(&file)
    };
    inputs.iter().any(foreign).then(|| FileLimits {
        base: base.clone(),
        sources: inputs.iter().map(|input| (*input).to_owned()).collect(),
        folders,
    })
}

fn allowed(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let real = |path: &PathBuf| {
        std::fs::canonicalize(path).map_err(|e| {
            Failure::usage(format!("--allow {}: {e}", path.display()))
                .hint("name a file or folder that exists")
        })
    };
    paths.iter().map(real).collect()
}

fn tell(path: &Path, found: &Survey) {
    let base = &found.limits.base;
    let granted = |f: &crate::trust::Finding| {
        let full = found.limits.locate(&f.path);
        found.limits.allowed.iter().any(|root| crate::trust::is_below(&full, root))
    };
    let outside: Vec<_> = found.findings.iter().filter(|f| f.outside || f.refused).collect();
    if outside.is_empty() {
        return;
    }
    err_line(&format!("{} is in no trusted folder, and names what lies outside its own:", path.display()));
    for finding in outside {
        let mut sentence = finding.sentence(base);
        if finding.refused && granted(finding) {
            sentence = sentence.replace(" — refused", " — allowed by --allow");
        }
        err_line(&format!("  {}", sanitise::line(&sentence)));
    }
    let folder = base.display();
    err_line(&format!("  (`recscope trust add {folder}` trusts it; for this run: --trust, or --allow PATH)"));
}
