//! Which network is trained.

use serde::{Deserialize, Serialize};

/// A classifier of the PreAct-ResNet family, or an encoder of the ResNet family (spec.md section 7).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Model {
    /// Widths 16/32/64, one block a stage: learns a small set on two CPU cores in under a minute.
    #[default]
    PreactSmall,
    /// The paper's network: widths 64/128/256/512, two blocks a stage, 11,171,146 parameters at 10 classes.
    PreactResnet18,
    /// Any classifier.
    Preact(Stages),
    /// An encoder of widths 16/32/64, one block a stage.
    ResnetSmall,
    /// The paper's encoder: widths 64/128/256/512, two blocks a stage.
    Resnet18,
    /// Any encoder.
    Resnet(Stages),
}

/// The shape of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stages {
    /// Channels of each stage; every stage after the first halves the resolution.
    pub widths: Vec<usize>,
    /// Residual blocks in each stage.
    pub blocks: usize,
}

impl Default for Stages {
    fn default() -> Self {
        Self { widths: vec![16, 32, 64], blocks: 1 }
    }
}

impl Model {
    /// Every name, in the order in which a screen offers them.
    pub const NAMES: [&'static str; 6] = ["preact-small", "preact-resnet18", "preact", "resnet-small", "resnet18", "resnet"];

    /// The name that presets use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PreactSmall => "preact-small",
            Self::PreactResnet18 => "preact-resnet18",
            Self::Preact(_) => "preact",
            Self::ResnetSmall => "resnet-small",
            Self::Resnet18 => "resnet18",
            Self::Resnet(_) => "resnet",
        }
    }

    /// Channels of each stage and blocks in each.
    pub fn stages(&self) -> Stages {
        match self {
            Self::PreactSmall | Self::ResnetSmall => Stages::default(),
            Self::PreactResnet18 | Self::Resnet18 => Stages { widths: vec![64, 128, 256, 512], blocks: 2 },
            Self::Preact(stages) | Self::Resnet(stages) => stages.clone(),
        }
    }

    /// The network of the same shape in the other family.
    #[must_use]
    pub fn sibling(&self) -> Self {
        match self {
            Self::PreactSmall => Self::ResnetSmall,
            Self::PreactResnet18 => Self::Resnet18,
            Self::Preact(stages) => Self::Resnet(stages.clone()),
            Self::ResnetSmall => Self::PreactSmall,
            Self::Resnet18 => Self::PreactResnet18,
            Self::Resnet(stages) => Self::Preact(stages.clone()),
        }
    }
}
