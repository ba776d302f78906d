//! Edits of a notebook. Each gives a new one and changes only its own block's bytes (and the blank
//! lines it needs around it); undo is keeping the old one.

use super::document::{Block, BlockKind, identifier, is_identifier};
use super::{Cell, Kind, Notebook, fences};

impl Notebook {
    /// Replaces a cell's body. The fences grow where the body holds such marks itself.
    pub fn set_body(&self, name: &str, body: &str) -> Notebook {
        let Some(cell) = self.cell(name) else { return self.clone() };
        match self.block_with_body(cell.block, body) {
            Some(text) => self.with(cell.block, &text),
            None => self.clone(),
        }
    }

    /// The text of a cell's block with another body; `None`: it is no cell.
    pub fn block_with_body(&self, block: usize, body: &str) -> Option<String> {
        let block = self.blocks().get(block).filter(|block| block.cell().is_some())?;
        Some(fenced(&block.text, None, body, self.newline()))
    }

    /// Replaces a prose (or front matter) block's text. An open fence in it is closed, so that the
    /// cells below stay cells.
    pub fn set_prose(&self, block: usize, text: &str) -> Notebook {
        match self.block_with_prose(block, text) {
            Some(text) => self.with(block, &text),
            None => self.clone(),
        }
    }

    /// The text of such a block with another content, closed; `None`: it is a cell, or there is none.
    pub fn block_with_prose(&self, block: usize, text: &str) -> Option<String> {
        self.blocks().get(block).filter(|block| block.cell().is_none())?;
        let last = block + 1 == self.blocks().len();
        let mut text = with_newlines(text, self.newline());
        let close = self.closing(block == 0, &text);
        if !last || close.len() > self.newline().len() {
            text.push_str(&close);
        }
        Some(text)
    }

    /// Puts a new cell behind a block; `None` puts it first (behind the front matter).
    pub fn insert(&self, after: Option<usize>, kind: Kind, name: &str, body: &str) -> Notebook {
        let newline = self.newline();
        let name = if is_identifier(name) { name.to_string() } else { identifier(name) };
        let opening = format!("```{kind} {name}{newline}```{newline}");
        self.insert_text(after, &fenced(&opening, None, body, newline))
    }

    /// Puts prose behind a block.
    pub fn insert_prose(&self, after: Option<usize>, text: &str) -> Notebook {
        let mut text = with_newlines(text, self.newline());
        text.push_str(&self.closing(self.place(after) == 0, &text));
        self.insert_text(after, &text)
    }

    /// Puts a new cell at the end.
    pub fn append(&self, kind: Kind, name: &str, body: &str) -> Notebook {
        self.insert(self.blocks().len().checked_sub(1), kind, name, body)
    }

    /// Takes a block out, with the blank line that stood for it.
    pub fn remove(&self, block: usize) -> Notebook {
        let mut texts = self.texts();
        if block >= texts.len() {
            return self.clone();
        }
        texts.remove(block);
        // `a` blank, cell, blank `b` would leave two blank lines.
        if block > 0 && block < texts.len() {
            let double = texts[block - 1].ends_with(&self.newline().repeat(2));
            if let Some(rest) = texts[block].strip_prefix(self.newline()).filter(|_| double) {
                texts[block] = rest.to_string();
            }
        }
        Notebook::parse(&texts.concat())
    }

    /// Moves a cell up (`up`) or down past the next cell, over the prose between them.
    pub fn move_block(&self, block: usize, up: bool) -> Notebook {
        let Some(cell) = self.blocks().get(block).and_then(Block::cell) else { return self.clone() };
        let other = match up {
            true => self.cells().rev().find(|other| other.block < cell.block),
            false => self.cells().find(|other| other.block > cell.block),
        };
        let Some(other) = other else { return self.clone() };
        let mut texts = self.texts();
        for index in [cell.block, other.block] {
            if !texts[index].ends_with('\n') {
                texts[index].push_str(self.newline());
            }
        }
        texts.swap(cell.block, other.block);
        Notebook::parse(&texts.concat())
    }

    /// Renames a cell. Cells that read it are not rewritten: their diagnostics say what to change.
    pub fn rename_cell(&self, name: &str, new: &str) -> Notebook {
        let Some(cell) = self.cell(name).filter(|_| is_identifier(new)) else { return self.clone() };
        let text = fenced(&self.blocks()[cell.block].text, Some((cell, new)), &cell.body, self.newline());
        self.with(cell.block, &text)
    }

