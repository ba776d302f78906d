//! The primitives without vector instructions: any processor, and the yardstick of the others.

use super::int_rows::{Columns, RowScale, as_bytes};
use super::isa::IntForm;

type V = f32;
type I = i32;
const N: usize = 1;

fn load(from: &[f32; N]) -> V {
    from[0]
}

fn store(to: &mut [f32; N], v: V) {
    to[0] = v;
}

fn load_ints(from: &[i32; N]) -> I {
    from[0]
}

fn store_pairs(to: &mut [i16; N], v: I) {
    to[0] = v as i16;
}

fn store_bytes(to: &mut [u8; N], v: I) {
    to[0] = v.clamp(0, 255) as u8;
}

/// Ties go to the even neighbour, as the vector instructions do it.
fn to_ints(x: V) -> I {
    x.round_ties_even() as i32
}

fn from_ints(x: I) -> V {
    x as f32
}

fn splat_int(x: i32) -> I {
    x
}

fn add_ints(a: I, b: I) -> I {
    a + b
}

fn sub_ints(a: I, b: I) -> I {
    a - b
}

fn mul_ints(a: I, b: I) -> I {
    a * b
}

fn exp2i(p: V, n: V) -> V {
    p * f32::from_bits((((n as i32) + 127) as u32) << 23)
}

fn round(x: V) -> V {
    x.round()
}

/// One lane has no rest.
fn first(v: V, _: usize, _: V) -> V {
    v
}

macro_rules! primitives {
    ($($name:ident($($arg:ident),*) = $value:expr;)*) => {$(
        fn $name($($arg: V),*) -> V {
            $value
        }
    )*};
}

primitives! {
    splat(x) = x;
    add(a, b) = a + b;
    sub(a, b) = a - b;
    mul(a, b) = a * b;
    div(a, b) = a / b;
    fma(a, b, c) = a * b + c;
    // As the vector instructions do it: `b` if either is not a number.
    max(a, b) = if a > b { a } else { b };
    min(a, b) = if a < b { a } else { b };
    sum(a) = a;
    maximum(a) = a;
}

super::rows::row_kernels!();
super::softmax::softmax_kernels!();
super::int_rows::int_kernels!();
