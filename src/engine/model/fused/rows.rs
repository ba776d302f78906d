//! Element-wise kernels over rows: GELU, residual + layer normalisation (softmax: `softmax.rs`). Written once as a
//! macro over a handful of vector primitives, which `lanes_*.rs` supply per instruction set, because
//! a generic function cannot carry a target feature. Row lengths are multiples of 32.

use super::aligned::Aligned;
use super::isa::Isa;
use super::product::round_up;
use super::tile::WIDTH;

/// x Φ(x) in place, with erf by the rational approximation that Eigen and XLA use (about 3e-7).
pub fn gelu(isa: Isa, row: &mut [f32]) {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::gelu(row) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::gelu(row) },
        _ => super::lanes_scalar::gelu(row),
    }
}

/// `x = norm(x + y) * weight + bias` over the first `width` numbers. Padding beyond `width` must be 0
/// in `x` and `y`, and in weight and bias, and stays 0.
pub fn add_norm(isa: Isa, x: &mut [f32], y: &[f32], norm: &NormWeights) {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::add_norm(x, y, norm) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::add_norm(x, y, norm) },
        _ => super::lanes_scalar::add_norm(x, y, norm),
    }
}

/// `gradient *= Φ(x) + x φ(x)`: the backward pass of [`gelu`] at `x`.
pub fn gelu_backward(isa: Isa, x: &[f32], gradient: &mut [f32]) {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::gelu_backward(x, gradient) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::gelu_backward(x, gradient) },
        _ => super::lanes_scalar::gelu_backward(x, gradient),
    }
}

/// The backward pass of a layer normalisation of one row `x`: `gradient` becomes the input's
/// gradient, the weight's and bias' are added to `sums`.
pub fn norm_backward(isa: Isa, x: &[f32], gradient: &mut [f32], weight: &[f32], eps: f32, sums: NormSums) {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::norm_backward(x, gradient, weight, eps, sums) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::norm_backward(x, gradient, weight, eps, sums) },
        _ => super::lanes_scalar::norm_backward(x, gradient, weight, eps, sums),
    }
}

/// Where [`norm_backward`] adds up.
pub struct NormSums<'a> {
    pub weight: &'a mut [f32],
    pub bias: &'a mut [f32],
}

/// Padded weight and bias of a layer normalisation over `width` numbers.
pub struct NormWeights {
    pub width: usize,
    pub eps: f32,
    pub weight: Aligned<f32>,
    pub bias: Aligned<f32>,
}

impl NormWeights {
    pub fn new(weight: &[f32], bias: &[f32], eps: f32) -> Self {
        let padded = round_up(weight.len(), WIDTH);
        let (width, weight, bias) =
            (weight.len(), Aligned::padded(weight, padded), Aligned::padded(bias, padded));
        Self { width, eps, weight, bias }
    }
}

