//! The little linear algebra that the filters need: a few leading directions, not a whole decomposition of a large matrix.

/// `matrix` times `v`.
pub(super) fn times(matrix: &[Vec<f64>], v: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, v)).collect()
}

/// Eight sums side by side, which the processor takes at once.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a8.zip(b8) {
        sums.iter_mut().zip(x.iter().zip(y)).for_each(|(s, (x, y))| *s += x * y);
    }
    sums.iter().sum::<f64>() + rest
}

/// The sum of `vectors`, each times its entry of `mix`.
pub(super) fn combined(vectors: &[Vec<f64>], mix: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; vectors.first().map_or(0, Vec::len)];
    vectors.iter().zip(mix).for_each(|(v, m)| sum.iter_mut().zip(v).for_each(|(s, x)| *s += m * x));
    sum
}

/// Gram-Schmidt, twice for the rounding; a vector that the ones before it span becomes all zeros.
pub(super) fn orthonormal(vectors: &mut [Vec<f64>]) {
    for i in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(i);
        let v = &mut rest[0];
        let length = dot(v, v).sqrt();
        for _ in 0..2 {
            for u in before.iter() {
                let along = dot(u, v);
                v.iter_mut().zip(u).for_each(|(v, u)| *v -= along * u);
            }
        }
        if dot(v, v).sqrt() <= 1e-12 * length || !unit(v) {
            v.fill(0.0);
        }
    }
}

/// A direction and its opposite are the same: the largest entry points up.
pub(super) fn upright(v: &mut [f64]) {
    let at = (0..v.len()).fold(0, |best, i| if v[i].abs() > v[best].abs() { i } else { best });
    if v.get(at).is_some_and(|x| *x < 0.0) {
        v.iter_mut().for_each(|x| *x = -*x);
    }
}

/// Sweeps of Jacobi's method at most: it settles after six or so.
const SWEEPS: usize = 60;

/// Eigenvalues of a symmetric matrix, the largest first, and their vectors, one row each: Jacobi's rotations (Golub and
/// Van Loan 8.5).
pub(super) fn symmetric_eigen(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = a.len();
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let size: f64 = a.iter().flatten().map(|x| x * x).sum();
    for _ in 0..SWEEPS {
        let beside: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j] * a[i][j]).sum();
        // Numbers that are none compare as nothing: they end it too.
        if beside.partial_cmp(&(1e-30 * size)) != Some(std::cmp::Ordering::Greater) {
            break;
        }
        for (p, q) in (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))) {
            if a[p][q] == 0.0 {
                continue;
            }
            let tau = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = tau.signum() / (tau.abs() + tau.hypot(1.0));
            let c = 1.0 / t.hypot(1.0);
            let s = t * c;
            rotate(&mut a, p, q, c, s);
            for row in &mut a {
                (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
            }
            rotate(&mut v, p, q, c, s);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    (order.iter().map(|&i| a[i][i]).collect(), order.iter().map(|&i| std::mem::take(&mut v[i])).collect())
}

/// Turns rows `p` and `q` by the angle of cosine `c` and sine `s`.
fn rotate(rows: &mut [Vec<f64>], p: usize, q: usize, c: f64, s: f64) {
    let (first, second) = rows.split_at_mut(q);
    first[p].iter_mut().zip(&mut second[0]).for_each(|(x, y)| (*x, *y) = (c * *x - s * *y, s * *x + c * *y));
}

/// Makes `v` of length 1; whether it has any.
pub(super) fn unit(v: &mut [f64]) -> bool {
    let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    if !(length > 0.0 && length.is_finite()) {
        return false;
    }
    v.iter_mut().for_each(|x| *x /= length);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;
    use rand::RngExt;

    /// By hand: [[2, 1, 0], [1, 2, 0], [0, 0, 5]] has 5, 3 and 1; and a matrix times its vectors is its values times them.
    #[test]
    fn jacobi_finds_eigenvalues_and_vectors() {
        let (values, vectors) = symmetric_eigen(vec![vec![2.0, 1.0, 0.0], vec![1.0, 2.0, 0.0], vec![0.0, 0.0, 5.0]]);
        assert!(values.iter().zip([5.0, 3.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-12), "{values:?}");
        assert!((vectors[1][0].abs() - 0.5f64.sqrt()).abs() < 1e-12 && (vectors[1][0] - vectors[1][1]).abs() < 1e-12, "{vectors:?}");
        let mut rng = rng::stream(5, "test", 0);
        let half: Vec<Vec<f64>> = (0..20).map(|_| (0..20).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();
        let a: Vec<Vec<f64>> = half.iter().map(|x| half.iter().map(|y| dot(x, y)).collect()).collect();
        let (values, vectors) = symmetric_eigen(a.clone());
        assert!(values.windows(2).all(|w| w[0] >= w[1]));
        for (value, v) in values.iter().zip(&vectors) {
            assert!(times(&a, v).iter().zip(v).all(|(x, y)| (x - value * y).abs() < 1e-9));
        }
    }

    #[test]
    fn vectors_are_made_orthonormal_and_those_that_others_span_vanish() {
        let mut v = vec![vec![3.0, 4.0, 0.0], vec![6.0, 8.0, 0.0], vec![1.0, 0.0, -2.0]];
        orthonormal(&mut v);
        assert_eq!(v[1], [0.0; 3]);
        assert!((dot(&v[0], &v[0]) - 1.0).abs() < 1e-12 && (dot(&v[2], &v[2]) - 1.0).abs() < 1e-12 && dot(&v[0], &v[2]).abs() < 1e-12);
        let long: Vec<f64> = (0..19).map(f64::from).collect();
        assert_eq!(dot(&long, &long), 2109.0);
        upright(&mut v[0]);
        assert!(v[0][1] > 0.0);
    }
}
