//! Rows that come one after the other: in order, each input once, cut into windows, bounded, and every
//! way in which a stream ends.

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use recscope::engine::model::{
    Chunk, DeviceChoice, LoadOptions, Model, ModelError, ModelErrorKind, RowKind, RowStream, ScoreInputs,
    ScoreOptions, ScoreProgress, Scored, StreamOptions, score_columns,
};
use recscope::util::cancel::Cancel;

use crate::tiny_model::{Tiny, write};

type Rows = Result<Chunk<usize>, ModelError>;

fn tiny(labels: usize) -> (tempfile::TempDir, Model) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &Tiny { labels, ..Tiny::default() });
    let load = LoadOptions { device: DeviceChoice::Cpu, max_tokens: None, ..Default::default() };
    let model = Model::load(dir.path(), &load).unwrap();
    (dir, model)
}

/// Row `n`: few queries, more titles, and one in eleven without text.
fn row(n: usize) -> (Option<String>, Option<String>) {
    let title = match n % 11 {
        3 => None,
        7 => Some(" \u{3000}".to_string()),
        _ => Some(format!("mouse 跑 {}", "shoes ".repeat(n % 13))),
    };
    (Some(format!("red {}", n % 3)), title)
}

fn chunk(number: usize, rows: std::ops::Range<usize>, pause: bool) -> Rows {
    let (first, second) = rows.map(row).unzip();
    Ok(Chunk { first, second, keep: number, bytes: 0, pause })
}

/// Chunks of uneven sizes over `n` rows, ready to be read.
fn chunks(n: usize) -> Receiver<Rows> {
    let (send, chunks) = unbounded();
    let (mut from, mut number) = (0, 0);
    while from < n {
        let to = n.min(from + [1, 40, 0, 7, 130][number % 5]);
        send.send(chunk(number, from..to, false)).unwrap();
        (from, number) = (to, number + 1);
    }
    chunks
}

fn run(stream: &mut RowStream, chunks: &Receiver<Rows>) -> (Vec<Vec<Scored<usize>>>, Result<(), ModelError>) {
    let (mut windows, never) = (Vec::new(), Cancel::new());
    let ended = stream.run(chunks, &never, &Cancel::new(), &ScoreProgress::default(), |window, _| {
        windows.push(window);
        Ok(())
    });
    (windows, ended)
}

/// What the job that holds all rows gives.
fn all_at_once(model: &Model, kind: RowKind, n: usize) -> (Vec<Option<f64>>, Vec<Vec<Option<f32>>>) {
    let (first, second): (Vec<_>, Vec<_>) = (0..n).map(row).unzip();
    let inputs = match kind {
        RowKind::Text => ScoreInputs::Text(&second),
        RowKind::Pair => ScoreInputs::Pair(&first, &second),
        RowKind::Embed => ScoreInputs::Embed(&first, &second),
    };
    let classes = model.info().labels.len();
    let mut scores = vec![None; n];
    let mut logits = vec![vec![None; n]; if classes >= 2 { classes } else { 0 }];
    let progress = ScoreProgress::default();
    model
        .score(&inputs, &ScoreOptions::default(), &Cancel::new(), &progress, |chunk| {
            for (at, row) in chunk.rows.iter().enumerate() {
                scores[*row] = chunk.scores[at];
                for (all, class) in logits.iter_mut().zip(&chunk.classes) {
                    all[*row] = class[at];
                }
            }
            Ok(())
        })
        .unwrap();
    (scores, logits)
}

#[test]
fn a_stream_gives_what_the_whole_job_gives() {
    const N: usize = 900;
    for (labels, kind) in [(1, RowKind::Pair), (3, RowKind::Pair), (0, RowKind::Embed)] {
        let (_dir, model) = tiny(labels);
        let (scores, logits) = all_at_once(&model, kind, N);
        for memory in [0, 4_000, 64 << 20] {
            let options = StreamOptions { memory, ..StreamOptions::default() };
            let mut stream = RowStream::new(&model, kind, options).unwrap();
            let (windows, ended) = run(&mut stream, &chunks(N));
            ended.unwrap();
            let chunks: Vec<&Scored<usize>> = windows.iter().flatten().collect();
            assert!(chunks.iter().enumerate().all(|(at, chunk)| chunk.keep == at), "in order, none lost");
            let got: Vec<Option<f64>> = chunks.iter().flat_map(|chunk| chunk.scores.clone()).collect();
            assert_eq!(got.len(), N);
            for (row, (got, wanted)) in got.iter().zip(&scores).enumerate() {
                assert_eq!(got.is_some(), wanted.is_some(), "row {row}");
                let apart = got.unwrap_or(0.0) - wanted.unwrap_or(0.0);
                assert!(apart.abs() < 1e-5, "row {row}: {apart}");
            }
            for (class, wanted) in logits.iter().enumerate() {
                let got = chunks.iter().flat_map(|chunk| &chunk.classes[class]);
                for (got, wanted) in got.zip(wanted) {
                    assert!((got.unwrap_or(0.0) - wanted.unwrap_or(0.0)).abs() < 1e-5);
                }
            }
            let report = stream.report();
            assert_eq!(report.rows, N as u64);
            assert_eq!(report.empty, scores.iter().filter(|score| score.is_none()).count() as u64);
            let different = if kind == RowKind::Embed { 3 + 13 } else { 3 * 13 };
            if memory > 1 << 20 {
                assert!(stream.remembers_all());
                assert_eq!(report.unique_inputs, different);
            } else {
                assert!(report.unique_inputs >= different);
            }
        }
    }
}

