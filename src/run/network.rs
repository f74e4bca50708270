//! The networks of a run, with its initial weights.

use crate::kernel::Kernels;
use crate::model::{HIDDEN, Head, PreActResNet, SimClr};
use crate::rng;
use crate::spec::RunSpec;

/// A classifier of `classes`.
pub(super) fn classifier<B: Kernels>(spec: &RunSpec, classes: usize, device: &B::Device) -> PreActResNet<B> {
    PreActResNet::new(&spec.model.stages(), classes, &mut rng::stream(spec.seed, "initial weights", 0), device)
}

/// An encoder and its projection head.
pub(super) fn encoder<B: Kernels>(spec: &RunSpec, device: &B::Device) -> SimClr<B> {
    SimClr::new(&spec.model.stages(), &mut rng::stream(spec.seed, "initial weights", 0), device)
}

/// The classifier of a second task, on features of `width`.
pub(super) fn head<B: Kernels>(spec: &RunSpec, width: usize, classes: usize, device: &B::Device) -> Head<B> {
    Head::new(width, HIDDEN, classes, &mut rng::stream(spec.seed, "second head", 0), device)
}
