//! Activation clustering (Chen et al. 2018; spec.md 3.4): within a class, what the backdoored model makes of poisoned
//! images differs from what it makes of clean ones. Each class is split in two, a cluster that is judged poisoned is
//! removed, and a new network is trained without.
//!
//! ```text
//! per class as labelled:  activations -> a few components -> 2-means -> silhouette -> which cluster goes, if any
//! ```
//! Which of the two is the poison is the hard part. Where a tenth of all images is poisoned to one class, the poison is
//! the larger cluster of that class, and a rule by size removes the clean images (spec.md 3.4); exclusionary
//! reclassification asks a model that never saw a cluster what it is.

use super::filter::{self, Class, Layer, Removed};
use super::reduce::{Rows, independent, principal};
use super::{Case, Defense, DefenseError, Halt, Watch, at, cluster};
use crate::kernel::Train;
use crate::rng;
use crate::run::evidence::{ClassClusters, ClusterPoint, Clusters, Detection, Evidence};
use crate::schedule::Schedule;
use crate::spec::{self, Decision, Reduction, Stage};
use crate::train::{Answer, Learner, read_loss};
use rand::seq::SliceRandom;
use std::path::Path;

/// Points of a class that are shown.
const SHOWN: usize = 300;
/// A model that decides what a cluster is trains for this share of the defense's epochs: it need not be good, only know
/// the classes apart.
const RECLASSIFICATION: u64 = 4;
/// Classes that are looked at so, from the one that falls in two most clearly, until one is found poisoned: a clean class
/// may fall in two as well, and each look costs two trainings.
const CANDIDATES: usize = 3;
/// A cluster of which less than this share is called by its own label is not what it is labelled.
const OWN: f64 = 0.5;

/// The defense.
pub(super) struct Ac {
    settings: spec::Ac,
    removed: Removed,
}

impl Ac {
    /// Nothing is looked at yet.
    pub(super) fn new(settings: spec::Ac) -> Self {
        Self { settings, removed: Removed::default() }
    }
}

/// A class in two clusters.
struct Halves {
    label: u16,
    members: Vec<usize>,
    /// The cluster of each; cluster 0 is the larger one.
    clusters: Vec<u8>,
    points: Rows<f64>,
    silhouette: f64,
}

impl Halves {
    fn of(class: Class, settings: &spec::Ac, seed: u64) -> Self {
        let mut rng = rng::stream(seed, "activation clustering", u64::from(class.label));
        let components = principal(&class.rows, settings.components, &mut rng);
        let plain = components.project(&class.rows);
        let points = match settings.reduction {
            Reduction::Pca => plain,
            Reduction::FastIca => independent(&plain, &components.variances, &mut rng),
        };
        let clusters = cluster::two_means(&points, &mut rng);
        let silhouette = cluster::silhouette(&points, &clusters);
        Self { label: class.label, members: class.members, clusters, points, silhouette }
    }

    /// Places of the images of a cluster.
    fn places(&self, cluster: u8) -> Vec<usize> {
        (0..self.members.len()).filter(|&i| self.clusters[i] == cluster).map(|i| self.members[i]).collect()
    }

    fn sizes(&self) -> [usize; 2] {
        [0, 1].map(|c| self.clusters.iter().filter(|x| **x == c).count())
    }

    /// The cluster that a rule of size or shape removes.
    fn by_rule(&self, settings: &spec::Ac) -> Option<u8> {
        let share = self.sizes()[1] as f64 / self.members.len().max(1) as f64;
        let judged = match settings.decision {
            Decision::Smaller => true,
            Decision::RelativeSize => share < settings.size_threshold,
            Decision::Silhouette | Decision::Reclassification => self.silhouette > settings.silhouette_threshold,
        };
        (judged && share > 0.0).then_some(1)
    }
}

impl Ac {
    /// For each class the cluster that goes, and how that was found.
    fn decide<B: Train>(&self, case: &Case<'_, B>, classes: &[Halves], watch: &mut Watch<'_>) -> Result<Verdicts, Halt> {
        let flagged: Vec<Option<u8>> = classes.iter().map(|c| c.by_rule(&self.settings)).collect();
        if self.settings.decision != Decision::Reclassification {
            return Ok((flagged, Vec::new()));
        }
        let mut candidates: Vec<usize> = (0..classes.len()).filter(|&i| flagged[i].is_some()).collect();
        candidates.sort_by(|&a, &b| classes[b].silhouette.total_cmp(&classes[a].silhouette));
        let (mut verdicts, mut notes) = (vec![None; classes.len()], Vec::new());
        for &i in candidates.iter().take(CANDIDATES) {
            let class = &classes[i];
            let called = [reclassify(case, class, 0, watch)?, reclassify(case, class, 1, watch)?];
            verdicts[i] = poisoned_cluster(called);
            notes.push(account(&filter::named(case, class.label), class, called, verdicts[i]));
            if verdicts[i].is_some() {
                break;
            }
        }
        Ok((verdicts, notes))
    }
}

