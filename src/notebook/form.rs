//! Faults of the outer form: fences that were meant to be cells, stand where no cell can, or are not closed.
//! What a cell holds is looked at elsewhere.

use super::Diagnostic;
use super::fences::{self, Piece, Sort, Swallowed};
use super::heads::{self, Head, Header, Meant};

pub(super) fn sort(info: &str) -> Sort {
    match heads::read(info) {
        Head::Cell(_) => Sort::Cell,
        Head::Meant(_) => Sort::Meant,
        Head::Other => Sort::Other,
    }
}

/// Faults of form on their way to be told.
#[derive(Default)]
pub(super) struct Faults {
    pub plain: Vec<Diagnostic>,
    /// With their lines; what to write instead needs to know which names are taken.
    pub meant: Vec<(u32, Meant)>,
}

impl Faults {
    pub fn look_at(&mut self, text: &str, piece: &Piece, line: u32) {
        match piece {
            Piece::Front(_) | Piece::Fence { .. } => {}
            Piece::Open { info, .. } => self.head(heads::read(&text[info.clone()]), line, |header| {
                let Header { kind, name, .. } = header;
                Diagnostic::error(line, 1, format!("the {kind} cell `{name}` is never closed"))
                    .suggest("end it with a line of the same marks as its first line")
            }),
            Piece::Nearly { info, .. } => self.head(heads::read(&text[info.clone()]), line, |header| {
                let Header { kind, name, .. } = header;
                Diagnostic::error(line, 1, format!("`{kind} {name}` is not a cell: its fence is indented"))
                    .suggest("a cell begins in the first column: remove the blanks before its marks")
            }),
            Piece::Prose(range) => self.prose(&text[range.clone()], line),
        }
    }

    fn head(&mut self, head: Head, line: u32, cell: impl FnOnce(Header) -> Diagnostic) {
        match head {
            Head::Cell(header) => self.plain.push(cell(header)),
            Head::Meant(meant) => self.meant.push((line, meant)),
            Head::Other => {}
        }
    }

    /// Fences in lists, in quotes and in code, and SQL that is only shown.
    fn prose(&mut self, prose: &str, first: u32) {
        for nested in fences::nested(prose) {
            let line = first + nested.line;
            if nested.plain {
                if heads::unnamed_sql(nested.info) {
                    let message = "this SQL is shown, not run: it has no name";
                    self.plain.push(Diagnostic::warning(line, 1, message).suggest("a cell is `sql NAME`"));
                }
                continue;
            }
            match (heads::read(nested.info), nested.code) {
                (Head::Other, _) => {}
                (Head::Cell(_) | Head::Meant(_), true) => self.plain.push(
                    Diagnostic::warning(
                        line,
                        1,
                        format!("`{}` is shown as code, not run", short(nested.info)),
                    )
                    .suggest("a cell begins in the first column"),
                ),
                (Head::Cell(_) | Head::Meant(_), false) => self.plain.push(
                    Diagnostic::error(
                        line,
                        1,
                        format!("`{}` is not a cell: it stands in a list or a quote", short(nested.info)),
                    )
                    .suggest("a cell begins in the first column, outside of lists and quotes"),
                ),
            }
        }
    }

    /// Cells inside a fence that was not closed before them; the first of each fence is told.
    pub fn swallowed(&mut self, text: &str, swallowed: &[Swallowed]) {
        let (mut at, mut line) = (0, 1u32);
        let mut line_of = |offset: usize| {
            line += text[at..offset].bytes().filter(|b| *b == b'\n').count() as u32;
            at = offset;
            line
        };
        for together in swallowed.chunk_by(|a, b| a.by == b.by) {
            let Some(first) = together.first() else { continue };
            let (by, line) = (line_of(first.by), line_of(first.at));
            let more = match together.len() {
                1 => String::new(),
                n => format!(", and {} more below it", n - 1),
            };
            let head = short(&text[first.info.clone()]);
            let message = format!("`{head}` is not a cell{more}: the fence of line {by} is still open here");
            let hint =
                format!("end the fence of line {by} before it, or give it longer marks if it shows this");
            self.plain.push(Diagnostic::error(line, 1, message).suggest(hint));
        }
    }
}

fn short(info: &str) -> String {
    info.chars().take(60).collect()
}
