//! Text to token ids, as the reference does it. Padding is off (batches pad themselves), cutting is
//! longest-first. Which file a tokenizer comes from is `tokenizer_file.rs`.

use std::path::Path;

use serde_json::Value;
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use super::config::BertConfig;
use super::error::{ModelError, ModelErrorKind};
use super::family::Network;
use super::folder::read_json;
use super::tokenizer_file::{TokenizerFile, open, special};

/// Longer texts are cut here before tokenising, so that one row cannot stall a job. No model we run
/// reads further: this is far beyond any position table.
const MAX_TEXT_BYTES: usize = 1 << 18;

/// candle's networks hold every head's whole matrix of attention at once; longer inputs are read only
/// where the user asks.
const MAX_FOREIGN_TOKENS: usize = 2048;

/// One tokenised input: special tokens included, no padding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
    /// [CLS] and [SEP] (or `<s>`, `</s>`) that the template added, and a prefix's tokens.
    pub special: Vec<bool>,
    /// 0 query (or the only text), 1 title, per token; special tokens take their neighbour's side.
    pub sides: Vec<u8>,
    /// Byte range in that side's text, per token; (0, 0) for special tokens.
    pub offsets: Vec<(usize, usize)>,
    /// The token's own text ("##ing").
    pub tokens: Vec<String>,
    /// Which word of its side the tokenizer split it from, per token; `None` for special tokens.
    pub words: Vec<Option<u32>>,
    /// The text was longer than the model's limit.
    pub truncated: bool,
}

/// Ids only: what scoring needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ids {
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
    pub truncated: bool,
}

/// A model's tokenizer.
pub struct Tokens {
    tokenizer: Tokenizer,
    max_tokens: usize,
    pad_id: u32,
    mask_id: Option<u32>,
    /// Token types reach the model; else they are all 0.
    types: bool,
}

