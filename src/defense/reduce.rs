//! Fewer dimensions for activations: principal and independent components, the direction in which a class spreads most.
//!
//! Sums are taken in a fixed order: any number of threads gives the same numbers.

use super::eigen::{combined, dot, orthonormal, symmetric_eigen, times, unit, upright};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// One row for each image.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rows<T> {
    /// Row after row.
    pub(super) values: Vec<T>,
    /// Numbers in a row.
    pub(super) width: usize,
}

impl<T: Copy> Rows<T> {
    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// One of them.
    pub(super) fn row(&self, index: usize) -> &[T] {
        &self.values[index * self.width..][..self.width]
    }
}

impl Rows<f32> {
    /// Whether every number is one.
    pub(super) fn finite(&self) -> bool {
        self.values.iter().all(|v| v.is_finite())
    }

    /// The mean row.
    pub(super) fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.width];
        for index in 0..self.len() {
            mean.iter_mut().zip(self.row(index)).for_each(|(m, v)| *m += f64::from(*v));
        }
        mean.iter_mut().for_each(|m| *m /= self.len().max(1) as f64);
        mean
    }
}

/// Principal components.
pub(super) struct Components {
    mean: Vec<f64>,
    /// One row for each, of length 1.
    directions: Vec<Vec<f64>>,
    /// Variance along each, the largest first.
    pub(super) variances: Vec<f64>,
}

/// A variance below this share of the largest is rounding: there is nothing along such a direction.
const NOTHING: f64 = 1e-10;
/// Directions that are followed beside those that are wanted: the wanted ones settle the sooner.
const BESIDE: usize = 8;
/// Rounds of the subspace iteration at most, and the share by which the variances may still grow in the last.
const SUBSPACES: (usize, f64) = (300, 1e-9);

/// The first `count` principal components of `rows`, fewer where the rows span less: subspace iteration on the covariance
/// (Golub and Van Loan 8.2.4), each round ending in the eigenvectors within the subspace. `start` draws where it begins.
pub(super) fn principal(rows: &Rows<f32>, count: usize, start: &mut ChaCha8Rng) -> Components {
    let mean = rows.mean();
    let covariance = covariance(rows, &mean);
    let width = rows.width;
    let block = (count + BESIDE).min(width);
    let mut basis: Vec<Vec<f64>> = (0..block).map(|_| (0..width).map(|_| start.random_range(-1.0..1.0)).collect()).collect();
    let mut variances = vec![0.0; block];
    orthonormal(&mut basis);
    for _ in 0..SUBSPACES.0 {
        let mut next: Vec<Vec<f64>> = basis.par_iter().map(|v| times(&covariance, v)).collect();
        orthonormal(&mut next);
        let images: Vec<Vec<f64>> = next.par_iter().map(|v| times(&covariance, v)).collect();
        let within: Vec<Vec<f64>> = next.iter().map(|a| images.iter().map(|b| dot(a, b)).collect()).collect();
        let (values, vectors) = symmetric_eigen(within);
        basis = vectors.iter().map(|mix| combined(&next, mix)).collect();
        let grown = (0..count.min(block)).map(|i| (values[i] - variances[i]).abs()).fold(0.0, f64::max);
        variances = values;
        if grown <= SUBSPACES.1 * variances.first().copied().unwrap_or_default() {
            break;
        }
    }
    let largest = variances.first().copied().unwrap_or_default();
    let kept = variances.iter().take(count).take_while(|v| **v > NOTHING * largest && **v > 0.0).count();
    basis.truncate(kept);
    variances.truncate(kept);
    basis.iter_mut().for_each(|v| upright(v));
    Components { mean, directions: basis, variances }
}

/// Sum of `rows` less `mean` times themselves, over their number: `[width][width]`.
fn covariance(rows: &Rows<f32>, mean: &[f64]) -> Vec<Vec<f64>> {
    let columns: Vec<Vec<f64>> =
        (0..rows.width).into_par_iter().map(|j| (0..rows.len()).map(|i| f64::from(rows.row(i)[j]) - mean[j]).collect()).collect();
    let of = |a: &Vec<f64>| columns.iter().map(|b| dot(a, b) / rows.len().max(1) as f64).collect();
    columns.par_iter().map(of).collect()
}

impl Components {
    /// `rows` in these components. Where there are none, all rows being alike, in one that is 0.
    pub(super) fn project(&self, rows: &Rows<f32>) -> Rows<f64> {
        let width = self.directions.len().max(1);
        let of = |i: usize| -> Vec<f64> {
            let away: Vec<f64> = rows.row(i).iter().zip(&self.mean).map(|(x, m)| f64::from(*x) - m).collect();
            if self.directions.is_empty() { vec![0.0] } else { times(&self.directions, &away) }
        };
        let parts: Vec<Vec<f64>> = (0..rows.len()).into_par_iter().map(of).collect();
        Rows { values: parts.concat(), width }
    }
}

/// Rounds of `FastICA` after which it ends even where it has not settled (scikit-learn's).
const ROUNDS: usize = 200;
/// A round that turns no direction by more than this was the last (scikit-learn's).
const SETTLED: f64 = 1e-4;