/// For each class the cluster that goes; what a reader may want to know of it.
type Verdicts = (Vec<Option<u8>>, Vec<String>);

/// What a model that never saw a cluster calls its images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Called {
    /// Share that is called by the label.
    own: f64,
    /// Mean posterior of the answers.
    confidence: f64,
}

/// The poisoned cluster of a class, if any, by what each is called when it is left out.
///
/// A poisoned image without its backdoor is an ordinary image of another class, and is called that with confidence. The
/// class's own images are called by their label, unless the other cluster holds none of their kind: a class that is
/// mostly poison. Then they are called something else too, but hesitantly.
fn poisoned_cluster(called: [Called; 2]) -> Option<u8> {
    let strangers: Vec<u8> = [0u8, 1].into_iter().filter(|c| called[usize::from(*c)].own < OWN).collect();
    strangers.into_iter().max_by(|a, b| called[usize::from(*a)].confidence.total_cmp(&called[usize::from(*b)].confidence))
}

/// Trains a new network without a cluster, and asks it what the cluster's images are.
fn reclassify<B: Train>(case: &Case<'_, B>, class: &Halves, cluster: u8, watch: &mut Watch<'_>) -> Result<Called, Halt> {
    let (count, places, spec) = (case.held().len(), class.places(cluster), case.spec);
    let kept = Removed::new(places.clone(), count, "ac")?.kept(count);
    let steps = spec.defense.epochs.div_ceil(RECLASSIFICATION) * spec.steps_per_epoch(Stage::Defense, kept.len());
    let schedule = Schedule::Cosine { lr: spec.defense.lr().unwrap_or_default(), period: steps, every: 1 };
    let mut learner = filter::trained_on(case, kept, "reclassification");
    let mut sum = None;
    for step in 0..steps {
        at(watch, &format!("model that never saw a cluster of class {}", class.label), step as usize, steps as usize)?;
        let loss = learner.step(step, schedule.lr(step));
        sum = Some(sum.take().map_or(loss.clone(), |sum| sum + loss));
    }
    if !sum.is_none_or(|sum| read_loss(sum).is_finite()) {
        return Err(DefenseError::Diverged { what: "the training that decides what a cluster is".to_owned(), setting: "defense.lr" }.into());
    }
    let answers = (learner.trainer.examiner(case.lookup))(&case.held().images.select(&places)).answers();
    let mean = |of: &dyn Fn(&Answer) -> f64| answers.iter().map(of).sum::<f64>() / answers.len().max(1) as f64;
    Ok(Called { own: mean(&|a| f64::from(u8::from(a.class == class.label))), confidence: mean(&|a| f64::from(a.confidence)) })
}

/// What was asked of a class, and what came of it.
fn account(name: &str, class: &Halves, called: [Called; 2], verdict: Option<u8>) -> String {
    let sizes = class.sizes();
    // Readers count from 1, as the figure does.
    let of = |c: usize| {
        let (called, number) = (called[c], c + 1);
        format!("of the {} images of its cluster {number}, {:.0}% (mean posterior {:.2})", sizes[c], called.own * 100.0, called.confidence)
    };
    let end = verdict.map_or("neither is removed".to_owned(), |c| format!("cluster {} is removed", c + 1));
    format!("{name}: models that never saw a cluster call by its label {} and {}: {end}", of(0), of(1))
}

/// What a reader must know: where the poison is the larger part of a class, which cluster a rule of size removes.
fn warning(class: &Halves, truth: &[bool], name: &str, decision: Decision) -> Option<String> {
    let (poisoned, size) = (class.members.iter().filter(|&&i| truth[i]).count(), class.members.len());
    if 2 * poisoned <= size {
        return None;
    }
    let rule = match decision {
        Decision::Reclassification => "a rule that removes the smaller cluster would remove the clean one",
        Decision::RelativeSize => "the smaller cluster, the only one that this rule removes, is the clean one",
        Decision::Smaller | Decision::Silhouette => "the smaller cluster, which this rule removes, is the clean one",
    };
    Some(format!("{name}: {poisoned} of {size} images are poisoned; {rule}"))
}

/// Some points of a class for a plot, evenly spaced.
fn shown(class: &Halves, truth: &[bool]) -> Vec<ClusterPoint> {
    let step = class.members.len().div_ceil(SHOWN).max(1);
    let point = |i: usize| {
        let row = class.points.row(i);
        ClusterPoint {
            x: row.first().copied().unwrap_or_default() as f32,
            y: row.get(1).copied().unwrap_or_default() as f32,
            cluster: class.clusters[i],
            poisoned: truth[class.members[i]],
        }
    };
    (0..class.members.len()).step_by(step).map(point).collect()
}

