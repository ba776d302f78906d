//! The bottom lines: what was said, the question asked, and the keys that work here.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use super::Look;
use crate::screen::app::commands;
use crate::screen::app::{App, Mode, Tone};
use crate::screen::ui::theme::Role;
use crate::screen::ui::widgets::help::Hints;
use crate::screen::ui::widgets::prompt::Prompt;
use crate::screen::ui::widgets::text;

pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let status = Rect { height: 1, ..area };
    let hints = Rect { y: area.bottom() - 1, height: 1, ..area };
    if area.height > 1 || !has_news(app) {
        draw_hints(app, look, hints, buf);
    }
    if let Mode::Prompt(asked) = &app.mode {
        let label = format!(" {}: ", asked.title);
        let cursor = asked.typed.text.get(..asked.typed.cursor).unwrap_or_default().chars().count();
        let prompt = Prompt {
            label: &label,
            input: &asked.typed.text,
            cursor,
            hint: "",
            error: None,
            theme: &look.theme,
        };
        let spot = prompt.cursor_cell(status);
        text::fill(buf, status, look.theme.style(Role::Prompt));
        prompt.render(status, buf);
        return Some(spot);
    }
    if area.height > 1 || has_news(app) {
        draw_status(app, look, status, buf);
    }
    None
}

fn has_news(app: &App) -> bool {
    app.status.is_some() || matches!(app.mode, Mode::Prompt(_)) || !app.pending.is_empty()
}

fn draw_status(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    text::fill(buf, area, look.theme.style(Role::Text));
    let (words, role) = match &app.status {
        Some(status) => {
            let (sign, role) = match status.tone {
                Tone::Good => ("✓ ", Role::Ok),
                Tone::Info => ("", Role::Text),
                Tone::Bad => ("✗ ", Role::Failed),
            };
            (format!("{sign}{}", status.text), role)
        }
        None if !app.pending.is_empty() => {
            let keys: Vec<String> = app.pending.iter().map(ToString::to_string).collect();
            (format!("{} …", keys.join(" ")), Role::Key)
        }
        None => (crumbs(app), Role::Muted),
    };
    text::put_cut(buf, area.x + 1, area.y, area.width.saturating_sub(2), &words, look.theme.style(role));
}

/// The way back.
fn crumbs(app: &App) -> String {
    if app.crumbs.is_empty() {
        return String::new();
    }
    let mut names: Vec<&str> = app.crumbs.iter().map(|c| c.cell.as_str()).collect();
    names.extend(app.focused_cell());
    names.dedup();
    names.join(" › ")
}

fn draw_hints(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let hints: Vec<(String, &str)> = match &app.mode {
        Mode::Menu(_) => vec![("↑↓".into(), "choose"), ("Enter".into(), "take"), ("Esc".into(), "leave")],
        Mode::Prompt(_) => vec![("Enter".into(), "take"), ("Esc".into(), "leave")],
        Mode::Trust { .. } => vec![
            ("r".into(), "run once"),
            ("t".into(), "trust the folder"),
            ("n".into(), "only this notebook"),
            ("Esc".into(), "only read"),
            ("↑↓".into(), "scroll"),
        ],
        Mode::Help { .. } => vec![("↑↓".into(), "scroll"), ("Esc".into(), "leave")],
        Mode::Diff(diff) => diff.keys().iter().map(|(key, words)| ((*key).into(), *words)).collect(),
        Mode::Normal | Mode::Edit(_) => commands::hints(app),
    };
    let keys: Vec<(&str, &str)> = hints.iter().map(|(k, w)| (k.as_str(), *w)).collect();
    Hints { keys: &keys, right: "", theme: &look.theme }.render(area, buf);
}