impl Tokens {
    /// Loads the folder's tokenizer and checks it against the model's sizes. `max_tokens` over the
    /// folder's own limit, never over the model's positions.
    pub fn load(dir: &Path, config: &BertConfig, max_tokens: Option<usize>) -> Result<Self, ModelError> {
        let TokenizerFile { mut tokenizer, file, settings } = open(dir, config)?;
        let highest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0);
        if highest as usize >= config.vocab_size {
            let what = format!("its ids reach {highest}, config.json's vocab_size is {}", config.vocab_size);
            return Err(ModelError::damaged(&file, what)
                .hint("tokenizer and weights are of different models: fetch both from the same place"));
        }
        let limit = limit(dir, &settings, config)?;
        let max_tokens = max_tokens.map_or(limit, |asked| asked.clamp(4, config.max_positions));
        let truncation = TruncationParams { max_length: max_tokens, ..Default::default() };
        tokenizer.with_padding(None);
        tokenizer.with_truncation(Some(truncation)).map_err(|e| ModelError::damaged(&file, e))?;
        let id = |role: &str, usual: &[&str]| {
            let names = special(&settings, role).into_iter().chain(usual.iter().copied());
            names.into_iter().find_map(|name| tokenizer.token_to_id(name))
        };
        let tokens = Self {
            max_tokens,
            pad_id: id("pad_token", &["[PAD]", "<pad>"]).unwrap_or(config.pad_id),
            mask_id: id("mask_token", &["[MASK]", "<mask>"]),
            types: config.family.token_types && config.type_vocab > 0 && takes_types(&settings),
            tokenizer,
        };
        tokens.try_out(&file, config)?;
        Ok(tokens)
    }

    /// The template's own ids must be in the vocabulary too, and a pair's types in their table.
    fn try_out(&self, file: &Path, config: &BertConfig) -> Result<(), ModelError> {
        let alone = self.ids("a", None)?;
        let pair = self.ids("a", Some("b"))?;
        let ids = || alone.ids.iter().chain(&pair.ids);
        let wrong = |what: String| Err(ModelError::damaged(file, what));
        if let Some(id) = ids().find(|id| **id as usize >= config.vocab_size) {
            return wrong(format!(
                "its template adds id {id}, config.json's vocab_size is {}",
                config.vocab_size
            ));
        }
        if alone.ids.is_empty() || pair.ids.len() > self.max_tokens {
            return wrong(format!(
                "it makes {} tokens of \"a\" and {} of a pair",
                alone.ids.len(),
                pair.ids.len()
            ));
        }
        if self.types
            && let Some(kind) =
                alone.type_ids.iter().chain(&pair.type_ids).find(|t| **t as usize >= config.type_vocab)
        {
            let known = config.type_vocab;
            return wrong(format!("it gives token type {kind}, config.json's type_vocab_size is {known}"));
        }
        Ok(())
    }

    /// Longest input in tokens, specials included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    pub fn mask_id(&self) -> Option<u32> {
        self.mask_id
    }

    /// A text, or a pair as the family joins them: `[CLS] query [SEP] text [SEP]` with token types 0 and
    /// 1, or `<s> query </s></s> text </s>`; cut to the limit from the longer side first.
    pub fn encode(&self, query: &str, text: Option<&str>) -> Result<Encoded, ModelError> {
        let encoding = self.encoding(query, text)?;
        let truncated =
            !encoding.get_overflowing().is_empty() || cut(query).1 || text.is_some_and(|t| cut(t).1);
        let n = encoding.len();
        let mut sides: Vec<u8> = Vec::with_capacity(n);
        for i in 0..n {
            let side = encoding.token_to_sequence(i).map(|s| s as u8);
            sides.push(side.unwrap_or_else(|| sides.last().copied().unwrap_or(0)));
        }
        Ok(Encoded {
            ids: encoding.get_ids().to_vec(),
            type_ids: self.type_ids(&encoding),
            special: encoding.get_special_tokens_mask().iter().map(|&s| s == 1).collect(),
            sides,
            offsets: encoding.get_offsets().to_vec(),
            tokens: encoding.get_tokens().to_vec(),
            words: encoding.get_word_ids().to_vec(),
            truncated,
        })
    }

    /// [`Tokens::encode`] without what only explanations need.
    pub fn ids(&self, query: &str, text: Option<&str>) -> Result<Ids, ModelError> {
        let encoding = self.encoding(query, text)?;
        let truncated =
            !encoding.get_overflowing().is_empty() || cut(query).1 || text.is_some_and(|t| cut(t).1);
        Ok(Ids { ids: encoding.get_ids().to_vec(), type_ids: self.type_ids(&encoding), truncated })
    }

    fn type_ids(&self, encoding: &Encoding) -> Vec<u32> {
        if self.types { encoding.get_type_ids().to_vec() } else { vec![0; encoding.len()] }
    }

    fn encoding(&self, query: &str, text: Option<&str>) -> Result<Encoding, ModelError> {
        let query = cut(query).0;
        let encode = || match text {
            Some(text) => self.tokenizer.encode((query, cut(text).0), true),
            None => self.tokenizer.encode(query, true),
        };
        let failed = |why: String| {
            ModelError::new(ModelErrorKind::Damaged, format!("tokenising failed: {why}"))
                .hint("the model's tokenizer file is damaged: fetch the folder again")
        };
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(encode)) {
            Ok(encoded) => encoded.map_err(|e| failed(e.to_string())),
            Err(_) => Err(failed("the tokenizer library gave up on a text".into())),
        }
    }
}

/// The text's first [`MAX_TEXT_BYTES`], on a character boundary, and whether something was cut.
fn cut(text: &str) -> (&str, bool) {
    if text.len() <= MAX_TEXT_BYTES {
        return (text, false);
    }
    let end = (0..=MAX_TEXT_BYTES).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    (text.get(..end).unwrap_or(""), true)
}

/// Whether the tokenizer hands token types on: `model_input_names` may leave them out, and then all are 0.
fn takes_types(settings: &Value) -> bool {
    let names = settings.get("model_input_names").and_then(Value::as_array);
    names.is_none_or(|names| names.iter().any(|name| name.as_str() == Some("token_type_ids")))
}

/// The longest input the folder intends: sentence-transformers' limit, else the tokenizer's, never
/// more than there are positions.
fn limit(dir: &Path, settings: &Value, config: &BertConfig) -> Result<usize, ModelError> {
    let sentences = read_json(&dir.join("sentence_bert_config.json"))?;
    let asked = sentences.as_ref().and_then(|file| file.get("max_seq_length")).and_then(Value::as_u64);
    // Hugging Face writes 1e30 for "no limit".
    let asked = asked.or_else(|| settings.get("model_max_length").and_then(Value::as_u64));
    let most = match config.network() {
        Network::Bert => config.max_positions,
        _ => config.max_positions.min(MAX_FOREIGN_TOKENS),
    };
    let limit = asked.and_then(|l| usize::try_from(l).ok()).unwrap_or(most);
    Ok(limit.clamp(4, most))
}
