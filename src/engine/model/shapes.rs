//! The one list of which tensors a model has and of what shapes, per network, under the names that
//! [`super::params::Params`] uses. No tensor is read here.

use super::config::{Architecture, BertConfig};
use super::family::Network;

/// A tensor's name and shape.
pub type Shape = (String, Vec<usize>);

/// Every tensor that a model of these figures needs. `pooler` says whether the encoder's own pooler
/// is part of it (a classifier's always is).
pub fn expected(config: &BertConfig, pooler: bool) -> Vec<Shape> {
    let mut list = List(Vec::new());
    match config.network() {
        Network::Bert => bert(config, pooler, &mut list),
        Network::ModernBert => modern_bert(config, &mut list),
        Network::DebertaV2 => deberta(config, &mut list),
    }
    list.0
}

struct List(Vec<Shape>);

impl List {
    fn add(&mut self, name: impl Into<String>, shape: &[usize]) {
        self.0.push((name.into(), shape.to_vec()));
    }

    fn linear(&mut self, name: &str, out: usize, inner: usize) {
        self.add(format!("{name}.weight"), &[out, inner]);
        self.add(format!("{name}.bias"), &[out]);
    }

    fn norm(&mut self, name: &str, width: usize) {
        self.add(format!("{name}.LayerNorm.weight"), &[width]);
        self.add(format!("{name}.LayerNorm.bias"), &[width]);
    }

    /// What follows self-attention is the same in BERT and DeBERTa.
    fn feed_forward(&mut self, layer: &str, (context, hidden): (usize, usize), intermediate: usize) {
        self.linear(&format!("{layer}.attention.output.dense"), hidden, context);
        self.norm(&format!("{layer}.attention.output"), hidden);
        self.linear(&format!("{layer}.intermediate.dense"), intermediate, hidden);
        self.linear(&format!("{layer}.output.dense"), hidden, intermediate);
        self.norm(&format!("{layer}.output"), hidden);
    }

    fn head(&mut self, config: &BertConfig, hidden: usize) {
        self.linear("pooler.dense", hidden, hidden);
        self.linear("classifier", config.labels.len(), hidden);
    }
}

fn bert(config: &BertConfig, pooler: bool, list: &mut List) {
    let (h, e) = (config.hidden, config.embedding);
    list.add("embeddings.word_embeddings.weight", &[config.vocab_size, e]);
    let rows = config.first_position + config.max_positions;
    list.add("embeddings.position_embeddings.weight", &[rows, e]);
    if config.type_vocab > 0 {
        list.add("embeddings.token_type_embeddings.weight", &[config.type_vocab, e]);
    }
    list.norm("embeddings", e);
    if e != h {
        list.linear("embeddings.project", h, e);
    }
    for n in 0..config.layers {
        let layer = format!("encoder.layer.{n}");
        let context = config.heads_in(n) * config.head_dim();
        for part in ["query", "key", "value"] {
            list.linear(&format!("{layer}.attention.self.{part}"), context, h);
        }
        list.feed_forward(&layer, (context, h), config.intermediate);
    }
    match config.architecture {
        Architecture::SequenceClassification => list.head(config, h),
        Architecture::Encoder if pooler => list.linear("pooler.dense", h, h),
        Architecture::Encoder => {}
    }
}

/// Only the variant without biases, which is the only one that candle computes.
fn modern_bert(config: &BertConfig, list: &mut List) {
    let (h, i) = (config.hidden, config.intermediate);
    list.add("embeddings.tok_embeddings.weight", &[config.vocab_size, h]);
    list.add("embeddings.norm.weight", &[h]);
    for n in 0..config.layers {
        let layer = format!("layers.{n}");
        if n > 0 {
            list.add(format!("{layer}.attn_norm.weight"), &[h]);
        }
        list.add(format!("{layer}.attn.Wqkv.weight"), &[3 * h, h]);
        list.add(format!("{layer}.attn.Wo.weight"), &[h, h]);
        list.add(format!("{layer}.mlp_norm.weight"), &[h]);
        list.add(format!("{layer}.mlp.Wi.weight"), &[2 * i, h]);
        list.add(format!("{layer}.mlp.Wo.weight"), &[h, i]);
    }
    list.add("final_norm.weight", &[h]);
    if config.architecture == Architecture::SequenceClassification {
        list.add("pooler.dense.weight", &[h, h]);
        if config.flag("classifier_bias", false) {
            list.add("pooler.dense.bias", &[h]);
        }
        list.add("pooler.norm.weight", &[h]);
        list.linear("classifier", config.labels.len(), h);
    }
}

fn deberta(config: &BertConfig, list: &mut List) {
    let h = config.hidden;
    list.add("embeddings.word_embeddings.weight", &[config.vocab_size, h]);
    if config.flag("position_biased_input", true) {
        list.add("embeddings.position_embeddings.weight", &[config.max_positions, h]);
    }
    if config.type_vocab > 0 {
        list.add("embeddings.token_type_embeddings.weight", &[config.type_vocab, h]);
    }
    list.norm("embeddings", h);
    let relative = super::deberta::Relative::of(config);
    if let Some(relative) = &relative {
        list.add("encoder.rel_embeddings.weight", &[2 * relative.span, h]);
        if relative.normed {
            list.norm("encoder", h);
        }
    }
    for n in 0..config.layers {
        let layer = format!("encoder.layer.{n}");
        let own = ["query_proj", "key_proj", "value_proj"];
        let of_positions = relative.iter().flat_map(super::deberta::Relative::projections);
        for part in own.into_iter().chain(of_positions) {
            list.linear(&format!("{layer}.attention.self.{part}"), h, h);
        }
        list.feed_forward(&layer, (h, h), config.intermediate);
    }
    if config.architecture == Architecture::SequenceClassification {
        list.head(config, h);
    }
}
