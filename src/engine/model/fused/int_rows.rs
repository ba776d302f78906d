//! Kernels over rows that go to and from whole numbers: the activations of one token become 8-bit
//! numbers with a scale and a zero point of their own, products of whole numbers become floats again.
//! Written once over the primitives of `lanes_*.rs`, as in `rows.rs`. Row lengths are multiples of 32.

use super::isa::{IntForm, Isa};

/// How one row was made whole: `x = scale * (q - zero)`, `q` from 0 to 255.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RowScale {
    pub scale: f32,
    pub zero: i32,
}

impl RowScale {
    /// The finest scale that reaches from `low` to `high` and has an exact 0. Inlined into kernels, where
    /// rounding is an instruction and not a call.
    #[inline(always)]
    pub fn spanning(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (high - low) / 255.0;
        if scale > 0.0 && scale.is_finite() {
            Self { scale, zero: (-low / scale).round_ties_even().clamp(0.0, 255.0) as i32 }
        } else {
            Self { scale: if scale == 0.0 { 0.0 } else { f32::NAN }, zero: 0 }
        }
    }

    /// The row held something that is not a finite number: so must everything computed from it.
    pub const NOT_FINITE: Self = Self { scale: f32::NAN, zero: 0 };
}

/// Quantises a row into `out` in the layout of `form`: numbers less the zero point in 16 bits, or bytes,
/// two of which lie in one element.
pub fn quantise(isa: Isa, form: IntForm, row: &[f32], out: &mut [i16]) -> RowScale {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::quantise(form, row, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::quantise(form, row, out) },
        _ => super::lanes_scalar::quantise(form, row, out),
    }
}

/// `out = bias + scale * scales * (products - zero * sums)` for one panel of columns, row by row:
/// `products [rows x width]` of quantised numbers, the panel's `columns`, and the first of each row's
/// `out`, whose rows are `stride` apart. All rows in one call, because a row of a panel is two vectors.
pub fn dequantise(
    isa: Isa,
    products: &[i32],
    rows: &[RowScale],
    columns: Columns,
    (out, stride): (&mut [f32], usize),
) {
    match isa {
        // SAFETY: the set was detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { super::lanes_avx512::dequantise(products, rows, columns, (out, stride)) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { super::lanes_avx2::dequantise(products, rows, columns, (out, stride)) },
        _ => super::lanes_scalar::dequantise(products, rows, columns, (out, stride)),
    }
}

/// What belongs to a panel's columns.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    pub sums: &'a [i32],
    pub scales: &'a [f32],
    pub bias: &'a [f32],
}

/// Two bytes to an element, in the order of memory.
pub fn as_bytes(numbers: &mut [i16]) -> &mut [u8] {
    let length = numbers.len() * 2;
    // SAFETY: the same memory; bytes have no alignment and no invalid values.
    unsafe { std::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast::<u8>(), length) }
}

macro_rules! int_kernels {
    ($(#[$feature:meta])*) => {
        $(#[$feature])*
        pub fn quantise(
            form: IntForm,
            row: &[f32],
            out: &mut [i16],
        ) -> RowScale {
            let (chunks, _) = row.as_chunks::<N>();
            // Two of each, so that one does not wait for the other. What is not finite drops out of minimum
            // and maximum, but not out of a sum.
            let (mut low, mut high, mut total) = (splat(0.0), splat(0.0), splat(0.0));
            let (mut low_b, mut high_b, mut total_b) = (low, high, total);
            for [a, b] in chunks.as_chunks::<2>().0 {
                let (a, b) = (load(a), load(b));
                (low, low_b) = (min(low, a), min(low_b, b));
                (high, high_b) = (max(high, a), max(high_b, b));
                (total, total_b) = (fma(a, splat(0.0), total), fma(b, splat(0.0), total_b));
            }
            let (low, high) = (min(low, low_b), max(high, high_b));
            let found = match sum(add(total, total_b)) == 0.0 {
                true => RowScale::spanning(-maximum(sub(splat(0.0), low)), maximum(high)),
                false => RowScale::NOT_FINITE,
            };
            let inverse = splat(if found.scale > 0.0 { 1.0 / found.scale } else { 0.0 });
            let zero = found.zero as f32;
            match form {
                IntForm::Pairs => {
                    let (bottom, top) = (splat(-zero), splat(255.0 - zero));
                    for (chunk, out) in chunks.iter().zip(out.as_chunks_mut::<N>().0) {
                        let q = max(min(mul(load(chunk), inverse), top), bottom);
                        store_pairs(out, to_ints(q));
                    }
                }
                IntForm::Fours => {
                    let (out, zero) = (as_bytes(out), splat_int(found.zero));
                    for (chunk, out) in chunks.iter().zip(out.as_chunks_mut::<N>().0) {
                        store_bytes(out, add_ints(to_ints(mul(load(chunk), inverse)), zero));
                    }
                }
            }
            found
        }

        $(#[$feature])*
        pub fn dequantise(
            products: &[i32],
            rows: &[RowScale],
            columns: Columns,
            (out, stride): (&mut [f32], usize),
        ) {
            let width = columns.sums.len();
            let (sums, _) = columns.sums.as_chunks::<N>();
            let (scales, _) = columns.scales.as_chunks::<N>();
            let (bias, _) = columns.bias.as_chunks::<N>();
            // By `next` and patterns: where little is inlined, zipped iterators and checked indices cost more
            // than the arithmetic.
            let (mut products, mut out) = (products.chunks_exact(width), out.chunks_mut(stride));
            if let ([s, t], [u, v], [b, c]) = (sums, scales, bias) {
                // A panel is two vectors wide: what belongs to a column stays in registers for all rows.
                let (s, t) = (load_ints(s), load_ints(t));
                let (u, v, b, c) = (load(u), load(v), load(b), load(c));
                for row in rows {
                    let (Some(products), Some(out)) = (products.next(), out.next()) else { break };
                    let ([p, q, ..], [x, y, ..]) =
                        (products.as_chunks::<N>().0, out.as_chunks_mut::<N>().0)
                    else {
                        break;
                    };
                    let (zero, scale) = (splat_int(row.zero), splat(row.scale));
                    store(x, real(load_ints(p), (zero, s), (scale, u), b));
                    store(y, real(load_ints(q), (zero, t), (scale, v), c));
                }
                return;
            }
            for row in rows {
                let (Some(products), Some(out)) = (products.next(), out.next()) else { break };
                let (products, out) = (products.as_chunks::<N>().0, out.as_chunks_mut::<N>().0);
                let (zero, scale) = (splat_int(row.zero), splat(row.scale));
                for at in 0..sums.len() {
                    let (sums, scales) = ((zero, load_ints(&sums[at])), (scale, load(&scales[at])));
                    store(&mut out[at], real(load_ints(&products[at]), sums, scales, load(&bias[at])));
                }
            }
        }

        /// Not fused: the same rounding on every processor.
        #[inline]
        $(#[$feature])*
        fn real(product: I, (zero, sum): (I, I), (scale, column): (V, V), bias: V) -> V {
            let exact = sub_ints(product, mul_ints(zero, sum));
            add(mul(from_ints(exact), mul(column, scale)), bias)
        }
    };
}
pub(super) use int_kernels;
