//! The detail pane: the editor, the words that moved a score, a whole record, a fault, a source.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use super::{Look, language, pane_box};
use crate::notebook::{Diagnostic, Kind};
use crate::protocol::{Explanation, Problem, TrainReport};
use crate::screen::app::detail::{Content, content};
use crate::screen::app::{App, Edit, Mode, Pane, RunState};
use crate::screen::ui::theme::Role;
use crate::screen::ui::widgets::code::{Code, CodeError, Language};
use crate::screen::ui::widgets::menu::{Menu, MenuItem, place};
use crate::screen::ui::widgets::record::Record;
use crate::screen::ui::widgets::text;
use crate::screen::ui::widgets::words::{WordMark, Words};
use crate::util::figures;

/// Lines that one value of a record may take.
const VALUE_LINES: usize = 8;

pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let content = content(app);
    let inner = pane_box(app, look, Pane::Detail, &title(app, &content), area, buf);
    if inner.is_empty() {
        return None;
    }
    match content {
        Content::Editor => {
            if let Mode::Edit(edit) = &app.mode {
                return editor(app, look, edit, inner, buf);
            }
        }
        Content::Explanation { explanation, .. } => words(app, look, explanation, inner, buf),
        Content::Train(report) => train(look, report, inner, buf),
        Content::Record { fields, .. } => {
            let fields: Vec<_> =
                fields.into_iter().map(|(n, v)| (n, Some(v).filter(|v| v != "NULL"))).collect();
            record(look, &fields, app.detail_scroll, inner, buf);
        }
        Content::Fault { problem, kind, body } => source(app, look, kind, body, Some(problem), inner, buf),
        Content::Source { kind, body } => source(app, look, kind, body, None, inner, buf),
        Content::Prose(prose) => self::prose(app, look, prose, inner, buf),
        Content::Empty => {
            let words = "an empty notebook: `a` adds a cell, `e` writes";
            text::put_cut(buf, inner.x + 1, inner.y, inner.width - 1, words, look.theme.style(Role::Muted));
        }
    }
    None
}

/// Prose, with what is wrong in it below its line. Long prose by its rows: only those that can be seen are
/// wrapped.
fn prose(app: &App, look: &Look, prose: &str, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width.saturating_sub(1)).max(1);
    let wrapped = |text: &str| text::wrap(text, width, 1 << 20);
    let block = app.doc.blocks().get(app.focus).map_or(1, |block| block.line);
    let fault = app.doc.fault_in_prose(app.focus);
    // Lines of the block before the fault.
    let before = fault.map_or(0, |fault| fault.line.saturating_sub(block) as usize);
    let error = |line: usize| fault.map(|fault| CodeError { line, column: 0, len: 0, message: told(fault) });
    let Some(rows) = app.doc.long_rows(app.focus) else {
        let blank = prose.len() - prose.trim_start().len();
        let skipped = prose[..blank].matches('\n').count();
        let lines = wrapped(prose.trim());
        let above = prose.trim().lines().take(before.saturating_sub(skipped));
        let line = above.map(|line| wrapped(line).len().max(1)).sum();
        return code(app, look, Language::Markdown, &lines, error(line).as_ref(), false, area, buf);
    };
    let top = app.detail_scroll;
    let shown = rows.get(prose, top..top.saturating_add(usize::from(area.height)));
    let mut lines = Vec::new();
    let mut error_line = None;
    for (at, row) in shown.iter().enumerate() {
        error_line = error_line.or((rows.fault == Some(top + at)).then_some(lines.len()));
        lines.extend(if row.is_empty() { vec![String::new()] } else { wrapped(row) });
        if lines.len() >= usize::from(area.height) {
            break;
        }
    }
    let error = error_line.and_then(error);
    code_from(look, Language::Markdown, &lines, error.as_ref(), 0, false, area, buf);
}

fn told(fault: &Diagnostic) -> String {
    let suggestion = fault.suggestion.as_ref().map(|s| format!(" — {s}")).unwrap_or_default();
    format!("{}{suggestion}", fault.message)
}

fn title(app: &App, content: &Content<'_>) -> String {
    let name = app.focused_cell().unwrap_or("prose");
    match content {
        Content::Editor => format!("editing {name}"),
        Content::Explanation { number, of, .. } if *of > 1 => {
            format!("why · {name} · {number} of {of} (← →)")
        }
        Content::Explanation { .. } => format!("why · {name}"),
        Content::Train(_) => format!("training · {name}"),
        Content::Record { row, .. } => {
            let of = app.focused_run().and_then(|r| r.table.as_ref()).map_or(0, |t| t.rows());
            format!("row {} of {}", figures::thousands(i128::from(*row) + 1), figures::thousands(of.into()))
        }
        Content::Fault { .. } => format!("{name} failed"),
        Content::Source { kind, .. } => format!("{name} · {kind}"),
        Content::Prose(_) => "prose".into(),
        Content::Empty => "detail".into(),
    }
}

