//! An order in which every beginning of a set that is sorted by class is a small copy of the whole.

/// Puts the samples of classes with `counts` samples each in order: `(class, number within the class)`.
///
/// A class gets its share of every beginning, to within one image; within a class the samples are spread over its
/// whole list (0, the middle, the quarters, ...), so that neighbours, for instance pictures of the same sign from one
/// drive, come late. It depends on the counts alone.
pub fn stratified(counts: &[usize]) -> Vec<(usize, usize)> {
    let mut samples = Vec::with_capacity(counts.iter().sum());
    for (class, &count) in counts.iter().enumerate() {
        let mut spread: Vec<usize> = (0..count).collect();
        spread.sort_by_key(|&index| (index as u64).reverse_bits());
        samples.extend(spread.into_iter().enumerate().map(|(rank, index)| (rank, class, index)));
    }
    // Rank r of n stands at (r + 1/2) / n of the way; compared without dividing.
    let before = |a: &(usize, usize, usize), b: &(usize, usize, usize)| {
        let (left, right) = ((2 * a.0 as u128 + 1) * counts[b.1] as u128, (2 * b.0 as u128 + 1) * counts[a.1] as u128);
        left.cmp(&right).then(a.1.cmp(&b.1))
    };
    samples.sort_by(before);
    samples.into_iter().map(|(_, class, index)| (class, index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_small_set_in_full() {
        assert_eq!(stratified(&[4, 2]), [(0, 0), (1, 0), (0, 2), (0, 1), (1, 1), (0, 3)]);
        assert_eq!(stratified(&[0, 1]), [(1, 0)]);
        assert!(stratified(&[]).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_beginning_has_the_shares_of_the_whole(counts in prop::collection::vec(0..90_usize, 1..12), cut in 0..500_usize) {
            let all = stratified(&counts);
            let total: usize = counts.iter().sum();
            let mut sorted = all.clone();
            sorted.sort_unstable();
            sorted.dedup();
            prop_assert_eq!(sorted.len(), total);
            let cut = cut.min(total);
            for (class, &count) in counts.iter().enumerate() {
                let there = all[..cut].iter().filter(|sample| sample.0 == class).count();
                let share = count as f64 * cut as f64 / total.max(1) as f64;
                // Each class is rounded on its own, so the sum of the others' rounding can shift the cut.
                prop_assert!((there as f64 - share).abs() <= 1.0 + counts.len() as f64 / 2.0 * count as f64 / total.max(1) as f64, "{there} {share}");
            }
        }
    }
}
