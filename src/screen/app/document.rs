//! The notebook as the screen holds it: the parsed text, and the texts before and after it (undo).
//! Every change is a new text; what a change does not touch stays byte for byte.

use std::collections::HashSet;

use crate::notebook::complete::{Known, complete_cell};
use crate::notebook::{Block, BlockKind, Cell, Diagnostic, Graph, Kind, Notebook};

/// Texts kept for undo.
const HISTORY: usize = 500;

#[derive(Debug, Clone)]
pub struct Document {
    notebook: Notebook,
    text: String,
    diagnostics: Vec<Diagnostic>,
    graph: Graph,
    undo: Vec<String>,
    redo: Vec<String>,
}

impl Default for Document {
    fn default() -> Self {
        Self::new("")
    }
}

impl Document {
    pub fn new(text: &str) -> Self {
        let notebook = Notebook::parse(text);
        Self {
            diagnostics: notebook.diagnostics(),
            graph: notebook.graph(),
            text: text.to_owned(),
            notebook,
            undo: Vec::new(),
            redo: Vec::new(),
        }
    }

    pub fn notebook(&self) -> &Notebook {
        &self.notebook
    }

    pub fn text(&self) -> String {
        self.text.clone()
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
        self.blocks().get(block).is_some_and(|b| b.cell().is_some() || !b.text.trim().is_empty())
    }

    /// Where the cursor starts: the first cell, else the first prose.
    pub fn first_of_interest(&self) -> usize {
        let cell = self.blocks().iter().position(|b| b.cell().is_some());
        cell.or_else(|| (0..self.blocks().len()).find(|b| self.is_stop(*b))).unwrap_or(0)
    }

    /// The nearest stop at or around a block.
    pub fn stop_near(&self, block: usize) -> usize {
        let count = self.blocks().len();
        let after = (block..count).find(|b| self.is_stop(*b));
        after.or_else(|| (0..block.min(count)).rev().find(|b| self.is_stop(*b))).unwrap_or(0)
    }

    /// The stop `by` stops away, as far as there are any.
    pub fn stop_from(&self, block: usize, by: isize) -> usize {
        let stops: Vec<usize> = (0..self.blocks().len()).filter(|b| self.is_stop(*b)).collect();
        let at = stops.iter().position(|b| *b >= block).unwrap_or(0) as isize;
        let to = (at + by).clamp(0, (stops.len() as isize - 1).max(0));
        stops.get(to as usize).copied().unwrap_or(0)
    }

    /// The text of a block that is edited: a cell's body, else the block itself.
    pub fn editable(&self, block: usize) -> String {
        let Some(b) = self.blocks().get(block) else { return String::new() };
        match b.cell() {
            Some(cell) => cell.body.strip_suffix('\n').unwrap_or(&cell.body).to_owned(),
            // Blank lines around prose belong to the file, not to the writer.
            None => b.text.trim_matches('\n').to_owned(),
        }
    }

    /// The whole text with a block's editable part replaced.
    pub fn text_with(&self, block: usize, edited: &str) -> String {
        match self.blocks().get(block) {
            // Editing an empty notebook: what is typed is all there is.
            None => format!("{}{edited}", self.text),
            Some(_) if self.editable(block) == edited => self.text.clone(),
            Some(b) => match b.cell() {
                Some(cell) => self.notebook.set_body(&cell.name, edited).print(),
                None => {
                    let body = b.text.trim_matches('\n');
                    let head = b.text.len() - b.text.trim_start_matches('\n').len();
                    let (head, tail) = match body.is_empty() {
                        true => (b.text.as_str(), ""),
                        false => (&b.text[..head], &b.text[head + body.len()..]),
                    };
                    self.notebook.set_prose(block, &format!("{head}{edited}{tail}")).print()
                }
            },
        }
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

    /// Takes a new text, remembering the old one. Gives the names of cells that changed.
    pub fn change(&mut self, text: String) -> HashSet<String> {
        if text == self.text {
            return HashSet::new();
        }
        self.undo.push(self.text.clone());
        if self.undo.len() > HISTORY {
            self.undo.remove(0);
        }
        self.redo.clear();
        self.show(text)
    }

    pub fn undo(&mut self) -> Option<HashSet<String>> {
        let text = self.undo.pop()?;
        self.redo.push(self.text.clone());
        Some(self.show(text))
    }

    pub fn redo(&mut self) -> Option<HashSet<String>> {
        let text = self.redo.pop()?;
        self.undo.push(self.text.clone());
        Some(self.show(text))
    }

    fn show(&mut self, text: String) -> HashSet<String> {
        let next = Notebook::parse(&text);
        let changed = changed_cells(&self.notebook, &next);
        self.diagnostics = next.diagnostics();
        self.graph = next.graph();
        self.notebook = next;
        self.text = text;
        changed
    }
}

/// Cells of `next` whose request is not what it was; all of them where the front matter changed.
fn changed_cells(old: &Notebook, next: &Notebook) -> HashSet<String> {
    let front =
        |n: &Notebook| n.blocks().iter().find(|b| matches!(b.kind, BlockKind::Front)).map(|b| b.text.clone());
    let all = front(old) != front(next);
    let same =
        |c: &Cell| old.cell(&c.name).is_some_and(|o| o.kind == c.kind && o.body.trim() == c.body.trim());
    next.cells().filter(|c| all || !same(c)).map(|c| c.name.clone()).collect()
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