#[test]
fn a_pause_brings_the_answers_at_once() {
    let (_dir, model) = tiny(1);
    let mut stream = RowStream::new(&model, RowKind::Pair, StreamOptions::default()).unwrap();
    let (send, chunks): (Sender<Rows>, _) = bounded(8);
    let (answer, answers) = unbounded();
    std::thread::scope(|scope| {
        let running = scope.spawn(move || {
            let (never, progress) = (Cancel::new(), ScoreProgress::default());
            stream.run(&chunks, &never, &Cancel::new(), &progress, |window, _| {
                answer.send(window).unwrap();
                Ok(())
            })
        });
        for n in 0..5 {
            // Held back until the pause, then all of it comes.
            send.send(chunk(2 * n, 0..2, false)).unwrap();
            send.send(chunk(2 * n + 1, 2..3, true)).unwrap();
            let window = answers.recv().unwrap();
            assert_eq!(window.iter().map(|scored| scored.keep).collect::<Vec<_>>(), [2 * n, 2 * n + 1]);
            assert!(answers.try_recv().is_err());
        }
        // A pause may come late, without rows.
        send.send(chunk(10, 0..2, false)).unwrap();
        send.send(chunk(11, 0..0, true)).unwrap();
        assert_eq!(answers.recv().unwrap().len(), 2);
        drop(send);
        running.join().unwrap().unwrap();
    });
}

#[test]
fn an_error_comes_after_the_rows_before_it() {
    let (_dir, model) = tiny(1);
    let mut stream = RowStream::new(&model, RowKind::Pair, StreamOptions::default()).unwrap();
    let (send, chunks) = unbounded();
    send.send(chunk(0, 0..50, false)).unwrap();
    send.send(Err(ModelError::new(ModelErrorKind::Usage, "line 51"))).unwrap();
    send.send(chunk(1, 50..60, false)).unwrap();
    let (windows, ended) = run(&mut stream, &chunks);
    assert_eq!(ended.unwrap_err().message, "line 51");
    assert_eq!(windows.iter().flatten().map(|scored| scored.scores.len()).sum::<usize>(), 50);
    assert_eq!(stream.report().rows, 50);
}

#[test]
fn finish_ends_behind_a_window_and_cancel_within_it() {
    let (_dir, model) = tiny(1);
    let endless = || {
        let (send, chunks) = bounded(4);
        std::thread::spawn(move || (0..).all(|n| send.send(chunk(n, n * 20..n * 20 + 20, false)).is_ok()));
        chunks
    };
    let mut stream = RowStream::new(&model, RowKind::Pair, StreamOptions::default()).unwrap();
    let (finish, progress) = (Cancel::new(), ScoreProgress::default());
    let mut rows = 0;
    let ended: Result<(), ModelError> =
        stream.run(&endless(), &finish, &Cancel::new(), &progress, |window, _| {
            rows += window.iter().map(|scored| scored.scores.len() as u64).sum::<u64>();
            finish.cancel();
            Ok(())
        });
    ended.unwrap();
    assert!(rows > 0 && rows == stream.report().rows, "what was computed was handed over");

    let cancel = Cancel::new();
    let ended: Result<(), ModelError> = stream.run(&endless(), &Cancel::new(), &cancel, &progress, |_, _| {
        cancel.cancel();
        Ok(())
    });
    assert!(ended.unwrap_err().is_cancelled());

    // Also where no row ever comes.
    let (_send, silent) = unbounded::<Rows>();
    let ended = stream.run(&silent, &Cancel::new(), &cancel, &progress, |_, _| Ok(()));
    assert!(ended.unwrap_err().is_cancelled());
    stream.run(&silent, &finish, &Cancel::new(), &progress, |_, _| Ok::<_, ModelError>(())).unwrap();
}

#[test]
fn what_the_model_cannot_do_is_refused_before_rows_are_read() {
    let (_dir, encoder) = tiny(0);
    let (_other, classifier) = tiny(2);
    for (model, kind) in [(&encoder, RowKind::Pair), (&encoder, RowKind::Text), (&classifier, RowKind::Embed)]
    {
        let Err(error) = RowStream::new(model, kind, StreamOptions::default()) else { panic!("{kind:?}") };
        assert_eq!(error.kind, ModelErrorKind::Usage);
    }
}

#[test]
fn columns_have_names_of_their_own() {
    let names = |labels: &[&str]| score_columns(&labels.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(names(&[]), ["score"]);
    assert_eq!(names(&["relevant"]), ["score"]);
    assert_eq!(names(&["E", "e", "S"]), ["score", "score_E", "score_e_", "score_S"]);
}
