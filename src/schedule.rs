//! Learning rates as functions of an iteration number; no tensors.
//!
//! Super-fine-tuning (paper section 3.2, spec.md 3.2) lets the learning rate climb from LR BASE to a maximum and
//! fall back, again and again: to LR MAX1 in the first phase, which makes the model forget the trigger, and to
//! LR MAX2 in the second, which lets it recover its accuracy.

use crate::spec::{Pace, Phase};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the paper's "500 as number of iterations" is read (spec.md 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The climb takes `cycle` iterations and the fall as many: the reading that the paper's ablation supports.
    #[default]
    HalfCycle,
    /// Climb and fall together take `cycle` iterations.
    FullCycle,
    /// A climb of `cycle` iterations, then a jump back to LR BASE.
    Sawtooth,
}

impl Reading {
    /// Every reading's name, as presets spell it.
    pub const NAMES: [&'static str; 3] = ["half-cycle", "full-cycle", "sawtooth"];
}

/// The schedule of super-fine-tuning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuperFineTuning {
    /// LR BASE: where every climb starts.
    pub base: f64,
    /// LR MAX1: the top of each climb in the first phase.
    pub max1: f64,
    /// LR MAX2: the top of each climb in the second phase.
    pub max2: f64,
    /// The paper's "500", in iterations.
    pub cycle: u64,
    /// What `cycle` counts.
    pub reading: Reading,
    /// Epochs of the first phase.
    pub phase1_epochs: u64,
    /// Iterations of one epoch.
    pub steps_per_epoch: u64,
}

impl SuperFineTuning {
    /// Learning rate of iteration `i`, counted from 0 over the whole fine-tuning; the phase of the cycle is not reset
    /// where the maximum changes.
    pub fn lr(&self, i: u64) -> f64 {
        let max = if i / self.steps_per_epoch.max(1) < self.phase1_epochs { self.max1 } else { self.max2 };
        self.base + (max - self.base) * self.height(i)
    }

    /// How far up the climb iteration `i` stands: 0 at LR BASE, 1 at the maximum.
    fn height(&self, i: u64) -> f64 {
        let cycle = self.cycle.max(1) as f64;
        let rise = match self.reading {
            Reading::FullCycle => cycle / 2.0,
            Reading::HalfCycle | Reading::Sawtooth => cycle,
        };
        let period = if self.reading == Reading::Sawtooth { rise } else { 2.0 * rise };
        let position = (i as f64) % period;
        if position <= rise { position / rise } else { (period - position) / rise }
    }
}

/// A learning-rate schedule.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// The same rate throughout.
    Constant {
        /// Learning rate.
        lr: f64,
    },
    /// Half a cosine from `lr` to 0 over `period` iterations, evaluated every `every` iterations
    /// (`every` = steps of an epoch: PyTorch's `CosineAnnealingLR` stepped once an epoch; beyond the period it climbs again, as PyTorch's does).
    Cosine {
        /// Learning rate at the start.
        lr: f64,
        /// Iterations until it reaches 0.
        period: u64,
        /// Iterations for which a value holds.
        every: u64,
    },
    /// A tenth of `lr` after `period` iterations, a hundredth after twice as many, and so on.
    Steps {
        /// Learning rate at the start.
        lr: f64,
        /// Iterations between two steps.
        period: u64,
    },
    /// One schedule for some iterations, then another from its own beginning.
    Then {
        /// The schedule of the first iterations.
        first: Box<Schedule>,
        /// Iterations of the first.
        steps: u64,
        /// What follows.
        next: Box<Schedule>,
    },
    /// Triangles, first to LR MAX1, then to LR MAX2.
    SuperFineTuning(SuperFineTuning),
}

impl Schedule {
    /// Learning rate of iteration `i`, counted from 0.
    pub fn lr(&self, i: u64) -> f64 {
        match self {
            Self::Constant { lr } => *lr,
            Self::Steps { lr, period } => lr * 0.1f64.powi((i / period.max(&1)) as i32),
            Self::Then { first, steps, next } => i.checked_sub(*steps).map_or_else(|| first.lr(i), |i| next.lr(i)),
            Self::Cosine { lr, period, every } => {
                let (period, every) = (*period, *every);
                let held = i / every.max(1) * every.max(1);
                0.5 * lr * (1.0 + (PI * held as f64 / period.max(1) as f64).cos())
            }
            Self::SuperFineTuning(s) => s.lr(i),
        }
    }

