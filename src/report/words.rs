//! An explanation's words, ready to be shown: strength relative to the strongest, sign, and the blanks
//! between them.

use crate::protocol::{Explanation, WordAttribution};
use crate::util::sanitise;

/// One word with its share.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub text: String,
    pub attribution: f64,
    /// |attribution| over the largest one, 0 to 1.
    pub strength: f64,
    /// A blank stands before it (Chinese characters stand together).
    pub gap: bool,
}

impl Word {
    /// `+2.1`, `−0.9`; empty for words that moved next to nothing.
    pub fn amount(&self) -> String {
        if self.strength < 0.05 {
            return String::new();
        }
        crate::util::figures::signed(self.attribution, if self.attribution.abs() < 0.095 { 3 } else { 1 })
    }
}

/// The words of one side (0 query, 1 title).
pub(super) fn side(explanation: &Explanation, side: u8) -> Vec<Word> {
    let largest =
        explanation.words.iter().map(|w| w.attribution.abs()).filter(|a| a.is_finite()).fold(0.0, f64::max);
    let mut words: Vec<Word> = Vec::new();
    for word in explanation.words.iter().filter(|word| word.side == side) {
        let gap = words.last().is_some_and(|last| !(joined(&last.text, true) && joined(&word.text, false)));
        words.push(Word { gap, ..shown(word, largest) });
    }
    words
}

fn shown(word: &WordAttribution, largest: f64) -> Word {
    let strength =
        if largest > 0.0 && word.attribution.is_finite() { word.attribution.abs() / largest } else { 0.0 };
    Word { text: sanitise::excerpt(&word.text, 80), attribution: word.attribution, strength, gap: false }
}

fn joined(text: &str, end: bool) -> bool {
    let edge = if end { text.chars().next_back() } else { text.chars().next() };
    edge.is_some_and(|c| matches!(c as u32, 0x2e80..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0xff00..=0xffef | 0x20000..=0x3ffff))
}

/// `score 7.91 · integrated gradients · gap 0.4 % · 48 passes`; before the passes the class, and that the
/// text was cut.
pub(super) fn caption(explanation: &Explanation) -> String {
    let mut parts = vec![format!("score {}", crate::util::figures::number(explanation.score))];
    parts.push(explanation.method.replace('_', " "));
    if let Some(delta) = explanation.delta {
        // Adding 0 makes -0 positive.
        parts.push(format!("gap {:.1} %", (delta * 1000.0).round() / 10.0 + 0.0));
    }
    if let Some(target) = &explanation.target {
        parts.push(format!("class {}", sanitise::excerpt(target, 40)));
    }
    if explanation.truncated {
        parts.push("the text is cut to the model's limit".to_owned());
    }
    let passes = explanation.passes.forward + explanation.passes.backward;
    if passes > 0 {
        parts.push(format!("{passes} passes"));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::protocol::Body;

    #[test]
    fn chinese_stands_together_and_strength_is_relative() {
        let report = sample::report();
        let Body::Explain(list) = &report.cells[2].body else { panic!() };
        let query = side(&list[0], 0);
        assert_eq!((query[0].strength, query[1].gap), (1.0, false));
        let title = side(&list[0], 1);
        assert_eq!(title[0].amount(), "−0.9");
        assert_eq!((title[1].amount().as_str(), title[1].gap), ("", true));
        assert_eq!(caption(&list[0]), "score 7.91 · integrated gradients · gap 0.4 %");
    }
}
