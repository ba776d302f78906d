//! One entry as bytes: the numbers, what tokenising found out, and a checksum that also covers the
//! key, so that a value never answers for another text. Pure.

use super::key::Key;

/// Bytes of a key.
pub const KEY_BYTES: usize = 16;
/// Set in an entry's token count when the input was cut.
const TRUNCATED: u32 = 1 << 31;

/// What is kept of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Class logits, or the embedding.
    pub output: Vec<f32>,
    /// Tokens that it took, special ones included.
    pub tokens: u32,
    /// The input was longer than the model reads.
    pub truncated: bool,
}

impl Entry {
    /// Values that are no numbers are not kept: they may come from a device or memory that failed
    /// for a moment, and a model that gives nothing else gains nothing from being remembered.
    pub fn is_worth_keeping(&self) -> bool {
        self.output.iter().all(|value| value.is_finite())
    }
}

/// Bytes of a value of `width` numbers: they, the token count, the checksum.
pub fn value_bytes(width: usize) -> usize {
    4 * width + 8
}

/// Appends the value's bytes.
pub fn encode(key: Key, entry: &Entry, out: &mut Vec<u8>) {
    let from = out.len();
    out.extend(entry.output.iter().flat_map(|value| value.to_le_bytes()));
    let tokens = (entry.tokens & !TRUNCATED) | if entry.truncated { TRUNCATED } else { 0 };
    out.extend(tokens.to_le_bytes());
    let sum = checksum(key, out.get(from..).unwrap_or_default());
    out.extend(sum.to_le_bytes());
}

/// `None`: the bytes are damaged, or belong to another key.
pub fn decode(key: Key, bytes: &[u8]) -> Option<Entry> {
    let (body, sum) = bytes.split_last_chunk::<4>()?;
    if checksum(key, body) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (numbers, tokens) = body.split_last_chunk::<4>()?;
    let tokens = u32::from_le_bytes(*tokens);
    let (numbers, _) = numbers.as_chunks::<4>();
    let output = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    Some(Entry { output, tokens: tokens & !TRUNCATED, truncated: tokens & TRUNCATED != 0 })
}

/// CRC-32 finds every flip of up to three bits in a value of any length here, and misses other damage
/// once in 4 billion.
fn checksum(key: Key, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&key.0);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_bit_for_bit_and_no_flipped_bit_passes() {
        let key = Key::of("跑鞋", Some("boots"));
        for truncated in [false, true] {
            let entry = Entry { output: vec![1.5, -0.0, f32::MIN_POSITIVE / 3.0], tokens: 7, truncated };
            let mut bytes = Vec::new();
            encode(key, &entry, &mut bytes);
            assert_eq!(bytes.len(), value_bytes(3));
            let back = decode(key, &bytes).unwrap();
            assert_eq!(back, entry);
            assert_eq!(back.output[1].to_bits(), (-0.0f32).to_bits());
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(decode(key, &flipped), None, "bit {bit}");
            }
            assert_eq!(decode(Key::of("boots", Some("跑鞋")), &bytes), None);
            assert_eq!(decode(key, &vec![0; bytes.len()]), None, "a hole in the file is not an entry");
        }
    }

    #[test]
    fn only_numbers_are_worth_keeping() {
        let entry = |output: &[f32]| Entry { output: output.to_vec(), tokens: 1, truncated: false };
        assert!(entry(&[0.0, 1.0]).is_worth_keeping());
        assert!(!entry(&[0.0, f32::NAN]).is_worth_keeping());
        assert!(!entry(&[f32::NEG_INFINITY]).is_worth_keeping());
    }
}