    /// A schedule for each phase of `pace`, one after another.
    pub fn in_turn(pace: &Pace, of: impl Fn(&Phase) -> Self) -> Self {
        let mut phases = pace.phases().iter().rev();
        let last = phases.next().map_or(Self::Constant { lr: 0.0 }, &of);
        phases.fold(last, |next, phase| Self::Then { first: Box::new(of(phase)), steps: phase.steps(), next: Box::new(next) })
    }

    /// The largest rate among the iterations before `steps`.
    pub fn peak(&self, steps: u64) -> f64 {
        (0..steps).map(|i| self.lr(i)).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paper(steps_per_epoch: u64) -> SuperFineTuning {
        SuperFineTuning { base: 3e-4, max1: 0.1, max2: 1e-3, cycle: 500, reading: Reading::HalfCycle, phase1_epochs: 10, steps_per_epoch }
    }

    #[track_caller]
    fn check(s: SuperFineTuning, vectors: &[(u64, f64)]) {
        for &(i, lr) in vectors {
            assert!((s.lr(i) - lr).abs() < 1e-6, "iteration {i}: {} is not {lr}", s.lr(i));
        }
    }

    /// spec.md 3.2, CIFAR: N = 196.
    #[test]
    fn vectors_of_the_paper_at_196_steps() {
        let vectors = [
            (0, 0.0003),
            (1, 0.000_499_4),
            (195, 0.039_183),
            (250, 0.050_15),
            (500, 0.1),
            (501, 0.099_800_6),
            (999, 0.000_499_4),
            (1000, 0.0003),
            (1959, 0.008_475_4),
            (1960, 0.000_356),
            (2500, 0.001),
            (3000, 0.0003),
        ];
        check(paper(196), &vectors);
    }

    /// spec.md 3.2, GTSRB: N = 154, the first phase ends near a peak.
    #[test]
    fn vectors_of_the_paper_at_154_steps() {
        check(paper(154), &[(1539, 0.092_223_4), (1540, 0.000_944)]);
    }

    /// spec.md 12(8): with a tenth of the data the first phase never reaches LR MAX1.
    #[test]
    fn a_tenth_of_the_data_peaks_low() {
        let s = Schedule::SuperFineTuning(paper(20));
        assert!((s.peak(200) - 0.03998).abs() < 1e-4 && s.peak(200) < 0.04);
        let higher = Schedule::SuperFineTuning(SuperFineTuning { max1: 0.3, ..paper(20) });
        assert!((higher.peak(200) - 0.11958).abs() < 2e-4);
    }

    /// spec.md 3.2's table of readings: the rate at the end of epochs 1, 2, 3, 5, 10.
    #[test]
    fn readings_differ_as_the_table_says() {
        let at = |reading| {
            let s = SuperFineTuning { reading, ..paper(196) };
            [1, 2, 3, 5, 10].map(|e| (s.lr(e * 196 - 1) * 1e4).round() / 1e4)
        };
        assert_eq!(at(Reading::HalfCycle), [0.0392, 0.0783, 0.0827, 0.0045, 0.0085]);
        assert_eq!(at(Reading::FullCycle), [0.0781, 0.0438, 0.0350, 0.0087, 0.0167]);
        let saw = SuperFineTuning { reading: Reading::Sawtooth, ..paper(196) };
        check(saw, &[(0, 0.0003), (499, 0.099_800_6), (500, 0.0003), (750, 0.050_15)]);
    }

    /// Closed form of PyTorch's `CosineAnnealingLR` stepped per epoch.
    #[test]
    fn cosine_holds_within_an_epoch() {
        let s = Schedule::Cosine { lr: 0.01, period: 1000, every: 10 };
        assert_eq!(s.lr(0), s.lr(9));
        assert!((s.lr(500) - 0.005).abs() < 1e-12);
        assert!((s.lr(505) - 0.005).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn stays_between_base_and_maximum(i in 0u64..100_000, cycle in 1u64..2000, n in 1u64..500, phase in 0u64..50, max1 in 1e-3..1.0, reading in 0usize..3) {
            let reading = [Reading::HalfCycle, Reading::FullCycle, Reading::Sawtooth][reading];
            let s = SuperFineTuning { base: 3e-4, max1, max2: 1e-3, cycle, reading, phase1_epochs: phase, steps_per_epoch: n };
            let lr = s.lr(i);
            let max = if i / n < phase { max1 } else { 1e-3 };
            prop_assert!(lr >= 3e-4 - 1e-12 && lr <= max + 1e-12);
        }
    }
}
