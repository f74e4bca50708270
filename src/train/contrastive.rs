//! NT-Xent, the loss of SimCLR (Chen et al. 2020): of all other views in the batch, a view is to find its partner.
//!
//! ```text
//! z_i = projection_i / |projection_i|
//! loss_i = -log( exp(z_i . z_partner(i) / t) / sum over k != i of exp(z_i . z_k / t) ),  mean over all 2n views
//! ```

pub use crate::model::l2_normalise;

use burn::prelude::*;
use burn::tensor::activation::log_softmax;

/// The temperature t of the published encoders (spec.md 1.7).
pub const TEMPERATURE: f64 = 0.5;

/// What a view's similarity with itself is replaced by: its exponential is 0.
const SELF: f32 = -1e9;

/// The mean loss. Rows i and n + i are the two views of image i.
///
/// # Shapes
/// - projections: `[2 n, width]`, of any length
/// - output: `[1]`
pub fn nt_xent<B: Backend>(projections: Tensor<B, 2>, temperature: f64) -> Tensor<B, 1> {
    let z = l2_normalise(projections);
    let ([views, _], device) = (z.dims(), z.device());
    let similarity = z.clone().matmul(z.transpose()) / temperature;
    let own = Tensor::<B, 2, Int>::eye(views, &device).bool();
    let partners: Vec<i32> = (0..views).map(|i| ((i + views / 2) % views) as i32).collect();
    let partners = Tensor::<B, 2, Int>::from_data(TensorData::new(partners, [views, 1]), &device);
    log_softmax(similarity.mask_fill(own, SELF), 1).gather(1, partners).mean().neg()
}
