//! The fused path: the same BERT as `bert.rs`, on the CPU, without a backward pass. Tokens of a batch
//! are packed end to end (no padding), queries, keys and values come from one product, and what
//! follows a product is done while its result is in cache. Products are in floats, or in 8-bit whole
//! numbers (the layers' dense products only: embeddings, attention, normalisation and heads stay
//! floats). One call runs on one core; batches run side by side (`workers.rs`).

mod aligned;
mod attention;
mod dense;
mod int_product;
mod int_rows;
mod isa;
#[cfg(target_arch = "x86_64")]
mod lanes_avx2;
#[cfg(target_arch = "x86_64")]
mod lanes_avx512;
mod lanes_scalar;
mod outputs;
mod product;
pub(super) mod rows;
mod softmax;
mod tile;
#[cfg(target_arch = "x86_64")]
mod tile_avx2;
#[cfg(target_arch = "x86_64")]
mod tile_avx512;
mod transpose;

use candle_core::{CpuStorage, Storage, Tensor};

use self::aligned::Aligned;
use self::attention::{HeadRoom, Heads, Sequence, attend};
use self::dense::{Dense, numbers, pack};
use self::int_product::IntRoom;
use self::isa::IntForm;
use self::product::{Matrix, Packed, round_up};
use self::rows::{NormWeights, add_norm, gelu};
use self::tile::WIDTH;
use super::bert::{Bert, Layer, Linear, Norm};
use super::config::{Activation, BertConfig};
use super::error::{ModelError, ModelErrorKind};
use super::family::HeadActivation;
use super::forward::Row;
use super::heads::Head;
use crate::util::cancel::Cancel;

pub(super) use self::int_product::{column_scale, quantise_weight};
pub use self::isa::Isa;
pub(super) use self::product::multiply;
pub(super) use self::tile::ROWS;

/// Goes up when the outputs of this folder change, be it in their last digits: the score cache does not take
/// for this version's what an older one has kept.
pub(super) const KERNELS: u32 = 2;

/// Rows that go through the feed-forward block together, so that the wide middle stays in the
/// second-level cache; half as many where it is there twice, in floats and in whole numbers.
const FEED_ROWS: usize = 8 * ROWS;
const FEED_ROWS_INTS: usize = 4 * ROWS;
/// Rows that go through attention's products together: their results are written a panel at a time, and
/// all rows of a batch would fall out of the second-level cache between two panels.
const BLOCK_ROWS: usize = 8 * ROWS;

/// A BERT's weights in the kernels' layout.
pub struct FusedBert {
    isa: Isa,
    activation: Activation,
    head_activation: HeadActivation,
    hidden: usize,
    embedding: usize,
    /// The model's own tensor: a copy would be the largest part of what the kernels hold.
    word: Tensor,
    position: Vec<f32>,
    token_type: Vec<f32>,
    embed_norm: NormWeights,
    /// From the embeddings' width to `hidden`, where the two differ.
    project: Option<Packed>,
    layers: Vec<FusedLayer>,
    pooler: Option<Packed>,
    classifier: Option<Packed>,
    labels: usize,
}

struct FusedLayer {
    heads: Heads,
    qkv: Dense,
    attention_out: Dense,
    attention_norm: NormWeights,
    intermediate: Dense,
    output: Dense,
    output_norm: NormWeights,
}

/// Buffers that a worker keeps from batch to batch.
#[derive(Default)]
pub struct Scratch {
    x: Matrix,
    qkv: Matrix,
    context: Matrix,
    out: Matrix,
    inner: Matrix,
    room: HeadRoom,
    ints: IntRoom,
}

impl FusedBert {
    /// Copies the weights as they are now, quantised if `ints`; later changes of variables are not seen.
    pub fn new(bert: &Bert, ints: bool) -> Result<Self, ModelError> {
        Self::with_isa(bert, Isa::detect(), ints)
    }

