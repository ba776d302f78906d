//! The notebook as the screen holds it: the parsed text, and the texts before and after it (undo).
//! Every change is a new text; what a change does not touch stays byte for byte.

use std::collections::{HashMap, HashSet};

use super::history::History;
use super::prose::{self, Rows};
use super::revision::Revision;
use super::stops::{self, Stop, Stops};
use crate::notebook::complete::{Known, complete_cell};
use crate::notebook::{Block, BlockKind, Cell, Diagnostic, Graph, Kind, Notebook};

#[derive(Debug, Clone)]
pub struct Document {
    notebook: Notebook,
    text: String,
    revision: Revision,
    diagnostics: Vec<Diagnostic>,
    /// Cells with an error.
    broken: HashSet<String>,
    graph: Graph,
    stops: Stops,
    /// Rows of prose that is too long to be shown whole, by block.
    rows: HashMap<usize, Rows>,
    /// Parameters set from outside, by name: what a cell reads may hang on them.
    params: Vec<(String, String)>,
    history: History,
}

impl Default for Document {
    fn default() -> Self {
        Self::new("")
    }
}

impl Document {
    pub fn new(text: &str) -> Self {
        Self::with_params(text, Vec::new())
    }

    /// With parameters set from outside.
    pub fn with_params(text: &str, params: Vec<(String, String)>) -> Self {
        Self::read(text.to_owned(), params, History::default())
    }

    fn read(text: String, params: Vec<(String, String)>, history: History) -> Self {
        let notebook = Notebook::parse(&text);
        let (graph, diagnostics) = notebook.checked(&notebook.params(&params).0);
        let errors = diagnostics.iter().filter(|fault| fault.is_error());
        let broken = errors.filter_map(|fault| fault.cell.clone()).collect();
        let stops = Stops::of(&notebook, &diagnostics);
        let revision = Revision::new();
        let rows = HashMap::new();
        let mut doc =
            Self { notebook, text, revision, diagnostics, broken, graph, stops, rows, params, history };
        doc.rows = doc.blocks().iter().enumerate().filter_map(|(at, block)| doc.rows_of(at, block)).collect();
        doc
    }

    /// Of prose that is too long to be shown whole.
    fn rows_of(&self, at: usize, block: &Block) -> Option<(usize, Rows)> {
        if block.cell().is_some() || block.text.len() <= prose::LONG {
            return None;
        }
        let mut rows = Rows::of(&block.text);
        let line = self.fault_in_prose(at).map(|fault| fault.line.saturating_sub(block.line) as usize);
        rows.fault = line.map(|line| rows.of_line(&block.text, line));
        Some((at, rows))
    }

    pub fn notebook(&self) -> &Notebook {
        &self.notebook
    }

    pub fn text(&self) -> String {
        self.text.clone()
    }

    pub fn text_ref(&self) -> &str {
        &self.text
    }

    /// Another one after every change of the text.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The blocks at which the cursor stops.
    pub fn stops(&self) -> &[Stop] {
        &self.stops.all
    }

    pub fn stop_of(&self, block: usize) -> Option<usize> {
        self.stops.of_block(block)
    }

    /// Letters of the longest kind of cell in the notebook.
    pub fn widest_kind(&self) -> usize {
        self.stops.widest_kind
    }

    /// The cell cannot run: its text has an error.
    pub fn is_broken(&self, cell: &str) -> bool {
        self.broken.contains(cell)
    }

    /// The rows of a block of prose that is too long to be shown whole.
    pub fn long_rows(&self, block: usize) -> Option<&Rows> {
        self.rows.get(&block)
    }

    /// What is wrong in a block of prose: its first error, else its first remark.
    pub fn fault_in_prose(&self, block: usize) -> Option<&Diagnostic> {
        let from = self.blocks().get(block)?.line;
        let to = self.blocks().get(block + 1).map_or(u32::MAX, |next| next.line);
        let at = self.diagnostics.partition_point(|fault| fault.line < from);
        let here = || self.diagnostics[at..].iter().take_while(|fault| fault.line < to);
        let mut prose = here().filter(|fault| fault.cell.is_none());
        here().find(|fault| fault.is_error() && fault.cell.is_none()).or_else(|| prose.next())
    }

    pub fn blocks(&self) -> &[Block] {
        self.notebook.blocks()
    }

    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub fn cell_at(&self, block: usize) -> Option<&Cell> {
        self.blocks().get(block).and_then(Block::cell)
    }

    pub fn block_of(&self, cell: &str) -> Option<usize> {
        self.notebook.cell(cell).map(|c| c.block)
    }

    /// Every cell, ancestors first.
    pub fn run_order(&self) -> Vec<String> {
        self.graph.order()
    }

    pub fn ancestors(&self, cell: &str) -> Vec<String> {
        self.graph.ancestors(cell)
    }

    pub fn descendants(&self, cell: &str) -> Vec<String> {
        self.graph.descendants(cell)
    }

