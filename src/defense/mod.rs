//! Defenses: what is trained on what, and how. The loop that carries it out is `train`.
//!
//! Conventional and super-fine-tuning differ in the learning rate alone (spec.md 3.1, 3.2): both train every weight
//! on clean images, and the schedule is a property of the run's settings ([`RunSpec::schedule`]).

use crate::data::Split;
use crate::rng;
use crate::spec::RunSpec;

/// The clean images that the defender holds: a share of the clean training set, drawn by the run's seed.
pub fn clean_set(spec: &RunSpec, train: &Split) -> Split {
    let count = spec.clean_images(train.len());
    if count == train.len() {
        return train.clone();
    }
    let mut indices = rng::permutation(train.len(), rng::stream(spec.seed, "clean share", 0));
    indices.truncate(count);
    indices.sort_unstable();
    train.select(&indices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    #[test]
    fn the_share_is_exact_and_follows_the_seed() {
        let train = Split { images: Images { shape: [1, 1, 1], pixels: (0..200).collect() }, labels: vec![0; 200] };
        let share = |seed, clean_share| {
            let mut spec = RunSpec { seed, ..RunSpec::default() };
            spec.defense.clean_share = clean_share;
            clean_set(&spec, &train).images.pixels
        };
        assert_eq!(share(0, 1.0), train.images.pixels);
        assert_eq!(share(0, 0.1).len(), 20);
        assert_eq!(share(3, 0.1), share(3, 0.1));
        assert_ne!(share(3, 0.1), share(4, 0.1));
    }
}
