//! The trigger lens: a few test images, clean and with the trigger, and what the model says of each.

use crate::data::Images;
pub use crate::data::difference;
use crate::run::event::{Answer, LensAnswer};

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

/// How an answer is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It is the true class.
    Right,
    /// It is the attacker's target, and that is not the true class.
    Fooled,
    /// It is neither.
    Wrong,
}

impl Reading {
    /// How `answer` to a clean image of class `label` is to be taken.
    pub fn of_clean(answer: Answer, label: u16) -> Self {
        if answer.class == label { Self::Right } else { Self::Wrong }
    }

    /// How `answer` to a triggered image of class `label` is to be taken when the attacker wants `target`.
    pub fn of_triggered(answer: Answer, label: u16, target: u16) -> Self {
        match answer.class {
            class if class == label => Self::Right,
            class if class == target => Self::Fooled,
            _ => Self::Wrong,
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Fooled => "fooled",
            Self::Wrong => "wrong",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_right_fooled_or_wrong() {
        let answer = |class| Answer { class, confidence: 1.0 };
        assert_eq!(Reading::of_triggered(answer(4), 4, 0), Reading::Right);
        assert_eq!(Reading::of_triggered(answer(0), 4, 0), Reading::Fooled);
        assert_eq!(Reading::of_triggered(answer(2), 4, 0), Reading::Wrong);
        assert_eq!(Reading::of_triggered(answer(0), 0, 0), Reading::Right);
        assert_eq!(Reading::of_clean(answer(0), 4), Reading::Wrong);
    }
}
