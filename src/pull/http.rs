//! GET over HTTP as a hub needs it: redirects followed by hand, so that the token stays at home, and
//! every fault a sentence. Knows nothing of models. The only user of ureq.

use std::path::Path;
use std::time::Duration;

use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, BodyReader, Error};

use super::PullError;
use crate::util::{redact, sanitise};

const MAX_REDIRECTS: usize = 8;
const CONNECT: Duration = Duration::from_secs(20);
/// Silence that is taken for a broken line.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// Where a request goes: scheme, host, port.
type Origin = (String, String, u16);

pub(super) struct Http {
    agent: Agent,
    home: Origin,
    token: Option<String>,
}

/// What came, from byte `start` of the file on.
pub(super) struct Answer {
    pub start: u64,
    pub body: BodyReader<'static>,
}

/// Why nothing came.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// The host cannot be reached, or not trusted: no use in trying at once again.
    Reach { host: String, why: String, hint: Option<&'static str> },
    /// The line broke, or fell silent.
    Broken { host: String, why: String },
    /// The host says no.
    Status { host: String, code: u16, error: String, retry_after: Option<Duration> },
    /// What the host says makes no sense, or is not safe to follow.
    Nonsense { host: String, why: String },
}

impl Http {
    /// For the hub at `endpoint`; `token` is sent there and nowhere else.
    pub fn new(
        endpoint: &str,
        token: Option<String>,
        certificates: Option<&Path>,
    ) -> Result<Self, PullError> {
        let bad = |why: &str| {
            PullError::usage(format!(
                "HF_ENDPOINT is \"{}\", {why}",
                sanitise::excerpt(&redact::urls(endpoint), 200)
            ))
            .hint("write it as https://huggingface.co, or unset it")
        };
        let home = endpoint.parse::<Uri>().ok().and_then(|uri| origin(&uri));
        let home = home.ok_or_else(|| bad("which is no http:// or https:// address"))?;
        let here = ["localhost", "127.0.0.1", "[::1]"].contains(&home.1.as_str());
        if token.is_some() && home.0 == "http" && !here {
            return Err(bad("and a token would travel there for all to read")
                .hint("use https://, or unset HF_TOKEN for this hub"));
        }
        if token.as_deref().is_some_and(|token| !token.chars().all(|c| c.is_ascii_graphic())) {
            return Err(PullError::usage("HF_TOKEN holds characters that no token has")
                .hint("set it to the token alone, as hf_..."));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("recscope/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE));
        if let Some(file) = certificates {
            config = config.tls_config(TlsConfig::builder().root_certs(roots(file)?).build());
        }
        Ok(Self { agent: config.build().new_agent(), home, token })
    }

    /// The hub's host.
    pub fn host(&self) -> &str {
        &self.home.1
    }

    /// Gets an address from byte `from` on, where the host can; at most `limit` bytes.
    pub fn get(&self, address: &str, from: u64, limit: u64) -> Result<Answer, Fault> {
        let mut address = address.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let uri: Uri = address.parse().map_err(|_| self.nonsense("a redirect to no address"))?;
            let to = origin(&uri).ok_or_else(|| self.nonsense("a redirect to no web address"))?;
            let mut request = self.agent.get(&address).header("Accept-Encoding", "identity");
            if from > 0 {
                request = request.header("Range", format!("bytes={from}-"));
            }
            if let Some(token) = self.token.as_deref().filter(|_| to == self.home) {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            let response = request.call().map_err(|error| unreached(&to.1, &error))?;
            let status = response.status().as_u16();
            match status {
                200 | 206 => {
                    let start = if status == 206 { first_byte(response.headers()) } else { Some(0) };
                    let start = start.ok_or_else(|| self.nonsense("a part of a file without its place"))?;
                    let body = response.into_body().into_with_config().limit(limit).reader();
                    return Ok(Answer { start, body });
                }
                301 | 302 | 303 | 307 | 308 => address = next(&uri, &to, response.headers())?,
                code => return Err(refusal(to.1, code, response.headers())),
            }
        }
        Err(self.nonsense("redirects without end"))
    }

    fn nonsense(&self, why: &str) -> Fault {
        Fault::Nonsense { host: self.home.1.clone(), why: why.into() }
    }
}

fn refusal(host: String, code: u16, headers: &HeaderMap) -> Fault {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let error = text("x-error-code").map(|text| sanitise::excerpt(text, 60)).unwrap_or_default();
    let seconds = text("retry-after").and_then(|text| text.trim().parse().ok());
    Fault::Status { host, code, error, retry_after: seconds.map(Duration::from_secs) }
}

/// The address that a redirect names: never from https to http.
fn next(from: &Uri, at: &Origin, headers: &HeaderMap) -> Result<String, Fault> {
    let nonsense = |why: &str| Fault::Nonsense { host: at.1.clone(), why: why.into() };
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| nonsense("a redirect to nowhere"))?;
    let authority = from.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let address = match location {
        _ if location.starts_with("//") => format!("{}:{location}", at.0),
        _ if location.starts_with('/') => format!("{}://{authority}{location}", at.0),
        _ => location.to_owned(),
    };
    if at.0 == "https" && !address.starts_with("https://") {
        return Err(nonsense("a redirect to an address that is not encrypted"));
    }
    Ok(address)
}

fn origin(uri: &Uri) -> Option<Origin> {
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = match scheme.as_str() {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    // Names before an @ are a way to look like another host.
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    Some((scheme, authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(port)))
}

/// `Content-Range: bytes 100-199/200` starts at 100.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

fn unreached(host: &str, error: &Error) -> Fault {
    let host = host.to_owned();
    let why = sanitise::excerpt(&error.to_string(), 200);
    let trust = "a proxy may put its own certificate in between: name its file of certificates (PEM) in \
                 SSL_CERT_FILE";
    match error {
        Error::HostNotFound => Fault::Reach { host, why: "its name is not known".into(), hint: None },
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => Fault::Reach { host, why, hint: Some(trust) },
        Error::Io(io) if io.to_string().contains("certificate") => {
            Fault::Reach { host, why, hint: Some(trust) }
        }
        Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Fault::Reach { host, why: format!("no answer in {} s", CONNECT.as_secs()), hint: None }
        }
        Error::Timeout(_) => Fault::Broken { host, why: format!("silent for {} s", SILENCE.as_secs()) },
        Error::Io(io) if is_cut(io) => Fault::Broken { host, why },
        Error::Protocol(_) => Fault::Broken { host, why },
        _ => Fault::Reach { host, why, hint: None },
    }
}

/// An established line that broke, as opposed to one that never was.
fn is_cut(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof
    )
}

