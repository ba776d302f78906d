//! What inputs gave, remembered within a fixed number of bytes, so that the repetitive rows of a real
//! log cost a look-up. Pure: no model, no clock.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Logits of an input, or the embedding of a text.
pub(super) type Output = Arc<[f32]>;

/// 128 bits of an input's texts: equal texts, equal keys.
pub(super) type Key = u128;

/// Bytes that an entry takes besides its numbers: key, pointers, share of the table.
const ENTRY_BYTES: usize = 96;

pub(super) fn key(query: &str, text: Option<&str>) -> Key {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, query, text).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(1) << 64) | half(2)
}

/// About the most recently used entries: when the young half is full it becomes the old half, and what
/// nobody asked for since goes. Every step takes constant time.
pub(super) struct Memory {
    young: HashMap<Key, Output>,
    old: HashMap<Key, Output>,
    young_bytes: usize,
    limit: usize,
    dropped: bool,
}

impl Memory {
    /// Holds at most about `limit` bytes; 0 remembers nothing.
    pub fn new(limit: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), young_bytes: 0, limit, dropped: false }
    }

    pub fn get(&mut self, key: Key) -> Option<Output> {
        if let Some(found) = self.young.get(&key) {
            return Some(Arc::clone(found));
        }
        let found = self.old.remove(&key)?;
        self.put(key, Arc::clone(&found));
        Some(found)
    }

    pub fn put(&mut self, key: Key, output: Output) {
        let bytes = ENTRY_BYTES + std::mem::size_of_val::<[f32]>(&output);
        if self.young_bytes + bytes > self.limit / 2 {
            self.dropped |= !self.old.is_empty() || bytes > self.limit / 2;
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if bytes <= self.limit / 2 && self.young.insert(key, output).is_none() {
            self.young_bytes += bytes;
        }
    }

    /// Nothing has been forgotten yet, so nothing has been computed twice.
    pub fn is_whole(&self) -> bool {
        !self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(value: f32) -> Output {
        Arc::from([value])
    }

    #[test]
    fn keys_tell_texts_and_sides_apart() {
        let keys =
            [key("a", None), key("a", Some("")), key("", Some("a")), key("ab", None), key("a", Some("b"))];
        let different: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(key("跑鞋", Some("男")), key("跑鞋", Some("男")));
    }

    #[test]
    fn what_is_used_stays_and_the_bytes_are_bounded() {
        let entry = ENTRY_BYTES + 4;
        let mut memory = Memory::new(20 * entry);
        for i in 0..1000u32 {
            memory.put(Key::from(i), output(i as f32));
            assert_eq!(memory.get(0).as_deref(), Some(&[0.0f32][..]), "asked for all the time");
            assert!(memory.young.len() + memory.old.len() <= 20);
        }
        assert!(memory.get(500).is_none() && memory.get(999).is_some());
        assert!(!memory.is_whole());
    }

    #[test]
    fn a_memory_of_nothing_remembers_nothing() {
        let mut memory = Memory::new(0);
        memory.put(1, output(1.0));
        assert!(memory.get(1).is_none());
        assert!(!memory.is_whole());
        assert!(Memory::new(1 << 20).is_whole());
    }
}