/// Independent components (Hyvärinen 1999: all at once, log cosh) of `points` in principal components of `variances`; the
/// first directions are drawn from `rng`.
pub(super) fn independent(points: &Rows<f64>, variances: &[f64], rng: &mut ChaCha8Rng) -> Rows<f64> {
    let (n, k) = (points.len(), variances.len());
    if k == 0 || n == 0 {
        return points.clone();
    }
    let white: Vec<Vec<f64>> = (0..n).map(|i| points.row(i).iter().zip(variances).map(|(x, v)| x / v.sqrt()).collect()).collect();
    let mut w = apart((0..k).map(|_| (0..k).map(|_| rng.random_range(-1.0..1.0)).collect()).collect());
    for _ in 0..ROUNDS {
        let next = apart(w.par_iter().map(|direction| bent(&white, direction)).collect());
        let turned = next.iter().zip(&w).map(|(a, b)| (1.0 - dot(a, b).abs()).abs()).fold(0.0, f64::max);
        w = next;
        if turned < SETTLED {
            break;
        }
    }
    Rows { values: white.iter().flat_map(|row| times(&w, row)).collect(), width: k }
}

/// `mean(x tanh(w x)) - mean(1 - tanh(w x)^2) w`: where the points draw a direction.
fn bent(points: &[Vec<f64>], w: &[f64]) -> Vec<f64> {
    let (mut pull, mut slope) = (vec![0.0; w.len()], 0.0);
    for x in points {
        let g = dot(w, x).tanh();
        slope += 1.0 - g * g;
        pull.iter_mut().zip(x).for_each(|(p, x)| *p += g * x);
    }
    pull.iter().zip(w).map(|(p, w)| (p - slope * w) / points.len() as f64).collect()
}

/// `(W W^T)^(-1/2) W`: rows at right angles, each of length 1.
fn apart(w: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let (values, vectors) = symmetric_eigen(w.iter().map(|a| w.iter().map(|b| dot(a, b)).collect()).collect());
    let scaled: Vec<Vec<f64>> =
        vectors.iter().zip(values).map(|(v, s)| combined(&w, v).iter().map(|x| x / s.max(f64::MIN_POSITIVE).sqrt()).collect()).collect();
    (0..w.len()).map(|i| combined(&scaled, &vectors.iter().map(|v| v[i]).collect::<Vec<_>>())).collect()
}

/// Rows whose sums are taken together.
const PART: usize = 256;
/// Rounds of the power iteration.
const POWERS: usize = 300;

/// The direction of length 1 along which `rows` less `mean` spread most: their top right singular vector, by power
/// iteration, which needs no covariance matrix. All zeros where the rows do not differ.
pub(super) fn spread(rows: &Rows<f32>) -> Vec<f64> {
    let mean = &rows.mean();
    // The row furthest from the mean is not at right angles to the direction looked for, but by ill luck.
    let away = |i: usize| rows.row(i).iter().zip(mean).map(|(v, m)| (f64::from(*v) - m).powi(2)).sum::<f64>();
    let Some(first) = (0..rows.len()).max_by(|&a, &b| away(a).total_cmp(&away(b))) else { return vec![0.0; rows.width] };
    let mut v: Vec<f64> = rows.row(first).iter().zip(mean).map(|(x, m)| f64::from(*x) - m).collect();
    if !unit(&mut v) {
        return vec![0.0; rows.width];
    }
    for _ in 0..POWERS {
        let mut next = stretched(rows, mean, &v);
        if !unit(&mut next) {
            break;
        }
        let turned = 1.0 - next.iter().zip(&v).map(|(a, b)| a * b).sum::<f64>().abs();
        v = next;
        if turned < 1e-12 {
            break;
        }
    }
    v
}

