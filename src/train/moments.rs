//! What an optimiser remembers of each weight, as a module of the weights' shape: so it is written and read as weights are.

use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::TensorPrimitive;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;

/// One remembered tensor for each tensor of a module, in the order in which they are visited; `None` where there is
/// none yet, or never will be (running statistics).
pub type Moments<B> = Vec<Option<FloatTensor<<B as AutodiffBackend>::InnerBackend>>>;

/// A module shaped as `model` that holds `moments`, zero where there is none.
pub fn export<B: AutodiffBackend, M: Module<B::InnerBackend>>(moments: &Moments<B>, model: M) -> M {
    model.map(&mut Export::<B> { moments, at: 0 })
}

/// The moments that [`export`] put into a module.
pub fn import<B: AutodiffBackend, M: AutodiffModule<B>>(model: &M, held: M::InnerModule) -> Moments<B> {
    let mut trained = Trained(Vec::new());
    drop(model.clone().map(&mut trained));
    let mut values = Collect::<B::InnerBackend>(Vec::new());
    drop(held.map(&mut values));
    values.0.into_iter().zip(trained.0).map(|(v, trained)| trained.then_some(v)).collect()
}

struct Export<'a, B: AutodiffBackend> {
    moments: &'a Moments<B>,
    at: usize,
}

impl<B: AutodiffBackend> ModuleMapper<B::InnerBackend> for Export<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B::InnerBackend, D>>) -> Param<Tensor<B::InnerBackend, D>> {
        let at = self.at;
        self.at += 1;
        param.map(|weight| match self.moments.get(at).cloned().flatten() {
            Some(v) => Tensor::from_primitive(TensorPrimitive::Float(v)),
            None => weight.zeros_like(),
        })
    }
}

/// Which visited tensors are trained; running statistics are not.
struct Trained(Vec<bool>);

impl<B: AutodiffBackend> ModuleMapper<B> for Trained {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        self.0.push(param.val().is_require_grad());
        param
    }
}

struct Collect<B: Backend>(Vec<FloatTensor<B>>);

impl<B: Backend> ModuleMapper<B> for Collect<B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        self.0.push(param.val().into_primitive().tensor());
        param
    }
}
