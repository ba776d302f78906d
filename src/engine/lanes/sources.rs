//! The notebook's sources: opened when their text changes, and a fingerprint of their files, so that
//! results over unchanged data can be kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::dialect::source_spec;
use super::workspace::Workspace;
use crate::engine::store::Connection;
use crate::notebook::Source;
use crate::protocol::{Event, Problem};
use crate::util::cancel::Cancel;

#[derive(Default)]
pub(super) struct Sources {
    open: BTreeMap<String, Opened>,
}

struct Opened {
    source: Source,
    base: PathBuf,
    /// `None`: it could not be opened, or its files cannot be told apart by size and time.
    fingerprint: Option<String>,
    problem: Option<Problem>,
}

impl Sources {
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
        wanted.iter().filter_map(|source| self.open_one(source, workspace, connection)).collect()
    }

    fn open_one(&mut self, source: &Source, workspace: &Workspace, connection: &Connection) -> Option<Event> {
        let key = source.name.to_lowercase();
        let fingerprint = fingerprint(source, workspace, connection);
        if let Some(known) = self.open.get(&key) {
            let same_text = Source { line: known.source.line, ..source.clone() } == known.source;
            let same_files = known.fingerprint == fingerprint && known.problem.is_none();
            if same_text && known.base == workspace.base && same_files {
                return None;
            }
        }
        let opened = source_spec(source).and_then(|spec| {
            let relations = connection
                .register_source(&source.name, &spec, &workspace.base, &Cancel::new())
                .map_err(Problem::from)?;
            Ok(relations.first().map(|r| workspace.columns(&r.columns)).unwrap_or_default())
        });
        let (base, problem) = (workspace.base.clone(), opened.as_ref().err().cloned());
        self.open.insert(key, Opened { source: source.clone(), base, fingerprint, problem });
        Some(Event::Source { name: source.name.clone(), result: opened })
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

/// Text of the source, and name, size and time of each file.
fn fingerprint(source: &Source, workspace: &Workspace, connection: &Connection) -> Option<String> {
    let spec = source_spec(source).ok()?;
    let files = connection.source_files(&spec, &workspace.base).ok()??;
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {:?} {:?}", source.paths, source.format, source.options));
    for file in files {
        let meta = std::fs::metadata(&file).ok()?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update(format!("\0{} {:?}\0", meta.len(), meta.modified().ok()?));
    }
    Some(hex(&hash.finalize()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
