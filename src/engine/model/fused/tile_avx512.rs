//! The innermost products on AVX-512: 12 rows by 32 columns held in 24 registers, floats or fours of
//! bytes (VNNI). In assembly, because the development profile compiles our code at opt-level 1 with
//! checks on every pointer step, which would cost more than the arithmetic. Nothing else belongs here;
//! `tile.rs` checks the ranges.

use std::arch::asm;

/// A function over one tile; the lines in brackets are one step of `k`: 128 bytes of `b`, 4 of each row
/// of `a`.
macro_rules! tile {
    ($(#[$about:meta])* $name:ident($in:ty) -> $out:ty [$($step:literal,)*]) => {
        $(#[$about])*
        ///
        /// # Safety
        /// Needs the features named. Readable: 12 rows of `steps` 32-bit units at the stride of `a`, 32
        /// units a step from `b`, 32 numbers from `init` (or 12 rows of them at its stride). Writable: 12
        /// rows of 32 numbers at the stride of `c`. Strides count elements of their type; `steps >= 1`.
        /// Each step fetches one line from `ahead`, `ahead_step` bytes further each time, into the
        /// second-level cache: any address is fine.
        pub unsafe fn $name(
            steps: usize,
            (a, a_stride): (*const $in, usize),
            b: *const $in,
            (c, c_stride): (*mut $out, usize),
            (init, init_stride): (*const $out, usize),
            (ahead, ahead_step): (*const u8, usize),
        ) {
            let three = a_stride.wrapping_mul(3);
            // SAFETY: the caller vouches for the ranges; only the listed registers are changed.
            unsafe {
                asm!(
                "vmovups zmm0, [{init}]", "vmovups zmm1, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm2, [{init}]", "vmovups zmm3, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm4, [{init}]", "vmovups zmm5, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm6, [{init}]", "vmovups zmm7, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm8, [{init}]", "vmovups zmm9, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm10, [{init}]", "vmovups zmm11, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm12, [{init}]", "vmovups zmm13, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm14, [{init}]", "vmovups zmm15, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm16, [{init}]", "vmovups zmm17, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm18, [{init}]", "vmovups zmm19, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm20, [{init}]", "vmovups zmm21, [{init} + 64]", "add {init}, {init_step}",
                "vmovups zmm22, [{init}]", "vmovups zmm23, [{init} + 64]", "add {init}, {init_step}",
                "2:",
                "vmovups zmm24, [{b}]", "vmovups zmm25, [{b} + 64]",
                $($step,)*
                "prefetcht1 [{ahead}]", "add {ahead}, {ahead_step}",
                "add {b}, 128", "add {a0}, 4", "add {a1}, 4", "add {a2}, 4", "add {a3}, 4",
                "dec {k}",
                "jnz 2b",
                "vmovups [{c}], zmm0", "vmovups [{c} + 64], zmm1", "add {c}, {ldc}",
                "vmovups [{c}], zmm2", "vmovups [{c} + 64], zmm3", "add {c}, {ldc}",
                "vmovups [{c}], zmm4", "vmovups [{c} + 64], zmm5", "add {c}, {ldc}",
                "vmovups [{c}], zmm6", "vmovups [{c} + 64], zmm7", "add {c}, {ldc}",
                "vmovups [{c}], zmm8", "vmovups [{c} + 64], zmm9", "add {c}, {ldc}",
                "vmovups [{c}], zmm10", "vmovups [{c} + 64], zmm11", "add {c}, {ldc}",
                "vmovups [{c}], zmm12", "vmovups [{c} + 64], zmm13", "add {c}, {ldc}",
                "vmovups [{c}], zmm14", "vmovups [{c} + 64], zmm15", "add {c}, {ldc}",
                "vmovups [{c}], zmm16", "vmovups [{c} + 64], zmm17", "add {c}, {ldc}",
                "vmovups [{c}], zmm18", "vmovups [{c} + 64], zmm19", "add {c}, {ldc}",
                "vmovups [{c}], zmm20", "vmovups [{c} + 64], zmm21", "add {c}, {ldc}",
                "vmovups [{c}], zmm22", "vmovups [{c} + 64], zmm23", "add {c}, {ldc}",
                // What follows is compiled for SSE: without this its first store would wait.
                "vzeroupper",
                a0 = inout(reg) a => _,
                a1 = inout(reg) a.wrapping_add(three) => _,
                a2 = inout(reg) a.wrapping_add(three.wrapping_mul(2)) => _,
                a3 = inout(reg) a.wrapping_add(three.wrapping_mul(3)) => _,
                lda = in(reg) a_stride.wrapping_mul(size_of::<$in>()),
                b = inout(reg) b => _,
                ahead = inout(reg) ahead => _,
                ahead_step = in(reg) ahead_step,
                k = inout(reg) steps => _,
                c = inout(reg) c => _,
                ldc = in(reg) c_stride.wrapping_mul(4),
                init = inout(reg) init => _,
                init_step = in(reg) init_stride.wrapping_mul(4),
                out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _,
                out("zmm4") _, out("zmm5") _, out("zmm6") _, out("zmm7") _,
                out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _,
                out("zmm12") _, out("zmm13") _, out("zmm14") _, out("zmm15") _,
                out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _,
                out("zmm20") _, out("zmm21") _, out("zmm22") _, out("zmm23") _,
                out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _,
                out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
                options(nostack),
                );
            }
        }
    };
}

tile! {
    /// `c[12 x 32] = init + a[12 x steps] * b[steps x 32]`.
    #[target_feature(enable = "avx512f")]
    floats(f32) -> f32 [
        "vbroadcastss zmm26, dword ptr [{a0}]", "vfmadd231ps zmm0, zmm26, zmm24", "vfmadd231ps zmm1, zmm26, zmm25",
        "vbroadcastss zmm27, dword ptr [{a0} + {lda}]", "vfmadd231ps zmm2, zmm27, zmm24", "vfmadd231ps zmm3, zmm27, zmm25",
        "vbroadcastss zmm28, dword ptr [{a0} + {lda}*2]", "vfmadd231ps zmm4, zmm28, zmm24", "vfmadd231ps zmm5, zmm28, zmm25",
        "vbroadcastss zmm29, dword ptr [{a1}]", "vfmadd231ps zmm6, zmm29, zmm24", "vfmadd231ps zmm7, zmm29, zmm25",
        "vbroadcastss zmm30, dword ptr [{a1} + {lda}]", "vfmadd231ps zmm8, zmm30, zmm24", "vfmadd231ps zmm9, zmm30, zmm25",
        "vbroadcastss zmm31, dword ptr [{a1} + {lda}*2]", "vfmadd231ps zmm10, zmm31, zmm24", "vfmadd231ps zmm11, zmm31, zmm25",
        "vbroadcastss zmm26, dword ptr [{a2}]", "vfmadd231ps zmm12, zmm26, zmm24", "vfmadd231ps zmm13, zmm26, zmm25",
        "vbroadcastss zmm27, dword ptr [{a2} + {lda}]", "vfmadd231ps zmm14, zmm27, zmm24", "vfmadd231ps zmm15, zmm27, zmm25",
        "vbroadcastss zmm28, dword ptr [{a2} + {lda}*2]", "vfmadd231ps zmm16, zmm28, zmm24", "vfmadd231ps zmm17, zmm28, zmm25",
        "vbroadcastss zmm29, dword ptr [{a3}]", "vfmadd231ps zmm18, zmm29, zmm24", "vfmadd231ps zmm19, zmm29, zmm25",
        "vbroadcastss zmm30, dword ptr [{a3} + {lda}]", "vfmadd231ps zmm20, zmm30, zmm24", "vfmadd231ps zmm21, zmm30, zmm25",
        "vbroadcastss zmm31, dword ptr [{a3} + {lda}*2]", "vfmadd231ps zmm22, zmm31, zmm24", "vfmadd231ps zmm23, zmm31, zmm25",
    ]
}

tile! {
    /// The same over fours of bytes, unsigned in `a`, signed in `b`: `c[r, j] = init + sum over q of
    /// sum over i < 4 of a[r, 4q + i] b[q, j, i]`. Both are handed over in 16-bit units of two bytes.
    #[target_feature(enable = "avx512f,avx512vnni")]
    fours(i16) -> i32 [
        "vpbroadcastd zmm26, dword ptr [{a0}]", "vpdpbusd zmm0, zmm26, zmm24", "vpdpbusd zmm1, zmm26, zmm25",
        "vpbroadcastd zmm27, dword ptr [{a0} + {lda}]", "vpdpbusd zmm2, zmm27, zmm24", "vpdpbusd zmm3, zmm27, zmm25",
        "vpbroadcastd zmm28, dword ptr [{a0} + {lda}*2]", "vpdpbusd zmm4, zmm28, zmm24", "vpdpbusd zmm5, zmm28, zmm25",
        "vpbroadcastd zmm29, dword ptr [{a1}]", "vpdpbusd zmm6, zmm29, zmm24", "vpdpbusd zmm7, zmm29, zmm25",
        "vpbroadcastd zmm30, dword ptr [{a1} + {lda}]", "vpdpbusd zmm8, zmm30, zmm24", "vpdpbusd zmm9, zmm30, zmm25",
        "vpbroadcastd zmm31, dword ptr [{a1} + {lda}*2]", "vpdpbusd zmm10, zmm31, zmm24", "vpdpbusd zmm11, zmm31, zmm25",
        "vpbroadcastd zmm26, dword ptr [{a2}]", "vpdpbusd zmm12, zmm26, zmm24", "vpdpbusd zmm13, zmm26, zmm25",
        "vpbroadcastd zmm27, dword ptr [{a2} + {lda}]", "vpdpbusd zmm14, zmm27, zmm24", "vpdpbusd zmm15, zmm27, zmm25",
        "vpbroadcastd zmm28, dword ptr [{a2} + {lda}*2]", "vpdpbusd zmm16, zmm28, zmm24", "vpdpbusd zmm17, zmm28, zmm25",
        "vpbroadcastd zmm29, dword ptr [{a3}]", "vpdpbusd zmm18, zmm29, zmm24", "vpdpbusd zmm19, zmm29, zmm25",
        "vpbroadcastd zmm30, dword ptr [{a3} + {lda}]", "vpdpbusd zmm20, zmm30, zmm24", "vpdpbusd zmm21, zmm30, zmm25",
        "vpbroadcastd zmm31, dword ptr [{a3} + {lda}*2]", "vpdpbusd zmm22, zmm31, zmm24", "vpdpbusd zmm23, zmm31, zmm25",
    ]
}
