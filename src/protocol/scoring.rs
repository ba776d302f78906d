//! What a scoring job tells of itself while it runs, and the one wording of it that screens and pipes
//! share.

use serde::{Deserialize, Serialize};

use super::Progress;
use crate::util::figures;

/// Where a scoring job stands, beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scoring {
    /// Different inputs that the model has computed, and how many it has to in all (0: not known).
    pub inputs_done: u64,
    pub inputs_total: u64,
    /// Rows whose score was known from before (0 where only inputs are counted), and the different inputs
    /// that they are.
    pub rows_cached: u64,
    pub inputs_cached: u64,
    pub tokens_done: u64,
    /// 0: not known.
    pub tokens_total: u64,
    /// Not every text has been tokenised yet: totals and the time left are estimates.
    pub estimated: bool,
    /// Of the last seconds of computing; loading, looking up and pauses do not count. 0: not known yet.
    pub tokens_per_second: f64,
    pub device: String,
    pub dtype: String,
    /// Memory of the engine's process; 0: not known.
    pub rss_bytes: u64,
}

/// A part of a line of progress. A narrow line leaves out those of the highest rank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub rank: u8,
    pub long: String,
    pub short: String,
}

impl Fact {
    fn new(rank: u8, long: String) -> Self {
        Self { rank, short: long.clone(), long }
    }

    fn or(self, short: String) -> Self {
        Self { short, ..self }
    }
}

impl Progress {
    /// Everything there is to say, in reading order.
    pub fn facts(&self) -> Vec<Fact> {
        let count = |n: u64| figures::thousands(i128::from(n));
        let (done, unit) = (count(self.done), &self.unit);
        let mut facts = Vec::new();
        match self.total {
            Some(total) => {
                facts.push(Fact::new(0, format!("{} %", percent(self.done, total))));
                let short = format!("{} of {} {unit}", figures::compact(self.done), figures::compact(total));
                facts.push(Fact::new(4, format!("{done} of {} {unit}", count(total))).or(short));
            }
            None => facts.push(Fact::new(0, format!("{done} {unit}"))),
        }
        match &self.scoring {
            Some(scoring) => facts.extend(scoring.facts()),
            None if self.per_second.is_finite() && self.per_second > 0.0 => {
                facts.push(Fact::new(3, format!("{} {unit}/s", speed(self.per_second))));
            }
            None => {}
        }
        facts.push(match self.left() {
            Some(left) => Fact::new(1, format!("{left} left")),
            None => Fact::new(1, figures::clock(self.elapsed_ms)),
        });
        facts
    }

    /// The time left, with a `~` where it rests on estimated totals.
    pub fn left(&self) -> Option<String> {
        let about = if self.scoring.as_ref().is_some_and(|s| s.estimated) { "~" } else { "" };
        self.eta_ms.map(|ms| format!("{about}{}", figures::clock(ms)))
    }

    /// As much of it as fits into `columns`, measured by `width`: first shorter words, then fewer.
    pub fn words(&self, columns: usize, width: impl Fn(&str) -> usize) -> String {
        let mut facts = self.facts();
        let joined = |facts: &[Fact], short: bool| {
            let words = facts.iter().map(|fact| if short { fact.short.as_str() } else { fact.long.as_str() });
            words.collect::<Vec<_>>().join(" · ")
        };
        let long = joined(&facts, false);
        if width(&long) <= columns {
            return long;
        }
        while facts.len() > 1 && width(&joined(&facts, true)) > columns {
            let last = facts.iter().map(|fact| fact.rank).max().unwrap_or(0);
            facts.retain(|fact| fact.rank != last || fact.rank == 0);
        }
        joined(&facts, true)
    }
}

