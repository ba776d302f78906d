//! Tests of the source widget: what is highlighted, marked and cut.

use super::*;
use crate::screen::ui::theme::Depth;
use crate::screen::ui::widgets::testing;

fn draw<'a>(
    lines: &'a [&'a str],
    width: u16,
    height: u16,
    change: impl FnOnce(&mut Code<'a, &'a str>),
) -> Buffer {
    // Leaked so that the widget's one lifetime can be the caller's.
    let theme: &'static Theme = Box::leak(Box::new(Theme::builtin("dark", Depth::True).unwrap()));
    let mut code = Code {
        lines,
        spans: &[],
        top: 0,
        left: 0,
        line_numbers: true,
        error: None,
        cursor: None,
        selection: None,
        focused: true,
        theme,
    };
    change(&mut code);
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    code.render(*buf.area(), &mut buf);
    buf
}

fn roles(language: Language, line: &str) -> Vec<(String, Role)> {
    let spans = Highlighter::load().highlight(language, &[line]);
    spans[0].iter().map(|s| (line[s.start..s.end].to_string(), s.role)).collect()
}

fn has(roles: &[(String, Role)], text: &str, role: Role) {
    assert!(roles.iter().any(|(t, r)| t.trim() == text && *r == role), "{text} {role:?} not in {roles:?}");
}

#[test]
fn sql_is_highlighted() {
    let got = roles(Language::Sql, "SELECT avg(x) AS m FROM t QUALIFY k < {{k}} AND s = 'it''s' -- 注释");
    has(&got, "SELECT", Role::CodeKeyword);
    has(&got, "QUALIFY", Role::CodeKeyword);
    has(&got, "avg", Role::CodeFunction);
    has(&got, "{{k}}", Role::CodeParam);
    assert!(got.iter().any(|(t, r)| t.contains("注释") && *r == Role::CodeComment), "{got:?}");
    assert!(got.iter().any(|(_, r)| *r == Role::CodeString), "{got:?}");
}

#[test]
fn markdown_is_highlighted() {
    let lines = ["# 跑鞋 *x*", "a **b** `c` [d](http://e)", "> f", "```", "g", "```"];
    let got = Highlighter::load().highlight(Language::Markdown, &lines);
    let texts = |line: usize| -> Vec<(String, Role)> {
        got[line].iter().map(|s| (lines[line][s.start..s.end].to_string(), s.role)).collect()
    };
    has(&texts(0), "# 跑鞋", Role::CodeHeading);
    has(&texts(0), "*x*", Role::CodeEmphasis);
    for (text, role) in
        [("**b**", Role::CodeHeading), ("`c`", Role::CodeString), ("(http://e)", Role::CodeOperator)]
    {
        has(&texts(1), text, role);
    }
    assert!(texts(1).iter().all(|(text, _)| !text.contains('d')), "{:?}", texts(1));
    has(&texts(2), "> f", Role::CodeComment);
    has(&texts(4), "g", Role::CodeString);
}

#[test]
fn spans_never_overlap_and_stay_inside() {
    let lines = ["select '{{a}}' from \"b\" where count(*)>1 -- x", "跑鞋 = 'x", "", "{{{{a}} }}"];
    for language in [Language::Sql, Language::Toml, Language::Markdown] {
        let all = Highlighter::load().highlight(language, &lines);
        assert_eq!(all.len(), lines.len());
        for (line, spans) in lines.iter().zip(&all) {
            for pair in spans.windows(2) {
                assert!(pair[0].end <= pair[1].start, "{language:?} {line}: {spans:?}");
            }
            for s in spans {
                assert!(line.get(s.start..s.end).is_some(), "{language:?} {line}: {s:?}");
            }
        }
    }
}

#[test]
fn the_extra_keywords_are_sorted() {
    let got = roles(Language::Sql, "WITH x AS (SELECT 1) SELECT a FROM b ASOF JOIN c USING (d) WINDOW w");
    for word in ["WITH", "ASOF", "USING", "WINDOW"] {
        has(&got, word, Role::CodeKeyword);
    }
}

