//! What can be said of a text without understanding it: length, digits, script, frequent tokens. Predicates
//! only; they are evaluated in SQL, where a reader can repeat them.

use std::collections::{HashMap, HashSet};

use super::columns::{Candidate, Sort};
use super::condition::Condition;
use crate::terms::quote_ident;

/// Tokens that are tried, the most frequent first.
pub(super) const TOKENS: usize = 10;
/// A token in more than this share of the texts says nothing.
const EVERYWHERE: f64 = 0.8;

/// Lengths: numbers like any column.
pub(super) fn lengths(name: &str) -> [Candidate; 2] {
    let column = quote_ident(name);
    [
        Candidate {
            name: format!("words of {name}"),
            subject: format!(r"len(regexp_extract_all({column}, '[^\s\p{{Z}}]+'))"),
            sort: Sort::Number,
        },
        Candidate {
            name: format!("characters of {name}"),
            subject: format!("length({column})"),
            sort: Sort::Number,
        },
    ]
}

pub(super) fn digits(name: &str) -> Vec<(String, Condition)> {
    let pattern = r"\p{Nd}".to_owned();
    vec![
        (format!("digit in {name}"), Condition::Matches(pattern.clone(), None)),
        (format!("no digit in {name}"), Condition::NoMatch(pattern)),
    ]
}

/// Scripts, which exclude each other. Chinese words beside Latin ones are a class of their own: brand and
/// model names in Chinese queries.
pub(super) fn scripts(name: &str) -> Vec<(String, Condition)> {
    const KANA: &str = r"[\p{Hiragana}\p{Katakana}]";
    let matches = |pattern: &str, but: &str| Condition::Matches(pattern.to_owned(), Some(but.to_owned()));
    let class = |script: &str, condition| (format!("script of {name} = {script}"), condition);
    // Han and Latin letters: in either order, whatever stands between.
    let both = r"(?s)(\p{Han}.*\p{Latin}|\p{Latin}.*\p{Han})";
    vec![
        class("Chinese", matches(r"\p{Han}", r"[\p{Latin}\p{Hiragana}\p{Katakana}\p{Hangul}]")),
        class("Chinese and Latin", matches(both, r"[\p{Hiragana}\p{Katakana}\p{Hangul}]")),
        class("Japanese", Condition::Matches(KANA.to_owned(), None)),
        class("Korean", matches(r"\p{Hangul}", KANA)),
        class("Latin", matches(r"\p{Latin}", r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")),
        class("other", matches(r"\p{L}", r"[\p{Latin}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")),
        class("none", Condition::NoMatch(r"\p{L}".to_owned())),
    ]
}

/// The most frequent tokens of `texts` (with their rows): words, and pairs of neighbouring characters
/// where a script has no spaces. `least` rows at least.
pub(super) fn tokens(name: &str, texts: &[(String, u64)], least: u64) -> Vec<(String, Condition)> {
    let mut rows: HashMap<Token, u64> = HashMap::new();
    let mut all = 0;
    for (text, count) in texts {
        all += count;
        for token in tokenise(text) {
            *rows.entry(token).or_default() += count;
        }
    }
    let most = (all as f64 * EVERYWHERE) as u64;
    let mut found: Vec<(Token, u64)> =
        rows.into_iter().filter(|(_, count)| (least..=most).contains(count)).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found.truncate(TOKENS);
    found
        .into_iter()
        .map(|(token, _)| match token {
            Token::Word(word) => (format!("\"{word}\" in {name}"), Condition::Word(word)),
            Token::Pair(pair) => (format!("\"{pair}\" in {name}"), Condition::Characters(pair)),
        })
        .collect()
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Token {
    Word(String),
    Pair(String),
}

fn without_spaces(c: char) -> bool {
    matches!(c as u32,
        0x3041..=0x309F | 0x30A1..=0x30FA | 0x30FC..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xF900..=0xFAFF | 0x20000..=0x2FA1F)
}

fn tokenise(text: &str) -> HashSet<Token> {
    let mut tokens = HashSet::new();
    let mut word = String::new();
    let mut run: Vec<char> = Vec::new();
    for c in text.to_lowercase().chars().chain(std::iter::once(' ')) {
        let packed = without_spaces(c);
        if !packed {
            // A run of one character is a token as it stands.
            match run.as_slice() {
                [] => {}
                [one] => drop(tokens.insert(Token::Pair(one.to_string()))),
                run => tokens.extend(run.windows(2).map(|pair| Token::Pair(pair.iter().collect()))),
            }
            run.clear();
        }
        if packed {
            run.push(c);
        }
        if !packed && c.is_alphanumeric() {
            word.push(c);
        } else if !word.is_empty() {
            if word.chars().nth(1).is_some() {
                tokens.insert(Token::Word(std::mem::take(&mut word)));
            }
            word.clear();
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let word = |token| match token {
            Token::Word(text) | Token::Pair(text) => text,
        };
        let mut words: Vec<String> = tokenise(text).into_iter().map(word).collect();
        words.sort();
        words
    }

    #[test]
    fn words_and_pairs() {
        assert_eq!(of("Nike Air-Max 90"), ["90", "air", "max", "nike"]);
        assert_eq!(of("跑鞋 男"), ["男", "跑鞋"]);
        assert_eq!(of("运动跑鞋"), ["动跑", "跑鞋", "运动"]);
        assert_eq!(of("iPhone手机壳x"), ["iphone", "手机", "机壳"]);
        assert!(of("").is_empty() && of("a b ' \" ;").is_empty());
    }

    #[test]
    fn rare_and_ubiquitous_tokens_are_left_out() {
        let texts: Vec<(String, u64)> =
            vec![("red shoes".into(), 50), ("blue shoes".into(), 49), ("rare shoes".into(), 1)];
        let found: Vec<String> = tokens("q", &texts, 10).into_iter().map(|(words, _)| words).collect();
        assert_eq!(found, ["\"red\" in q", "\"blue\" in q"]);
    }
}