fn roots(file: &Path) -> Result<RootCerts, PullError> {
    let pem = std::fs::read(file).map_err(|error| PullError::read(file, &error).hint(NO_CERTIFICATES))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        let what = format!("{} holds no certificate", file.display());
        return Err(PullError::usage(what).hint(NO_CERTIFICATES));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

const NO_CERTIFICATES: &str =
    "SSL_CERT_FILE names a file of trusted certificates (PEM); unset it to trust Mozilla's";

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_of(address: &str) -> Option<Origin> {
        origin(&address.parse().unwrap())
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert_eq!(origin_of("https://Hub.example/x"), origin_of("https://hub.example:443"));
        assert_ne!(origin_of("https://hub.example"), origin_of("http://hub.example"));
        assert_ne!(origin_of("https://hub.example"), origin_of("https://hub.example:8443"));
        assert_eq!(origin_of("https://hub.example@evil.example/"), None);
        assert_eq!(origin_of("file://x/y"), None);
    }

    #[test]
    fn redirects_are_resolved_and_stay_encrypted() {
        let from: Uri = "https://hub.example/a/b".parse().unwrap();
        let to = |location: &str| {
            let headers = HeaderMap::from_iter([(header::LOCATION, location.parse().unwrap())]);
            next(&from, &origin(&from).unwrap(), &headers)
        };
        assert_eq!(to("/c").unwrap(), "https://hub.example/c");
        assert_eq!(to("https://cdn.example/c?x=1").unwrap(), "https://cdn.example/c?x=1");
        assert_eq!(to("//cdn.example/c").unwrap(), "https://cdn.example/c");
        assert!(to("http://hub.example/c").is_err());
        assert!(to("c").is_err());
    }

    #[test]
    fn a_token_is_not_sent_in_clear() {
        let made = |endpoint: &str, token: &str| Http::new(endpoint, Some(token.into()), None).err();
        assert!(made("http://hub.example", "hf_x").unwrap().message.contains("for all to read"));
        assert!(made("http://127.0.0.1:1", "hf_x").is_none());
        let error = made("https://hub.example", "hf_secret\n").unwrap();
        assert!(!format!("{error:?}").contains("secret"));
    }
}
