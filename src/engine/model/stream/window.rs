//! Rows that are scored together: which inputs the model has not seen yet, and, once it has, every
//! row's score in the order in which the rows came. Pure: the computing is next door.

use std::collections::HashMap;
use std::sync::Arc;

use super::memory::{Key, Memory, Output, key};
use super::{Chunk, RowKind, Scored};
use crate::engine::model::heads::Head;
use crate::engine::model::units::cost;

const NONE: u32 = u32::MAX;

/// Where the text of a new input lies: chunk, row, and which side of it.
struct Place {
    input: u32,
    chunk: u32,
    row: u32,
    side: Side,
}

#[derive(Clone, Copy)]
enum Side {
    First,
    Second,
    Both,
}

pub(super) struct Window<T> {
    kind: RowKind,
    chunks: Vec<Chunk<T>>,
    /// Per row its one or two inputs (`NONE`: only one); `None` for rows without text.
    inputs_of: Vec<Option<(u32, u32)>>,
    known: HashMap<Key, u32>,
    keys: Vec<Key>,
    outputs: Vec<Option<Output>>,
    new: Vec<Place>,
    /// Bytes of text that the model has to read.
    pub cost: usize,
    /// Bytes held.
    pub bytes: usize,
    /// The owner of the last chunk has nothing more at the moment.
    pub pause: bool,
}

impl<T> Window<T> {
    pub fn new(kind: RowKind) -> Self {
        Self {
            kind,
            chunks: Vec::new(),
            inputs_of: Vec::new(),
            known: HashMap::new(),
            keys: Vec::new(),
            outputs: Vec::new(),
            new: Vec::new(),
            cost: 0,
            bytes: 0,
            pause: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub fn rows(&self) -> usize {
        self.inputs_of.len()
    }

    pub fn empty_rows(&self) -> u64 {
        self.inputs_of.iter().filter(|inputs| inputs.is_none()).count() as u64
    }

    /// Takes a chunk. What is longer than `max_tokens` will be cut and costs no more.
    pub fn push(&mut self, chunk: Chunk<T>, memory: &mut Memory, max_tokens: usize) {
        let (kind, at) = (self.kind, self.chunks.len() as u32);
        self.pause = chunk.pause;
        self.bytes += chunk.bytes;
        for row in 0..chunk.first.len() {
            let first = present(&chunk.first, row);
            let second = present(&chunk.second, row);
            self.bytes += first.map_or(0, str::len) + second.map_or(0, str::len);
            let mut number = |query: &str, text: Option<&str>, side| {
                let place = Place { input: 0, chunk: at, row: row as u32, side };
                self.number(key(query, text), place, memory, || cost((query, text), max_tokens))
            };
            let inputs = match (kind, first, second) {
                (RowKind::Text, Some(text), _) => Some((number(text, None, Side::First), NONE)),
                (RowKind::Pair, Some(q), Some(t)) => Some((number(q, Some(t), Side::Both), NONE)),
                (RowKind::Embed, Some(q), Some(t)) => {
                    Some((number(q, None, Side::First), number(t, None, Side::Second)))
                }
                _ => None,
            };
            self.inputs_of.push(inputs);
        }
        self.chunks.push(chunk);
    }

    /// The number of an input in this window; a new one is remembered, or is to be computed.
    fn number(&mut self, key: Key, place: Place, memory: &mut Memory, cost: impl FnOnce() -> usize) -> u32 {
        if let Some(&number) = self.known.get(&key) {
            return number;
        }
        let input = self.outputs.len() as u32;
        self.known.insert(key, input);
        self.keys.push(key);
        let found = memory.get(key);
        if found.is_none() {
            self.new.push(Place { input, ..place });
            self.cost += cost();
        }
        self.outputs.push(found);
        input
    }

    /// The texts of the inputs that must be computed.
    pub fn new_inputs(&self) -> Vec<(&str, Option<&str>)> {
        let texts = |place: &Place| {
            let chunk = self.chunks.get(place.chunk as usize);
            let row = place.row as usize;
            let first = chunk.and_then(|chunk| present(&chunk.first, row));
            let second = chunk.and_then(|chunk| present(&chunk.second, row));
            match place.side {
                Side::First => (first.unwrap_or_default(), None),
                Side::Second => (second.unwrap_or_default(), None),
                Side::Both => (first.unwrap_or_default(), second),
            }
        };
        self.new.iter().map(texts).collect()
    }

    /// Takes what the `at`-th of the new inputs gave.
    pub fn learn(&mut self, computed: Vec<(usize, Vec<f32>)>, memory: &mut Memory) {
        for (at, output) in computed {
            let Some(place) = self.new.get(at) else { continue };
            let output: Output = Arc::from(output);
            if let Some(key) = self.keys.get(place.input as usize) {
                memory.put(*key, Arc::clone(&output));
            }
            if let Some(slot) = self.outputs.get_mut(place.input as usize) {
                *slot = Some(output);
            }
        }
    }

    /// Every chunk with its rows' scores.
    pub fn scored(self, head: &Head) -> Vec<Scored<T>> {
        let labels = head.labels().len();
        let classes = if labels >= 2 { labels } else { 0 };
        let output = |input: u32| self.outputs.get(input as usize).and_then(Option::as_deref);
        let mut rows = self.inputs_of.iter();
        let score = |chunk: Chunk<T>| {
            let n = chunk.first.len();
            let mut scored = Scored {
                keep: chunk.keep,
                scores: Vec::with_capacity(n),
                classes: vec![Vec::with_capacity(n); classes],
            };
            for inputs in rows.by_ref().take(n) {
                let first = inputs.and_then(|(first, _)| output(first));
                scored.scores.push(match *inputs {
                    Some((_, second)) if second != NONE => {
                        first.zip(output(second)).map(|(a, b)| head.similarity(a, b))
                    }
                    _ => first.and_then(|logits| head.score(logits)),
                });
                for (class, values) in scored.classes.iter_mut().enumerate() {
                    values.push(first.and_then(|logits| logits.get(class)).copied());
                }
            }
            scored
        };
        self.chunks.into_iter().map(score).collect()
    }
}

/// A row's text; one of only white space counts as none.
fn present(texts: &[Option<String>], row: usize) -> Option<&str> {
    texts.get(row).and_then(Option::as_deref).filter(|text| !text.trim().is_empty())
}
