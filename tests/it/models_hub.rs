//! `recscope models pull ORG/NAME` against a hub on this machine that breaks, lies and redirects.

use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::hub_server::{COMMIT, Reply, Request, Server, listing, repository};
use crate::models_support::{Files, code, err, model, names, on_disk, out, recscope, wanted};

const WEIGHTS: &str = "model.safetensors";

fn pull(folder: &Path, server: &Server, more: &[&str]) -> Output {
    let variables = [("HF_ENDPOINT", server.address.as_str()), ("HF_TOKEN", "hf_secret")];
    let output = recscope(folder, &[&["models", "pull", "org/tiny"], more].concat(), &variables);
    assert!(!(out(&output) + &err(&output)).contains("hf_secret"), "the token was printed");
    output
}

/// Pulls, and expects this exit code, these words, and no folder.
fn fails(server: &Server, status: i32, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output = pull(folder.path(), server, &[]);
    assert_eq!(code(&output), status, "{}", err(&output));
    for word in words.iter().chain(&["hint: "]) {
        assert!(err(&output).contains(word), "{word:?} in {}", err(&output));
    }
    assert!(!folder.path().join("models/tiny").exists());
    let list = recscope(folder.path(), &["models", "list"], &[]);
    assert_eq!(out(&list), "", "half a model looks like one");
}

fn arrived(folder: &Path, files: &Files, output: &Output) {
    assert_eq!(code(output), 0, "{}", err(output));
    assert_eq!(on_disk(&folder.join("models/tiny")), wanted(files));
    assert_eq!(names(&folder.join("models")), ["tiny"]);
}

/// A repository whose weights are answered by `special` (how many times they were asked for, the reply).
fn with_weights(
    files: &Files,
    special: impl Fn(usize, &Request, Reply) -> Reply + Send + 'static,
) -> impl Fn(&Request) -> Reply + Send + 'static {
    let (sound, asked) = (repository(files), AtomicUsize::new(0));
    move |request| {
        let reply = sound(request);
        if !request.path.ends_with(WEIGHTS) {
            return reply;
        }
        special(asked.fetch_add(1, Ordering::SeqCst), request, reply)
    }
}

#[test]
fn a_model_arrives_with_its_licence_and_without_what_is_not_read() {
    let files = model("bert-bge-zh");
    let server = Server::start(repository(&files));
    let folder = tempfile::tempdir().unwrap();
    let output = pull(folder.path(), &server, &["--revision", "refs/pr/1"]);
    arrived(folder.path(), &files, &output);
    assert!(out(&output).starts_with("models/tiny\nBERT, embeddings; "), "{}", out(&output));
    assert!(out(&output).contains("licence apache-2.0"), "{}", out(&output));
    assert!(err(&output).contains(&COMMIT[..12]), "{}", err(&output));
    let seen = server.seen();
    assert_eq!(seen[0].path, "/api/models/org/tiny/revision/refs%2Fpr%2F1?blobs=true");
    assert!(seen.iter().all(|request| request.authorization.as_deref() == Some("Bearer hf_secret")));
    let order: Vec<&str> = seen.iter().filter_map(|r| r.path.rsplit('/').next()).collect();
    assert_eq!((order[1], *order.last().unwrap()), ("config.json", WEIGHTS));
    let info = recscope(folder.path(), &["models", "info", "models/tiny"], &[]);
    assert_eq!(code(&info), 0, "{}", err(&info));
}

#[test]
fn a_broken_line_goes_on_where_it_stopped() {
    let files = model("bert-classifier");
    let server =
        Server::start(with_weights(&files, |asked, _, reply| if asked == 0 { reply.cut() } else { reply }));
    let folder = tempfile::tempdir().unwrap();
    let output = pull(folder.path(), &server, &[]);
    arrived(folder.path(), &files, &output);
    assert!(err(&output).contains("trying again"), "{}", err(&output));
    let half = files.iter().find(|(name, _)| name == WEIGHTS).unwrap().1.len() / 2;
    let ranges: Vec<_> = server.asked_for(WEIGHTS).into_iter().map(|request| request.range).collect();
    assert_eq!(ranges, [None, Some(format!("bytes={half}-"))]);
}

#[test]
fn a_later_run_goes_on_even_where_ranges_are_ignored() {
    for ignores_ranges in [false, true] {
        let files = model("bert-classifier");
        let whole = files.iter().find(|(name, _)| name == WEIGHTS).unwrap().1.clone();
        let server = Server::start(with_weights(&files, move |asked, _, reply| match asked {
            0 => reply.cut(),
            1 => Reply::new(403, ""),
            _ if ignores_ranges => Reply::new(200, whole.clone()),
            _ => reply,
        }));
        let folder = tempfile::tempdir().unwrap();
        let output = pull(folder.path(), &server, &[]);
        assert_eq!(code(&output), 3, "{}", err(&output));
        assert_eq!(names(&folder.path().join("models")), [".tiny.pulling"]);
        let output = pull(folder.path(), &server, &[]);
        arrived(folder.path(), &files, &output);
        assert!(server.asked_for(WEIGHTS)[2].range.is_some());
        assert_eq!(server.asked_for("/config.json").len(), 1, "a whole file is not fetched again");
    }
}

