//! Networks, each file in the order of its paper: construction, forward, with shapes.

mod generator;
mod init;
mod norm;
mod preact_resnet;
pub mod store;

pub use generator::{Generator, squash};
pub use norm::{Mode, bn, bn_relu};
pub use preact_resnet::{Block, PreActResNet};
