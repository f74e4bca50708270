//! Networks, each file in the order of its paper: construction, forward, with shapes.

mod attack_model;
mod generator;
mod head;
mod init;
mod norm;
mod preact_resnet;
mod resnet;
pub mod store;

pub use attack_model::AttackModel;
pub use generator::{Generator, squash};
pub use head::{Downstream, HIDDEN, Head, l2_normalise};
pub use norm::{Mode, bn, bn_relu};
pub use preact_resnet::{Block, PreActResNet};
pub use resnet::{BasicBlock, ProjectionHead, ResNet, SimClr};
