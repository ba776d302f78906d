//! A folder's tokenizer: `tokenizer.json`, or the older files of the family. Damaged files are errors
//! even where the library would panic or take all memory. Encoding is `tokens.rs`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokenizers::models::bpe::BPE;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{AddedToken, Tokenizer};

use super::config::BertConfig;
use super::error::{ModelError, ModelErrorKind};
use super::family::{Family, Vocabulary};
use super::folder::{read_json, read_small};
use super::tokenizer_class::{Class, Flags};
use super::tokenizer_guard::{MAX_FILE_BYTES, check};

/// Every file beside the weights that a tokenizer is read from.
pub(super) const FILES: [&str; 8] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentence_bert_config.json",
];

/// A tokenizer, the file it came from, and the folder's `tokenizer_config.json`.
pub(super) struct TokenizerFile {
    pub tokenizer: Tokenizer,
    pub file: PathBuf,
    pub settings: Value,
}

/// Reads `tokenizer.json`, else the family's older files.
pub(super) fn open(dir: &Path, config: &BertConfig) -> Result<TokenizerFile, ModelError> {
    let family = config.family;
    let settings = read_json(&dir.join("tokenizer_config.json"))?.unwrap_or_default();
    let at = |name: &str| dir.join(name);
    let class = Class::of(&settings, config, at("tokenizer.json").is_file())
        .map_err(|e| ModelError { message: format!("{}: {}", dir.display(), e.message), ..e })?;
    let (file, tokenizer) = if at("tokenizer.json").is_file() {
        let file = at("tokenizer.json");
        let bytes = vetted(&file, class, &settings)?;
        let tokenizer = guard(&file, || Tokenizer::from_bytes(&bytes))?;
        (file, tokenizer)
    } else if family.vocabulary == Vocabulary::WordPiece && at("vocab.txt").is_file() {
        let file = at("vocab.txt");
        let bytes = read_small(&file)?;
        let tokenizer = guard(&file, || from_vocab(&bytes, &settings))?;
        (file, tokenizer)
    } else if family.vocabulary == Vocabulary::ByteBpe
        && at("vocab.json").is_file()
        && at("merges.txt").is_file()
    {
        let file = at("vocab.json");
        // Read by the library itself; only their size is ours to check.
        read_small(&file)?;
        read_small(&at("merges.txt"))?;
        let tokenizer = guard(&file, || from_merges(&file, &at("merges.txt"), &settings))?;
        (file, tokenizer)
    } else {
        return Err(missing(dir, family));
    };
    Ok(TokenizerFile { tokenizer, file, settings })
}

fn missing(dir: &Path, family: &Family) -> ModelError {
    let older = match family.vocabulary {
        Vocabulary::WordPiece => "neither tokenizer.json nor vocab.txt",
        Vocabulary::ByteBpe => "neither tokenizer.json nor vocab.json with merges.txt",
        Vocabulary::Converted => "no tokenizer.json",
    };
    let what = format!("{} has no tokenizer: {older}", dir.display());
    ModelError::new(ModelErrorKind::Missing, what).hint(
        "copy tokenizer.json (or vocab.txt) from where the weights came from into the folder; a sentencepiece \
         model is converted by: python -c \"from transformers import AutoTokenizer as T; \
         T.from_pretrained('FOLDER').save_pretrained('FOLDER')\"",
    )
}

/// `tokenizer.json`, looked over, without its own padding and cutting (which are ours) and without its
/// decoder (which nothing needs), normalised as its class asks.
fn vetted(file: &Path, class: Class, settings: &Value) -> Result<Vec<u8>, ModelError> {
    let bytes = read_small(file)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ModelError::damaged(file, format!("larger than {} MB", MAX_FILE_BYTES >> 20)));
    }
    let mut map: serde_json::Map<String, Value> =
        serde_json::from_slice(&bytes).map_err(|e| ModelError::damaged(file, e))?;
    drop(bytes);
    for part in ["padding", "truncation", "decoder"] {
        map.insert(part.into(), Value::Null);
    }
    class.normalise(&mut map, settings);
    check(&map).map_err(|why| {
        ModelError::new(ModelErrorKind::Damaged, format!("{}: {why}", file.display()))
            .hint("it is damaged, or made to use up memory: fetch it from a place that you trust")
    })?;
    serde_json::to_vec(&map).map_err(|e| ModelError::damaged(file, e))
}

