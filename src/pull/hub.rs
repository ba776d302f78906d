//! A model from a Hugging Face hub: what the repository has, the small files, a check, the weights.
//! Every fault says what to do; without a network, which files to copy by hand and where to.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::http::{Fault, Http};
use super::listing::{Entry, MAX_FILES, Plan, Sum, inside};
use super::staging::Staging;
use super::transfer::{Attempts, Missed, fetch};
use super::{Hub, ModelId, PullError, Pulled, Revision, Step, Work, by_hand, finish, unfit};
use crate::engine::model::{BertConfig, CONFIG, check_small};
use crate::util::{figures, sanitise};

/// A list of files longer than this is none.
const MAX_LIST_BYTES: u64 = 32 << 20;

/// Fetches a model from the hub.
pub(super) fn pull(
    id: &ModelId,
    revision: &Revision,
    hub: &Hub,
    target: &Path,
    work: &mut Work,
) -> Result<Pulled, PullError> {
    let asked = Asked { id, revision, hub, target };
    if hub.offline {
        let what = format!("{id} was not fetched: HF_HUB_OFFLINE says to stay off the network");
        return Err(PullError::resource(what).hint(format!("unset it, or {}", asked.by_hand(&[]))));
    }
    let http = Http::new(&hub.endpoint, hub.token.clone(), hub.certificates.as_deref())?;
    let (commit, entries) = asked.list(&http, work)?;
    let plan = Plan::of(&id.to_string(), entries)?;
    let staging = Staging::open(target, Some(&format!("{} {id} {commit}\n", hub.endpoint)))?;
    (work.tell)(Step::Found { files: plan.len(), bytes: plan.bytes(), left_out: plan.left_out });
    match asked.fetch_all(&http, &commit, &plan, &staging, work) {
        Ok(()) => finish(staging, &plan, &id.to_string(), Some(commit)),
        Err(Stop::Unfit(error)) => {
            let error = unfit(error, &staging, &id.to_string());
            staging.discard();
            Err(error)
        }
        Err(Stop::Missed(Missed::Disk(error))) => Err(error),
        Err(Stop::Missed(Missed::Net(fault))) => Err(asked.told(fault, &plan.names())),
    }
}

/// Why the files are not all there.
enum Stop {
    Missed(Missed),
    /// Not a model that we run: nothing of it is kept.
    Unfit(crate::engine::model::ModelError),
}

impl From<Missed> for Stop {
    fn from(missed: Missed) -> Self {
        Stop::Missed(missed)
    }
}

impl From<PullError> for Stop {
    fn from(error: PullError) -> Self {
        Stop::Missed(Missed::Disk(error))
    }
}

/// What the user wants, and where.
struct Asked<'a> {
    id: &'a ModelId,
    revision: &'a Revision,
    hub: &'a Hub,
    target: &'a Path,
}

impl Asked<'_> {
    /// The commit that the revision stands for, and the files it has.
    fn list(&self, http: &Http, work: &mut Work) -> Result<(String, Vec<Entry>), PullError> {
        let (id, revision) = (self.id, self.revision.in_url());
        let address = format!("{}/api/models/{id}/revision/{revision}?blobs=true", self.hub.endpoint);
        let mut attempts = Attempts::default();
        let text = loop {
            work.cancel.check()?;
            let fault = match read(http, &address) {
                Ok(text) => break text,
                // No network is told at once, not after half a minute.
                Err(fault @ Fault::Reach { .. }) => return Err(self.told(fault, &[])),
                Err(fault) => fault,
            };
            match attempts.next(fault, false, work) {
                Ok(()) => {}
                Err(Missed::Net(fault)) => return Err(self.told(fault, &[])),
                Err(Missed::Disk(error)) => return Err(error),
            }
        };
        let strange = || {
            PullError::data(format!("{} does not answer as a hub does", http.host()))
                .hint("is HF_ENDPOINT right, and is there a login page in between? The default is https://huggingface.co")
        };
        let about: Value = serde_json::from_slice(&text).map_err(|_| strange())?;
        let commit = about.get("sha").and_then(Value::as_str).filter(|sha| is_hex(sha, 40));
        let files = about.get("siblings").and_then(Value::as_array).filter(|files| files.len() <= MAX_FILES);
        let (Some(commit), Some(files)) = (commit, files) else { return Err(strange()) };
        let told = id.to_string();
        let entries = files.iter().map(|file| entry(&told, file)).collect::<Result<_, _>>()?;
        Ok((commit.to_owned(), entries))
    }

    fn fetch_all(
        &self,
        http: &Http,
        commit: &str,
        plan: &Plan,
        staging: &Staging,
        work: &mut Work,
    ) -> Result<(), Stop> {
        let mut done = 0;
        for (at, (entry, small)) in plan.each().enumerate() {
            (work.tell)(Step::Begin { name: entry.path.clone(), bytes: entry.bytes });
            let address =
                format!("{}/{}/resolve/{commit}/{}", self.hub.endpoint, self.id, in_address(&entry.path));
            let place = staging.place(&entry.path)?;
            done += fetch(http, &address, entry, small, &place, done, work)?;
            if entry.path == CONFIG {
                BertConfig::read(&place).map_err(Stop::Unfit)?;
            }
            // Before gigabytes follow.
            if at + 1 == plan.small.len() {
                check_small(staging.files()).map_err(Stop::Unfit)?;
            }
        }
        Ok(())
    }

    fn by_hand(&self, files: &[(String, Option<u64>)]) -> String {
        let text = by_hand(&self.hub.endpoint, self.id, self.revision, files, self.target);
        format!("copy by hand: {text}")
    }

    /// A fault as a sentence with its remedy.
    fn told(&self, fault: Fault, files: &[(String, Option<u64>)]) -> PullError {
        let (id, revision, endpoint) = (self.id, self.revision, &self.hub.endpoint);
        let short = fault.short();
        let Fault::Status { host, code, error, retry_after } = fault else {
            let hint = match fault {
                Fault::Reach { hint: Some(hint), .. } => format!("{hint}, or {}", self.by_hand(files)),
                Fault::Nonsense { .. } => "try again, or from another network".into(),
                _ => format!(
                    "run the same command again to go on where it stopped, or {}",
                    self.by_hand(files)
                ),
            };
            return PullError::resource(format!("{id} was not fetched: {short}")).hint(hint);
        };
        let login = match &self.hub.token {
            None => format!(
                "is the name right? If it is a private or gated model, accept its terms at {endpoint}/{id} and set \
                 HF_TOKEN to a token of yours"
            ),
            Some(_) => format!(
                "is the name right, and may the token in HF_TOKEN read it? Its terms: {endpoint}/{id}"
            ),
        };
        match code {
            404 if error == "RevisionNotFound" => {
                PullError::data(format!("{id} has no revision \"{revision}\" at {host}"))
                    .hint(format!("{endpoint}/{id}/commits lists them; without --revision it is main"))
            }
            401 | 404 => {
                PullError::data(format!("there is no public model {id} at {host} ({code})")).hint(login)
            }
            403 => PullError::data(format!("{host} does not give out {id} ({code})")).hint(login),
            429 => PullError::resource(format!("{host} has had too many requests from here ({code})")).hint(
                format!(
                    "try again in {}; with a token in HF_TOKEN more are allowed; what has come is kept",
                    retry_after
                        .map_or("a few minutes".into(), |wait| figures::clock(wait.as_millis() as u64))
                ),
            ),
            500..=599 => PullError::resource(format!("{id} was not fetched: {short}"))
                .hint("try again later; what has come is kept"),
            _ => PullError::data(format!("{id} was not fetched: {short}")).hint(login),
        }
    }
}