fn editor(app: &App, look: &Look, edit: &Edit, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let kind = app.doc.cell_at(edit.block).map(|c| c.kind);
    let language = kind.map_or(Language::Markdown, language);
    let lines = edit.editor.lines();
    let cursor = edit.editor.cursor();
    let line = lines.get(cursor.line).map_or("", String::as_str);
    let at = line.get(..cursor.byte).unwrap_or_default().chars().count();
    // The last run's fault, until the text is another.
    let unchanged = || app.doc.editable(edit.block) == edit.editor.text();
    let error = match app.doc.cell_at(edit.block).and_then(|c| app.run(&c.name)).map(|r| &r.state) {
        Some(RunState::Failed(problem)) if unchanged() => code_error(problem),
        _ => None,
    };
    let mut code = Code {
        lines,
        spans: &[],
        top: 0,
        left: 0,
        line_numbers: area.width >= 30,
        error: error.as_ref(),
        cursor: Some((cursor.line, at)),
        selection: None,
        focused: true,
        theme: &look.theme,
    };
    let spans = look.spans(language, lines, code.window(area).0, area.height);
    code.spans = &spans;
    let spot = code.cursor_cell(area);
    code.render(area, buf);
    if let (Some(offered), Some(spot)) = (&edit.completions, spot) {
        let items: Vec<MenuItem> =
            offered.items.iter().map(|text| MenuItem { text: text.clone(), ..MenuItem::default() }).collect();
        let menu = Menu { title: "", items: &items, selected: offered.selected, theme: &look.theme };
        let (width, height) = menu.size();
        let screen = *buf.area();
        let below = screen.bottom().saturating_sub(spot.y + 1) >= height.min(6);
        let height = height.min(10);
        let y = if below { spot.y + 1 } else { spot.y.saturating_sub(height) };
        menu.render(place(screen, spot.x, y, (width, height)), buf);
    }
    spot
}

fn source(
    app: &App,
    look: &Look,
    kind: Kind,
    body: &str,
    fault: Option<&Problem>,
    area: Rect,
    buf: &mut Buffer,
) {
    if body.trim().is_empty() && fault.is_none() {
        // Nothing written yet: what could be.
        let help = crate::notebook::help::cell_help(kind);
        let width = usize::from(area.width.saturating_sub(1)).max(1);
        let lines: Vec<String> = text::wrap(help.trim(), width, 500);
        return code(app, look, Language::Markdown, &lines, None, false, area, buf);
    }
    let lines: Vec<&str> = body.trim_end_matches('\n').split('\n').collect();
    let error = match fault {
        Some(problem) => code_error(problem),
        None => diagnostic(app),
    };
    // A fault without a place stands above the text.
    let mut area = area;
    if let Some(problem) = fault.filter(|p| p.line.is_none()) {
        let most = usize::from(area.height).saturating_sub(2).max(1);
        let said = text::wrap(&sentence(problem), usize::from(area.width.saturating_sub(2)), most);
        for (at, words) in said.iter().enumerate() {
            if let Some(y) = text::row(area, at) {
                text::put(buf, area.x + 1, y, area.width - 1, words, look.theme.style(Role::Failed));
            }
        }
        let used = (said.len() as u16 + 1).min(area.height);
        area = Rect { y: area.y + used, height: area.height - used, ..area };
    }
    code(app, look, language(kind), &lines, error.as_ref(), true, area, buf);
}

fn code_error(problem: &Problem) -> Option<CodeError> {
    problem.line.map(|line| CodeError {
        line: line.saturating_sub(1) as usize,
        column: problem.column.unwrap_or(1).saturating_sub(1) as usize,
        len: 0,
        message: sentence(problem),
    })
}

fn sentence(problem: &Problem) -> String {
    match &problem.hint {
        Some(hint) => format!("{} — {hint}", problem.message),
        None => problem.message.clone(),
    }
}

/// What the parser has against the cell in focus.
fn diagnostic(app: &App) -> Option<CodeError> {
    let here = app.focused_cell()?;
    let found = app.doc.diagnostics().iter().find(|d| d.cell.as_deref() == Some(here))?;
    Some(CodeError {
        line: found.cell_line.unwrap_or(1).saturating_sub(1) as usize,
        column: found.column.saturating_sub(1) as usize,
        len: 0,
        message: told(found),
    })
}

#[allow(clippy::too_many_arguments, reason = "one call, every part of the picture")]
fn code(
    app: &App,
    look: &Look,
    language: Language,
    lines: &[impl AsRef<str>],
    error: Option<&CodeError>,
    line_numbers: bool,
    area: Rect,
    buf: &mut Buffer,
) {
    code_from(look, language, lines, error, app.detail_scroll, line_numbers, area, buf);
}

