//! Some rows of a stream, each row as likely as any other, however long the stream is: Vitter, "Random
//! Sampling with a Reservoir" (1985), algorithm R. From a fixed seed, so that a run repeats.

use super::sample::Sample;
use crate::analysis::stats::Random;

pub struct Reservoir {
    rows: Vec<(Option<String>, Option<String>)>,
    most: usize,
    /// Whether rows have two texts.
    two: bool,
    seen: usize,
    random: Random,
}

impl Reservoir {
    pub fn new(most: usize, two: bool) -> Self {
        Self { rows: Vec::new(), most, two, seen: 0, random: Random::new(42) }
    }

    /// The next rows of the stream; `second` is empty for rows of one text.
    pub fn offer(&mut self, first: &[Option<String>], second: &[Option<String>]) {
        for (at, text) in first.iter().enumerate() {
            self.seen += 1;
            let row = || (text.clone(), second.get(at).cloned().flatten());
            if self.rows.len() < self.most {
                self.rows.push(row());
            } else {
                let place = self.random.below(self.seen);
                if let Some(slot) = self.rows.get_mut(place) {
                    *slot = row();
                }
            }
        }
    }

    pub fn into_sample(self) -> Sample {
        let (first, second): (Vec<_>, Vec<_>) = self.rows.into_iter().unzip();
        Sample { source: "the input".into(), first, second: self.two.then_some(second), gains: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_rows_are_as_likely_as_early_ones() {
        let mut reservoir = Reservoir::new(1000, false);
        let texts: Vec<Option<String>> = (0..100_000).map(|i| Some(i.to_string())).collect();
        texts.chunks(77).for_each(|chunk| reservoir.offer(chunk, &[]));
        let sample = reservoir.into_sample();
        assert_eq!((sample.rows(), sample.second), (1000, None));
        let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<usize>().ok());
        let late = sample.first.iter().filter(|text| number(text) >= Some(50_000)).count();
        // Binomial(1000, 1/2): six standard deviations are 95.
        assert!((405..=595).contains(&late), "{late} of 1000 from the second half");
    }
}