impl Fault {
    /// What is wrong, without the remedy.
    pub fn short(&self) -> String {
        match self {
            Fault::Reach { host, why, .. } => format!("{host} cannot be reached ({why})"),
            Fault::Broken { host, why } => format!("the line to {host} broke ({why})"),
            Fault::Status { host, code: code @ 500..=599, .. } => format!("{host} is out of order ({code})"),
            Fault::Status { host, code, .. } => format!("{host} answers {code}"),
            Fault::Nonsense { host, why } => format!("{host} sends {why}"),
        }
    }
}

fn read(http: &Http, address: &str) -> Result<Vec<u8>, Fault> {
    let mut answer = http.get(address, 0, MAX_LIST_BYTES)?;
    let mut text = Vec::new();
    match answer.body.read_to_end(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => {
            Err(Fault::Broken { host: http.host().into(), why: sanitise::excerpt(&error.to_string(), 200) })
        }
    }
}

/// A file as the hub lists it. Large ones have a SHA-256, all others git's name of their content.
fn entry(told: &str, file: &Value) -> Result<Entry, PullError> {
    let path = inside(told, file.get("rfilename").and_then(Value::as_str).unwrap_or_default())?;
    let large = file.get("lfs").filter(|lfs| lfs.is_object());
    let text = |of: Option<&Value>, key: &str, digits: usize| {
        let text = of.and_then(|of| of.get(key)).and_then(Value::as_str)?;
        is_hex(text, digits).then(|| text.to_owned())
    };
    let sum = match large {
        Some(_) => text(large, "sha256", 64).map(Sum::Sha256),
        None => text(Some(file), "blobId", 40).map(Sum::Git),
    };
    let size = |of: Option<&Value>| of.and_then(|of| of.get("size")).and_then(Value::as_u64);
    Ok(Entry { path, bytes: size(large).or(size(Some(file))), sum: sum.unwrap_or(Sum::None) })
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A path below a repository in an address.
fn in_address(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_file_has_its_size_and_checksum() {
        let sha256 = "ab".repeat(32);
        let large = serde_json::json!({ "rfilename": "model.safetensors", "size": 5, "blobId": "cd".repeat(20),
            "lfs": { "sha256": sha256, "size": 5 } });
        assert_eq!(entry("m", &large).unwrap().sum, Sum::Sha256(sha256));
        let small = serde_json::json!({ "rfilename": "config.json", "size": 7, "blobId": "cd".repeat(20) });
        let small = entry("m", &small).unwrap();
        assert_eq!((small.bytes, small.sum), (Some(7), Sum::Git("cd".repeat(20))));
        assert!(entry("m", &serde_json::json!({ "rfilename": "../x" })).is_err());
        assert!(entry("m", &serde_json::json!({})).is_err());
    }

    #[test]
    fn names_are_escaped_in_addresses() {
        assert_eq!(in_address("1_Pooling/config.json"), "1_Pooling/config.json");
        assert_eq!(in_address("LICENSE ?#é"), "LICENSE%20%3F%23%C3%A9");
    }
}
