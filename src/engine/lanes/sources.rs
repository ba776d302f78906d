//! The notebook's sources: opened when their text or their files change, and a fingerprint of their files,
//! so that results over unchanged data can be kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::dialect::source_spec;
use super::prints::Prints;
use super::workspace::Workspace;
use crate::engine::store::{Connection, SourceSpec};
use crate::notebook::{Kind, Source};
use crate::protocol::{Event, Problem};
use crate::terms::names_an_id;
use crate::util::cancel::Cancel;

pub(super) struct Sources {
    open: BTreeMap<String, Opened>,
    prints: Prints,
}

struct Opened {
    source: Source,
    /// Columns in a role of identity when it was opened.
    ids: Vec<String>,
    base: PathBuf,
    /// `None`: it could not be opened, or its files cannot be looked into.
    fingerprint: Option<String>,
    problem: Option<Problem>,
}

impl Sources {
    /// `whole`: every byte of every file counts, whatever that costs.
    pub fn new(whole: bool) -> Self {
        Self { open: BTreeMap::new(), prints: Prints::new(whole) }
    }

    /// Opens what is new or changed, drops what is gone; says what came of each source that it touched.
    pub fn sync(&mut self, workspace: &Workspace, connection: &Connection) -> Vec<Event> {
        let wanted = workspace.notebook.sources(&workspace.params);
        let gone: Vec<String> = self
            .open
            .keys()
            .filter(|name| !wanted.iter().any(|s| s.name.to_lowercase() == **name))
            .cloned()
            .collect();
        for name in gone {
            if let Some(opened) = self.open.remove(&name)
                && let Err(error) = connection.drop_source(&opened.source.name)
            {
                tracing::warn!("source {name} not dropped: {error}");
            }
        }
        let ids = id_columns(workspace);
        wanted.iter().filter_map(|source| self.open_one(source, &ids, workspace, connection)).collect()
    }

    fn open_one(
        &mut self,
        source: &Source,
        ids: &[String],
        workspace: &Workspace,
        connection: &Connection,
    ) -> Option<Event> {
        let key = source.name.to_lowercase();
        let fingerprint = fingerprint(source, ids, &workspace.base, connection, &mut self.prints);
        if let Some(known) = self.open.get(&key) {
            let same_text = Source { line: known.source.line, ..source.clone() } == known.source;
            let same_files = known.fingerprint == fingerprint && known.problem.is_none();
            if same_text && known.base == workspace.base && same_files {
                return None;
            }
        }
        let opened = source_spec(source).and_then(|spec| {
            let spec = SourceSpec { ids: ids.to_vec(), ..spec };
            let relations = connection
                .register_source(&source.name, &spec, &workspace.base, &Cancel::new())
                .map_err(Problem::from)?;
            Ok(relations.first().map(|r| workspace.columns(&r.columns)).unwrap_or_default())
        });
        let (base, problem) = (workspace.base.clone(), opened.as_ref().err().cloned());
        self.open
            .insert(key, Opened { source: source.clone(), ids: ids.to_vec(), base, fingerprint, problem });
        Some(Event::Source { name: source.name.clone(), result: opened })
    }

    /// Opens again those whose files have changed since, and says what came of each.
    pub fn look(&mut self, workspace: &Workspace, connection: &Connection) -> Vec<Event> {
        let names: Vec<String> = self.open.keys().cloned().collect();
        let changed = self.changed(&names, connection);
        let wanted = workspace.notebook.sources(&workspace.params);
        let again = wanted.iter().filter(|source| changed.contains(&source.name.to_lowercase()));
        let ids = id_columns(workspace);
        again.filter_map(|source| self.open_one(source, &ids, workspace, connection)).collect()
    }

    /// Those of the sources whose files are no longer what they were when they were opened.
    pub fn changed(&mut self, names: &[String], connection: &Connection) -> Vec<String> {
        let mut changed = Vec::new();
        for name in names.iter().map(|name| name.to_lowercase()) {
            if let Some(Opened { source, ids, base, fingerprint: known, .. }) = self.open.get(&name)
                && fingerprint(source, ids, base, connection, &mut self.prints) != *known
            {
                changed.push(name);
            }
        }
        changed
    }

    /// Changes when a file of the source does; `None` where that cannot be told.
    pub fn fingerprint(&self, name: &str) -> Option<&str> {
        self.open.get(&name.to_lowercase())?.fingerprint.as_deref()
    }

    /// Why the source could not be opened.
    pub fn problem(&self, name: &str) -> Option<&Problem> {
        self.open.get(&name.to_lowercase())?.problem.as_ref()
    }
}

/// Columns in a role of identity, for the whole notebook or for a cell: their text is kept as it stands.
fn id_columns(workspace: &Workspace) -> Vec<String> {
    let mut ids: Vec<String> = workspace.notebook.front().schema.ids().map(str::to_owned).collect();
    for cell in workspace.notebook.cells().filter(|cell| cell.kind != Kind::Sql) {
        if let (Some(spec), _) = workspace.notebook.read_cell(cell, &workspace.params) {
            ids.extend(spec.id_columns());
        }
    }
    // Those are kept anyway; a source is not opened anew because a cell names one.
    ids.retain(|column| !names_an_id(column));
    ids.sort();
    ids.dedup();
    ids
}

/// Text of the source, how it is read, and its files: their names and what they hold.
fn fingerprint(
    source: &Source,
    ids: &[String],
    base: &Path,
    connection: &Connection,
    prints: &mut Prints,
) -> Option<String> {
    let spec = source_spec(source).ok()?;
    let mut files = connection.source_files(&spec, base).ok()??;
    // What was committed to a database and is not in its file yet.
    if let [file] = files.as_slice() {
        let log = PathBuf::from(format!("{}.wal", file.display()));
        files.extend(log.is_file().then_some(log));
    }
    let text = format!("{:?} {:?} {:?} {ids:?}", source.paths, source.format, source.options);
    // Where the rows name their files, where they lie counts; else a folder may be moved as a whole.
    let base = if text.contains("filename") { PathBuf::new() } else { std::path::absolute(base).ok()? };
    let mut hash = Sha256::new();
    hash.update(text);
    prints.add(&mut hash, &files, &base)?;
    Some(hex(&hash.finalize()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
