//! The registry equals the files on disk, and every file carries its contract.

use std::collections::BTreeSet;

use recscope::engine::store::{queries, query};

use crate::support::repo;

#[test]
fn the_registry_is_what_lies_on_disk() {
    let mut on_disk = BTreeSet::new();
    for family in std::fs::read_dir(repo("queries")).unwrap().flatten().filter(|e| e.path().is_dir()) {
        for file in std::fs::read_dir(family.path()).unwrap().flatten() {
            let path = file.path();
            if path.extension().is_some_and(|e| e == "sql") {
                let family = family.file_name().into_string().unwrap();
                on_disk.insert(format!("{family}/{}", path.file_stem().unwrap().to_string_lossy()));
            }
        }
    }
    let registered: BTreeSet<String> = queries().map(|q| q.id.to_owned()).collect();
    assert_eq!(registered, on_disk);
    assert_eq!(registered.len(), queries().count(), "an id is registered twice");
}

#[test]
fn every_file_begins_with_its_contract() {
    for q in queries() {
        let header: Vec<&str> = q.file.lines().take_while(|line| line.starts_with("--")).collect();
        let mut from = 0;
        for key in ["id", "params", "reads", "returns", "grain"] {
            let start = format!("-- {key}:");
            let found = header.iter().skip(from).position(|line| line.starts_with(&start));
            from += 1 + found.unwrap_or_else(|| panic!("{}: no line `{start}...` in its place", q.id));
        }
        assert!(header[0].starts_with("-- id: "), "{}: the id comes first", q.id);
        assert_eq!(q.header("id"), Some(q.id));
        let text = q.text();
        assert!(!text.trim().is_empty() && !text.contains(';'), "{}: one statement, without `;`", q.id);
    }
    assert!(query("store/relations").is_ok());
}