    /// Completions in a cell's TOML body: where they begin, and the words.
    pub fn complete(&self, block: usize, body: &str, cursor: usize, known: &Known) -> (usize, Vec<String>) {
        let Some(cell) = self.cell_at(block) else { return (cursor, Vec::new()) };
        let found = complete_cell(cell.kind, body, cursor, known);
        (found.from, found.items.into_iter().map(|i| i.text).collect())
    }

    /// Blank lines between cells are no stop for the cursor.
    pub fn is_stop(&self, block: usize) -> bool {
        self.blocks().get(block).is_some_and(stops::is_stop)
    }

    /// Where the cursor starts: the first cell, else the first prose.
    pub fn first_of_interest(&self) -> usize {
        let cell = self.notebook.cells().next().map(|cell| cell.block);
        cell.or_else(|| self.stops().first().map(|stop| stop.block)).unwrap_or(0)
    }

    /// The nearest stop at or around a block.
    pub fn stop_near(&self, block: usize) -> usize {
        let at = self.stops.at_or_behind(block);
        self.stops().get(at).or(self.stops().last()).map_or(0, |stop| stop.block)
    }

    /// The stop `by` stops away, as far as there are any.
    pub fn stop_from(&self, block: usize, by: isize) -> usize {
        let at = match self.stops.at_or_behind(block) {
            at if at < self.stops().len() => at as isize,
            _ => 0,
        };
        let to = (at + by).clamp(0, (self.stops().len() as isize - 1).max(0));
        self.stops().get(to as usize).map_or(0, |stop| stop.block)
    }

    /// The text of a block that is edited: a cell's body, else the block itself.
    pub fn editable(&self, block: usize) -> String {
        let Some(b) = self.blocks().get(block) else { return String::new() };
        match b.cell() {
            Some(cell) => body(cell).to_owned(),
            // Blank lines around prose belong to the file, not to the writer.
            None => b.text.trim_matches('\n').to_owned(),
        }
    }

    /// The whole text with a block's editable part replaced.
    pub fn text_with(&self, block: usize, edited: &str) -> String {
        let Some((from, to, new)) = self.replacement(block, edited) else { return self.text.clone() };
        [&self.text[..from], &new, &self.text[to..]].concat()
    }

    /// Whether [`Document::text_with`] is this text: told without putting it together.
    pub fn is_with(&self, block: usize, edited: &str, other: &str) -> bool {
        let Some((from, to, new)) = self.replacement(block, edited) else { return self.text == other };
        let (head, tail) = (&self.text[..from], &self.text[to..]);
        let rest = |part: &str| part.len() == new.len() + tail.len() && part.starts_with(&new);
        // Lengths first: while somebody writes they nearly always differ.
        other.len() == head.len() + new.len() + tail.len()
            && other.strip_prefix(head).is_some_and(|part| rest(part) && part.ends_with(tail))
    }

    /// Which bytes of the text an edit of a block replaces, and by what; `None`: nothing is changed.
    fn replacement(&self, block: usize, edited: &str) -> Option<(usize, usize, String)> {
        let Some(b) = self.blocks().get(block) else {
            // Editing an empty notebook: what is typed is all there is.
            return Some((self.text.len(), self.text.len(), edited.to_owned()));
        };
        let from: usize = self.blocks()[..block].iter().map(|before| before.text.len()).sum();
        let new = match b.cell() {
            Some(cell) if body(cell) == edited => return None,
            Some(_) => self.notebook.block_with_body(block, edited)?,
            None => {
                let body = b.text.trim_matches('\n');
                if body == edited {
                    return None;
                }
                let head = b.text.len() - b.text.trim_start_matches('\n').len();
                let (head, tail) = match body.is_empty() {
                    true => (b.text.as_str(), ""),
                    false => (&b.text[..head], &b.text[head + body.len()..]),
                };
                self.notebook.block_with_prose(block, &[head, edited, tail].concat())?
            }
        };
        Some((from, from + b.text.len(), new))
    }

    /// The text with a cell put after a block (at the end for `None`).
    pub fn text_with_cell(&self, after: Option<usize>, kind: Kind, name: &str, body: &str) -> String {
        match after {
            Some(block) if block < self.blocks().len() => self.notebook.insert(Some(block), kind, name, body),
            _ => self.notebook.append(kind, name, body),
        }
        .print()
    }

    /// The text with prose put after a block.
    pub fn text_with_prose(&self, after: usize, text: &str) -> String {
        let last = self.blocks().len().checked_sub(1);
        self.notebook.insert_prose(last.map(|l| after.min(l)), text).print()
    }

    pub fn text_without(&self, block: usize) -> String {
        self.notebook.remove(block).print()
    }

    /// The text with a cell moved past its neighbour. `None`: it is prose, or there is no neighbour.
    pub fn text_moved(&self, block: usize, up: bool) -> Option<String> {
        let moved = self.notebook.move_block(block, up).print();
        (moved != self.text).then_some(moved)
    }

