//! Self-attention over packed tokens: each sequence attends only to itself, so there is neither
//! padding nor a mask.

use super::aligned::Aligned;
use super::isa::Isa;
use super::product::{Matrix, multiply, round_up};
use super::softmax::softmax;
use super::tile::{Ahead, Start, WIDTH, multiply_tile};
use super::transpose::transpose;

/// Room for one head of one sequence.
#[derive(Default)]
pub struct HeadRoom {
    keys: Aligned<f32>,
    values: Aligned<f32>,
    scores: Matrix,
}

/// Which columns of the stacked product hold what.
#[derive(Clone, Copy)]
pub struct Heads {
    pub count: usize,
    pub size: usize,
}

impl Heads {
    /// Columns of all queries, and as many of keys and values: the hidden size, unless heads were pruned.
    pub fn width(self) -> usize {
        self.count * self.size
    }

    /// Columns that the context matrix needs: a head's tile may reach beyond its own columns.
    pub fn context_columns(self) -> usize {
        (self.count - 1) * self.size + round_up(self.size, WIDTH)
    }
}

/// A sequence in rows `from..to` of a packed batch, of which the first `queries` tokens ask.
#[derive(Clone, Copy)]
pub struct Sequence {
    pub from: usize,
    pub to: usize,
    pub queries: usize,
}

/// For a sequence's rows of `qkv` (queries, keys, values side by side), writes the heads' outputs side by
/// side into the rows of `context` that belong to its queries. Rows and columns just beyond may be
/// overwritten: sequences and heads must be done in rising order.
pub fn attend(
    isa: Isa,
    heads: Heads,
    qkv: &Matrix,
    context: &mut Matrix,
    sequence: Sequence,
    room: &mut HeadRoom,
) {
    let Sequence { from, to, queries } = sequence;
    let length = to - from;
    room.scores.reshape(length, length);
    let scale = 1.0 / (heads.size as f32).sqrt();
    for head in 0..heads.count {
        let at = head * heads.size;
        match isa {
            Isa::Scalar => scores_by_gemm(heads, qkv, sequence, at, room),
            _ => scores_by_tile(isa, heads, qkv, sequence, at, room),
        }
        let stride = room.scores.stride;
        softmax(isa, &mut room.scores.data[..queries * stride], (stride, length), scale);
        match isa {
            Isa::Scalar => mix_by_gemm(heads, qkv, context, sequence, at, room),
            _ => mix_by_tile(isa, heads, qkv, context, sequence, at, room),
        }
    }
}

/// Copies keys transposed into panels `[panel][size][width]` and multiplies queries with them.
fn scores_by_tile(
    isa: Isa,
    heads: Heads,
    qkv: &Matrix,
    Sequence { from, to, queries }: Sequence,
    at: usize,
    room: &mut HeadRoom,
) {
    let (length, size, width) = (to - from, heads.size, isa.tile_width());
    let panels = length.div_ceil(width);
    room.keys.grow(panels * size * width);
    for panel in 0..panels {
        let first = panel * width;
        let keys = &qkv.data[(from + first) * qkv.stride + heads.width() + at..];
        let b = &mut room.keys[panel * size * width..][..size * width];
        transpose((keys, qkv.stride), (width.min(length - first), size), b, width);
        let b = &*b;
        for row in (0..queries).step_by(isa.tile_rows()) {
            let a = &qkv.data[(from + row) * qkv.stride + at..];
            let c = &mut room.scores.data[row * room.scores.stride + panel * width..];
            let c = (c, room.scores.stride);
            multiply_tile(isa, size, (a, qkv.stride), b, c, Start::Zero, Ahead::none(b));
        }
    }
}

/// Copies values into panels `[panel][length][width]` and mixes them by the softmaxed scores.
fn mix_by_tile(
    isa: Isa,
    heads: Heads,
    qkv: &Matrix,
    context: &mut Matrix,
    Sequence { from, to, queries }: Sequence,
    at: usize,
    room: &mut HeadRoom,
) {
    let (length, size, width) = (to - from, heads.size, isa.tile_width());
    for panel in 0..size.div_ceil(width) {
        let filled = width.min(size - panel * width);
        room.values.grow(length * width);
        for (slot, row) in room.values.chunks_exact_mut(width).zip(from..to) {
            let start = 2 * heads.width() + at + panel * width;
            slot[..filled].copy_from_slice(&qkv.row(row)[start..][..filled]);
        }
        for row in (0..queries).step_by(isa.tile_rows()) {
            let a = &room.scores.data[row * room.scores.stride..];
            let c = &mut context.data[(from + row) * context.stride + at + panel * width..];
            multiply_tile(
                isa,
                length,
                (a, room.scores.stride),
                &room.values,
                (c, context.stride),
                Start::Zero,
                Ahead::none(&room.values),
            );
        }
    }
}

fn scores_by_gemm(
    heads: Heads,
    qkv: &Matrix,
    Sequence { from, to, queries }: Sequence,
    at: usize,
    room: &mut HeadRoom,
) {
    let length = to - from;
    multiply(
        (queries, length, heads.size),
        (&qkv.data[from * qkv.stride + at..], qkv.stride, 1),
        (&qkv.data[from * qkv.stride + heads.width() + at..], 1, qkv.stride),
        (&mut room.scores.data, room.scores.stride),
        false,
    );
}

fn mix_by_gemm(
    heads: Heads,
    qkv: &Matrix,
    context: &mut Matrix,
    Sequence { from, to, queries }: Sequence,
    at: usize,
    room: &mut HeadRoom,
) {
    let length = to - from;
    multiply(
        (queries, heads.size, length),
        (&room.scores.data, room.scores.stride, 1),
        (&qkv.data[from * qkv.stride + 2 * heads.width() + at..], qkv.stride, 1),
        (&mut context.data[from * context.stride + at..], context.stride),
        false,
    );
}
