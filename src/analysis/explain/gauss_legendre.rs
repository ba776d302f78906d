//! Gauss-Legendre quadrature on [0, 1]: nodes and weights for any number of nodes. Nothing else.

/// A place to evaluate and how much it counts; the weights of a rule sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    pub x: f64,
    pub weight: f64,
}

/// The rule with `n` nodes (at least 1), ascending in `x`, exact for polynomials up to degree 2n - 1.
///
/// Each root of the Legendre polynomial is found by Newton's method from Tricomi's first guess; the
/// weight on [-1, 1] is 2 / ((1 - z^2) P'(z)^2), halved for [0, 1].
pub fn nodes(n: usize) -> Vec<Node> {
    let n = n.max(1);
    let mut rule: Vec<Node> = (0..n)
        .map(|i| {
            let guess = std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5);
            let mut z = guess.cos();
            // Quadratic convergence from a good guess: five or six rounds; the cap only guards.
            for _ in 0..64 {
                let (p, slope) = legendre(n, z);
                let step = p / slope;
                z -= step;
                if step.abs() <= 1e-15 {
                    break;
                }
            }
            let (_, slope) = legendre(n, z);
            Node { x: 0.5 * (1.0 + z), weight: 1.0 / ((1.0 - z * z) * slope * slope) }
        })
        .collect();
    rule.reverse();
    rule
}

/// P_n(z) and its derivative, by the three-term recurrence; |z| < 1.
fn legendre(n: usize, z: f64) -> (f64, f64) {
    let (mut previous, mut current) = (1.0, z);
    for k in 2..=n {
        let k = k as f64;
        let next = ((2.0 * k - 1.0) * z * current - (k - 1.0) * previous) / k;
        (previous, current) = (current, next);
    }
    (current, n as f64 * (z * current - previous) / (z * z - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_rules() {
        // Abramowitz and Stegun, table 25.4, mapped from [-1, 1] to [0, 1].
        let known: [&[(f64, f64)]; 4] = [
            &[(0.0, 2.0)],
            &[(0.577_350_269_189_626, 1.0)],
            &[(0.0, 0.888_888_888_888_889), (0.774_596_669_241_483, 0.555_555_555_555_556)],
            &[(0.339_981_043_584_856, 0.652_145_154_862_546), (0.861_136_311_594_053, 0.347_854_845_137_454)],
        ];
        for (n, points) in (1..).zip(known) {
            for (z, w) in points {
                for z in [*z, -z] {
                    let hit = nodes(n).iter().any(|node| {
                        (node.x - 0.5 * (1.0 + z)).abs() < 1e-14 && (node.weight - 0.5 * w).abs() < 1e-14
                    });
                    assert!(hit, "n = {n}, z = {z}");
                }
            }
        }
    }

    #[test]
    fn exact_up_to_degree_2n_minus_1_and_not_beyond() {
        for n in [1, 2, 3, 5, 16] {
            let integral = |power: usize| -> f64 {
                nodes(n).iter().map(|node| node.weight * node.x.powi(power as i32)).sum()
            };
            for power in 0..2 * n {
                assert!((integral(power) - 1.0 / (power as f64 + 1.0)).abs() < 1e-13, "n {n} x^{power}");
            }
            if n <= 5 {
                let power = 2 * n;
                assert!((integral(power) - 1.0 / (power as f64 + 1.0)).abs() > 1e-9, "n {n} x^{power}");
            }
        }
    }

    #[test]
    fn large_rules_are_ordered_symmetric_and_sum_to_one() {
        for n in [0, 1, 7, 64, 128, 501] {
            let rule = nodes(n);
            assert_eq!(rule.len(), n.max(1));
            assert!((rule.iter().map(|node| node.weight).sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(rule.windows(2).all(|w| w[0].x < w[1].x));
            assert!(rule.iter().all(|node| node.x > 0.0 && node.x < 1.0 && node.weight > 0.0));
            for (a, b) in rule.iter().zip(rule.iter().rev()) {
                assert!((a.x + b.x - 1.0).abs() < 1e-14 && (a.weight - b.weight).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn a_function_that_is_no_polynomial() {
        let found: f64 = nodes(12).iter().map(|node| node.weight * node.x.exp()).sum();
        assert!((found - (std::f64::consts::E - 1.0)).abs() < 1e-14);
    }
}