/// Runs a parser of untrusted files: its error or panic becomes a sentence.
fn guard<T>(file: &Path, parse: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, ModelError> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(parse)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(ModelError::damaged(file, error)),
        Err(_) => Err(ModelError::damaged(file, "the tokenizer library gave up on it")),
    }
}

/// A token is written as a string or as an object with `content`.
fn token_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content").and_then(Value::as_str))
}

/// A special token's text by its role (`pad_token`), as the folder has it.
pub(super) fn special<'a>(settings: &'a Value, role: &str) -> Option<&'a str> {
    settings.get(role).and_then(token_text)
}

/// BERT's own tokenizer over a vocabulary of one token per line.
pub(super) fn from_vocab(bytes: &[u8], settings: &Value) -> tokenizers::Result<Tokenizer> {
    let vocab = WordPiece::read_bytes(bytes)?;
    let name = |role: &str, default: &str| special(settings, role).unwrap_or(default).to_string();
    let [pad, mask] = [name("pad_token", "[PAD]"), name("mask_token", "[MASK]")];
    let [cls, sep] = [name("cls_token", "[CLS]"), name("sep_token", "[SEP]")];
    let unk = name("unk_token", "[UNK]");
    let id = |name: &str| -> tokenizers::Result<u32> {
        vocab.get(name).copied().ok_or_else(|| format!("the vocabulary has no {name}").into())
    };
    id(&unk)?;
    let (cls_id, sep_id) = (id(&cls)?, id(&sep)?);
    let names = [&pad, &unk, &cls, &sep, &mask].map(String::clone);
    let known: Vec<AddedToken> =
        names.iter().filter(|n| vocab.contains_key(*n)).map(|n| AddedToken::from(n.clone(), true)).collect();
    let model = WordPiece::builder().vocab(vocab).unk_token(unk).build()?;
    let Flags { lowercase, chinese, accents } = Flags::of(settings);
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_normalizer(Some(BertNormalizer::new(true, chinese, accents, lowercase)))?;
    tokenizer.with_pre_tokenizer(Some(BertPreTokenizer));
    tokenizer.with_post_processor(Some(BertProcessing::new((sep, sep_id), (cls, cls_id))));
    tokenizer.add_special_tokens(known)?;
    Ok(tokenizer)
}

/// RoBERTa's own tokenizer: byte-level BPE.
fn from_merges(vocab: &Path, merges: &Path, settings: &Value) -> tokenizers::Result<Tokenizer> {
    let (Some(vocab), Some(merges)) = (vocab.to_str(), merges.to_str()) else {
        return Err("the folder's name is not UTF-8".into());
    };
    let model = BPE::from_file(vocab, merges).build()?;
    let spaced = settings.get("add_prefix_space").and_then(Value::as_bool).unwrap_or(false);
    let name = |role: &str, default: &str| special(settings, role).unwrap_or(default).to_string();
    let mut tokenizer = Tokenizer::new(model);
    let id = |tokenizer: &Tokenizer, name: &str| -> tokenizers::Result<u32> {
        tokenizer.token_to_id(name).ok_or_else(|| format!("the vocabulary has no {name}").into())
    };
    let (cls, sep) = (name("cls_token", "<s>"), name("sep_token", "</s>"));
    let (cls_id, sep_id) = (id(&tokenizer, &cls)?, id(&tokenizer, &sep)?);
    let pre = ByteLevel::default().add_prefix_space(spaced).trim_offsets(true);
    tokenizer.with_pre_tokenizer(Some(pre));
    let post = RobertaProcessing::new((sep.clone(), sep_id), (cls.clone(), cls_id));
    tokenizer.with_post_processor(Some(post.trim_offsets(true).add_prefix_space(spaced)));
    let plain = [cls, sep, name("pad_token", "<pad>"), name("unk_token", "<unk>")];
    let mut known: Vec<AddedToken> = plain.into_iter().map(|name| AddedToken::from(name, true)).collect();
    // Takes the space before it along, as RoBERTa was trained.
    known.push(AddedToken::from(name("mask_token", "<mask>"), true).lstrip(true));
    known.retain(|token| tokenizer.token_to_id(&token.content).is_some());
    tokenizer.add_special_tokens(known)?;
    Ok(tokenizer)
}
