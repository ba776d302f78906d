//! The primitives without vector instructions: any processor, and the yardstick of the others.

type V = f32;
const N: usize = 1;

fn load(from: &[f32; N]) -> V {
    from[0]
}

fn store(to: &mut [f32; N], v: V) {
    to[0] = v;
}

fn exp2i(p: V, n: V) -> V {
    p * f32::from_bits((((n as i32) + 127) as u32) << 23)
}

fn round(x: V) -> V {
    x.round()
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
    max(a, b) = a.max(b);
    min(a, b) = a.min(b);
    sum(a) = a;
    maximum(a) = a;
}

super::rows::row_kernels!();
