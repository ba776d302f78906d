//! What the widgets' unit tests share: a buffer as lines of text.

use ratatui::buffer::Buffer;

use super::text;

/// Each line as a terminal would show it, without trailing blanks.
pub fn lines(buf: &Buffer) -> Vec<String> {
    let area = *buf.area();
    (area.top()..area.bottom())
        .map(|y| {
            let mut line = String::new();
            let mut x = area.left();
            while x < area.right() {
                let symbol = buf.cell((x, y)).map_or(" ", |cell| cell.symbol());
                line.push_str(symbol);
                x += text::columns_of(symbol).max(1) as u16;
            }
            line.trim_end().to_string()
        })
        .collect()
}
