//! How much new text goes into one window: about a second of work. Less would leave workers idle
//! between windows, more would keep answers waiting and make a stop take long. Pure.

/// Bytes of new text; a token is about four.
const FIRST: usize = 16 << 10;
const LEAST: usize = 4 << 10;
const MOST: usize = 8 << 20;
/// Seconds that a window should take.
const QUICK: f64 = 0.6;
const SLOW: f64 = 2.0;

pub(super) struct Pace {
    budget: usize,
}

impl Pace {
    pub fn new() -> Self {
        Self { budget: FIRST }
    }

    /// New text, in bytes, after which a window is computed.
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// Learns from a window of `cost` bytes of new text that took `seconds`.
    pub fn learn(&mut self, cost: usize, seconds: f64) {
        let full = cost >= self.budget;
        if full && seconds < QUICK {
            self.budget = (self.budget * 2).min(MOST);
        } else if cost > LEAST && seconds > SLOW {
            self.budget = (cost.min(self.budget) / 2).max(LEAST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the budget ends up on a machine of so many bytes per second.
    fn settled(speed: f64) -> usize {
        let mut pace = Pace::new();
        for _ in 0..40 {
            let cost = pace.budget();
            pace.learn(cost, cost as f64 / speed);
        }
        pace.budget()
    }

    #[test]
    fn windows_settle_at_about_a_second() {
        for speed in [5e3, 64e3, 1e6, 4e6] {
            let seconds = settled(speed) as f64 / speed;
            assert!((QUICK..=SLOW).contains(&seconds), "{speed}: {seconds}");
        }
        assert_eq!(settled(1e9), MOST);
        assert_eq!(settled(10.0), LEAST);
    }

    #[test]
    fn windows_that_were_not_full_teach_nothing() {
        let mut pace = Pace::new();
        pace.learn(100, 0.001);
        assert_eq!(pace.budget(), FIRST);
    }
}
