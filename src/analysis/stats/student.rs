//! Student's t, central and noncentral: what the power of a test of few pairs needs of it.

use super::{normal_cdf, normal_quantile};

/// Panels of the quadrature at least; the integrands are smooth, and more change nothing in the tenth
/// digit.
const PANELS: f64 = 512.0;
/// And per unit of t, which makes them steep.
const PANELS_PER_UNIT: f64 = 64.0;
const MOST_PANELS: f64 = 65_536.0;
/// From here on the normal distribution differs by less than the quadrature does.
const MANY: f64 = 1e7;

/// P(T <= t) of the noncentral t with `freedom` degrees and shift `shift`: the normal distribution over
/// the scale s, `integral of normal(t s - shift) f(s) ds`, where f is the density of sqrt(chi2 / freedom)
/// (Johnson, Kotz and Balakrishnan 1995, volume 2, chapter 31). Absolute error below 1e-8 for
/// `freedom` >= 1.
pub fn noncentral_t_cdf(t: f64, freedom: f64, shift: f64) -> f64 {
    if freedom >= MANY {
        return normal_cdf(t - shift);
    }
    let width = 14.0 / (2.0 * freedom).sqrt();
    let (from, to) = ((1.0 - width).max(0.0), 1.0 + width);
    let panels = (PANELS_PER_UNIT * t.abs() * (to - from)).clamp(PANELS, MOST_PANELS) as u32 & !1;
    let step = (to - from) / f64::from(panels);
    let (mut sum, mut mass) = (0.0, 0.0);
    for panel in 0..=panels {
        let s = from + step * f64::from(panel);
        let end = panel == 0 || panel == panels;
        let weight = if end {
            1.0
        } else if panel % 2 == 1 {
            4.0
        } else {
            2.0
        };
        // f up to its constant, which `mass` makes good; 1 at its top near s = 1.
        let log = if freedom == 1.0 { 0.0 } else { (freedom - 1.0) * s.ln() };
        let density = weight * (log - freedom / 2.0 * (s * s - 1.0)).exp();
        sum += density * normal_cdf(t * s - shift);
        mass += density;
    }
    sum / mass
}

/// The t with P(T <= t) = p of the central t with `freedom` degrees, for 0 < p < 1.
pub fn t_quantile(p: f64, freedom: f64) -> f64 {
    root(normal_quantile(p), |t| noncentral_t_cdf(t, freedom, 0.0) - p)
}

/// Where a rising function is 0, to about 1e-10; `near`: a guess.
pub(super) fn root(near: f64, rising: impl Fn(f64) -> f64) -> f64 {
    let mut reach = near.abs().max(1.0) / 2.0;
    let (mut low, mut high) = (near - reach, near + reach);
    while rising(low) > 0.0 && reach < 1e9 {
        reach *= 2.0;
        low = near - reach;
    }
    reach = near.abs().max(1.0) / 2.0;
    while rising(high) < 0.0 && reach < 1e9 {
        reach *= 2.0;
        high = near + reach;
    }
    // Regula falsi as Illinois does it: the end that stays loses half of its weight.
    let (mut below, mut above) = (rising(low), rising(high));
    for _ in 0..200 {
        let next = if above > below {
            (low * above - high * below) / (above - below)
        } else {
            f64::midpoint(low, high)
        };
        let value = rising(next);
        if value.abs() < 1e-13 || (high - low).abs() <= 1e-11 * next.abs().max(1.0) {
            return next;
        }
        if value < 0.0 {
            (low, below) = (next, value);
            above /= 2.0;
        } else {
            (high, above) = (next, value);
            below /= 2.0;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed forms for one and two degrees of freedom.
    #[test]
    fn few_degrees_have_closed_forms() {
        for t in [-40.0_f64, -1.0, 0.0, 0.3, 12.7062] {
            let cauchy = 0.5 + t.atan() / std::f64::consts::PI;
            assert!((noncentral_t_cdf(t, 1.0, 0.0) - cauchy).abs() < 1e-8, "{t}");
            let two = 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
            assert!((noncentral_t_cdf(t, 2.0, 0.0) - two).abs() < 1e-8, "{t}");
        }
        assert!((t_quantile(0.975, 1.0) - 12.706_204_736_2).abs() < 1e-6);
        assert!((t_quantile(0.975, 1e9) - normal_quantile(0.975)).abs() < 1e-9);
    }

    /// P(T <= 0) is that of the normal distribution alone.
    #[test]
    fn the_shift_shifts() {
        for (freedom, shift) in [(1.0, 0.7), (7.0, 2.0), (200.0, -1.0), (1e5, 3.0)] {
            assert!((noncentral_t_cdf(0.0, freedom, shift) - normal_cdf(-shift)).abs() < 1e-9);
        }
        let near = (noncentral_t_cdf(2.0, 9_999_999.0, 1.0) - normal_cdf(1.0)).abs();
        assert!(near < 1e-6, "{near}");
    }
}
