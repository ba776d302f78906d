//! Text as terminal cells: made harmless, then measured, cut, padded, wrapped and put, by grapheme.
//! Every widget writes to the buffer through [`put`], so nothing unclean can reach it.
//!
//! Stricter than `util::sanitise`: joiners and variation selectors go too, because terminals disagree on
//! their widths and a grid of cells must not. All of it is lazy: a title of a megabyte costs what its
//! visible part costs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Where text stands in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    #[default]
    Left,
    Right,
}

/// Marks that may pile up on one letter before the rest are dropped.
const MARKS_PER_LETTER: usize = 4;

/// Harmless characters of `text`, in order: line ends and tabs as blanks, other controls as their
/// pictures, bidi and format characters dropped, piles of marks cut.
pub fn clean(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut marks = MARKS_PER_LETTER;
    text.chars().filter_map(move |c| {
        let c = replace(c)?;
        if c.width().unwrap_or(0) == 0 {
            marks += 1;
            (marks <= MARKS_PER_LETTER).then_some(c)
        } else {
            marks = 0;
            Some(c)
        }
    })
}

/// `None` for what must not be shown at all.
fn replace(c: char) -> Option<char> {
    Some(match c {
        ' '..='~' => c,
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        // Soft hyphen, joiners, bidi marks, embeddings, overrides, isolates, invisible operators.
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' => return None,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => return None,
        // Fillers that look like nothing, variation selectors (terminals disagree on the width they
        // ask for), annotation anchors, tags, shorthand and musical controls.
        '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' => return None,
        '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' => return None,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => return None,
        _ => c,
    })
}

/// A cleaned prefix that surely fills `columns`; the flag says whether anything was left.
fn prefix(text: &str, columns: usize) -> (String, bool) {
    let limit = columns.saturating_add(2).saturating_mul(MARKS_PER_LETTER + 1);
    let mut chars = clean(text);
    let head: String = chars.by_ref().take(limit).collect();
    let more = chars.next().is_some();
    (head, more)
}

/// The whole text, harmless. For short texts; long ones go through [`truncate`] or [`wrap`].
pub fn clean_string(text: &str) -> String {
    clean(text).collect()
}

/// Columns that the harmless form of `text` needs, counted up to `limit`.
pub fn width(text: &str, limit: usize) -> usize {
    let (head, more) = prefix(text, limit);
    let w = head.graphemes(true).map(columns_of).sum::<usize>();
    if more { w.max(limit) } else { w }.min(limit)
}

/// Columns of one grapheme as it will stand in the buffer.
pub fn columns_of(grapheme: &str) -> usize {
    grapheme.width()
}

/// At most `columns` wide; what was cut is said by an ellipsis.
pub fn truncate(text: &str, columns: usize) -> String {
    if columns == 0 {
        return String::new();
    }
    let (head, more) = prefix(text, columns);
    let mut used = 0;
    let mut cut = None;
    for (at, grapheme) in head.grapheme_indices(true) {
        let w = columns_of(grapheme);
        if used + w > columns {
            cut = Some(at);
            break;
        }
        used += w;
    }
    match cut {
        None if !more => head,
        _ => {
            let kept = head.get(..cut.unwrap_or(head.len())).unwrap_or_default();
            with_ellipsis(kept, columns)
        }
    }
}

/// Makes room for the ellipsis behind a text that already fits.
fn with_ellipsis(fitting: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for grapheme in fitting.graphemes(true) {
        let w = columns_of(grapheme);
        if used + w > columns.saturating_sub(1) {
            break;
        }
        used += w;
        out.push_str(grapheme);
    }
    out.push('…');
    out
}

/// At most `columns` wide, cut in the middle: of names that begin alike, the ends tell them apart. For
/// short texts.
pub fn truncate_middle(text: &str, columns: usize) -> String {
    let clean = clean_string(text);
    let graphemes: Vec<&str> = clean.graphemes(true).collect();
    if columns < 5 || graphemes.iter().copied().map(columns_of).sum::<usize>() <= columns {
        return truncate(text, columns);
    }
    let end = (columns - 1) / 2;
    let fits = |room: usize, parts: &mut dyn Iterator<Item = &&str>| {
        let mut used = 0;
        let fitting = parts.take_while(|part| {
            used += columns_of(part);
            used <= room
        });
        fitting.count()
    };
    let head = fits(columns - 1 - end, &mut graphemes.iter());
    let tail = fits(end, &mut graphemes.iter().rev());
    let head = graphemes.get(..head).unwrap_or_default().concat();
    format!("{head}…{}", graphemes.get(graphemes.len() - tail..).unwrap_or_default().concat())
}

