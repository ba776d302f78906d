//! The top line: which notebook, whether it is saved, how the engine is, what runs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use crate::protocol::percent;
use crate::screen::app::trust::Level;
use crate::screen::app::{App, EngineState, RunState};
use crate::screen::ui::theme::Role;
use crate::screen::ui::widgets::text;

pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let bar = look.theme.style(Role::Bar);
    text::fill(buf, area, bar);
    let name = app.path.as_ref().and_then(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "new notebook".into());
    let right = engine(app, usize::from(area.width / 2));
    let right_width = text::width(&right, usize::from(area.width / 2)) as u16;
    let room = area.width.saturating_sub(right_width + 2);
    let mut x =
        text::put(buf, area.x + 1, area.y, room, "recscope", bar.patch(look.theme.style(Role::Title)));
    x = text::put_cut(buf, x + 2, area.y, room.saturating_sub(x + 2), &name, bar);
    let style = bar.patch(look.theme.style(Role::Warning));
    for mark in app.marks() {
        x = text::put_cut(buf, x + 1, area.y, room.saturating_sub(x), mark, style) + 1;
    }
    let from = area.right().saturating_sub(right_width + 1);
    text::put_right(buf, from, area.y, right_width, &right, bar);
}

/// What runs, how far it is, how much waits, and what the engine takes: as much of it as fits, the most telling first.
fn engine(app: &App, room: usize) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut running: Vec<(&String, String)> = app
        .runs
        .iter()
        .filter_map(|(name, run)| match &run.state {
            RunState::Running(p) | RunState::Paused(p) => {
                let word = match &run.state {
                    RunState::Paused(_) => "paused",
                    _ if p.phase.is_empty() => "running",
                    _ => p.phase.as_str(),
                };
                let share = p.total.map(|t| format!(" {} %", percent(p.done, t))).unwrap_or_default();
                Some((name, format!("{word} {name}{share}")))
            }
            _ => None,
        })
        .collect();
    running.sort();
    parts.extend(running.into_iter().take(2).map(|(_, words)| words));
    let waiting = app.queue().count();
    if waiting > 0 {
        parts.push(format!("{waiting} queued"));
    }
    if app.trust.level == Level::Limited {
        parts.push("limited".into());
    }
    match &app.engine {
        EngineState::Starting => parts.push("engine starting".into()),
        EngineState::Gone(_) => parts.push("no engine".into()),
        EngineState::Off => parts.push("not trusted: text only".into()),
        EngineState::Ready { device } => {
            if app.rss_bytes > 0 {
                parts.push(format!("engine {} MB", app.rss_bytes >> 20));
            }
            if !device.is_empty() {
                parts.push(device.clone());
            }
        }
    }
    while parts.len() > 1 && text::width(&parts.join(" · "), room + 1) > room {
        parts.pop();
    }
    parts.join(" · ")
}
