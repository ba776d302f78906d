//! What is wrong with a notebook and where, and "did you mean". Building sentences only; finding the
//! faults is the business of the module that reads the text.

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

/// The candidate nearest to `word`, if it is near enough to be what was meant: at most a third of
/// the letters differ (one in short words), case ignored; or the one that begins with the word.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    let letters = wanted.chars().count();
    if letters == 0 || letters > 200 {
        return None;
    }
    let allowed = (letters / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let cut_short = letters >= 3 && lower.starts_with(&wanted);
        let mut distance = edit_distance(&wanted, &lower);
        if cut_short {
            distance = distance.min(allowed);
        }
        // A word of one letter shares nothing with a candidate that it fully replaces.
        let near = distance <= allowed && (distance < letters || distance == 0);
        if near && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment).
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, ca) in a.chars().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, cb) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(ca != *cb)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && previous == Some(*cb) && ca == b[j - 1] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
        previous = Some(ca);
    }
    last.last().copied().unwrap_or(0)
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
    fn distances_count_letters() {
        assert_eq!(edit_distance("query", "query"), 0);
        assert_eq!(edit_distance("qeury", "query"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("商品", "商品名"), 1);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }

    #[test]
    fn nearest_is_near_or_nothing() {
        assert_eq!(nearest("qurey", ["item", "query"]), Some("query"));
        assert_eq!(nearest("impresions", ["impressions", "items"]), Some("impressions"));
        assert_eq!(nearest("zzz", ["query", "item"]), None);
        assert_eq!(nearest("min_sup", ["min_support", "metric"]), Some("min_support"));
        assert_eq!(nearest("Query", ["query"]), Some("query"));
        assert_eq!(nearest("搜索次", ["搜索词", "商品"]), Some("搜索词"));
    }

    #[test]
    fn positions_are_in_characters() {
        assert_eq!(position("商品\nab", 7), (2, 1));
        assert_eq!(position("商品\nab", 3), (1, 2));
        assert_eq!(position("ab", 99), (1, 3));
    }
}
