//! What holds for every widget: any size, any text, no panic, and nothing in the buffer that a terminal
//! would obey instead of show.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::code::{Code, CodeError, CodeSpan, Highlighter, Language};
use super::grid::{Grid, GridBanner, GridPage, GridView, plan};
use super::help::{Help, Hints};
use super::menu::{Menu, MenuItem, centre, place};
use super::outline::{Glyph, Outline, OutlineItem};
use super::palette::{Palette, PaletteItem, search};
use super::progress::Progress;
use super::prompt::Prompt;
use super::record::Record;
use super::text;
use super::toast::{Toast, ToastKind};
use super::words::{WordMark, Words};
use crate::screen::app::help::HelpLine;
use crate::screen::ui::theme::{Depth, Role, Theme};

/// Characters that make terminals misbehave, beside ordinary and wide ones.
fn nasty() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        "\u{1b}[2J",
        "\u{1b}]52;c;AAAA\u{7}",
        "\u{9b}31m",
        "\u{202e}",
        "\u{2066}",
        "\u{200d}",
        "\u{200b}",
        "\u{feff}",
        "\u{fe0f}",
        "\u{e0041}",
        "\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "👨‍👩‍👧",
        "🇩🇪",
        "👋🏽",
        "跑鞋",
        "한국",
        "\u{1100}",
        "\u{1160}",
        "\t",
        "\n",
        "\r",
        "\0",
        "{{k}}",
        "נעל",
        "ا",
        "'",
        "\"",
        "--",
        "#",
    ]);
    prop::collection::vec(prop_oneof![special.prop_map(String::from), any::<String>(), "[a-z ]{0,12}"], 0..6)
        .prop_map(|parts| parts.concat())
}

fn area() -> impl Strategy<Value = Rect> {
    (0u16..300, 0u16..100, 0u16..9, 0u16..9).prop_map(|(w, h, x, y)| Rect::new(x, y, w, h))
}

/// Draws into a buffer that is larger than, equal to, and smaller than the area, and looks at all cells.
fn check(area: Rect, draw: impl Fn(Rect, &mut Buffer)) {
    for buffer_area in [
        Rect::new(0, 0, area.right() + 3, area.bottom() + 3),
        area,
        Rect::new(area.x, area.y, area.width / 2, area.height / 2),
    ] {
        let mut buf = Buffer::empty(buffer_area);
        draw(area, &mut buf);
        for cell in &buf.content {
            let symbol = cell.symbol();
            for c in symbol.chars() {
                assert!(!c.is_control(), "control {c:?} in {symbol:?}");
                assert!(!hidden(c), "hidden {c:?} in {symbol:?}");
            }
            // Four marks at most pile up on a letter; clusters of letters are short.
            assert!(symbol.chars().count() <= 32, "{symbol:?}");
        }
        for (i, cell) in buf.content.iter().enumerate() {
            let w = text::columns_of(cell.symbol());
            assert!(w >= 1, "{:?} takes no column", cell.symbol());
            let x = i % usize::from(buffer_area.width);
            assert!(x + w <= usize::from(buffer_area.width), "{:?} hangs over the edge", cell.symbol());
        }
    }
}

/// Bidi controls, joiners, zero-width spaces, variation selectors, tags.
fn hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}' | '\u{2028}' | '\u{2029}')
}

fn theme() -> Theme {
    Theme::builtin("dark", Depth::True).unwrap()
}

