//! Whether the notebook on screen may run, and the panel that asks: what it would read and write, as
//! lines. The survey is made outside (it looks where paths lead); the answer is a verb.

use super::App;
use super::help::{HelpLine, KEY_COLUMNS};
use crate::trust::{Access, Finding, Survey, What, shown};

/// How far the notebook is trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Level {
    /// Its folder is trusted, or recscope made it.
    #[default]
    Full,
    /// Text only: no engine has been started for it.
    Inert,
    /// It runs, within the limits that the survey shows.
    Limited,
}

/// What a DuckDB file holds that may read further files, or why that is not known.
pub type Inspected = (String, Result<Vec<String>, String>);

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trust {
    pub level: Level,
    /// What it names, as it stood when the notebook was opened or the panel was last asked for.
    pub survey: Survey,
    /// Views and macros of the DuckDB files that it names.
    pub inspected: Vec<Inspected>,
    /// Every user of the machine may put files into its folder.
    pub open_to_all: bool,
    /// The engine was ended to be started with another access: no fault.
    pub restarting: bool,
}

impl Trust {
    /// What an engine for it may touch.
    pub fn access(&self) -> Access {
        match self.level {
            Level::Full => Access::Everything,
            Level::Inert | Level::Limited => Access::Limited(self.survey.limits.clone()),
        }
    }
}

/// Columns inside the panel's box.
pub fn width(app: &App) -> u16 {
    app.width.saturating_sub(6).min(100)
}

/// Lines inside the panel's box.
pub fn height(app: &App) -> u16 {
    let needed = u16::try_from(lines(app).len()).unwrap_or(u16::MAX);
    app.height.saturating_sub(4).min(needed)
}

/// How far it can be scrolled.
pub fn last(app: &App) -> usize {
    lines(app).len().saturating_sub(usize::from(height(app)))
}

/// The panel's lines: the answers first, because they must be seen at any size.
pub fn lines(app: &App) -> Vec<HelpLine> {
    let room = usize::from(width(app)).saturating_sub(KEY_COLUMNS + 1).max(12);
    let mut lines = Vec::new();
    let mut row = |keys: &str, words: &str| lines.extend(wrapped(keys, words, room));
    row("r", "run it once, within what is listed here; the rest is refused");
    let folder = app.base.display();
    match app.trust.open_to_all {
        true => row(
            "t",
            &format!(
                "trust this folder and all below it: {folder} — every user of this machine may put notebooks there"
            ),
        ),
        false => row("t", &format!("trust this folder and all below it: {folder}")),
    }
    if app.path.is_some() {
        row("n", "trust only this notebook, not its neighbours");
    }
    row("Esc", "only read and edit it; nothing runs (`:trust` asks again)");
    let mut reads: Vec<&Finding> =
        app.trust.survey.findings.iter().filter(|f| f.what != What::Output).collect();
    // What a reader must see comes first, whatever fits.
    reads.sort_by_key(|f| (!f.refused, !f.outside));
    lines.push(HelpLine::Blank);
    let count = |is: fn(&Finding) -> bool| app.trust.survey.findings.iter().filter(|f| is(f)).count();
    let (outside, refused) = (count(|f| f.outside), count(|f| f.refused));
    if outside + refused > 0 {
        let sum = format!("{} named, {outside} outside its folder, {refused} refused", reads.len());
        lines.extend(wrapped("in all", &sum, room));
    }
    lines.push(HelpLine::Title("It would read"));
    lines.extend(match app.trust.survey.limits.only_named {
        true => wrapped("its folder", "only what is listed here: views of a DuckDB file read with it", room),
        false => wrapped("its folder", &format!("{folder} and below"), room),
    });
    for finding in reads {
        lines.extend(finding_lines(app, finding, room));
    }
    lines.push(HelpLine::Blank);
    lines.push(HelpLine::Title("It would write"));
    let sidecar = match app.trust.survey.sidecar.as_str() {
        "" => "results, once it is saved",
        folder => folder,
    };
    lines.extend(wrapped("results", sidecar, room));
    for finding in app.trust.survey.findings.iter().filter(|f| f.what == What::Output) {
        lines.extend(finding_lines(app, finding, room));
    }
    lines
}