/// Exactly `columns` wide: cut or filled with blanks.
pub fn pad(text: &str, columns: usize, align: Align) -> String {
    let text = truncate(text, columns);
    let blanks = " ".repeat(columns.saturating_sub(text.width()));
    match align {
        Align::Left => text + &blanks,
        Align::Right => blanks + &text,
    }
}

/// Lines of at most `columns`, broken at blanks where possible, anywhere in Chinese; at most
/// `max_lines`, the last one then ending in an ellipsis. Line ends in the text are kept.
pub fn wrap(text: &str, columns: usize, max_lines: usize) -> Vec<String> {
    if columns == 0 || max_lines == 0 {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let room = max_lines.saturating_sub(lines.len());
        if room == 0 {
            mark_cut(&mut lines, columns);
            break;
        }
        let (head, more) =
            prefix(paragraph.strip_suffix('\r').unwrap_or(paragraph), columns.saturating_mul(room + 1));
        let broken = break_line(&head, columns);
        let cut = more || broken.len() > room;
        lines.extend(broken.into_iter().take(room));
        if cut {
            mark_cut(&mut lines, columns);
            break;
        }
    }
    lines
}

fn mark_cut(lines: &mut [String], columns: usize) {
    if let Some(last) = lines.last_mut() {
        *last = with_ellipsis(last, columns);
    }
}

