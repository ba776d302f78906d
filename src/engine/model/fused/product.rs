//! Products with weights that are packed once: `c = bias + a * w`, by our own tiles on AVX2 and AVX-512
//! and by the gemm crate elsewhere. One core; parallelism is one level up. Buffers are padded, so that
//! no kernel needs to know about ragged edges.

use super::isa::Isa;
use super::tile::{ROWS, Start, WIDTH, multiply_tile};

/// Numbers of `k` per pass: a panel's part and a few rows of `a` stay in the first-level cache.
const DEPTH: usize = 256;

/// A row-major matrix whose rows are `stride` long (a multiple of 32, columns beyond the true width
/// hold zeros or leavings) and whose row count is rounded up to the tile's.
#[derive(Default)]
pub struct Matrix {
    pub data: Vec<f32>,
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
        if self.data.len() < size {
            self.data.resize(size, 0.0);
        }
    }

    pub fn row(&self, r: usize) -> &[f32] {
        &self.data[r * self.stride..(r + 1) * self.stride]
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
    data: Vec<f32>,
    bias: Vec<f32>,
    isa: Isa,
}

impl Packed {
    /// From dense layers `weight [n_i x k]`, `bias [n_i]` stacked side by side (`n = sum n_i`).
    pub fn new(parts: &[(&[f32], &[f32])], k: usize, isa: Isa) -> Self {
        let n: usize = parts.iter().map(|(_, bias)| bias.len()).sum();
        let padded = round_up(n, WIDTH);
        let mut data = vec![0f32; k * padded];
        let mut bias: Vec<f32> = parts.iter().flat_map(|(_, bias)| bias.iter().copied()).collect();
        bias.resize(padded, 0.0);
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
    pub fn apply(&self, a: &Matrix, c: &mut Matrix, from: usize, to: usize) {
        assert!(a.stride >= self.k && c.stride >= self.n && c.rows >= to && a.rows >= to);
        match self.isa {
            Isa::Scalar => self.apply_gemm(a, c, from, to),
            _ => self.apply_tiles(a, c, from, to),
        }
    }

    /// Width of the result, rounded up to whole panels.
    pub fn columns(&self) -> usize {
        self.n
    }

    fn apply_tiles(&self, a: &Matrix, c: &mut Matrix, from: usize, to: usize) {
        let (rows, width) = (self.isa.tile_rows(), self.isa.tile_width());
        let per_block = self.k.div_ceil(self.k.div_ceil(DEPTH).max(1));
        for k0 in (0..self.k).step_by(per_block) {
            let k = per_block.min(self.k - k0);
            for panel in 0..self.n / width {
                let b = &self.data[(panel * self.k + k0) * width..][..k * width];
                let start = if k0 == 0 { Start::Bias(&self.bias[panel * width..]) } else { Start::Output };
                for row in (from..to).step_by(rows) {
                    let a_tile = &a.data[row * a.stride + k0..];
                    let c_tile = &mut c.data[row * c.stride + panel * width..];
                    multiply_tile(self.isa, k, (a_tile, a.stride), b, (c_tile, c.stride), start);
                }
            }
        }
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
