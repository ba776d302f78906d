//! A small WordPiece vocabulary made from a corpus, for models trained from nothing: Chinese
//! characters and words by frequency, and single letters so that hardly anything is unknown. Writes
//! the start folder that [`super::train`] takes. No weights here.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use crate::engine::model::new_folder::cannot;
use crate::engine::model::tokenizer_file::from_vocab;
use crate::engine::model::{ModelError, ModelErrorKind};

const SPECIALS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// How large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VocabularyOptions {
    /// At most this many Chinese characters.
    pub characters: usize,
    /// At most this many words (and punctuation marks).
    pub words: usize,
    /// Rarer ones are left out.
    pub min_count: u64,
}

impl Default for VocabularyOptions {
    fn default() -> Self {
        Self { characters: 2000, words: 4000, min_count: 2 }
    }
}

/// Token texts in id order: specials, characters, words, then letters, digits and marks as `x` and
/// `##x`. Texts are lower-cased and stripped of accents, as BERT's uncased tokenizer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    tokens: Vec<String>,
}

/// Sizes of a BERT to be trained from nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    pub hidden: usize,
    pub layers: usize,
    /// Must divide `hidden`.
    pub heads: usize,
    pub intermediate: usize,
    pub max_positions: usize,
    pub initializer_range: f64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            hidden: 128,
            layers: 2,
            heads: 2,
            intermediate: 512,
            max_positions: 128,
            initializer_range: 0.02,
        }
    }
}

impl Vocabulary {
    /// Counts the corpus. The same texts give the same vocabulary, in whatever order they come.
    pub fn build<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        options: &VocabularyOptions,
    ) -> Result<Self, ModelError> {
        let (mut characters, mut words) = (HashMap::new(), HashMap::new());
        for text in texts {
            for word in split(text)? {
                let mut letters = word.chars();
                let single = letters.next().is_some_and(is_chinese) && letters.next().is_none();
                *if single { &mut characters } else { &mut words }.entry(word).or_insert(0u64) += 1;
            }
        }
        let mut tokens: Vec<String> = SPECIALS.map(String::from).to_vec();
        tokens.extend(most_frequent(characters, options.characters, options.min_count));
        tokens.extend(most_frequent(words, options.words, options.min_count));
        let ascii = || (0x21u8..0x7f).map(char::from).filter(|c| !c.is_ascii_uppercase());
        tokens.extend(ascii().map(String::from));
        tokens.extend(ascii().filter(char::is_ascii_alphanumeric).map(|c| format!("##{c}")));
        let mut seen = std::collections::HashSet::new();
        tokens.retain(|token| seen.insert(token.clone()));
        Ok(Self { tokens })
    }

    /// In id order.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Writes `tokenizer.json`, `vocab.txt` and `tokenizer_config.json`, as BertTokenizer reads them.
    pub fn write(&self, dir: &Path, max_tokens: usize) -> Result<(), ModelError> {
        fs::create_dir_all(dir).map_err(|e| cannot("create", dir, &e))?;
        let vocab = self.tokens.join("\n") + "\n";
        let settings = json!({
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": true,
            "tokenize_chinese_chars": true,
            "strip_accents": null,
            "model_max_length": max_tokens,
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        });
        let tokenizer = from_vocab(vocab.as_bytes(), &settings).map_err(internal)?;
        let text = tokenizer.to_string(true).map_err(internal)?;
        put(dir, "vocab.txt", &vocab)?;
        put(dir, "tokenizer.json", &(text + "\n"))?;
        put(dir, "tokenizer_config.json", &format!("{settings:#}\n"))
    }

    /// Writes the tokenizer and a `config.json` of these sizes: a folder to start training from.
    pub fn write_start(&self, dir: &Path, sizes: &Sizes) -> Result<(), ModelError> {
        self.write(dir, sizes.max_positions)?;
        put(dir, "config.json", &format!("{:#}\n", self.config(sizes)))
    }

    fn config(&self, sizes: &Sizes) -> Value {
        json!({
            "architectures": ["BertForSequenceClassification"],
            "model_type": "bert",
            "vocab_size": self.tokens.len(),
            "hidden_size": sizes.hidden,
            "num_hidden_layers": sizes.layers,
            "num_attention_heads": sizes.heads,
            "intermediate_size": sizes.intermediate,
            "max_position_embeddings": sizes.max_positions,
            "type_vocab_size": 2,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "initializer_range": sizes.initializer_range,
            "layer_norm_eps": 1e-12,
            "pad_token_id": 0,
            "position_embedding_type": "absolute",
        })
    }
}

