//! Reads safetensors files into f32 tensors, trusting nothing that the header says. Knows nothing of
//! BERT's names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::error::{ModelError, ModelErrorKind};
use super::folder::refuse_pointer;
use super::stored::{scales_name, to_floats};

/// The format's own limit on the header.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// One open weights file: which tensors it holds and where.
pub struct WeightsFile {
    path: PathBuf,
    file: File,
    data_start: u64,
    metadata: Metadata,
}

impl WeightsFile {
    /// Opens a file and checks its header against the file's true size, before anything is allocated
    /// on the header's word.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let mut file = File::open(path).map_err(|e| ModelError::io(path, &e))?;
        let length = file.metadata().map_err(|e| ModelError::io(path, &e))?.len();
        let mut size = [0u8; 8];
        if length < 8 {
            return Err(ModelError::damaged(path, format!("only {length} bytes long, not safetensors")));
        }
        file.read_exact(&mut size).map_err(|e| ModelError::io(path, &e))?;
        let header = u64::from_le_bytes(size);
        if header > MAX_HEADER_BYTES || header > length - 8 {
            refuse_foreign(path, &size)?;
        }
        if header > MAX_HEADER_BYTES || header > length - 8 {
            let what = format!("its header claims {header} bytes, the file has {length}");
            return Err(ModelError::damaged(path, what));
        }
        let mut text = vec![0u8; header as usize];
        file.read_exact(&mut text).map_err(|e| ModelError::io(path, &e))?;
        let metadata: Metadata =
            serde_json::from_slice(&text).map_err(|e| ModelError::damaged(path, format!("header: {e}")))?;
        let data_start = 8 + header;
        let claimed = metadata.data_len() as u64;
        if data_start + claimed != length {
            let what = format!(
                "its header describes {claimed} bytes of weights, the file has {}",
                length - data_start
            );
            return Err(ModelError::damaged(path, what));
        }
        Ok(Self { path: path.to_path_buf(), file, data_start, metadata })
    }

    /// Name and shape of every tensor.
    pub fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.metadata.tensors().into_iter().map(|(name, info)| (name, info.shape.clone())).collect()
    }

    /// In which numbers a tensor lies in the file.
    pub fn stored(&self, name: &str) -> super::dtype::Dtype {
        match self.metadata.info(name).map(|info| info.dtype) {
            Some(Dtype::F16) => super::dtype::Dtype::F16,
            Some(Dtype::BF16) => super::dtype::Dtype::Bf16,
            Some(Dtype::I8) => super::dtype::Dtype::Int8,
            _ => super::dtype::Dtype::F32,
        }
    }

    /// Reads one tensor; f16, bf16 and f64 are converted to f32, and so are whole numbers of 8 bits with
    /// a scale per row beside them ([`super::stored`]).
    pub fn read(&mut self, name: &str, device: &Device) -> Result<Tensor, ModelError> {
        let info = self.info(name)?;
        let dtype = match info.dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            Dtype::F64 => DType::F64,
            Dtype::I8 => return Ok(self.read_ints(name, &info)?.to_device(device)?),
            other => {
                let what = format!("{}: \"{name}\" is of type {other:?}", self.path.display());
                return Err(ModelError::new(ModelErrorKind::Unsupported, what).hint(
                    "weights must be F32, F16, BF16 or F64: convert with model.float() and save_pretrained",
                ));
            }
        };
        let bytes = self.bytes(&info)?;
        let tensor = Tensor::from_raw_buffer(&bytes, dtype, &info.shape, &Device::Cpu)?;
        Ok(tensor.to_dtype(DType::F32)?.to_device(device)?)
    }

    fn read_ints(&mut self, name: &str, info: &TensorInfo) -> Result<Tensor, ModelError> {
        let scales = scales_name(name);
        let wrong = |why: &str| {
            let what = format!("{}: \"{name}\" is of type I8 {why}", self.path.display());
            ModelError::new(ModelErrorKind::Unsupported, what).hint(
                "8-bit weights are read as `recscope models quantize` writes them: start from the f32 folder",
            )
        };
        let rows = *info.shape.first().unwrap_or(&0);
        let found = self.metadata.info(&scales).ok_or_else(|| wrong("without scales"))?;
        if found.dtype != Dtype::F32 || found.shape != [rows] || info.shape.len() != 2 {
            return Err(wrong("with scales of another shape or type"));
        }
        let (scales, found) = (found.clone(), self.bytes(info)?);
        let scales = self.bytes(&scales)?;
        Ok(Tensor::from_vec(to_floats(&found, &scales), info.shape.as_slice(), &Device::Cpu)?)
    }

    fn info(&self, name: &str) -> Result<TensorInfo, ModelError> {
        let info = self.metadata.info(name).cloned();
        info.ok_or_else(|| ModelError::damaged(&self.path, format!("no tensor \"{name}\"")))
    }

    fn bytes(&mut self, info: &TensorInfo) -> Result<Vec<u8>, ModelError> {
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0u8; end - start];
        let io = |e| ModelError::io(&self.path, &e);
        self.file.seek(SeekFrom::Start(self.data_start + start as u64)).map_err(io)?;
        self.file.read_exact(&mut bytes).map_err(io)?;
        Ok(bytes)
    }
}

/// What begins with no length of a header. A pickle (or the zip that PyTorch wraps around one) can run
/// code when opened: refused by its first bytes, whatever it is called. Those of a sound file may be the
/// same by chance: 0x80 and 2 to 5 are headers of 640, 896, 1152 or 1408 bytes.
fn refuse_foreign(path: &Path, start: &[u8; 8]) -> Result<(), ModelError> {
    // Git's pointers are short texts.
    refuse_pointer(path, &std::fs::read(path).ok().filter(|_| start == b"version ").unwrap_or_default())?;
    let zip = start.starts_with(b"PK\x03\x04");
    let pickle = start[0] == 0x80 && (2..=5).contains(&start[1]);
    if zip || pickle { Err(pickle_error(path)) } else { Ok(()) }
}

/// How to turn a pickle into safetensors.
pub fn pickle_error(path: &Path) -> ModelError {
    let what =
        format!("{} is a Python pickle, which can run code when opened: it is never loaded", path.display());
    ModelError::new(ModelErrorKind::Unsupported, what).hint(
        "convert it once where you trust it: python -c \"from transformers import AutoModelForSequenceClassification as M; \
         M.from_pretrained('FOLDER').save_pretrained('FOLDER', safe_serialization=True)\" (AutoModel for an encoder)",
    )
}
