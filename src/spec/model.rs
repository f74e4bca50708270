//! Which network is trained.

use serde::{Deserialize, Serialize};

/// A classifier of the PreAct-ResNet family (spec.md section 7).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Model {
    /// Widths 16/32/64, one block a stage: learns a small set on two CPU cores in under a minute.
    #[default]
    PreactSmall,
    /// The paper's network: widths 64/128/256/512, two blocks a stage, 11,171,146 parameters at 10 classes.
    PreactResnet18,
    /// Any member of the family.
    Preact(Stages),
}

/// The shape of a PreAct-ResNet.
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
    pub const NAMES: [&'static str; 3] = ["preact-small", "preact-resnet18", "preact"];

    /// The name that presets use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PreactSmall => "preact-small",
            Self::PreactResnet18 => "preact-resnet18",
            Self::Preact(_) => "preact",
        }
    }

    /// Channels of each stage and blocks in each.
    pub fn stages(&self) -> Stages {
        match self {
            Self::PreactSmall => Stages::default(),
            Self::PreactResnet18 => Stages { widths: vec![64, 128, 256, 512], blocks: 2 },
            Self::Preact(stages) => stages.clone(),
        }
    }
}
