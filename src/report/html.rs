//! One self-contained HTML file: checks on top, the notebook's prose, tables with intervals, and
//! attribution as coloured words. The look is `html.jinja`.

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};
use serde::Serialize;

use super::grid::{Grid, grid};
use super::{CellReport, Format, RunReport, text, words};
use crate::protocol::{Body, Explanation};
use crate::util::{figures, sanitise};

const ROWS: usize = 100;
const TEMPLATE: &str = include_str!("html.jinja");

pub(super) struct Html;

#[derive(Serialize)]
struct CellView {
    name: String,
    kind: String,
    state: String,
    /// Rendered by [`prose`], which lets no foreign markup through.
    prose_html: String,
    source: String,
    caption: String,
    summary: Option<String>,
    table: Option<TableView>,
    explanations: Vec<ExplanationView>,
    checks: Vec<CheckView>,
    notes: Vec<String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct TableView {
    headers: Vec<(String, bool)>,
    rows: Vec<Vec<(String, bool)>>,
    more: Option<String>,
}

#[derive(Serialize)]
struct ExplanationView {
    caption: String,
    sides: Vec<Vec<WordView>>,
    record: Vec<(String, String)>,
}

#[derive(Serialize)]
struct WordView {
    text: String,
    gap: bool,
    sign: &'static str,
    /// Percent of colour in the background.
    strength: u32,
    amount: String,
    exact: String,
}

#[derive(Serialize)]
struct CheckView {
    cell: String,
    ok: bool,
    line: String,
}

impl Format for Html {
    fn render(&self, report: &RunReport) -> String {
        let mut cells: Vec<CellView> = report.cells.iter().map(cell_view).collect();
        if let (Some(first), Some(title)) = (cells.first_mut(), &report.title) {
            // The title stands in the page's head already.
            let prose = report.cells.first().map_or("", |cell| cell.prose.trim_start());
            let rest = prose
                .strip_prefix(&format!("# {title}"))
                .filter(|rest| rest.trim_start_matches(' ').starts_with(['\n', '\r']) || rest.is_empty());
            if let Some(rest) = rest {
                first.prose_html = self::prose(rest);
            }
        }
        let checks: Vec<CheckView> =
            report.cells.iter().flat_map(|cell| cell.checks.iter().map(|c| check_view(cell, c))).collect();
        let problems: Vec<String> = report
            .problems
            .iter()
            .map(|problem| sanitise::lines(&problem.to_string()).into_owned())
            .collect();
        let params: Vec<String> = report.params.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        let mut environment = Environment::new();
        // The name's ending switches on escaping.
        let rendered = environment.add_template("report.html", TEMPLATE).and_then(|()| {
            environment.get_template("report.html")?.render(context! {
                title => sanitise::line(report.title.as_deref().unwrap_or(&report.notebook)),
                notebook => sanitise::line(&report.notebook),
                params => sanitise::line(&params.join(", ")),
                ok => report.ok,
                verdict => super::verdict(report),
                version => env!("CARGO_PKG_VERSION"),
                cells => Value::from(Serde(&cells)),
                checks => Value::from(Serde(&checks)),
                problems,
            })
        });
        // Only a fault of the template itself can fail, and a test renders it.
        rendered.unwrap_or_else(|error| format!("<!doctype html><pre>{error:?}</pre>\n"))
    }
}

fn cell_view(cell: &CellReport) -> CellView {
    let explanations = match &cell.body {
        Body::Explain(list) => list.iter().map(explanation_view).collect(),
        _ => Vec::new(),
    };
    let table = if explanations.is_empty() { grid(cell, ROWS).map(table_view) } else { None };
    CellView {
        name: sanitise::line(&cell.name).into_owned(),
        kind: cell.kind.clone(),
        state: cell.state.clone(),
        prose_html: prose(&cell.prose),
        source: sanitise::lines(cell.source.trim_end()).into_owned(),
        caption: caption(cell),
        summary: text::summary(&cell.body),
        table,
        explanations,
        checks: cell.checks.iter().map(|check| check_view(cell, check)).collect(),
        notes: cell.notes.iter().map(|note| sanitise::line(note).into_owned()).collect(),
        error: cell.error.as_ref().map(|error| sanitise::lines(&error.to_string()).into_owned()),
    }
}

fn caption(cell: &CellReport) -> String {
    let mut parts = Vec::new();
    if let Some(rows) = cell.rows {
        parts.push(figures::plural(rows, "row", "rows"));
    }
    match cell.state.as_str() {
        "done" if cell.cached => parts.push("cached".into()),
        "done" => parts.push(figures::clock(cell.elapsed_ms)),
        state => parts.push(state.into()),
    }
    if let Some(because) = &cell.because {
        parts.push(format!("because of {}", sanitise::line(because)));
    }
    if cell.partial {
        parts.push("partial".into());
    }
    parts.join(" · ")
}

fn check_view(cell: &CellReport, check: &crate::protocol::CheckOutcome) -> CheckView {
    CheckView {
        cell: sanitise::line(&cell.name).into_owned(),
        ok: check.ok == Some(true),
        line: text::check_line(check),
    }
}

fn table_view(grid: Grid) -> TableView {
    let rights: Vec<bool> = grid.headers.iter().map(|header| header.right).collect();
    let more = (grid.more_rows > 0).then(|| figures::plural(grid.more_rows, "more row", "more rows"));
    TableView {
        headers: grid.headers.into_iter().map(|header| (header.text, header.right)).collect(),
        rows: grid
            .rows
            .into_iter()
            .map(|row| row.into_iter().zip(rights.iter().copied()).collect())
            .collect(),
        more,
    }
}

fn explanation_view(explanation: &Explanation) -> ExplanationView {
    let sides = [0, 1].map(|side| words::side(explanation, side).into_iter().map(word_view).collect());
    let record = explanation.record.iter().map(|(name, value)| {
        let value = value.as_deref().unwrap_or("NULL");
        (sanitise::excerpt(name, 100), sanitise::excerpt(value, 500))
    });
    ExplanationView {
        caption: format!("row {} · {}", explanation.row + 1, words::caption(explanation)),
        sides: sides.into_iter().filter(|side: &Vec<WordView>| !side.is_empty()).collect(),
        record: record.collect(),
    }
}

fn word_view(word: words::Word) -> WordView {
    let sign = match word.attribution {
        _ if word.strength < 0.05 => "none",
        a if a > 0.0 => "plus",
        _ => "minus",
    };
    WordView {
        sign,
        strength: (word.strength * 70.0).round() as u32,
        amount: word.amount(),
        exact: format!("{:+.4}", word.attribution),
        text: word.text,
        gap: word.gap,
    }
}

/// Markdown as HTML. HTML inside it becomes text, and links go to http(s) and within the page only.
fn prose(markdown: &str) -> String {
    let clean = sanitise::lines(markdown);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(&clean, options).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id })
        }
        // A report loads nothing: pictures become links.
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id })
        }
        Event::End(pulldown_cmark::TagEnd::Image) => Event::End(pulldown_cmark::TagEnd::Link),
        event => event,
    });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

