//! Learning rate by step: linear warm-up, then linear decay to 0. Nothing about optimisers.

/// Hugging Face's `get_linear_schedule_with_warmup`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    pub peak: f64,
    pub warmup_steps: usize,
    pub steps: usize,
}

impl Schedule {
    /// Warm-up over a share of all steps, rounded up as Hugging Face's trainer does.
    pub fn new(peak: f64, warmup: f64, steps: usize) -> Self {
        Self { peak, warmup_steps: ((steps as f64 * warmup).ceil() as usize).min(steps), steps }
    }

    /// The rate of a step counted from 0: `peak * step / warmup` while warming up, then
    /// `peak * (steps - step) / (steps - warmup)`, and 0 past the end.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let left = self.steps.saturating_sub(step) as f64;
        self.peak * left / (self.steps.saturating_sub(self.warmup_steps)).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_ten_steps_warm_up() {
        let schedule = Schedule::new(1e-3, 0.2, 10);
        let rates: Vec<f64> = (0..11).map(|s| schedule.rate(s) * 1e6).collect();
        let expected = [0.0, 500.0, 1000.0, 875.0, 750.0, 625.0, 500.0, 375.0, 250.0, 125.0, 0.0];
        for (found, expected) in rates.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{rates:?}");
        }
    }

    #[test]
    fn edges_stay_finite() {
        for (warmup, steps) in [(0.0, 1), (1.0, 1), (1.0, 5), (0.0, 0), (0.5, 3)] {
            let schedule = Schedule::new(1.0, warmup, steps);
            assert!((0..=steps + 1).all(|s| (0.0..=1.0).contains(&schedule.rate(s))), "{schedule:?}");
        }
    }
}
