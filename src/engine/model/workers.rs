//! Batches side by side: each worker computes one small batch at a time on one core, which beats
//! spreading each product over all cores. Threads live only as long as the call.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, unbounded};

use super::error::{ModelError, ModelErrorKind};

/// How many workers to use where `asked` is 0: one per core.
pub fn worker_count(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// Runs `work` on everything that `next` yields, on `threads` workers, and hands results to `done`
/// on the calling thread as they come. `next` is called there too, a little ahead of the workers.
/// The first error (or panic) ends the run; results that came before it have been handed over.
pub fn run<J: Send, R: Send, S: Send>(
    threads: usize,
    mut next: impl FnMut() -> Result<Option<J>, ModelError>,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, J) -> Result<R, ModelError> + Sync,
    mut done: impl FnMut(R) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let (jobs_in, jobs) = bounded::<J>(threads);
    let (results_in, results) = unbounded();
    std::thread::scope(|scope| {
        // Owned here, so that an early return closes them and the workers stop.
        let (jobs_in, results) = (jobs_in, results);
        for _ in 0..threads {
            let (jobs, results_in) = (jobs.clone(), results_in.clone());
            let (state, work) = (&state, &work);
            scope.spawn(move || serve(&jobs, &results_in, state, work));
        }
        drop((jobs, results_in));
        feed(&jobs_in, &results, &mut next, &mut done)?;
        drop(jobs_in);
        results.iter().try_for_each(|result| done(result?))
    })
}

fn serve<J: Send, R: Send, S: Send>(
    jobs: &Receiver<J>,
    results: &Sender<Result<R, ModelError>>,
    state: &(impl Fn() -> S + Sync),
    work: &(impl Fn(&mut S, J) -> Result<R, ModelError> + Sync),
) {
    // candle's products go through rayon: in a pool of one thread they stay on one core.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let mut state = state();
    for job in jobs {
        let guarded = || catch_unwind(AssertUnwindSafe(|| work(&mut state, job)));
        let outcome = match &pool {
            Ok(pool) => pool.install(guarded),
            Err(_) => guarded(),
        };
        let result = outcome.unwrap_or_else(|_| {
            Err(ModelError::new(ModelErrorKind::Internal, "computing a batch panicked (see the log)"))
        });
        let failed = result.is_err();
        if results.send(result).is_err() || failed {
            return;
        }
    }
}

/// Sends jobs while taking results, until there are no more jobs.
fn feed<J, R>(
    jobs: &Sender<J>,
    results: &Receiver<Result<R, ModelError>>,
    next: &mut impl FnMut() -> Result<Option<J>, ModelError>,
    done: &mut impl FnMut(R) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    while let Some(job) = next()? {
        let mut waiting = Some(job);
        while let Some(job) = waiting.take() {
            match jobs.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(job)) => {
                    waiting = Some(job);
                    // A result means that a worker is free again.
                    match results.recv() {
                        Ok(result) => done(result?)?,
                        Err(_) => return Ok(()),
                    }
                }
                Err(TrySendError::Disconnected(_)) => return Ok(()),
            }
        }
        while let Ok(result) = results.try_recv() {
            done(result?)?;
        }
    }
    Ok(())
}