    /// The same on a chosen instruction set, which the processor must have.
    pub fn with_isa(bert: &Bert, isa: Isa, ints: bool) -> Result<Self, ModelError> {
        let config = &bert.config;
        let isa = if Isa::available().contains(&isa) { isa } else { Isa::detect() };
        let eps = config.layer_norm_eps as f32;
        let form = IntForm::available(isa).first().copied().filter(|_| ints);
        let optional = |linear: &Option<Linear>| linear.as_ref().map(|l| pack(&[l], isa)).transpose();
        let e = &bert.embeddings;
        Ok(Self {
            isa,
            activation: config.activation,
            head_activation: config.head_activation,
            hidden: config.hidden,
            embedding: config.embedding,
            word: e.word.contiguous()?,
            position: numbers(&e.position)?,
            token_type: match &e.token_type {
                Some(table) => numbers(table)?,
                // One type that adds nothing: families without types give every token type 0.
                None => vec![0.0; config.embedding],
            },
            embed_norm: norm_weights(&e.norm, eps)?,
            project: optional(&e.project)?,
            layers: bert
                .layers
                .iter()
                .map(|l| FusedLayer::new(l, config, isa, form))
                .collect::<Result<_, _>>()?,
            pooler: optional(&bert.pooler)?,
            classifier: optional(&bert.classifier)?,
            labels: config.labels.len(),
        })
    }

    /// Logits or embedding of each row, in order. Rows must fit the position table and the vocabulary.
    pub fn forward(
        &self,
        rows: &[Row],
        head: &Head,
        scratch: &mut Scratch,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut spans = self.spans(rows)?;
        match &self.project {
            None => self.embed(rows, &mut scratch.x)?,
            Some(project) => {
                self.embed(rows, &mut scratch.inner)?;
                let total = scratch.inner.rows;
                scratch.x.reshape(total, self.hidden);
                project.apply(&scratch.inner, &mut scratch.x, (0, total));
            }
        }
        for (number, layer) in self.layers.iter().enumerate() {
            cancel.check()?;
            let last = number + 1 == self.layers.len();
            self.attention(layer, &mut spans, scratch, last && head.reads_first_only());
            cancel.check()?;
            self.feed(layer, scratch);
        }
        match head {
            Head::Embedding(pooling) => Ok(self.embeddings(&spans, pooling.mode, pooling.normalise, scratch)),
            Head::Classifier { .. } => self.logits(&spans, scratch),
        }
    }

    /// Where each sequence's rows lie in the packed batch.
    fn spans(&self, rows: &[Row]) -> Result<Vec<(usize, usize)>, ModelError> {
        let positions = self.position.len() / self.embedding.max(1);
        let mut spans = Vec::with_capacity(rows.len());
        let mut from = 0;
        for (ids, types) in rows {
            if ids.is_empty() || ids.len() > positions || types.len() != ids.len() {
                let what = format!("an input of {} tokens does not fit {positions} positions", ids.len());
                return Err(ModelError::new(ModelErrorKind::Internal, what));
            }
            spans.push((from, from + ids.len()));
            from += ids.len();
        }
        Ok(spans)
    }

