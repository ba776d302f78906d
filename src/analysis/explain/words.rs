//! The players: words of query and title, from token texts and byte offsets. Latin words by
//! whitespace and punctuation, Chinese by character. No tokenizer here, and the text is only read.
//!
//! A WordPiece tokenizer already splits at whitespace, isolates punctuation and (by default) Chinese
//! characters, and marks the pieces that go on within a word with `##`; words are read from that, so
//! that they are what the model saw. Tokenizers that leave Chinese runs whole are split here. Scripts
//! written without spaces other than Chinese (Thai, kana) stay as long as the tokenizer left them.

use crate::analysis::scorer::Encoded;

/// A player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it stands in the text (accents and case kept).
    pub text: String,
    /// 0 query (or the only text), 1 title.
    pub side: u8,
    /// Positions in the input's ids, ascending.
    pub tokens: Vec<usize>,
}

/// All players of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub list: Vec<Word>,
    /// Index into `list` per token of the input; `None` for special tokens.
    pub of_token: Vec<Option<usize>>,
}

/// The word that is being put together.
struct Open {
    side: u8,
    start: usize,
    end: usize,
    chinese: bool,
}

/// Groups the tokens of `input`, which was encoded from `query` and `text`, into words.
///
/// Tokens whose offsets do not lie in the text become words under their own names.
pub fn find_words(query: &str, text: Option<&str>, input: &Encoded) -> Words {
    let mut words = Words { list: Vec::new(), of_token: Vec::with_capacity(input.ids.len()) };
    let mut open: Option<Open> = None;
    for at in 0..input.ids.len() {
        if input.special.get(at).copied().unwrap_or(false) {
            words.of_token.push(None);
            open = None;
            continue;
        }
        let side = input.sides.get(at).copied().unwrap_or(0);
        let source = if side == 0 { query } else { text.unwrap_or("") };
        let token = input.tokens.get(at).map_or("", String::as_str);
        let (start, end) = input.offsets.get(at).copied().unwrap_or((0, 0));
        let inside = source.get(start..end).filter(|s| !s.is_empty());
        let piece = inside.unwrap_or_else(|| token.trim_start_matches("##"));
        let chinese = piece.chars().next().is_some_and(is_chinese);

        let goes_on = token.starts_with("##")
            && open.as_ref().is_some_and(|o| o.side == side && o.end == start && !o.chinese && !chinese);
        match (&mut open, words.list.last_mut()) {
            (Some(open), Some(word)) if goes_on => {
                word.tokens.push(at);
                open.end = end;
                match source.get(open.start..end) {
                    Some(whole) => word.text = whole.to_owned(),
                    None => word.text.push_str(piece),
                }
            }
            _ => {
                words.list.push(Word { text: piece.to_owned(), side, tokens: vec![at] });
                open = Some(Open { side, start, end, chinese });
            }
        }
        words.of_token.push(words.list.len().checked_sub(1));
    }
    words
}

/// The blocks that BERT's tokenizers isolate (CJK ideographs, no kana, no hangul).
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0xF900..=0xFAFF
        | 0x20000..=0x2A6DF | 0x2A700..=0x2CEAF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(token, start, end)` per side, with [CLS] and [SEP] around.
    fn encoded(sides: &[&[(&str, usize, usize)]]) -> Encoded {
        let mut input = Encoded::default();
        let mut push = |token: &str, side: usize, offsets, special| {
            input.ids.push(1);
            input.type_ids.push(side as u32);
            input.special.push(special);
            input.sides.push(side as u8);
            input.offsets.push(offsets);
            input.tokens.push(token.to_owned());
        };
        push("[CLS]", 0, (0, 0), true);
        for (side, tokens) in sides.iter().enumerate() {
            for (token, start, end) in *tokens {
                push(token, side, (*start, *end), false);
            }
            push("[SEP]", side, (0, 0), true);
        }
        input
    }

    fn texts(words: &Words) -> Vec<&str> {
        words.list.iter().map(|w| w.text.as_str()).collect()
    }

    #[test]
    fn pieces_become_words_as_written() {
        let input = encoded(&[
            &[("touch", 0, 5), ("##screen", 5, 11)],
            &[("smart", 0, 5), ("##fi", 5, 7), ("##t", 7, 8), ("##®", 8, 10), (",", 10, 11), ("700", 12, 15)],
        ]);
        let words = find_words("TouchScreen", Some("SmartFit®, 700"), &input);
        assert_eq!(texts(&words), ["TouchScreen", "SmartFit®", ",", "700"]);
        assert_eq!(words.list[1].tokens, [4, 5, 6, 7]);
        assert_eq!(
            words.of_token,
            [None, Some(0), Some(0), None, Some(1), Some(1), Some(1), Some(1), Some(2), Some(3), None]
        );
    }

    #[test]
    fn chinese_is_split_by_character_even_where_the_tokenizer_did_not() {
        let text = "跑鞋abc靴";
        let input =
            encoded(&[&[("跑", 0, 3), ("##鞋", 3, 6), ("##ab", 6, 8), ("##c", 8, 9), ("##靴", 9, 12)]]);
        assert_eq!(texts(&find_words(text, None, &input)), ["跑", "鞋", "abc", "靴"]);
    }

    #[test]
    fn the_same_word_on_both_sides_is_two_players() {
        let input = encoded(&[&[("男", 0, 3)], &[("男", 0, 3)]]);
        let words = find_words("男", Some("男"), &input);
        assert_eq!(words.list.iter().map(|w| w.side).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn wrong_offsets_never_panic_and_fall_back_to_tokens() {
        let input = encoded(&[&[("鞋", 1, 2), ("shoe", 90, 95), ("##s", 95, 96), ("##x", 9, 3)]]);
        let words = find_words("跑鞋", None, &input);
        assert_eq!(texts(&words), ["鞋", "shoes", "x"]);
        let short = Encoded { ids: vec![1, 2], ..Encoded::default() };
        assert_eq!(find_words("ab", None, &short).list.len(), 2);
    }

    #[test]
    fn only_special_tokens_are_no_words() {
        assert!(find_words("", Some(""), &encoded(&[&[], &[]])).list.is_empty());
    }
}