/// How a class looks to whoever knows the truth. `plotted`: whether it is worth a plot.
fn evidence(class: &Halves, removed: Option<u8>, truth: &[bool], plotted: bool) -> ClassClusters {
    ClassClusters {
        class: class.label,
        sizes: class.sizes(),
        poisoned: [0, 1].map(|c| class.places(c).iter().filter(|&&i| truth[i]).count()),
        silhouette: class.silhouette,
        removed,
        points: if plotted { shown(class, truth) } else { Vec::new() },
    }
}

/// As many images of a class, drawn by chance, as its smaller cluster has.
fn by_chance(class: &Halves, seed: u64) -> Vec<usize> {
    let mut places = class.members.clone();
    places.shuffle(&mut rng::stream(seed, "activation clustering by chance", u64::from(class.label)));
    places.truncate(class.sizes()[1]);
    places
}

impl<B: Train> Defense<B> for Ac {
    fn search(&mut self, case: &Case<'_, B>, watch: &mut Watch<'_>) -> Result<Vec<Evidence>, Halt> {
        let (truth, seed) = (filter::truth(case), case.spec.seed);
        let classes = filter::classes(case, Layer::Pooled, watch, &mut |class| Halves::of(class, &self.settings, seed))?;
        let mut warnings: Vec<String> =
            classes.iter().filter_map(|c| warning(c, &truth, &filter::named(case, c.label), self.settings.decision)).collect();
        let (verdicts, removed) = if self.settings.bb_compat {
            warnings = vec!["with bb_compat the removed images of each class are drawn by chance, as many as its smaller cluster has".to_owned()];
            (vec![None; classes.len()], classes.iter().flat_map(|c| by_chance(c, seed)).collect())
        } else {
            let (verdicts, notes) = self.decide(case, &classes, watch)?;
            warnings.extend(notes);
            let places = classes.iter().zip(&verdicts).flat_map(|(c, v)| v.map_or_else(Vec::new, |v| c.places(v)));
            (verdicts.clone(), places.collect::<Vec<_>>())
        };
        if removed.is_empty() {
            warnings.push("no cluster is judged poisoned: nothing is removed".to_owned());
        }
        let warnings = warnings.iter().map(|w| filter::sentence(w)).collect();
        self.removed = Removed::new(removed, truth.len(), "ac")?;
        let far = classes.iter().map(|c| c.silhouette).fold(f64::NEG_INFINITY, f64::max);
        let plotted = |c: &Halves| c.silhouette == far || c.members.iter().any(|&i| truth[i]);
        let classes = classes.iter().zip(&verdicts).map(|(c, v)| evidence(c, *v, &truth, plotted(c))).collect();
        Ok(vec![Evidence::Clusters(Clusters { classes, detection: Detection::of(&self.removed.removed, &truth), warnings })])
    }

    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, DefenseError> {
        Ok(self.removed.files())
    }

    fn recall(&mut self, case: &Case<'_, B>, folder: &Path) -> Result<(), DefenseError> {
        self.removed = Removed::recall(folder, case.held().len())?;
        Ok(())
    }

