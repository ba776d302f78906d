//! The `?` help as lines: every key that is heard, with what it does, under the place where it is heard.
//! Here and not in `ui`, because how far it scrolls depends on how many lines there are.

use super::App;
use super::commands::{self, COMMANDS, Places};

/// One line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    Title(&'static str),
    /// `keys` is empty where a sentence goes on.
    Row {
        keys: String,
        words: String,
    },
    Blank,
}

/// Columns for the keys of a row.
pub const KEY_COLUMNS: usize = 17;
/// Sentences longer than this are hard to read.
const WIDEST: u16 = 100;

const PLACES: [(&str, Places); 5] = [
    ("Everywhere", commands::PANES),
    ("In the notebook", commands::OUTLINE),
    ("In the result", commands::RESULT),
    ("In the detail", commands::DETAIL),
    ("In the editor", commands::EDITOR),
];

/// Columns inside the help's box.
pub fn width(app: &App) -> u16 {
    app.width.saturating_sub(6).min(WIDEST)
}

/// Lines inside the help's box.
pub fn height(app: &App) -> u16 {
    app.height.saturating_sub(4)
}

/// How far it can be scrolled.
pub fn last(app: &App) -> usize {
    lines(width(app)).len().saturating_sub(usize::from(height(app)))
}

/// All lines at a width.
pub fn lines(width: u16) -> Vec<HelpLine> {
    let room = usize::from(width).saturating_sub(KEY_COLUMNS + 1).max(12);
    let mut lines = Vec::new();
    for (at, (title, place)) in PLACES.iter().enumerate() {
        let heard = COMMANDS.iter().filter(|c| !c.keys.is_empty() && home(c.places) == at);
        let here = match *place {
            commands::PANES => commands::RESULT,
            place => place,
        };
        let rows: Vec<HelpLine> =
            heard.flat_map(|c| row(&commands::keys_here(c, here), c.doc, room)).collect();
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(HelpLine::Blank);
        }
        lines.push(HelpLine::Title(title));
        lines.extend(rows);
    }
    lines
}

/// The place under which a command stands: the first of those in which it is heard.
fn home(places: Places) -> usize {
    if places.covers(commands::PANES) {
        return 0;
    }
    PLACES.iter().skip(1).position(|(_, place)| places.contains(*place)).map_or(0, |at| at + 1)
}

fn row(keys: &str, doc: &str, room: usize) -> Vec<HelpLine> {
    let mut rows: Vec<HelpLine> = Vec::new();
    let mut line = String::new();
    let mut keys = keys.to_owned();
    for word in doc.split(' ') {
        if !line.is_empty() && line.len() + 1 + word.len() > room {
            rows.push(HelpLine::Row { keys: std::mem::take(&mut keys), words: std::mem::take(&mut line) });
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    rows.push(HelpLine::Row { keys, words: line });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_with_a_key_is_there_and_nothing_is_cut() {
        for width in [20, 74, 100] {
            let all = lines(width);
            let words: Vec<&str> = all
                .iter()
                .filter_map(|line| match line {
                    HelpLine::Row { words, .. } => Some(words.as_str()),
                    _ => None,
                })
                .collect();
            let said = words.join(" ");
            for command in COMMANDS.iter().filter(|c| !c.keys.is_empty()) {
                assert!(said.contains(command.doc), "{}", command.id);
            }
            if width > 60 {
                assert!(words.iter().all(|w| w.chars().count() + KEY_COLUMNS < usize::from(width)));
            }
        }
        let app = App { width: 80, height: 24, ..App::default() };
        assert_eq!(last(&app) + usize::from(height(&app)), lines(width(&app)).len());
        assert_eq!(last(&App { width: 200, height: 400, ..App::default() }), 0);
    }
}
