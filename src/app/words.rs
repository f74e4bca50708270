//! Numbers in words, the same wherever they are shown.

pub use crate::figure::ticks::rate;

use crate::figure::cells::{Scale, Standing};

use crate::figure::ticks::trimmed;

/// A share as a percentage: one decimal, as the paper's tables have it.
pub fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1}%", share * 100.0) } else { "-".to_owned() }
}

/// A share as a whole percentage, for sentences.
pub fn whole_percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0}%", share * 100.0) } else { "-".to_owned() }
}

/// Seconds as `0:41` or `1:02:03`.
pub fn clock(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    if s < 3600 { format!("{}:{:02}", s / 60, s % 60) } else { format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60) }
}

/// Seconds in a sentence: `28 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 if s.is_multiple_of(60) => format!("{} min", s / 60),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

/// Seconds of an estimate, no finer than an estimate is: `45 s`, `4 min`, `2.5 h`, `3.2 days`.
pub fn about(seconds: f64) -> String {
    let few = |n: f64| if n < 9.95 { trimmed(format!("{n:.1}")) } else { format!("{n:.0}") };
    match seconds.max(0.0) {
        s if s < 9.5 => format!("{} s", s.round().max(1.0)),
        s if s < 92.5 => format!("{} s", (s / 5.0).round() * 5.0),
        s if s < 5400.0 => format!("{} min", few(s / 60.0)),
        s if s < 129_600.0 => format!("{} h", few(s / 3600.0)),
        s => format!("{} days", few(s / 86_400.0)),
    }
}

/// How many runs of a figure are there, and how many are missing; `+` stands before re-injections.
pub fn standing(standing: &Standing, scale: Scale) -> [String; 2] {
    let Some((all, missing)) = standing.runs else { return [String::new(), format!("no {} runs", scale.name())] };
    let both = |runs: usize, again: usize| if standing.again.0 > 0 { format!("{runs} + {again}") } else { runs.to_string() };
    let there = match all {
        0 => "needs none".to_owned(),
        _ => format!("{} of {}", both(all - missing, standing.again.0 - standing.again.1), both(all, standing.again.0)),
    };
    [there, if standing.whole() { "none".to_owned() } else { both(missing, standing.again.1) }]
}

/// A whole number with thousands set apart: `1,412`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes as `312 MiB` or `1.4 GiB`.
pub fn bytes(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1000.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

/// The value of a setting, as the setup shows it and the parser reads it.
pub fn setting(value: &toml::Value, log: bool) -> String {
    match value {
        toml::Value::Float(x) if log => rate(*x),
        toml::Value::Float(x) => trimmed(format!("{x:.6}")),
        toml::Value::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        toml::Value::String(text) if text.is_empty() => "(none)".to_owned(),
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0.1, 0.025, 1e-3, 3e-4, 1.25e-5, 10.0, 0.0].map(rate), ["0.1", "0.025", "1e-3", "3e-4", "1.25e-5", "10", "0"]);
        assert_eq!([5.0, 41.4, 3723.0].map(clock), ["0:05", "0:41", "1:02:03"]);
        assert_eq!([28.0, 120.0, 200.0, 7500.0].map(duration), ["28 s", "2 min", "3 min 20 s", "2 h 5 min"]);
        assert_eq!(
            [0.2, 44.0, 96.0, 3000.0, 9000.0, 90_000.0, 276_000.0, 2e6].map(about),
            ["1 s", "45 s", "1.6 min", "50 min", "2.5 h", "25 h", "3.2 days", "23 days"]
        );
        assert_eq!([0, 999, 1412, 11_171_146].map(count), ["0", "999", "1,412", "11,171,146"]);
        assert_eq!([312 << 20, 1400 << 20].map(bytes), ["312 MiB", "1.4 GiB"]);
        assert_eq!(percent(0.9934), "99.3%");
        assert_eq!(percent(f64::NAN), "-");
    }
}
