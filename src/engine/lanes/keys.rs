//! What a cell's result depends on, as one hash: its text, the parameters it uses, the roles it
//! inherits, what it reads, and its model. Equal keys: the kept result is still the result.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::model_lane::folder_stamp;
use super::sources::{Sources, hex};
use super::workspace::Workspace;
use crate::engine::model::hash_folder;
use crate::notebook::params::slots;
use crate::notebook::spec::CellSpec;
use crate::notebook::{Cell, Kind};

/// Raised when a kind of cell computes something else for the same text.
const GENERATION: u32 = 1;

/// SQL that may answer differently each time; such a cell is never served from before.
const VOLATILE: [&str; 12] = [
    "random(",
    "uuid(",
    "gen_random_uuid(",
    "now(",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "today(",
    "get_current_timestamp(",
    "tablesample",
    "using sample",
];

type Stamp = Vec<(String, u64, Option<SystemTime>)>;

/// Hashes of model folders, kept until a file of theirs changes.
#[derive(Default)]
pub(super) struct ModelHashes(HashMap<PathBuf, (Stamp, Option<String>)>);

impl ModelHashes {
    pub fn get(&mut self, dir: &Path) -> Option<String> {
        let stamp = folder_stamp(dir);
        if let Some((known, hash)) = self.0.get(dir)
            && *known == stamp
        {
            return hash.clone();
        }
        let hash = hash_folder(dir).ok();
        self.0.insert(dir.to_path_buf(), (stamp, hash.clone()));
        hash
    }
}

/// Computes keys for one state of the notebook; each cell once.
pub(super) struct Keys<'a> {
    pub workspace: &'a Workspace,
    pub sources: &'a Sources,
    pub models: &'a mut ModelHashes,
    known: HashMap<String, Option<String>>,
}

impl<'a> Keys<'a> {
    pub fn new(workspace: &'a Workspace, sources: &'a Sources, models: &'a mut ModelHashes) -> Self {
        Self { workspace, sources, models, known: HashMap::new() }
    }

    /// `None`: nothing kept may stand for this cell.
    pub fn of(&mut self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        if let Some(known) = self.known.get(&name) {
            return known.clone();
        }
        // Stands while its ancestors are asked, so that a circle ends.
        self.known.insert(name.clone(), None);
        let key = self.compute(&name);
        self.known.insert(name, key.clone());
        key
    }

    fn compute(&mut self, name: &str) -> Option<String> {
        let cell = self.workspace.notebook.cell(name)?;
        if cell.kind == Kind::Sql && volatile(&cell.body) || reads_files(&cell.body) {
            return None;
        }
        let mut hash = Sha256::new();
        hash.update(format!("{GENERATION}\0{}\0{}\0{}\0", cell.kind, cell.name, cell.body));
        self.params(cell, &mut hash)?;
        if cell.kind != Kind::Sql {
            hash.update(format!("{:?}\0", self.workspace.notebook.front().schema));
        }
        let graph = &self.workspace.graph;
        for source in graph.sources(name) {
            hash.update(format!("source {source} {}\0", self.sources.fingerprint(source)?));
        }
        let mut reads = graph.reads(name);
        reads.sort();
        for read in reads {
            hash.update(format!("cell {read} {}\0", self.of(&read)?));
        }
        if let Some(dir) = self.model(name) {
            hash.update(format!("model {}\0", self.models.get(&dir)?));
        }
        Some(hex(&hash.finalize())[..32].to_owned())
    }

    fn params(&self, cell: &Cell, hash: &mut Sha256) -> Option<()> {
        for slot in slots(&cell.body) {
            hash.update(format!("{}={:?}\0", slot.name, self.workspace.params.get(slot.name)?));
        }
        Some(())
    }

    fn model(&self, name: &str) -> Option<PathBuf> {
        let model = match self.workspace.spec(name).ok()? {
            CellSpec::Score(spec) => spec.model,
            CellSpec::Train(spec) => spec.model,
            CellSpec::Explain(spec) => spec.model?,
            _ => return None,
        };
        Some(self.workspace.locate(&model))
    }
}

/// Whether a cell names files itself, not by a source: nobody looks at whether those have changed. Rather
/// one too many: such a cell is run each time.
fn reads_files(body: &str) -> bool {
    const FUNCTIONS: [&str; 2] = ["glob", "sniff_csv"];
    const ENDINGS: [&str; 12] =
        ["csv", "tsv", "txt", "gz", "zst", "parquet", "json", "jsonl", "ndjson", "duckdb", "db", "xlsx"];
    let lower = body.to_lowercase();
    let called = lower.match_indices('(').any(|(at, _)| {
        let before = lower[..at].trim_end();
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        let name = before.get(start..).unwrap_or_default();
        name.starts_with("read_")
            || name.ends_with("_scan")
            || name.starts_with("parquet_")
            || FUNCTIONS.contains(&name)
    });
    let words = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    let after = ["from '", "join '"].iter().any(|before| words.contains(before));
    let ends = |quote: char| ENDINGS.iter().any(|ending| lower.contains(&format!(".{ending}{quote}")));
    called || after || ends('\'') || ends('"')
}

fn volatile(sql: &str) -> bool {
    let lower = sql.to_lowercase();
    VOLATILE.iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::reads_files;

    #[test]
    fn cells_that_name_files_are_told() {
        for sql in [
            "FROM 'x.csv'",
            "SELECT * FROM\n  '日志/*'",
            "SELECT * FROM a, \"b.parquet\"",
            "SELECT * FROM read_csv ('x')",
            "where = \"q IN (SELECT q FROM read_parquet('good'))\"",
            "where = \"q IN (SELECT q FROM 'good.parquet')\"",
            "SELECT * FROM parquet_metadata('x')",
        ] {
            assert!(reads_files(sql), "{sql}");
        }
        for sql in [
            "SELECT read_at, count(*) FROM shown WHERE q IN ('a', 'b') GROUP BY read_at",
            "SELECT extract(year FROM day) FROM shown JOIN other USING (q)",
            "from = \"shown\"\nshow = [\"mrr\"]",
        ] {
            assert!(!reads_files(sql), "{sql}");
        }
    }
}
