//! The learning rate over a whole stage: what was, what is to come, and what the set-up would do.

use super::cost;
use super::state::State;
use crate::run::view::Status;
use crate::schedule::Schedule;
use crate::spec::{Method, RunSpec, Stage};

/// The learning rates of one stage as its log tells them, line by line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The run as started, with the changes so far.
    spec: RunSpec,
    steps_per_epoch: u64,
    /// What was in force from which step on.
    pieces: Vec<(u64, Schedule)>,
    /// Step and rate of every look.
    logged: Vec<(u64, f64)>,
    /// A rate in the log that the pieces do not explain: then the log's rates alone are shown. What is past is shown
    /// as it was.
    unexplained: bool,
}

impl History {
    /// Starts with the first line of a log.
    pub fn start(spec: &RunSpec, stage: Stage, steps_per_epoch: u64) -> Self {
        let pieces = vec![(0, spec.schedule(stage, steps_per_epoch.max(1)))];
        Self { spec: spec.clone(), steps_per_epoch: steps_per_epoch.max(1), pieces, ..Self::default() }
    }

    /// A setting was changed: it holds from `step` on.
    pub fn change(&mut self, stage: Stage, step: u64, path: &str, value: f64) {
        if let Ok(changed) = self.spec.with(path, &number(value), "the log") {
            self.spec = changed;
            self.pieces.push((step, self.spec.schedule(stage, self.steps_per_epoch)));
        }
    }

    /// After `steps` steps, the last one's rate was `lr`.
    pub fn look(&mut self, steps: u64, lr: f64) {
        let Some(last) = steps.checked_sub(1) else { return };
        self.unexplained |= self.piece(last).is_none_or(|s| (s.lr(last) - lr).abs() > 1e-7 + 1e-3 * lr.abs());
        self.logged.push((last, lr));
    }

    fn piece(&self, i: u64) -> Option<&Schedule> {
        self.pieces.iter().rev().find(|(from, _)| *from <= i).map(|(_, s)| s)
    }

    fn rate(&self, i: u64) -> f64 {
        if self.unexplained { between(&self.logged, i) } else { self.piece(i).map_or(0.0, |s| s.lr(i)) }
    }
}

/// The learning rates of one stage over all its steps.
#[derive(Clone, Debug)]
pub struct Course<'a> {
    /// Epochs of the stage.
    pub epochs: u64,
    /// Steps of one epoch.
    pub steps_per_epoch: u64,
    /// Steps done.
    pub done: u64,
    /// Whether the steps to come are those of a run yet to be started.
    pub fresh: bool,
    history: &'a History,
    ahead: Option<Schedule>,
}

impl<'a> Course<'a> {
    /// The rates of `stage`.
    pub fn of(state: &'a State, stage: Stage) -> Self {
        let view = state.view(stage);
        let known = view.stage.is_some();
        let fresh = !state.active() && (!known || state.ran.as_ref() != Some(&state.spec));
        let plan = if known {
            (view.facts.epochs, view.facts.steps_per_epoch)
        } else {
            (state.spec.epochs(stage), cost::steps_per_epoch(&state.spec, stage))
        };
        let steps_per_epoch = plan.1.max(1);
        // A run that was stopped goes on when it is started again.
        let ahead = (fresh || view.status != Status::Finished).then(|| state.spec.schedule(stage, steps_per_epoch));
        Self { epochs: plan.0, steps_per_epoch, done: view.step, fresh, history: state.history(stage), ahead }
    }

    /// Steps of the whole stage.
    pub fn steps(&self) -> u64 {
        self.epochs * self.steps_per_epoch
    }

    /// The rate that step `i` truly had.
    pub fn was(&self, i: u64) -> f64 {
        self.history.rate(i)
    }

    /// The rate that step `i` will have with the settings of now; of all steps where nothing runs and the settings are
    /// others than those of the run shown.
    pub fn will_be(&self, i: u64) -> Option<f64> {
        self.ahead.filter(|_| self.fresh || i >= self.done).map(|s| s.lr(i))
    }
}

fn between(points: &[(u64, f64)], i: u64) -> f64 {
    let after = points.partition_point(|p| p.0 < i);
    match (after.checked_sub(1).map(|k| points[k]), points.get(after)) {
        (Some((a, x)), Some(&(b, y))) if b > a => x + (y - x) * (i - a) as f64 / (b - a) as f64,
        (_, Some(&(_, y))) => y,
        (Some((_, x)), None) => x,
        (None, None) => 0.0,
    }
}

/// A live setting's value as the parser reads it: whole numbers without a point.
pub fn number(value: f64) -> String {
    format!("{value}")
}

/// A horizontal handle of the learning-rate chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Handle {
    /// Path of the setting.
    pub path: &'static str,
    /// Its short name beside the axis.
    pub label: &'static str,
    /// Where it stands.
    pub rate: f64,
}

/// The rates of the clean-up that can be turned while it runs.
pub fn handles(spec: &RunSpec) -> Vec<Handle> {
    let handle = |path, label, rate| Handle { path, label, rate };
    match &spec.defense.method {
        Method::FineTuning(f) => vec![handle("defense.lr", "LR", f.lr)],
        Method::SuperFineTuning(s) => vec![
            handle("defense.lr_max1", "MAX1", s.lr_max1),
            handle("defense.lr_max2", "MAX2", s.lr_max2),
            handle("defense.lr_base", "BASE", s.lr_base),
        ],
    }
}
