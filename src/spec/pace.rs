//! How the steps of a computation make epochs. Most have epochs of one length; some train on one set after another.

use serde::{Deserialize, Serialize};

/// Epochs of equal length with a name of their own, for instance ABL's isolation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name on the curves; empty where there is only one phase.
    pub name: String,
    /// How many epochs.
    pub epochs: u64,
    /// Optimiser steps of each.
    pub steps_per_epoch: u64,
}

impl Phase {
    /// A named phase.
    pub fn new(name: &str, epochs: u64, steps_per_epoch: u64) -> Self {
        Self { name: name.to_owned(), epochs, steps_per_epoch: steps_per_epoch.max(1) }
    }

    /// Steps of the whole phase.
    pub fn steps(&self) -> u64 {
        self.epochs * self.steps_per_epoch
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which phase.
    pub phase: usize,
    /// Epochs of that phase that are done.
    pub epoch: u64,
    /// Steps of the current epoch that are done.
    pub within: u64,
}

/// The phases of a computation, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace(Vec<Phase>);

impl From<u64> for Pace {
    /// Epochs of so many steps, without end.
    fn from(steps_per_epoch: u64) -> Self {
        Self::even(0, steps_per_epoch)
    }
}

impl From<&Pace> for Pace {
    fn from(pace: &Pace) -> Self {
        pace.clone()
    }
}

impl Pace {
    /// Epochs of one length.
    pub fn even(epochs: u64, steps_per_epoch: u64) -> Self {
        Self(vec![Phase::new("", epochs, steps_per_epoch)])
    }

    /// One phase after another; at least one.
    pub fn of(phases: Vec<Phase>) -> Self {
        if phases.is_empty() { Self::even(0, 1) } else { Self(phases) }
    }

    /// The phases.
    pub fn phases(&self) -> &[Phase] {
        &self.0
    }

    /// Epochs in all.
    pub fn epochs(&self) -> u64 {
        self.0.iter().map(|p| p.epochs).sum()
    }

    /// Steps in all.
    pub fn steps(&self) -> u64 {
        self.0.iter().map(Phase::steps).sum()
    }

    /// Where `step` stands: a step that ends a phase begins the next. Steps beyond the end belong to the last phase.
    pub fn place(&self, step: u64) -> Place {
        let (mut left, last) = (step, self.0.len() - 1);
        let mut phase = 0;
        while phase < last && left >= self.0[phase].steps() {
            left -= self.0[phase].steps();
            phase += 1;
        }
        let length = self.0[phase].steps_per_epoch.max(1);
        Place { phase, epoch: left / length, within: left % length }
    }

    /// The step with which `phase` begins.
    pub fn begin(&self, phase: usize) -> u64 {
        self.0.iter().take(phase).map(Phase::steps).sum()
    }

    /// Epochs done after `step` steps, with the fraction of the current one.
    pub fn epoch(&self, step: f64) -> f64 {
        let place = self.place(step.max(0.0) as u64);
        let before: u64 = self.0.iter().take(place.phase).map(|p| p.epochs).sum();
        before as f64 + (step - self.begin(place.phase) as f64) / self.0[place.phase].steps_per_epoch.max(1) as f64
    }

    /// Whole epochs done after `step` steps.
    pub fn whole_epochs(&self, step: u64) -> u64 {
        let place = self.place(step);
        self.0.iter().take(place.phase).map(|p| p.epochs).sum::<u64>() + place.epoch
    }

    /// Steps of the epoch that the step before `step` was one of.
    pub fn steps_of_epoch(&self, step: u64) -> u64 {
        self.0.get(self.place(step.saturating_sub(1)).phase).map_or(0, |phase| phase.steps_per_epoch)
    }

    /// Whether an epoch ends with the step before `step`.
    pub fn ends_epoch(&self, step: u64) -> bool {
        self.place(step).within == 0
    }

    /// Steps of the current epoch that are done after `step` steps.
    pub fn within(&self, step: u64) -> u64 {
        self.place(step).within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_of_different_length_follow_each_other() {
        let pace = Pace::of(vec![Phase::new("isolate", 2, 10), Phase::new("fine-tune", 3, 9), Phase::new("unlearn", 4, 1)]);
        assert_eq!((pace.epochs(), pace.steps()), (9, 51));
        assert_eq!(pace.place(19), Place { phase: 0, epoch: 1, within: 9 });
        assert_eq!(pace.place(20), Place { phase: 1, epoch: 0, within: 0 });
        assert_eq!(pace.place(46), Place { phase: 1, epoch: 2, within: 8 });
        assert_eq!(pace.place(51), Place { phase: 2, epoch: 4, within: 0 });
        assert_eq!((pace.epoch(15.0), pace.epoch(24.5), pace.epoch(51.0)), (1.5, 2.5, 9.0));
        let ends: Vec<u64> = (1..=51).filter(|s| pace.ends_epoch(*s)).collect();
        assert_eq!(ends, [10, 20, 29, 38, 47, 48, 49, 50, 51]);
        assert_eq!([0, 10, 20, 21, 47, 48, 51].map(|s| pace.steps_of_epoch(s)), [10, 10, 10, 9, 9, 1, 1]);
        assert_eq!(ends.iter().map(|s| pace.whole_epochs(*s)).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    }

    #[test]
    fn a_plain_pace_divides_by_its_steps() {
        let pace = Pace::even(14, 63);
        assert_eq!((pace.steps(), pace.whole_epochs(882), pace.within(64)), (882, 14, 1));
        assert_eq!(Pace::from(63).epoch(94.5), 1.5);
    }
}