/// The covariance of `rows` times `v`, without computing the covariance.
fn stretched(rows: &Rows<f32>, mean: &[f64], v: &[f64]) -> Vec<f64> {
    let offset: f64 = mean.iter().zip(v).map(|(m, v)| m * v).sum();
    let parts: Vec<Vec<f64>> = rows
        .values
        .par_chunks(PART * rows.width.max(1))
        .map(|part| {
            let mut sum = vec![0.0; rows.width];
            for row in part.chunks_exact(rows.width) {
                let along = row.iter().zip(v).map(|(x, v)| f64::from(*x) * v).sum::<f64>() - offset;
                sum.iter_mut().zip(row.iter().zip(mean)).for_each(|(s, (x, m))| *s += along * (f64::from(*x) - m));
            }
            sum
        })
        .collect();
    let mut total = vec![0.0; rows.width];
    parts.iter().for_each(|part| total.iter_mut().zip(part).for_each(|(t, p)| *t += p));
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;

    fn stream() -> ChaCha8Rng {
        rng::stream(0, "test", 9)
    }

    /// Uniform in -1..1.
    fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut rng = rng::stream(seed, "test", 0);
        move || rng.random_range(-1.0..1.0)
    }

    /// Rows `3 a (2, 1, 2)/3 + b (1, 2, -2)/3 + (5, 5, 5)`, with a and b of variance 1/3.
    fn planted(count: usize) -> (Rows<f32>, Vec<[f64; 2]>) {
        let mut next = noise(1);
        let truth: Vec<[f64; 2]> = (0..count).map(|_| [next(), next()]).collect();
        let [p, q] = [[2.0, 1.0, 2.0], [1.0, 2.0, -2.0]];
        let values = truth.iter().flat_map(|[a, b]| (0..3).map(move |j| (5.0 + a * p[j] + b * q[j] / 3.0) as f32)).collect();
        (Rows { values, width: 3 }, truth)
    }

    fn correlation(a: impl Iterator<Item = f64> + Clone, b: impl Iterator<Item = f64> + Clone) -> f64 {
        let n = a.clone().count() as f64;
        let mean = |x: f64| x / n;
        let (ma, mb) = (mean(a.clone().sum()), mean(b.clone().sum()));
        let dot = |p: Vec<(f64, f64)>| p.into_iter().map(|(x, y)| x * y).sum::<f64>();
        let (ca, cb): (Vec<f64>, Vec<f64>) = (a.map(|x| x - ma).collect(), b.map(|x| x - mb).collect());
        let of = |x: &[f64], y: &[f64]| dot(x.iter().copied().zip(y.iter().copied()).collect());
        of(&ca, &cb) / (of(&ca, &ca) * of(&cb, &cb)).sqrt()
    }

    /// Two directions at right angles: PCA finds both, their variances, and nothing along the third.
    #[test]
    fn principal_components_are_the_planted_ones() {
        let (rows, truth) = planted(4000);
        let found = principal(&rows, 10, &mut stream());
        assert_eq!(found.variances.len(), 2, "{:?}", found.variances);
        assert!((found.variances[0] - 3.0).abs() < 0.1 && (found.variances[1] - 1.0 / 3.0).abs() < 0.02, "{:?}", found.variances);
        let points = found.project(&rows);
        for k in 0..2 {
            let c = correlation((0..4000).map(|i| points.row(i)[k]), truth.iter().map(|t| t[k]));
            assert!(c.abs() > 0.999, "component {k}: {c}");
        }
        let v = spread(&rows);
        let expected = [2.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0];
        let along: f64 = v.iter().zip(expected).map(|(a, b)| a * b).sum();
        assert!(along.abs() > 0.9999, "{v:?}");
        // Power iteration and eigenvectors agree far better than either agrees with what was planted.
        let exact: f64 = found.directions[0].iter().zip(&v).map(|(a, b)| a * b).sum();
        assert!((exact.abs() - 1.0).abs() < 1e-9, "{exact}");
    }

    /// A matrix wider than the subspace: the found components are the eigenvectors of the whole covariance.
    #[test]
    fn a_subspace_finds_what_the_whole_matrix_holds() {
        let mut next = noise(6);
        let values = (0..300).flat_map(|_| (0..40).map(|j| (next() * 0.8f64.powi(j)) as f32).collect::<Vec<_>>()).collect();
        let rows = Rows { values, width: 40 };
        let found = principal(&rows, 3, &mut stream());
        let (values, vectors) = symmetric_eigen(covariance(&rows, &rows.mean()));
        for k in 0..3 {
            assert!((found.variances[k] / values[k] - 1.0).abs() < 1e-6, "{k}: {} is not {}", found.variances[k], values[k]);
            assert!(dot(&found.directions[k], &vectors[k]).abs() > 0.9999, "{k}");
        }
    }

    /// Uniform sources mixed so that no principal component is one of them: FastICA takes them apart.
    #[test]
    fn independent_components_are_the_sources() {
        let mut next = noise(2);
        let sources: Vec<[f64; 2]> = (0..3000).map(|_| [next(), next()]).collect();
        let values = sources.iter().flat_map(|[a, b]| [(a + b) as f32, (a - 0.6 * b) as f32]).collect();
        let rows = Rows { values, width: 2 };
        let components = principal(&rows, 2, &mut stream());
        let points = independent(&components.project(&rows), &components.variances, &mut rng::stream(0, "test", 1));
        let matches = |k: usize, s: usize| correlation((0..3000).map(|i| points.row(i)[k]), sources.iter().map(|t| t[s])).abs();
        let best = (matches(0, 0).min(matches(1, 1))).max(matches(0, 1).min(matches(1, 0)));
        assert!(best > 0.995, "{best}");
    }

    #[test]
    fn rows_that_do_not_differ_have_no_direction() {
        let rows = Rows { values: vec![2.5f32; 12], width: 3 };
        let found = principal(&rows, 10, &mut stream());
        assert_eq!((found.variances.len(), found.project(&rows)), (0, Rows { values: vec![0.0; 4], width: 1 }));
        assert_eq!(spread(&rows), [0.0; 3]);
        let none = Rows::<f32> { values: Vec::new(), width: 3 };
        assert_eq!(principal(&none, 2, &mut stream()).project(&none).len(), 0);
        assert_eq!(spread(&none), [0.0; 3]);
        let one = Rows { values: vec![1.0f32, 2.0, 3.0], width: 3 };
        assert_eq!(principal(&one, 2, &mut stream()).project(&one).values, [0.0]);
    }
}