#[allow(clippy::too_many_arguments, reason = "one call, every part of the picture")]
fn code_from(
    look: &Look,
    language: Language,
    lines: &[impl AsRef<str>],
    error: Option<&CodeError>,
    top: usize,
    line_numbers: bool,
    area: Rect,
    buf: &mut Buffer,
) {
    let spans = look.spans(language, lines, top, area.height);
    Code {
        lines,
        spans: &spans,
        top,
        left: 0,
        line_numbers: line_numbers && area.width >= 30,
        error,
        cursor: None,
        selection: None,
        focused: false,
        theme: &look.theme,
    }
    .render(area, buf);
}

/// Score, words with their weights, and the whole record below.
fn words(app: &App, look: &Look, e: &Explanation, area: Rect, buf: &mut Buffer) {
    let marks: Vec<WordMark> = e
        .words
        .iter()
        .map(|w| WordMark {
            text: w.text.clone(),
            side: w.side,
            value: w.attribution,
            std_error: w.std_error,
        })
        .collect();
    let one_sided = marks.iter().all(|m| m.side == 0);
    let mut method = e.method.replace('_', " ");
    if e.truncated {
        method.push_str(" · text cut to the model's limit");
    }
    let widget = |scroll: usize| Words {
        marks: &marks,
        sides: if one_sided { ["text", ""] } else { ["query", "title"] },
        method: &method,
        delta: e.delta,
        passes: e.passes.forward.saturating_add(e.passes.backward),
        selected: None,
        scroll,
        theme: &look.theme,
    };
    let width = area.width.saturating_sub(2);
    let words_height = usize::from(widget(0).height(width));
    let mut y = 0usize;
    let skip = app.detail_scroll;
    if skip == 0 {
        let baseline =
            e.baseline_score.map(|b| format!(" · with every word blanked {}", figures::fixed(b, 2)));
        let what = e.target.as_ref().map_or_else(|| "score".to_owned(), |class| format!("class {class}"));
        let head =
            format!("{what} {}{} · {}", figures::fixed(e.score, 2), baseline.unwrap_or_default(), e.model);
        text::put_cut(buf, area.x + 1, area.y, width, &head, look.theme.style(Role::Header));
        y = 1;
    }
    let scroll = skip.saturating_sub(1);
    if scroll < words_height {
        let height = (words_height - scroll).min(usize::from(area.height).saturating_sub(y));
        let at = Rect { x: area.x + 1, y: area.y + y as u16, width, height: height as u16 };
        widget(scroll).render(at, buf);
        y += height + 1;
    }
    if y < usize::from(area.height) {
        let rest = Rect { y: area.y + y as u16, height: area.height - y as u16, ..area };
        record(look, &e.record, scroll.saturating_sub(words_height), rest, buf);
    }
}

fn record(look: &Look, fields: &[(String, Option<String>)], scroll: usize, area: Rect, buf: &mut Buffer) {
    Record { fields, selected: None, scroll, value_lines: VALUE_LINES, theme: &look.theme }.render(area, buf);
}

fn train(look: &Look, report: &TrainReport, area: Rect, buf: &mut Buffer) {
    let part = |x: Option<f64>| x.map_or_else(|| "n/a".to_owned(), |x| figures::fixed(x, 3));
    let mut lines = vec![
        (
            format!(
                "{} train rows, {} dev rows · labels {}",
                figures::thousands(report.train_rows.into()),
                figures::thousands(report.dev_rows.into()),
                report.labels.join(", ")
            ),
            Role::Muted,
        ),
        (" epoch  train loss  dev loss  accuracy  precision  recall     F1".to_owned(), Role::Header),
    ];
    for e in &report.epochs {
        let best = if e.epoch == report.best_epoch { "★" } else { " " };
        let line = format!(
            "{best}{:>5}  {:>10}  {:>8}  {:>8}  {:>9}  {:>6}  {:>5}",
            e.epoch,
            figures::fixed(e.train_loss, 4),
            figures::fixed(e.dev_loss, 4),
            figures::fixed(e.accuracy, 3),
            part(e.precision),
            part(e.recall),
            part(e.f1)
        );
        lines.push((line, if best == "★" { Role::Ok } else { Role::Text }));
    }
    if !report.out.is_empty() {
        lines.push((format!("★ best epoch, written to {}", report.out), Role::Muted));
    }
    for (at, (words, role)) in lines.iter().enumerate() {
        if let Some(y) = text::row(area, at) {
            text::put_cut(buf, area.x + 1, y, area.width.saturating_sub(1), words, look.theme.style(*role));
        }
    }
}
