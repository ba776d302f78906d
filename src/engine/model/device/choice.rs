//! What a user may ask for: `auto`, `cpu`, `metal`, `cuda:0`, `cuda:0,1` or `cuda:all`. Opens nothing.

use std::fmt;
use std::str::FromStr;

use crate::engine::model::error::{ModelError, ModelErrorKind};

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The first GPU that answers, else the CPU.
    #[default]
    Auto,
    Cpu,
    /// NVIDIA GPUs; several share a scoring job's batches. Training and explaining use the first.
    Cuda(Gpus),
    /// The GPU of an Apple machine.
    Metal,
}

/// A set of GPUs by the driver's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gpus {
    All,
    /// Bit `n` stands for GPU `n`.
    Some(u64),
}

/// Highest number of a GPU that can be named.
const HIGHEST: usize = 63;

impl Gpus {
    /// One GPU, `n` at most 63.
    pub fn one(n: usize) -> Self {
        Self::Some(1 << n.min(HIGHEST))
    }

    /// Those that are named, ascending; `None`: all there are.
    pub(super) fn numbers(self) -> Option<Vec<usize>> {
        match self {
            Self::All => None,
            Self::Some(bits) => Some((0..=HIGHEST).filter(|n| bits & (1 << n) != 0).collect()),
        }
    }

    fn parse(list: &str) -> Result<Self, ModelError> {
        if list.trim() == "all" {
            return Ok(Self::All);
        }
        let mut bits = 0u64;
        for word in list.split(',').map(str::trim) {
            let Some(n) = word.parse().ok().filter(|n: &usize| *n <= HIGHEST) else {
                let what = format!("\"{word}\" is not the number of a GPU");
                return Err(ModelError::new(ModelErrorKind::Usage, what)
                    .hint("GPUs count from 0, as nvidia-smi -L lists them: cuda:0, cuda:0,1 or cuda:all"));
            };
            if bits & (1 << n) != 0 {
                let what = format!("GPU {n} is named twice in \"cuda:{list}\"");
                return Err(ModelError::new(ModelErrorKind::Usage, what)
                    .hint("name each GPU once: a second copy of the weights on it would only take memory"));
            }
            bits |= 1 << n;
        }
        Ok(Self::Some(bits))
    }
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.numbers() {
            None => f.write_str("all"),
            Some(numbers) => {
                let words: Vec<String> = numbers.iter().map(usize::to_string).collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "" | "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "metal" => Ok(Self::Metal),
            "cuda" => Ok(Self::Cuda(Gpus::one(0))),
            lower => match lower.strip_prefix("cuda:") {
                Some(list) => Ok(Self::Cuda(Gpus::parse(list)?)),
                None => Err(ModelError::new(ModelErrorKind::Usage, format!("device \"{text}\" is unknown"))
                    .hint(suggestion(lower))),
            },
        }
    }
}

/// What was probably meant: another program's word for it, or all there is.
fn suggestion(lower: &str) -> String {
    let number = lower.trim_start_matches(|c: char| !c.is_ascii_digit());
    let meant = ["gpu", "nvidia", "cuda"].iter().any(|word| lower.starts_with(word));
    match (meant, lower.starts_with("mps")) {
        (true, _) if number.parse::<u8>().is_ok() => format!("did you mean cuda:{number}?"),
        (true, _) => "did you mean cuda:0 (one GPU), cuda:0,1 or cuda:all?".into(),
        (_, true) => "did you mean metal?".into(),
        _ => {
            "use auto, cpu, cuda:N with the GPU's number (cuda:0), cuda:0,1 or cuda:all for several, or metal"
                .into()
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(gpus) => write!(f, "cuda:{gpus}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_read_as_they_print() {
        for text in ["auto", "cpu", "metal", "cuda:0", "cuda:3", "cuda:0,1", "cuda:2,5,63", "cuda:all"] {
            assert_eq!(text.parse::<DeviceChoice>().unwrap().to_string(), text);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(Gpus::one(0)));
        assert_eq!(" CUDA:1, 0 ".parse::<DeviceChoice>().unwrap().to_string(), "cuda:0,1");
        assert_eq!("".parse::<DeviceChoice>().unwrap(), DeviceChoice::Auto);
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_what_can() {
        let told = |text: &str| {
            let error = text.parse::<DeviceChoice>().unwrap_err();
            assert_eq!(error.kind, ModelErrorKind::Usage);
            format!("{} | {}", error.message, error.hint.unwrap())
        };
        assert!(told("cuda:x").contains("\"x\" is not the number") && told("cuda:x").contains("cuda:0,1"));
        assert!(told("cuda:64").contains("\"64\"") && told("cuda:").contains("\"\""));
        assert!(told("cuda:0,").contains("\"\"") && told("cuda:-1").contains("\"-1\""));
        assert!(told("cuda:1,0,1").contains("GPU 1 is named twice"));
        assert!(told("gpu1").contains("did you mean cuda:1?") && told("gpu").contains("cuda:all"));
        assert!(told("cuda0").contains("did you mean cuda:0?") && told("mps").contains("metal"));
        assert!(told("tpu").contains("use auto, cpu"));
        assert!(told("cuda:99999999999999999999999").contains("not the number"));
    }
}
