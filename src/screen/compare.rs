//! Two texts line by line: what would go and what would come. Pure but for a bound on its time; who shows
//! it is not known here.

use std::time::{Duration, Instant};

use similar::{ChangeTag, TextDiff};

use super::app::{Comparison, DiffLine};

/// Beyond it the comparison is still right, but may call a line changed that only moved.
const PATIENCE: Duration = Duration::from_millis(500);
/// Unchanged lines shown around a change.
const AROUND: usize = 3;
/// Lines shown; more are counted.
const SHOWN: usize = 20_000;

/// The changes that make `to` of `from`, with some lines around each.
pub fn lines(from: &str, to: &str) -> Comparison {
    let diff = diff(from, to);
    let mut comparison = Comparison::default();
    let mut next = 0;
    let total = diff.old_slices().len();
    for group in diff.grouped_ops(AROUND) {
        let start = group.first().map_or(next, |op| op.old_range().start);
        push_gap(&mut comparison, start.saturating_sub(next));
        next = group.last().map_or(next, |op| op.old_range().end);
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mut text = change.value().trim_end_matches(['\n', '\r']).to_owned();
            if change.missing_newline() && change.tag() != ChangeTag::Equal {
                text += " (no line end)";
            }
            let line = match change.tag() {
                ChangeTag::Equal => DiffLine::Same(text),
                ChangeTag::Insert => DiffLine::Added(text),
                ChangeTag::Delete => DiffLine::Removed(text),
            };
            comparison.added += usize::from(change.tag() == ChangeTag::Insert);
            comparison.removed += usize::from(change.tag() == ChangeTag::Delete);
            if comparison.lines.len() < SHOWN {
                comparison.lines.push(line);
            } else {
                comparison.left_out += 1;
            }
        }
    }
    if !comparison.lines.is_empty() && comparison.left_out == 0 {
        push_gap(&mut comparison, total.saturating_sub(next));
    }
    comparison
}

/// Lines added and removed.
pub fn counts(from: &str, to: &str) -> (usize, usize) {
    let diff = diff(from, to);
    let ops = diff.ops().iter().filter(|op| op.tag() != similar::DiffTag::Equal);
    ops.fold((0, 0), |(added, removed), op| (added + op.new_range().len(), removed + op.old_range().len()))
}

fn diff<'a>(from: &'a str, to: &'a str) -> TextDiff<'a, 'a, 'a, str> {
    TextDiff::configure().deadline(Instant::now() + PATIENCE).diff_lines(from, to)
}

fn push_gap(comparison: &mut Comparison, unchanged: usize) {
    if unchanged > 0 {
        comparison.lines.push(DiffLine::Gap(unchanged));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_with_what_is_around_them() {
        let before: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
        let mut after = before.clone();
        after[10] = "跑鞋".into();
        after.insert(20, "new".into());
        let (from, to) = (before.join("\n") + "\n", after.join("\n") + "\n");
        let found = lines(&from, &to);
        assert_eq!((found.added, found.removed, found.left_out), (2, 1, 0));
        assert_eq!(counts(&from, &to), (2, 1));
        assert_eq!(found.lines[0], DiffLine::Gap(7));
        assert_eq!(found.lines[1], DiffLine::Same("line 7".into()));
        assert!(found.lines.contains(&DiffLine::Removed("line 10".into())));
        assert!(found.lines.contains(&DiffLine::Added("跑鞋".into())));
        assert_eq!(found.lines.last(), Some(&DiffLine::Gap(7)));
    }

    #[test]
    fn equal_texts_and_line_ends() {
        assert_eq!(lines("a\nb\n", "a\nb\n"), Comparison::default());
        let found = lines("a\nb\n", "a\nb");
        assert_eq!((found.added, found.removed), (1, 1));
        assert_eq!(found.lines.last(), Some(&DiffLine::Added("b (no line end)".into())));
        assert_eq!(counts("", "x\n"), (1, 0));
    }

    #[test]
    fn a_large_change_is_cut_and_counted() {
        let to: String = (0..30_000).map(|n| format!("{n}\n")).collect();
        let found = lines("", &to);
        assert_eq!((found.lines.len(), found.left_out, found.added), (20_000, 10_000, 30_000));
    }
}
