//! Softmax over the rows of attention scores, which are short: a row alone is a chain of steps that wait
//! for one another (maximum, exponentials, sum, quotient), so four go through side by side. Written once
//! over the primitives of `lanes_*.rs`, as in `rows.rs`.

use super::isa::Isa;

/// softmax(scale * x) in place over the first `length` numbers of each row of `stride`; what lies beyond
/// them is left undefined. `stride` is a multiple of 32 and not less than `length`.
pub fn softmax(isa: Isa, rows: &mut [f32], (stride, length): (usize, usize), scale: f32) {
    if length == 0 {
        return;
    }
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::softmax(rows, (stride, length), scale) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::softmax(rows, (stride, length), scale) },
        _ => super::lanes_scalar::softmax(rows, (stride, length), scale),
    }
}

/// Expands to the kernel over the vector type `V` of `N` lanes and the primitives in scope:
/// `load store splat add sub mul max sum maximum exp first`.
macro_rules! softmax_kernels {
    ($(#[$feature:meta])*) => {
        $(#[$feature])*
        pub fn softmax(rows: &mut [f32], (stride, length): (usize, usize), scale: f32) {
            let chunks = length.div_ceil(N);
            // Lanes of the last chunk that count.
            let last = length - (chunks - 1) * N;
            let (fours, rest) = rows.split_at_mut(rows.len() / (4 * stride) * 4 * stride);
            let mut fours = fours.chunks_exact_mut(stride);
            while let (Some(a), Some(b), Some(c), Some(d)) =
                (fours.next(), fours.next(), fours.next(), fours.next())
            {
                let rows = [whole(a, chunks), whole(b, chunks), whole(c, chunks), whole(d, chunks)];
                softmax_of(rows, last, scale);
            }
            for row in rest.chunks_exact_mut(stride) {
                softmax_of([whole(row, chunks)], last, scale);
            }
        }

        #[inline]
        fn whole(row: &mut [f32], chunks: usize) -> &mut [[f32; N]] {
            &mut row.as_chunks_mut::<N>().0[..chunks]
        }

        /// Of the last chunk only the first `lanes` count. Without closures, which would be calls where
        /// little is inlined.
        $(#[$feature])*
        fn softmax_of<const R: usize>(rows: [&mut [[f32; N]]; R], lanes: usize, scale: f32) {
            let mut chunks = usize::MAX;
            let mut top = [splat(f32::NEG_INFINITY); R];
            for r in 0..R {
                chunks = chunks.min(rows[r].len());
                if let Some(last) = rows[r].last_mut() {
                    let whole = first(load(last), lanes, top[r]);
                    store(last, whole);
                }
            }
            for at in 0..chunks {
                for r in 0..R {
                    top[r] = max(top[r], load(&rows[r][at]));
                }
            }
            for r in 0..R {
                top[r] = splat(maximum(top[r]));
            }
            let scale = splat(scale);
            let mut total = [splat(0.0); R];
            for at in 0..chunks {
                for r in 0..R {
                    let e = exp(mul(sub(load(&rows[r][at]), top[r]), scale));
                    total[r] = add(total[r], e);
                    store(&mut rows[r][at], e);
                }
            }
            for r in 0..R {
                total[r] = splat(1.0 / sum(total[r]));
            }
            for at in 0..chunks {
                for r in 0..R {
                    let p = mul(load(&rows[r][at]), total[r]);
                    store(&mut rows[r][at], p);
                }
            }
        }
    };
}
pub(super) use softmax_kernels;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number of rows and length, with leavings of any kind beyond it.
    #[test]
    fn softmax_reads_nothing_beyond_the_length() {
        for (rows, length) in [(1, 1), (2, 7), (3, 16), (4, 17), (5, 32), (6, 40), (9, 64)] {
            let value = |r: usize, i: usize| ((r * 11 + i * 37) % 19) as f32 - 9.0;
            for isa in Isa::available() {
                for leaving in [f32::NAN, f32::INFINITY, 50.0] {
                    let mut all = vec![leaving; rows * 64];
                    for (at, slot) in all.iter_mut().enumerate().filter(|(at, _)| at % 64 < length) {
                        *slot = value(at / 64, at % 64);
                    }
                    softmax(isa, &mut all, (64, length), 0.3);
                    for (r, row) in all.chunks_exact(64).enumerate() {
                        let weights: Vec<f64> =
                            (0..length).map(|i| (f64::from(value(r, i)) * 0.3).exp()).collect();
                        let total: f64 = weights.iter().sum();
                        for (got, want) in row.iter().zip(weights.iter().map(|w| w / total)) {
                            assert!(
                                (f64::from(*got) - want).abs() <= 1e-6,
                                "{isa:?} {rows} x {length}: {got}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_spoils_its_own_row_only() {
        for isa in Isa::available() {
            let mut all = vec![1.0; 5 * 32];
            all[32 + 3] = f32::NAN;
            softmax(isa, &mut all, (32, 20), 1.0);
            for (r, row) in all.chunks_exact(32).enumerate() {
                assert_eq!(row[..20].iter().all(|p| p.is_nan()), r == 1, "{isa:?} row {r}: {row:?}");
            }
        }
    }
}
