//! The learning rate over a whole stage: what was, and what is to come. Screen and figures draw it from here.

use super::scene::Point;
use crate::run::view::RunView;
use crate::schedule::Schedule;
use crate::spec::{Method, Pace, RunSpec, Stage};
use std::borrow::Cow;

/// The learning rates of one stage as its log tells them, line by line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The run as started, with the changes so far.
    spec: RunSpec,
    pace: Option<Pace>,
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
    pub fn start(spec: &RunSpec, stage: Stage, pace: &Pace) -> Self {
        let pieces = vec![(0, spec.schedule(stage, pace))];
        Self { spec: spec.clone(), pace: Some(pace.clone()), pieces, ..Self::default() }
    }

    /// A setting was changed: it holds from `step` on.
    pub fn change(&mut self, stage: Stage, step: u64, path: &str, value: f64) {
        if let Ok(changed) = self.spec.with(path, &number(value), "the log") {
            self.spec = changed;
            self.pieces.extend(self.pace.as_ref().map(|pace| (step, self.spec.schedule(stage, pace))));
        }
    }

    /// After `steps` steps, the last one's rate was `lr`.
    pub fn look(&mut self, steps: u64, lr: f64) {
        let Some(last) = steps.checked_sub(1) else { return };
        self.unexplained |= self.piece(last).is_none_or(|s| (s.lr(last) - lr).abs() > 1e-7 + 1e-3 * lr.abs());
        self.logged.push((last, lr));
    }

    /// The history of a run of `spec` that `view` shows.
    pub fn of(view: &RunView, spec: &RunSpec, stage: Stage) -> Self {
        let mut history = Self::start(spec, stage, &view.facts.pace());
        view.marks.iter().for_each(|m| history.change(stage, m.step, &m.path, m.value));
        let mut looks: Vec<(u64, f64)> = view.epochs.iter().chain(&view.probes).map(|p| (p.step, p.lr)).collect();
        looks.sort_by_key(|look| look.0);
        looks.into_iter().for_each(|(steps, lr)| history.look(steps, lr));
        history
    }

    /// Whether settings and changes explain every rate in the log.
    pub fn explained(&self) -> bool {
        !self.unexplained
    }

    /// The schedule after the last change.
    pub fn latest(&self) -> Option<Schedule> {
        self.pieces.last().map(|(_, s)| s.clone())
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
    /// How the stage's steps make epochs.
    pub pace: Pace,
    /// Steps done.
    pub done: u64,
    /// Whether the steps to come are those of a run yet to be started.
    pub fresh: bool,
    /// What was.
    pub history: Cow<'a, History>,
    /// What is to come.
    pub ahead: Option<Schedule>,
}

impl Course<'_> {
    /// Steps of the whole stage.
    pub fn steps(&self) -> u64 {
        self.pace.steps()
    }

    /// The rate that step `i` truly had.
    pub fn was(&self, i: u64) -> f64 {
        self.history.rate(i)
    }

    /// The rate that step `i` will have with the settings of now; of all steps where nothing runs and the settings are
    /// others than those of the run shown.
    pub fn will_be(&self, i: u64) -> Option<f64> {
        self.ahead.as_ref().filter(|_| i >= self.begin()).map(|s| s.lr(i))
    }

    /// The first step to come.
    fn begin(&self) -> u64 {
        if self.fresh { 0 } else { self.done }
    }

    /// Points of the rates that were, over steps.
    pub fn past(&self) -> Vec<Point> {
        if self.done == 0 { Vec::new() } else { curve(|i| self.was(i), 0, self.done.min(self.steps().max(1)) - 1) }
    }

    /// Points of the rates to come, over steps.
    pub fn to_come(&self) -> Vec<Point> {
        match &self.ahead {
            Some(schedule) if self.begin() < self.steps() => curve(|i| schedule.lr(i), self.begin(), self.steps() - 1),
            _ => Vec::new(),
        }
    }

    /// The epoch with which the second phase begins, where there are two.
    pub fn second_phase(&self) -> Option<f64> {
        match self.ahead.clone().or(self.history.latest())? {
            Schedule::SuperFineTuning(s) if (1..self.pace.epochs()).contains(&s.phase1_epochs) => Some(s.phase1_epochs as f64),
            _ => None,
        }
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
        Method::SuperFineTuning(s) => vec![
            handle("defense.lr_max1", "MAX1", s.lr_max1),
            handle("defense.lr_max2", "MAX2", s.lr_max2),
            handle("defense.lr_base", "BASE", s.lr_base),
        ],
        _ => spec.defense.lr().map(|lr| handle("defense.lr", "LR", lr)).into_iter().collect(),
    }
}

/// Points of a curve, at most.
const MOST: usize = 2000;

/// A function of the iteration as few points: those where it bends, and no more than a picture can show.
pub fn curve(rate: impl Fn(u64) -> f64, from: u64, to: u64) -> Vec<Point> {
    let mut kept = Vec::new();
    let (mut before, mut here) = (f64::NAN, rate(from));
    for i in from..=to {
        let after = if i < to { rate(i + 1) } else { f64::NAN };
        let bends = (after - 2.0 * here + before).abs() > 1e-9 * (here.abs() + 1e-12);
        if i == from || i == to || bends {
            kept.push((i, here));
        }
        (before, here) = (here, after);
    }
    thin(kept).into_iter().map(|(i, rate)| Point::computed(i as f64, rate)).collect()
}

/// The ends, and of as many stretches as a picture can show the lowest and the highest: no peak is lost.
fn thin(points: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    if points.len() <= MOST {
        return points;
    }
    let by_value = |a: &&(u64, f64), b: &&(u64, f64)| a.1.total_cmp(&b.1);
    let parts = points.chunks(points.len().div_ceil(MOST / 2));
    let extremes = parts.flat_map(|part| part.iter().min_by(by_value).into_iter().chain(part.iter().max_by(by_value)));
    let mut kept: Vec<(u64, f64)> = points.first().into_iter().chain(extremes).chain(points.last()).copied().collect();
    kept.sort_by_key(|(i, _)| *i);
    kept.dedup_by_key(|(i, _)| *i);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triangle_needs_its_corners_alone() {
        let points = curve(|i| (i % 20).min(20 - i % 20) as f64, 0, 100);
        assert_eq!(points.iter().map(|p| p.x).collect::<Vec<_>>(), (0..=10).map(|i| 10.0 * f64::from(i)).collect::<Vec<_>>());
    }

    #[test]
    fn many_points_become_few_and_keep_every_extreme() {
        let points = curve(|i| if i == 77_777 { 5.0 } else { (i % 2) as f64 }, 0, 100_000);
        assert!(points.len() <= MOST + 4, "{}", points.len());
        assert!(points.iter().any(|p| p.x == 77_777.0 && p.y == 5.0));
        assert_eq!((points[0].x, points.last().map(|p| p.x)), (0.0, Some(100_000.0)));
    }
}
