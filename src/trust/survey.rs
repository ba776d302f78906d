//! What a notebook would read and write if it ran, and the limits that follow: for the panel that asks
//! whether it may, and for the lines that a headless run prints. Reads no more of a file than the bytes that tell a DuckDB file.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::access::{Limits, is_below, locate, shown};
use crate::notebook::reach::{NamedKind, reach};
use crate::notebook::{Notebook, Params};
use crate::util::globs;

/// What a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Source,
    /// A DuckDB file: its views and macros may name further files.
    Database,
    Model,
    /// A file in a cell's SQL.
    SqlFile,
    Url,
    Output,
}

/// One thing that the notebook would touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub what: What,
    /// As written; empty: the name is computed when the cell runs.
    pub path: String,
    /// The source or cell that names it.
    pub by: String,
    pub line: u32,
    /// It lies outside the notebook's folder.
    pub outside: bool,
    /// It is refused within the limits.
    pub refused: bool,
}

/// All of them, and the limits under which what is not refused may run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    pub findings: Vec<Finding>,
    pub limits: Limits,
    /// Where results are kept, as a person reads it.
    pub sidecar: String,
}

/// Looks through a notebook's text, with `params` over its own.
pub fn survey_text(text: &str, params: &[(String, String)], base: &Path, path: Option<&Path>) -> Survey {
    let notebook = Notebook::parse(text);
    let (params, _) = notebook.params(params);
    survey(&notebook, &params, base, path)
}

/// Looks through a notebook. `base`: the folder that relative paths start from.
fn survey(notebook: &Notebook, params: &Params, base: &Path, path: Option<&Path>) -> Survey {
    let mut limits =
        Limits { base: base.to_path_buf(), notebook: path.map(Path::to_path_buf), ..Limits::default() };
    let mut findings = Vec::new();
    for named in reach(notebook, params) {
        let written = named.path.clone().unwrap_or_default();
        let full = locate(&written, base);
        let url = written.contains("://");
        let start = start(named.what, &written, base);
        let outside = named.path.is_some() && !url && (climbs(&full, &start) || !is_below(&start, base));
        let what = match named.what {
            _ if url => What::Url,
            NamedKind::Source { duckdb: true } => What::Database,
            NamedKind::Source { duckdb: false } if is_database(&full) => What::Database,
            NamedKind::Source { duckdb: false } => What::Source,
            NamedKind::Model => What::Model,
            NamedKind::SqlFile => What::SqlFile,
            NamedKind::Output => What::Output,
        };
        let refused = match what {
            What::Url => true,
            What::Source | What::Database | What::Model => false,
            What::SqlFile | What::Output => outside,
        };
        match what {
            What::Source | What::Database => limits.sources.push(written.clone()),
            What::Model => limits.models.push(full),
            What::Output if !outside => limits.outputs.push(full),
            What::Url | What::SqlFile | What::Output => {}
        }
        findings.push(Finding { what, path: written, by: named.by, line: named.line, outside, refused });
    }
    limits.only_named = findings.iter().any(|f: &Finding| f.what == What::Database);
    if limits.only_named {
        let inside = findings.iter().filter(|f| f.what == What::SqlFile && !f.outside && !f.path.is_empty());
        limits.sources.extend(inside.map(|f| f.path.clone()));
    }
    limits.models.sort();
    limits.models.dedup();
    let sidecar = path.and_then(Path::file_stem).map(|stem| format!(".{}.cells/", stem.to_string_lossy()));
    Survey { findings, limits, sidecar: sidecar.unwrap_or_default() }
}

/// Whether a file is a DuckDB database, whatever its name: that is how it would be opened.
pub fn is_database(file: &Path) -> bool {
    let mut head = [0; 12];
    // Not a pipe, which would wait for its writer.
    let is_file = std::fs::metadata(file).is_ok_and(|meta| meta.is_file());
    is_file
        && std::fs::File::open(file).and_then(|mut f| f.read_exact(&mut head)).is_ok()
        && head.ends_with(b"DUCK")
}

/// Whether a pattern goes up again behind where it starts: nobody can say where to.
fn climbs(path: &Path, start: &Path) -> bool {
    let rest = path.strip_prefix(start).unwrap_or(Path::new(""));
    rest.components().any(|c| c == std::path::Component::ParentDir)
}

