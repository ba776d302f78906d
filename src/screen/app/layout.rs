//! Where things are, in whole terminal cells. Here and not in `ui`, because how many rows are
//! visible decides what is asked of the engine.

use super::run_state::{CellRun, RunState};
use super::{App, Mode, Pane};

/// A rectangle of terminal cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Area {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

/// Areas of one frame. A pane without room is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Areas {
    pub header: Area,
    pub outline: Option<Area>,
    pub result: Option<Area>,
    pub detail: Option<Area>,
    pub footer: Area,
}

/// From this width on, outline, result and detail stand together.
pub const WIDE: u16 = 120;
/// Below this width, only the pane in focus is shown.
pub const NARROW: u16 = 56;

pub fn areas(app: &App) -> Areas {
    let (width, height) = (app.width, app.height);
    let footer_height = if height >= 8 { 2 } else { u16::from(height >= 3) };
    let header_height = u16::from(height >= 2);
    let body =
        Area { x: 0, y: header_height, width, height: height.saturating_sub(header_height + footer_height) };
    let mut areas = Areas {
        header: Area { x: 0, y: 0, width, height: header_height },
        footer: Area { x: 0, y: height - footer_height, width, height: footer_height },
        ..Areas::default()
    };
    let right_pane = right_pane(app);
    if width < NARROW {
        match app.pane {
            Pane::Outline if !matches!(app.mode, Mode::Edit(_)) => areas.outline = Some(body),
            _ => put(&mut areas, right_pane, body),
        }
        return areas;
    }
    let outline_width = outline_width(app);
    areas.outline = Some(Area { width: outline_width, ..body });
    let right = Area { x: outline_width, width: width - outline_width, ..body };
    if width < WIDE || body.height < 16 {
        put(&mut areas, right_pane, right);
        return areas;
    }
    let share = match (&app.mode, app.pane) {
        (Mode::Edit(_), _) => 40,
        (_, Pane::Detail) => 50,
        _ => 60,
    };
    let top = percent(body.height, share).max(6);
    areas.result = Some(Area { height: top, ..right });
    areas.detail = Some(Area { y: right.y + top, height: body.height - top, ..right });
    areas
}

fn put(areas: &mut Areas, pane: Pane, area: Area) {
    match pane {
        Pane::Detail => areas.detail = Some(area),
        Pane::Outline | Pane::Result => areas.result = Some(area),
    }
}

/// Of a size that a terminal told, which may be any.
fn percent(of: u16, share: u32) -> u16 {
    u16::try_from(u32::from(of) * share / 100).unwrap_or(of)
}

/// On a small screen the notebook makes room for what is being looked at.
fn outline_width(app: &App) -> u16 {
    let looking = app.pane != Pane::Outline || matches!(app.mode, Mode::Edit(_));
    match (app.width, looking) {
        (width, _) if width >= WIDE => percent(width, 30).clamp(40, 64),
        (width, true) => percent(width, 30).clamp(20, 34),
        (width, false) => percent(width, 42).clamp(24, 48),
    }
}

/// Which of result and detail is shown where there is room for one.
fn right_pane(app: &App) -> Pane {
    let editing = matches!(app.mode, Mode::Edit(_));
    let nothing_run = app.focused_run().is_none_or(|run| run.outcome.is_none());
    let explained = app.focused_run().is_some_and(|run| !super::detail::explanations(run).is_empty());
    match app.pane {
        Pane::Detail => Pane::Detail,
        Pane::Result if !editing => Pane::Result,
        _ if editing || nothing_run || explained => Pane::Detail,
        _ => Pane::Result,
    }
}

/// Lines that the result pane keeps free for notes below its rows.
pub fn note_lines(app: &App, area: Area) -> u16 {
    // A failed check is told with its figures, which seldom fit into one line of a small screen.
    let failed = if area.width < 100 { 2 } else { 1 };
    let notes = app.focused_run().and_then(|r| r.outcome.as_ref()).map_or(0, |o| {
        let checks = o.checks.iter().map(|check| if check.ok == Some(true) { 1 } else { failed });
        let score = usize::from(matches!(o.body, crate::protocol::Body::Score(_)));
        o.notes.len() + checks.sum::<usize>() + score
    });
    (notes.min(4) as u16).min(area.height / 4)
}

/// How the table of the result pane is cut up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GridShape {
    /// Lines inside the pane for the table, heads and banner included.
    pub height: u16,
    /// A second head line with types and roles.
    pub types: bool,
    /// A last line that says partial or stale.
    pub banner: bool,
}

/// A table that is not the last word says so in its last line.
pub fn needs_banner(run: &CellRun) -> bool {
    run.outcome.is_some() && (run.stale || run.is_partial() || run.is_active() || run.state != RunState::Done)
}

pub fn grid_shape(app: &App) -> GridShape {
    let Some(area) = areas(app).result else { return GridShape::default() };
    let height = area.height.saturating_sub(2 + note_lines(app, area));
    let banner = height > 3 && app.focused_run().is_some_and(needs_banner);
    GridShape { height, types: height >= 14, banner }
}

/// Rows of the grid that are visible.
pub fn grid_rows(app: &App) -> u64 {
    let shape = grid_shape(app);
    shape.height.saturating_sub(1 + u16::from(shape.types) + u16::from(shape.banner)).into()
}

/// Lines inside the detail pane.
pub fn detail_rows(app: &App) -> usize {
    areas(app).detail.map_or(0, |a| a.height.saturating_sub(2)).into()
}

/// Lines inside the outline.
pub fn outline_rows(app: &App) -> usize {
    areas(app).outline.map_or(0, |a| a.height.saturating_sub(2)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_inside_the_screen() {
        for width in [0, 1, 5, 20, 55, 56, 80, 119, 120, 200, 400] {
            for height in [0, 1, 2, 3, 5, 8, 17, 18, 24, 50, 200] {
                let app = App { width, height, ..App::default() };
                let a = areas(&app);
                let all = [Some(a.header), a.outline, a.result, a.detail, Some(a.footer)];
                for area in all.into_iter().flatten() {
                    assert!(area.x + area.width <= width, "{area:?} in {width}x{height}");
                    assert!(area.y + area.height <= height, "{area:?} in {width}x{height}");
                }
            }
        }
    }

    #[test]
    fn wide_screens_show_three_panes_and_small_ones_two() {
        let shown = |width, height| {
            let a = areas(&App { width, height, ..App::default() });
            [a.outline, a.result, a.detail].iter().flatten().count()
        };
        assert_eq!(shown(200, 50), 3);
        assert_eq!(shown(120, 30), 3);
        assert_eq!(shown(80, 24), 2);
        assert_eq!(shown(40, 24), 1);
    }
}
