//! `recscope models list`: which model folders there are, in columns for 80 characters. No weights are
//! read, unless hashes are asked for.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::super::args::ShortFormat;
use super::super::output::json_page;
use super::super::{Failure, err_line, print, settings};
use super::licence::Licence;
use crate::engine::model::{
    Architecture, BertConfig, Layout, check_small, check_weights, hash_folder, parts_on_disk, weights_bytes,
};
use crate::util::{figures, sanitise};

/// The table's width.
const WIDTH: usize = 80;
/// Digits of a hash that tell models apart.
const SHORT_HASH: usize = 12;

/// A folder that holds a `config.json`, and whether it can be used.
pub struct Found {
    pub path: PathBuf,
    /// What it is, or why it cannot be read.
    pub kind: Result<BertConfig, String>,
    pub weights: bool,
}

/// Lists model folders.
pub fn list(folders: &[PathBuf], hash: bool, format: ShortFormat) -> Result<u8, Failure> {
    let base = std::env::current_dir().unwrap_or_default();
    let looked = if folders.is_empty() { settings::load().model_folders(&base) } else { folders.to_vec() };
    let rows: Vec<Row> = find(&looked).into_iter().map(|found| Row::of(found, hash)).collect();
    if format == ShortFormat::Json {
        let models: Vec<Value> = rows.iter().map(Row::json).collect();
        return print(&json_page(&json!({ "models": models })));
    }
    if rows.is_empty() {
        let places: Vec<String> =
            looked.iter().map(|folder| sanitise::line(&folder.to_string_lossy()).into_owned()).collect();
        err_line(&format!("no model folder in {}", places.join(", ")));
        err_line(
            "  hint: recscope models pull ORG/NAME, or put a Hugging Face folder (config.json, tokenizer.json, model.safetensors) there",
        );
        return Ok(0);
    }
    print(&table(&rows, hash))
}

/// Folders with a `config.json` in or one level below the given ones.
pub fn find(folders: &[PathBuf]) -> Vec<Found> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let mut below: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        below.sort();
        for candidate in std::iter::once(folder.clone()).chain(below) {
            let known = |other: &PathBuf| same(other, &candidate);
            let model = Layout::of(&candidate).is_ok() || is_adapter(&candidate);
            if model && !found.iter().any(known) {
                found.push(candidate);
            }
        }
    }
    found.into_iter().map(look).collect()
}

fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// A part of a model is told of, so that nobody looks for it in vain.
fn is_adapter(folder: &Path) -> bool {
    folder.join("adapter_config.json").is_file()
}

/// Opens what is small, and the headers of the weights: what would be refused on loading is told here.
fn look(path: PathBuf) -> Found {
    let weights = weights_bytes(&path).is_ok();
    let kind = check_small(&path).and_then(|config| {
        if weights {
            check_weights(&path, &config)?;
        }
        Ok(config)
    });
    Found { kind: kind.map_err(|error| error.to_string()), path, weights }
}

/// What is told of one folder.
struct Row {
    found: Found,
    bytes: u64,
    licence: Licence,
    /// Where it was asked for, and could be read.
    hash: Option<String>,
}

impl Row {
    fn of(found: Found, hash: bool) -> Self {
        let parts = parts_on_disk(&found.path).unwrap_or_default();
        Self {
            bytes: parts.iter().map(|(_, _, bytes)| bytes).sum(),
            licence: Licence::of(&found.path),
            hash: hash.then(|| hash_folder(&found.path).ok()).flatten(),
            found,
        }
    }

    /// Why it cannot be used.
    fn reason(&self) -> Option<String> {
        match &self.found.kind {
            Err(reason) => Some(reason.clone()),
            Ok(_) if !self.found.weights => Some("it has no model.safetensors".into()),
            Ok(_) => None,
        }
    }

    fn json(&self) -> Value {
        let config = self.found.kind.as_ref().ok();
        json!({
            "path": self.found.path.display().to_string(),
            "kind": config.map(kind),
            "weights": self.found.weights,
            "reason": self.found.kind.as_ref().err(),
            "architecture": config.map(|config| config.family.name),
            "labels": config.map(|config| config.labels.clone()),
            "bytes": self.bytes,
            "licence": self.licence.id,
            "licence_file": self.licence.file,
            "sha256": self.hash,
        })
    }

