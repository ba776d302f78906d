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
    /// A closed fence that is no cell and was meant to be one: by its head, or because it is indented.
    Nearly {
        whole: Range<usize>,
        info: Range<usize>,
        indented: bool,
    },
    /// A fence that nothing closes: the rest of the text.
    Open {
        whole: Range<usize>,
        info: Range<usize>,
    },
}

/// What the caller makes of a trimmed info string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Cell,
    Meant,
    Other,
}

/// The text cut up.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub pieces: Vec<Piece>,
    pub swallowed: Vec<Swallowed>,
}

/// A line inside a fence that would begin a cell, had the fence been closed before it. Bytes in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Swallowed {
    pub at: usize,
    pub info: Range<usize>,
    /// Where the fence around it begins.
    pub by: usize,
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

/// A byte order mark is no part of the first line.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
    text[start..]
        .split_inclusive('\n')
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

/// Cuts `text`; `sort` looks at a trimmed info string.
pub(super) fn cut(text: &str, sort: impl Fn(&str) -> Sort) -> Cut {
    let lines = lines(text);
    let mut found = Cut::default();
    let pieces = &mut found.pieces;
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
        let sorted = sort(info.trim());
        let info = info_range(line, info);
        let close = (at + 1..lines.len()).find(|i| closes(lines[*i].content(), marks));
        let inside = &lines[at + 1..close.unwrap_or(lines.len())];
        swallowed(inside, marks, close.is_none(), &sort, |at, info| {
            found.swallowed.push(Swallowed { at, info, by: line.start });
        });
        let Some(close) = close else {
            push_prose(pieces, prose_from..line.start);
            pieces.push(Piece::Open { whole: line.start..text.len(), info });
            return found;
        };
        let whole = line.start..lines[close].end();
        let piece = match (sorted, marks.indent) {
            (Sort::Other, _) => None,
            (Sort::Cell, 0) => {
                Some(Piece::Fence { info, body: line.end()..lines[close].start, whole: whole.clone() })
            }
            (Sort::Cell | Sort::Meant, indent) => {
                Some(Piece::Nearly { whole: whole.clone(), info, indented: indent > 0 })
            }
        };
        if let Some(piece) = piece {
            push_prose(pieces, prose_from..line.start);
            pieces.push(piece);
            prose_from = whole.end;
        }
        at = close + 1;
    }
    push_prose(pieces, prose_from..text.len());
    found
}

/// Heads of cells among the lines inside a fence. A fence of longer or other marks shows them on purpose,
/// unless nothing closes it.
fn swallowed(
    inside: &[Line<'_>],
    by: Marks,
    open: bool,
    sort: &impl Fn(&str) -> Sort,
    mut found: impl FnMut(usize, Range<usize>),
) {
    for line in inside {
        let Some((marks, info)) = opening(line.content()) else { continue };
        let looks_alike = marks.mark == by.mark && marks.count >= by.count;
        if (open || looks_alike) && !info.trim().is_empty() && sort(info.trim()) == Sort::Cell {
            found(line.start, info_range(*line, info));
        }
    }
}

/// A fence inside prose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nested<'a> {
    /// Line in the prose, counted from 0.
    pub line: u32,
    pub info: &'a str,
    /// Neither in a list nor in a quote: its head is known to the caller of [`cut`].
    pub plain: bool,
    /// So far right that Markdown shows it as code.
    pub code: bool,
}

/// Every such fence of a piece of prose.
pub(super) fn nested(prose: &str) -> Vec<Nested<'_>> {
    let mut found = Vec::new();
    if !prose.contains("```") && !prose.contains("~~~") {
        return found;
    }
    // The fence that is open here, and whether it is a nested one; whether a list has begun.
    let (mut open, mut list): (Option<(Marks, bool)>, bool) = (None, false);
    for (line, text) in prose.lines().enumerate() {
        let (bare, container) = without_containers(text);
        let flush = bare.len() == text.len() && !text.trim().is_empty();
        if let Some((marks, inner)) = open {
            // A list or quote that has ended ends what is open in it.
            let ended = inner && flush && opening(text).is_none();
            if ended || closes(if inner { bare } else { text }, marks) {
                open = None;
            }
            list &= !ended;
            continue;
        }
        list = (list && !flush) || container.is_some_and(|container| container.list);
        if container.is_none()
            && let Some((marks, info)) = opening(text)
        {
            found.push(Nested { line: line as u32, info: info.trim(), plain: true, code: false });
            open = Some((marks, list && marks.indent > 0));
            continue;
        }
        if let Some((marks, info)) = opening(bare) {
            let code = container.is_none() && !list;
            found.push(Nested { line: line as u32, info: info.trim(), plain: false, code });
            open = Some((marks, true));
        }
    }
    found
}

