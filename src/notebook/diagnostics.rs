//! What is wrong with a notebook and where, and "did you mean". Building sentences only; finding the
//! faults is the business of the module that reads the text.

pub use crate::util::nearest::nearest;

/// Errors keep a cell from running; warnings are shown beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One fault of the notebook's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// In the file, counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    pub message: String,
    /// What to write instead, as a sentence.
    pub suggestion: Option<String>,
    /// The cell it belongs to; `None` for front matter and prose.
    pub cell: Option<String>,
    /// Inside the cell's body, counted from 1; `None` outside a body.
    pub cell_line: Option<u32>,
}

impl Diagnostic {
    /// An error at a line and column of the file.
    pub fn error(line: u32, column: u32, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            line,
            column,
            message: message.into(),
            suggestion: None,
            cell: None,
            cell_line: None,
        }
    }

    /// A warning at a line and column of the file.
    pub fn warning(line: u32, column: u32, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(line, column, message) }
    }

    /// Adds what to do next.
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Adds "did you mean", or the list of what there is when nothing is near and the list is short.
    pub fn suggest_from<'a>(mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        self.suggestion = match nearest(word, candidates.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if candidates.is_empty() => None,
            None if candidates.len() <= 24 => Some(format!("there are: {}", candidates.join(", "))),
            None => None,
        };
        self
    }

    /// Says which cell it belongs to.
    pub fn in_cell(mut self, cell: impl Into<String>) -> Self {
        self.cell = Some(cell.into());
        self
    }

    /// `true` when the cell cannot run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if let Some(cell) = &self.cell {
            write!(f, "{cell}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, " ({suggestion})"),
            None => Ok(()),
        }
    }
}

/// Line and column (from 1, in characters) of a byte offset.
pub fn position(text: &str, offset: usize) -> (u32, u32) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line as u32, before[start..].chars().count() as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_in_characters() {
        assert_eq!(position("商品\nab", 7), (2, 1));
        assert_eq!(position("商品\nab", 3), (1, 2));
        assert_eq!(position("ab", 99), (1, 3));
    }
}