/// Words as BERT's tokenizer sees them before it looks for pieces.
fn split(text: &str) -> Result<Vec<String>, ModelError> {
    let mut normal = NormalizedString::from(text);
    BertNormalizer::default().normalize(&mut normal).map_err(internal)?;
    let mut parts = PreTokenizedString::from(normal);
    BertPreTokenizer.pre_tokenize(&mut parts).map_err(internal)?;
    let splits = parts.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(splits.into_iter().map(|(word, ..)| word.to_owned()).filter(|w| !w.is_empty()).collect())
}

/// By falling count, then by text.
fn most_frequent(counts: HashMap<String, u64>, limit: usize, min_count: u64) -> impl Iterator<Item = String> {
    let mut list: Vec<(String, u64)> = counts.into_iter().filter(|(_, n)| *n >= min_count).collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list.truncate(limit);
    list.into_iter().map(|(token, _)| token)
}

/// The main block of ideographs and its first extension: what a small corpus has.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF)
}

fn put(dir: &Path, name: &str, text: &str) -> Result<(), ModelError> {
    let file = dir.join(name);
    fs::write(&file, text).map_err(|e| cannot("write", &file, &e))
}

fn internal(error: tokenizers::Error) -> ModelError {
    ModelError::new(
        ModelErrorKind::Internal,
        format!("the tokenizer library refused the vocabulary: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::model::{BertConfig, Tokens};

    const CORPUS: [&str; 4] = ["跑鞋 男 Running shoes", "跑步机 running", "男鞋, Café", "xyzzy 靴"];

    fn small() -> Vocabulary {
        Vocabulary::build(CORPUS, &VocabularyOptions { characters: 3, words: 3, min_count: 1 }).unwrap()
    }

    #[test]
    fn frequent_first_and_the_same_in_any_order() {
        let vocabulary = small();
        assert_eq!(vocabulary.tokens()[..5], SPECIALS);
        // Each twice; code point order between equals.
        assert_eq!(vocabulary.tokens()[5..8], ["男", "跑", "鞋"]);
        assert_eq!(vocabulary.tokens()[8..11], ["running", ",", "cafe"]);
        let mut reversed = CORPUS;
        reversed.reverse();
        let options = VocabularyOptions { characters: 3, words: 3, min_count: 1 };
        assert_eq!(Vocabulary::build(reversed, &options).unwrap(), vocabulary);
    }

    #[test]
    fn the_written_folder_tokenises_both_languages() {
        let dir = tempfile::tempdir().unwrap();
        small().write_start(dir.path(), &Sizes { hidden: 8, ..Sizes::default() }).unwrap();
        let config = BertConfig::read(&dir.path().join("config.json")).unwrap();
        let tokens = |dir: &Path| {
            let tokens = Tokens::load(dir, &config, None).unwrap();
            tokens.encode("跑鞋 RUNNING", Some("Café xyz靴")).unwrap().tokens
        };
        let expected = ["[CLS]", "跑", "鞋", "running", "[SEP]", "cafe", "x", "##y", "##z", "[UNK]", "[SEP]"];
        assert_eq!(tokens(dir.path()), expected);
        // vocab.txt alone gives the same.
        fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
        assert_eq!(tokens(dir.path()), expected);
    }

    #[test]
    fn no_texts_still_give_a_usable_vocabulary() {
        let vocabulary = Vocabulary::build([], &VocabularyOptions::default()).unwrap();
        assert!(vocabulary.tokens().len() > 90);
        assert!(vocabulary.tokens().contains(&"##z".to_string()));
    }
}
