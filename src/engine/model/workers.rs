//! Batches side by side: on the CPU each worker computes one small batch at a time on one core, which
//! beats spreading each product over all cores; a GPU has one worker. All take from one queue, so that
//! a fast device computes more than a slow one. Threads live only as long as the call.

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

/// What became of a job.
pub enum Outcome<J, R> {
    Done(R),
    /// The run ends with this.
    Failed(ModelError),
    /// The worker can go on with nothing; the job is for another one. Without another, the run ends.
    GaveUp(J, ModelError),
}

impl<J, R> From<Result<R, ModelError>> for Outcome<J, R> {
    fn from(result: Result<R, ModelError>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(error) => Self::Failed(error),
        }
    }
}

/// How many workers there are, and how many jobs may wait for them.
#[derive(Debug, Clone, Copy)]
pub struct Crew {
    pub workers: usize,
    pub ahead: usize,
}

impl Crew {
    /// As many jobs wait as there are workers.
    pub fn of(workers: usize) -> Self {
        Self { workers, ahead: workers }
    }
}

/// Runs `work` on everything that `next` yields, and hands results to `done` on the calling thread as
/// they come. `next` is called there too, a little ahead of the workers. `state` makes what a worker,
/// by its number, keeps between jobs. The first error (or panic) ends the run; results that came before
/// it have been handed over.
pub fn run<J: Send, R: Send, S: Send>(
    crew: Crew,
    next: impl FnMut() -> Result<Option<J>, ModelError>,
    state: impl Fn(usize) -> S + Sync,
    work: impl Fn(&mut S, J) -> Outcome<J, R> + Sync,
    done: impl FnMut(R) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let (jobs_in, jobs) = bounded::<J>(crew.ahead.max(1));
    let (results_in, results) = unbounded();
    std::thread::scope(|scope| {
        for number in 0..crew.workers {
            let (jobs, results_in) = (jobs.clone(), results_in.clone());
            let (state, work) = (&state, &work);
            scope.spawn(move || serve(&jobs, &results_in, || state(number), work));
        }
        drop((jobs, results_in));
        // Owned there, so that its end closes them and the workers stop.
        Feed { jobs: jobs_in, results, given: 0, alive: crew.workers, back: Vec::new(), next, done }.run()
    })
}

fn serve<J: Send, R: Send, S: Send>(
    jobs: &Receiver<J>,
    results: &Sender<Outcome<J, R>>,
    state: impl FnOnce() -> S,
    work: &(impl Fn(&mut S, J) -> Outcome<J, R> + Sync),
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
        let outcome = outcome.unwrap_or_else(|_| {
            let what = "computing a batch panicked (see the log)";
            Outcome::Failed(ModelError::new(ModelErrorKind::Internal, what))
        });
        let last = !matches!(outcome, Outcome::Done(_));
        if results.send(outcome).is_err() || last {
            return;
        }
    }
}

/// The calling thread's side of a run.
struct Feed<J, R, N, D> {
    jobs: Sender<J>,
    results: Receiver<Outcome<J, R>>,
    /// Jobs that were sent and have not come back.
    given: usize,
    alive: usize,
    /// Jobs of workers that gave up.
    back: Vec<J>,
    next: N,
    done: D,
}

impl<J, R, N, D> Feed<J, R, N, D>
where
    N: FnMut() -> Result<Option<J>, ModelError>,
    D: FnMut(R) -> Result<(), ModelError>,
{
    /// Sends jobs while taking results, until there are no more jobs and all have come back.
    fn run(mut self) -> Result<(), ModelError> {
        let (mut waiting, mut more) = (None, true);
        loop {
            if waiting.is_none() {
                waiting = self.back.pop();
            }
            if waiting.is_none() && more {
                waiting = (self.next)()?;
                more = waiting.is_some();
            }
            match waiting.take() {
                Some(job) => match self.jobs.try_send(job) {
                    Ok(()) => self.given += 1,
                    Err(TrySendError::Full(job)) => {
                        waiting = Some(job);
                        // A result means that a worker is free again.
                        self.wait()?;
                    }
                    // All workers have gone; why is among the results.
                    Err(TrySendError::Disconnected(_)) => self.wait()?,
                },
                None if self.given == 0 => return Ok(()),
                None => self.wait()?,
            }
            while let Ok(outcome) = self.results.try_recv() {
                self.take(outcome)?;
            }
        }
    }

    fn wait(&mut self) -> Result<(), ModelError> {
        match self.results.recv() {
            Ok(outcome) => self.take(outcome),
            Err(_) => Err(ModelError::new(ModelErrorKind::Internal, "the workers have gone without a word")),
        }
    }

    fn take(&mut self, outcome: Outcome<J, R>) -> Result<(), ModelError> {
        self.given = self.given.saturating_sub(1);
        match outcome {
            Outcome::Done(result) => (self.done)(result),
            Outcome::Failed(error) => Err(error),
            Outcome::GaveUp(job, error) => {
                self.alive = self.alive.saturating_sub(1);
                self.back.push(job);
                if self.alive == 0 { Err(error) } else { Ok(()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> ModelError {
        ModelError::new(ModelErrorKind::DeviceLost, "gone")
    }

    /// 100 jobs over workers of which those in `bad` give up at their third job.
    fn crew_of(workers: usize, bad: &[usize]) -> (Result<(), ModelError>, Vec<u32>) {
        let (mut jobs, mut seen) = (0..100u32, Vec::new());
        let ended = run(
            Crew { workers, ahead: 3 },
            || Ok(jobs.next()),
            |number| (number, 0),
            |(number, count), job| {
                *count += 1;
                match bad.contains(number) && *count == 3 {
                    true => Outcome::GaveUp(job, lost()),
                    false => Outcome::Done(job),
                }
            },
            |job| {
                seen.push(job);
                Ok(())
            },
        );
        seen.sort_unstable();
        (ended, seen)
    }

    #[test]
    fn jobs_of_a_worker_that_gives_up_go_to_the_others() {
        for (workers, bad) in [(1, &[][..]), (2, &[0]), (3, &[2, 0]), (5, &[0, 1, 2, 3])] {
            let (ended, seen) = crew_of(workers, bad);
            assert_eq!(ended, Ok(()));
            assert_eq!(seen, (0..100).collect::<Vec<_>>());
        }
    }

    #[test]
    fn without_anybody_left_the_run_ends_with_what_was_done() {
        let (ended, seen) = crew_of(2, &[0, 1]);
        assert_eq!((ended, seen.len()), (Err(lost()), 4));
    }

    #[test]
    fn an_error_or_a_panic_ends_the_run() {
        let mut jobs = 0..50;
        let fails = |_: &mut (), job: i32| match job {
            7 => panic!("at seven"),
            _ => Outcome::Done(job),
        };
        let ended = run(Crew::of(2), || Ok(jobs.next()), |_| (), fails, |_| Ok(()));
        assert!(ended.unwrap_err().message.contains("panicked"));
        let mut jobs = 0..50;
        let work = |_: &mut (), job: i32| Outcome::Done(job);
        assert_eq!(run(Crew::of(2), || Ok(jobs.next()), |_| (), work, |_| Err(lost())), Err(lost()));
    }
}
