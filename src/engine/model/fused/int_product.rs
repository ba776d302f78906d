//! Products in whole numbers: weights of 8 bits with a scale per output column (symmetric), activations
//! of 8 bits with a scale and a zero point per token, 32-bit sums, floats again in the end. The sums are
//! exact, so every processor and every [`IntForm`] gives the same result.
//!
//! The scheme is that of Jacob et al., "Quantization and Training of Neural Networks for Efficient
//! Integer-Arithmetic-Only Inference" (2018), with the activations' ranges taken per token at run time.

use super::aligned::Aligned;
use super::int_rows::{Columns, RowScale, as_bytes, dequantise, quantise};
use super::isa::{IntForm, Isa};
use super::product::{Matrix, round_up};
use super::tile::{Ahead, ROWS, WIDTH, multiply_int_tile};

/// Largest weight: symmetric, so -128 is not used.
const TOP: f32 = 127.0;

/// Room for a product's whole numbers, kept from batch to batch.
#[derive(Default)]
pub struct IntRoom {
    rows: Aligned<i16>,
    /// One row without the leavings beyond `k`.
    clean: Vec<f32>,
    scales: Vec<RowScale>,
    /// Of one tile.
    sums: Aligned<i32>,
}

/// Quantised weights `[k x n]` in panels: `[panel][k / step][width][step]`.
pub struct IntPacked {
    /// As packed: a multiple of 32, so that rows and panels end on whole steps.
    k: usize,
    /// The true one.
    used: usize,
    n: usize,
    isa: Isa,
    form: IntForm,
    /// 16-bit numbers, or two bytes to an element.
    data: Aligned<i16>,
    sums: Aligned<i32>,
    scales: Aligned<f32>,
    bias: Aligned<f32>,
}

impl IntPacked {
    /// From dense layers `weight [n_i x k]`, `bias [n_i]` stacked side by side (`n = sum n_i`).
    pub fn new(parts: &[(&[f32], &[f32])], k: usize, isa: Isa, form: IntForm) -> Self {
        let n: usize = parts.iter().map(|(_, bias)| bias.len()).sum();
        let (padded, deep) = (round_up(n, WIDTH), round_up(k, WIDTH));
        let bias: Vec<f32> = parts.iter().flat_map(|(_, bias)| bias.iter().copied()).collect();
        let unit = form.step() / 2;
        let mut packed = Self {
            k: deep,
            used: k,
            n: padded,
            isa,
            form,
            data: Aligned::zeros(deep * padded / unit),
            sums: Aligned::zeros(padded),
            scales: Aligned::zeros(padded),
            bias: Aligned::padded(&bias, padded),
        };
        for (column, weights) in parts.iter().flat_map(|(weight, _)| weight.chunks_exact(k)).enumerate() {
            packed.put(column, weights);
        }
        packed
    }

    fn put(&mut self, column: usize, weights: &[f32]) {
        let scale = column_scale(weights);
        self.scales[column] = scale;
        let (width, step) = (self.form.tile().1, self.form.step());
        let start = column / width * self.k * width + column % width * step;
        let mut sum = 0;
        for (i, weight) in weights.iter().enumerate() {
            let q = quantise_weight(*weight, scale);
            sum += i32::from(q);
            let at = start + i / step * width * step + i % step;
            match self.form {
                IntForm::Pairs => self.data[at] = i16::from(q),
                IntForm::Fours => as_bytes(&mut self.data)[at] = q as u8,
            }
        }
        self.sums[column] = match self.form {
            // The zero point is already off the activations.
            IntForm::Pairs => 0,
            IntForm::Fours => sum,
        };
    }

    /// Width of the result, rounded up to whole panels.
    pub fn columns(&self) -> usize {
        self.n
    }

    /// `c[r, ..] = bias + a[r, ..k] * w` for rows `from..to`.
    pub fn apply(&self, a: &Matrix, c: &mut Matrix, (from, to): (usize, usize), room: &mut IntRoom) {
        assert!(a.stride >= self.k && c.stride >= self.n && c.rows >= to && a.rows >= to);
        self.quantise_rows(a, (from, to), room);
        let (tile_rows, width) = self.form.tile();
        let tiles = (to - from).div_ceil(tile_rows);
        let stride = self.k * 2 / self.form.step();
        let mut panels = self.data.chunks_exact(stride * width).enumerate().peekable();
        while let Some((panel, b)) = panels.next() {
            let next = panels.peek().map_or(b, |(_, next)| next);
            let columns = self.columns_of(panel * width..(panel + 1) * width);
            let (mut ahead, share) = Ahead::by(next, tiles, self.k / self.form.step());
            for (tile, scales) in room.scales.chunks(tile_rows).enumerate() {
                let row = tile * tile_rows;
                let (a, sums) = (&room.rows[row * stride..], &mut room.sums[..]);
                multiply_int_tile((self.isa, self.form), self.k, (a, stride), b, (sums, width), ahead);
                ahead = ahead.further(share);
                // While the sums are in the first-level cache.
                let start = (from + row) * c.stride + panel * width;
                dequantise(self.isa, &room.sums, scales, columns, (&mut c.data[start..], c.stride));
            }
        }
    }