fn batch(names: &[String], texts: &[String], numbers: &[f64]) -> RecordBatch {
    let rows = texts.len().min(numbers.len());
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let array: ArrayRef = match i % 3 {
            0 => {
                Arc::new(StringArray::from_iter(texts.iter().take(rows).map(|t| (t.len() != 1).then_some(t))))
            }
            1 => Arc::new(Float64Array::from_iter(numbers.iter().take(rows).map(|x| Some(*x)))),
            _ => Arc::new(Int64Array::from_iter(numbers.iter().take(rows).map(|x| Some(*x as i64)))),
        };
        columns.push((name.clone(), array));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn grids(
        area in area(),
        names in prop::collection::vec(prop_oneof![nasty(), Just("value".to_string()), Just("p".to_string())], 1..40),
        texts in prop::collection::vec(nasty(), 1..30),
        numbers in prop::collection::vec(any::<f64>(), 1..30),
        top in prop_oneof![0u64..40, Just(u64::MAX)],
        (left, col, frozen) in (0usize..50, prop::option::of(0usize..50), 0usize..4),
        (notes, row_numbers, focused) in any::<(bool, bool, bool)>(),
    ) {
        let batch = batch(&names, &texts, &numbers);
        let columns = plan(&batch.schema(), true, &|i| if i % 2 == 0 { "query?".into() } else { String::new() });
        let pages = [GridPage { offset: 3, batch: &batch }, GridPage { offset: u64::MAX - 1, batch: &batch }];
        let theme = theme();
        check(area, |area, buf| Grid {
            columns: &columns,
            pages: &pages,
            total: top.saturating_add(20),
            view: GridView { top, left, row: Some(top.saturating_add(1)), col },
            marked: &|row| row % 2 == 0,
            sort: Some((0, true)),
            banner: Some(GridBanner::Partial(&names[0])),
            show_notes: notes,
            row_numbers,
            frozen,
            focused,
            theme: &theme,
        }.render(area, buf));
    }

    #[test]
    fn sources(
        area in area(),
        lines in prop::collection::vec(nasty(), 0..20),
        spans in prop::collection::vec(prop::collection::vec((0usize..50, 0usize..50), 0..4), 0..20),
        message in nasty(),
        cursor in prop::option::of((0usize..30, 0usize..60)),
        (top, left, line, column) in (0usize..30, 0usize..400, 0usize..30, 0usize..60),
        numbers in any::<bool>(),
    ) {
        let spans: Vec<Vec<CodeSpan>> = spans.into_iter().map(|line| line.into_iter()
            .map(|(start, end)| CodeSpan { start, end, role: Role::CodeString }).collect()).collect();
        let error = CodeError { line, column, len: left, message };
        let theme = theme();
        check(area, |area, buf| {
            let code = Code {
                lines: &lines,
                spans: &spans,
                top,
                left,
                line_numbers: numbers,
                error: Some(&error),
                cursor,
                selection: cursor.map(|c| (c, (line, column))),
                focused: true,
                theme: &theme,
            };
            if let Some(at) = code.cursor_cell(area) {
                assert!(area.contains(at), "{at:?} outside {area:?}");
            }
            code.height(area.width);
            code.render(area, buf);
        });
    }

    #[test]
    fn attributions(
        area in area(),
        marks in prop::collection::vec((nasty(), 0u8..4, any::<f64>(), prop::option::of(any::<f64>())), 0..40),
        method in nasty(),
        scroll in 0usize..50,
    ) {
        let marks: Vec<WordMark> = marks.into_iter()
            .map(|(text, side, value, std_error)| WordMark { text, side, value, std_error }).collect();
        let theme = theme();
        check(area, |area, buf| {
            let words = Words { marks: &marks, sides: ["query", &method], method: &method, delta: Some(f64::NAN),
                passes: 1, selected: Some(1), scroll, theme: &theme };
            words.height(area.width);
            words.render(area, buf);
        });
    }

    #[test]
    fn lists_and_boxes(
        area in area(),
        words in prop::collection::vec(nasty(), 1..20),
        selected in 0usize..30,
        number in any::<u64>(),
        rate in any::<f64>(),
    ) {
        let theme = theme();
        let at = |i: usize| words[i % words.len()].clone();
        let outline: Vec<OutlineItem> = (0..words.len()).map(|i| match i % 3 {
            0 => OutlineItem::Heading { level: i as u8, text: at(i) },
            1 => OutlineItem::Prose(at(i)),
            _ => OutlineItem::Cell { glyph: Glyph::Running(i as u8), kind: at(i), name: at(i + 1), right: vec![at(i + 2)] },
        }).collect();
        check(area, |area, buf| Outline { items: &outline, level: 0, kinds: 0, selected: Some(selected), top: 3, focused: true, theme: &theme }.render(area, buf));

        let items: Vec<MenuItem> = words.iter().map(|w| MenuItem { key: w.clone(), text: w.clone(), note: w.clone() }).collect();
        check(area, |area, buf| {
            let menu = Menu { title: &words[0], items: &items, selected, theme: &theme };
            let (a, b) = (place(area, 9, 9, menu.size()), centre(area, menu.size()));
            assert!(area.union(a) == area || a.is_empty() || area.is_empty());
            assert!(area.union(b) == area || b.is_empty() || area.is_empty());
            menu.render(area, buf);
        });

        let items: Vec<PaletteItem> = words.iter().map(|w| PaletteItem { name: w.clone(), words: w.clone(), key: w.clone() }).collect();
        let hits = search(&items, &words[0]);
        check(area, |area, buf| Palette { title: "t", items: &items, hits: &hits, input: &words[0], cursor: selected, selected, theme: &theme }.render(area, buf));

        let fields: Vec<(String, Option<String>)> = words.iter().map(|w| (w.clone(), (w.len() > 3).then(|| w.clone()))).collect();
        check(area, |area, buf| Record { fields: &fields, selected: Some(selected), scroll: selected / 2, value_lines: 3, theme: &theme }.render(area, buf));

        let rows: Vec<(String, String)> = words.iter().map(|w| (w.clone(), w.clone())).collect();
        let help: Vec<HelpLine> = rows.iter().map(|(a, b)| HelpLine::Row { keys: a.clone(), words: b.clone() }).collect();
        check(area, |area, buf| Help { lines: &help, scroll: selected, theme: &theme }.render(area, buf));

        let keys: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        check(area, |area, buf| Hints { keys: &keys, right: &words[0], theme: &theme }.render(area, buf));
        check(area, |area, buf| Toast { kind: ToastKind::Error, message: &words[0], theme: &theme }.render(area, buf));
        let told = crate::protocol::Progress { done: number, total: (number % 2 == 0).then_some(number / 3), unit: words[0].clone(),
            per_second: rate, elapsed_ms: number, eta_ms: Some(number), ..Default::default() };
        check(area, |area, buf| Progress { phase: &words[0], progress: &told, theme: &theme }.render(area, buf));
        check(area, |area, buf| {
            let prompt = Prompt { label: &words[0], input: &at(1), cursor: selected, hint: &at(2), error: Some(&words[0]), theme: &theme };
            prompt.cursor_cell(area);
            prompt.render(area, buf);
        });
    }

    #[test]
    fn cutting_and_wrapping_keep_to_their_columns(words in nasty(), columns in 0usize..40, lines in 0usize..5) {
        prop_assert!(text::width(&text::truncate(&words, columns), 999) <= columns);
        prop_assert_eq!(text::width(&text::pad(&words, columns, text::Align::Right), 999), columns);
        let wrapped = text::wrap(&words, columns, lines);
        prop_assert!(wrapped.len() <= lines);
        for line in wrapped {
            prop_assert!(text::width(&line, 999) <= columns, "{:?} over {}", line, columns);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Grammars meet arbitrary text: spans stay on character boundaries, in order, apart.
    #[test]
    fn highlighting(lines in prop::collection::vec(nasty(), 0..6)) {
        static LOADED: std::sync::OnceLock<Highlighter> = std::sync::OnceLock::new();
        let highlighter = LOADED.get_or_init(Highlighter::load);
        let lines: Vec<String> = lines.iter().map(|l| l.replace(['\n', '\r'], " ")).collect();
        for language in [Language::Sql, Language::Toml, Language::Markdown] {
            let spans = highlighter.highlight(language, &lines);
            prop_assert_eq!(spans.len(), lines.len());
            for (line, spans) in lines.iter().zip(spans) {
                let mut end = 0;
                for span in spans {
                    prop_assert!(span.start >= end && line.get(span.start..span.end).is_some(), "{:?} in {:?}", span, line);
                    end = span.end;
                }
            }
        }
    }
}