/// The part of a path that is certain, whatever is put for `*`, `?` or `[`.
fn start(what: NamedKind, written: &str, base: &Path) -> PathBuf {
    let full = locate(written, base);
    match what {
        NamedKind::Model | NamedKind::Output => full,
        NamedKind::Source { .. } => globs::literal_start(&full).to_path_buf(),
        // DuckDB takes even a name that exists for a pattern, but not the folder that it is relative to.
        NamedKind::SqlFile => {
            let is_plain = |p: &&Path| !globs::is_pattern(&p.as_os_str().to_string_lossy());
            Path::new(written)
                .ancestors()
                .find(is_plain)
                .map_or(full, |plain| locate(&plain.to_string_lossy(), base))
        }
    }
}

impl Survey {
    /// The DuckDB files that nobody has trusted, as written and where they lie. Their views and macros run
    /// with whoever reads them, in a trusted notebook too.
    pub fn foreign_databases(&self, trusted: impl Fn(&Path) -> bool) -> Vec<(String, PathBuf)> {
        let databases = self.findings.iter().filter(|f| f.what == What::Database);
        databases
            .map(|f| (f.path.clone(), self.limits.locate(&f.path)))
            .filter(|(_, file)| !trusted(file))
            .collect()
    }

    /// Limits for a notebook that is trusted beside data that is not: all that its own text names.
    pub fn widened(mut self) -> Limits {
        let base = self.limits.base.clone();
        for finding in &self.findings {
            match finding.what {
                What::SqlFile if !finding.path.is_empty() => {
                    self.limits.sources.push(finding.path.clone());
                }
                What::Output => self.limits.writable.push(locate(&finding.path, &base)),
                What::SqlFile | What::Source | What::Database | What::Model | What::Url => {}
            }
        }
        self.limits
    }
}

impl Finding {
    /// One line for a log: `source logs: /data/x.parquet (outside the notebook's folder)`.
    pub fn sentence(&self, base: &Path) -> String {
        let path = match self.what {
            What::Url => self.path.clone(),
            _ if self.path.is_empty() => "a file whose name is computed".to_owned(),
            What::Source | What::Database | What::Model | What::SqlFile | What::Output => {
                shown(&locate(&self.path, base), base)
            }
        };
        let by = &self.by;
        let named = match self.what {
            What::Source => format!("source {by}: {path}"),
            What::Database => format!("DuckDB file {by}: {path}"),
            What::Url => format!("URL in {by}: {path}"),
            What::Model => format!("model of {by}: {path}"),
            What::SqlFile => format!("file in the SQL of {by} (line {}): {path}", self.line),
            What::Output => format!("folder written by {by}: {path}"),
        };
        match self.refused {
            true => format!("{named} — refused"),
            false => named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_marked_and_what_is_not_declared_refused() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().join("n");
        std::fs::create_dir(&base).unwrap();
        let text = "---\nrecscope: 1\nsources:\n  a: in/*.parquet\n  b: ../b.csv\n  c: https://x/y.parquet\n  d: /x/d.duckdb\n---\n\
                    ```sql q\nFROM '/etc/passwd' JOIN 'here.csv' USING (x)\n```\n\
                    ```train t\nfrom = \"q\"\nmodel = \"/m\"\ntext = \"t\"\nlabel = \"l\"\nout = \"../out\"\n```\n";
        let notebook = Notebook::parse(text);
        let (params, _) = notebook.params(&[]);
        let found = survey(&notebook, &params, &base, Some(&base.join("鞋.md")));
        let told: Vec<(What, bool, bool)> =
            found.findings.iter().map(|f| (f.what, f.outside, f.refused)).collect();
        assert_eq!(
            told,
            [
                (What::Source, false, false),
                (What::Source, true, false),
                (What::Url, false, true),
                (What::Database, true, false),
                (What::SqlFile, true, true),
                (What::SqlFile, false, false),
                (What::Model, true, false),
                (What::Output, true, true),
            ]
        );
        // Where there is a DuckDB file, the folder is not read whole.
        assert_eq!(found.limits.sources, ["in/*.parquet", "../b.csv", "/x/d.duckdb", "here.csv"]);
        assert!(found.limits.only_named);
        assert!(found.limits.outputs.is_empty() && found.sidecar == ".鞋.cells/");
        assert!(found.findings[4].sentence(&base).ends_with("/etc/passwd — refused"));
    }

    #[test]
    fn a_folder_may_be_called_like_a_pattern() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path().join("[旧] runs*");
        std::fs::create_dir(&base).unwrap();
        let text = "---\nrecscope: 1\nsources:\n  a: in/*.parquet\n  b: b.csv\n  c: ../*/b.csv\n---\n\
                    ```sql q\nFROM 'here.csv', '*/../../x.csv'\n```\n";
        let found = survey_text(text, &[], &base, Some(&base.join("n.md")));
        let outside: Vec<bool> = found.findings.iter().map(|f| f.outside).collect();
        assert_eq!(outside, [false, false, true, false, true]);
    }
}
