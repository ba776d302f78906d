//! Looking at two texts compared: scrolling, and what to do with the other one.

use super::{outside, recover};
use crate::screen::app::{About, App, Code, Comparison, Diff, Effect, Key, Mode, help};

pub fn open(app: &mut App, about: About, comparison: Comparison) {
    // Another question came first: `:recover` and `:changed file` ask again.
    if app.mode == Mode::Normal {
        app.mode = Mode::Diff(Box::new(Diff { about, comparison, scroll: 0 }));
        app.redraw = true;
    }
}

pub fn key(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    let rows = usize::from(help::height(app)).max(2);
    let Mode::Diff(diff) = &mut app.mode else { return };
    // A long line takes several rows, so the last one may come up to the middle.
    let last = diff.comparison.lines.len().saturating_sub(rows / 2);
    match (key.code, &diff.about) {
        (Code::Up | Code::Char('k'), _) => diff.scroll = diff.scroll.saturating_sub(1),
        (Code::Down | Code::Char('j'), _) => diff.scroll = (diff.scroll + 1).min(last),
        (Code::PageUp, _) => diff.scroll = diff.scroll.saturating_sub(rows - 1),
        (Code::PageDown | Code::Char(' '), _) => diff.scroll = (diff.scroll + rows - 1).min(last),
        (Code::Home | Code::Char('g'), _) => diff.scroll = 0,
        (Code::End | Code::Char('G'), _) => diff.scroll = last,
        (Code::Esc | Code::Char('q'), _) => app.mode = Mode::Normal,
        (Code::Enter | Code::Char('t'), About::Kept(kept)) => {
            let kept = kept.clone();
            app.mode = Mode::Normal;
            recover::take(app, kept, effects);
        }
        (Code::Char('d'), About::Kept(kept)) => {
            let name = kept.name.clone();
            recover::ask_surely(app, &name);
        }
        (Code::Char('t'), About::File) => {
            app.mode = Mode::Normal;
            outside::answered(app, "theirs", effects);
        }
        (Code::Char('m'), About::File) => {
            app.mode = Mode::Normal;
            outside::answered(app, "mine", effects);
        }
        _ => {}
    }
}