/// Expands to the kernels over the vector type `V` of `N` lanes and the primitives in scope:
/// `load store splat add sub mul div fma max min sum maximum exp2i round`.
macro_rules! row_kernels {
    ($(#[$feature:meta])*) => {
        #[inline]
        $(#[$feature])*
        fn erf(x: V) -> V {
            let t = max(min(x, splat(4.0)), splat(-4.0));
            let s = mul(t, t);
            let mut p = splat(-2.726_142_3e-10);
            p = fma(p, s, splat(2.770_681_4e-8));
            p = fma(p, s, splat(-2.101_024e-6));
            p = fma(p, s, splat(-5.692_506_4e-5));
            p = fma(p, s, splat(-7.349_906e-4));
            p = fma(p, s, splat(-2.954_6e-3));
            p = fma(p, s, splat(-1.609_603_3e-2));
            let mut q = splat(-1.456_607_2e-5);
            q = fma(q, s, splat(-2.133_740_6e-4));
            q = fma(q, s, splat(-1.682_827e-3));
            q = fma(q, s, splat(-7.373_329_2e-3));
            q = fma(q, s, splat(-1.426_473_9e-2));
            div(mul(t, p), q)
        }

        $(#[$feature])*
        pub fn gelu(row: &mut [f32]) {
            let (chunks, _) = row.as_chunks_mut::<N>();
            for chunk in chunks {
                let x = load(chunk);
                let half = mul(x, splat(0.5));
                store(chunk, fma(half, erf(mul(x, splat(std::f32::consts::FRAC_1_SQRT_2))), half));
            }
        }

        $(#[$feature])*
        pub fn gelu_backward(x: &[f32], gradient: &mut [f32]) {
            let (x, _) = x.as_chunks::<N>();
            let (gradient, _) = gradient.as_chunks_mut::<N>();
            for (x, g) in x.iter().zip(gradient) {
                let x = load(x);
                let phi = fma(erf(mul(x, splat(std::f32::consts::FRAC_1_SQRT_2))), splat(0.5), splat(0.5));
                // φ(x) = exp(-x²/2) / sqrt(2π)
                let density = mul(exp(mul(mul(x, x), splat(-0.5))), splat(0.398_942_3));
                store(g, mul(load(g), fma(x, density, phi)));
            }
        }

        $(#[$feature])*
        pub fn norm_backward(
            x: &[f32],
            gradient: &mut [f32],
            weight: &[f32],
            eps: f32,
            sums: super::rows::NormSums,
        ) {
            let width = x.len() as f32;
            let ((x, _), (w, _)) = (x.as_chunks::<N>(), weight.as_chunks::<N>());
            let (gradient, _) = gradient.as_chunks_mut::<N>();
            let ((dw, _), (db, _)) = (sums.weight.as_chunks_mut::<N>(), sums.bias.as_chunks_mut::<N>());
            let mut total = splat(0.0);
            for x in x {
                total = add(total, load(x));
            }
            let mean = splat(sum(total) / width);
            let mut squares = splat(0.0);
            for x in x {
                let d = sub(load(x), mean);
                squares = fma(d, d, squares);
            }
            let inverse = splat(1.0 / (sum(squares) / width + eps).sqrt());
            // With n the normalised row and h = g * w: dx = (h - mean(h) - n mean(h n)) / sd.
            let (mut plain, mut mixed) = (splat(0.0), splat(0.0));
            for ((x, g), w) in x.iter().zip(gradient.iter()).zip(w) {
                let h = mul(load(g), load(w));
                plain = add(plain, h);
                mixed = fma(h, mul(sub(load(x), mean), inverse), mixed);
            }
            let (plain, mixed) = (splat(sum(plain) / width), splat(sum(mixed) / width));
            for ((((x, g), w), dw), db) in x.iter().zip(gradient).zip(w).zip(dw).zip(db) {
                let n = mul(sub(load(x), mean), inverse);
                let grad = load(g);
                store(dw, fma(grad, n, load(dw)));
                store(db, add(grad, load(db)));
                let h = sub(mul(grad, load(w)), plain);
                store(g, mul(sub(h, mul(n, mixed)), inverse));
            }
        }

        #[inline]
        $(#[$feature])*
        fn exp(x: V) -> V {
            // 2^n * e^r with |r| <= ln2 / 2, a polynomial of degree 6 for e^r.
            // Not as far as floats go: what is divided afterwards would be too small to be a normal number,
            // and those take the processor a hundred cycles each. In this order: of two, the second comes
            // out if one is not a number.
            let x = max(splat(-80.0), x);
            let n = round(mul(x, splat(std::f32::consts::LOG2_E)));
            let r = fma(n, splat(-0.693_359_4), x);
            let r = fma(n, splat(2.121_944_4e-4), r);
            let mut p = splat(1.0 / 720.0);
            p = fma(p, r, splat(1.0 / 120.0));
            p = fma(p, r, splat(1.0 / 24.0));
            p = fma(p, r, splat(1.0 / 6.0));
            p = fma(p, r, splat(0.5));
            p = fma(p, r, splat(1.0));
            p = fma(p, r, splat(1.0));
            exp2i(p, n)
        }

        $(#[$feature])*
        pub fn add_norm(x: &mut [f32], y: &[f32], norm: &super::rows::NormWeights) {
            let (x, _) = x.as_chunks_mut::<N>();
            let (y, _) = y.as_chunks::<N>();
            let (weight, _) = norm.weight.as_chunks::<N>();
            let (bias, _) = norm.bias.as_chunks::<N>();
            let padding = (x.len() * N).saturating_sub(norm.width) as f32;
            let width = norm.width as f32;
            // Two sums each, so that one does not wait for the other.
            let (mut total, mut other) = (splat(0.0), splat(0.0));
            let (pairs, last) = x.as_chunks_mut::<2>();
            let (y_pairs, y_last) = y.as_chunks::<2>();
            for ([a, b], [c, d]) in pairs.iter_mut().zip(y_pairs) {
                let (first, second) = (add(load(a), load(c)), add(load(b), load(d)));
                total = add(total, first);
                other = add(other, second);
                store(a, first);
                store(b, second);
            }
            for (x, y) in last.iter_mut().zip(y_last) {
                let v = add(load(x), load(y));
                total = add(total, v);
                store(x, v);
            }
            let mean = sum(add(total, other)) / width;
            let mean_v = splat(mean);
            let (mut squares, mut other) = (splat(0.0), splat(0.0));
            let (pairs, last) = x.as_chunks::<2>();
            for [a, b] in pairs {
                let (first, second) = (sub(load(a), mean_v), sub(load(b), mean_v));
                squares = fma(first, first, squares);
                other = fma(second, second, other);
            }
            for x in last {
                let d = sub(load(x), mean_v);
                squares = fma(d, d, squares);
            }
            let squares = add(squares, other);
            // Each padding zero added mean^2.
            let variance = ((sum(squares) - padding * mean * mean) / width).max(0.0);
            let inverse = splat(1.0 / (variance + norm.eps).sqrt());
            for ((x, w), b) in x.iter_mut().zip(weight).zip(bias) {
                let d = mul(sub(load(x), mean_v), inverse);
                store(x, fma(d, load(w), load(b)));
            }
        }
    };
}
pub(super) use row_kernels;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f32], b: &[f64], tolerance: f64) {
        for (x, y) in a.iter().zip(b) {
            assert!((f64::from(*x) - y).abs() <= tolerance, "{x} is not {y}");
        }
    }

    #[test]
    fn gelu_follows_the_error_function() {
        // Φ(x) x by numerical integration of the normal density.
        let exact = |x: f64| {
            let n = 20_000;
            let h = x / f64::from(n);
            let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let area: f64 = (0..n).map(|i| density((f64::from(i) + 0.5) * h) * h).sum();
            x * (0.5 + area)
        };
        let xs: Vec<f32> = (-32..32).map(|i| i as f32 * 0.21).collect();
        let want: Vec<f64> = xs.iter().map(|&x| exact(f64::from(x))).collect();
        for isa in Isa::available() {
            let mut row = xs.clone();
            gelu(isa, &mut row);
            close(&row, &want, 1e-6);
        }
    }

    #[test]
    fn add_norm_leaves_padding_alone() {
        let width = 40;
        let pad = |f: &dyn Fn(usize) -> f32| -> Vec<f32> {
            (0..64).map(|i| if i < width { f(i) } else { 0.0 }).collect()
        };
        let x: Vec<f32> = pad(&|i| (i as f32 * 0.7).sin() * 3.0 + 2.0);
        let y: Vec<f32> = pad(&|i| (i as f32 * 1.3).cos());
        let norm =
            NormWeights::new(&pad(&|i| 1.0 + i as f32 / 50.0)[..width], &pad(&|_| 0.25)[..width], 1e-12);
        let sum: Vec<f64> = x.iter().zip(&y).take(width).map(|(a, b)| f64::from(a + b)).collect();
        let mean = sum.iter().sum::<f64>() / width as f64;
        let variance = sum.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / width as f64;
        let want: Vec<f64> = (0..64)
            .map(|i| match sum.get(i) {
                Some(v) => (v - mean) / variance.sqrt() * f64::from(norm.weight[i]) + 0.25,
                None => 0.0,
            })
            .collect();
        for isa in Isa::available() {
            let mut row = x.clone();
            add_norm(isa, &mut row, &y, &norm);
            close(&row, &want, 5e-6);
        }
    }
}
