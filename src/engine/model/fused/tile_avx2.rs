//! The innermost products on AVX2: 6 rows by 16 columns held in 12 registers, floats or pairs of 16-bit
//! numbers. In assembly, because the development profile compiles our code at opt-level 1 with checks
//! on every pointer step, which would cost more than the arithmetic. Nothing else belongs here;
//! `tile.rs` checks the ranges.

use std::arch::asm;

/// A function over one tile; the lines in brackets are one step of `k`: 64 bytes of `b`, 4 of each row
/// of `a`.
macro_rules! tile {
    ($(#[$about:meta])* $name:ident($in:ty) -> $out:ty [$($step:literal,)*]) => {
        $(#[$about])*
        ///
        /// # Safety
        /// Needs AVX2 and FMA. Readable: 6 rows of `steps` 32-bit units at the stride of `a`, 16 units a
        /// step from `b`, 16 numbers from `init` (or 6 rows of them at its stride). Writable: 6 rows of 16
        /// numbers at the stride of `c`. Strides count elements of their type; `steps >= 1`.
        /// Each step fetches one line from `ahead`, `ahead_step` bytes further each time, into the
        /// second-level cache: any address is fine.
        #[target_feature(enable = "avx2,fma")]
        pub unsafe fn $name(
            steps: usize,
            (a, a_stride): (*const $in, usize),
            b: *const $in,
            (c, c_stride): (*mut $out, usize),
            (init, init_stride): (*const $out, usize),
            (ahead, ahead_step): (*const u8, usize),
        ) {
            // SAFETY: the caller vouches for the ranges; only the listed registers are changed.
            unsafe {
                asm!(
                "vmovups ymm0, [{init}]", "vmovups ymm1, [{init} + 32]", "add {init}, {init_step}",
                "vmovups ymm2, [{init}]", "vmovups ymm3, [{init} + 32]", "add {init}, {init_step}",
                "vmovups ymm4, [{init}]", "vmovups ymm5, [{init} + 32]", "add {init}, {init_step}",
                "vmovups ymm6, [{init}]", "vmovups ymm7, [{init} + 32]", "add {init}, {init_step}",
                "vmovups ymm8, [{init}]", "vmovups ymm9, [{init} + 32]", "add {init}, {init_step}",
                "vmovups ymm10, [{init}]", "vmovups ymm11, [{init} + 32]", "add {init}, {init_step}",
                "2:",
                "vmovups ymm12, [{b}]", "vmovups ymm13, [{b} + 32]",
                $($step,)*
                "prefetcht1 [{ahead}]", "add {ahead}, {ahead_step}",
                "add {b}, 64", "add {a0}, 4", "add {a1}, 4",
                "dec {k}",
                "jnz 2b",
                "vmovups [{c}], ymm0", "vmovups [{c} + 32], ymm1", "add {c}, {ldc}",
                "vmovups [{c}], ymm2", "vmovups [{c} + 32], ymm3", "add {c}, {ldc}",
                "vmovups [{c}], ymm4", "vmovups [{c} + 32], ymm5", "add {c}, {ldc}",
                "vmovups [{c}], ymm6", "vmovups [{c} + 32], ymm7", "add {c}, {ldc}",
                "vmovups [{c}], ymm8", "vmovups [{c} + 32], ymm9", "add {c}, {ldc}",
                "vmovups [{c}], ymm10", "vmovups [{c} + 32], ymm11", "add {c}, {ldc}",
                // What follows is compiled for SSE: without this its first store would wait.
                "vzeroupper",
                a0 = inout(reg) a => _,
                a1 = inout(reg) a.wrapping_add(a_stride.wrapping_mul(3)) => _,
                lda = in(reg) a_stride.wrapping_mul(size_of::<$in>()),
                b = inout(reg) b => _,
                ahead = inout(reg) ahead => _,
                ahead_step = in(reg) ahead_step,
                k = inout(reg) steps => _,
                c = inout(reg) c => _,
                ldc = in(reg) c_stride.wrapping_mul(4),
                init = inout(reg) init => _,
                init_step = in(reg) init_stride.wrapping_mul(4),
                out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
                out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _, out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
                options(nostack),
                );
            }
        }
    };
}

tile! {
    /// `c[6 x 16] = init + a[6 x steps] * b[steps x 16]`.
    floats(f32) -> f32 [
        "vbroadcastss ymm14, dword ptr [{a0}]",
        "vfmadd231ps ymm0, ymm14, ymm12", "vfmadd231ps ymm1, ymm14, ymm13",
        "vbroadcastss ymm15, dword ptr [{a0} + {lda}]",
        "vfmadd231ps ymm2, ymm15, ymm12", "vfmadd231ps ymm3, ymm15, ymm13",
        "vbroadcastss ymm14, dword ptr [{a0} + {lda}*2]",
        "vfmadd231ps ymm4, ymm14, ymm12", "vfmadd231ps ymm5, ymm14, ymm13",
        "vbroadcastss ymm15, dword ptr [{a1}]",
        "vfmadd231ps ymm6, ymm15, ymm12", "vfmadd231ps ymm7, ymm15, ymm13",
        "vbroadcastss ymm14, dword ptr [{a1} + {lda}]",
        "vfmadd231ps ymm8, ymm14, ymm12", "vfmadd231ps ymm9, ymm14, ymm13",
        "vbroadcastss ymm15, dword ptr [{a1} + {lda}*2]",
        "vfmadd231ps ymm10, ymm15, ymm12", "vfmadd231ps ymm11, ymm15, ymm13",
    ]
}

tile! {
    /// The same over pairs of 16-bit numbers: `c[r, j] = init + sum over p of
    /// a[r, 2p] b[p, j, 0] + a[r, 2p + 1] b[p, j, 1]`.
    pairs(i16) -> i32 [
        "vpbroadcastd ymm14, dword ptr [{a0}]",
        "vpmaddwd ymm15, ymm14, ymm12", "vpmaddwd ymm14, ymm14, ymm13",
        "vpaddd ymm0, ymm0, ymm15", "vpaddd ymm1, ymm1, ymm14",
        "vpbroadcastd ymm14, dword ptr [{a0} + {lda}]",
        "vpmaddwd ymm15, ymm14, ymm12", "vpmaddwd ymm14, ymm14, ymm13",
        "vpaddd ymm2, ymm2, ymm15", "vpaddd ymm3, ymm3, ymm14",
        "vpbroadcastd ymm14, dword ptr [{a0} + {lda}*2]",
        "vpmaddwd ymm15, ymm14, ymm12", "vpmaddwd ymm14, ymm14, ymm13",
        "vpaddd ymm4, ymm4, ymm15", "vpaddd ymm5, ymm5, ymm14",
        "vpbroadcastd ymm14, dword ptr [{a1}]",
        "vpmaddwd ymm15, ymm14, ymm12", "vpmaddwd ymm14, ymm14, ymm13",
        "vpaddd ymm6, ymm6, ymm15", "vpaddd ymm7, ymm7, ymm14",
        "vpbroadcastd ymm14, dword ptr [{a1} + {lda}]",
        "vpmaddwd ymm15, ymm14, ymm12", "vpmaddwd ymm14, ymm14, ymm13",
        "vpaddd ymm8, ymm8, ymm15", "vpaddd ymm9, ymm9, ymm14",
        "vpbroadcastd ymm14, dword ptr [{a1} + {lda}*2]",
        "vpmaddwd ymm15, ymm14, ymm12", "vpmaddwd ymm14, ymm14, ymm13",
        "vpaddd ymm10, ymm10, ymm15", "vpaddd ymm11, ymm11, ymm14",
    ]
}
