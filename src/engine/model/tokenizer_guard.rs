//! Looks a tokenizer.json over before the tokenizer library does. The library believes what the file
//! says: a declared size becomes an allocation (a `precompiled_charsmap` of 20 bytes reserves 8 GB),
//! a chain of replacements makes gigabytes of one short text, a template repeats it, a regular
//! expression is unrolled. An allocation that fails cannot be caught, so such a file must never
//! reach the library. What it holds outside its vocabulary is small in every sound file; that is
//! what is checked here. Panics and errors of the library are caught by the caller.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Larger than any tokenizer of the families we run (XLM-RoBERTa: 17 MB). Parsed, it takes some tens
/// of times as much memory.
pub const MAX_FILE_BYTES: usize = 32 << 20;
/// A rule's text: patterns, replacements, names of tokens.
const MAX_TEXT_BYTES: usize = 4096;
/// Steps of a sequence, pieces of a template.
const MAX_LIST: usize = 64;
const MAX_ADDED_TOKENS: usize = 100_000;
/// sentencepiece's own (nmt_nfkc) has 240 kB.
const MAX_CHARSMAP_BYTES: usize = 2 << 20;
/// How much longer all normalisers together may make a text. sentencepiece's longest entry has 33
/// bytes, a space becomes 3.
const MAX_GROWTH: f64 = 128.0;
/// Product of the counted repetitions of one regular expression.
const MAX_REPEATS: u64 = 1000;
/// WordPiece tries every end of a word from every start.
const MAX_WORD_CHARS: u64 = 1000;

/// The reason not to load the file, naming the part at fault.
pub fn check(file: &Map<String, Value>) -> Result<(), String> {
    for (part, value) in file {
        match part.as_str() {
            "added_tokens" => added_tokens(value)?,
            "model" => model(value)?,
            _ => small(part, value)?,
        }
    }
    let growth = file.get("normalizer").map_or(Ok(1.0), growth)?;
    if growth > MAX_GROWTH {
        return Err(format!("its normalizer could make a text {growth:.0} times as long"));
    }
    let template = |value: &Value| value.get("type").and_then(Value::as_str) == Some("TemplateProcessing");
    let mut templates = 0;
    walk(file.get("post_processor").unwrap_or(&Value::Null), &mut |value| {
        templates += usize::from(template(value))
    });
    if templates > 2 {
        return Err(format!(
            "its post_processor has {templates} templates, each of which may repeat the text"
        ));
    }
    Ok(())
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(list) => list.iter().for_each(|value| walk(value, visit)),
        Value::Object(map) => map.values().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

/// Short texts and short lists all the way down.
fn small(part: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) if text.len() > MAX_TEXT_BYTES => {
            Err(format!("\"{part}\" holds a text of {} bytes", text.len()))
        }
        Value::Array(list) if list.len() > MAX_LIST => {
            Err(format!("\"{part}\" holds a list of {} entries", list.len()))
        }
        Value::Object(map) if map.len() > MAX_LIST => Err(format!("\"{part}\" holds {} keys", map.len())),
        Value::Array(list) => list.iter().try_for_each(|value| small(part, value)),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| match (key.as_str(), value) {
            ("precompiled_charsmap", Value::String(text)) => charsmap(text).map(drop),
            ("Regex", Value::String(pattern)) => small(part, value).and_then(|()| regex(part, pattern)),
            _ => small(part, value),
        }),
        _ => Ok(()),
    }
}

fn added_tokens(value: &Value) -> Result<(), String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if list.len() > MAX_ADDED_TOKENS {
        return Err(format!("\"added_tokens\" holds a list of {} entries", list.len()));
    }
    list.iter().try_for_each(|token| small("added_tokens", token))
}

fn model(value: &Value) -> Result<(), String> {
    let Some(map) = value.as_object() else { return Ok(()) };
    for (key, value) in map {
        match key.as_str() {
            "vocab" | "merges" => {}
            "max_input_chars_per_word" if value.as_u64().is_none_or(|n| n > MAX_WORD_CHARS) => {
                return Err(format!(
                    "\"max_input_chars_per_word\" is {value}; at most {MAX_WORD_CHARS} is read"
                ));
            }
            _ => small(key, value)?,
        }
    }
    Ok(())
}

/// How many times as long a normaliser may make a text at worst.
fn growth(normalizer: &Value) -> Result<f64, String> {
    let text = |key: &str| normalizer.get(key).and_then(Value::as_str).unwrap_or("");
    match normalizer.get("type").and_then(Value::as_str) {
        Some("Sequence") => {
            let steps = normalizer.get("normalizers").and_then(Value::as_array);
            steps.into_iter().flatten().try_fold(1.0, |product, step| Ok(product * growth(step)?))
        }
        Some("Replace") => {
            let content = text("content").len() as f64;
            let pattern = normalizer.get("pattern").and_then(|p| p.get("String")).and_then(Value::as_str);
            Ok(match pattern {
                Some(pattern) if !pattern.is_empty() => (content / pattern.len() as f64).max(1.0),
                // It may match between any two characters.
                _ if content > 3.0 => 1.0 + content,
                _ => content.max(1.0),
            })
        }
        Some("Precompiled") => Ok(charsmap(text("precompiled_charsmap"))? as f64),
        _ => Ok(1.0),
    }
}

