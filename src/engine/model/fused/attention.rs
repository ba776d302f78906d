//! Self-attention over packed tokens: each sequence attends only to itself, so there is neither
//! padding nor a mask.

use super::isa::Isa;
use super::product::{Matrix, multiply, round_up};
use super::rows::softmax;
use super::tile::{ROWS, WIDTH};

/// Room for one head of one sequence.
#[derive(Default)]
pub struct HeadRoom {
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Matrix,
}

/// Which columns of the stacked product hold what.
#[derive(Clone, Copy)]
pub struct Heads {
    pub count: usize,
    pub size: usize,
}

impl Heads {
    fn hidden(self) -> usize {
        self.count * self.size
    }

    /// Columns that the context matrix needs: a head's tile may reach beyond its own columns.
    pub fn context_columns(self) -> usize {
        (self.count - 1) * self.size + round_up(self.size, WIDTH)
    }
}

/// For the sequence in rows `from..to` of `qkv` (queries, keys, values side by side), writes the
/// heads' outputs side by side into the same rows of `context`. Rows and columns just beyond may be
/// overwritten: sequences and heads must be done in rising order.
pub fn attend(
    isa: Isa,
    heads: Heads,
    qkv: &Matrix,
    context: &mut Matrix,
    (from, to): (usize, usize),
    room: &mut HeadRoom,
) {
    let length = to - from;
    room.scores.reshape(length, length);
    let scale = 1.0 / (heads.size as f32).sqrt();
    for head in 0..heads.count {
        let at = head * heads.size;
        match isa {
            Isa::Avx512 => scores_by_tile(heads, qkv, (from, to), at, room),
            _ => scores_by_gemm(heads, qkv, (from, to), at, room),
        }
        for r in 0..length {
            let row = room.scores.row_mut(r);
            row[length..].fill(f32::NEG_INFINITY);
            softmax(isa, row, scale);
        }
        match isa {
            Isa::Avx512 => mix_by_tile(heads, qkv, context, (from, to), at, room),
            _ => mix_by_gemm(heads, qkv, context, (from, to), at, room),
        }
    }
}

/// Copies keys transposed into panels `[panel][size][32]` and multiplies queries with them.
fn scores_by_tile(heads: Heads, qkv: &Matrix, (from, to): (usize, usize), at: usize, room: &mut HeadRoom) {
    let (length, size) = (to - from, heads.size);
    let panels = length.div_ceil(WIDTH);
    room.keys.resize(panels * size * WIDTH, 0.0);
    for (j, row) in (from..to).enumerate() {
        let key = &qkv.row(row)[heads.hidden() + at..][..size];
        let start = (j / WIDTH) * size * WIDTH + j % WIDTH;
        for (slot, value) in room.keys[start..].iter_mut().step_by(WIDTH).zip(key) {
            *slot = *value;
        }
    }
    for panel in 0..panels {
        let b = &room.keys[panel * size * WIDTH..][..size * WIDTH];
        for row in (0..length).step_by(ROWS) {
            let a = &qkv.data[(from + row) * qkv.stride + at..];
            let c = &mut room.scores.data[row * room.scores.stride + panel * WIDTH..];
            tile(size, (a, qkv.stride), b, (c, room.scores.stride));
        }
    }
}

/// Copies values into panels `[panel][length][32]` and mixes them by the softmaxed scores.
fn mix_by_tile(
    heads: Heads,
    qkv: &Matrix,
    context: &mut Matrix,
    (from, to): (usize, usize),
    at: usize,
    room: &mut HeadRoom,
) {
    let (length, size) = (to - from, heads.size);
    for panel in 0..size.div_ceil(WIDTH) {
        let width = WIDTH.min(size - panel * WIDTH);
        room.values.resize(length * WIDTH, 0.0);
        for (slot, row) in room.values.chunks_exact_mut(WIDTH).zip(from..to) {
            let start = 2 * heads.hidden() + at + panel * WIDTH;
            slot[..width].copy_from_slice(&qkv.row(row)[start..][..width]);
        }
        for row in (0..length).step_by(ROWS) {
            let a = &room.scores.data[row * room.scores.stride..];
            let c = &mut context.data[(from + row) * context.stride + at + panel * WIDTH..];
            tile(length, (a, room.scores.stride), &room.values, (c, context.stride));
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn tile(k: usize, (a, a_stride): (&[f32], usize), b: &[f32], (c, c_stride): (&mut [f32], usize)) {
    assert!(k >= 1 && b.len() >= k * WIDTH);
    assert!(a.len() >= (ROWS - 1) * a_stride + k && c.len() >= (ROWS - 1) * c_stride + WIDTH);
    let start = super::tile::Start::Zero;
    // SAFETY: the assertions cover the ranges; this runs only where AVX-512 was detected.
    unsafe {
        super::tile::multiply_tile(k, a.as_ptr(), a_stride, b.as_ptr(), c.as_mut_ptr(), c_stride, start);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn tile(_: usize, _: (&[f32], usize), _: &[f32], _: (&mut [f32], usize)) {
    unreachable!("tiles are chosen only where AVX-512 was detected")
}

fn scores_by_gemm(heads: Heads, qkv: &Matrix, (from, to): (usize, usize), at: usize, room: &mut HeadRoom) {
    let length = to - from;
    multiply(
        (length, length, heads.size),
        (&qkv.data[from * qkv.stride + at..], qkv.stride, 1),
        (&qkv.data[from * qkv.stride + heads.hidden() + at..], 1, qkv.stride),
        (&mut room.scores.data, room.scores.stride),
        false,
    );
}

fn mix_by_gemm(
    heads: Heads,
    qkv: &Matrix,
    context: &mut Matrix,
    (from, to): (usize, usize),
    at: usize,
    room: &mut HeadRoom,
) {
    let length = to - from;
    multiply(
        (length, heads.size, length),
        (&room.scores.data, room.scores.stride, 1),
        (&qkv.data[from * qkv.stride + 2 * heads.hidden() + at..], qkv.stride, 1),
        (&mut context.data[from * context.stride + at..], context.stride),
        false,
    );
}
