//! The document: blocks of text, some of which are cells. Parsing and printing; changing it is
//! `edit.rs`, what a cell asks for is `specs.rs`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::cells;
use super::diagnostics::position;
use super::fences::{self, Piece};
use super::front::Front;
use super::reserved::is_reserved;
use super::spec::CellSpec;
use super::{Diagnostic, Graph, Kind, Params, Source};

/// A notebook: its text cut into blocks, and what the blocks mean. Made only by [`Notebook::parse`];
/// every edit gives a new one, so undo is keeping the old one.
#[derive(Debug, Clone, PartialEq)]
pub struct Notebook {
    blocks: Vec<Block>,
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
        let mut blocks = Vec::new();
        let mut form = Vec::new();
        let mut line = 1u32;
        for piece in fences::cut(text, |info| Header::read(info).is_some()) {
            let range = whole(&piece);
            let kind = block_kind(text, &piece, line, blocks.len());
            if let Piece::Open { info, .. } = &piece {
                form.extend(never_closed(&text[info.clone()], line));
            }
            if matches!(kind, BlockKind::Prose) {
                form.extend(nearly_cells(&text[range.clone()], line));
            }
            blocks.push(Block { kind, text: text[range.clone()].to_string(), line });
            line += text[range].bytes().filter(|b| *b == b'\n').count() as u32;
        }
        let front = match blocks.first() {
            Some(Block { kind: BlockKind::Front, text, .. }) => Front::parse(text),
            _ => Front::default(),
        };
        let mut notebook = Self { blocks, front, form };
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
        let wanted = name.to_lowercase();
        self.cells().find(|cell| cell.name.to_lowercase() == wanted)
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

    /// Who reads whom.
    pub fn graph(&self) -> Graph {
        Graph::of(self)
    }

    /// Everything that is wrong, by line.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let params = Params::new(&self.front.params);
        let mut all = self.form.clone();
        all.extend(self.front.diagnostics.iter().cloned());
        all.extend(self.front.sources.iter().filter_map(|source| source.filled(&params).err()));
        for cell in self.cells() {
            all.extend(self.read_cell(cell, &params).1);
        }
        all.extend(self.graph().diagnostics().iter().cloned());
        all.sort_by_key(|d| (d.line, d.column));
        all
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

/// A well-formed info string: `KIND NAME [key=value ...]`.
pub(super) struct Header {
    kind: Kind,
    name: String,
    attrs: Vec<(String, String)>,
}

impl Header {
    pub(super) fn read(info: &str) -> Option<Header> {
        let mut words = info.split_whitespace();
        let kind = Kind::parse(words.next()?)?;
        let name = words.next().filter(|name| is_identifier(name))?.to_string();
        let attrs = words
            .map(|word| word.split_once('=').filter(|(key, _)| is_identifier(key)))
            .map(|pair| pair.map(|(key, value)| (key.to_string(), value.to_string())))
            .collect::<Option<Vec<_>>>()?;
        Some(Header { kind, name, attrs })
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
        Piece::Fence { whole, .. } | Piece::Open { whole, .. } => whole.clone(),
    }
}

fn block_kind(text: &str, piece: &Piece, line: u32, block: usize) -> BlockKind {
    let (info, body) = match piece {
        Piece::Front(_) => return BlockKind::Front,
        Piece::Prose(_) | Piece::Open { .. } => return BlockKind::Prose,
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

fn never_closed(info: &str, line: u32) -> Option<Diagnostic> {
    let header = Header::read(info)?;
    Some(
        Diagnostic::error(line, 1, format!("the {} cell `{}` is never closed", header.kind, header.name))
            .suggest("end it with a line of the same marks as its first line"),
    )
}

/// Fences in prose that look as if they were meant to be cells.
fn nearly_cells(prose: &str, first_line: u32) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut inside: Option<&str> = None;
    for (number, line) in prose.lines().enumerate() {
        let marks: &str = {
            let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'));
            mark.map_or("", |mark| &line[..line.len() - line.trim_start_matches(mark).len()])
        };
        if marks.len() < 3 {
            continue;
        }
        let info = line[marks.len()..].trim();
        match inside {
            Some(open) if info.is_empty() && marks.starts_with(open) => inside = None,
            Some(_) => {}
            None => {
                inside = Some(marks);
                faults.extend(nearly_cell(info, first_line + number as u32));
            }
        }
    }
    faults
}

fn nearly_cell(info: &str, line: u32) -> Option<Diagnostic> {
    if Header::read(info).is_some() {
        return None;
    }
    let words: Vec<&str> = info.split_whitespace().collect();
    let (&kind, rest) = words.split_first()?;
    let name = rest.first()?;
    if Kind::parse(kind).is_some() {
        let plain = name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
        return plain.then(|| {
            Diagnostic::warning(
                line,
                1,
                format!("this is not a cell: `{info}` is not `KIND NAME [key=value ...]`"),
            )
            .suggest(format!("name it `{}` (letters, digits and _)", identifier(name)))
        });
    }
    // Code of another language with one word behind it is none of our business.
    let near =
        super::diagnostics::nearest(kind, cells::names()).filter(|_| kind.len() > 3 || kind == "sq")?;
    (rest.len() == 1 && is_identifier(name)).then(|| {
        Diagnostic::warning(line, 1, format!("there is no cell kind `{kind}`"))
            .suggest(format!("did you mean `{near} {name}`?"))
    })
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
        assert!(said("```metrcs q\n```\n").contains("did you mean `metrics q`"));
        assert!(said("```sql my-cell\n```\n").contains("my_cell"));
        assert!(said("```sql a\nSELECT 1\n").contains("never closed"));
        assert!(said("```sql a\n```\n```sql A\n```\n").contains("rename one, e.g. `A_2`"));
        assert_eq!(said("```python x\n```\n```sql\nSELECT 1\n```\n```rust ignore\n```\n"), "");
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
