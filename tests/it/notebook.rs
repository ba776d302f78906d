//! Notebooks as files: what is not ours stays byte for byte, edits touch their own block only, and
//! broken ones are told, never refused.

use proptest::prelude::*;
use recscope::notebook::{Kind, Notebook};

use crate::support::repo;

fn piece() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("```sql a".to_string()),
        Just("```sql 坏查询 x=1".to_string()),
        Just("~~~~metrics b".to_string()),
        Just("```".to_string()),
        Just("~~~~".to_string()),
        Just("````".to_string()),
        Just("```python".to_string()),
        Just("   ```check c".to_string()),
        Just("---".to_string()),
        Just("recscope: 1".to_string()),
        Just("params: { k: 10".to_string()),
        Just("from = \"a\"".to_string()),
        Just("SELECT * FROM b WHERE x = {{k}}".to_string()),
        Just("<!--".to_string()),
        Just("-->".to_string()),
        Just("\u{feff}".to_string()),
        Just("跑鞋 👟 \u{202e}\u{1b}[31m".to_string()),
        "[ -~]{0,20}",
    ];
    let ending = prop_oneof![4 => Just("\n"), 1 => Just("\r\n"), 1 => Just("")];
    (line, ending).prop_map(|(line, ending)| line + ending)
}

fn notebook_text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_prints_as_it_was(text in any::<String>()) {
        let notebook = Notebook::parse(&text);
        prop_assert_eq!(notebook.print(), text);
        notebook.diagnostics();
    }

    #[test]
    fn any_notebook_prints_as_it_was(text in notebook_text()) {
        let notebook = Notebook::parse(&text);
        prop_assert_eq!(notebook.print(), text);
        // Looking for faults, specs and orders never panics, whatever the text.
        for fault in notebook.diagnostics() {
            prop_assert!(fault.line >= 1 && fault.column >= 1);
        }
        let graph = notebook.graph(&notebook.params(&[]).0);
        prop_assert!(graph.order().len() <= notebook.cells().count());
    }

    #[test]
    fn a_new_body_touches_only_its_block(text in notebook_text(), body in any::<String>()) {
        let old = Notebook::parse(&text);
        let Some(cell) = old.cells().last().filter(|c| old.cell(&c.name).map(|f| f.block) == Some(c.block)) else {
            return Ok(());
        };
        let new = old.set_body(&cell.name, &body);
        prop_assert_eq!(new.blocks().len(), old.blocks().len());
        for (i, (a, b)) in old.blocks().iter().zip(new.blocks()).enumerate() {
            prop_assert!(i == cell.block || a.text == b.text);
        }
        let plain = |text: &str| text.replace("\r\n", "\n").trim_end_matches(['\n', '\r']).to_string();
        prop_assert_eq!(plain(&new.cell(&cell.name).unwrap().body), plain(&body));
    }

    #[test]
    fn inserting_keeps_every_cell(text in notebook_text(), after in 0usize..10, body in "[ -~\n]{0,60}") {
        let old = Notebook::parse(&text);
        let after = (after < old.blocks().len()).then_some(after);
        let name = old.unique_name("neu");
        let new = old.insert(after, Kind::Sql, &name, &body);
        // A cell that was never closed is closed by what is put behind it, and so becomes one.
        prop_assert!(new.cells().count() > old.cells().count(), "{}", new.print());
        prop_assert!(new.cell(&name).is_some());
        for cell in old.cells() {
            prop_assert!(new.cells().any(|c| c.name == cell.name && c.body == cell.body));
        }
    }

    #[test]
    fn prose_never_swallows_cells(text in notebook_text(), prose in notebook_text()) {
        let old = Notebook::parse(&text);
        for block in old.blocks().iter().enumerate().filter(|(_, b)| b.cell().is_none()).map(|(i, _)| i) {
            let new = old.set_prose(block, &prose);
            for cell in old.cells() {
                prop_assert!(
                    new.cells().any(|c| c.name == cell.name && c.body == cell.body),
                    "{:?} lost in {:?}", cell.name, new.print()
                );
            }
        }
    }
}

