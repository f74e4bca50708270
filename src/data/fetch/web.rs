//! HTTP and HTTPS through ureq; the only place of the program that opens a connection.

use std::time::Duration;

use super::download::{Answer, Web};

/// Longest silence of a server before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that follows redirects and sends nothing but the request.
pub struct Http(ureq::Agent);

impl Http {
    /// Opens nothing yet.
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .user_agent(concat!("tuneout/", env!("CARGO_PKG_VERSION")));
        Self(config.build().new_agent())
    }
}

impl Web for Http {
    fn get(&self, url: &str, from: u64) -> Result<Answer, String> {
        let mut request = self.0.get(url);
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let response = request.call().map_err(|e| e.to_string())?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (start, whole) = header("content-range").map_or((None, None), |value| range(&value));
        let total = whole.or_else(|| header("content-length")?.parse::<u64>().ok().map(|length| length + start.unwrap_or(0)));
        Ok(Answer { status: response.status().as_u16(), from: start, total, body: Box::new(response.into_body().into_reader()) })
    }
}

/// First byte and length of the whole in "bytes 5-9/10".
fn range(value: &str) -> (Option<u64>, Option<u64>) {
    let Some((span, whole)) = value.trim().strip_prefix("bytes ").and_then(|rest| rest.split_once('/')) else { return (None, None) };
    (span.split_once('-').and_then(|(from, _)| from.trim().parse().ok()), whole.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read() {
        assert_eq!(range("bytes 5-9/10"), (Some(5), Some(10)));
        assert_eq!(range("bytes 5-9/*"), (Some(5), None));
        assert_eq!(range("bytes */10"), (None, Some(10)));
        assert_eq!(range("lines 1-2/3"), (None, None));
    }
}
