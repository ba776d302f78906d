//! Where the keys of the front matter stand: the YAML reader gives values without their places.

use std::cell::Cell;

/// Keys that may be written in ways that are not found: each costs a look at the rest of the block.
const MOST_MISSED: usize = 20;

/// The block in which keys are looked for.
pub(super) struct Keys<'a> {
    block: &'a str,
    /// Keys that were not found as they were looked for.
    missed: Cell<usize>,
}

/// Where a key stands in the block.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    at: usize,
    /// Counted from 1.
    pub line: u32,
}

impl<'a> Keys<'a> {
    pub fn new(block: &'a str) -> Self {
        Self { block, missed: Cell::new(0) }
    }

    /// Behind the first line.
    pub fn first(&self) -> Spot {
        Spot { at: self.block.find('\n').map_or(0, |at| at + 1), line: 2 }
    }

    /// Where `key:` stands at or behind `from`. Keys are looked for in the order in which they are
    /// written, so that all of them together are one look at the block.
    pub fn spot(&self, key: &str, from: Spot) -> Spot {
        if key.is_empty() || self.missed.get() >= MOST_MISSED {
            return from;
        }
        let mut at = from.at;
        while let Some(start) = self.block.get(at..).and_then(|rest| rest.find(key)).map(|i| at + i) {
            let before = self.block[..start].chars().next_back();
            let after = self.block[start + key.len()..].trim_start_matches(['"', '\'', ' ']);
            if after.starts_with(':') && before.is_none_or(|c| " {,\"'\n".contains(c)) {
                let lines = self.block[from.at..start].bytes().filter(|b| *b == b'\n').count();
                return Spot { at: start, line: from.line + lines as u32 };
            }
            at = start + key.len();
        }
        self.missed.set(self.missed.get() + 1);
        from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_their_order() {
        let keys = Keys::new("---\na: {bb: 1, b: 2}\n\"c\": x\nb: 3\n---\n");
        let mut here = keys.first();
        let mut lines = Vec::new();
        for key in ["a", "b", "c", "b", "missing", "b"] {
            here = keys.spot(key, here);
            lines.push(here.line);
        }
        assert_eq!(lines, [2, 2, 3, 4, 4, 4]);
    }
}
