//! What a failing device says, sorted by what can be done about it: out of memory (smaller batches), lost
//! (nothing more until the process ends), or our own mistake. And the list of those that were lost.

use std::collections::BTreeMap;

use candle_core::Device;
use parking_lot::Mutex;

use super::open::device_name;
use crate::engine::model::error::{ModelError, ModelErrorKind};

/// Driver errors as cudarc prints them, `DriverError(CUDA_ERROR_OUT_OF_MEMORY, "out of memory")`, and
/// those of its libraries, which get no memory under names of their own. Metal's come as sentences.
const NO_MEMORY: &[&str] = &[
    "CUDA_ERROR_OUT_OF_MEMORY",
    "CUBLAS_STATUS_ALLOC_FAILED",
    // Said only when a handle is made, and then because the card is full.
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "CURAND_STATUS_ALLOCATION_FAILED",
    "OUT OF MEMORY",
    "OUTOFMEMORY",
    "INSUFFICIENT MEMORY",
    "FAILED TO ALLOCATE",
    "FAILED TO CREATE METAL RESOURCE",
];

/// The card or the driver is other than what the program was built for; the device is well.
const NOT_BUILT_FOR: &[&str] = &[
    "CUDA_ERROR_NO_BINARY_FOR_GPU",
    "CUDA_ERROR_INVALID_PTX",
    "CUDA_ERROR_INVALID_IMAGE",
    "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
    "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
    "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
    "CUBLAS_STATUS_ARCH_MISMATCH",
];

/// Libraries report a fault of a kernel that ran before them under these.
const LOST: &[&str] = &[
    "CUDA_ERROR_",
    "CUBLAS_STATUS_EXECUTION_FAILED",
    "CUBLAS_STATUS_INTERNAL_ERROR",
    "CUBLAS_STATUS_MAPPING_ERROR",
    "COMMAND BUFFER",
];

/// What an error of candle means. Shapes are checked when a model is loaded, so what candle still
/// complains about is memory, a device, or our own mistake.
pub(in crate::engine::model) fn classify(error: &candle_core::Error) -> ModelError {
    let text = innermost(error).to_string();
    let first = text.lines().next().unwrap_or("").to_string();
    let upper = first.to_ascii_uppercase();
    let any = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    if any(NO_MEMORY) {
        return ModelError::new(
            ModelErrorKind::DeviceMemory,
            format!("the device is out of memory: {first}"),
        )
        .hint(
            "lower batch_tokens, free memory on the GPU (nvidia-smi lists who holds it), or use --device cpu",
        );
    }
    if any(NOT_BUILT_FOR) {
        return ModelError::new(ModelErrorKind::Device, format!("this program's kernels do not run on this GPU: {first}"))
            .hint("build it for this card (CUDA_COMPUTE_CAP=90 for an H100) with a CUDA that its driver knows, or use --device cpu");
    }
    if any(LOST) {
        return ModelError::new(ModelErrorKind::DeviceLost, code(&first));
    }
    ModelError::new(ModelErrorKind::Internal, format!("computing failed: {first}"))
}

/// What went wrong, without the words that were put around it on its way.
fn innermost(error: &candle_core::Error) -> &candle_core::Error {
    use candle_core::Error::{Context, WithBacktrace, WithPath};
    match error {
        WithBacktrace { inner, .. } | WithPath { inner, .. } | Context { inner, .. } => innermost(inner),
        other => other,
    }
}

/// `CUDA_ERROR_ILLEGAL_ADDRESS` out of what is around it; all of it where there is no such word.
fn code(text: &str) -> String {
    let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let code = words().find(|word| word.starts_with("CUDA_ERROR_") || word.starts_with("CUBLAS_STATUS_"));
    code.unwrap_or(text).to_owned()
}

/// A fault of the driver leaves the whole process without that device: its context answers every later
/// call with the same error. So the list is the process's.
static GONE: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Remembers that a device is lost, and gives the error that says so.
pub(super) fn lose(device: &str, why: &str) -> ModelError {
    GONE.lock().entry(device.to_owned()).or_insert_with(|| why.to_owned());
    tracing::error!("{device} is lost: {why}");
    ModelError::new(ModelErrorKind::DeviceLost, format!("{device} was lost while computing: {why}")).hint(format!(
        "{device} cannot be used again until this process ends: restart the engine, or run the command again \
         (scores in the score cache are not computed twice); nvidia-smi tells whether the card is well; \
         device = \"cpu\" goes on without it"
    ))
}

