//! Which tokenizer classes of transformers are computed here, and what their settings beside
//! tokenizer.json change, as transformers 4 and 5 apply them. Reading files is `tokenizer_file.rs`.

use serde_json::{Map, Value};

use super::config::BertConfig;
use super::error::{ModelError, ModelErrorKind};
use super::family::Vocabulary;

/// Classes that split texts by Python code of their own (MeCab, jieba, rules for tweets): their tokens
/// cannot be made from any file.
const PYTHON: [&str; 9] = [
    "BertJapaneseTokenizer",
    "BertweetTokenizer",
    "CanineTokenizer",
    "CpmTokenizer",
    "FlaubertTokenizer",
    "PhobertTokenizer",
    "RoFormerTokenizer",
    "TapasTokenizer",
    "XLMTokenizer",
];
/// BERT's tokenizer under the names of its relatives.
const BERT: [&str; 8] = [
    "BertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "ConvBertTokenizer",
    "DPRQuestionEncoderTokenizer",
    "DPRContextEncoderTokenizer",
    "MobileBertTokenizer",
    "SqueezeBertTokenizer",
];
/// Byte-level BPE with RoBERTa's special tokens.
const ROBERTA: [&str; 3] = ["RobertaTokenizer", "LongformerTokenizer", "BartTokenizer"];

/// How the folder's tokenizer is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// BERT's: its settings decide, whatever tokenizer.json says.
    Bert,
    /// As tokenizer.json is.
    AsItIs,
}

impl Class {
    /// From tokenizer_config.json, else config.json; refused where the tokens cannot be made. `whole`:
    /// there is a tokenizer.json.
    pub fn of(settings: &Value, config: &BertConfig, whole: bool) -> Result<Self, ModelError> {
        let named = settings.get("tokenizer_class").and_then(Value::as_str);
        let named = named.or_else(|| config.text("tokenizer_class"));
        let plain = named.map(|name| name.strip_suffix("Fast").unwrap_or(name));
        let words =
            settings.get("word_tokenizer_type").and_then(Value::as_str).filter(|kind| *kind != "basic");
        if let Some(kind) = words {
            return Err(refused(named.unwrap_or("a tokenizer"), &format!(" (words by {kind})")));
        }
        let vocabulary = config.family.vocabulary;
        match plain {
            Some(name) if PYTHON.contains(&name) => Err(refused(named.unwrap_or(name), "")),
            Some(name) if BERT.contains(&name) => basic(settings, name),
            None if vocabulary == Vocabulary::WordPiece => basic(settings, "BertTokenizer"),
            _ if whole => Ok(Self::AsItIs),
            Some(name) if vocabulary != Vocabulary::ByteBpe || !ROBERTA.contains(&name) => {
                Err(refused(name, " without a tokenizer.json"))
            }
            _ => Ok(Self::AsItIs),
        }
    }

    /// Sets in tokenizer.json's normaliser what the class sets: transformers' defaults hold where
    /// tokenizer_config.json says nothing. Normalisers of another kind are left as they are.
    pub fn normalise(self, file: &mut Map<String, Value>, settings: &Value) {
        let Some(normalizer) = file.get_mut("normalizer").and_then(Value::as_object_mut) else { return };
        let bert = normalizer.get("type").and_then(Value::as_str) == Some("BertNormalizer");
        if self == Self::Bert && bert {
            let flags = Flags::of(settings);
            normalizer.insert("lowercase".into(), flags.lowercase.into());
            normalizer.insert("handle_chinese_chars".into(), flags.chinese.into());
            normalizer.insert("strip_accents".into(), flags.accents.into());
        }
    }
}

/// BERT's settings, with the defaults of its class.
pub(super) struct Flags {
    pub lowercase: bool,
    pub chinese: bool,
    /// `None`: where texts are lower-cased.
    pub accents: Option<bool>,
}

impl Flags {
    pub fn of(settings: &Value) -> Self {
        let flag = |key: &str| settings.get(key).and_then(Value::as_bool);
        Self {
            lowercase: flag("do_lower_case").unwrap_or(true),
            chinese: flag("tokenize_chinese_chars").unwrap_or(true),
            accents: flag("strip_accents"),
        }
    }
}

fn basic(settings: &Value, name: &str) -> Result<Class, ModelError> {
    match settings.get("do_basic_tokenize").and_then(Value::as_bool) {
        Some(false) => Err(refused(name, " with do_basic_tokenize false")),
        _ => Ok(Class::Bert),
    }
}

fn refused(name: &str, how: &str) -> ModelError {
    let what = format!("the folder's tokenizer is {name}{how}, whose tokens cannot be made here");
    ModelError::new(ModelErrorKind::Unsupported, what).hint(
        "other tokens would give wrong scores without a word; take a model with a tokenizer.json of its own, or score \
         in Python and read the scores as a column",
    )
}