/// `text` is harmless already.
fn break_line(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_word_bounds() {
        let w = word.graphemes(true).map(columns_of).sum::<usize>();
        if used + w <= columns {
            line.push_str(word);
            used += w;
            continue;
        }
        if word.trim().is_empty() {
            // A blank at the end of a line is the line end.
            lines.push(std::mem::take(&mut line));
            used = 0;
            continue;
        }
        if w <= columns {
            lines.push(std::mem::take(&mut line));
            line.push_str(word);
            used = w;
            continue;
        }
        for grapheme in word.graphemes(true) {
            let w = columns_of(grapheme);
            if used + w > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if w <= columns {
                line.push_str(grapheme);
                used += w;
            }
        }
    }
    lines.push(line);
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Writes at most `columns` of `text` at (x, y), clipped to the buffer; returns the next x. What does
/// not fit is left out without an ellipsis (see [`put_cut`]).
pub fn put(buf: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
    let area = *buf.area();
    if y < area.top() || y >= area.bottom() || x < area.left() {
        return x;
    }
    let end = area.right().min(x.saturating_add(columns));
    let mut x = x;
    if x < end {
        unsplit(buf, x, y);
    }
    let (head, _) = prefix(text, usize::from(end.saturating_sub(x)));
    for grapheme in head.graphemes(true) {
        let w = u16::try_from(columns_of(grapheme)).unwrap_or(u16::MAX);
        if w == 0 {
            continue;
        }
        if x.saturating_add(w) > end {
            break;
        }
        if let Some(cell) = buf.cell_mut((x, y)) {
            cell.set_symbol(grapheme).set_style(style);
        }
        for covered in x + 1..x + w {
            if let Some(cell) = buf.cell_mut((covered, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
        x += w;
    }
    x
}

/// [`put`] with an ellipsis where the text does not fit.
pub fn put_cut(buf: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) -> u16 {
    put(buf, x, y, columns, &truncate(text, usize::from(columns)), style)
}

/// Writes `text` so that it ends before `x + columns`.
pub fn put_right(buf: &mut Buffer, x: u16, y: u16, columns: u16, text: &str, style: Style) {
    let text = truncate(text, usize::from(columns));
    let blank = columns.saturating_sub(u16::try_from(text.width()).unwrap_or(columns));
    put(buf, x.saturating_add(blank), y, columns - blank, &text, style);
}

/// Blanks with a style over a row of cells.
pub fn fill(buf: &mut Buffer, area: Rect, style: Style) {
    let area = area.intersection(*buf.area());
    for y in area.top()..area.bottom() {
        unsplit(buf, area.left(), y);
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }
}

/// Blanks a wide character whose right half is about to be overwritten: the terminal would skip the
/// cell that it still covers.
fn unsplit(buf: &mut Buffer, x: u16, y: u16) {
    if x <= buf.area().left() {
        return;
    }
    if let Some(cell) = buf.cell_mut((x - 1, y))
        && cell.symbol().width() > 1
    {
        cell.set_symbol(" ");
    }
}

/// One line of `area`, counted from its top; `None` below its bottom.
pub fn row(area: Rect, line: usize) -> Option<u16> {
    let line = u16::try_from(line).ok()?;
    (line < area.height).then(|| area.y.saturating_add(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_in_the_middle() {
        assert_eq!(truncate_middle("regions_scored_score_irrelevant", 14), "regions…levant");
        assert_eq!(truncate_middle("search_id", 14), "search_id");
        assert_eq!(truncate_middle("跑鞋搜索词的得分", 9), "跑鞋…得分");
        assert_eq!(truncate_middle("search_id", 4), "sea…");
        assert_eq!(truncate_middle("\u{1b}[31mregions_scored", 8), "␛[31…red");
        for columns in 0..40 {
            assert!(width(&truncate_middle("跑鞋a搜b索c词d的e得f分", columns), 99) <= columns);
        }
    }

    #[test]
    fn hostile_text_becomes_harmless() {
        assert_eq!(clean_string("a\u{1b}[31mb"), "a␛[31mb");
        assert_eq!(clean_string("x\u{202e}y\u{200d}z\u{feff}"), "xyz");
        assert_eq!(clean_string("tab\there\r\n"), "tab here  ");
        assert_eq!(clean_string("\u{9b}31m\u{7f}"), "\u{fffd}31m␡");
        let pile = format!("e{}", "\u{301}".repeat(200));
        assert_eq!(clean_string(&pile).chars().count(), 1 + MARKS_PER_LETTER);
        assert_eq!(clean_string(&"\u{301}".repeat(9)), "");
    }

    #[test]
    fn chinese_and_emoji_are_cut_at_whole_characters() {
        assert_eq!(truncate("跑鞋男士", 8), "跑鞋男士");
        assert_eq!(truncate("跑鞋男士", 7), "跑鞋男…");
        assert_eq!(truncate("跑鞋男士", 6), "跑鞋…");
        assert_eq!(truncate("跑", 1), "…");
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(width("👟x", 99), 3);
        assert_eq!(pad("鞋", 5, Align::Right), "   鞋");
        assert_eq!(pad("鞋子店", 5, Align::Left), "鞋子…");
    }

    #[test]
    fn a_megabyte_costs_its_visible_part() {
        let long = "鞋".repeat(400_000);
        assert_eq!(truncate(&long, 5), "鞋鞋…");
        assert_eq!(width(&long, 40), 40);
        assert_eq!(wrap(&long, 4, 2), vec!["鞋鞋", "鞋…"]);
    }

    #[test]
    fn wrapping_keeps_words_and_line_ends() {
        assert_eq!(wrap("men's hiking boots", 8, 9), vec!["men's", "hiking", "boots"]);
        assert_eq!(wrap("跑鞋男士", 5, 9), vec!["跑鞋", "男士"]);
        assert_eq!(wrap("a\n\nb", 5, 9), vec!["a", "", "b"]);
        assert_eq!(wrap("waterproofing", 5, 9), vec!["water", "proof", "ing"]);
        assert_eq!(wrap("one two three", 5, 2), vec!["one", "two…"]);
        assert_eq!(wrap("a\nb\nc", 5, 2), vec!["a", "b…"]);
    }

    #[test]
    fn put_never_splits_a_wide_character() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        let next = put(&mut buf, 0, 0, 3, "鞋鞋", Style::new());
        assert_eq!(next, 2);
        assert_eq!(buf, Buffer::with_lines(["鞋  "]));
        put(&mut buf, 9, 9, 3, "x", Style::new());
        put_right(&mut buf, 0, 0, 4, "ab", Style::new());
        assert_eq!(buf, Buffer::with_lines(["鞋ab"]));
        put(&mut buf, 1, 0, 1, "!", Style::new());
        assert_eq!(buf, Buffer::with_lines([" !ab"]));
    }
}
