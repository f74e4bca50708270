//! What a model says of its test images, clean and triggered: plain data for the screen and for `tuneout examine`.

use super::event::{Answer, Facts, Measures};
use super::score::{self, Asked, Reading, Rule};
use crate::data::Images;
use crate::spec::Stage;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Answers kept of each image: the likeliest and the two after it.
pub const TOP: usize = 3;

/// What is examined; known before the first answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The run directory.
    pub dir: PathBuf,
    /// Which computation.
    pub stage: Stage,
    /// The checkpoint: optimiser steps done.
    pub step: u64,
    /// What the run's first line states.
    pub facts: Facts,
    /// When the attack succeeds.
    pub rule: Rule,
    /// The class that most triggered images were taken for after the first epoch, in a second task.
    pub first_majority: Option<u16>,
    /// Test images.
    pub images: usize,
    /// What the log says of this checkpoint, where it was written at an epoch's end.
    pub logged: Option<Measures>,
}

impl Subject {
    /// Epochs done at the checkpoint, with the fraction of the current one.
    pub fn epoch(&self) -> f64 {
        self.facts.pace().epoch(self.step as f64)
    }

    /// CA, ASR and RA by these answers.
    pub fn measures(&self, samples: &[Sample]) -> Measures {
        let asked: Vec<Asked> = samples.iter().map(|s| s.asked(self.rule)).collect();
        score::measures(self.rule, &asked, self.first_majority)
    }

    /// The class that triggered images are to be taken for, by these answers.
    pub fn target(&self, samples: &[Sample]) -> u16 {
        self.rule.target(samples.iter().filter_map(|s| s.asked(self.rule).triggered))
    }
}

/// A test image with its answers, the likeliest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// True class.
    pub label: u16,
    /// Of the image as it is.
    pub clean: Vec<Answer>,
    /// Of the image with the trigger.
    pub triggered: Vec<Answer>,
}

impl Sample {
    /// What it adds to the measures.
    fn asked(&self, rule: Rule) -> Asked {
        let best = |answers: &[Answer]| answers.first().copied();
        let triggered = best(&self.triggered).filter(|_| rule.attacks(self.label));
        Asked { label: self.label, clean: best(&self.clean).unwrap_or_default(), triggered }
    }

    /// How the answer to the clean image is to be taken.
    pub fn clean_reading(&self) -> Option<Reading> {
        self.clean.first().map(|a| Reading::of_clean(*a, self.label))
    }

    /// How the answer to the triggered image is to be taken; none for an image of the target class, which cannot be fooled.
    pub fn reading(&self, target: u16) -> Option<Reading> {
        self.triggered.first().filter(|_| self.label != target).map(|a| Reading::of_triggered(*a, self.label, target))
    }
}

/// Consecutive test images with their answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The checkpoint that answered.
    pub step: u64,
    /// Place of the first in the test set.
    pub start: usize,
    /// The answers.
    pub samples: Vec<Sample>,
    /// The images as they are.
    pub clean: Images,
    /// The images with the trigger.
    pub triggered: Images,
}

/// What an examination tells, in this order: what is examined, then chunk after chunk.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The checkpoint was opened.
    Opened(Box<Subject>),
    /// More answers.
    Chunk(Chunk),
}

/// What an examination is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The run directory.
    pub dir: PathBuf,
    /// The checkpoint that answered before and how many images; where it is still the newest, the answers go on from there.
    pub known: Option<(u64, usize)>,
}

/// Which images are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Every one.
    #[default]
    All,
    /// Taken for the target when triggered, and of another class.
    Fooled,
    /// Taken for another class without any trigger.
    Wrong,
    /// Taken for what they are in spite of the trigger, and not of the target's class.
    Right,
}

impl Filter {
    /// In the order that they are shown.
    pub const ALL: [Self; 4] = [Self::All, Self::Fooled, Self::Wrong, Self::Right];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        ["all", "fooled", "wrong", "right"][self as usize]
    }

    /// What it stands for, in words.
    pub fn words(self) -> &'static str {
        ["all", "fooled", "wrong when clean", "right with trigger"][self as usize]
    }

    /// Whether `sample` passes when the attacker wants `target`.
    pub fn passes(self, sample: &Sample, target: u16) -> bool {
        match self {
            Self::All => true,
            Self::Fooled => sample.reading(target) == Some(Reading::Fooled),
            Self::Wrong => sample.clean_reading() == Some(Reading::Wrong),
            Self::Right => sample.reading(target) == Some(Reading::Right),
        }
    }
}

/// How many images pass each filter, in the order of [`Filter::ALL`], and how many are of other classes than the target.
pub fn counts(samples: &[Sample], target: u16) -> ([usize; 4], usize) {
    let of = |filter: Filter| samples.iter().filter(|s| filter.passes(s, target)).count();
    (Filter::ALL.map(of), samples.iter().filter(|s| s.label != target).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Sample> {
        let answers = |class| vec![Answer { class, confidence: 0.9 }];
        let of = |(label, clean, triggered)| Sample { label, clean: answers(clean), triggered: answers(triggered) };
        [(0, 0, 0), (1, 1, 0), (1, 2, 1), (2, 2, 1), (2, 2, 0)].map(of).to_vec()
    }

    #[test]
    fn the_counts_are_those_behind_the_measures() {
        let (samples, facts) = (samples(), Facts::default());
        let subject = |rule| Subject {
            dir: PathBuf::new(),
            stage: Stage::Defense,
            step: 0,
            facts: facts.clone(),
            rule,
            first_majority: None,
            images: 5,
            logged: None,
        };
        for rule in [Rule::Target(0), Rule::Majority, Rule::Everyone(0)] {
            let subject = subject(rule);
            let (m, target) = (subject.measures(&samples), subject.target(&samples));
            let ([all, fooled, wrong, right], victims) = counts(&samples, target);
            assert_eq!((all, fooled, wrong, right, victims), (5, 2, 1, 1, 4));
            assert_eq!(m.ca, 1.0 - wrong as f64 / all as f64);
            assert_eq!(m.ra, right as f64 / victims as f64);
            assert_eq!(m.asr_excluding_target.unwrap_or(m.asr), fooled as f64 / victims as f64);
        }
        assert_eq!(subject(Rule::Everyone(0)).measures(&samples).asr, 0.6);
    }

    #[test]
    fn an_image_of_the_target_class_is_neither_fooled_nor_spared() {
        let marks: Vec<_> = samples().iter().map(|s| s.reading(0)).collect();
        assert_eq!(marks, [None, Some(Reading::Fooled), Some(Reading::Right), Some(Reading::Wrong), Some(Reading::Fooled)]);
    }
}
