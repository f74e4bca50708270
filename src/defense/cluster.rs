//! Two clusters, and how far apart they lie: 2-means and the silhouette.

use super::reduce::Rows;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Starts of 2-means; the tightest result counts (scikit-learn's number).
const STARTS: usize = 10;
/// Rounds of each at most (scikit-learn's).
const ROUNDS: usize = 300;
/// Points by which a silhouette is measured at most, evenly spaced among all: its cost grows with their square.
const MEASURED: usize = 5000;

/// The cluster of each point, 0 or 1: 2-means with centres drawn apart (k-means++). Cluster 0 is the larger one, or of two
/// alike that of the first point. Points
/// that do not differ are one cluster.
pub(super) fn two_means(points: &Rows<f64>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let count = points.len();
    let mut best = (f64::INFINITY, vec![0u8; count]);
    for _ in 0..STARTS {
        let Some(centres) = start(points, rng) else { break };
        let result = settle(points, centres);
        if result.0 < best.0 {
            best = result;
        }
    }
    let mut clusters = best.1;
    let second = 2 * clusters.iter().filter(|c| **c == 1).count();
    if second > count || second == count && clusters.first() == Some(&1) {
        clusters.iter_mut().for_each(|c| *c = 1 - *c);
    }
    clusters
}

/// A random point, and one drawn by its squared distance from it; `None` where no two points differ.
fn start(points: &Rows<f64>, rng: &mut ChaCha8Rng) -> Option<[Vec<f64>; 2]> {
    if points.len() < 2 {
        return None;
    }
    let first = points.row(rng.random_range(0..points.len()));
    let distances: Vec<f64> = (0..points.len()).map(|i| squared(points.row(i), first)).collect();
    let total: f64 = distances.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let mut left = rng.random_range(0.0..1.0) * total;
    let mut second = 0;
    for (i, d) in distances.iter().enumerate().filter(|(_, d)| **d > 0.0) {
        (left, second) = (left - d, i);
        if left < 0.0 {
            break;
        }
    }
    Some([first.to_vec(), points.row(second).to_vec()])
}

/// Lloyd's rounds from `centres`: the sum of squared distances, and the cluster of each point.
fn settle(points: &Rows<f64>, mut centres: [Vec<f64>; 2]) -> (f64, Vec<u8>) {
    let nearer = |centres: &[Vec<f64>; 2]| -> Vec<u8> {
        (0..points.len()).map(|i| u8::from(squared(points.row(i), &centres[1]) < squared(points.row(i), &centres[0]))).collect()
    };
    let mut clusters = nearer(&centres);
    for _ in 0..ROUNDS {
        for (c, centre) in (0u8..).zip(&mut centres) {
            let members = || (0..points.len()).filter(|&i| clusters[i] == c);
            let size = members().count();
            if size > 0 {
                centre.fill(0.0);
                members().for_each(|i| centre.iter_mut().zip(points.row(i)).for_each(|(m, v)| *m += v / size as f64));
            }
        }
        let next = nearer(&centres);
        if next == clusters {
            break;
        }
        clusters = next;
    }
    let inertia = (0..points.len()).map(|i| squared(points.row(i), &centres[usize::from(clusters[i])])).sum();
    (inertia, clusters)
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Mean silhouette (Rousseeuw 1987): for each point the mean distance b to the other cluster against that to its own, a:
/// `(b - a) / max(a, b)`, and 0 for a point alone. 0 where there are not two clusters.
pub(super) fn silhouette(points: &Rows<f64>, clusters: &[u8]) -> f64 {
    let step = points.len().div_ceil(MEASURED).max(1);
    let measured: Vec<usize> = (0..points.len()).step_by(step).collect();
    let size = |c: u8| measured.iter().filter(|i| clusters[**i] == c).count();
    let sizes = [size(0), size(1)];
    if sizes.contains(&0) {
        return 0.0;
    }
    let of = |&i: &usize| {
        let mut sums = [0.0; 2];
        measured.iter().for_each(|&j| sums[usize::from(clusters[j])] += squared(points.row(i), points.row(j)).sqrt());
        let own = usize::from(clusters[i]);
        if sizes[own] < 2 {
            return 0.0;
        }
        let (a, b) = (sums[own] / (sizes[own] - 1) as f64, sums[1 - own] / sizes[1 - own] as f64);
        let larger = a.max(b);
        if larger > 0.0 { (b - a) / larger } else { 0.0 }
    };
    let each: Vec<f64> = measured.par_iter().map(of).collect();
    each.iter().sum::<f64>() / each.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;
    use proptest::prelude::*;

    fn line(values: &[f64]) -> Rows<f64> {
        Rows { values: values.to_vec(), width: 1 }
    }

    fn clusters(points: &Rows<f64>) -> Vec<u8> {
        two_means(points, &mut rng::stream(0, "test", 0))
    }

    #[test]
    fn two_groups_are_two_clusters_and_the_larger_is_the_first() {
        assert_eq!(clusters(&line(&[0.0, 10.0, 0.1, 10.1, 0.2])), [0, 1, 0, 1, 0]);
        assert_eq!(clusters(&line(&[10.0, 0.0, 10.1])), [0, 1, 0]);
    }

    /// By hand: 0 and 1 against 4 and 6. a = 1, 1, 2, 2; b = 5, 4, 3.5, 5.5.
    #[test]
    fn the_silhouette_is_rousseeuws() {
        let points = line(&[0.0, 1.0, 4.0, 6.0]);
        let expected = (0.8 + 0.75 + 1.5 / 3.5 + 3.5 / 5.5) / 4.0;
        assert!((silhouette(&points, &[0, 0, 1, 1]) - expected).abs() < 1e-12);
        // A point alone counts as 0: a = 1, 1; b = 6, 5.
        let alone = (5.0 / 6.0 + 4.0 / 5.0) / 3.0;
        assert!((silhouette(&line(&[0.0, 1.0, 6.0]), &[0, 0, 1]) - alone).abs() < 1e-12);
    }

    #[test]
    fn few_points_and_equal_points_are_one_cluster() {
        for points in [line(&[]), line(&[3.0]), line(&[2.0, 2.0, 2.0])] {
            let found = clusters(&points);
            assert!(found.iter().all(|c| *c == 0), "{found:?}");
            assert_eq!(silhouette(&points, &found), 0.0);
        }
        assert_eq!(clusters(&line(&[1.0, 2.0])), [0, 1]);
        assert_eq!(clusters(&line(&[f64::NAN, 2.0, 1.0])).len(), 3);
    }

    proptest! {
        /// Every point is nearer to its own cluster's mean, and the silhouette stays within its bounds.
        #[test]
        fn every_point_is_with_its_nearer_centre(values in prop::collection::vec(-100.0f64..100.0, 4..40)) {
            let points = Rows { values: values[..values.len() / 2 * 2].to_vec(), width: 2 };
            let found = clusters(&points);
            let s = silhouette(&points, &found);
            prop_assert!((-1.0..=1.0).contains(&s));
            let of = |c: u8| (0..points.len()).filter(|&i| found[i] == c).collect::<Vec<_>>();
            let groups = [of(0), of(1)];
            prop_assume!(!groups[1].is_empty());
            prop_assert!(groups[0].len() >= groups[1].len());
            let centre = |g: &[usize]| (0..2).map(|j| g.iter().map(|&i| points.row(i)[j]).sum::<f64>() / g.len() as f64).collect::<Vec<_>>();
            let centres = [centre(&groups[0]), centre(&groups[1])];
            for (i, c) in found.iter().enumerate() {
                let own = usize::from(*c);
                prop_assert!(squared(points.row(i), &centres[own]) <= squared(points.row(i), &centres[1 - own]) + 1e-9);
            }
        }
    }
}
