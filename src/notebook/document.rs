//! The document: blocks of text, some of which are cells. Parsing and printing; changing it is
//! `edit.rs`, what a cell asks for is `specs.rs`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::diagnostics::position;
use super::fences::{self, Piece};
use super::form::{self, Faults};
use super::front::Front;
use super::heads::Header;
use super::reserved::is_reserved;
use super::spec::CellSpec;
use super::{Diagnostic, Graph, Kind, Params, Source};

/// A notebook: its text cut into blocks, and what the blocks mean. Made only by [`Notebook::parse`];
/// every edit gives a new one, so undo is keeping the old one.
#[derive(Debug, Clone, PartialEq)]
pub struct Notebook {
    blocks: Vec<Block>,
    /// Block of the first cell of each name, in lower case.
    index: HashMap<String, usize>,
    front: Front,
    /// Faults of the outer form: fences, info strings, names.
    form: Vec<Diagnostic>,
}

/// A stretch of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub kind: BlockKind,
    /// The bytes as they stand in the file, fences included.
    pub text: String,
    /// First line in the file, counted from 1.
    pub line: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum BlockKind {
    /// YAML between `---` at the head of the file.
    Front,
    /// Anything that is not ours to interpret.
    Prose,
    Cell(Cell),
}

/// A fenced block that asks for something.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub kind: Kind,
    pub name: String,
    /// `key=value` words of the info string, in order.
    pub attrs: Vec<(String, String)>,
    /// Between the fences, as written.
    pub body: String,
    /// Line of the opening fence in the file, counted from 1.
    pub line: u32,
    /// First line of the body in the file, counted from 1.
    pub body_line: u32,
    /// Index into [`Notebook::blocks`].
    pub block: usize,
}

/// Duplicate names that are told a free one.
const MOST_FREE_NAMES: usize = 20;

