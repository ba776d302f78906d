//! Building blocks of the differentiable path: each has a backward pass, either because it is made
//! of candle operations that have one, or because we wrote it (CPU). `candle_nn::LayerNorm` and
//! `softmax_last_dim` have none and silently cut the gradient, so they must not appear here.

mod gelu;
mod linear;
mod norm;
mod plain;
mod softmax;

use candle_core::{CpuStorage, D, DType, Layout, Result, Shape, Tensor};

use super::config::Activation;
use super::family::HeadActivation;

/// `x [.., in]` times `weight [out, in]` transposed, plus `bias [out]`. Leading dimensions are
/// flattened first, so that the weight's gradient is one product instead of one per batch entry.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let mut out = x.dims().to_vec();
    let (inner, lead) = (x.dim(D::Minus1)?, x.elem_count() / x.dim(D::Minus1)?);
    if let Some(last) = out.last_mut() {
        *last = weight.dim(0)?;
    }
    let flat = x.reshape((lead, inner))?;
    let frozen = !weight.track_op() && !bias.track_op();
    let product = if frozen && on_cpu(&[&flat, weight, bias]) {
        flat.contiguous()?.apply_op3(weight, bias, linear::FrozenLinear)?
    } else {
        plain::linear(&flat, weight, bias)?
    };
    product.reshape(out)
}

/// (x - mean) / sqrt(var + eps) * weight + bias over the last dimension, biased variance.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if on_cpu(&[x, weight, bias]) {
        return x.contiguous()?.apply_op3(weight, bias, norm::LayerNorm { eps: eps as f32 });
    }
    // Means and squares are summed in f32, whatever the numbers are kept in.
    let wide = |t: &Tensor| t.to_dtype(DType::F32);
    plain::layer_norm(&wide(x)?, &wide(weight)?, &wide(bias)?, eps)?.to_dtype(x.dtype())
}

/// Softmax over the last dimension.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    if on_cpu(&[x]) {
        return x.contiguous()?.apply_op1(softmax::Softmax);
    }
    plain::softmax(x)
}

pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Gelu if on_cpu(&[x]) => x.contiguous()?.apply_op1(gelu::Gelu),
        Activation::Gelu => plain::gelu(x),
        Activation::GeluTanh => x.gelu(),
        Activation::Relu => x.relu(),
    }
}

/// What stands between a classifier's two layers.
pub fn head_activate(x: &Tensor, activation: HeadActivation) -> Result<Tensor> {
    match activation {
        HeadActivation::Tanh => x.tanh(),
        HeadActivation::Relu => x.relu(),
        HeadActivation::Gelu => activate(x, Activation::Gelu),
    }
}

/// Rows scaled to length 1 (a zero row stays zero), over the last dimension.
pub fn normalise(x: &Tensor) -> Result<Tensor> {
    let length = (x.sqr()?.sum_keepdim(D::Minus1)? + 1e-24)?.sqrt()?;
    x.broadcast_div(&length)
}

/// Our own operations read f32 slices in main memory.
fn on_cpu(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|t| t.device().is_cpu() && t.dtype() == DType::F32)
}

/// The numbers of a contiguous operand.
fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets().and_then(|(from, to)| all.get(from..to)) {
        Some(part) => Ok(part),
        None => candle_core::bail!("a contiguous operand was expected"),
    }
}

/// The numbers of a tensor as they lie in its shape.
fn copied(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn cpu(values: Vec<f32>, shape: &Shape) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.clone())
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    fn var(shape: &[usize], shift: f32) -> Var {
        let count: usize = shape.iter().product();
        let values: Vec<f32> =
            (0..count).map(|i| ((i * 37 % 101) as f32 * 0.11 + shift).sin() * 2.0).collect();
        Var::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    /// Value and every input's gradient of ours and of the plain form, for an uneven upstream gradient.
    fn same(inputs: &[&Var], ours: impl Fn() -> Result<Tensor>, plain: impl Fn() -> Result<Tensor>) {
        let run = |f: &dyn Fn() -> Result<Tensor>| {
            let y = f().unwrap();
            let weights = var(y.dims(), 0.3);
            let gradients = (&y * weights.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            let mut all = vec![copied(&y).unwrap()];
            all.extend(inputs.iter().map(|v| copied(gradients.get(v).unwrap()).unwrap()));
            all
        };
        let (a, b) = (run(&ours), run(&plain));
        for (which, (a, b)) in a.iter().zip(&b).enumerate() {
            let apart = a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
            assert_eq!(a.len(), b.len());
            assert!(apart < 2e-5, "part {which}: {apart}");
        }
    }

    #[test]
    fn our_operations_equal_candles_in_value_and_gradient() {
        for width in [7, 32, 40, 64] {
            let (x, w, b) = (var(&[2, 3, width], 0.0), var(&[width], 1.0), var(&[width], 2.0));
            same(&[&x, &w, &b], || layer_norm(&x, &w, &b, 1e-12), || plain::layer_norm(&x, &w, &b, 1e-12));
            same(&[&x], || softmax(&x), || plain::softmax(&x));
            same(&[&x], || activate(&x, Activation::Gelu), || plain::gelu(&x));
            let (weight, bias) =
                (var(&[5, width], 0.5).as_detached_tensor(), var(&[5], 0.1).as_detached_tensor());
            let flat = x.reshape((6, width)).unwrap();
            same(
                &[&x],
                || linear(&x, &weight, &bias)?.reshape((6, 5)),
                || plain::linear(&flat, &weight, &bias),
            );
        }
    }

    #[test]
    fn a_weight_that_is_trained_gets_its_gradient() {
        let (x, weight, bias) = (var(&[4, 8], 0.0), var(&[3, 8], 0.5), var(&[3], 0.1));
        let gradients = linear(&x, &weight, &bias).unwrap().sum_all().unwrap().backward().unwrap();
        for v in [&x, &weight, &bias] {
            assert!(gradients.get(v).is_some());
        }
    }
}
