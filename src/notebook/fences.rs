//! Cuts a text into lines and fenced blocks, as CommonMark does where it matters for us. Finds
//! where blocks begin and end; what a block means is `document.rs`.

use std::ops::Range;

/// A stretch of the text. Ranges are bytes and cover the text without gap or overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Front(Range<usize>),
    Prose(Range<usize>),
    /// A closed fence that starts in the first column and whose info string was accepted.
    Fence {
        whole: Range<usize>,
        info: Range<usize>,
        body: Range<usize>,
    },
    /// A fence that nothing closes: the rest of the text.
    Open {
        whole: Range<usize>,
        info: Range<usize>,
    },
}

/// One line with its ending.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    fn content(&self) -> &'a str {
        self.text.trim_end_matches(['\n', '\r'])
    }
}

/// A fence's marks: which character, how many.
#[derive(Clone, Copy, PartialEq)]
struct Marks {
    mark: char,
    count: usize,
    indent: usize,
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|text| {
            let line = Line { start, text };
            start += text.len();
            line
        })
        .collect()
}

fn opening(line: &str) -> Option<(Marks, &str)> {
    let rest = line.trim_start_matches(' ');
    let indent = line.len() - rest.len();
    let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = rest.trim_start_matches(mark);
    let count = rest.len() - info.len();
    let inline_code = mark == '`' && info.contains('`');
    (indent <= 3 && count >= 3 && !inline_code).then_some((Marks { mark, count, indent }, info))
}

fn closes(line: &str, open: Marks) -> bool {
    opening(line).is_some_and(|(marks, info)| {
        marks.mark == open.mark && marks.count >= open.count && info.trim().is_empty()
    })
}

/// Cuts `text`; `is_cell` looks at a trimmed info string.
pub(super) fn cut(text: &str, is_cell: impl Fn(&str) -> bool) -> Vec<Piece> {
    let lines = lines(text);
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut prose_from = 0;
    if let Some(end) = front_matter_end(&lines) {
        at = end;
        prose_from = lines[end - 1].end();
        pieces.push(Piece::Front(0..prose_from));
    }
    while let Some(line) = lines.get(at).copied() {
        let Some((marks, info)) = opening(line.content()) else {
            at += 1;
            continue;
        };
        let cell = marks.indent == 0 && is_cell(info.trim());
        let info = info_range(line, info);
        let close = (at + 1..lines.len()).find(|i| closes(lines[*i].content(), marks));
        match close {
            Some(close) if cell => {
                push_prose(&mut pieces, prose_from..line.start);
                let whole = line.start..lines[close].end();
                pieces.push(Piece::Fence { info, body: line.end()..lines[close].start, whole });
                prose_from = lines[close].end();
                at = close + 1;
            }
            Some(close) => at = close + 1,
            None => {
                push_prose(&mut pieces, prose_from..line.start);
                pieces.push(Piece::Open { whole: line.start..text.len(), info });
                return pieces;
            }
        }
    }
    push_prose(&mut pieces, prose_from..text.len());
    pieces
}

fn push_prose(pieces: &mut Vec<Piece>, range: Range<usize>) {
    if !range.is_empty() {
        pieces.push(Piece::Prose(range));
    }
}

/// The info string without the blanks around it.
fn info_range(line: Line<'_>, info: &str) -> Range<usize> {
    let end = line.start + line.content().len() - (info.len() - info.trim_end().len());
    end - info.trim().len()..end
}

/// Index of the line after the front matter, if the text opens with one.
fn front_matter_end(lines: &[Line<'_>]) -> Option<usize> {
    let first = lines.first()?.content();
    if first.trim_start_matches('\u{feff}').trim_end() != "---" {
        return None;
    }
    // A fence cannot stand in it: a `---` inside a cell's body never ends front matter.
    let ends = |line: &str| matches!(line.trim_end(), "---" | "...");
    let stop = (1..lines.len()).find(|i| {
        let line = lines[*i].content();
        ends(line) || opening(line).is_some()
    })?;
    ends(lines[stop].content()).then_some(stop + 1)
}

/// What must be added to `prose` so that what follows it is not swallowed: the end of an open
/// fence, and a line break.
pub(super) fn closing(prose: &str, newline: &str) -> String {
    let mut add = String::new();
    if !prose.is_empty() && !prose.ends_with('\n') {
        add.push_str(newline);
    }
    let open = cut(prose, |_| false).into_iter().find_map(|piece| match piece {
        Piece::Open { whole, .. } => prose.get(whole).and_then(|text| opening(text.lines().next()?)),
        _ => None,
    });
    if let Some((marks, _)) = open {
        add.extend(std::iter::repeat_n(marks.mark, marks.count));
        add.push_str(newline);
    }
    add
}

/// Marks long enough to hold `body`, at least as long as `at_least`.
pub(super) fn marks_for(body: &str, mark: char, at_least: usize) -> String {
    let longest = body
        .lines()
        .filter_map(|line| opening(line.trim_end()))
        .filter(|(marks, info)| marks.mark == mark && info.trim().is_empty())
        .map(|(marks, _)| marks.count)
        .max()
        .unwrap_or(0);
    std::iter::repeat_n(mark, at_least.max(3).max(longest + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        cut(text, |info| info.starts_with("sql "))
            .into_iter()
            .map(|piece| match piece {
                Piece::Front(_) => "front".into(),
                Piece::Prose(_) => "prose".into(),
                Piece::Fence { info, .. } => text[info].to_string(),
                Piece::Open { .. } => "open".into(),
            })
            .collect()
    }

    #[test]
    fn fences_follow_commonmark() {
        assert_eq!(names("```sql a\nx\n```\n"), ["sql a"]);
        assert_eq!(names("~~~~sql a\n~~~\n```\n~~~~~\nrest"), ["sql a", "prose"]);
        assert_eq!(names("````md\n```sql a\n```\n````\n"), ["prose"]);
        assert_eq!(names("```sql a\nx"), ["open"]);
        assert_eq!(names("    ```sql a\n"), ["prose"]);
        assert_eq!(names("---\n```sql a\n---\n```\n"), ["prose", "sql a"]);
        assert_eq!(names("\u{feff}---\r\na: 1\r\n---\r\n```sql a\r\n```\r\n"), ["front", "sql a"]);
        assert_eq!(names("---\nno end\n"), ["prose"]);
        assert_eq!(names("```sql a `x`\n"), ["prose"]);
    }

    #[test]
    fn pieces_cover_the_text() {
        for text in ["", "a", "---\n---\n", "```sql a\n```", "x\n```sql a\n```\ny\n~~~"] {
            let mut at = 0;
            for piece in cut(text, |info| info.starts_with("sql ")) {
                let (Piece::Front(r)
                | Piece::Prose(r)
                | Piece::Fence { whole: r, .. }
                | Piece::Open { whole: r, .. }) = piece;
                assert_eq!(r.start, at, "{text:?}");
                at = r.end;
            }
            assert_eq!(at, text.len(), "{text:?}");
        }
    }
}
