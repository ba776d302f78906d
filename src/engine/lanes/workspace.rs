//! The notebook as it stood at the last `Sync`: parsed once, shared by the lanes, never changed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::store::ColumnInfo;
use crate::notebook::roles::{ColumnHint, guess};
use crate::notebook::spec::CellSpec;
use crate::notebook::{Cell, Graph, Notebook, Params};
use crate::protocol::{Column, Problem, ProblemKind};
use crate::terms::SqlValue;
use crate::trust::Access;

#[derive(Debug)]
pub(super) struct Workspace {
    pub notebook: Notebook,
    pub graph: Graph,
    pub params: Params,
    /// The same, as the database binds them.
    pub values: Vec<(String, SqlValue)>,
    pub base: PathBuf,
    /// `None` for an unsaved notebook.
    pub path: Option<PathBuf>,
    /// What its cells may touch.
    pub access: Arc<Access>,
    /// Another number for every state of the notebook.
    pub serial: u64,
}

static SERIAL: AtomicU64 = AtomicU64::new(0);

impl Workspace {
    pub fn empty() -> Self {
        Self::read("", None, PathBuf::from("."), &[])
    }

    pub fn read(text: &str, path: Option<PathBuf>, base: PathBuf, overrides: &[(String, String)]) -> Self {
        let notebook = Notebook::parse(text);
        // Faults of overrides are told by whoever took them from the user.
        let (params, _) = notebook.params(overrides);
        let values = params.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let (access, serial) = (Arc::default(), SERIAL.fetch_add(1, Ordering::Relaxed));
        Self { graph: notebook.graph(&params), notebook, params, values, base, path, access, serial }
    }

    pub fn cell(&self, name: &str) -> Result<&Cell, Problem> {
        self.notebook.cell(name).ok_or_else(|| {
            Problem::new(ProblemKind::Usage, format!("there is no cell `{name}`")).in_cell(name)
        })
    }

    pub fn spec(&self, name: &str) -> Result<CellSpec, Problem> {
        self.notebook.spec(name, &self.params).map_err(|faults| {
            let first = faults.into_iter().find(crate::notebook::Diagnostic::is_error);
            first.map_or_else(|| Problem::new(ProblemKind::Usage, "the cell cannot be read"), Problem::from)
        })
    }

    /// A path of the notebook: relative ones start from its folder, `~/` from the home folder.
    pub fn locate(&self, path: &str) -> PathBuf {
        crate::trust::locate(path, &self.base)
    }

    /// Columns as the screen shows them: roles that the schema declares (guesses while it says so),
    /// guesses where it is silent.
    pub fn columns(&self, found: &[ColumnInfo]) -> Vec<Column> {
        let front = self.notebook.front();
        let declared = front.schema.pairs();
        let hints: Vec<ColumnHint> =
            found.iter().map(|c| ColumnHint { name: c.name.clone(), sql_type: c.sql_type.clone() }).collect();
        let guesses = guess(&hints);
        let role = |name: &str| {
            let said = declared.iter().find(|(_, column)| column.eq_ignore_ascii_case(name));
            let guessed = guesses.iter().find(|g| g.column == name && g.confidence >= 0.5);
            let free = guessed.filter(|g| !declared.iter().any(|(role, _)| *role == g.role));
            match said {
                Some((role, _)) => (Some((*role).to_owned()), front.schema_guessed),
                None => (free.map(|g| g.role.to_owned()), free.is_some()),
            }
        };
        found
            .iter()
            .map(|c| {
                let (role, guessed) = role(&c.name);
                Column { name: c.name.clone(), sql_type: c.sql_type.clone(), role, guessed }
            })
            .collect()
    }
}
