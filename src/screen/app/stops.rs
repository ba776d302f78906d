//! What the notebook pane lists: cells, headings, prose. Made when the text changes, not when it is
//! drawn: a frame looks only at the few that fit.

use super::document::prose_title;
use crate::notebook::{Block, BlockKind, Diagnostic, Notebook};

/// Letters of a title that are kept; no pane is wider.
const LONGEST_TITLE: usize = 300;

/// A block at which the cursor stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    pub block: usize,
    /// Of a heading, counted from 1.
    pub level: Option<u8>,
    /// The level of the heading that it stands under; 0: none.
    pub under: u8,
    /// Of prose; empty for cells.
    pub title: String,
    /// Something in this prose was meant to be a cell.
    pub broken: bool,
}

/// All stops, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    pub all: Vec<Stop>,
    /// Letters of the longest kind.
    pub widest_kind: usize,
}

/// Blank lines between cells are no stop for the cursor.
pub fn is_stop(block: &Block) -> bool {
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    block.cell().is_some() || !block.text.trim_start_matches(blank).is_empty()
}

impl Stops {
    pub fn of(notebook: &Notebook, faults: &[Diagnostic]) -> Self {
        let mut stops = Self::default();
        let mut under = 0;
        let mut faults = faults.iter().filter(|fault| fault.cell.is_none() && fault.is_error()).peekable();
        let blocks = notebook.blocks();
        for (at, block) in blocks.iter().enumerate().filter(|(_, block)| is_stop(block)) {
            let next = blocks.get(at + 1).map_or(u32::MAX, |next| next.line);
            while faults.next_if(|fault| fault.line < block.line).is_some() {}
            let broken = faults.peek().is_some_and(|fault| fault.line < next);
            let mut stop = Stop { block: at, level: None, under, title: String::new(), broken };
            match &block.kind {
                BlockKind::Front => stop.title = "settings".into(),
                BlockKind::Cell(cell) => {
                    stop.broken = false;
                    stops.widest_kind = stops.widest_kind.max(cell.kind.name().len());
                }
                BlockKind::Prose => {
                    stop.title = prose_title(&block.text).chars().take(LONGEST_TITLE).collect();
                    let heading = block.text.lines().find(|line| line.starts_with('#'));
                    stop.level =
                        heading.map(|line| line.bytes().take_while(|b| *b == b'#').count().min(6) as u8);
                }
            }
            under = stop.level.unwrap_or(under);
            stops.all.push(stop);
        }
        stops
    }

    /// The first stop at or behind a block.
    pub fn at_or_behind(&self, block: usize) -> usize {
        self.all.partition_point(|stop| stop.block < block)
    }

    /// The stop of a block.
    pub fn of_block(&self, block: usize) -> Option<usize> {
        let at = self.at_or_behind(block);
        self.all.get(at).filter(|stop| stop.block == block).map(|_| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_know_their_headings_and_their_faults() {
        let text = "\u{feff}# A\n\n```sql a\nSELECT 1\n```\n\n## B\n```check my-gate\n```\n\n```metrics m\nfrom = 1\n```\n";
        let notebook = Notebook::parse(text);
        let stops = Stops::of(&notebook, &notebook.diagnostics());
        let told: Vec<(u8, &str, bool)> =
            stops.all.iter().map(|stop| (stop.under, stop.title.as_str(), stop.broken)).collect();
        assert_eq!(
            told,
            [
                (0, "\u{feff}# A", false),
                (0, "", false),
                (0, "B", false),
                (2, "```check my-gate", true),
                (2, "", false)
            ]
        );
        assert_eq!(stops.widest_kind, 7);
        assert_eq!((stops.of_block(0), stops.of_block(2), stops.of_block(9)), (Some(0), Some(2), None));
    }
}
