//! Round values along an axis.

/// A value that is written at an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where it stands, in data units.
    pub value: f64,
    /// What is written.
    pub label: String,
}

/// `min` and `max` made fit for an axis: finite, in order and apart.
pub fn bounds(min: f64, max: f64) -> (f64, f64) {
    match (min.is_finite(), max.is_finite()) {
        (true, true) if max > min => (min, max),
        (true, true) if max == min => (min, min + min.abs().max(1.0)),
        (true, true) => (max, min),
        _ => (0.0, 1.0),
    }
}

/// The step of 1, 2 or 5 times a power of ten that divides `length` into at most `count` parts.
pub fn step(length: f64, count: usize) -> f64 {
    let rough = length / count.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    // A hair of tolerance: 0.6/3 is a little more than 0.2 in binary.
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|step| *step >= rough * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// Round values within `min..=max`, in about `count` steps.
pub fn linear(min: f64, max: f64, count: usize) -> Vec<Tick> {
    let (min, max) = bounds(min, max);
    let step = step(max - min, count);
    let first = (min / step - 1e-9).ceil() as i64;
    let last = (max / step + 1e-9).floor() as i64;
    (first..=last).map(|i| Tick { value: i as f64 * step, label: label(i as f64 * step, step) }).collect()
}

/// `value` with as many decimals as ticks `step` apart need.
pub fn label(value: f64, step: f64) -> String {
    let decimals = (-step.log10() - 1e-9).ceil().clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) { text.trim_start_matches('-').to_owned() } else { text }
}

/// A number as a reader expects it: up to four significant digits, no superfluous zeros, 3e-5 below a ten-thousandth.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let decimals = (3.0 - value.abs().log10().floor()).clamp(0.0, 7.0) as usize;
    if value.abs() < 1e-4 {
        return format!("{value:e}");
    }
    trimmed(format!("{value:.decimals$}"))
}

/// A mean with its deviation, both to the deviation's second significant digit: `0.0182 \u{b1} 0.0056`.
pub fn with_deviation(mean: f64, deviation: f64) -> String {
    let decimals = (1.0 - deviation.log10().floor()).clamp(0.0, 7.0) as usize;
    format!("{mean:.decimals$} \u{b1} {deviation:.decimals$}")
}

/// A number without superfluous zeros behind the point.
pub fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A learning rate as the screen has it: `0.1`, `0.025`, `1e-3`, `3e-4`.
pub fn rate(lr: f64) -> String {
    if lr == 0.0 || !lr.is_finite() {
        return "0".to_owned();
    }
    if lr >= 0.01 { trimmed(format!("{lr:.4}")) } else { scientific(lr) }
}

fn scientific(lr: f64) -> String {
    let text = format!("{lr:.2e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trimmed(mantissa.to_owned())),
        None => text,
    }
}

/// A whole number with commas between thousands.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(min: f64, max: f64, count: usize) -> Vec<String> {
        linear(min, max, count).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn a_deviation_decides_the_digits() {
        assert_eq!(with_deviation(0.018_151, 0.005_559), "0.0182 \u{b1} 0.0056");
        assert_eq!(with_deviation(12.345, 0.98), "12.35 \u{b1} 0.98");
        assert_eq!(with_deviation(1234.5, 111.0), "1234 \u{b1} 111");
    }

    #[test]
    fn known_axes() {
        assert_eq!(labels(0.0, 1.0, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.0, 14.0, 7), ["0", "2", "4", "6", "8", "10", "12", "14"]);
        assert_eq!(labels(0.0, 3920.0, 5), ["0", "1000", "2000", "3000"]);
        assert_eq!(labels(0.0, 0.0012, 4), ["0.0000", "0.0005", "0.0010"]);
        assert_eq!(labels(-0.2, 0.2, 4), ["-0.2", "-0.1", "0.0", "0.1", "0.2"]);
    }

    #[test]
    fn degenerate_ranges_still_give_an_axis() {
        for (min, max) in [(0.0, 0.0), (f64::NAN, 1.0), (3.0, 3.0), (1.0, 0.0), (0.0, f64::INFINITY)] {
            let (low, high) = bounds(min, max);
            assert!(low < high && !linear(min, max, 5).is_empty());
        }
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([0.1, 0.001, 3e-4, 12.0, 0.12345, 3e-5].map(number), ["0.1", "0.001", "0.0003", "12", "0.1235", "3e-5"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    proptest! {
        /// Inside the range, evenly spaced, no more than asked for, all labels different.
        #[test]
        fn ticks_are_round_and_distinct(min in -1e4f64..1e4, length in 1e-4f64..1e5, count in 2usize..12) {
            let max = min + length;
            let ticks = linear(min, max, count);
            let step = step(length, count);
            prop_assert!(ticks.len() <= count + 1);
            prop_assert!(ticks.iter().all(|t| t.value >= min - 1e-6 * step && t.value <= max + 1e-6 * step));
            for pair in ticks.windows(2) {
                prop_assert!(((pair[1].value - pair[0].value) / step - 1.0).abs() < 1e-6);
                prop_assert!(pair[0].label != pair[1].label);
            }
            prop_assert!(length / step <= count as f64 * (1.0 + 1e-6) && length / step > count as f64 / 2.6);
        }
    }
}