impl Scoring {
    fn facts(&self) -> Vec<Fact> {
        let about = if self.estimated { "~" } else { "" };
        let mut facts = Vec::new();
        // A total of 0 is one that nobody knows.
        let of = |total: u64, between: &str| match total {
            0 => String::new(),
            total => format!("{between}{about}{}", figures::compact(total)),
        };
        let (inputs, tokens) = (figures::compact(self.inputs_done), figures::compact(self.tokens_done));
        if self.inputs_total.max(self.inputs_done) > 0 {
            let short = format!("{inputs}{} unique", of(self.inputs_total, "/"));
            let long = format!("{inputs}{} unique computed", of(self.inputs_total, " of "));
            facts.push(Fact::new(5, long).or(short));
        }
        let (cached, of_what) = match self.rows_cached {
            0 => (self.inputs_cached, "inputs"),
            rows => (rows, "rows"),
        };
        if cached > 0 {
            let cached = figures::compact(cached);
            facts.push(Fact::new(6, format!("{cached} {of_what} cached")).or(format!("{cached} cached")));
        }
        if self.tokens_total.max(self.tokens_done) > 0 {
            let short = format!("{tokens}{} tokens", of(self.tokens_total, "/"));
            facts.push(Fact::new(7, format!("{tokens}{} tokens", of(self.tokens_total, " of "))).or(short));
        }
        if self.tokens_per_second > 0.0 {
            let short = format!("{} tok/s", figures::compact(self.tokens_per_second.round() as u64));
            facts.push(Fact::new(2, format!("{} tokens/s", speed(self.tokens_per_second))).or(short));
        }
        if !self.device.is_empty() {
            facts.push(Fact::new(3, format!("{} {}", self.device, self.dtype)));
        }
        if self.rss_bytes > 0 {
            facts.push(Fact::new(8, figures::bytes(self.rss_bytes)));
        }
        facts
    }
}

/// Share done in percent; a running job never reads 100 %.
pub fn percent(done: u64, total: u64) -> u64 {
    match total {
        0 => 0,
        _ if done >= total => 100,
        _ => (u128::from(done) * 100 / u128::from(total)) as u64,
    }
}

fn speed(per_second: f64) -> String {
    if per_second >= 100.0 {
        figures::thousands(per_second.round() as i128)
    } else {
        figures::number((per_second * 10.0).round() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scoring() -> Progress {
        let scoring = Scoring {
            inputs_done: 4_100,
            inputs_total: 6_800,
            rows_cached: 3_000,
            tokens_done: 412_000,
            tokens_total: 680_000,
            estimated: true,
            tokens_per_second: 16_233.0,
            device: "cpu".into(),
            dtype: "int8".into(),
            rss_bytes: 412 << 20,
            ..Scoring::default()
        };
        Progress {
            done: 12_200,
            total: Some(20_000),
            unit: "rows".into(),
            per_second: 1340.0,
            elapsed_ms: 9_100,
            eta_ms: Some(16_500),
            phase: "scoring".into(),
            scoring: Some(Box::new(scoring)),
        }
    }

    #[test]
    fn a_wide_line_says_everything_and_a_narrow_one_what_matters() {
        let words = |columns| scoring().words(columns, |text| text.chars().count());
        assert_eq!(
            words(200),
            "61 % · 12,200 of 20,000 rows · 4,100 of ~6,800 unique computed · 3,000 rows cached · \
             412k of ~680k tokens · 16,233 tokens/s · cpu int8 · 412 MB · ~16s left"
        );
        assert_eq!(
            words(126),
            "61 % · 12k of 20k rows · 4,100/~6,800 unique · 3,000 cached · 412k/~680k tokens · 16k tok/s · \
             cpu int8 · 412 MB · ~16s left"
        );
        assert_eq!(words(58), "61 % · 12k of 20k rows · 16k tok/s · cpu int8 · ~16s left");
        assert_eq!(words(20), "61 % · ~16s left");
        assert_eq!(words(0), "61 %");
        for columns in 4..160 {
            assert!(words(columns).chars().count() <= columns, "{columns}: {}", words(columns));
        }
    }

    #[test]
    fn what_is_exact_has_no_tilde_and_rows_per_second_give_way() {
        let mut progress = scoring();
        if let Some(scoring) = &mut progress.scoring {
            (scoring.estimated, scoring.tokens_per_second) = (false, 0.0);
        }
        let words = progress.words(200, str::len);
        assert!(!words.contains('~') && !words.contains("/s"), "{words}");
        progress.scoring = None;
        assert!(progress.words(200, str::len).contains("1,340 rows/s"));
    }

    #[test]
    fn almost_done_is_not_done() {
        assert_eq!(percent(999_999, 1_000_000), 99);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
