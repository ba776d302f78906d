//! Turning a block of a matrix, as attention needs its keys: four rows by four columns at a time where
//! the processor has vectors of four (every x86-64), number by number elsewhere and at the edges.

/// `to[c, r] = from[r, c]` for `rows` by `columns`, each with its row stride.
pub fn transpose(
    (from, from_stride): (&[f32], usize),
    (rows, columns): (usize, usize),
    to: &mut [f32],
    to_stride: usize,
) {
    let (whole_rows, whole_columns) = (rows / 4 * 4, columns / 4 * 4);
    for r in (0..whole_rows).step_by(4) {
        for c in (0..whole_columns).step_by(4) {
            let at = r * from_stride + c;
            let four = [
                four(from, at),
                four(from, at + from_stride),
                four(from, at + 2 * from_stride),
                four(from, at + 3 * from_stride),
            ];
            let [w, x, y, z] = turned(four);
            let at = c * to_stride + r;
            put(to, at, w);
            put(to, at + to_stride, x);
            put(to, at + 2 * to_stride, y);
            put(to, at + 3 * to_stride, z);
        }
    }
    for r in 0..rows {
        let from_column = if r < whole_rows { whole_columns } else { 0 };
        for c in from_column..columns {
            to[c * to_stride + r] = from[r * from_stride + c];
        }
    }
}

#[inline(always)]
fn four(from: &[f32], at: usize) -> [f32; 4] {
    from[at..].first_chunk().copied().unwrap_or_default()
}

#[inline(always)]
fn put(to: &mut [f32], at: usize, numbers: [f32; 4]) {
    if let Some(slot) = to[at..].first_chunk_mut() {
        *slot = numbers;
    }
}

#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn turned(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    use std::arch::x86_64::*;
    // SAFETY: SSE is part of every x86-64; four numbers are a vector of four.
    unsafe {
        let [a, b, c, d] = std::mem::transmute::<[[f32; 4]; 4], [__m128; 4]>(rows);
        let (ab, cd) = (_mm_unpacklo_ps(a, b), _mm_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm_unpackhi_ps(a, b), _mm_unpackhi_ps(c, d));
        std::mem::transmute::<[__m128; 4], [[f32; 4]; 4]>([
            _mm_movelh_ps(ab, cd),
            _mm_movehl_ps(cd, ab),
            _mm_movelh_ps(ab_high, cd_high),
            _mm_movehl_ps(cd_high, ab_high),
        ])
    }
}

#[inline(always)]
#[cfg(not(target_arch = "x86_64"))]
fn turned(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    std::array::from_fn(|c| std::array::from_fn(|r| rows[r][c]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_turned_and_nothing_else_is_written() {
        let from: Vec<f32> = (0..40 * 40).map(|i| i as f32).collect();
        for (rows, columns) in [(1, 1), (3, 5), (4, 4), (7, 8), (8, 32), (13, 30), (32, 33)] {
            let mut to = vec![-1.0; 40 * 40];
            transpose((&from, 40), (rows, columns), &mut to, 36);
            for (at, got) in to.iter().enumerate() {
                let (c, r) = (at / 36, at % 36);
                let want = if r < rows && c < columns { from[r * 40 + c] } else { -1.0 };
                assert_eq!(*got, want, "{rows} x {columns} at {c}, {r}");
            }
        }
    }
}