    /// The text with a cell's name replaced. `None`: not a cell, or not a name.
    pub fn text_renamed(&self, block: usize, name: &str) -> Option<String> {
        let cell = self.cell_at(block)?;
        let renamed = self.notebook.rename_cell(&cell.name, name).print();
        (renamed != self.text).then_some(renamed)
    }

    /// Every cell that depends on one of these, and these.
    pub fn with_descendants<'a>(&'a self, cells: impl IntoIterator<Item = &'a str>) -> HashSet<&'a str> {
        self.graph.with_descendants(cells)
    }

    /// Takes a new text, remembering the old one. Gives the names of cells that changed.
    pub fn change(&mut self, text: String) -> HashSet<String> {
        if text == self.text {
            return HashSet::new();
        }
        self.history.push(&self.text, &text);
        self.show(text)
    }

    pub fn undo(&mut self) -> Option<HashSet<String>> {
        let text = self.history.undo(&self.text)?;
        Some(self.show(text))
    }

    pub fn redo(&mut self) -> Option<HashSet<String>> {
        let text = self.history.redo(&self.text)?;
        Some(self.show(text))
    }

    fn show(&mut self, text: String) -> HashSet<String> {
        let next = Self::read(text, std::mem::take(&mut self.params), std::mem::take(&mut self.history));
        let changed = changed_cells(&self.notebook, &next.notebook);
        *self = next;
        changed
    }
}

/// A cell's body as it is edited.
fn body(cell: &Cell) -> &str {
    cell.body.strip_suffix('\n').unwrap_or(&cell.body)
}

/// Cells of `next` whose request is not what it was; all of them where the front matter changed.
fn changed_cells(old: &Notebook, next: &Notebook) -> HashSet<String> {
    let all = front(old) != front(next);
    let same =
        |c: &Cell| old.cell(&c.name).is_some_and(|o| o.kind == c.kind && o.body.trim() == c.body.trim());
    next.cells().filter(|c| all || !same(c)).map(|c| c.name.clone()).collect()
}

fn front(notebook: &Notebook) -> Option<&str> {
    notebook.blocks().first().filter(|b| matches!(b.kind, BlockKind::Front)).map(|b| b.text.as_str())
}

/// A heading, else the first line that says something.
pub fn prose_title(text: &str) -> String {
    let heading = text.lines().find(|l| l.starts_with('#'));
    let line = heading.or_else(|| text.lines().find(|l| !l.trim().is_empty())).unwrap_or_default();
    line.trim_start_matches('#').trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Why?\n\n```sql bad\nSELECT 1\n```\n\nprose\n\n```sql worse\nSELECT * FROM bad\n```\n";

    #[test]
    fn an_edit_changes_only_its_block() {
        let mut doc = Document::new(TEXT);
        let block = doc.block_of("bad").unwrap();
        assert_eq!(doc.editable(block), "SELECT 1");
        assert_eq!(doc.text_with(block, "SELECT 1"), TEXT);
        let text = doc.text_with(block, "SELECT '跑鞋'");
        assert_eq!(text, TEXT.replace("SELECT 1", "SELECT '跑鞋'"));
        assert_eq!(doc.change(text), HashSet::from(["bad".to_string()]));
        assert!(doc.undo().is_some());
        assert_eq!(doc.text(), TEXT);
        assert!(doc.redo().is_some());
        assert!(doc.undo().is_some() && doc.undo().is_none());
    }

    #[test]
    fn cells_come_and_go() {
        let mut doc = Document::new(TEXT);
        let bad = doc.block_of("bad");
        doc.change(doc.text_with_cell(bad, Kind::Sql, "new", "SELECT 2"));
        assert_eq!(
            doc.notebook().cells().map(|c| c.name.as_str()).collect::<Vec<_>>(),
            ["bad", "new", "worse"]
        );
        let block = doc.block_of("new").unwrap();
        doc.change(doc.text_without(block));
        assert_eq!(doc.notebook().cells().count(), 2);
        assert!(doc.text().contains("\nprose\n"));
        doc.change(doc.text_moved(doc.block_of("worse").unwrap(), true).unwrap());
        assert_eq!(doc.notebook().cells().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["worse", "bad"]);
    }

    #[test]
    fn a_body_with_fences_gets_longer_marks() {
        let mut doc = Document::new(TEXT);
        let block = doc.block_of("bad").unwrap();
        doc.change(doc.text_with(block, "a\n```\nb"));
        assert_eq!(doc.notebook().cell("bad").unwrap().body, "a\n```\nb\n");
        assert!(doc.notebook().cell("worse").is_some());
    }

    #[test]
    fn an_empty_notebook_can_be_written_in() {
        let doc = Document::new("");
        assert_eq!(doc.text_with(0, "# hi"), "# hi");
        assert_eq!(doc.text_with_cell(None, Kind::Sql, "a", "SELECT 1"), "```sql a\nSELECT 1\n```\n");
        assert_eq!(doc.stop_from(0, 1), 0);
    }
}
