//! What is scored: real titles for the encoder, real (query, title) pairs for the cross-encoder, as texts
//! and as token ids. Written to a file that every contestant reads.

use std::path::{Path, PathBuf};

use recscope::engine::model::{DeviceChoice, LoadOptions, Model};
use serde::{Deserialize, Serialize};

use crate::card;

/// Token ids and types of one input, special tokens included, not padded.
pub type Row = (Vec<u32>, Vec<u32>);

#[derive(Serialize, Deserialize)]
pub struct Inputs {
    pub texts: Vec<(String, Option<String>)>,
    pub rows: Vec<Row>,
}

pub struct Workload {
    pub model: PathBuf,
    pub name: String,
    /// What a row is: "titles", "pairs".
    pub unit: &'static str,
    pub inputs: Inputs,
    shape: Shape,
}

struct Shape {
    layers: f64,
    hidden: f64,
    inner: f64,
    encoder: bool,
}

/// The models, where their texts come from, and the longest input in tokens (`None`: the model's own).
const SOURCES: &[(&str, &str, &str, &str, Option<usize>)] = &[
    (
        "all-MiniLM-L6-v2",
        "titles",
        "data/chorus-electronics/products.parquet",
        "SELECT DISTINCT title, NULL FROM '{}' WHERE trim(title) <> '' ORDER BY md5(title) LIMIT 3000",
        Some(128),
    ),
    (
        "ms-marco-MiniLM-L-12-v2",
        "pairs",
        "goldens/chorus_scored.parquet",
        "SELECT query, title FROM '{}' ORDER BY query, docid",
        None,
    ),
];

/// A model with random weights, for GPUs: its titles are those of the first of `SOURCES`.
const BERT_BASE: &str = "bert-base-random";

/// `copies`: how often each text is taken, as different texts; `large`: also a model of BERT-base's shape.
pub fn all(shared: &Path, copies: usize, large: bool, wanted: impl Fn(&str) -> bool) -> Vec<Workload> {
    let present = |path: &PathBuf| {
        let there = path.exists();
        if !there {
            println!("scoring: skipped, {} is not here", path.display());
        }
        there
    };
    let mut all = Vec::new();
    for &(name, unit, data, sql, max_tokens) in SOURCES.iter().filter(|s| wanted(s.0)) {
        let (model, data) = (shared.join("models").join(name), shared.join(data));
        if present(&model) && present(&data) {
            let texts = copied(read(&sql.replace("{}", &data.display().to_string())), copies);
            all.push(Workload::new(model, unit, texts, max_tokens));
        }
    }
    let (like, unit, data, sql, max_tokens) = SOURCES[0];
    let (like, data) = (shared.join("models").join(like), shared.join(data));
    if large && wanted(BERT_BASE) && present(&like) && present(&data) {
        let texts = copied(read(&sql.replace("{}", &data.display().to_string())), copies);
        all.push(Workload {
            name: BERT_BASE.into(),
            ..Workload::new(card::bert_base(&like), unit, texts, max_tokens)
        });
    }
    all
}

/// Each text `copies` times, with a number behind from the second on: equal ones would be computed once.
fn copied(texts: Vec<(String, Option<String>)>, copies: usize) -> Vec<(String, Option<String>)> {
    let copy = |n: usize| {
        texts.iter().map(move |(a, b)| (if n == 0 { a.clone() } else { format!("{a} {n}") }, b.clone()))
    };
    (0..copies.max(1)).flat_map(copy).collect()
}

/// A text, or a pair of them, per row.
pub fn read(sql: &str) -> Vec<(String, Option<String>)> {
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

impl Workload {
    fn new(
        model: PathBuf,
        unit: &'static str,
        texts: Vec<(String, Option<String>)>,
        max_tokens: Option<usize>,
    ) -> Self {
        let loaded =
            Model::load(&model, &LoadOptions { device: DeviceChoice::Cpu, max_tokens, ..Default::default() })
                .unwrap();
        let ids = |(a, b): &(String, Option<String>)| {
            let ids = loaded.tokens().ids(a, b.as_deref()).unwrap();
            (ids.ids.to_vec(), ids.type_ids.to_vec())
        };
        let rows = texts.iter().map(ids).collect();
        let config = loaded.config();
        let shape = Shape {
            layers: config.layers as f64,
            hidden: config.hidden as f64,
            inner: config.intermediate as f64,
            encoder: loaded.info().pooling.is_some(),
        };
        let name = loaded.info().name.clone();
        Self { model, name, unit, inputs: Inputs { texts, rows }, shape }
    }

    pub fn is_encoder(&self) -> bool {
        self.shape.encoder
    }

    pub fn describe(&self) -> String {
        let longest = self.inputs.rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
        format!(
            "{} ({} layers, hidden {}): {} {}, {} tokens, longest {longest}",
            self.name,
            self.shape.layers,
            self.shape.hidden,
            self.rows(1),
            self.unit,
            self.tokens(1)
        )
    }

    /// Of every `stride`-th row.
    pub fn rows(&self, stride: usize) -> usize {
        self.inputs.rows.iter().step_by(stride).len()
    }

    pub fn tokens(&self, stride: usize) -> usize {
        self.inputs.rows.iter().step_by(stride).map(|row| row.0.len()).sum()
    }

    /// Floating-point operations that the model asks for, padding and everything but products left out:
    /// per token `2 (4 h^2 + 2 h i)` in each layer, per row of `n` tokens `4 n^2 h` in each layer's
    /// attention.
    pub fn operations(&self, stride: usize) -> f64 {
        let Shape { layers, hidden: h, inner: i, .. } = self.shape;
        let row = |n: f64| layers * (n * 2.0 * (4.0 * h * h + 2.0 * h * i) + 4.0 * n * n * h);
        self.inputs.rows.iter().step_by(stride).map(|r| row(r.0.len() as f64)).sum()
    }
}
