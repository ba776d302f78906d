//! Text to token ids, as the reference does it: `tokenizer.json`, or `vocab.txt` with BERT's rules.
//! Padding is off (batches pad themselves), cutting is longest-first.

use std::path::Path;

use serde_json::Value;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, Encoding, Tokenizer, TruncationParams};

use super::config::BertConfig;
use super::error::{ModelError, ModelErrorKind};
use super::load::read_small;

/// Longer texts are cut here before tokenising, so that one row cannot stall a job. No model we run
/// reads further: this is far beyond any position table.
const MAX_TEXT_BYTES: usize = 1 << 18;

/// One tokenised input: special tokens included, no padding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
    /// [CLS] and [SEP] that the template added.
    pub special: Vec<bool>,
    /// 0 query (or the only text), 1 title, per token; special tokens take their neighbour's side.
    pub sides: Vec<u8>,
    /// Byte range in that side's text, per token; (0, 0) for special tokens.
    pub offsets: Vec<(usize, usize)>,
    /// The token's own text ("##ing").
    pub tokens: Vec<String>,
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
}

impl Tokens {
    /// Loads `tokenizer.json`, else `vocab.txt`. A damaged tokenizer file is an error even where the
    /// library would panic.
    pub fn load(dir: &Path, config: &BertConfig, max_tokens: Option<usize>) -> Result<Self, ModelError> {
        let settings = settings(dir)?;
        let (file, vocab) = (dir.join("tokenizer.json"), dir.join("vocab.txt"));
        let mut tokenizer = if file.is_file() {
            let bytes = without_padding(&read_small(&file)?).map_err(|e| ModelError::damaged(&file, e))?;
            guard(&file, || Tokenizer::from_bytes(&bytes))?
        } else if vocab.is_file() {
            let bytes = read_small(&vocab)?;
            guard(&vocab, || from_vocab(&bytes, &settings))?
        } else {
            return Err(ModelError::new(
                ModelErrorKind::Missing,
                format!("{} has no tokenizer: neither tokenizer.json nor vocab.txt", dir.display()),
            )
            .hint("copy tokenizer.json (or vocab.txt) from where the weights came from into the folder"));
        };
        let file = if file.is_file() { file } else { vocab };
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
        let name =
            |key: &str, default: &str| settings.get(key).and_then(token_text).unwrap_or(default).to_string();
        Ok(Self {
            max_tokens,
            pad_id: tokenizer.token_to_id(&name("pad_token", "[PAD]")).unwrap_or(config.pad_id),
            mask_id: tokenizer.token_to_id(&name("mask_token", "[MASK]")),
            tokenizer,
        })
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

    /// A text, or a pair as `[CLS] query [SEP] text [SEP]` with token types 0 and 1; cut to the limit
    /// from the longer side first.
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
            type_ids: encoding.get_type_ids().to_vec(),
            special: encoding.get_special_tokens_mask().iter().map(|&s| s == 1).collect(),
            sides,
            offsets: encoding.get_offsets().to_vec(),
            tokens: encoding.get_tokens().to_vec(),
            truncated,
        })
    }

    /// [`Tokens::encode`] without what only explanations need.
    pub fn ids(&self, query: &str, text: Option<&str>) -> Result<Ids, ModelError> {
        let encoding = self.encoding(query, text)?;
        let truncated =
            !encoding.get_overflowing().is_empty() || cut(query).1 || text.is_some_and(|t| cut(t).1);
        Ok(Ids { ids: encoding.get_ids().to_vec(), type_ids: encoding.get_type_ids().to_vec(), truncated })
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

/// Runs a parser of untrusted files: its error or panic becomes a sentence.
fn guard<T>(file: &Path, parse: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, ModelError> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(parse)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(ModelError::damaged(file, error)),
        Err(_) => Err(ModelError::damaged(file, "the tokenizer library gave up on it")),
    }
}

/// The file without its own padding and cutting, which are ours: the sizes in there are not looked at.
fn without_padding(bytes: &[u8]) -> serde_json::Result<Vec<u8>> {
    let mut file: serde_json::Map<String, Value> = serde_json::from_slice(bytes)?;
    file.insert("padding".into(), Value::Null);
    file.insert("truncation".into(), Value::Null);
    serde_json::to_vec(&file)
}

/// `tokenizer_config.json`, or an empty object.
fn settings(dir: &Path) -> Result<Value, ModelError> {
    let file = dir.join("tokenizer_config.json");
    if !file.is_file() {
        return Ok(Value::Object(Default::default()));
    }
    serde_json::from_slice(&read_small(&file)?).map_err(|e| ModelError::damaged(&file, e))
}

/// A token is written as a string or as an object with `content`.
fn token_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content").and_then(Value::as_str))
}

/// The longest input the folder intends: sentence-transformers' limit, else the tokenizer's, never
/// more than there are positions.
fn limit(dir: &Path, settings: &Value, config: &BertConfig) -> Result<usize, ModelError> {
    let file = dir.join("sentence_bert_config.json");
    let mut limit = None;
    if file.is_file() {
        let parsed: Value =
            serde_json::from_slice(&read_small(&file)?).map_err(|e| ModelError::damaged(&file, e))?;
        limit = parsed.get("max_seq_length").and_then(Value::as_u64);
    }
    // Hugging Face writes 1e30 for "no limit".
    let limit = limit.or_else(|| settings.get("model_max_length").and_then(Value::as_u64));
    let limit = limit.and_then(|l| usize::try_from(l).ok()).unwrap_or(config.max_positions);
    Ok(limit.clamp(4, config.max_positions))
}

/// BERT's own tokenizer over a vocabulary of one token per line.
pub(super) fn from_vocab(bytes: &[u8], settings: &Value) -> tokenizers::Result<Tokenizer> {
    let vocab = WordPiece::read_bytes(bytes)?;
    let flag = |key: &str| settings.get(key).and_then(Value::as_bool);
    let special = |key: &str, default: &str| -> String {
        settings.get(key).and_then(token_text).unwrap_or(default).to_string()
    };
    let [pad, mask] = [special("pad_token", "[PAD]"), special("mask_token", "[MASK]")];
    let [cls, sep] = [special("cls_token", "[CLS]"), special("sep_token", "[SEP]")];
    let unk = special("unk_token", "[UNK]");
    let id = |name: &str| -> tokenizers::Result<u32> {
        vocab.get(name).copied().ok_or_else(|| format!("the vocabulary has no {name}").into())
    };
    id(&unk)?;
    let (cls_id, sep_id) = (id(&cls)?, id(&sep)?);
    let names = [&pad, &unk, &cls, &sep, &mask].map(String::clone);
    let known: Vec<AddedToken> =
        names.iter().filter(|n| vocab.contains_key(*n)).map(|n| AddedToken::from(n.clone(), true)).collect();
    let model = WordPiece::builder().vocab(vocab).unk_token(unk).build()?;
    let lowercase = flag("do_lower_case").unwrap_or(true);
    let chinese = flag("tokenize_chinese_chars").unwrap_or(true);
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(BertNormalizer::new(true, chinese, flag("strip_accents"), lowercase)))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_post_processor(Some(BertProcessing::new((sep, sep_id), (cls, cls_id))));
    tokenizer.add_special_tokens(known)?;
    Ok(tokenizer)
}
