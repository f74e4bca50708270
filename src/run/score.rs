//! CA, ASR and RA from a model's answers (spec.md section 4). No tensors: training, `tuneout examine` and the screen
//! count here.

use super::event::{Answer, Measures, Transfer};
use crate::spec::{RunSpec, Stage};

/// What counts as a success of the attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A triggered image of another class is taken for this one (standalone).
    Target(u16),
    /// A triggered image of another class is taken for the class that most triggered images are taken for (transfer:
    /// the target of the first task means nothing in the second; spec.md section 2).
    Majority,
    /// A triggered image, whatever its class, is taken for this one (encoder; spec.md 1.7).
    Everyone(u16),
}

impl Rule {
    /// The rule that `stage` of a run is measured by.
    pub fn of(spec: &RunSpec, stage: Stage) -> Self {
        match (&spec.pretrain, &spec.downstream, stage) {
            // No class of the first task is the target of an encoder's backdoor: it is one of the second's.
            (Some(_), _, Stage::Pretrain) => Self::Target(u16::MAX),
            (Some(_), _, _) => Self::Everyone(spec.attack.target),
            (None, Some(_), Stage::Defense) => Self::Majority,
            (None, _, _) => Self::Target(spec.attack.target),
        }
    }

    /// The class that triggered images are to be taken for, given the answers to them.
    pub fn target(self, triggered: impl IntoIterator<Item = Answer>) -> u16 {
        match self {
            Self::Target(target) | Self::Everyone(target) => target,
            Self::Majority => majority(triggered),
        }
    }

    /// Whether images of class `label` are triggered for the measures.
    pub fn attacks(self, label: u16) -> bool {
        !matches!(self, Self::Target(target) if target == label)
    }
}

/// A test image with its answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// True class.
    pub label: u16,
    /// Of the image as it is.
    pub clean: Answer,
    /// Of the image with the trigger; none where the rule does not ask for it.
    pub triggered: Option<Answer>,
}

/// What these answers make. `first`: the majority after the first epoch.
pub fn measures(rule: Rule, asked: &[Asked], first: Option<u16>) -> Measures {
    let attacked = || asked.iter().filter_map(|a| a.triggered);
    let ca = share(asked.iter().filter(|a| a.clean.class == a.label).count(), asked.len());
    let target = rule.target(attacked());
    let now = score(asked, target);
    let plain = Measures { ca, asr: now.asr, ra: now.ra, ..Measures::default() };
    match rule {
        Rule::Target(_) => plain,
        Rule::Everyone(_) => {
            let all = share(attacked().filter(|a| a.class == target).count(), attacked().count());
            Measures { asr: all, asr_excluding_target: Some(now.asr), ..plain }
        }
        Rule::Majority => {
            let fixed = score(asked, first.unwrap_or(target));
            let transfer = Transfer { c_star: target, baseline: now.baseline, lift: now.asr - now.baseline, asr_fixed: fixed.asr };
            Measures { transfer: Some(transfer), ..plain }
        }
    }
}

struct Score {
    /// Taken for the target.
    asr: f64,
    /// Taken for what they are.
    ra: f64,
    /// Taken for the target without the trigger.
    baseline: f64,
}

/// Shares of the triggered images of other classes than `target`.
fn score(asked: &[Asked], target: u16) -> Score {
    let mut counts = [0usize; 4];
    for (image, triggered) in asked.iter().filter(|a| a.label != target).filter_map(|a| Some((a, a.triggered?))) {
        let hits = [true, triggered.class == target, triggered.class == image.label, image.clean.class == target];
        counts.iter_mut().zip(hits).for_each(|(count, hit)| *count += usize::from(hit));
    }
    let [whole, fooled, right, anyway] = counts;
    Score { asr: share(fooled, whole), ra: share(right, whole), baseline: share(anyway, whole) }
}

/// The class that most answers name; of several the smallest.
pub fn majority(answers: impl IntoIterator<Item = Answer>) -> u16 {
    let mut counts = std::collections::BTreeMap::<u16, usize>::new();
    answers.into_iter().for_each(|a| *counts.entry(a.class).or_default() += 1);
    counts.into_iter().max_by_key(|(class, count)| (*count, std::cmp::Reverse(*class))).map_or(0, |(class, _)| class)
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
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

    /// Labels 0, 1, 1, 2, 2, every clean answer right, triggered answers 1, 1, 0, 0, 2.
    fn asked(rule: Rule) -> Vec<Asked> {
        let answer = |class| Answer { class, confidence: 1.0 };
        let image = |(label, class)| Asked { label, clean: answer(label), triggered: rule.attacks(label).then_some(answer(class)) };
        [(0, 1), (1, 1), (1, 0), (2, 0), (2, 2)].map(image).to_vec()
    }

    #[test]
    fn every_rule_counts_what_it_says() {
        let of = |rule, first| measures(rule, &asked(rule), first);
        let m = of(Rule::Target(0), None);
        assert_eq!((m.ca, m.asr, m.ra), (1.0, 0.5, 0.5));
        let m = of(Rule::Everyone(0), None);
        assert_eq!((m.asr, m.asr_excluding_target, m.ra), (0.4, Some(0.5), 0.5));
        // 0 and 1 are named twice each: the smaller one counts. Of the labels 1, 1, 2, 2 two are taken for it.
        let m = of(Rule::Majority, Some(1));
        let t = m.transfer.unwrap();
        assert_eq!((t.c_star, m.asr, t.baseline, t.lift), (0, 0.5, 0.0, 0.5));
        assert!((t.asr_fixed - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_stage_has_its_rule() {
        let spec = |path: &str, value: &str| RunSpec::default().with(path, value, "test").unwrap();
        let target = RunSpec::default().attack.target;
        let rules = |spec: &RunSpec| [Stage::Pretrain, Stage::Attack, Stage::Defense].map(|stage| Rule::of(spec, stage));
        assert_eq!(rules(&RunSpec::default()), [Rule::Target(target); 3]);
        assert_eq!(rules(&spec("scenario", "transfer")), [Rule::Target(target), Rule::Target(target), Rule::Majority]);
        assert_eq!(rules(&spec("scenario", "encoder")), [Rule::Target(u16::MAX), Rule::Everyone(target), Rule::Everyone(target)]);
    }

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
