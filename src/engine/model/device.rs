//! Where a model computes: `auto`, `cpu` or `cuda:N`. A device that is not there is a sentence with
//! a remedy, never a crash.

use std::fmt;
use std::str::FromStr;

use candle_core::Device;

use super::error::{ModelError, ModelErrorKind};

/// What the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The first GPU that answers, else the CPU.
    #[default]
    Auto,
    Cpu,
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text.trim() {
            "" | "auto" => return Ok(Self::Auto),
            "cpu" => return Ok(Self::Cpu),
            "cuda" => return Ok(Self::Cuda(0)),
            _ => {}
        }
        match text.trim().strip_prefix("cuda:").map(str::parse) {
            Some(Ok(n)) => Ok(Self::Cuda(n)),
            _ => {
                Err(ModelError::new(ModelErrorKind::Usage, format!("device \"{}\" is unknown", text.trim()))
                    .hint("use auto, cpu, or cuda:N with the GPU's number, e.g. cuda:0"))
            }
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(n) => write!(f, "cuda:{n}"),
        }
    }
}

/// Opens the device. `Auto` falls back to the CPU without a word; a named GPU does not.
pub fn open_device(choice: DeviceChoice) -> Result<Device, ModelError> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Auto => Ok(open_cuda(0).unwrap_or(Device::Cpu)),
        DeviceChoice::Cuda(n) => open_cuda(n),
    }
}

/// How an opened device is named in results.
pub fn device_name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".into(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

fn open_cuda(n: usize) -> Result<Device, ModelError> {
    if !candle_core::utils::cuda_is_available() {
        let what = format!("cuda:{n} was asked for, but this program was built without the `cuda` feature");
        return Err(ModelError::new(ModelErrorKind::Device, what).hint(
            "use --device cpu, or build on a machine with nvcc: cargo build --release --features cuda",
        ));
    }
    // The driver's library is opened on first use and a missing one panics there.
    let opened = std::panic::catch_unwind(|| Device::new_cuda(n));
    let why = match opened {
        Ok(Ok(device)) => return Ok(device),
        Ok(Err(error)) => error.to_string().lines().next().unwrap_or("").to_string(),
        Err(_) => "no NVIDIA driver was found".to_string(),
    };
    Err(ModelError::new(ModelErrorKind::Device, format!("cuda:{n} cannot be used: {why}"))
        .hint("nvidia-smi lists the GPUs that the driver sees; use --device cpu to go on without one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_read_as_they_print() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Cuda(3)] {
            assert_eq!(choice.to_string().parse::<DeviceChoice>().unwrap(), choice);
        }
        assert!("cuda:x".parse::<DeviceChoice>().unwrap_err().hint.unwrap().contains("cuda:0"));
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_gpu_without_the_feature_is_a_sentence() {
        let error = open_device(DeviceChoice::Cuda(0)).unwrap_err();
        assert!(error.message.contains("`cuda` feature") && error.hint.unwrap().contains("--device cpu"));
        assert!(open_device(DeviceChoice::Auto).unwrap().is_cpu());
    }
}
