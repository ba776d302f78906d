//! Undo and redo of a text: what each change took away and put there, not the texts before it. Five
//! hundred changes of a megabyte cost what was typed, not half a gigabyte.

/// Changes kept.
const CHANGES: usize = 500;
/// Bytes kept in changes: one that replaces everything costs twice the text. The last change is always kept.
const BYTES: usize = 64 << 20;

/// At byte `at`, `old` became `new`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    at: usize,
    old: String,
    new: String,
}

#[derive(Debug, Clone, Default)]
pub struct History {
    undo: Vec<Change>,
    redo: Vec<Change>,
}

impl History {
    /// Remembers that `old` became `new`.
    pub fn push(&mut self, old: &str, new: &str) {
        self.undo.push(Change::between(old, new));
        self.redo.clear();
        let mut bytes: usize = self.undo.iter().map(Change::bytes).sum();
        let surplus = self.undo.len().saturating_sub(CHANGES);
        let mut gone = 0;
        while gone + 1 < self.undo.len() && (gone < surplus || bytes > BYTES) {
            bytes -= self.undo.get(gone).map_or(0, Change::bytes);
            gone += 1;
        }
        self.undo.drain(..gone);
    }

    /// The text before the last change of `text`.
    pub fn undo(&mut self, text: &str) -> Option<String> {
        let change = self.undo.pop()?;
        let before = replaced(text, change.at, &change.new, &change.old);
        self.redo.push(change);
        before
    }

    /// The text that was undone last.
    pub fn redo(&mut self, text: &str) -> Option<String> {
        let change = self.redo.pop()?;
        let after = replaced(text, change.at, &change.old, &change.new);
        self.undo.push(change);
        after
    }
}

impl Change {
    fn between(old: &str, new: &str) -> Self {
        let mut from = common(old.as_bytes(), new.as_bytes(), false);
        while !(old.is_char_boundary(from) && new.is_char_boundary(from)) {
            from -= 1;
        }
        let (old_rest, new_rest) = (&old[from..], &new[from..]);
        let mut tail = common(old_rest.as_bytes(), new_rest.as_bytes(), true);
        while !(old_rest.is_char_boundary(old_rest.len() - tail)
            && new_rest.is_char_boundary(new_rest.len() - tail))
        {
            tail -= 1;
        }
        let middle = |rest: &str| rest[..rest.len() - tail].to_owned();
        Self { at: from, old: middle(old_rest), new: middle(new_rest) }
    }

    fn bytes(&self) -> usize {
        self.old.len() + self.new.len()
    }
}

/// `text` with `was` at a byte replaced; `None` where it is not there.
fn replaced(text: &str, at: usize, was: &str, by: &str) -> Option<String> {
    let (head, rest) = text.split_at_checked(at)?;
    let tail = rest.strip_prefix(was)?;
    Some([head, by, tail].concat())
}

/// How many bytes both begin (or end) with. Blocks first: equal ones are compared as fast as memory is read.
fn common(a: &[u8], b: &[u8], from_end: bool) -> usize {
    const BLOCK: usize = 4096;
    let most = a.len().min(b.len());
    let part = |at: usize, length: usize| {
        let start = |bytes: &[u8]| if from_end { bytes.len() - at - length } else { at };
        (&a[start(a)..start(a) + length], &b[start(b)..start(b) + length])
    };
    let same = |(x, y): (&[u8], &[u8])| x == y;
    let mut at = 0;
    while at + BLOCK <= most && same(part(at, BLOCK)) {
        at += BLOCK;
    }
    let (x, y) = part(at, (most - at).min(BLOCK));
    let equal = |(x, y): &(&u8, &u8)| x == y;
    at + match from_end {
        false => x.iter().zip(y).take_while(equal).count(),
        true => x.iter().rev().zip(y.iter().rev()).take_while(equal).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_go_back_and_forth() {
        let long = "跑鞋 ".repeat(4000);
        let texts = ["", "a", "跑", "趟", "跑鞋", &long, &format!("{long}x"), &format!("y{long}x"), "b"];
        let mut history = History::default();
        for pair in texts.windows(2) {
            history.push(pair[0], pair[1]);
        }
        let mut text = texts[8].to_owned();
        for before in texts.iter().rev().skip(1) {
            text = history.undo(&text).unwrap();
            assert!(text == **before);
        }
        assert!(history.undo(&text).is_none());
        for after in &texts[1..] {
            text = history.redo(&text).unwrap();
            assert!(text == **after);
        }
        assert!(history.redo(&text).is_none());
    }

    #[test]
    fn what_is_kept_is_what_was_changed() {
        let mut history = History::default();
        let mut text = "x".repeat(1 << 20);
        for _ in 0..600 {
            let next = format!("{text}y");
            history.push(&text, &next);
            text = next;
        }
        assert_eq!(history.undo.len(), CHANGES);
        assert_eq!(history.undo.iter().map(Change::bytes).sum::<usize>(), CHANGES);
        let huge = "z".repeat(BYTES);
        history.push(&text, &huge);
        assert_eq!(history.undo.len(), 1, "the last change is kept, whatever it costs");
    }
}
