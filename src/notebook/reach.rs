//! What a notebook names outside itself: sources, models, files in SQL, folders that it writes. Names as
//! they are written; where they lead is for whoever may look at files.

use super::spec::CellSpec;
use super::sql::files;
use super::{Cell, Kind, Notebook, Params};

/// One thing that a notebook names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub what: NamedKind,
    /// As written, parameters filled in; `None`: it is computed when the cell runs.
    pub path: Option<String>,
    /// The source or cell that names it.
    pub by: String,
    /// In the file, counted from 1.
    pub line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedKind {
    /// Declared under `sources:`; `duckdb`: a database file, which may hold views and macros.
    Source {
        duckdb: bool,
    },
    Model,
    /// In a cell's SQL.
    SqlFile,
    /// A folder that a cell writes.
    Output,
}

/// Everything that the notebook names, in the order of the file. Cells that cannot be read name what can
/// be told from their text.
pub fn reach(notebook: &Notebook, params: &Params) -> Vec<Named> {
    let mut found = Vec::new();
    for source in notebook.sources(params) {
        for path in &source.paths {
            let duckdb = match source.format.as_deref() {
                Some(format) => format == "duckdb",
                None => [".duckdb", ".db", ".ddb"].iter().any(|e| path.to_lowercase().ends_with(e)),
            };
            let what = NamedKind::Source { duckdb };
            found.push(Named { what, path: Some(path.clone()), by: source.name.clone(), line: source.line });
        }
    }
    for cell in notebook.cells() {
        of_cell(notebook, cell, params, &mut found);
    }
    found
}

fn of_cell(notebook: &Notebook, cell: &Cell, params: &Params, found: &mut Vec<Named>) {
    let mut name = |what: NamedKind, path: Option<String>, line: u32| {
        found.push(Named { what, path, by: cell.name.clone(), line });
    };
    match notebook.spec(&cell.name, params) {
        Ok(CellSpec::Score(spec)) => name(NamedKind::Model, Some(spec.model), cell.line),
        Ok(CellSpec::Explain(spec)) => {
            if let Some(model) = spec.model {
                name(NamedKind::Model, Some(model), cell.line);
            }
        }
        Ok(CellSpec::Train(spec)) => {
            name(NamedKind::Model, Some(spec.model), cell.line);
            name(NamedKind::Output, Some(spec.out), cell.line);
        }
        Ok(
            CellSpec::Sql(_)
            | CellSpec::Metrics(_)
            | CellSpec::Fairness(_)
            | CellSpec::Slices(_)
            | CellSpec::Compare(_)
            | CellSpec::Check(_),
        )
        | Err(_) => {}
    }
    if cell.kind == Kind::Sql {
        for file in files(&cell.body) {
            let above = cell.body.get(..file.start).unwrap_or_default().matches('\n').count();
            name(NamedKind::SqlFile, file.path, cell.body_line + above as u32);
        }
        return;
    }
    let mut texts = Vec::new();
    if let Ok(table) = cell.body.parse::<toml::Table>() {
        strings(&toml::Value::Table(table), &mut texts);
    }
    for file in texts.iter().flat_map(|text| files(text)) {
        name(NamedKind::SqlFile, file.path, cell.body_line);
    }
}

/// Every text of a cell's body: predicates, orders and expressions stand under many keys.
fn strings(value: &toml::Value, found: &mut Vec<String>) {
    match value {
        toml::Value::String(text) => found.push(text.clone()),
        toml::Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        toml::Value::Table(table) => table.values().for_each(|item| strings(item, found)),
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_named_is_found_with_its_place() {
        let text = "---\nrecscope: 1\nparams: { day: 3 }\nsources:\n  imps: logs/{{day}}/*.parquet\n  log: log.duckdb\n---\n\
                    ```sql q\nSELECT *\nFROM read_csv('/etc/passwd')\n```\n\
                    ```score s\nfrom = \"q\"\nwhere = \"x IN (FROM '../y.csv')\"\nmodel = \"m\"\ntext = \"t\"\n```\n\
                    ```train t\nfrom = \"q\"\nmodel = \"m\"\ntext = \"t\"\nlabel = \"l\"\nout = \"../out\"\n```\n";
        let notebook = Notebook::parse(text);
        let (params, _) = notebook.params(&[("day".into(), "4".into())]);
        let found = reach(&notebook, &params);
        let told: Vec<String> = found
            .iter()
            .map(|n| format!("{:?} {} {} {}", n.what, n.path.as_deref().unwrap_or("?"), n.by, n.line))
            .collect();
        assert_eq!(
            told,
            [
                "Source { duckdb: false } logs/4/*.parquet imps 5",
                "Source { duckdb: true } log.duckdb log 6",
                "SqlFile /etc/passwd q 10",
                "Model m s 12",
                "SqlFile ../y.csv s 13",
                "Model m t 18",
                "Output ../out t 18",
            ]
        );
    }
}
