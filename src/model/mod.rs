//! Networks, each file in the order of its paper: construction, forward, with shapes.

mod norm;
mod preact_resnet;
pub mod store;

pub use norm::{Mode, bn_relu};
pub use preact_resnet::{Block, PreActResNet};
