//! Answers of menus and prompts.

use crate::screen::app::menu::{Purpose, Question};
use crate::screen::app::update::key;
use crate::screen::app::{App, Code, Effect, Key, Mode};

pub fn key(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    let Mode::Menu(menu) = &mut app.mode else { return };
    match (key.code, key.ctrl) {
        (Code::Esc, _) => app.mode = Mode::Normal,
        (Code::Up, _) | (Code::Char('p'), true) | (Code::BackTab, _) => menu.step(-1),
        (Code::Down, _) | (Code::Char('n'), true) | (Code::Tab, _) => menu.step(1),
        (Code::PageUp, _) => menu.selected = menu.selected.saturating_sub(10),
        (Code::PageDown, _) => {
            menu.selected = (menu.selected + 10).min(menu.matches().len().saturating_sub(1))
        }
        (Code::Enter, _) => {
            if let Some(value) = menu.choice() {
                let purpose = menu.purpose.clone();
                app.mode = Mode::Normal;
                choose(app, &purpose, &value, effects);
            }
        }
        _ => {
            if key::line(&mut menu.typed, key) {
                menu.selected = 0;
            }
        }
    }
}

fn choose(app: &mut App, purpose: &Purpose, value: &str, effects: &mut Vec<Effect>) {
    match purpose {
        Purpose::Command => super::palette::run(app, value, effects),
        Purpose::AddCell => super::cells::add(app, value, effects),
        Purpose::Model => super::score::with_model(app, value, effects),
        Purpose::Quit => super::quit::answered(app, value, effects),
        Purpose::Overwrite => super::save::overwrite_answered(app, value, effects),
        Purpose::Outside => super::outside::answered(app, value, effects),
        Purpose::Holder => super::sessions::answered(app, value, effects),
        Purpose::Recover => super::recover::chosen(app, value, effects),
        Purpose::Discard => super::recover::ask_surely(app, value),
        Purpose::DiscardSurely => super::recover::discard(app, value, effects),
    }
}

pub fn answer(app: &mut App, question: Question, answer: String, effects: &mut Vec<Effect>) {
    match question {
        Question::Find => super::find::answered(app, answer),
        Question::SavePath => super::save::path_answered(app, &answer, effects),
        Question::GoToRow => super::rows::answered(app, &answer),
        Question::RenameCell => super::cells::renamed(app, &answer, effects),
    }
}
