//! Products with weights that are packed once: `c = bias + a * w`, by our own tiles on AVX2 and AVX-512
//! and by the gemm crate elsewhere. One core; parallelism is one level up. Buffers are padded, so that
//! no kernel needs to know about ragged edges.

use super::aligned::Aligned;
use super::isa::Isa;
use super::tile::{Ahead, ROWS, Start, WIDTH, multiply_tile};

/// A row-major matrix whose rows are `stride` long (a multiple of 32, columns beyond the true width
/// hold zeros or leavings) and whose row count is rounded up to the tile's.
#[derive(Default)]
pub struct Matrix {
    pub data: Aligned<f32>,
    pub rows: usize,
    pub stride: usize,
}

pub fn round_up(n: usize, multiple: usize) -> usize {
    n.div_ceil(multiple) * multiple
}

impl Matrix {
    /// Makes room for `rows` rows of at least `columns`; contents are kept where they are, new room
    /// is zero.
    pub fn reshape(&mut self, rows: usize, columns: usize) {
        self.rows = rows;
        self.stride = round_up(columns, WIDTH);
        // A tile may start at any row, so it may end this far beyond the last one.
        let size = (round_up(rows, ROWS) + ROWS) * self.stride + WIDTH;
        self.data.grow(size);
    }

    pub fn row(&self, r: usize) -> &[f32] {
        &self.data[r * self.stride..(r + 1) * self.stride]
    }

    /// Row `to` becomes what row `from` is.
    pub fn move_row(&mut self, from: usize, to: usize) {
        self.data.copy_within(from * self.stride..(from + 1) * self.stride, to * self.stride);
    }

    pub fn row_mut(&mut self, r: usize) -> &mut [f32] {
        &mut self.data[r * self.stride..(r + 1) * self.stride]
    }
}

/// Weights `[k x n]` in panels as wide as the tile (`[panel][k][width]`, the last padded with zeros), or
/// plain row-major for the gemm crate; and the bias, padded likewise.
pub struct Packed {
    k: usize,
    n: usize,
    data: Aligned<f32>,
    bias: Aligned<f32>,
    isa: Isa,
}

impl Packed {
    /// From dense layers `weight [n_i x k]`, `bias [n_i]` stacked side by side (`n = sum n_i`).
    pub fn new(parts: &[(&[f32], &[f32])], k: usize, isa: Isa) -> Self {
        let n: usize = parts.iter().map(|(_, bias)| bias.len()).sum();
        let padded = round_up(n, WIDTH);
        let mut data = Aligned::zeros(k * padded);
        let bias: Vec<f32> = parts.iter().flat_map(|(_, bias)| bias.iter().copied()).collect();
        let bias = Aligned::padded(&bias, padded);
        let columns = parts.iter().flat_map(|(weight, _)| weight.chunks_exact(k));
        for (column, weights) in columns.enumerate() {
            let width = isa.tile_width();
            let (at, step) = match isa {
                Isa::Scalar => (column, padded),
                _ => (column / width * k * width + column % width, width),
            };
            for (slot, weight) in data[at..].iter_mut().step_by(step).zip(weights) {
                *slot = *weight;
            }
        }
        Self { k, n: padded, data, bias, isa }
    }

    /// `c[r, ..] = bias + a[r, ..k] * w` for rows `from..to`. Rows up to the next multiple of the tile's
    /// are written too.
    pub fn apply(&self, a: &Matrix, c: &mut Matrix, (from, to): (usize, usize)) {
        assert!(a.stride >= self.k && c.stride >= self.n && c.rows >= to && a.rows >= to);
        match self.isa {
            Isa::Scalar => self.apply_gemm(a, c, from, to),
            _ => self.apply_tiles(a, c, (from, to)),
        }
    }

    /// Width of the result, rounded up to whole panels.
    pub fn columns(&self) -> usize {
        self.n
    }

    fn apply_tiles(&self, a: &Matrix, c: &mut Matrix, (from, to): (usize, usize)) {
        let (rows, width) = (self.isa.tile_rows(), self.isa.tile_width());
        let tiles = (to - from).div_ceil(rows);
        let parts = self.parts();
        for number in 0..parts {
            let (panel, k0, b) = self.part(number);
            // After the last one nothing is known to come: what is there already costs nothing.
            let next = if number + 1 < parts { self.part(number + 1).2 } else { b };
            let k = b.len() / width;
            let start = if k0 == 0 { Start::Bias(&self.bias[panel * width..]) } else { Start::Output };
            let (mut ahead, share) = Ahead::by(next, tiles, k);
            for row in (from..to).step_by(rows) {
                let a = (&a.data[row * a.stride + k0..], a.stride);
                let c = (&mut c.data[row * c.stride + panel * width..], c.stride);
                multiply_tile(self.isa, k, a, b, c, start, ahead);
                ahead = ahead.further(share);
            }
        }
    }

    /// Numbers of `k` in one pass.
    fn per_pass(&self) -> usize {
        self.k.div_ceil(self.k.div_ceil(self.isa.depth()).max(1)).max(1)
    }

    fn parts(&self) -> usize {
        self.n / self.isa.tile_width() * self.k.div_ceil(self.per_pass())
    }

    /// Panel, first `k` and weights of a part, by number in the order in which all rows go through them.
    fn part(&self, number: usize) -> (usize, usize, &[f32]) {
        let width = self.isa.tile_width();
        let (panels, per_pass) = (self.n / width, self.per_pass());
        let (k0, panel) = (number / panels * per_pass, number % panels);
        let k = per_pass.min(self.k - k0);
        (panel, k0, &self.data[(panel * self.k + k0) * width..][..k * width])
    }

    fn apply_gemm(&self, a: &Matrix, c: &mut Matrix, from: usize, to: usize) {
        for row in from..to {
            let at = row * c.stride;
            c.data[at..at + self.n].copy_from_slice(&self.bias);
        }
        multiply(
            (to - from, self.n, self.k),
            (&a.data[from * a.stride..], a.stride, 1),
            (&self.data, self.n, 1),
            (&mut c.data[from * c.stride..], c.stride),
            true,
        );
    }
}

/// `c (+)= a * b` for `(m, n, k)` by the gemm crate; operands are (data, row stride, column stride).
pub fn multiply(
    (m, n, k): (usize, usize, usize),
    (a, a_rows, a_columns): (&[f32], usize, usize),
    (b, b_rows, b_columns): (&[f32], usize, usize),
    (c, c_rows): (&mut [f32], usize),
    add: bool,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    assert!(a.len() > (m - 1) * a_rows + (k - 1) * a_columns);
    assert!(b.len() > (k - 1) * b_rows + (n - 1) * b_columns);
    assert!(c.len() > (m - 1) * c_rows + n - 1 && c_rows >= n);
    // SAFETY: the assertions cover every element that the strides reach.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            c_rows as isize,
            add,
            a.as_ptr(),
            a_columns as isize,
            a_rows as isize,
            b.as_ptr(),
            b_columns as isize,
            b_rows as isize,
            1.0f32,
            1.0f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