#[test]
fn the_shipped_notebooks_have_no_fault() {
    for name in ["demo.md", "chorus.md"] {
        let text = std::fs::read_to_string(repo("queries/notebooks").join(name)).unwrap();
        let notebook = Notebook::parse(&text);
        assert_eq!(notebook.print(), text);
        let faults: Vec<String> = notebook.diagnostics().iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
        assert!(notebook.cells().count() >= 3, "{name}");
    }
}

#[test]
fn one_broken_notebook_tells_every_fault_where_it_is() {
    let text = "---\nrecscope: 1\nparms: { k: 10 }\nsources:\n  logs: a.parquet\n---\n\
        ```sql a\nSELECT * FROM logz\n```\n\n\
        ```metrics q\nfrom = \"logs\nshow = 3\n```\n\n\
        ```metrics a\nfrom = \"logs\"\n```\n\n\
        ```sql x\nFROM y\n```\n```sql y\nFROM x\n```\n\n\
        ```drift d\n```\n";
    let notebook = Notebook::parse(text);
    let faults: Vec<String> = notebook.diagnostics().iter().map(ToString::to_string).collect();
    let all = faults.join("\n");
    for wanted in [
        "3:1: the front matter has no key `parms` (did you mean `params`?)",
        "8:15: a: there is no cell or source `logz` (did you mean `logs`?)",
        "q: not valid TOML",
        "16:1: a: the name `a` is taken by the sql cell of line 7",
        "cells read each other in a circle: x reads y reads x",
        "27:1: d: `drift` cells are reserved for a later version",
    ] {
        assert!(all.contains(wanted), "{wanted}\n--- in ---\n{all}");
    }
    assert_eq!(notebook.print(), text);
}

#[test]
fn huge_and_hostile_texts_are_quick() {
    let lines = 60_000;
    for unit in
        ["```sql a\n", "<!--\n", "{{", "(", "'", "~~~\n", "```sql a\nSELECT '\n```\n", "- [ ](\n", "\r"]
    {
        let text = unit.repeat(lines);
        assert_eq!(Notebook::parse(&text).print(), text);
    }
    let deep = format!(
        "```sql a\n{}\n```\n```check b\ncheck = \"{}\"\n```\n",
        "(".repeat(200_000),
        "(".repeat(50_000)
    );
    Notebook::parse(&deep).diagnostics();
    let yaml = format!("---\n{}\n---\n", "[".repeat(100_000));
    assert!(!Notebook::parse(&yaml).diagnostics().is_empty());
    let toml = format!("```metrics a\nfrom = {}\n```\n", "[".repeat(100_000));
    assert!(!Notebook::parse(&toml).diagnostics().is_empty());
}

/// The list of words that cannot name a table is the database's own.
#[test]
fn reserved_words_are_duckdbs() {
    use recscope::notebook::reserved::RESERVED;
    let db = duckdb::Connection::open_in_memory().unwrap();
    let fails = |word: &str| {
        db.execute_batch(&format!("CREATE OR REPLACE TABLE \"{word}\" AS SELECT 1")).unwrap();
        db.execute_batch(&format!("SELECT * FROM {word}")).is_err()
    };
    let mut listed = db.prepare("SELECT keyword_name FROM duckdb_keywords() ORDER BY 1").unwrap();
    let words: Vec<String> = listed.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let found: Vec<&str> = words.iter().map(String::as_str).filter(|word| fails(word)).collect();
    assert_eq!(found, RESERVED);
}

#[test]
fn a_cell_named_like_a_word_of_sql_is_told() {
    let notebook = Notebook::parse("```sql cross\nSELECT 1\n```\n");
    let all = notebook.diagnostics();
    assert!(all.iter().any(|d| d.message.contains("word of SQL") && !d.is_error()), "{all:?}");
}