    fn columns_of(&self, range: std::ops::Range<usize>) -> Columns<'_> {
        Columns {
            sums: &self.sums[range.clone()],
            scales: &self.scales[range.clone()],
            bias: &self.bias[range],
        }
    }

    fn quantise_rows(&self, a: &Matrix, (from, to): (usize, usize), room: &mut IntRoom) {
        let stride = self.k * 2 / self.form.step();
        room.rows.grow((round_up(to - from, ROWS) + ROWS) * stride);
        room.sums.grow(ROWS * WIDTH);
        room.scales.clear();
        for (row, out) in (from..to).zip(room.rows.chunks_exact_mut(stride)) {
            let row = &a.row(row)[..self.k];
            let row = if self.used == self.k { row } else { without_tail(row, self.used, &mut room.clean) };
            room.scales.push(quantise(self.isa, self.form, row, out));
        }
    }
}

/// The row with zeros for what lies beyond `used`, which would widen the range that 8 bits must span.
fn without_tail<'a>(row: &[f32], used: usize, clean: &'a mut Vec<f32>) -> &'a [f32] {
    clean.clear();
    clean.extend_from_slice(&row[..used]);
    clean.resize(row.len(), 0.0);
    clean
}

/// The scale of one output column: its largest weight becomes 127. 0 for a column of zeros.
pub fn column_scale(weights: &[f32]) -> f32 {
    weights.iter().fold(0f32, |top, w| top.max(w.abs())) / TOP
}

/// A weight as a whole number of `scale`, from -127 to 127.
pub fn quantise_weight(weight: f32, scale: f32) -> i8 {
    if scale > 0.0 { (weight / scale).round_ties_even().clamp(-TOP, TOP) as i8 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Matrix {
        let mut m = Matrix::default();
        m.reshape(rows, columns);
        for r in 0..rows {
            for (c, slot) in m.row_mut(r)[..columns].iter_mut().enumerate() {
                *slot = value(r, c);
            }
        }
        m
    }

    /// Every instruction set and form gives the same numbers, near the product of floats.
    #[test]
    fn forms_agree_exactly_and_lie_near_the_floats() {
        let (rows, k, n) = (29, 700, 70);
        let a = matrix(rows, k, |r, c| ((r * 31 + c * 17) as f32).sin() * (1.0 + r as f32) + 0.3);
        let weight: Vec<f32> = (0..n * k).map(|i| ((i * 7) as f32).cos() * 0.05).collect();
        let bias: Vec<f32> = (0..n).map(|i| i as f32 * 0.01).collect();
        let mut results = Vec::new();
        for isa in Isa::available() {
            for form in IntForm::available(isa) {
                let packed = IntPacked::new(&[(&weight, &bias)], k, isa, form);
                let mut c = matrix(rows, n, |_, _| f32::NAN);
                packed.apply(&a, &mut c, (0, rows), &mut IntRoom::default());
                results.push((0..rows).flat_map(|r| c.row(r)[..n].to_vec()).collect::<Vec<f32>>());
            }
        }
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "forms differ");
        for r in 0..rows {
            for j in 0..n {
                let exact: f32 = bias[j] + (0..k).map(|i| a.row(r)[i] * weight[j * k + i]).sum::<f32>();
                let got = results[0][r * n + j];
                // Rounding errors of k products add up like a random walk.
                let step = (2.0 * (1.0 + r as f32) / 255.0) * 0.05 * (k as f32).sqrt();
                assert!((got - exact).abs() < 2.0 * step, "row {r} column {j}: {got} is not {exact}");
            }
        }
    }

    #[test]
    fn rows_keep_zero_exact_and_pass_on_what_is_not_finite() {
        for isa in Isa::available() {
            for form in IntForm::available(isa) {
                let packed = IntPacked::new(&[(&[1.0; 32], &[0.5])], 32, isa, form);
                let row = |value: f32| {
                    let mut c = matrix(1, 1, |_, _| 0.0);
                    let a = matrix(1, 32, |_, c| if c == 3 { value } else { 0.0 });
                    packed.apply(&a, &mut c, (0, 1), &mut IntRoom::default());
                    c.row(0)[0]
                };
                assert_eq!(row(0.0), 0.5);
                assert!((row(-7.0) + 6.5).abs() < 1e-5, "{}", row(-7.0));
                assert!(row(f32::NAN).is_nan() && row(f32::INFINITY).is_nan());
            }
        }
    }
}
