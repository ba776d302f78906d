//! What an entry and a shelf are found by: hashes of everything that decides a score. Pure.

use sha2::{Digest, Sha256};

/// Raised when scoring computes something else for the same model and text: older shelves are then
/// left alone until they are evicted.
const GENERATION: &str = "recscope scores 1";

/// The first 128 bits of SHA-256 over an input's text or texts. Two inputs among a billion share one
/// with probability 1e-21, and nobody can make two that do in less than 2^64 attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 16]);

impl Key {
    /// Of one text, or of a pair in this order. Lengths are hashed too, so that ("a", "bc") is not
    /// ("ab", "c").
    pub fn of(first: &str, second: Option<&str>) -> Self {
        let mut hash = Sha256::new();
        hash.update((first.len() as u64).to_le_bytes());
        hash.update(first.as_bytes());
        if let Some(second) = second {
            hash.update([1]);
            hash.update(second.as_bytes());
        }
        Self(truncated(hash))
    }

    /// 28 bits for the index.
    pub(super) fn short(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_le_bytes([a, b, c, d]) >> 4
    }
}

fn truncated(hash: Sha256) -> [u8; 16] {
    let mut short = [0; 16];
    short.iter_mut().zip(hash.finalize()).for_each(|(slot, byte)| *slot = byte);
    short
}

/// Everything beside the text that decides a score. Entries of two that differ never mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfId {
    /// [`ModelInfo::hash`](crate::engine::model::ModelInfo::hash).
    pub model_hash: String,
    /// The folder's name: for people, decides nothing.
    pub model_name: String,
    /// How it is computed: number type, device, kernels, e.g. `f32 cpu fused 2 avx512`.
    pub arithmetic: String,
    /// How texts become the model's input, e.g. `pair`, `text`, `side`; with prefixes where there are any.
    pub template: String,
    pub max_tokens: usize,
    /// Numbers per entry: logits, or the embedding's length.
    pub width: usize,
}

impl ShelfId {
    /// The shelf's folder name: 32 hex digits.
    pub fn folder(&self) -> String {
        let mut hash = Sha256::new();
        for part in [GENERATION, &self.model_hash, &self.arithmetic, &self.template] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.update((self.max_tokens as u64).to_le_bytes());
        hash.update((self.width as u64).to_le_bytes());
        truncated(hash).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_apart_what_concatenation_would_not() {
        let keys = [
            Key::of("ab", None),
            Key::of("ab", Some("")),
            Key::of("a", Some("b")),
            Key::of("", Some("ab")),
            Key::of("b", Some("a")),
            Key::of("跑鞋", None),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
        }
        assert_eq!(Key::of("a", Some("b")), Key::of("a", Some("b")));
        assert!(Key::of("a", None).short() < 1 << 28);
    }

    #[test]
    fn everything_but_the_name_makes_another_shelf() {
        let id = ShelfId {
            model_hash: "aa".into(),
            model_name: "m".into(),
            arithmetic: "f32 cpu".into(),
            template: "pair".into(),
            max_tokens: 64,
            width: 1,
        };
        let with = |change: fn(&mut ShelfId)| {
            let mut other = id.clone();
            change(&mut other);
            other.folder()
        };
        assert_eq!(with(|id| id.model_name = "n".into()), id.folder());
        let others = [
            with(|id| id.model_hash = "ab".into()),
            with(|id| id.arithmetic = "int8 cpu".into()),
            with(|id| id.template = "text".into()),
            with(|id| id.max_tokens = 65),
            with(|id| id.width = 2),
        ];
        for (at, other) in others.iter().enumerate() {
            assert!(*other != id.folder() && !others[..at].contains(other), "{at}");
        }
        assert!(id.folder().len() == 32 && id.folder().bytes().all(|b| b.is_ascii_hexdigit()));
    }
}