    fn images(&self, case: &Case<'_, B>) -> usize {
        case.held().len() - self.removed.removed.len()
    }

    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's> {
        filter::retraining(case, self.removed.kept(case.held().len()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::Planted;
    use super::*;
    use rand::RngExt;

    /// `first` images around 0 and `second` ones around 6 in every direction, the second ones last.
    fn groups(first: usize, second: usize) -> Halves {
        let mut rng = rng::stream(3, "test", 0);
        let values = (0..(first + second) * 12).map(|at| rng.random_range(-1.0f32..1.0) + if at >= first * 12 { 6.0 } else { 0.0 }).collect();
        let class = Class { label: 0, members: (0..first + second).collect(), rows: Rows { values, width: 12 } };
        Halves::of(class, &spec::Ac::default(), 0)
    }

    fn truth(clean: usize, poisoned: usize) -> Vec<bool> {
        (0..clean + poisoned).map(|i| i >= clean).collect()
    }

    fn rule(decision: Decision, halves: &Halves) -> Option<u8> {
        halves.by_rule(&spec::Ac { decision, ..spec::Ac::default() })
    }

    #[test]
    fn a_planted_minority_is_a_cluster_of_its_own() {
        for reduction in [Reduction::Pca, Reduction::FastIca] {
            let planted = groups(80, 20);
            assert_eq!((planted.sizes(), planted.places(1)), ([80, 20], (80..100).collect::<Vec<_>>()), "{reduction:?}");
        }
        let halves = groups(80, 20);
        assert!(halves.silhouette > 0.5, "{}", halves.silhouette);
        for decision in [Decision::Smaller, Decision::RelativeSize, Decision::Silhouette] {
            assert_eq!(rule(decision, &halves), Some(1), "{decision:?}");
            assert_eq!(warning(&halves, &truth(80, 20), "class 0", decision), None);
        }
        let found = evidence(&halves, Some(1), &truth(80, 20), true);
        assert_eq!((found.sizes, found.poisoned, found.points.len()), ([80, 20], [0, 20], 100));
    }

    /// spec.md 3.4's arithmetic: of CIFAR-10's class 0, 4,500 are clean and 5,000 poisoned; of CIFAR-100's, 450 and 5,000.
    #[test]
    fn a_planted_majority_turns_rules_of_size_round_and_is_warned_of() {
        let cifar10 = groups(45, 50);
        assert_eq!((cifar10.places(1), rule(Decision::RelativeSize, &cifar10)), ((0..45).collect::<Vec<_>>(), None));
        assert_eq!(rule(Decision::Smaller, &cifar10), Some(1));
        let words = warning(&cifar10, &truth(45, 50), "class 0 (stop)", Decision::Smaller).unwrap();
        assert!(words.contains("class 0 (stop): 50 of 95 images are poisoned") && words.contains("is the clean one"), "{words}");
        let cifar100 = groups(9, 100);
        assert_eq!(rule(Decision::RelativeSize, &cifar100), Some(1));
        assert!(warning(&cifar100, &truth(9, 100), "class 0", Decision::Reclassification).unwrap().contains("would remove the clean one"));
    }

    #[test]
    fn one_blob_is_no_two_clusters() {
        let blob = groups(100, 0);
        let settings = spec::Ac { silhouette_threshold: 0.15, ..spec::Ac::default() };
        assert!(blob.silhouette < 0.15 && groups(80, 20).silhouette > 0.5, "{}", blob.silhouette);
        assert_eq!((blob.by_rule(&settings), groups(80, 20).by_rule(&settings)), (None, Some(1)));
    }

    /// Called by its own label: clean. Called another class with confidence: poison, whichever is larger.
    #[test]
    fn a_cluster_is_what_a_model_that_never_saw_it_calls_it() {
        let called = |own, confidence| Called { own, confidence };
        assert_eq!(poisoned_cluster([called(0.9, 0.9), called(0.8, 0.9)]), None);
        assert_eq!(poisoned_cluster([called(0.9, 0.9), called(0.1, 0.5)]), Some(1));
        assert_eq!(poisoned_cluster([called(0.1, 0.9), called(0.2, 0.6)]), Some(0));
        assert_eq!(poisoned_cluster([called(0.0, 0.5), called(0.2, 0.8)]), Some(1));
    }

    /// Classes of no, one and two images, an untrained model, every way to decide: a result, or words.
    #[test]
    fn tiny_classes_do_no_harm() {
        for decision in Decision::NAMES {
            for changes in [("defense.reduction", "fast-ica"), ("defense.bb_compat", "true"), ("defense.silhouette_threshold", "-1")] {
                let planted = Planted::new(&[6, 0, 1, 2], 5).with("ac", &[("defense.decision", decision), ("defense.epochs", "1"), changes]);
                let case = planted.case();
                let mut ac = match &planted.spec.defense.method {
                    spec::Method::Ac(settings) => Ac::new(settings.clone()),
                    other => panic!("{other:?}"),
                };
                let found = Defense::search(&mut ac, &case, &mut |_, _, _| true).unwrap();
                let [Evidence::Clusters(found)] = &found[..] else { panic!("{found:?}") };
                assert_eq!(found.classes.len(), 4);
                assert!(found.classes.iter().all(|c| c.silhouette.is_finite()));
                assert_eq!(Defense::images(&ac, &case), 14 - found.detection.removed);
                assert!(matches!(Defense::search(&mut ac, &case, &mut |_, _, _| false), Err(Halt::Ended)));
            }
        }
    }

    #[test]
    fn a_broken_model_is_reported_in_words() {
        let planted = Planted::new(&[6, 6], 2).with("ac", &[]);
        let mut case = planted.case();
        case.model = nan(case.model);
        let error = Defense::search(&mut Ac::new(spec::Ac::default()), &case, &mut |_, _, _| true).unwrap_err();
        let Halt::Failed(error) = error else { panic!("{error:?}") };
        assert!(error.to_string().contains("attack.lr"), "{error}");
    }

    fn nan<M: burn::module::Module<super::super::planted::B>>(model: M) -> M {
        struct Nan;
        impl burn::module::ModuleMapper<super::super::planted::B> for Nan {
            fn map_float<const D: usize>(
                &mut self,
                param: burn::module::Param<burn::tensor::Tensor<super::super::planted::B, D>>,
            ) -> burn::module::Param<burn::tensor::Tensor<super::super::planted::B, D>> {
                param.map(|w| w * f32::NAN)
            }
        }
        model.map(&mut Nan)
    }
}
