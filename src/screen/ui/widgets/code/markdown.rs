//! Markdown by pulldown-cmark, which the reports have anyway: syntect's grammar for it embeds HTML and
//! a dozen languages, and its 200 expressions held 15 MB in memory.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::highlight::CodeSpan;
use crate::screen::ui::theme::Role;

pub fn highlight<S: AsRef<str>>(lines: &[S]) -> Vec<Vec<CodeSpan>> {
    let text = lines.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n");
    let mut roles = vec![None; text.len()];
    for (event, range) in Parser::new_ext(&text, Options::ENABLE_TABLES).into_offset_iter() {
        let Some((from, role)) = role(&event, text.get(range.clone()).unwrap_or_default()) else { continue };
        // What is inside comes later and paints over what it is in.
        if let Some(painted) = roles.get_mut(range.start + from..range.end) {
            painted.fill(Some(role));
        }
    }
    let mut start = 0;
    lines
        .iter()
        .map(|line| {
            let end = start + line.as_ref().len();
            let spans = runs(roles.get(start..end).unwrap_or_default());
            start = end + 1;
            spans
        })
        .collect()
}

/// What an element is shown as, from which byte of it on.
fn role(event: &Event, source: &str) -> Option<(usize, Role)> {
    let whole = |role| Some((0, role));
    match event {
        Event::Start(Tag::Heading { .. } | Tag::Strong) => whole(Role::CodeHeading),
        Event::Start(Tag::Emphasis) => whole(Role::CodeEmphasis),
        Event::Start(Tag::BlockQuote(_)) | Event::Html(_) | Event::InlineHtml(_) => whole(Role::CodeComment),
        Event::Code(_) | Event::Start(Tag::CodeBlock(_)) => whole(Role::CodeString),
        // The place that it leads to, not its words.
        Event::Start(Tag::Link { .. } | Tag::Image { .. }) => {
            Some((source.rfind("](").map_or(0, |at| at + 1), Role::CodeOperator))
        }
        _ => None,
    }
}

/// Bytes of one role as spans.
fn runs(roles: &[Option<Role>]) -> Vec<CodeSpan> {
    let mut start = 0;
    let runs = roles.chunk_by(|a, b| a == b).filter_map(|run| {
        let (from, role) = (start, *run.first()?);
        start += run.len();
        Some(CodeSpan { start: from, end: start, role: role? })
    });
    runs.collect()
}