fn harmless(url: CowStr<'_>) -> CowStr<'_> {
    let lower = url.trim().to_lowercase();
    let scheme = lower.split(['/', '?', '#']).next().is_some_and(|head| head.contains(':'));
    let web = ["http://", "https://", "mailto:"].iter().any(|start| lower.starts_with(start));
    if scheme && !web { CowStr::from("#") } else { url }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn one_file_with_everything_and_nothing_foreign() {
        let html = Html.render(&sample::report());
        assert!(html.starts_with("<!doctype html>"), "{html}");
        for wanted in
            ["prefers-color-scheme", ".41 ±.03", "跑", "−0.9", "ndcg@10 &gt;= 0.5", "no column", "n&#x2f;a"]
        {
            assert!(html.contains(wanted), "{wanted}\n--- in ---\n{html}");
        }
        for unwanted in ["<script", "<b>boots", "<b><", "\u{1b}", "\u{202e}", "http://", "https://", "src="] {
            assert!(!html.contains(unwanted), "{unwanted}\n--- in ---\n{html}");
        }
    }

    #[test]
    fn a_browser_is_told_to_load_and_run_nothing() {
        let html = Html.render(&sample::report());
        let policy =
            html.find("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';").unwrap();
        // What stands before it is not under it.
        assert!(html[..policy].matches('<').count() <= 6, "{}", &html[..policy]);
        // Styles are our own, in one element and in attributes; nothing else is let in.
        let allowed = html[policy..].split('>').next().unwrap();
        assert_eq!(allowed.matches("-src").count(), 2, "{allowed}");
        assert!(
            !["script", "http:", "data:", "*", "eval"].iter().any(|word| allowed.contains(word)),
            "{allowed}"
        );
    }

    #[test]
    fn the_title_stands_once() {
        let html = Html.render(&sample::report());
        assert_eq!(html.matches("<h1>").count(), 1, "{html}");
        assert!(html.contains("<em>week</em>"), "{html}");
    }

    #[test]
    fn prose_lets_no_markup_through() {
        let html = prose(
            "# T\n<script>x</script>\n\n[a](javascript:x) [b](https://b) ![c](http://c/d.png) **fett**",
        );
        assert!(
            html.contains("&lt;script&gt;") && !html.contains("javascript") && !html.contains("<img"),
            "{html}"
        );
        assert!(html.contains("href=\"https://b\"") && html.contains("<strong>fett</strong>"), "{html}");
    }
}
