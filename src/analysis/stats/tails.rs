//! Tails of Student's t and of Pearson's type III: what tests need that are too many to be permuted
//! one by one. Incomplete beta and gamma functions by series and continued fractions.

use super::normal_cdf;

/// P(|T| >= |t|) for Student's t with `freedom` > 0 degrees; 0 for an infinite t, NaN for no t.
pub fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if t.is_nan() || freedom.is_nan() || freedom <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// Twice the smaller tail at `z` of a standardised Pearson type III variable of this skewness, at most 1.
///
/// Sums of values drawn without replacement (the permutation distribution) follow it closely, far into
/// the tail and where they are skewed: Mielke & Berry, *Permutation Methods* (2007). Normal at skewness 0.
pub fn pearson3_two_sided(z: f64, skewness: f64) -> f64 {
    (2.0 * pearson3_upper(z, skewness).min(pearson3_upper(-z, -skewness))).min(1.0)
}

/// From this shape on a gamma variable is normal in its cube root, to four digits far out.
const ROUND: f64 = 1e5;

/// P(Z >= z): Z is a shifted gamma variable of shape 4 / skewness^2, mirrored where the skewness is
/// negative.
fn pearson3_upper(z: f64, skewness: f64) -> f64 {
    if z.is_nan() || skewness.is_nan() {
        return f64::NAN;
    }
    let size = skewness.abs();
    let shape = 4.0 / (size * size);
    if !shape.is_finite() {
        return normal_cdf(-z);
    }
    let x = shape + 2.0 * z * skewness.signum() / size;
    if x <= 0.0 {
        return if skewness > 0.0 { 1.0 } else { 0.0 };
    }
    let upper = if shape > ROUND {
        // Wilson & Hilferty 1931.
        normal_cdf(-3.0 * shape.sqrt() * ((x / shape).cbrt() - 1.0 + 1.0 / (9.0 * shape)))
    } else {
        gamma_upper(shape, x)
    };
    if skewness > 0.0 {
        upper
    } else if shape > ROUND {
        normal_cdf(3.0 * shape.sqrt() * ((x / shape).cbrt() - 1.0 + 1.0 / (9.0 * shape)))
    } else {
        gamma_lower(shape, x)
    }
}

/// ln of the gamma function for x > 0 (Lanczos, g = 7).
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let mut sum = C[0];
    for (i, c) in C.iter().enumerate().skip(1) {
        sum += c / (x + i as f64);
    }
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// Enough for shapes up to [`ROUND`]: both expansions need a few times its root.
const STEPS: usize = 5_000;
const TINY: f64 = 1e-300;

fn gamma_upper(a: f64, x: f64) -> f64 {
    if x < a + 1.0 { 1.0 - gamma_series(a, x) } else { gamma_fraction(a, x) }
}

fn gamma_lower(a: f64, x: f64) -> f64 {
    if x < a + 1.0 { gamma_series(a, x) } else { 1.0 - gamma_fraction(a, x) }
}

fn gamma_factor(a: f64, x: f64) -> f64 {
    (a * x.ln() - x - ln_gamma(a)).exp()
}

/// The lower tail for x < a + 1.
fn gamma_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    for n in 1..STEPS {
        term *= x / (a + n as f64);
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum * gamma_factor(a, x)
}

/// The upper tail for x >= a + 1 (Lentz).
fn gamma_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut h = d;
    for n in 1..STEPS {
        let n = n as f64;
        let an = -n * (n - a);
        b += 2.0;
        d = 1.0 / away_from_zero(an * d + b);
        c = away_from_zero(b + an / c);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    gamma_factor(a, x) * h
}

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

/// The regularised incomplete beta function I_x(a, b).
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let factor = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        factor * beta_fraction(a, b, x) / a
    } else {
        1.0 - factor * beta_fraction(b, a, 1.0 - x) / b
    }
}

/// Lentz's evaluation of the continued fraction of I_x(a, b).
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..STEPS {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, relative: f64) {
        assert!((a - b).abs() <= relative * b.abs(), "{a} {b}");
    }

    /// scipy 1.x: `2 * stats.t.sf(t, nu)`; see scripts/goldens/tails.py.
    #[test]
    fn student_equals_scipy() {
        for (t, freedom, p) in [
            (0.3, 1.0, 0.8144528418445154),
            (2.0, 2.0, 0.18350341907227397),
            (2.5, 9.5, 0.03258505778960436),
            (4.0, 30.0, 0.0003818456360837564),
            (8.0, 5.0, 0.0004929066605724442),
            (12.0, 400.0, 1.508426338306566e-28),
            (1.0, 1000000.0, 0.3173107498335783),
        ] {
            close(student_two_sided(t, freedom), p, 1e-8);
        }
        assert_eq!(student_two_sided(f64::INFINITY, 3.0), 0.0);
        assert!(student_two_sided(1.0, 0.0).is_nan());
    }

    /// scipy: twice the smaller of `stats.pearson3.sf` and `.cdf`.
    #[test]
    fn pearson3_equals_scipy() {
        for (z, skewness, p) in [
            (1.0, 0.5, 0.3130262692794858),
            (-1.5, 0.5, 0.09748080660795735),
            (3.0, 1.29, 0.02603515765270658),
            (6.0, 1.29, 0.0004703010565850033),
            (4.0, -0.3, 1.5279316656364598e-07),
            (2.0, 0.01, 0.046038818734369165),
            (5.0, 0.005, 6.353509533690523e-07),
            (0.1, 2.5, 0.6070900089116236),
        ] {
            let rounded = 4.0 / (skewness * skewness) > ROUND;
            close(pearson3_two_sided(z, skewness), p, if rounded { 1e-4 } else { 1e-8 });
        }
        close(pearson3_two_sided(1.959963984540054, 0.0), 0.05, 1e-12);
        // The cube root takes over from the incomplete gamma without a step.
        close(pearson3_two_sided(4.0, 0.00632), pearson3_two_sided(4.0, 0.00633), 1e-4);
        assert_eq!(pearson3_two_sided(-3.0, 1.0), 0.0, "below what the distribution can take");
    }

    /// Draws without replacement: the tail of their sum is that of Pearson's type III, where the normal is
    /// off by orders of magnitude.
    #[test]
    fn rare_events_have_the_tail_of_the_hypergeometric() {
        // 20 clicks in 1,000 rows, 30 drawn: P(at least 5), exactly.
        let choose = |n: u32, k: u32| (0..k).map(|i| (f64::from(n - i) / f64::from(k - i)).ln()).sum::<f64>();
        let exact: f64 =
            (5..=20).map(|k| (choose(20, k) + choose(980, 30 - k) - choose(1000, 30)).exp()).sum();
        let (all, drawn, rate) = (1000.0, 30.0, 0.02);
        let square = rate * (1.0 - rate);
        let variance: f64 = drawn * (all - drawn) / (all - 1.0) * square;
        let cube = square * (1.0 - 2.0 * rate);
        let third = drawn * (all - drawn) * (all - 2.0 * drawn) / ((all - 1.0) * (all - 2.0)) * cube;
        let z = (5.0 - drawn * rate) / variance.sqrt();
        let close_to = pearson3_upper(z, third / variance.powf(1.5)) / exact;
        assert!((0.5..2.0).contains(&close_to), "{close_to}");
        assert!(normal_cdf(-z) / exact < 1e-3);
    }
}