#[test]
fn toml_is_highlighted() {
    let got = roles(Language::Toml, "pair = [\"query\", \"标题\"] # both");
    has(&got, "pair", Role::CodeKeyword);
    has(&got, "\"标题\"", Role::CodeString);
    has(&got, "# both", Role::CodeComment);
    let got = roles(Language::Toml, "limit = 5");
    has(&got, "5", Role::CodeNumber);
    let long = Highlighter::load().highlight(Language::Toml, &["a = '''x", "y = 1", "z''' # c"]);
    assert_eq!(long[1], vec![CodeSpan { start: 0, end: 5, role: Role::CodeString }]);
    assert_eq!(long[2].last().unwrap().role, Role::CodeComment);
}

#[test]
fn an_error_points_at_its_place() {
    let error =
        CodeError { line: 0, column: 7, len: 5, message: "no column `titel`; did you mean `title`?".into() };
    let buf = draw(&["SELECT titel FROM x", "LIMIT 3"], 60, 4, |c| c.error = Some(&error));
    let got = testing::lines(&buf);
    assert_eq!(got[0], "✗1 SELECT titel FROM x");
    assert_eq!(got[1], "          ╰ no column `titel`; did you mean `title`?");
    assert_eq!(got[2], " 2 LIMIT 3");
    let theme = Theme::builtin("dark", Depth::True).unwrap();
    assert_eq!(buf.cell((10, 0)).unwrap().fg, theme.style(Role::CodeError).fg.unwrap());
    assert_ne!(buf.cell((15, 0)).unwrap().fg, theme.style(Role::CodeError).fg.unwrap());
}

#[test]
fn the_cursor_stands_on_wide_characters_and_at_the_end() {
    let theme = Theme::builtin("dark", Depth::True).unwrap();
    let on = theme.style(Role::Cursor).bg.unwrap();
    let buf = draw(&["跑鞋"], 20, 1, |c| c.cursor = Some((0, 1)));
    assert_eq!(buf.cell((5, 0)).unwrap().bg, on);
    assert_ne!(buf.cell((3, 0)).unwrap().bg, on);
    let buf = draw(&["跑鞋"], 20, 1, |c| c.cursor = Some((0, 2)));
    assert_eq!(buf.cell((7, 0)).unwrap().bg, on);
}

#[test]
fn the_terminal_cursor_follows() {
    let lines = ["跑鞋 boots", "x"];
    let theme = Theme::default();
    let code = |cursor| Code {
        lines: &lines,
        spans: &[],
        top: 0,
        left: 0,
        line_numbers: true,
        error: None,
        cursor: Some(cursor),
        selection: None,
        focused: true,
        theme: &theme,
    };
    let area = Rect::new(2, 1, 8, 2);
    assert_eq!(code((0, 2)).cursor_cell(area), Some(Position::new(2 + 3 + 4, 1)));
    // Scrolled sideways: the cursor is in the last column.
    assert_eq!(code((0, 8)).cursor_cell(area), Some(Position::new(9, 1)));
    assert_eq!(code((1, 0)).cursor_cell(area), Some(Position::new(5, 2)));
}

#[test]
fn what_hides_is_shown_and_tabs_align() {
    let got = testing::lines(&draw(&["a\tb\u{202e}c\u{1b}"], 20, 1, |c| c.line_numbers = false));
    assert_eq!(got[0], "a   b•c␛");
}

#[test]
fn selection_covers_lines() {
    let theme = Theme::builtin("dark", Depth::True).unwrap();
    let marked = theme.style(Role::Selection).bg.unwrap();
    let buf = draw(&["abc", "def"], 10, 2, |c| {
        c.line_numbers = false;
        c.selection = Some(((1, 1), (0, 1)));
    });
    let on = |x, y| buf.cell((x, y)).unwrap().bg == marked;
    assert!(!on(0, 0) && on(1, 0) && on(2, 0) && on(0, 1) && !on(1, 1));
}