fn finding_lines(app: &App, finding: &Finding, room: usize) -> Vec<HelpLine> {
    let key = match finding.what {
        What::Source => "source",
        What::Database => "DuckDB file",
        What::Model => "model",
        What::SqlFile => "file in SQL",
        What::Url => "URL",
        What::Output => "folder",
    };
    let path = match (finding.path.as_str(), finding.what) {
        ("", _) => "a file whose name is computed when the cell runs".to_owned(),
        (url, What::Url) => url.to_owned(),
        (path, _) => shown(&app.trust.survey.limits.locate(path), &app.base),
    };
    let mut words = format!("{path}  ({})", finding.by);
    if finding.outside {
        words.push_str(" — outside its folder");
    }
    if finding.refused {
        words.push_str(" — refused unless trusted");
    }
    let mut lines = wrapped(key, &words, room);
    if finding.what == What::Database {
        for (_, held) in app.trust.inspected.iter().filter(|(path, _)| *path == finding.path) {
            match held {
                Ok(held) => lines.extend(held.iter().flat_map(|line| wrapped("", line, room))),
                Err(why) => lines.extend(wrapped("", &format!("its views are not known: {why}"), room)),
            }
        }
    }
    lines
}

/// Words in lines of `room` characters, the key before the first. A word that is longer is cut in pieces.
fn wrapped(keys: &str, words: &str, room: usize) -> Vec<HelpLine> {
    let mut rows: Vec<HelpLine> = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    let mut keys = keys.to_owned();
    let mut end = |line: &mut String| {
        rows.push(HelpLine::Row { keys: std::mem::take(&mut keys), words: std::mem::take(line) });
    };
    // Characters beyond ASCII are taken to be wide: a line may end early, never late.
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    for word in words.split_inclusive(' ') {
        let long: usize = word.trim_end().chars().map(wide).sum();
        if used > 0 && used + long > room {
            end(&mut line);
            used = 0;
        }
        for c in word.chars() {
            if used + wide(c) > room {
                end(&mut line);
                used = 0;
            }
            line.push(c);
            used += wide(c);
        }
    }
    end(&mut line);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Limits;

    fn told(app: &App) -> String {
        let told = |line: HelpLine| match line {
            HelpLine::Title(words) => words.to_owned(),
            HelpLine::Row { keys, words } => format!("{keys}: {words}"),
            HelpLine::Blank => String::new(),
        };
        lines(app).into_iter().map(told).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn everything_it_names_is_listed_with_what_becomes_of_it() {
        let finding = |what, path: &str, by: &str, outside, refused| Finding {
            what,
            path: path.into(),
            by: by.into(),
            line: 1,
            outside,
            refused,
        };
        let survey = Survey {
            findings: vec![
                finding(What::Source, "日志.csv", "imps", false, false),
                finding(What::Database, "/x/log.duckdb", "log", true, false),
                finding(What::SqlFile, "/etc/passwd", "q", true, true),
                finding(What::SqlFile, "", "q", false, false),
                finding(What::Output, "../out", "t", true, true),
            ],
            limits: Limits { base: "/w".into(), ..Limits::default() },
            sidecar: ".n.cells/".into(),
        };
        let trust = Trust {
            level: Level::Inert,
            survey,
            inspected: vec![("/x/log.duckdb".into(), Ok(vec!["view v: SELECT 1".into()]))],
            ..Trust::default()
        };
        let app = App {
            trust,
            base: "/w".into(),
            path: Some("/w/n.md".into()),
            width: 120,
            height: 50,
            ..App::default()
        };
        let told = told(&app);
        for line in [
            "source: 日志.csv  (imps)\n",
            "DuckDB file: /x/log.duckdb  (log) — outside its folder\n: view v: SELECT 1\n",
            "file in SQL: /etc/passwd  (q) — outside its folder — refused unless trusted\n",
            "file in SQL: a file whose name is computed when the cell runs  (q)\n",
            "results: .n.cells/\nfolder: ../out  (t) — outside its folder — refused unless trusted",
            "n: trust only this notebook",
        ] {
            assert!(told.contains(line), "{line:?} is not in\n{told}");
        }
        assert!(app.trust.access().is_limited());
    }

    #[test]
    fn a_path_without_blanks_is_cut_and_not_lost() {
        let rows = wrapped("k", &"x".repeat(25), 10);
        assert_eq!(rows.len(), 3);
        let all: String = wrapped("k", "a跑鞋日志/很长的中文目录名称用来测试", 9)
            .iter()
            .map(|row| match row {
                HelpLine::Row { words, .. } => {
                    let columns: usize = words.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
                    assert!(columns <= 9, "{words}");
                    words.as_str()
                }
                HelpLine::Title(_) | HelpLine::Blank => "",
            })
            .collect();
        assert_eq!(all, "a跑鞋日志/很长的中文目录名称用来测试");
    }
}
