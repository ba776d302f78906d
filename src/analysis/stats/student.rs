//! Student's t, central and noncentral: what the power of a test of few pairs needs of it.

use super::{normal_cdf, normal_quantile};

/// Panels of the quadrature where the integrand ends abruptly at 0 (few degrees), and where both of its ends
/// fade, so that plain sums converge at once.
const PANELS: f64 = 512.0;
const SMOOTH_PANELS: f64 = 160.0;
/// Panels per unit of t for the fewest degrees, whose tails are steep.
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
    let smooth = freedom >= 9.0;
    let least = if smooth { SMOOTH_PANELS } else { PANELS };
    let steep = if freedom < 3.0 { PANELS_PER_UNIT * t.abs() } else { 8.0 * t.abs() };
    let panels = (steep * (to - from)).clamp(least, MOST_PANELS) as u32 & !1;
    let step = (to - from) / f64::from(panels);
    let (mut sum, mut mass) = (0.0, 0.0);
    for panel in 0..=panels {
        let s = from + step * f64::from(panel);
        // Simpson's rule, or the trapezoidal one.
        let weight = match (panel == 0 || panel == panels, smooth, panel % 2 == 1) {
            (true, ..) => 1.0,
            (false, true, _) | (false, false, false) => 2.0,
            (false, false, true) => 4.0,
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

    /// t, degrees of freedom, shift, the distribution function of scipy 1.17.1.
    const NCT: &[(f64, f64, f64, f64)] = &[
        (-2.5, 1.0, 0.0, 0.12111894159084341),
        (-2.5, 1.0, 1.2, 0.017462175209088066),
        (-2.5, 1.0, 3.0, 0.0001206890057094906),
        (0.7, 1.0, 0.0, 0.6944001122142147),
        (0.7, 1.0, 1.2, 0.2747637559185073),
        (0.7, 1.0, 3.0, 0.0135932728684862),
        (2.3, 1.0, 0.0, 0.8694524129113772),
        (2.3, 1.0, 1.2, 0.6134163559420411),
        (2.3, 1.0, 3.0, 0.2314960344317843),
        (6.0, 1.0, 0.0, 0.9474315432887466),
        (6.0, 1.0, 1.2, 0.8361823172740693),
        (6.0, 1.0, 3.0, 0.6218226995355176),
        (-2.5, 3.0, 0.0, 0.04385332350403278),
        (-2.5, 3.0, 1.2, 0.0036349948510009298),
        (-2.5, 3.0, 3.0, 1.1756971017784328e-05),
        (0.7, 3.0, 0.0, 0.7328365008476182),
        (0.7, 3.0, 1.2, 0.2957482149578883),
        (0.7, 3.0, 3.0, 0.011717458554279697),
        (2.3, 3.0, 0.0, 0.947505819677765),
        (2.3, 3.0, 1.2, 0.7491429280460824),
        (2.3, 3.0, 3.0, 0.2514135641391965),
        (6.0, 3.0, 0.0, 0.9953636425538577),
        (6.0, 3.0, 1.2, 0.9708558797601613),
        (6.0, 3.0, 3.0, 0.8388853139886807),
        (-2.5, 5.0, 0.0, 0.02724504967118813),
        (-2.5, 5.0, 1.2, 0.001640151760326079),
        (-2.5, 5.0, 3.0, 3.1944558319509445e-06),
        (0.7, 5.0, 0.0, 0.7424255258425918),
        (0.7, 5.0, 1.2, 0.30070546050766356),
        (0.7, 5.0, 3.0, 0.011323691680049378),
        (2.3, 5.0, 0.0, 0.9651137653339813),
        (2.3, 5.0, 1.2, 0.7890028865433516),
        (2.3, 5.0, 3.0, 0.25182900435905536),
        (6.0, 5.0, 0.0, 0.999076930855203),
        (6.0, 5.0, 1.2, 0.9906532311178767),
        (6.0, 5.0, 3.0, 0.9066784405462867),
        (-2.5, 8.0, 0.0, 0.01847101885681206),
        (-2.5, 8.0, 1.2, 0.0008321588445267468),
        (-2.5, 8.0, 3.0, 9.813220191558572e-07),
        (0.7, 8.0, 0.0, 0.7481144739907276),
        (0.7, 8.0, 1.2, 0.3035945497439003),
        (0.7, 8.0, 3.0, 0.011100079115430603),
        (2.3, 8.0, 0.0, 0.974764583679759),
        (2.3, 8.0, 1.2, 0.8146113940586179),
        (2.3, 8.0, 3.0, 0.2502546657738663),
        (6.0, 8.0, 0.0, 0.9998383033890574),
        (6.0, 8.0, 1.2, 0.99724442487399),
        (6.0, 8.0, 3.0, 0.9477175172619954),
        (-2.5, 9.0, 0.0, 0.016930913841492867),
        (-2.5, 9.0, 1.2, 0.0007122885395429094),
        (-2.5, 9.0, 3.0, 7.418994274954391e-07),
        (0.7, 9.0, 0.0, 0.7491904803919275),
        (0.7, 9.0, 1.2, 0.3041365626847373),
        (0.7, 9.0, 3.0, 0.01105850627898499),
        (2.3, 9.0, 0.0, 0.9765003055390684),
        (2.3, 9.0, 1.2, 0.8196595310533039),
        (2.3, 9.0, 3.0, 0.24974820620693508),
        (6.0, 9.0, 0.0, 0.9998987503389661),
        (6.0, 9.0, 1.2, 0.9980131876141106),
        (6.0, 9.0, 3.0, 0.9551820700549027),
        (-2.5, 12.0, 0.0, 0.01395769978566262),
        (-2.5, 12.0, 1.2, 0.0005021040824654264),
        (-2.5, 12.0, 3.0, 3.9071446616490216e-07),
        (0.7, 12.0, 0.0, 0.7513629231046463),
        (0.7, 12.0, 1.2, 0.30522652335695677),
        (0.7, 12.0, 3.0, 0.0109752086876094),
        (2.3, 12.0, 0.0, 0.9799012131432697),
        (2.3, 12.0, 1.2, 0.8300784570932175),
        (2.3, 12.0, 3.0, 0.24848032222860464),
        (6.0, 12.0, 0.0, 0.9999689163056757),
        (6.0, 12.0, 1.2, 0.9991273043243128),
        (6.0, 12.0, 3.0, 0.969514159082677),
        (-2.5, 30.0, 0.0, 0.009057824534033344),
        (-2.5, 30.0, 1.2, 0.0002241085463641965),
        (-2.5, 30.0, 3.0, 8.336424403543839e-08),
        (0.7, 30.0, 0.0, 0.7553397782501642),
        (0.7, 30.0, 1.2, 0.30720648414619944),
        (0.7, 30.0, 3.0, 0.010824765068243624),
        (2.3, 30.0, 0.0, 0.9857093063564292),
        (2.3, 30.0, 1.2, 0.8500376763532573),
        (2.3, 30.0, 3.0, 0.24514871571600647),
        (6.0, 30.0, 0.0, 0.9999993028615617),
        (6.0, 30.0, 1.2, 0.9999362825691372),
        (6.0, 30.0, 3.0, 0.9908440084098077),
        (-2.5, 200.0, 0.0, 0.006611586320850391),
        (-2.5, 200.0, 1.2, 0.00012195881874786019),
        (-2.5, 200.0, 3.0, 2.4494716303023745e-08),
        (0.7, 200.0, 0.0, 0.757629633503259),
        (0.7, 200.0, 1.2, 0.3083373838930746),
        (0.7, 200.0, 3.0, 0.01073922640144567),
        (2.3, 200.0, 0.0, 0.9887599666877693),
        (2.3, 200.0, 1.2, 0.8621334027991046),
        (2.3, 200.0, 3.0, 0.24250007476856633),
        (6.0, 200.0, 0.0, 0.9999999954424398),
        (6.0, 200.0, 1.2, 0.999997832208227),
        (6.0, 200.0, 3.0, 0.9979338355199208),
    ];

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
        // scipy.stats.nct.cdf and t.cdf.
        for (t, freedom, shift, expected) in NCT {
            let found = noncentral_t_cdf(*t, *freedom, *shift);
            assert!((found - expected).abs() < 2e-8, "{t} {freedom} {shift}: {found} {expected}");
        }
        let near = (noncentral_t_cdf(2.0, 9_999_999.0, 1.0) - normal_cdf(1.0)).abs();
        assert!(near < 1e-6, "{near}");
    }
}
