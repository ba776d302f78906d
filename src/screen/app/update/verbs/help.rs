//! The `?` help.

use crate::screen::app::{App, Code, Effect, Key, Mode, help};

pub fn open(app: &mut App, _: &mut Vec<Effect>) {
    app.mode = Mode::Help { scroll: 0 };
}

pub fn key(app: &mut App, key: Key) {
    let page = usize::from(help::height(app)).max(2) - 1;
    let last = help::last(app);
    let Mode::Help { scroll } = &mut app.mode else { return };
    match key.code {
        Code::Up | Code::Char('k') => *scroll = scroll.saturating_sub(1).min(last),
        Code::Down | Code::Char('j') => *scroll = (*scroll + 1).min(last),
        Code::PageUp => *scroll = scroll.saturating_sub(page),
        Code::PageDown | Code::Char(' ') => *scroll = (*scroll + page).min(last),
        Code::Home | Code::Char('g') => *scroll = 0,
        Code::End | Code::Char('G') => *scroll = last,
        _ => app.mode = Mode::Normal,
    }
}