/// What copying weights to a device came to: fewer tokens at once would not help.
pub(super) fn of_weights<T>(device: &str, result: Result<T, ModelError>) -> Result<T, ModelError> {
    result.map_err(|error| match error.kind {
        ModelErrorKind::DeviceMemory => {
            let what = format!("the weights do not fit into {device}: {}", error.message);
            ModelError::new(ModelErrorKind::DeviceMemory, what).hint(
                "free memory on the GPU (nvidia-smi lists who holds it), or use another device, e.g. cpu",
            )
        }
        _ => error,
    })
}

/// The same where a model is loaded: all weights are there before another thread, and with it another
/// stream of the GPU, may read them.
pub(in crate::engine::model) fn loading<T>(
    device: &Device,
    result: Result<T, ModelError>,
) -> Result<T, ModelError> {
    let name = device_name(device);
    let arrived = result.and_then(|loaded| Ok(device.synchronize().map(|()| loaded)?));
    of_weights(&name, arrived).map_err(|error| match error.kind {
        ModelErrorKind::DeviceLost => lose(&name, &error.message),
        _ => error,
    })
}

/// Why a device was lost.
pub(super) fn why(device: &str) -> Option<String> {
    GONE.lock().get(device).cloned()
}

/// The error of asking for a device that was lost before.
pub(super) fn check(device: &str) -> Result<(), ModelError> {
    let Some(why) = why(device) else { return Ok(()) };
    let what = format!("{device} was lost before ({why}): it cannot be used until the engine restarts");
    Err(ModelError::new(ModelErrorKind::DeviceLost, what)
        .hint("restart the engine (a command: run it again), or use device = \"cpu\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> ModelErrorKind {
        classify(&candle_core::Error::Cuda(text.to_owned().into()).bt()).kind
    }

    #[test]
    fn errors_are_sorted_by_what_can_be_done() {
        for text in [
            "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\") when loading reduce",
            "CublasError(CUBLAS_STATUS_ALLOC_FAILED)",
            "Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
        ] {
            assert_eq!(kind(text), ModelErrorKind::DeviceMemory, "{text}");
        }
        for text in [
            "DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access was encountered\")",
            "DriverError(CUDA_ERROR_LAUNCH_FAILED, <Failure when calling cuGetErrorString()>)",
            "DriverError(CUDA_ERROR_DEVICE_UNAVAILABLE, \"CUDA-capable device(s) is/are busy\")",
            "CublasError(CUBLAS_STATUS_EXECUTION_FAILED)",
        ] {
            assert_eq!(kind(text), ModelErrorKind::DeviceLost, "{text}");
        }
        assert_eq!(kind("DriverError(CUDA_ERROR_NO_BINARY_FOR_GPU, \"\")"), ModelErrorKind::Device);
        for text in
            ["missing kernel 'ugelu_erf_f8'", "unsupported dtype F8E4M3 for matmul", "internal error 'x'"]
        {
            assert_eq!(kind(text), ModelErrorKind::Internal, "{text}");
        }
    }

    #[test]
    fn a_lost_device_stays_lost_and_is_named_by_its_error() {
        let error =
            classify(&candle_core::Error::Cuda("DriverError(CUDA_ERROR_ECC_UNCORRECTABLE, \"x\")".into()));
        assert_eq!(error.message, "CUDA_ERROR_ECC_UNCORRECTABLE");
        assert!(check("fault-test:0").is_ok());
        let told = lose("fault-test:0", &error.message);
        assert_eq!(told.message, "fault-test:0 was lost while computing: CUDA_ERROR_ECC_UNCORRECTABLE");
        lose("fault-test:0", "what came after");
        let later = check("fault-test:0").unwrap_err();
        assert!(
            later.message.contains("until the engine restarts") && later.message.contains("ECC"),
            "{later}"
        );
        assert!(check("fault-test:1").is_ok());
    }
}