#[test]
fn what_is_not_as_announced_is_thrown_away() {
    let files = model("bert-classifier");
    let server = Server::start(with_weights(&files, |_, _, mut reply| {
        *reply.body.last_mut().unwrap() ^= 1;
        reply
    }));
    fails(&server, 3, &["model.safetensors did not come as 127.0.0.1 announced it: its checksum is another"]);

    let sound = repository(&files);
    let server = Server::start(move |request| match request.path.ends_with("/config.json") {
        true => Reply::new(200, sound(request).body.to_ascii_uppercase()),
        false => sound(request),
    });
    fails(&server, 3, &["config.json did not come as"]);

    let server = Server::start(with_weights(&files, |_, _, mut reply| {
        reply.body.extend_from_slice(b"more");
        reply
    }));
    fails(&server, 3, &["more bytes than it announced"]);
}

#[test]
fn the_token_stays_at_home() {
    let files = model("bert-classifier");
    let elsewhere = Server::start(repository(&files));
    let there = elsewhere.address.clone();
    let server = Server::start(with_weights(&files, move |asked, request, reply| match asked {
        // A renamed repository redirects to itself, and wants to know who asks.
        0 => Reply::new(307, "").header("Location", &format!("/renamed{}", request.path)),
        1 => Reply::new(302, "").header("Location", &format!("{there}{}", request.path)),
        _ => reply,
    }));
    let folder = tempfile::tempdir().unwrap();
    let output = pull(folder.path(), &server, &[]);
    arrived(folder.path(), &files, &output);
    let home = server.asked_for(WEIGHTS);
    assert!(home.len() == 2 && home.iter().all(|request| request.authorization.is_some()), "{home:?}");
    let away = elsewhere.seen();
    assert!(away.len() == 1 && away[0].authorization.is_none(), "{away:?}");
}

#[test]
fn refusals_of_the_hub_are_told_with_a_remedy() {
    let answer = |status: u16, error: &'static str| {
        Server::start(move |_| Reply::new(status, "").header("X-Error-Code", error))
    };
    fails(&answer(404, "RepoNotFound"), 3, &["there is no public model org/tiny", "HF_TOKEN"]);
    fails(&answer(401, ""), 3, &["there is no public model org/tiny", "is the name right"]);
    fails(&answer(403, "GatedRepo"), 3, &["does not give out org/tiny", "terms"]);
    fails(&answer(404, "RevisionNotFound"), 3, &["no revision \"main\"", "/commits"]);
    fails(&Server::start(|_| Reply::new(200, "<html>log in")), 3, &["does not answer as a hub does"]);
    fails(
        &Server::start(|_| Reply::new(302, "").header("Location", "/again")),
        3,
        &["redirects without end"],
    );
}

#[test]
fn a_hub_that_asks_for_patience_gets_it() {
    let files = model("bert-classifier");
    let (sound, asked) = (repository(&files), AtomicUsize::new(0));
    let server = Server::start(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429, "").header("Retry-After", "1"),
        2 => Reply::new(503, "").header("Retry-After", "0"),
        _ => sound(request),
    });
    let folder = tempfile::tempdir().unwrap();
    let output = pull(folder.path(), &server, &[]);
    arrived(folder.path(), &files, &output);
    assert!(err(&output).contains("answers 429; trying again in 1 s"), "{}", err(&output));

    let server = Server::start(|_| Reply::new(429, "").header("Retry-After", "3600"));
    fails(&server, 3, &["too many requests", "1:00:00"]);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn hostile_listings_write_nothing() {
    for name in ["../../evil.json", "/tmp/evil.json", "a\\..\\b", "x\u{1b}[2J", "1_Pooling/../../config.json"]
    {
        let mut files = model("bert-classifier");
        files.push((name.into(), b"{}".to_vec()));
        let text = listing(&files);
        let server = Server::start(move |_| Reply::new(200, text.clone()));
        fails(&server, 3, &["leads outside its folder or hides"]);
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn what_does_not_run_here_is_named_before_its_weights_are_fetched() {
    let mut files = model("bert-classifier");
    files.retain(|(name, _)| name != "config.json");
    files.push(("config.json".into(), br#"{"architectures": ["GPT2LMHeadModel"]}"#.to_vec()));
    let server = Server::start(repository(&files));
    fails(&server, 3, &["org/tiny/config.json: architecture \"GPT2LMHeadModel\" is not supported"]);
    assert_eq!(server.seen().len(), 2);

    let mut files = model("bert-classifier");
    files.retain(|(name, _)| name != "tokenizer.json");
    let server = Server::start(repository(&files));
    fails(&server, 3, &["org/tiny has no tokenizer"]);
    assert!(server.asked_for(WEIGHTS).is_empty());

    let mut files = model("bert-classifier");
    files.retain(|(name, _)| name != WEIGHTS);
    files.push(("pytorch_model.bin".into(), vec![0x80, 2]));
    let server = Server::start(repository(&files));
    fails(&server, 3, &["org/tiny/pytorch_model.bin is a Python pickle", "save_pretrained"]);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn without_a_network_the_files_to_copy_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["models", "pull", "org/tiny", "--to", "m/x"];
    for variables in [vec![], vec![("HF_HUB_OFFLINE", "1")]] {
        let output = recscope(folder.path(), &args, &variables);
        assert_eq!(code(&output), 3);
        let target = folder.path().canonicalize().unwrap().join("m/x");
        for word in [
            "http://127.0.0.1:9/org/tiny/tree/main",
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "1_Pooling/config.json",
            target.to_str().unwrap(),
        ] {
            assert!(err(&output).contains(word), "{word:?} in {}", err(&output));
        }
    }
    assert!(!folder.path().join("m").exists());
}
