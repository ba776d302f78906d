//! From what the front matter names to paths that DuckDB reads, with the errors that DuckDB would
//! word worse: missing, empty, a folder of mixed formats.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{ErrorKind, Result, StoreError};
use super::{SourceFormat, SourceSpec, foreign};
use crate::util::{globs, redact};

/// Paths or globs of one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) format: SourceFormat,
    /// As DuckDB takes them: absolute, or URLs.
    pub(super) paths: Vec<String>,
    /// Those that are named one by one and lie here.
    pub(super) whole: Vec<PathBuf>,
    pub(super) remote: bool,
    /// More than one file, or a glob that may come to mean several.
    pub(super) many: bool,
}

/// Files looked at below a folder before giving up on telling its format.
const LOOKED_AT: usize = 10_000;

/// Finds the files of a source, relative to `base`.
pub(super) fn find(spec: &SourceSpec, base: &Path) -> Result<Files> {
    let mut found: Option<Files> = None;
    for path in &spec.paths {
        let next = one(path, spec.format, base)?;
        found = Some(match found {
            None => next,
            Some(f) if f.format != next.format => return Err(mixed(path, f.format, next.format)),
            Some(mut f) => {
                f.paths.extend(next.paths);
                f.whole.extend(next.whole);
                Files { many: true, remote: f.remote || next.remote, ..f }
            }
        });
    }
    found.ok_or_else(|| {
        StoreError::new(ErrorKind::Usage, "the source names no file")
            .hint("give a path, a glob, a folder or a list of them")
    })
}

/// The paths and globs of a source on this machine; `None` where some are remote.
pub(crate) fn local_patterns(spec: &SourceSpec, base: &Path) -> Result<Option<Vec<String>>> {
    let files = find(spec, base)?;
    Ok((!files.remote).then_some(files.paths))
}

fn mixed(path: &str, one: SourceFormat, other: SourceFormat) -> StoreError {
    let path = redact::urls(path);
    let message = format!("{path} is {}, the other files are {}", other.name(), one.name());
    StoreError::new(ErrorKind::Usage, message)
        .hint("make one source per format, or say `format:` for all of them")
}

fn one(path: &str, format: Option<SourceFormat>, base: &Path) -> Result<Files> {
    if path.contains('\0') {
        return Err(StoreError::new(ErrorKind::Usage, "a path holds a NUL character"));
    }
    if is_remote(path) {
        let format = format.or_else(|| SourceFormat::of_name(path)).ok_or_else(|| unknown_format(path))?;
        return Ok(Files {
            format,
            paths: vec![path.to_owned()],
            whole: vec![],
            remote: true,
            many: path.contains('*'),
        });
    }
    let full = absolute(path, base);
    let shown = full.display().to_string();
    match fs::metadata(&full) {
        Ok(meta) if meta.is_dir() => folder(&full, format),
        Ok(meta) if meta.len() == 0 => Err(empty(&shown)),
        Ok(_) => {
            fs::File::open(&full).map_err(|e| unreadable(&shown, &e))?;
            let format = told(&full, format)?;
            Ok(Files {
                format,
                paths: vec![globs::escape(&shown)],
                whole: vec![full],
                remote: false,
                many: false,
            })
        }
        Err(_) if globs::is_pattern(path) => {
            let format =
                format.or_else(|| SourceFormat::of_name(path)).ok_or_else(|| unknown_format(path))?;
            let paths = vec![globs::pattern_of(&full)];
            Ok(Files { format, paths, whole: vec![], remote: false, many: true })
        }
        Err(error) => Err(missing(&full, &error)),
    }
}

/// The format of a file that is here: as said, by its name, by its first bytes; an error where these say
/// that it is something else.
fn told(path: &Path, said: Option<SourceFormat>) -> Result<SourceFormat> {
    let shown = path.display().to_string();
    let head = foreign::head(path);
    if let Some(found) = foreign::of(&head) {
        let message = format!("{shown} is {}", found.what);
        return Err(StoreError::new(ErrorKind::Data, message).hint(found.remedy));
    }
    let named = SourceFormat::of_name(&shown);
    match (said.or(named), foreign::certain(&head)) {
        (Some(format), Some(certain)) if format != certain => {
            let message = format!("{shown} holds {}, not {}", certain.name(), format.name());
            Err(StoreError::new(ErrorKind::Data, message).hint(format!("say `format: {}`", certain.name())))
        }
        (Some(format), _) => Ok(format),
        (None, _) => SourceFormat::of_bytes(path).ok_or_else(|| unknown_format(&shown)),
    }
}

/// A URL that DuckDB's file systems may know.
fn is_remote(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphanumeric()))
}

fn absolute(path: &str, base: &Path) -> PathBuf {
    let path = path.strip_prefix("file:").unwrap_or(path);
    if let (Some(rest), Some(home)) = (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        return PathBuf::from(home).join(rest);
    }
    let joined = base.join(path);
    std::path::absolute(&joined).unwrap_or(joined)
}

