//! A new notebook over data files: its first cell is shown by itself, and the roles guessed from what
//! came back are written into the front matter as guesses, so that short cells can use them.

use super::run;
use crate::notebook::{fresh, roles};
use crate::screen::app::{App, Document, Effect, Mode, Opening, Tone};

/// Whether a notebook is new, names data, and leaves its columns' roles open.
pub fn are_wanted(opening: &Opening, doc: &Document) -> bool {
    let front = doc.notebook().front();
    opening.on_disk.is_none() && !front.sources.is_empty() && front.schema.pairs().is_empty()
}

/// Whoever opens data wants to see it: the first cell runs without being asked.
pub fn show(app: &mut App, effects: &mut Vec<Effect>) {
    let first = app.doc.notebook().cells().next().map(|cell| cell.name.clone());
    if let Some(first) = first.filter(|_| app.guessing && app.runs.is_empty()) {
        run::start(app, vec![first], effects);
    }
}

/// Once the first cell's columns are known. Not while a block is edited: the next job brings it up again.
pub fn adopt(app: &mut App, effects: &mut Vec<Effect>) {
    if !app.guessing || app.sessions.watching || matches!(app.mode, Mode::Edit(_)) {
        return;
    }
    let hints: Vec<roles::ColumnHint> = {
        let Some(first) = app.doc.notebook().cells().next() else { return };
        let outcome = app.run(&first.name).and_then(|run| run.outcome.as_ref());
        let Some(info) = outcome.and_then(|outcome| outcome.relation.as_ref()) else { return };
        let hint = |c: &crate::protocol::Column| roles::ColumnHint {
            name: c.name.clone(),
            sql_type: c.sql_type.clone(),
        };
        info.columns.iter().map(hint).collect()
    };
    app.guessing = false;
    let front = app.doc.notebook().front();
    if !front.schema.pairs().is_empty() || front.sources.is_empty() {
        return;
    }
    let text = app.doc.text();
    let Some(with) = fresh::with_schema(&text, &roles::guess(&hints)) else { return };
    if text == app.opened {
        // Still nobody's work: nothing to undo, nothing to lose.
        app.doc = Document::with_params(&with, app.params.clone());
        (app.opened, app.journaled) = (with.clone(), Some(with));
    } else {
        app.doc.change(with);
    }
    run::sync(app, effects);
    app.say(Tone::Info, "roles marked ? are guesses; `settings` holds them: correct what is wrong");
}

#[cfg(test)]
mod tests {
    use crate::protocol::{Request, RowCount};
    use crate::screen::app::fake::{self, Driver};

    const NEW: &str =
        "---\nrecscope: 1\nsources:\n  日志: 日志.csv\n---\n\n```sql rows_of\nSELECT * FROM 日志\n```\n";

    fn info(cell: &str) -> crate::protocol::RelationInfo {
        let columns = [("搜索词", "VARCHAR"), ("商品", "VARCHAR"), ("位置", "BIGINT")];
        let columns = columns.map(|(name, kind)| fake::column(name, kind, None)).to_vec();
        crate::protocol::RelationInfo { name: cell.into(), rows: RowCount::Exact(3), columns }
    }

    #[test]
    fn opened_data_is_shown_and_its_roles_are_guessed() {
        let mut d = Driver::unsaved(NEW);
        let ran = |r: &Request| matches!(r, Request::Run { cells, .. } if cells == &["rows_of"]);
        assert!(d.sent().iter().any(ran), "the first cell runs by itself");
        d.finish(info);
        let front = d.app.doc.notebook().front();
        assert_eq!(front.schema.query.as_deref(), Some("搜索词"));
        assert!(front.schema_guessed);
        assert!(d.app.run("rows_of").is_some_and(|r| r.is_fresh()), "guesses make nothing stale");
        assert!(!d.app.is_dirty_enough() && !d.app.journal_due(), "nobody's work yet");
    }
}
