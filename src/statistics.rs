//! Means over seeds, and when one may be called better than another. Every table and chart that averages takes its
//! numbers from here.

/// Normal quantile of 97.5%.
const Z: f64 = 1.959_963_984_540_054;
/// Student's t quantiles of 97.5% for 1 to 4 degrees of freedom, where the series in [`t`] is too coarse.
const FEW: [f64; 4] = [12.706_204_736, 4.302_652_730, 3.182_446_305, 2.776_445_105];

/// Number, mean and spread of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, that of a sample (n - 1); none of a single value.
    pub deviation: Option<f64>,
}

impl Summary {
    /// That of `values`; none where there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Some(Self { n, mean, deviation: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()) })
    }

    /// The 95% interval of the mean by Student's t, mean +- t sd / sqrt(n); none of a single value. With the two or three
    /// seeds that runs usually have, 1.96 in place of t would promise far too much.
    pub fn interval(&self) -> Option<(f64, f64)> {
        let half = t(self.n.checked_sub(1)?)? * self.deviation? / (self.n as f64).sqrt();
        Some((self.mean - half, self.mean + half))
    }
}

/// The 97.5% quantile of Student's t with `df` degrees of freedom: exact to four digits (Fisher and Cornish's expansion;
/// Abramowitz and Stegun 26.7.5).
fn t(df: usize) -> Option<f64> {
    let few = FEW.get(df.checked_sub(1)?).copied();
    let (v, z) = (df as f64, Z);
    let terms = [
        (z.powi(3) + z) / 4.0,
        (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0,
        (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0,
        (79.0 * z.powi(9) + 776.0 * z.powi(7) + 1482.0 * z.powi(5) - 1920.0 * z.powi(3) - 945.0 * z) / 92_160.0,
    ];
    Some(few.unwrap_or_else(|| z + terms.iter().zip(1..).map(|(term, power)| term / v.powi(power)).sum::<f64>()))
}

/// Which way a measure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The higher, the better.
    Higher,
    /// The lower, the better.
    Lower,
}

/// Which of some samples is the best, or why none may be called so. Numbers are places among the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Best {
    /// This one: its interval lies apart from every other's.
    Is(usize),
    /// There are not two to compare.
    Alone,
    /// This one is a single value, of which no interval is known.
    Single(usize),
    /// The one with the best mean, and one whose interval reaches into its own.
    Overlap(usize, usize),
}

/// The best of `samples`.
pub fn best(samples: &[Summary], better: Better) -> Best {
    let sign = if better == Better::Higher { 1.0 } else { -1.0 };
    let leader = (0..samples.len()).max_by(|a, b| (sign * samples[*a].mean).total_cmp(&(sign * samples[*b].mean)));
    let (Some(leader), true) = (leader, samples.len() > 1) else { return Best::Alone };
    let mut intervals = Vec::with_capacity(samples.len());
    for (place, sample) in samples.iter().enumerate() {
        match sample.interval() {
            Some(interval) => intervals.push(interval),
            None => return Best::Single(place),
        }
    }
    let (low, high) = intervals[leader];
    let apart = |other: &(f64, f64)| if better == Better::Higher { other.1 < low } else { other.0 > high };
    match intervals.iter().enumerate().find(|(place, other)| *place != leader && !apart(other)) {
        Some((place, _)) => Best::Overlap(leader, place),
        None => Best::Is(leader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, by: f64) {
        assert!((a - b).abs() <= by, "{a} is not {b}");
    }

    #[test]
    fn closed_forms() {
        assert_eq!(Summary::of(&[]), None);
        let one = Summary::of(&[0.3]).unwrap();
        assert_eq!((one.n, one.mean, one.deviation, one.interval()), (1, 0.3, None, None));
        // Of two values: sd = |a - b| / sqrt 2, interval = mean +- 12.706 |a - b| / 2.
        let two = Summary::of(&[0.2, 0.4]).unwrap();
        close(two.deviation.unwrap(), 0.2 / 2f64.sqrt(), 1e-12);
        close(two.interval().unwrap().0, 0.3 - 12.7062 * 0.1, 1e-5);
        // 1, 2, 3: sd = 1, interval = 2 +- 4.3027 / sqrt 3.
        let three = Summary::of(&[1.0, 2.0, 3.0]).unwrap();
        close(three.deviation.unwrap(), 1.0, 1e-12);
        close(three.interval().unwrap().1, 2.0 + 4.302_653 / 3f64.sqrt(), 1e-6);
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        assert_eq!(t(0), None);
        for (df, value) in [(1, 12.7062), (2, 4.3027), (4, 2.7764), (5, 2.5706), (9, 2.2622), (29, 2.0452), (60, 2.0003), (1000, 1.9623)] {
            close(t(df).unwrap(), value, 1e-3);
        }
    }

    #[test]
    fn a_best_is_named_only_where_intervals_lie_apart() {
        let of = |values: &[f64]| Summary::of(values).unwrap();
        let (low, high) = (of(&[0.10, 0.11, 0.12]), of(&[0.90, 0.91, 0.92]));
        assert_eq!(best(&[high, low], Better::Lower), Best::Is(1));
        assert_eq!(best(&[high, low], Better::Higher), Best::Is(0));
        // The means differ, and the spread says that this may be chance.
        assert_eq!(best(&[of(&[0.1, 0.5]), high], Better::Lower), Best::Overlap(0, 1));
        assert_eq!(best(&[low, of(&[0.5]), high], Better::Lower), Best::Single(1));
        assert_eq!(best(&[low], Better::Lower), Best::Alone);
        assert_eq!(best(&[], Better::Lower), Best::Alone);
        // Intervals that touch overlap.
        assert_eq!(best(&[of(&[0.5, 0.5]), of(&[0.5, 0.5])], Better::Higher), Best::Overlap(1, 0));
        assert_eq!(best(&[of(&[0.5, 0.5]), of(&[f64::NAN, 0.5])], Better::Higher), Best::Overlap(1, 0));
    }

    proptest! {
        /// Moving and stretching all values moves and stretches mean and deviation alike; the best stays.
        #[test]
        fn units_do_not_matter(a in prop::collection::vec(0f64..1.0, 2..6), b in prop::collection::vec(0f64..1.0, 2..6), by in 0.5f64..4.0) {
            let of = |values: &[f64], by: f64| Summary::of(&values.iter().map(|v| v * by + 3.0).collect::<Vec<_>>()).unwrap();
            let (plain, stretched) = (of(&a, 1.0), of(&a, by));
            prop_assert!(((plain.mean - 3.0) * by - (stretched.mean - 3.0)).abs() < 1e-9);
            prop_assert!((plain.deviation.unwrap() * by - stretched.deviation.unwrap()).abs() < 1e-9);
            let (low, high) = plain.interval().unwrap();
            prop_assert!(low <= plain.mean && plain.mean <= high);
            let apart = |better| best(&[of(&a, 1.0), of(&b, 1.0)], better);
            // At most one of two is best, and never in both ways.
            prop_assert!(!(apart(Better::Higher) == apart(Better::Lower) && matches!(apart(Better::Lower), Best::Is(_))));
        }
    }
}