#[derive(Clone, Copy)]
struct Container {
    list: bool,
}

/// A line without blanks, `>` and list marks before its text; which of them stood there.
fn without_containers(line: &str) -> (&str, Option<Container>) {
    let mut rest = line;
    let mut container = None;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mark = if digits == 0 { 0 } else { digits.min(9) };
        let (quote, list) = match rest.as_bytes().get(mark) {
            Some(b'>') if mark == 0 => (true, false),
            Some(b'-' | b'*' | b'+') if mark == 0 => (false, true),
            Some(b'.' | b')') if mark > 0 => (false, true),
            _ => (false, false),
        };
        let behind = rest.get(mark + 1..).unwrap_or_default();
        if !(quote || list && behind.starts_with([' ', '\t'])) {
            return (rest, container);
        }
        container = Some(Container { list: list || container.is_some_and(|c: Container| c.list) });
        rest = behind;
    }
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
    let open = cut(prose, |_| Sort::Other).pieces.into_iter().find_map(|piece| match piece {
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

    fn sort(info: &str) -> Sort {
        match info {
            _ if info.starts_with("sql ") => Sort::Cell,
            "slq" => Sort::Meant,
            _ => Sort::Other,
        }
    }

    fn names(text: &str) -> Vec<String> {
        cut(text, sort)
            .pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Front(_) => "front".into(),
                Piece::Prose(_) => "prose".into(),
                Piece::Fence { info, .. } => text[info].to_string(),
                Piece::Nearly { info, indented, .. } => format!("nearly {} {indented}", &text[info]),
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
        assert_eq!(names("\u{feff}```sql a\n```\n"), ["prose", "sql a"]);
    }

    #[test]
    fn what_is_nearly_a_cell_is_a_piece_of_its_own() {
        assert_eq!(names("a\n```slq\nx\n```\nb\n"), ["prose", "nearly slq false", "prose"]);
        assert_eq!(names("  ~~~ sql a\n  ~~~\n"), ["nearly sql a true"]);
    }

    #[test]
    fn cells_inside_a_fence_that_was_not_closed_are_found() {
        let found = |text: &str| {
            let swallowed = cut(text, sort).swallowed;
            swallowed.into_iter().map(|s| text[s.info].to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found("```text\nx\n```sql a\n```\n"), "sql a");
        assert_eq!(found("```sql a\nx\n```sql b\ny\n```\n"), "sql b");
        assert_eq!(found("~~~\n```sql a\n```\n"), "sql a");
        assert_eq!(found("~~~\n```sql a\n```\n~~~\n"), "");
        assert_eq!(found("````\n```sql a\n```\n````\n"), "");
    }

    #[test]
    fn fences_in_lists_and_quotes_are_found() {
        let found = |text: &str| {
            let told = |n: Nested<'_>| format!("{} {}{}", n.line, n.info, if n.code { " code" } else { "" });
            nested(text).into_iter().filter(|n| !n.plain).map(told).collect::<Vec<_>>().join("|")
        };
        assert_eq!(found("> ```sql a\n> ```\n"), "0 sql a");
        assert_eq!(found("- x\n\n      ```sql a\n      ```\n\n> - ~~~sql b\n"), "2 sql a|5 sql b");
        assert_eq!(
            found("10. ```sql a\n    x\n    ```\ntext\n    ```sql b\n    ```\n"),
            "0 sql a|4 sql b code"
        );
        assert_eq!(found("\t```sql a\n\t```\n"), "0 sql a code");
        assert_eq!(found("- a\n  ```text\n    ```sql a\n  ```\n> ```sql b\n"), "4 sql b");
        assert_eq!(found("```text\n> ```sql a\n```\n1) ```sql b"), "3 sql b");
        assert_eq!(found("- ```sql a\nout\n> ```sql b\n"), "0 sql a|2 sql b");
    }

    #[test]
    fn pieces_cover_the_text() {
        for text in [
            "",
            "\u{feff}",
            "\u{feff}```sql a\n```",
            "  ```slq\n```\n",
            "a",
            "---\n---\n",
            "```sql a\n```",
            "x\n```sql a\n```\ny\n~~~",
        ] {
            let mut at = 0;
            for piece in cut(text, sort).pieces {
                let (Piece::Front(r)
                | Piece::Prose(r)
                | Piece::Fence { whole: r, .. }
                | Piece::Nearly { whole: r, .. }
                | Piece::Open { whole: r, .. }) = piece;
                assert_eq!(r.start, at, "{text:?}");
                at = r.end;
            }
            assert_eq!(at, text.len(), "{text:?}");
        }
    }
}
