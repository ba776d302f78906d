//! Sources: files, globs, lists, folders, DuckDB files and remote paths, each behind a view.

mod attach;
mod csv;
mod encoding;
mod files;
mod foreign;
mod format;
mod ids;
mod notes;
mod options;
mod plain;
mod register;
mod whole;

pub(super) use files::local_patterns;
pub use format::SourceFormat;
pub use plain::read_text;
pub(super) use plain::with_own_names;

/// What the front matter says about one source. Only `paths` is needed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceSpec {
    /// Files, globs, folders or URLs; relative ones start from the notebook's folder. All of one format.
    pub paths: Vec<String>,
    /// `None`: by extension, then by the first bytes.
    pub format: Option<SourceFormat>,
    /// DuckDB files: which table; `None`: the only one, or each under its own name.
    pub table: Option<String>,
    /// CSV.
    pub delimiter: Option<String>,
    /// CSV: whether the first line names the columns.
    pub header: Option<bool>,
    /// CSV, JSON: what the text is written in, where it is not UTF-8.
    pub encoding: Option<String>,
    /// CSV, JSON: leave out rows that do not fit instead of failing.
    pub ignore_errors: bool,
    /// CSV, JSON: types of columns by name, e.g. `item_id: VARCHAR`.
    pub types: Vec<(String, String)>,
    /// CSV, JSON: columns that hold ids, whose text is kept as it stands.
    pub ids: Vec<String>,
    /// Further options of DuckDB's reader, by their own names; see [`SourceSpec::option`].
    pub more: Vec<(String, super::SqlValue)>,
}

impl SourceSpec {
    /// A source that is just a path.
    pub fn path(path: impl Into<String>) -> Self {
        Self { paths: vec![path.into()], ..Self::default() }
    }
}