/// The longest replacement of sentencepiece's table (`[u32 bytes of the trie][trie][texts, each ended
/// by 0]`), whose declared size must be that of what is there.
fn charsmap(encoded: &str) -> Result<usize, String> {
    let wrong = |why: &str| format!("\"precompiled_charsmap\" {why}");
    if encoded.len() > MAX_CHARSMAP_BYTES {
        return Err(wrong(&format!("holds a text of {} bytes", encoded.len())));
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| wrong("is not base64"))?;
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| wrong("is cut off"))?;
    let size = u32::from_le_bytes(*size) as usize;
    let texts = rest
        .get(size..)
        .ok_or_else(|| wrong(&format!("declares a table of {size} bytes and has {}", rest.len())))?;
    Ok(texts.split(|byte| *byte == 0).map(<[u8]>::len).max().unwrap_or(0).max(1))
}

/// Counted repetitions are unrolled, nested ones multiply.
fn regex(part: &str, pattern: &str) -> Result<(), String> {
    let mut product = 1u64;
    for (at, _) in pattern.match_indices('{') {
        let inside = pattern.get(at + 1..).unwrap_or("").split('}').next().unwrap_or("");
        let most = inside.split(',').filter_map(|n| n.trim().parse::<u64>().ok()).max();
        // `\x{10FFFF}` and `\u{...}` name a character.
        let named =
            pattern.get(..at).is_some_and(|before| before.ends_with("\\x") || before.ends_with("\\u"));
        product = product.saturating_mul(most.filter(|_| !named).unwrap_or(1).max(1));
    }
    if product > MAX_REPEATS {
        return Err(format!("\"{part}\" holds a regular expression that repeats something {product} times"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(file: Value) -> String {
        check(file.as_object().unwrap()).unwrap_err()
    }

    fn charsmap_of(declared: u32, texts: &[u8]) -> Value {
        let bytes = [&declared.to_le_bytes()[..], &[0; 8], texts].concat();
        json!({"type": "Precompiled", "precompiled_charsmap": STANDARD.encode(bytes)})
    }

    #[test]
    fn a_declared_size_is_not_believed() {
        let message = refused(json!({"normalizer": charsmap_of(u32::MAX, b"a\0")}));
        assert!(message.contains("declares a table of 4294967295 bytes"), "{message}");
        assert!(check(json!({"normalizer": charsmap_of(8, b"abc\0d\0")}).as_object().unwrap()).is_ok());
        let long = vec![b'x'; 500];
        assert!(refused(json!({"normalizer": charsmap_of(8, &long)})).contains("500 times"));
    }

    #[test]
    fn texts_cannot_be_made_to_explode() {
        let laughs: Vec<Value> = (0..10)
            .map(|_| json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaa"}))
            .collect();
        let message = refused(json!({"normalizer": {"type": "Sequence", "normalizers": laughs}}));
        assert!(message.contains("10000000000 times"), "{message}");
        let between = json!({"type": "Replace", "pattern": {"Regex": "x*"}, "content": "y".repeat(200)});
        assert!(refused(json!({"normalizer": between})).contains("201 times"));
        let pieces: Vec<Value> = (0..70).map(|_| json!({"Sequence": {"id": "A", "type_id": 0}})).collect();
        let template = json!({"type": "TemplateProcessing", "single": pieces});
        assert!(refused(json!({"post_processor": template})).contains("70 entries"));
        let nested: Vec<Value> =
            (0..3).map(|_| json!({"type": "TemplateProcessing", "single": []})).collect();
        assert!(refused(json!({"post_processor": {"processors": nested}})).contains("3 templates"));
    }

    #[test]
    fn patterns_and_words_have_a_limit() {
        let split =
            |pattern: &str| json!({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}}});
        assert!(refused(split("(?:(?=a)b{100}){100}")).contains("10000 times"));
        assert!(refused(split(&"a|".repeat(3000))).contains("6000 bytes"));
        for sound in [r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)", r"[\x{4E00}-\x{9FFF}]+", " {2,}"] {
            assert!(check(split(sound).as_object().unwrap()).is_ok(), "{sound}");
        }
        let words = json!({"model": {"type": "WordPiece", "max_input_chars_per_word": 4_000_000}});
        assert!(refused(words).contains("max_input_chars_per_word"));
        let affix = json!({"model": {"type": "BPE", "continuing_subword_prefix": "#".repeat(1 << 20)}});
        assert!(refused(affix).contains("continuing_subword_prefix"));
    }
}
