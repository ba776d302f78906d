//! What a cell's result depends on, as one hash: its text, the parameters it uses, the roles it
//! inherits, what it reads, and its model. Equal keys: the kept result is still the result.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::model_lane::folder_stamp;
use super::sources::{Sources, hex};
use super::workspace::Workspace;
use crate::engine::model::hash_folder;
use crate::notebook::cells::def;
use crate::notebook::params::slots;
use crate::notebook::spec::CellSpec;
use crate::notebook::{Cell, Kind};

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

/// Keys of one state of the notebook: each cell's is computed once, for as long as the files behind it
/// are the same.
#[derive(Default)]
pub(super) struct KeyBook {
    /// Which state of the notebook.
    serial: Option<u64>,
    /// Folders of models that cells name.
    folders: Vec<PathBuf>,
    /// Fingerprints of sources and hashes of models when the keys were computed.
    files: Vec<Option<String>>,
    known: HashMap<String, Option<String>>,
    /// Keys computed so far.
    computed: u64,
}

impl KeyBook {
    /// Looks at the files: keys of files that have changed are computed anew.
    pub fn look_again(&mut self, workspace: &Workspace, sources: &Sources, models: &mut ModelHashes) {
        if self.serial != Some(workspace.serial) {
            self.serial = Some(workspace.serial);
            self.known.clear();
            let mut folders: Vec<PathBuf> =
                workspace.notebook.cells().filter_map(|cell| model(cell, workspace)).collect();
            folders.sort();
            folders.dedup();
            self.folders = folders;
        }
        let named = workspace.notebook.front().sources.iter();
        let fingerprints = named.map(|source| sources.fingerprint(&source.name).map(str::to_owned));
        let files = fingerprints.chain(self.folders.iter().map(|folder| models.get(folder))).collect();
        if self.files != files {
            self.files = files;
            self.known.clear();
        }
    }

    /// `None`: nothing kept may stand for this cell.
    pub fn of(
        &mut self,
        name: &str,
        workspace: &Workspace,
        sources: &Sources,
        models: &mut ModelHashes,
    ) -> Option<String> {
        if self.serial != Some(workspace.serial) {
            self.look_again(workspace, sources, models);
        }
        let (known, computed) = (&mut self.known, &mut self.computed);
        Keys { workspace, sources, models, known, computed }.of(name)
    }
}

/// Computes keys.
struct Keys<'a> {
    workspace: &'a Workspace,
    sources: &'a Sources,
    models: &'a mut ModelHashes,
    known: &'a mut HashMap<String, Option<String>>,
    computed: &'a mut u64,
}

impl Keys<'_> {
    /// A cell's key, behind those of all that it reads. No recursion: a chain may be of any length.
    fn of(&mut self, name: &str) -> Option<String> {
        let mut stack = vec![name.to_lowercase()];
        let mut begun = HashSet::new();
        while let Some(top) = stack.last().cloned() {
            if self.known.contains_key(&top) {
                stack.pop();
            } else if begun.insert(top.clone()) {
                let reads = self.workspace.graph.direct(&top).map(str::to_lowercase);
                // One that is begun and not known reads this one: a circle, which has no key.
                stack.extend(reads.filter(|read| !self.known.contains_key(read) && !begun.contains(read)));
            } else {
                *self.computed += 1;
                let key = self.compute(&top);
                self.known.insert(top, key);
                stack.pop();
            }
        }
        self.known.get(&name.to_lowercase()).cloned().flatten()
    }

    fn compute(&mut self, name: &str) -> Option<String> {
        let cell = self.workspace.notebook.cell(name)?;
        if cell.kind == Kind::Sql && volatile(&cell.body) || reads_files(&cell.body) {
            return None;
        }
        let mut hash = Sha256::new();
        let generation = def(cell.kind).generation;
        hash.update(format!("{generation}\0{}\0{}\0{}\0", cell.kind, cell.name, cell.body));
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
            let key = self.known.get(&read.to_lowercase())?.as_ref()?;
            hash.update(format!("cell {read} {key}\0"));
        }
        if let Some(dir) = model(cell, self.workspace) {
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
}

/// The folder of the model that a cell names.
fn model(cell: &Cell, workspace: &Workspace) -> Option<PathBuf> {
    if !matches!(cell.kind, Kind::Score | Kind::Train | Kind::Explain) {
        return None;
    }
    let model = match workspace.spec(&cell.name).ok()? {
        CellSpec::Score(spec) => spec.model,
        CellSpec::Train(spec) => spec.model,
        CellSpec::Explain(spec) => spec.model?,
        _ => return None,
    };
    Some(workspace.locate(&model))
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
    use super::*;

    fn chain(cells: usize, first: &str) -> Workspace {
        let mut text = format!("```sql q0\n{first}\n```\n");
        for i in 1..cells {
            text.push_str(&format!("```sql q{i}\nFROM q{}\n```\n", i - 1));
        }
        Workspace::read(&text, None, ".".into(), &[])
    }

    #[test]
    fn a_chain_of_any_length_is_computed_once() {
        let (sources, mut models, mut book) =
            (Sources::new(false), ModelHashes::default(), KeyBook::default());
        let workspace = chain(20_000, "SELECT 1");
        for cell in workspace.graph.order().iter().rev() {
            assert!(book.of(cell, &workspace, &sources, &mut models).is_some());
            book.look_again(&workspace, &sources, &mut models);
        }
        assert_eq!(book.computed, 20_000);
        let other = chain(20_000, "SELECT 2");
        let last = "q19999";
        let old = book.of(last, &workspace, &sources, &mut models);
        assert!(book.of(last, &other, &sources, &mut models) != old, "another text, another key");
        assert_eq!(book.of(last, &workspace, &sources, &mut models), old);
        let volatile = chain(9, "SELECT random()");
        assert_eq!(book.of("q8", &volatile, &sources, &mut models), None);
        let circle = chain(9, "FROM q8");
        assert_eq!(book.of("Q4", &circle, &sources, &mut models), None);
    }

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