impl Notebook {
    /// Reads a text. Never fails: what is not understood stays prose, what is wrong is a diagnostic.
    pub fn parse(text: &str) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        let mut index = HashMap::new();
        let (mut faults, mut line) = (Faults::default(), 1u32);
        let cut = fences::cut(text, form::sort);
        for piece in &cut.pieces {
            let range = whole(piece);
            let kind = block_kind(text, piece, line, blocks.len());
            faults.look_at(text, piece, line);
            if let BlockKind::Cell(cell) = &kind {
                index.entry(cell.name.to_lowercase()).or_insert(blocks.len());
            }
            blocks.push(Block { kind, text: text[range.clone()].to_string(), line });
            line += text[range].bytes().filter(|b| *b == b'\n').count() as u32;
        }
        faults.swallowed(text, &cut.swallowed);
        let front = match blocks.first() {
            Some(Block { kind: BlockKind::Front, text, .. }) => Front::parse(text),
            _ => Front::default(),
        };
        let mut notebook = Self { blocks, index, front, form: faults.plain };
        for (told, (line, meant)) in faults.meant.into_iter().enumerate() {
            // A free name costs a look at the names taken: the first few faults get one.
            let free = |name: &str| match told {
                0..MOST_FREE_NAMES => notebook.unique_name(name),
                _ => name.to_owned(),
            };
            let fault = meant.fault(line, free);
            notebook.form.push(fault);
        }
        let names = notebook.name_faults();
        notebook.form.extend(names);
        notebook
    }

    /// The text; byte for byte what was parsed.
    pub fn print(&self) -> String {
        self.blocks.iter().map(|block| block.text.as_str()).collect()
    }

    /// All blocks in file order; their texts joined are the file.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The cells in file order.
    pub fn cells(&self) -> impl DoubleEndedIterator<Item = &Cell> {
        self.blocks.iter().filter_map(Block::cell)
    }

    /// The first cell of that name; case does not count, as in SQL.
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.blocks.get(*self.index.get(&name.to_lowercase())?)?.cell()
    }

    /// The front matter; empty where there is none.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// The notebook's parameters with `--set` values put over them. Faults name unknown parameters
    /// and values that do not fit the default's type.
    pub fn params(&self, overrides: &[(String, String)]) -> (Params, Vec<Diagnostic>) {
        Params::new(&self.front.params).with_overrides(overrides)
    }

    /// The sources with `{{name}}`s in their paths filled in. A path with an unknown parameter is left
    /// as it is; [`Notebook::diagnostics`] says so.
    pub fn sources(&self, params: &Params) -> Vec<Source> {
        self.front
            .sources
            .iter()
            .map(|source| source.filled(params).unwrap_or_else(|_| source.clone()))
            .collect()
    }

    /// What a cell asks for, parameters filled in and roles completed from the schema. `Err`: the
    /// cell cannot run, with every reason.
    pub fn spec(&self, name: &str, params: &Params) -> Result<CellSpec, Vec<Diagnostic>> {
        let Some(cell) = self.cell(name) else {
            let names: Vec<&str> = self.cells().map(|cell| cell.name.as_str()).collect();
            let fault = Diagnostic::error(1, 1, format!("there is no cell `{name}`"));
            return Err(vec![fault.suggest_from(name, names)]);
        };
        let (spec, faults) = self.read_cell(cell, params);
        match spec {
            Some(spec) if !faults.iter().any(Diagnostic::is_error) => Ok(spec),
            _ => Err(faults),
        }
    }

    /// What a cell asks for as far as it can be read, and everything that is wrong with it.
    pub fn read_cell(&self, cell: &Cell, params: &Params) -> (Option<CellSpec>, Vec<Diagnostic>) {
        super::specs::read(cell, &self.front.schema, params)
    }

    /// Who reads whom with these parameters.
    pub fn graph(&self, params: &Params) -> Graph {
        Graph::of(self, params)
    }

    /// Everything that is wrong with the parameters as the notebook sets them, by line.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.checked(&Params::new(&self.front.params)).1
    }

    /// Who reads whom, and everything that is wrong, with these parameters: every cell is read once for both.
    pub fn checked(&self, params: &Params) -> (Graph, Vec<Diagnostic>) {
        let mut all = self.form.clone();
        all.extend(self.front.diagnostics.iter().cloned());
        all.extend(self.front.sources.iter().filter_map(|source| source.filled(params).err()));
        let mut specs = Vec::with_capacity(self.index.len());
        for cell in self.cells() {
            let (spec, faults) = self.read_cell(cell, params);
            specs.push(spec);
            all.extend(faults);
        }
        let graph = Graph::with(self, &specs);
        all.extend(graph.diagnostics().iter().cloned());
        all.sort_by_key(|d| (d.line, d.column));
        (graph, all)
    }

    /// A name that no cell or source has yet: `base`, else `base_2`, `base_3`...
    pub fn unique_name(&self, base: &str) -> String {
        let base = identifier(base);
        let taken = |name: &str| self.cell(name).is_some() || self.front.source(name).is_some();
        if !taken(&base) {
            return base;
        }
        let mut number = 2u64;
        while taken(&format!("{base}_{number}")) {
            number += 1;
        }
        format!("{base}_{number}")
    }

    /// `\r\n` if the file's first line ends so.
    pub(super) fn newline(&self) -> &'static str {
        let first = self.blocks.iter().find_map(|block| block.text.find('\n').map(|at| (block, at)));
        match first {
            Some((block, at)) if block.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    fn name_faults(&self) -> Vec<Diagnostic> {
        let mut seen: HashMap<String, String> = self
            .front
            .sources
            .iter()
            .map(|s| (s.name.to_lowercase(), format!("source `{}`", s.name)))
            .collect();
        let mut faults = Vec::new();
        let mut free_names = 0;
        for cell in self.cells() {
            match seen.entry(cell.name.to_lowercase()) {
                Entry::Occupied(taken) => {
                    let message = format!("the name `{}` is taken by the {}", cell.name, taken.get());
                    let fault = Diagnostic::error(cell.line, 1, message).in_cell(&cell.name);
                    // A free name costs a look at every cell: the first few faults get one.
                    free_names += 1;
                    faults.push(if free_names > MOST_FREE_NAMES {
                        fault
                    } else {
                        fault.suggest(format!("rename one, e.g. `{}`", self.unique_name(&cell.name)))
                    });
                }
                Entry::Vacant(free) => {
                    free.insert(format!("{} cell of line {}", cell.kind, cell.line));
                }
            }
            if is_reserved(&cell.name) {
                let name = &cell.name;
                let message =
                    format!("`{name}` is a word of SQL: other cells must quote it, as in FROM \"{name}\"");
                faults.push(
                    Diagnostic::warning(cell.line, 1, message).suggest("choose another name").in_cell(name),
                );
            }
            for (attr, _) in &cell.attrs {
                faults.push(
                    Diagnostic::warning(cell.line, 1, format!("`{attr}=` is kept but means nothing here"))
                        .in_cell(&cell.name),
                );
            }
        }
        faults
    }
}

impl Block {
    /// The cell, if the block is one.
    pub fn cell(&self) -> Option<&Cell> {
        match &self.kind {
            BlockKind::Cell(cell) => Some(cell),
            _ => None,
        }
    }
}

impl Cell {
    /// Line and column of a byte offset of the body, in the file.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let (line, column) = position(&self.body, offset);
        (self.body_line + line - 1, column)
    }

    /// A fault at a byte offset of the body.
    pub(super) fn fault(&self, offset: usize, message: impl Into<String>) -> Diagnostic {
        let (line, column) = self.position(offset);
        Diagnostic {
            cell_line: Some(line + 1 - self.body_line),
            ..Diagnostic::error(line, column, message).in_cell(&self.name)
        }
    }
}