    fn embed(&self, rows: &[Row], x: &mut Matrix) -> Result<(), ModelError> {
        let total = rows.iter().map(|(ids, _)| ids.len()).sum();
        let h = self.embedding;
        x.reshape(total, h);
        let tokens = rows.iter().flat_map(|(ids, types)| {
            ids.iter().zip(*types).enumerate().map(|(position, (&id, &kind))| (id, kind, position))
        });
        let table = |table: &'_ [f32], at: usize| -> Option<std::ops::Range<usize>> {
            table.get(at * h..(at + 1) * h).map(|_| at * h..(at + 1) * h)
        };
        let (storage, layout) = self.word.storage_and_layout();
        let Storage::Cpu(CpuStorage::F32(words)) = &*storage else {
            return Err(ModelError::new(
                ModelErrorKind::Internal,
                "the word embeddings are no floats on the CPU",
            ));
        };
        let words = words.get(layout.start_offset()..).unwrap_or_default();
        let mut other = Aligned::zeros(round_up(h, WIDTH));
        for (r, (id, kind, position)) in tokens.enumerate() {
            let (Some(w), Some(t), Some(p)) = (
                table(words, id as usize),
                table(&self.token_type, kind as usize),
                table(&self.position, position),
            ) else {
                let what = format!("token {id} of type {kind} is outside the embedding tables");
                return Err(ModelError::new(ModelErrorKind::Internal, what));
            };
            let row = x.row_mut(r);
            row[..h].copy_from_slice(&words[w]);
            row[h..].fill(0.0);
            for ((slot, a), b) in other.iter_mut().zip(&self.token_type[t]).zip(&self.position[p]) {
                *slot = a + b;
            }
            add_norm(self.isa, row, &other, &self.embed_norm);
        }
        Ok(())
    }

    /// The first half of a layer. If only each sequence's first token is wanted afterwards, only those ask,
    /// and they are all that is left: of a model's last layer that is three quarters of the work.
    fn attention(
        &self,
        layer: &FusedLayer,
        spans: &mut [(usize, usize)],
        s: &mut Scratch,
        firsts_only: bool,
    ) {
        let rows = s.x.rows;
        s.qkv.reshape(rows, 3 * layer.heads.width());
        s.context.reshape(rows, layer.heads.context_columns());
        for from in (0..rows).step_by(BLOCK_ROWS) {
            layer.qkv.apply(&s.x, &mut s.qkv, (from, rows.min(from + BLOCK_ROWS)), &mut s.ints);
        }
        for &(from, to) in spans.iter() {
            let queries = if firsts_only { 1 } else { to - from };
            let sequence = Sequence { from, to, queries };
            attend(self.isa, layer.heads, &s.qkv, &mut s.context, sequence, &mut s.room);
        }
        if firsts_only {
            for (number, span) in spans.iter_mut().enumerate() {
                s.x.move_row(span.0, number);
                s.context.move_row(span.0, number);
                *span = (number, number + 1);
            }
            (s.x.rows, s.context.rows) = (spans.len(), spans.len());
        }
        let rows = s.x.rows;
        s.out.reshape(rows, self.hidden);
        for from in (0..rows).step_by(BLOCK_ROWS) {
            let to = rows.min(from + BLOCK_ROWS);
            layer.attention_out.apply(&s.context, &mut s.out, (from, to), &mut s.ints);
            for r in from..to {
                add_norm(self.isa, s.x.row_mut(r), s.out.row(r), &layer.attention_norm);
            }
        }
    }

    /// The second half: the feed-forward block.
    fn feed(&self, layer: &FusedLayer, s: &mut Scratch) {
        let rows = s.x.rows;
        s.inner.reshape(rows, layer.intermediate.columns());
        let feed = if matches!(layer.output, Dense::Ints(_)) { FEED_ROWS_INTS } else { FEED_ROWS };
        for from in (0..rows).step_by(feed) {
            let to = rows.min(from + feed);
            layer.intermediate.apply(&s.x, &mut s.inner, (from, to), &mut s.ints);
            for r in from..to {
                self.activate(s.inner.row_mut(r));
            }
            layer.output.apply(&s.inner, &mut s.out, (from, to), &mut s.ints);
            for r in from..to {
                add_norm(self.isa, s.x.row_mut(r), s.out.row(r), &layer.output_norm);
            }
        }
    }

    fn activate(&self, row: &mut [f32]) {
        match self.activation {
            Activation::Gelu => gelu(self.isa, row),
            Activation::Relu => row.iter_mut().for_each(|v| *v = v.max(0.0)),
            Activation::GeluTanh => {
                let root = (2.0 / std::f32::consts::PI).sqrt();
                for v in row {
                    *v = 0.5 * *v * (1.0 + (root * *v * (1.0 + 0.044_715 * *v * *v)).tanh());
                }
            }
        }
    }
}

impl FusedLayer {
    fn new(layer: &Layer, config: &BertConfig, isa: Isa, form: Option<IntForm>) -> Result<Self, ModelError> {
        let (eps, size) = (config.layer_norm_eps as f32, config.head_dim());
        Ok(Self {
            heads: Heads { count: layer.query.weight.dim(0)? / size, size },
            qkv: Dense::new(&[&layer.query, &layer.key, &layer.value], isa, form)?,
            attention_out: Dense::new(&[&layer.attention_out], isa, form)?,
            attention_norm: norm_weights(&layer.attention_norm, eps)?,
            intermediate: Dense::new(&[&layer.intermediate], isa, form)?,
            output: Dense::new(&[&layer.output], isa, form)?,
            output_norm: norm_weights(&layer.output_norm, eps)?,
        })
    }
}

fn norm_weights(norm: &Norm, eps: f32) -> Result<NormWeights, ModelError> {
    Ok(NormWeights::new(&numbers(&norm.weight)?, &numbers(&norm.bias)?, eps))
}
