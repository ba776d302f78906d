//! Which instructions this processor has, found out when a model is prepared.

/// In rising order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    Scalar,
    Avx2,
    Avx512,
}

impl Isa {
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Scalar
    }

    /// Every set that this processor can run, for tests and benches.
    pub fn available() -> Vec<Self> {
        match Self::detect() {
            Self::Avx512 => vec![Self::Scalar, Self::Avx2, Self::Avx512],
            Self::Avx2 => vec![Self::Scalar, Self::Avx2],
            Self::Scalar => vec![Self::Scalar],
        }
    }
}