    /// Every column but the path.
    fn cells(&self, hash: bool) -> Vec<String> {
        let config = self.found.kind.as_ref().ok();
        let mut cells = vec![
            config.map_or("not usable".into(), |config| config.family.name.to_owned()),
            config.map_or(String::new(), BertConfig::gives),
            figures::bytes(self.bytes),
            self.licence.short(),
        ];
        if hash {
            cells.push(
                self.hash.as_deref().map_or("none".into(), |hash| hash.chars().take(SHORT_HASH).collect()),
            );
        }
        cells
    }
}

/// `BERT, cross-encoder or classifier`, `XLM-RoBERTa, embeddings`.
fn kind(config: &BertConfig) -> String {
    let gives = match config.architecture {
        Architecture::Encoder => "embeddings",
        Architecture::SequenceClassification => "cross-encoder or classifier",
    };
    format!("{}, {gives}", config.family.name)
}

/// Aligned columns. A path that leaves them no room gets a line of its own: none is ever cut.
fn table(rows: &[Row], hash: bool) -> String {
    let mut heads = vec!["family".to_owned(), "gives".into(), "size".into(), "licence".into()];
    if hash {
        heads.push("sha256".into());
    }
    let cells: Vec<Vec<String>> =
        std::iter::once(heads).chain(rows.iter().map(|row| row.cells(hash))).collect();
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| cells.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let room = WIDTH.saturating_sub(widths.iter().map(|width| width + 2).sum());
    let paths: Vec<String> = std::iter::once("model".to_owned())
        .chain(rows.iter().map(|row| sanitise::line(&row.found.path.to_string_lossy()).into_owned()))
        .collect();
    let first = paths.iter().map(|path| path.width()).filter(|width| *width <= room).max().unwrap_or(0);
    let mut text = String::new();
    for (at, (path, cells)) in paths.iter().zip(&cells).enumerate() {
        let mut line = String::new();
        if path.width() > first {
            text.push_str(path);
            text.push('\n');
            pad(&mut line, "", first);
        } else {
            pad(&mut line, path, first);
        }
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            line.push_str("  ");
            match column {
                // Sizes stand right, as numbers do.
                2 => line.push_str(&format!("{}{cell}", " ".repeat(width.saturating_sub(cell.width())))),
                _ => pad(&mut line, cell, *width),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
        if let Some(reason) = at.checked_sub(1).and_then(|row| rows.get(row)).and_then(Row::reason) {
            text.push_str(&format!("    {}\n", sanitise::excerpt(&reason, 200)));
        }
    }
    text
}

fn pad(line: &mut String, text: &str, width: usize) {
    line.push_str(text);
    line.push_str(&" ".repeat(width.saturating_sub(text.width())));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(paths: &[&str]) -> Vec<Row> {
        let fixture =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/architectures/xlm-roberta-reranker");
        let row = |path: &&str| {
            let mut row = Row::of(look(fixture.clone()), true);
            row.found.path = path.into();
            row.licence.id = Some("apache-2.0".into());
            row
        };
        paths.iter().map(row).collect()
    }

    #[test]
    fn columns_are_aligned_and_fit_80() {
        let text = table(&rows(&["models/a", "models/中文重排模型"]), true);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        let ends = |line: &str| line[..line.find("apache-2.0").unwrap()].width();
        assert_eq!(ends(lines[1]), ends(lines[2]), "{text}");
        assert!(lines.iter().all(|line| line.width() <= 80), "{text}");
        assert!(lines[1].contains("XLM-RoBERTa  1 label"), "{text}");
    }

    #[test]
    fn a_long_path_gets_its_own_line() {
        let long = "models/a-very-long-name-of-a-model-that-leaves-no-room-at-all-for-anything-else";
        let text = table(&rows(&["models/a", long]), false);
        assert!(text.lines().any(|line| line == long), "{text}");
        assert!(text.lines().filter(|line| *line != long).all(|line| line.width() <= 80), "{text}");
    }

    #[test]
    fn paths_cannot_write_to_the_terminal() {
        assert!(!table(&rows(&["models/a\u{1b}[2J"]), false).contains('\u{1b}'));
    }
}
