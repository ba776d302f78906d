//! A hub on this machine for tests: one repository, and a way to answer wrongly.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use crate::models_support::Files;

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[derive(Debug, Clone, Default)]
pub struct Request {
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What Content-Length says, where it is not the body's length.
    pub claims: Option<usize>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), claims: None }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends half of the body and hangs up.
    pub fn cut(mut self) -> Self {
        self.claims = Some(self.body.len());
        self.body.truncate(self.body.len() / 2);
        self
    }
}

/// Answers until the test ends.
pub struct Server {
    pub address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up is a test's doing.
                let _ = serve(stream.unwrap(), &answer, &log);
            }
        });
        Self { address, seen }
    }

    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Requests whose path ends so.
    pub fn asked_for(&self, end: &str) -> Vec<Request> {
        self.seen().into_iter().filter(|request| request.path.ends_with(end)).collect()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &dyn Fn(&Request) -> Reply,
    log: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let mut request =
        Request { path: first.split(' ').nth(1).unwrap_or_default().into(), ..Request::default() };
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "range" => request.range = Some(value.trim().into()),
            "authorization" => request.authorization = Some(value.trim().into()),
            _ => {}
        }
    }
    log.lock().unwrap().push(request.clone());
    let reply = answer(&request);
    let length = reply.claims.unwrap_or(reply.body.len());
    let mut head =
        format!("HTTP/1.1 {} X\r\nContent-Length: {length}\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&reply.body)?;
    stream.flush()
}

/// A repository as the hub gives it out, ranges and all.
pub fn repository(files: &Files) -> impl Fn(&Request) -> Reply + Send + Clone + use<> {
    let files = files.clone();
    move |request: &Request| {
        if request.path.starts_with("/api/models/") {
            return Reply::new(200, listing(&files));
        }
        let name = request.path.split_once(&format!("/resolve/{COMMIT}/")).map(|(_, name)| name);
        let Some((_, content)) = files.iter().find(|(file, _)| Some(file.as_str()) == name) else {
            return Reply::new(404, "").header("X-Error-Code", "EntryNotFound");
        };
        let from = request.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        match from.map(|from| from.parse::<usize>().unwrap()) {
            None => Reply::new(200, content.clone()),
            Some(from) if from >= content.len() => Reply::new(416, ""),
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
                Reply::new(206, &content[from..]).header("Content-Range", &range)
            }
        }
    }
}

/// The answer of `/api/models/ID/revision/REV?blobs=true`.
pub fn listing(files: &Files) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let siblings: Vec<_> = files
        .iter()
        .map(|(name, content)| {
            if name.ends_with(".safetensors") {
                let sha256 = hex(&Sha256::digest(content));
                return serde_json::json!({ "rfilename": name, "size": content.len(), "blobId": "0".repeat(40),
                    "lfs": { "sha256": sha256, "size": content.len() } });
            }
            let mut git = format!("blob {}\0", content.len()).into_bytes();
            git.extend_from_slice(content);
            let git = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &git);
            serde_json::json!({ "rfilename": name, "size": content.len(), "blobId": hex(git.as_ref()) })
        })
        .collect();
    serde_json::json!({ "sha": COMMIT, "siblings": siblings }).to_string()
}
