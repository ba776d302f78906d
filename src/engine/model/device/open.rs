//! Opening devices. A device that is not there is a sentence with a remedy, never a crash.

use std::collections::BTreeMap;

use candle_core::{Device, DeviceLocation};
use parking_lot::Mutex;

use super::choice::{DeviceChoice, Gpus};
use super::fault;
use crate::engine::model::error::{ModelError, ModelErrorKind};

/// Every GPU that was opened, for good: all models share one handle of it. Were the last copy dropped
/// after a fault, cudarc's destructor of the cuBLAS handle would panic, perhaps while another panic
/// unwinds, and end the process; a static is never dropped.
static OPEN: Mutex<BTreeMap<usize, Device>> = Mutex::new(BTreeMap::new());

/// Opens the device. `Auto` falls back to the CPU without a word where there is no GPU; a named GPU does
/// not, and neither does one that was lost.
pub fn open_device(choice: DeviceChoice) -> Result<Device, ModelError> {
    let mut devices = open_devices(choice)?;
    if devices.len() > 1 {
        let what = format!("{choice} names {} GPUs; this runs on one", devices.len());
        return Err(ModelError::new(ModelErrorKind::Usage, what)
            .hint("name one of them, e.g. cuda:0; several are for scoring"));
    }
    devices.pop().ok_or_else(|| ModelError::new(ModelErrorKind::Device, "there is no device"))
}

/// Opens all that were asked for, at least one; the first is where gradients are computed.
pub(in crate::engine::model) fn open_devices(choice: DeviceChoice) -> Result<Vec<Device>, ModelError> {
    match choice {
        DeviceChoice::Cpu => Ok(vec![Device::Cpu]),
        DeviceChoice::Auto => auto().map(|device| vec![device]),
        DeviceChoice::Metal => open_metal().map(|device| vec![device]),
        DeviceChoice::Cuda(gpus @ Gpus::All) => open_all(gpus),
        DeviceChoice::Cuda(gpus) => gpus.numbers().unwrap_or_default().into_iter().map(open_cuda).collect(),
    }
}

/// How an opened device is named in results.
pub fn device_name(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => "cpu".into(),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { .. } => "metal".into(),
    }
}

fn auto() -> Result<Device, ModelError> {
    match open_cuda(0) {
        Err(error) if error.kind == ModelErrorKind::DeviceLost => Err(error),
        Ok(device) => Ok(device),
        Err(_) => Ok(open_metal().unwrap_or(Device::Cpu)),
    }
}

/// GPUs 0, 1, 2 and so on until the driver knows no more.
fn open_all(gpus: Gpus) -> Result<Vec<Device>, ModelError> {
    let mut devices = vec![open_cuda(0)?];
    for n in 1.. {
        match open_cuda(n) {
            Ok(device) => devices.push(device),
            Err(error) if error.message.contains("CUDA_ERROR_INVALID_DEVICE") => break,
            Err(error) => {
                let hint = format!("cuda:{gpus} wants every GPU; leave this one out by naming the others");
                return Err(ModelError { hint: Some(hint), ..error });
            }
        }
    }
    Ok(devices)
}

fn open_cuda(n: usize) -> Result<Device, ModelError> {
    let name = format!("cuda:{n}");
    fault::check(&name)?;
    if !candle_core::utils::cuda_is_available() {
        let what = format!("{name} was asked for, but this program was built without the `cuda` feature");
        return Err(ModelError::new(ModelErrorKind::Device, what).hint(
            "use --device cpu, or build on a machine with nvcc: cargo build --release --features cuda",
        ));
    }
    if let Some(open) = OPEN.lock().get(&n) {
        return Ok(open.clone());
    }
    // A library of CUDA's that cannot be loaded is a panic where cudarc loads it at run time.
    let why = match std::panic::catch_unwind(|| Device::new_cuda(n)) {
        Ok(Ok(device)) => {
            OPEN.lock().insert(n, device.clone());
            return Ok(device);
        }
        Ok(Err(error)) => error.to_string().lines().next().unwrap_or("").to_string(),
        Err(_) => "no NVIDIA driver was found".to_string(),
    };
    Err(ModelError::new(ModelErrorKind::Device, format!("{name} cannot be used: {why}"))
        .hint("nvidia-smi -L lists the GPUs that the driver sees; use --device cpu to go on without one"))
}

fn open_metal() -> Result<Device, ModelError> {
    fault::check("metal")?;
    if !candle_core::utils::metal_is_available() {
        let what = "metal was asked for, but this program was built without the `metal` feature";
        return Err(ModelError::new(ModelErrorKind::Device, what)
            .hint("use --device cpu, or build on an Apple machine: cargo build --release --features metal"));
    }
    Device::new_metal(0).map_err(|error| {
        let why = error.to_string().lines().next().unwrap_or("").to_string();
        ModelError::new(ModelErrorKind::Device, format!("metal cannot be used: {why}"))
            .hint("use --device cpu to go on without it")
    })
}

#[cfg(test)]
#[cfg(not(feature = "cuda"))]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_without_the_feature_is_a_sentence() {
        for choice in ["cuda:0", "cuda:0,1", "cuda:all"] {
            let error = open_devices(choice.parse().unwrap()).unwrap_err();
            assert!(error.message.contains("`cuda` feature") && error.hint.unwrap().contains("--device cpu"));
        }
        assert!(open_device(DeviceChoice::Auto).is_ok());
    }
}