    fn texts(&self) -> Vec<String> {
        self.blocks().iter().map(|block| block.text.clone()).collect()
    }

    fn with(&self, block: usize, text: &str) -> Notebook {
        let mut texts = self.texts();
        texts[block] = text.to_string();
        Notebook::parse(&texts.concat())
    }

    /// Before which block something comes that is put behind `after`.
    fn place(&self, after: Option<usize>) -> usize {
        let front = matches!(self.blocks().first(), Some(Block { kind: BlockKind::Front, .. }));
        after.map_or(usize::from(front), |block| block + 1).min(self.blocks().len())
    }

    /// What closes an open fence of a text. Only at the very start of a file may it begin with a byte order
    /// mark or a front matter; elsewhere both are text.
    fn closing(&self, first: bool, text: &str) -> String {
        match first {
            true => fences::closing(text, self.newline()),
            false => fences::closing(&format!("{}{text}", self.newline()), self.newline()),
        }
    }

    fn insert_text(&self, after: Option<usize>, text: &str) -> Notebook {
        let newline = self.newline();
        let at = self.place(after);
        let mut texts = self.texts();
        let mut before = texts[..at].concat();
        // A byte order mark stays the first thing of the file: within it, it would be text.
        if at == 0
            && let Some(first) = texts.first_mut()
        {
            let marks = first.len() - first.trim_start_matches('\u{feff}').len();
            before.extend(first.drain(..marks));
        }
        let behind = texts[at..].concat();
        let mut out = String::new();
        before.push_str(&fences::closing(&before, newline));
        out.push_str(&before);
        if !before.is_empty() && !before.ends_with(&newline.repeat(2)) && before != newline {
            out.push_str(newline);
        }
        out.push_str(text);
        if !behind.is_empty() && !behind.starts_with(newline) {
            out.push_str(newline);
        }
        out.push_str(&behind);
        Notebook::parse(&out)
    }
}

/// The block with another body (and name), its marks long enough, everything else as it was.
fn fenced(block: &str, rename: Option<(&Cell, &str)>, body: &str, newline: &str) -> String {
    let mut lines = block.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    let last = lines.next_back().unwrap_or("```");
    let mark = first.chars().next().unwrap_or('`');
    let old = first.len() - first.trim_start_matches(mark).len();
    let mut body = with_newlines(body, newline);
    if !body.is_empty() && !body.ends_with('\n') {
        body.push_str(newline);
    }
    let marks = fences::marks_for(&body, mark, old);
    let mut info = first[old..].to_string();
    if let Some((cell, new)) = rename {
        // The name is the second word; the kind holds no space.
        if let Some(at) = info.find(cell.kind.name()).map(|at| at + cell.kind.name().len())
            && let Some(found) = info[at..].find(&cell.name).map(|i| at + i)
        {
            info.replace_range(found..found + cell.name.len(), new);
        }
    }
    let close = if marks.len() == old { last.to_string() } else { marks.clone() + ending(last) };
    format!("{marks}{info}{body}{close}")
}

fn ending(line: &str) -> &str {
    &line[line.trim_end_matches(['\n', '\r']).len()..]
}

