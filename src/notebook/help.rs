//! The CELLS table as text: help for one kind, and the pages of `recscope docs cells`.

use super::cells::{CELLS, CellDef, def};
use super::front;
use super::{Kind, cells};

/// Markdown for one kind: what it is, its keys, an example.
pub fn cell_help(kind: Kind) -> String {
    let entry = def(kind);
    if !kind.is_ready() {
        return format!("## {kind}\n\n{}\n", entry.summary);
    }
    let mut text = format!("## {kind}\n\n{}.\n\nResult: {}.\n\n", sentence(entry.summary), entry.result);
    text.push_str(&keys_table(entry));
    text.push_str(&format!("```{kind} name\n{}```\n", entry.example));
    text
}

/// Markdown for all kinds and the front matter.
pub fn cells_help() -> String {
    let mut text = String::from(
        "# Cells\n\nA fenced block whose first line is ```` ```KIND NAME [key=value ...] ```` is a cell. \
         A `sql` cell holds SQL, every other kind TOML. A cell's result is a table with the cell's \
         name, which later cells read. `{{name}}` is a parameter of the front matter.\n\n",
    );
    text.push_str(HEADS);
    text.push_str("## Front matter\n\n| key | holds |\n|---|---|\n");
    for (key, doc) in front::KEYS {
        text.push_str(&format!("| `{key}` | {doc} |\n"));
    }
    text.push_str("\nRoles of `schema`:\n\n| role | column |\n|---|---|\n");
    for (role, doc) in front::ROLES {
        text.push_str(&format!("| `{role}` | {doc} |\n"));
    }
    text.push('\n');
    for entry in &CELLS {
        text.push_str(&cell_help(entry.kind));
        text.push('\n');
    }
    let reserved: Vec<String> =
        Kind::ALL.into_iter().filter(|kind| !kind.is_ready()).map(|kind| format!("`{kind}`")).collect();
    text.push_str(&format!("Reserved for later versions: {}.\n", reserved.join(", ")));
    text
}

const HEADS: &str = "\
A fence whose first word is a kind, or one letter from one, and whose first line is not of that form is \
an error: a misnamed `check` would otherwise be a gate that is off. So is a cell that is indented, stands in a \
list or a quote, or lies behind a fence that was not closed; a name that is taken; a `check` cell that checks \
nothing. `recscope run` then runs nothing and exits 2.

Two forms are shown and not run, with a warning: ```` ```sql ```` without a name, which is how Markdown shows \
SQL everywhere, and a fence that is indented by four blanks or a tab, which Markdown shows as code. Names of other \
languages (`psql`, `chat`, `python`) are left alone. To show a cell instead of running it, put longer marks around it.

";

/// Key, doc and default of each key of a kind, for a help overlay.
pub fn key_lines(kind: Kind) -> Vec<(String, String)> {
    let line = |key: &cells::KeyDef| {
        let tail = match (key.required, key.default) {
            (true, _) => " (required)".to_string(),
            (_, Some(default)) => format!(" (default: {default})"),
            _ => String::new(),
        };
        (key.example(), format!("{}{tail}", key.doc))
    };
    def(kind).keys().map(line).collect()
}

fn keys_table(entry: &CellDef) -> String {
    if entry.groups.is_empty() {
        return String::new();
    }
    let mut text = String::from("| key | takes | default | |\n|---|---|---|---|\n");
    for key in entry.keys() {
        let default = if key.required { "required" } else { key.default.unwrap_or("") };
        let row = format!("| `{}` | {} | {default} | {} |\n", key.name, key.ty.describe(), key.doc);
        text.push_str(&row);
    }
    text.push('\n');
    text
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_key_is_documented() {
        let text = cells_help();
        for kind in Kind::ALL {
            assert!(text.contains(kind.name()), "{kind}");
            for (_, doc) in key_lines(kind) {
                assert!(!doc.is_empty());
            }
        }
        assert!(cell_help(Kind::Fairness).contains("`min_support`"));
        assert!(cell_help(Kind::Drift).contains("reserved"));
    }
}
