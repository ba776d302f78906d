//! The innermost product, with its ranges checked: `c = start + a * b` for one tile of `c`. The
//! processor's own code is in `tile_avx2.rs` and `tile_avx512.rs`; a tile in plain Rust stands in for
//! whole numbers elsewhere.

use super::isa::{IntForm, Isa};

/// Row counts of buffers are rounded up to this: a multiple of every tile's rows.
pub const ROWS: usize = 12;
/// Strides of buffers are multiples of this: a multiple of every tile's columns.
pub const WIDTH: usize = 32;

static ZEROS: [f32; WIDTH] = [0.0; WIDTH];
#[cfg(target_arch = "x86_64")]
static INT_ZEROS: [i32; WIDTH] = [0; WIDTH];

/// Where a tile starts from before products are added.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    Zero,
    /// The same numbers in every row, one per column of the tile.
    Bias(&'a [f32]),
    /// What the output holds.
    Output,
}

/// What one tile fetches into the second-level cache while it computes: the weights that are next. A row
/// block reads every panel of a matrix once, and matrices do not fit that cache: without this, the first
/// tile of each panel would wait for the third level. A tenth of the time was spent so.
#[derive(Clone, Copy)]
pub struct Ahead {
    from: *const u8,
    /// Bytes from one step of `k` to the next.
    step: usize,
}

impl Ahead {
    /// Nothing is fetched that is not in use already.
    pub fn none<T>(used: &[T]) -> Self {
        Self { from: used.as_ptr().cast(), step: 0 }
    }

    /// All of `next`, by so many tiles of so many steps: the first tile's share, and the bytes to the share
    /// of each one after it.
    pub fn by<T>(next: &[T], tiles: usize, steps: usize) -> (Self, usize) {
        let share = size_of_val(next).div_ceil(tiles.max(1));
        (Self { from: next.as_ptr().cast(), step: share.div_ceil(steps.max(1)).min(LINE) }, share)
    }

    /// So many bytes further. A new value: one that is changed in memory would be read back while the
    /// stores of the tile before are still waiting.
    #[inline(always)]
    pub fn further(self, bytes: usize) -> Self {
        Self { from: self.from.wrapping_add(bytes), step: self.step }
    }
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// `c = start + a * b` for a tile of [`Isa::tile_rows`] by [`Isa::tile_width`], over `k` products.
/// `a` and `c` are given with their row strides; `b` is `[k][width]`. Not for [`Isa::Scalar`].
pub fn multiply_tile(
    isa: Isa,
    k: usize,
    (a, a_stride): (&[f32], usize),
    b: &[f32],
    (c, c_stride): (&mut [f32], usize),
    start: Start,
    ahead: Ahead,
) {
    let (rows, width) = (isa.tile_rows(), isa.tile_width());
    assert!(k >= 1 && b.len() >= k * width);
    assert!(a.len() >= (rows - 1) * a_stride + k && c.len() >= (rows - 1) * c_stride + width);
    let (init, init_step) = match start {
        Start::Zero => (ZEROS.as_ptr(), 0),
        Start::Bias(bias) => {
            assert!(bias.len() >= width);
            (bias.as_ptr(), 0)
        }
        Start::Output => (c.as_ptr(), c_stride),
    };
    let (a, b, c) = ((a.as_ptr(), a_stride), b.as_ptr(), (c.as_mut_ptr(), c_stride));
    let ahead = (ahead.from, ahead.step);
    match isa {
        // SAFETY: the assertions cover the ranges; a set is chosen only where it was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::tile_avx512::floats(k, a, b, c, (init, init_step), ahead) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::tile_avx2::floats(k, a, b, c, (init, init_step), ahead) },
        _ => {
            let _ = (a, b, c, init, init_step, ahead);
            unreachable!("tiles of floats are for vector instructions only")
        }
    }
}

/// `c = a * b` in whole numbers for one tile of `form`, over `k` products (a multiple of
/// [`IntForm::step`]). Rows of `a` and panels of `b` are bytes laid out as the form says.
pub fn multiply_int_tile(
    (isa, form): (Isa, IntForm),
    k: usize,
    (a, a_stride): (&[i16], usize),
    b: &[i16],
    (c, c_stride): (&mut [i32], usize),
    ahead: Ahead,
) {
    let (rows, width) = form.tile();
    // Lengths count 16-bit units in both forms: two bytes of `Fours` lie in one.
    let unit = form.step() / 2;
    let length = k / unit;
    assert!(k >= form.step() && k.is_multiple_of(form.step()) && b.len() >= length * width);
    assert!(a.len() >= (rows - 1) * a_stride + length && c.len() >= (rows - 1) * c_stride + width);
    match (isa, form) {
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512 | Isa::Avx2, _) => {
            let start = (INT_ZEROS.as_ptr(), 0);
            let steps = k / form.step();
            let ahead = (ahead.from, ahead.step);
            let (a, b, c) = ((a.as_ptr(), a_stride), b.as_ptr(), (c.as_mut_ptr(), c_stride));
            // SAFETY: as above.
            unsafe {
                match form {
                    IntForm::Pairs => super::tile_avx2::pairs(steps, a, b, c, start, ahead),
                    IntForm::Fours => super::tile_avx512::fours(steps, a, b, c, start, ahead),
                }
            }
        }
        _ => plain_pairs(k, (a, a_stride), b, (c, c_stride)),
    }
}

/// [`IntForm::Pairs`] without vector instructions.
fn plain_pairs(k: usize, (a, a_stride): (&[i16], usize), b: &[i16], (c, c_stride): (&mut [i32], usize)) {
    let (rows, width) = IntForm::Pairs.tile();
    for row in 0..rows {
        let a = &a[row * a_stride..][..k];
        let c = &mut c[row * c_stride..][..width];
        c.fill(0);
        for (pair, b) in a.chunks_exact(2).zip(b.chunks_exact(2 * width)) {
            for (c, b) in c.iter_mut().zip(b.chunks_exact(2)) {
                *c += i32::from(pair[0]) * i32::from(b[0]) + i32::from(pair[1]) * i32::from(b[1]);
            }
        }
    }
}