/// All files of the one format below a folder (hidden ones and `_logs` aside).
fn folder(path: &Path, format: Option<SourceFormat>) -> Result<Files> {
    let shown = path.display();
    let mut kinds: Vec<(SourceFormat, String)> = Vec::new();
    let mut nameless = Vec::new();
    let mut left = vec![path.to_owned()];
    let mut looked = 0;
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).map_err(|e| unreadable(&next.display().to_string(), &e))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(['.', '_']) || looked >= LOOKED_AT {
                continue;
            }
            looked += 1;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                _ => match SourceFormat::of_name(&name) {
                    Some(format) => kinds.push((format, ending(&name))),
                    None => nameless.push(entry.path()),
                },
            }
        }
    }
    kinds.retain(|(f, _)| format.is_none_or(|wanted| wanted == *f));
    kinds.sort_by(|a, b| a.1.cmp(&b.1));
    kinds.dedup();
    let root = globs::escape(path.to_string_lossy().trim_end_matches('/'));
    match kinds.as_slice() {
        // Engines write parts without an ending; which format they have was said.
        [] if looked >= LOOKED_AT && format.is_some() => {
            let message = format!("{shown} holds more than {LOOKED_AT} files without an ending");
            Err(StoreError::new(ErrorKind::Usage, message).hint("name them by a glob, e.g. logs/**/part-*"))
        }
        [] if !nameless.is_empty() && format.is_some_and(|said| said != SourceFormat::DuckDb) => {
            nameless.sort();
            let format = told(&nameless[0], format)?;
            let paths = nameless.iter().map(|file| globs::escape(&file.to_string_lossy())).collect();
            Ok(Files { format, paths, whole: nameless, remote: false, many: true })
        }
        [] => Err(StoreError::new(ErrorKind::Io, format!("{shown} holds no Parquet, CSV or JSON file"))
            .hint("name the files, e.g. logs/*.parquet")),
        [(first, _), rest @ ..] if rest.iter().any(|(f, _)| f != first) => {
            let list: Vec<&str> = kinds.iter().map(|(_, e)| e.as_str()).collect();
            Err(StoreError::new(ErrorKind::Usage, format!("{shown} mixes formats: {}", list.join(", ")))
                .hint("name one of them, e.g. logs/**/*.parquet"))
        }
        [(format, _), ..] => {
            let paths = kinds.iter().map(|(_, ending)| format!("{root}/**/*{ending}")).collect();
            Ok(Files { format: *format, paths, whole: vec![], remote: false, many: true })
        }
    }
}

/// `x.csv.gz` -> `.csv.gz`.
fn ending(name: &str) -> String {
    let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    let from = stem.rfind('.').unwrap_or(stem.len());
    name[from..].to_owned()
}

fn missing(path: &Path, error: &std::io::Error) -> StoreError {
    let shown = path.display().to_string();
    if error.kind() != std::io::ErrorKind::NotFound {
        return unreadable(&shown, error);
    }
    let error = StoreError::new(ErrorKind::Io, format!("there is no file {shown}"));
    match nearest(path) {
        Some(name) => error.hint(format!("did you mean {name}?")),
        None => error.hint("relative paths start from the notebook's folder"),
    }
}

/// The name in the same folder that is most alike.
fn nearest(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?.to_lowercase();
    let names = fs::read_dir(path.parent()?).ok()?.take(LOOKED_AT).flatten();
    let names = names.filter_map(|e| e.file_name().into_string().ok());
    let close = |name: &String| {
        let lower = name.to_lowercase();
        let alike = lower.chars().zip(wanted.chars()).take_while(|(a, b)| a == b).count();
        alike + lower.chars().rev().zip(wanted.chars().rev()).take_while(|(a, b)| a == b).count()
    };
    let least = wanted.chars().count() * 2 / 3;
    names.map(|n| (close(&n), n)).filter(|(alike, _)| *alike >= least.max(3)).max().map(|(_, n)| n)
}

fn empty(path: &str) -> StoreError {
    StoreError::new(ErrorKind::Data, format!("{path} is empty (0 bytes)"))
        .hint("check how it was written, or leave it out")
}

fn unreadable(path: &str, error: &std::io::Error) -> StoreError {
    StoreError::new(ErrorKind::Io, format!("cannot read {path}: {error}")).hint("check its permissions")
}

fn unknown_format(path: &str) -> StoreError {
    let path = redact::urls(path);
    StoreError::new(ErrorKind::Usage, format!("{path}: neither its name nor its first bytes tell its format"))
        .hint("say `format: parquet`, `csv`, `json` or `duckdb`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_globs_and_strange_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("day=1")).unwrap();
        fs::write(at("day=1/a.csv.gz"), "x").unwrap();
        fs::write(at("day=1/_SUCCESS"), "").unwrap();
        let files = find(&SourceSpec::path("."), folder.path()).unwrap();
        assert_eq!((files.format, files.many), (SourceFormat::Csv, true));
        assert!(files.paths[0].ends_with("/**/*.csv.gz"), "{files:?}");
        fs::write(at("b.json"), "{}").unwrap();
        assert!(find(&SourceSpec::path("."), folder.path()).unwrap_err().message.contains("mixes"));
        fs::write(at("c[1].csv"), "a\n1\n").unwrap();
        let files = find(&SourceSpec::path("c[1].csv"), folder.path()).unwrap();
        assert!(files.paths[0].ends_with("c[[]1].csv"), "{files:?}");
        let error = find(&SourceSpec::path("b.jsn"), folder.path()).unwrap_err();
        assert!(error.hint.unwrap().contains("b.json"));
    }
}
