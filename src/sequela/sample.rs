//! Which images a membership inference attack learns from, and which it is tested on (spec.md 5.1): half of the test
//! images and as many training images for each; no image twice.

use crate::rng;

/// Fewest images of each kind on each side: with fewer the accuracy says nothing.
pub const FEWEST: usize = 10;

/// Images of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Places of members in the training set.
    pub members: Vec<usize>,
    /// Places of non-members in the test set; as many.
    pub others: Vec<usize>,
}

/// Both sides of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halves {
    /// What it learns from.
    pub train: Side,
    /// What it is tested on.
    pub test: Side,
}

impl Halves {
    /// Halves drawn by `seed` of the `members` (places in the training set, each once) and `others` test images. Where
    /// there are fewer members than test images, every part is as large as half of the members.
    pub fn draw(members: &[usize], others: usize, seed: u64) -> Self {
        let count = (others / 2).min(members.len() / 2);
        let of = |total: usize, purpose| rng::permutation(total, rng::stream(seed, purpose, 0));
        let (drawn, outside) = (of(members.len(), "membership members"), of(others, "membership others"));
        let side = |from: usize| Side {
            members: drawn[from..from + count].iter().map(|&at| members[at]).collect(),
            others: outside[from..from + count].to_vec(),
        };
        Self { train: side(0), test: side(count) }
    }

    /// Images of each kind on each side.
    pub fn count(&self) -> usize {
        self.train.members.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// spec.md 5.1: CIFAR 5,000 + 5,000 and as many again, GTSRB 6,315 + 6,315 twice.
    #[test]
    fn the_halves_have_the_papers_sizes() {
        for (train, test, half) in [(50_000, 10_000, 5_000), (39_209, 12_630, 6_315)] {
            let halves = Halves::draw(&(0..train).collect::<Vec<_>>(), test, 0);
            assert_eq!([&halves.train, &halves.test].map(|side| (side.members.len(), side.others.len())), [(half, half); 2]);
        }
    }

    proptest! {
        /// spec.md 12(12): nothing that the attack is tested on was learned from.
        #[test]
        fn no_image_stands_on_both_sides(first in 0usize..50, count in 0usize..400, others in 0usize..400, seed in 0u64..50) {
            let members: Vec<usize> = (0..count).map(|i| first + 3 * i).collect();
            let halves = Halves::draw(&members, others, seed);
            let Halves { train, test } = &halves;
            prop_assert_eq!(halves.count(), (others / 2).min(count / 2));
            for (a, b) in [(&train.members, &test.members), (&train.others, &test.others)] {
                let all: std::collections::BTreeSet<usize> = a.iter().chain(b).copied().collect();
                prop_assert_eq!(all.len(), a.len() + b.len());
                prop_assert_eq!(a.len(), b.len());
            }
            prop_assert!(train.members.iter().chain(&test.members).all(|place| members.contains(place)));
            prop_assert!(train.others.iter().chain(&test.others).all(|place| *place < others));
            prop_assert_eq!(&halves, &Halves::draw(&members, others, seed));
            if halves.count() > 20 {
                prop_assert_ne!(&halves, &Halves::draw(&members, others, seed + 1));
            }
        }
    }
}
