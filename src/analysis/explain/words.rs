//! The players: words of query and title, from token texts and byte offsets. Latin words by
//! whitespace and punctuation, Chinese by character. No tokenizer here, and the text is only read.
//!
//! A WordPiece tokenizer already splits at whitespace, isolates punctuation and (by default) Chinese
//! characters, and marks the pieces that go on within a word with `##`; byte-level and sentencepiece
//! tokenizers number the words they split from. Words are read from that, so that they are what the
//! model saw. Tokenizers that leave Chinese runs whole are split here, between tokens. Scripts
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

impl Words {
    /// The sum over each word's tokens of one value per token of the input.
    pub fn sums(&self, values: &[f64]) -> Vec<f64> {
        let sum = |word: &Word| word.tokens.iter().filter_map(|&at| values.get(at)).sum();
        self.list.iter().map(sum).collect()
    }
}

/// The word that is being put together.
struct Open {
    side: u8,
    start: usize,
    end: usize,
    chinese: bool,
}

/// A token as it lies in its side's text.
struct Piece<'a> {
    at: usize,
    side: u8,
    start: usize,
    end: usize,
    /// Of the text where the offsets lie in it, else the token's own name.
    text: &'a str,
    chinese: bool,
}

impl<'a> Piece<'a> {
    fn new(query: &'a str, text: Option<&'a str>, input: &'a Encoded, at: usize) -> Self {
        let side = input.sides.get(at).copied().unwrap_or(0);
        let source = if side == 0 { query } else { text.unwrap_or("") };
        let token = input.tokens.get(at).map_or("", String::as_str);
        let (start, end) = input.offsets.get(at).copied().unwrap_or((0, 0));
        let inside = source.get(start..end).filter(|s| !s.is_empty());
        // sentencepiece's tokens begin with the space before the word.
        let name = token.trim_start_matches("##").trim_matches(['▁', 'Ġ']);
        let text = inside.map_or(name, str::trim_start);
        let start = inside.map_or(start, |s| start + s.len() - text.len());
        let chinese = text.chars().next().is_some_and(is_chinese);
        Self { at, side, start, end, text, chinese }
    }

    fn opens(&self) -> Open {
        Open { side: self.side, start: self.start, end: self.end, chinese: self.chinese }
    }

    /// Whether it belongs to the word before it.
    fn continues(&self, open: &Open, input: &Encoded, last: Option<char>) -> bool {
        if self.side != open.side {
            return false;
        }
        // Byte-level tokens may each be a part of one character: they lie on the same bytes.
        if self.start < open.end && open.start < self.end {
            return true;
        }
        let word = |at: usize| input.words.get(at).copied().flatten();
        let same_word = self.at > 0 && word(self.at).is_some() && word(self.at) == word(self.at - 1);
        // Tokenizers that split at spaces alone leave punctuation in the word.
        let marks = last.is_some_and(is_mark) || self.text.chars().next().is_some_and(is_mark);
        let pieced = input.tokens.get(self.at).is_some_and(|token| token.starts_with("##"));
        (pieced || (same_word && !marks)) && open.end == self.start && !open.chinese && !self.chinese
    }
}

/// Groups the tokens of `input`, which was encoded from `query` and `text`, into words.
///
/// Tokens whose offsets do not lie in the text become words under their own names. A token that is
/// only the space before a word belongs to that word.
pub fn find_words(query: &str, text: Option<&str>, input: &Encoded) -> Words {
    let mut words = Words { list: Vec::new(), of_token: vec![None; input.ids.len()] };
    let mut open: Option<Open> = None;
    let mut spaces: Vec<usize> = Vec::new();
    for at in 0..input.ids.len() {
        if input.special.get(at).copied().unwrap_or(false) {
            (open, spaces) = (None, Vec::new());
            continue;
        }
        let piece = Piece::new(query, text, input, at);
        let followed = !input.special.get(at + 1).copied().unwrap_or(true);
        if piece.text.is_empty() && followed {
            spaces.push(at);
            open = None;
            continue;
        }
        let source = if piece.side == 0 { query } else { text.unwrap_or("") };
        match (&mut open, words.list.last_mut()) {
            (Some(open), Some(word)) if piece.continues(open, input, word.text.chars().next_back()) => {
                word.tokens.push(at);
                open.end = open.end.max(piece.end);
                match source.get(open.start..open.end) {
                    Some(whole) => word.text = whole.to_owned(),
                    None => word.text.push_str(piece.text),
                }
            }
            _ => {
                let mut tokens = std::mem::take(&mut spaces);
                tokens.push(at);
                words.list.push(Word { text: piece.text.to_owned(), side: piece.side, tokens });
                open = Some(piece.opens());
            }
        }
    }
    for (number, word) in words.list.iter().enumerate() {
        for at in &word.tokens {
            if let Some(slot) = words.of_token.get_mut(*at) {
                *slot = Some(number);
            }
        }
    }
    words
}

/// ASCII punctuation, and the Chinese and general marks.
fn is_mark(c: char) -> bool {
    let wide = |c: u32| matches!(c, 0x2010..=0x205E | 0x3000..=0x303F | 0xFF00..=0xFF0F | 0xFF1A..=0xFF20);
    c.is_ascii_punctuation() || wide(u32::from(c))
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
    fn words_of_byte_level_and_sentencepiece_tokenizers_are_found_by_their_numbers() {
        let text = "shoes, 鞋";
        let tokens = [("sh", 0, 2), ("oes", 2, 5), (",", 5, 6), ("Ġ", 7, 10), ("é", 7, 10), ("ŀ", 7, 10)];
        let mut input = encoded(&[&tokens]);
        assert_eq!(texts(&find_words(text, None, &input)), ["sh", "oes", ",", "鞋"]);
        input.words = [None, Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), None].to_vec();
        let words = find_words(text, None, &input);
        assert_eq!(texts(&words), ["shoes", ",", "鞋"]);
        assert_eq!(words.list[2].tokens, [4, 5, 6]);

        let tokens =
            [("▁run", 0, 3), ("ning", 3, 7), ("▁", 7, 8), ("靴", 8, 11), ("▁shoe", 11, 16), ("!", 16, 17)];
        let mut input = encoded(&[&tokens]);
        input.words = [None, Some(0), Some(0), Some(1), Some(1), Some(2), Some(2), None].to_vec();
        let words = find_words("running 靴 shoe!", None, &input);
        assert_eq!(texts(&words), ["running", "靴", "shoe", "!"]);
        assert_eq!(words.list[1].tokens, [3, 4]);
        assert_eq!(words.of_token[3], Some(1));
    }

    #[test]
    fn only_special_tokens_are_no_words() {
        assert!(find_words("", Some(""), &encoded(&[&[], &[]])).list.is_empty());
    }
}