fn with_newlines(text: &str, newline: &str) -> String {
    let plain = text.replace("\r\n", "\n");
    if newline == "\n" { plain } else { plain.replace('\n', newline) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "---\nrecscope: 1\n---\n# Title\n\n```sql a\nSELECT 1\n```\n\nbetween\n\n~~~~score b x=1\nfrom = \"a\"\n~~~~\n\nend";

    fn names(notebook: &Notebook) -> Vec<&str> {
        notebook.cells().map(|cell| cell.name.as_str()).collect()
    }

    #[test]
    fn a_new_body_changes_only_its_block() {
        let old = Notebook::parse(TWO);
        let new = old.set_body("a", "SELECT 2");
        assert_eq!(new.print(), TWO.replace("SELECT 1", "SELECT 2"));
        assert_eq!(old.set_body("b", "from = \"a\"\n").print(), TWO);
        assert_eq!(old.set_body("missing", "x").print(), TWO);
    }

    /// A byte order mark within a file is text: the fence behind it is none, and another one is open.
    #[test]
    fn marks_within_a_file_close_no_fence() {
        let old = Notebook::parse("```sql x\n```\n---\n---\n```sql a\n````\n");
        for block in (0..old.blocks().len()).filter(|block| old.blocks()[*block].cell().is_none()) {
            for prose in ["\u{feff}```sql a\n~~~~metrics b\n", "---\n```sql b\n---\n~~~\n"] {
                let new = old.set_prose(block, prose);
                assert!(
                    new.cell("a").is_some_and(|cell| cell.body == old.cell("a").unwrap().body),
                    "{}",
                    new.print()
                );
                let new = old.insert_prose(Some(block), prose);
                assert!(new.cells().any(|cell| cell.name == "a"), "{}", new.print());
            }
        }
    }

    #[test]
    fn fences_grow_around_marks() {
        let new = Notebook::parse(TWO).set_body("a", "SELECT '\n```\n'\n");
        assert_eq!(names(&new), ["a", "b"]);
        assert_eq!(new.cell("a").unwrap().body, "SELECT '\n```\n'\n");
        assert!(new.print().contains("````sql a\n"));
    }

    #[test]
    fn cells_are_inserted_with_room_around() {
        let notebook = Notebook::parse("# T\n").append(Kind::Sql, "a", "SELECT 1");
        assert_eq!(notebook.print(), "# T\n\n```sql a\nSELECT 1\n```\n");
        let notebook = notebook.append(Kind::Check, "c", "check = []\n");
        assert_eq!(names(&notebook), ["a", "c"]);
        let notebook = Notebook::parse(TWO).insert(None, Kind::Sql, "first", "SELECT 0\n");
        assert_eq!(names(&notebook), ["first", "a", "b"]);
        assert!(notebook.print().ends_with("\nend"));
        assert_eq!(Notebook::parse("").append(Kind::Sql, "a", "").print(), "```sql a\n```\n");
        let open = Notebook::parse("```text\nopen").append(Kind::Sql, "a", "SELECT 1\n");
        assert_eq!(names(&open), ["a"]);
        assert_eq!(names(&Notebook::parse("").append(Kind::Sql, "a b", "")), ["a_b"]);
    }

    #[test]
    fn prose_cannot_swallow_cells() {
        let notebook = Notebook::parse(TWO);
        let changed = notebook.set_prose(1, "new\n```text\nnever closed");
        assert_eq!(names(&changed), ["a", "b"]);
        assert!(changed.print().contains("new\n```text\nnever closed\n```\n```sql a"));
        assert_eq!(notebook.set_prose(5, "no newline").print(), TWO.replace("\nend", "no newline"));
        assert_eq!(names(&notebook.insert_prose(Some(2), "~~~ x")), ["a", "b"]);
    }

    #[test]
    fn cells_are_removed_moved_and_renamed() {
        let notebook = Notebook::parse(TWO);
        let a = notebook.cell("a").unwrap().block;
        let removed = notebook.remove(a);
        assert_eq!(names(&removed), ["b"]);
        assert!(removed.print().contains("# Title\n\nbetween\n"), "{}", removed.print());
        let moved = notebook.move_block(a, false);
        assert_eq!(names(&moved), ["b", "a"]);
        assert_eq!(names(&moved.move_block(moved.cell("a").unwrap().block, true)), ["a", "b"]);
        assert_eq!(notebook.move_block(a, true), notebook);
        let renamed = notebook.rename_cell("b", "重排");
        assert!(renamed.print().contains("~~~~score 重排 x=1\n"));
        assert_eq!(notebook.rename_cell("b", "not ok"), notebook);
        let same = Notebook::parse("```sql sql\nSELECT 1\n```\n").rename_cell("sql", "q");
        assert_eq!(same.print(), "```sql q\nSELECT 1\n```\n");
    }

    #[test]
    fn windows_files_stay_windows_files() {
        let text = TWO.replace('\n', "\r\n");
        let notebook =
            Notebook::parse(&text).set_body("a", "SELECT 2\nFROM x").append(Kind::Sql, "c", "a\nb");
        assert!(!notebook.print().replace("\r\n", "").contains('\n'));
        assert_eq!(names(&notebook), ["a", "b", "c"]);
    }
}
