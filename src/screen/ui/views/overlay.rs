//! What lies over the panes: menus to choose from, the help, two texts compared.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use super::Look;
use crate::screen::app::{App, Diff, Menu, Mode, help, trust};
use crate::screen::ui::widgets::diff::DiffView;
use crate::screen::ui::widgets::help::Help;
use crate::screen::ui::widgets::menu::{centre, draw_box};
use crate::screen::ui::widgets::palette::{Hit, Palette, PaletteItem};

pub fn draw(app: &App, look: &Look, screen: Rect, buf: &mut Buffer) -> Option<Position> {
    match &app.mode {
        Mode::Menu(menu) => Some(choose(menu, look, screen, buf)),
        Mode::Help { scroll } => {
            help(app, *scroll, look, screen, buf);
            None
        }
        Mode::Diff(diff) => {
            compared(app, diff, look, screen, buf);
            None
        }
        Mode::Trust { scroll } => {
            trust(app, *scroll, look, screen, buf);
            None
        }
        Mode::Normal | Mode::Edit(_) | Mode::Prompt(_) => None,
    }
}

fn choose(menu: &Menu, look: &Look, screen: Rect, buf: &mut Buffer) -> Position {
    let items: Vec<PaletteItem> = menu
        .items
        .iter()
        .map(|i| PaletteItem { name: i.label.clone(), words: i.detail.clone(), key: i.side.clone() })
        .collect();
    let hits: Vec<Hit> = menu.matches().into_iter().map(|index| Hit { index, matched: Vec::new() }).collect();
    let cursor = menu.typed.text.get(..menu.typed.cursor).unwrap_or_default().chars().count();
    let palette = Palette {
        title: &menu.title,
        items: &items,
        hits: &hits,
        input: &menu.typed.text,
        cursor,
        selected: menu.selected,
        theme: &look.theme,
    };
    let height = (items.len() as u16).saturating_add(3).clamp(5, screen.height.saturating_sub(2).max(5));
    let area = centre(screen, (screen.width.saturating_sub(4).min(96), height.min(24)));
    let spot = palette.prompt().cursor_cell(Palette::prompt_area(area));
    palette.render(area, buf);
    spot
}

fn help(app: &App, scroll: usize, look: &Look, screen: Rect, buf: &mut Buffer) {
    let (width, height) = (help::width(app), help::height(app));
    let area = centre(screen, (width + 2, height + 2));
    let inner = draw_box(area, "keys (`:` finds every command by its name)", true, &look.theme, buf);
    Help { lines: &help::lines(width), scroll: scroll.min(help::last(app)), theme: &look.theme }
        .render(inner, buf);
}

fn compared(app: &App, diff: &Diff, look: &Look, screen: Rect, buf: &mut Buffer) {
    let area = centre(screen, (screen.width.saturating_sub(4).min(120), help::height(app) + 2));
    let inner = draw_box(area, &diff.title(), true, &look.theme, buf);
    DiffView { comparison: &diff.comparison, scroll: diff.scroll, theme: &look.theme }.render(inner, buf);
}

fn trust(app: &App, scroll: usize, look: &Look, screen: Rect, buf: &mut Buffer) {
    let area = centre(screen, (trust::width(app) + 2, trust::height(app) + 2));
    let inner = draw_box(area, "this notebook is in no folder that you trust", true, &look.theme, buf);
    Help { lines: &trust::lines(app), scroll: scroll.min(trust::last(app)), theme: &look.theme }
        .render(inner, buf);
}