/// Letters (of any script), digits and `_`, not beginning with a digit: needs no quotes in SQL.
pub fn is_identifier(word: &str) -> bool {
    let starts = word.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    starts && word.chars().count() <= 120 && word.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The nearest identifier to any text.
pub fn identifier(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().take(60) {
        let keep = c.is_alphanumeric() || c == '_';
        if keep {
            name.push(c);
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_').to_string();
    match name.chars().next() {
        None => "cell".into(),
        Some(first) if !(first.is_alphabetic() || first == '_') => format!("c_{name}"),
        Some(_) => name,
    }
}

fn whole(piece: &Piece) -> Range<usize> {
    match piece {
        Piece::Front(range) | Piece::Prose(range) => range.clone(),
        Piece::Fence { whole, .. } | Piece::Nearly { whole, .. } | Piece::Open { whole, .. } => whole.clone(),
    }
}

fn block_kind(text: &str, piece: &Piece, line: u32, block: usize) -> BlockKind {
    let (info, body) = match piece {
        Piece::Front(_) => return BlockKind::Front,
        Piece::Prose(_) | Piece::Nearly { .. } | Piece::Open { .. } => return BlockKind::Prose,
        Piece::Fence { info, body, .. } => (info, body),
    };
    match Header::read(&text[info.clone()]) {
        Some(Header { kind, name, attrs }) => BlockKind::Cell(Cell {
            kind,
            name,
            attrs,
            body: text[body.clone()].to_string(),
            line,
            body_line: line + 1,
            block,
        }),
        None => BlockKind::Prose,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOES: &str = "---\nrecscope: 1\n---\n# Why?\n\n```sql bad\nSELECT 1\n```\n\ntext\n";

    #[test]
    fn blocks_know_their_lines() {
        let notebook = Notebook::parse(SHOES);
        let lines: Vec<u32> = notebook.blocks().iter().map(|b| b.line).collect();
        assert_eq!(lines, [1, 4, 6, 9]);
        let cell = notebook.cell("BAD").unwrap();
        assert_eq!((cell.body.as_str(), cell.body_line, cell.block), ("SELECT 1\n", 7, 2));
        assert_eq!(notebook.print(), SHOES);
        assert_eq!(cell.position(7), (7, 8));
    }

    #[test]
    fn crlf_bom_and_chinese_are_kept() {
        let text = "\u{feff}---\r\nrecscope: 1\r\n---\r\n```sql 坏查询\r\nSELECT '跑鞋'\r\n```\r\n";
        let notebook = Notebook::parse(text);
        assert_eq!(notebook.print(), text);
        assert_eq!(notebook.cell("坏查询").unwrap().body, "SELECT '跑鞋'\r\n");
        assert_eq!(notebook.front().version, Some(1));
        assert_eq!(notebook.newline(), "\r\n");
    }

    #[test]
    fn faults_of_form_say_what_to_write() {
        let said = |text: &str| {
            let faults = Notebook::parse(text).form;
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        assert!(said("```metrcs q\n```\n").contains("(write `metrics q`)"));
        assert!(said("```sql my-cell\n```\n").contains("my_cell"));
        assert!(said("```sql q\n```\n```sql Q.\n```\n").contains("(write `sql Q_2`)"), "a name that is free");
        assert!(said("```sql a\nSELECT 1\n").contains("never closed"));
        assert!(said("  ```check a\n  ```\n").contains("remove the blanks"));
        assert!(
            said("- ```check a\n  ```\n").starts_with("1:1: `check a` is not a cell: it stands in a list")
        );
        assert!(said("x\n\n\t```check a\n\t```\n").starts_with("3:1: `check a` is shown as code"));
        assert!(
            said("a\n```text\nb\n```check a\n```\n")
                .contains("4:1: `check a` is not a cell: the fence of line 2")
        );
        assert!(said("~~~\n```check a\n```\n```check b\n```\n").contains("and 1 more below it"));
        assert!(said("```sql a\n```\n```sql A\n```\n").contains("rename one, e.g. `A_2`"));
        assert_eq!(said("```python x\n```\n```rust ignore\n```\n````md\n```check a\n```\n````\n"), "");
        let shown = Notebook::parse("a\n```sql\nSELECT 1\n```\n").form;
        assert!(shown.len() == 1 && !shown[0].is_error() && shown[0].line == 2, "{shown:?}");
        assert!(Notebook::parse("\u{feff}```sql a\nSELECT 1\n```\n").cell("a").is_some());
    }

    #[test]
    fn names_are_free() {
        let notebook = Notebook::parse("```sql rows_south\n```\n```sql rows_south_2\n```\n");
        assert_eq!(notebook.unique_name("rows_south"), "rows_south_3");
        assert_eq!(notebook.unique_name("rows 东*x"), "rows_东_x");
        assert_eq!(notebook.unique_name("1 a"), "c_1_a");
        assert_eq!(notebook.unique_name(""), "cell");
    }
}
