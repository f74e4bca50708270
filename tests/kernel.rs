//! The kernels, through the functions that models call, against values that PyTorch computed
//! (`kernel_reference/generate.py`).

use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use serde::Deserialize;
use std::collections::BTreeMap;
use tuneout::kernel;

type B = Autodiff<Flex>;

/// Largest error allowed, relative to the largest value.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Reference {
    convolutions: BTreeMap<String, Convolution>,
    norms: BTreeMap<String, Norm>,
}

/// A tensor's sizes and values.
#[derive(Deserialize)]
struct Plain {
    sizes: Vec<usize>,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct Convolution {
    stride: usize,
    padding: usize,
    x: Plain,
    weight: Plain,
    y: Plain,
    dy: Plain,
    dx: Plain,
    dweight: Plain,
}

#[derive(Deserialize)]
struct Norm {
    mean_before: Plain,
    var_before: Plain,
    mean_after: Plain,
    var_after: Plain,
    x: Plain,
    gamma: Plain,
    beta: Plain,
    y: Plain,
    dy: Plain,
    dx: Plain,
    dgamma: Plain,
    dbeta: Plain,
}

impl Plain {
    fn tensor<const D: usize>(&self) -> Tensor<B, D> {
        Tensor::from_data(TensorData::new(self.values.clone(), self.sizes.clone()), &Default::default())
    }

    #[track_caller]
    fn assert_close<const D: usize>(&self, got: Tensor<B, D>, what: &str) {
        assert_eq!(got.dims().as_slice(), self.sizes, "{what}: sizes");
        let got: Vec<f32> = got.into_data().to_vec().unwrap();
        let largest = self.values.iter().fold(1e-6f32, |m, v| m.max(v.abs()));
        for (i, (got, expected)) in got.iter().zip(&self.values).enumerate() {
            assert!((got - expected).abs() <= TOLERANCE * largest, "{what}: value {i} is {got}, PyTorch has {expected}");
        }
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("kernel_reference/reference.json")).unwrap()
}

#[test]
fn convolutions_and_their_gradients_are_pytorchs() {
    for (name, case) in reference().convolutions {
        let (x, weight) = (case.x.tensor::<4>().require_grad(), case.weight.tensor::<4>().require_grad());
        let y = kernel::conv2d(x.clone(), weight.clone(), case.stride, case.padding);
        case.y.assert_close(y.clone(), &name);
        let gradients = (y * case.dy.tensor()).sum().backward();
        case.dx.assert_close(Tensor::from_inner(x.grad(&gradients).unwrap()), &format!("{name}: dx"));
        case.dweight.assert_close(Tensor::from_inner(weight.grad(&gradients).unwrap()), &format!("{name}: dw"));
    }
}

#[test]
fn batch_norms_and_their_gradients_are_pytorchs() {
    const EPSILON: f32 = 1e-5;
    for (name, case) in reference().norms {
        let x = case.x.tensor::<4>().require_grad();
        let (gamma, beta) = (case.gamma.tensor::<1>().require_grad(), case.beta.tensor::<1>().require_grad());
        let given = name.starts_with("evaluate").then(|| (case.mean_before.tensor(), (case.var_before.tensor::<1>() + EPSILON).sqrt().recip()));
        let of_batch = given.is_none();
        let (y, mean, inv_std) = kernel::bn_relu(x.clone(), gamma.clone(), beta.clone(), EPSILON, given);
        case.y.assert_close(y.clone(), &name);
        if of_batch {
            // PyTorch's running statistics: momentum 0.1, the variance unbiased
            let count = (case.x.values.len() / case.gamma.values.len()) as f32;
            let var = (inv_std.powi_scalar(2).recip() - EPSILON) * (count / (count - 1.0));
            case.mean_after.assert_close(case.mean_before.tensor::<1>() * 0.9 + mean * 0.1, &format!("{name}: running mean"));
            case.var_after.assert_close(case.var_before.tensor::<1>() * 0.9 + var * 0.1, &format!("{name}: running variance"));
        }
        let gradients = (y * case.dy.tensor()).sum().backward();
        case.dx.assert_close(Tensor::from_inner(x.grad(&gradients).unwrap()), &format!("{name}: dx"));
        case.dgamma.assert_close(Tensor::from_inner(gamma.grad(&gradients).unwrap()), &format!("{name}: dgamma"));
        case.dbeta.assert_close(Tensor::from_inner(beta.grad(&gradients).unwrap()), &format!("{name}: dbeta"));
    }
}

#[test]
fn untracked_inputs_give_untracked_results() {
    let case = &reference().convolutions["stride 1"];
    let (x, weight) = (case.x.tensor::<4>().require_grad(), case.weight.tensor::<4>());
    let y = kernel::conv2d(x.clone(), weight.clone(), 1, 1);
    let gradients = (y * case.dy.tensor()).sum().backward();
    case.dx.assert_close(Tensor::from_inner(x.grad(&gradients).unwrap()), "dx alone");
    assert!(weight.grad(&gradients).is_none());
    assert!(!kernel::conv2d(case.x.tensor::<4>(), weight, 1, 1).is_require_grad());
}

#[test]
fn the_mean_over_pixels_is_burns() {
    let case = &reference().convolutions["stride 1"];
    let (a, b) = (case.x.tensor::<4>().require_grad(), case.x.tensor::<4>().require_grad());
    let weights = case.x.tensor::<4>().slice([0..3, 0..4, 0..1, 0..1]).reshape([3, 4]);
    let ours = kernel::mean_pixels(a.clone());
    let burns = b.clone().mean_dims(&[2, 3]).reshape([3, 4]);
    ours.clone().into_data().assert_approx_eq::<f32>(&burns.clone().into_data(), Default::default());
    let (ours, burns) = ((ours * weights.clone()).sum().backward(), (burns * weights).sum().backward());
    let (da, db) = (a.grad(&ours).unwrap(), b.grad(&burns).unwrap());
    da.into_data().assert_approx_eq::<f32>(&db.into_data(), Default::default());
}
