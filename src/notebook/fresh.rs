//! The first notebook over data files: sources, guessed roles as declared guesses, a cell that shows
//! the rows. Text only; nothing is opened here.

use super::roles::{ColumnHint, Guess, guess};

/// A data file and, where they are known already, its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataFile {
    /// As it shall stand in the front matter.
    pub path: String,
    pub columns: Vec<ColumnHint>,
}

/// The first cell runs by itself: a log of any size must open at once. The source has all rows.
const FIRST_ROWS: u32 = 1000;

/// The text of a new notebook over data files: one source per path, guessed roles, and a first cell
/// that shows the first of them.
pub fn new_notebook(files: &[DataFile]) -> String {
    let mut names: Vec<String> = Vec::new();
    for file in files {
        names.push(free_name(&source_name(&file.path), &names));
    }
    let mut text = String::from("---\nrecscope: 1\nsources:\n");
    for (file, name) in files.iter().zip(&names) {
        text.push_str(&format!("  {name}: {}\n", yaml_text(&file.path)));
    }
    let guesses = files.iter().map(|file| guess(&file.columns)).max_by_key(Vec::len).unwrap_or_default();
    text.push_str(&schema_text(&guesses));
    text.push_str("---\n\n");
    if let Some(name) = names.first() {
        let show = free_name(&format!("{name}_rows"), &names);
        text.push_str(&format!("```sql {show}\nSELECT * FROM {name} LIMIT {FIRST_ROWS}\n```\n\n"));
    }
    text.trim_end().to_string() + "\n"
}

/// The `schema` lines of guesses; unsure ones are comments.
pub fn schema_text(guesses: &[Guess]) -> String {
    if guesses.is_empty() {
        return String::new();
    }
    let sure = |guess: &&Guess| guess.confidence >= 0.5;
    let mut lines = String::new();
    for guess in guesses.iter().filter(|guess| guess.role != "text") {
        let mark = if sure(&guess) { "  " } else { "  # " };
        lines.push_str(&format!("{mark}{}: {}\n", guess.role, yaml_text(&guess.column)));
    }
    let texts: Vec<String> =
        guesses.iter().filter(|g| g.role == "text").filter(sure).map(|g| yaml_text(&g.column)).collect();
    if !texts.is_empty() {
        lines.push_str(&format!("  text: [{}]\n", texts.join(", ")));
    }
    let any = lines.lines().any(|line| !line.trim_start().starts_with('#'));
    let head = if any { "schema:" } else { "# schema:" };
    let note = "  # guessed from names and types: correct what is wrong";
    format!("{head}{note}\n{lines}")
}

/// A notebook's text with guesses at the end of its front matter; `None` where it has none to take them.
pub fn with_schema(text: &str, guesses: &[Guess]) -> Option<String> {
    let body = text.strip_prefix("---\n")?;
    let end = "---\n".len() + body.find("\n---\n")? + 1;
    let schema = schema_text(guesses);
    (!schema.is_empty()).then(|| format!("{}{schema}{}", &text[..end], &text[end..]))
}

/// A source's name from its path: the file's name without endings, or the folder's before a glob.
fn source_name(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let wild = |part: &str| part.contains(['*', '?', '[', '=']);
    let part = parts.iter().rev().find(|part| !wild(part)).copied().unwrap_or("data");
    let stem = part.split('.').find(|piece| !piece.is_empty()).unwrap_or("data");
    super::document::identifier(stem).to_lowercase()
}

fn free_name(base: &str, taken: &[String]) -> String {
    let free = |name: &String| !taken.iter().any(|t| t == name);
    let numbered = (2u32..).map(|n| format!("{base}_{n}"));
    std::iter::once(base.to_string()).chain(numbered).find(free).unwrap_or_else(|| base.to_string())
}

/// A YAML scalar that reads back as the text.
fn yaml_text(text: &str) -> String {
    let safe_start = text.chars().next().is_some_and(|c| c.is_alphanumeric() || "/._".contains(c));
    let safe = text.chars().all(|c| c.is_alphanumeric() || "/._-*=@+".contains(c));
    let reserved = text.parse::<f64>().is_ok()
        || ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if safe && safe_start && !reserved {
        return text.to_string();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::super::Notebook;
    use super::*;

    fn columns(list: &[(&str, &str)]) -> Vec<ColumnHint> {
        list.iter()
            .map(|(name, ty)| ColumnHint { name: name.to_string(), sql_type: ty.to_string() })
            .collect()
    }

    #[test]
    fn a_new_notebook_shows_the_first_file_and_reads_back() {
        let files = [
            DataFile {
                path: "logs/day=*/impressions-11.parquet".into(),
                columns: columns(&[("query", "VARCHAR"), ("sku", "BIGINT"), ("no", "INT")]),
            },
            DataFile { path: "日 志: a.csv".into(), columns: vec![] },
            DataFile { path: "x/impressions-11.csv".into(), columns: vec![] },
        ];
        let text = new_notebook(&files);
        let notebook = Notebook::parse(&text);
        assert_eq!(notebook.diagnostics(), [], "{text}");
        let names: Vec<&str> = notebook.front().sources.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["impressions_11", "日_志_a", "impressions_11_2"]);
        assert_eq!(notebook.front().sources[1].paths, ["日 志: a.csv"]);
        assert_eq!(notebook.front().schema.query.as_deref(), Some("query"));
        assert_eq!(notebook.cells().count(), 1);
        assert!(text.contains("guessed"));
    }

    #[test]
    fn guesses_found_later_are_written_as_guesses() {
        let bare = new_notebook(&[DataFile { path: "日志.csv".into(), columns: vec![] }]);
        let guesses = guess(&columns(&[("搜索词", "VARCHAR"), ("商品", "VARCHAR"), ("位置", "BIGINT")]));
        let notebook = Notebook::parse(&with_schema(&bare, &guesses).unwrap());
        assert_eq!(notebook.diagnostics(), []);
        assert_eq!(notebook.front().schema.query.as_deref(), Some("搜索词"));
        assert!(notebook.front().schema_guessed);
        assert_eq!(with_schema("no front", &guesses), None);
        assert_eq!(with_schema(&bare, &[]), None, "nothing guessed, nothing written");
    }

    #[test]
    fn awkward_paths_read_back() {
        for path in ["no", "1", "-x", "a#b: c", "q\"uote\\", "s3://b/*.parquet", "*.csv", "[x].csv"] {
            let text = new_notebook(&[DataFile { path: path.into(), columns: vec![] }]);
            let notebook = Notebook::parse(&text);
            assert_eq!(notebook.diagnostics(), [], "{text}");
            assert_eq!(notebook.front().sources[0].paths, [path], "{text}");
        }
    }
}
