//! Vector primitives for AVX-512: 16 numbers at a time.

use std::arch::x86_64::*;

type V = __m512;
const N: usize = 16;

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load(from: &[f32; N]) -> V {
    // SAFETY: both are 16 f32s.
    unsafe { std::mem::transmute::<[f32; N], V>(*from) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store(to: &mut [f32; N], v: V) {
    // SAFETY: both are 16 f32s.
    *to = unsafe { std::mem::transmute::<V, [f32; N]>(v) };
}

/// p * 2^n for whole n.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn exp2i(p: V, n: V) -> V {
    _mm512_scalef_ps(p, n)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn round(x: V) -> V {
    _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x)
}

macro_rules! primitives {
    ($($name:ident($($arg:ident: $type:ty),*) -> $out:ty = $intrinsic:ident;)*) => {$(
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq")]
        fn $name($($arg: $type),*) -> $out {
            $intrinsic($($arg),*)
        }
    )*};
}

primitives! {
    splat(x: f32) -> V = _mm512_set1_ps;
    add(a: V, b: V) -> V = _mm512_add_ps;
    sub(a: V, b: V) -> V = _mm512_sub_ps;
    mul(a: V, b: V) -> V = _mm512_mul_ps;
    div(a: V, b: V) -> V = _mm512_div_ps;
    fma(a: V, b: V, c: V) -> V = _mm512_fmadd_ps;
    max(a: V, b: V) -> V = _mm512_max_ps;
    min(a: V, b: V) -> V = _mm512_min_ps;
    sum(a: V) -> f32 = _mm512_reduce_add_ps;
    maximum(a: V) -> f32 = _mm512_reduce_max_ps;
}

super::rows::row_kernels!(#[target_feature(enable = "avx512f,avx512dq")]);
