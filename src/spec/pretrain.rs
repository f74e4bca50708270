//! How a clean encoder is trained: SimCLR (Chen et al. 2020; spec.md 1.7).

use serde::{Deserialize, Serialize};

/// The settings. Constants are those of BadEncoder's encoders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pretrain {
    /// Epochs.
    pub epochs: u64,
    /// Images a step, of each of which there are two views; a last, smaller batch is left out.
    pub batch: usize,
    /// Learning rate of Adam (the paper writes 0.0003).
    pub lr: f64,
    /// Weight decay of Adam.
    pub weight_decay: f64,
    /// The temperature of NT-Xent.
    pub temperature: f64,
    /// Smallest share of the image's area that a view keeps.
    pub crop_min: f64,
    /// Whether views are mirrored: not for traffic signs and digits, which have a handedness.
    pub flip: bool,
}

impl Default for Pretrain {
    fn default() -> Self {
        Self { epochs: 1000, batch: 256, lr: 1e-3, weight_decay: 1e-6, temperature: 0.5, crop_min: 0.08, flip: true }
    }
}
