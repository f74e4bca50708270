//! The trigger lens: a few test images, clean and with the trigger, and what the model says of each.

use crate::data::Images;
pub use crate::data::difference;
use crate::run::event::LensAnswer;
pub use crate::run::score::Reading;

/// Pictures for the lens.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// What each label stands for; empty where unknown.
    pub classes: Vec<String>,
    /// Index of each test image.
    pub indices: Vec<usize>,
    /// True class of each.
    pub labels: Vec<u16>,
    /// The images as they are.
    pub clean: Images,
    /// The images with the trigger.
    pub triggered: Images,
}

/// What the picture beside the clean and the triggered image shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contrast {
    /// Their difference, amplified.
    #[default]
    Difference,
    /// The spectrum of their difference.
    Spectrum,
    /// The spectrum of the clean image, to compare with.
    CleanSpectrum,
}

impl Contrast {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Difference => Self::Spectrum,
            Self::Spectrum => Self::CleanSpectrum,
            Self::CleanSpectrum => Self::Difference,
        }
    }

    /// What is to be seen, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Difference => "the difference that the trigger makes, amplified as far as nothing clips",
            Self::Spectrum => "frequencies of the difference (DCT): low ones top left; white is the largest, black 36 dB less",
            Self::CleanSpectrum => "frequencies of the clean image (DCT), to compare: low ones top left; black is 36 dB below white",
        }
    }
}

/// The lens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lens {
    /// The pictures, once there are any.
    pub pictures: Option<Preview>,
    /// Counts the pictures' changes, so that drawings of them can be kept until the next.
    pub generation: u64,
    /// What each label stands for, as the latest preview tells.
    pub classes: Vec<String>,
    /// The sample shown large.
    pub selected: usize,
    /// What the third picture shows.
    pub contrast: Contrast,
    /// Why there are no pictures.
    pub trouble: Option<String>,
}

impl Lens {
    /// Takes pictures in.
    pub fn show(&mut self, pictures: Preview) {
        if !pictures.classes.is_empty() {
            self.classes.clone_from(&pictures.classes);
        }
        self.selected = self.selected.min(pictures.labels.len().saturating_sub(1));
        self.pictures = Some(pictures);
        self.trouble = None;
        self.generation += 1;
    }

    /// Whether the pictures are those that `answers` speak of.
    pub fn shows(&self, answers: &[LensAnswer]) -> bool {
        let same = |p: &Preview| {
            p.indices.len() == answers.len() && p.indices.iter().zip(&p.labels).zip(answers).all(|((i, l), a)| (*i, *l) == (a.index, a.label))
        };
        self.pictures.as_ref().is_some_and(same)
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.pictures.as_ref().map_or(0, |p| p.labels.len())
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
