//! Worker threads.

/// A fixed number of threads.
#[derive(Debug)]
pub(super) struct Pool {
    // None where the caller's thread is the only one.
    threads: Option<rayon::ThreadPool>,
}

impl Pool {
    /// A pool of `n` threads; the reason where the system gives none.
    pub(super) fn new(n: usize) -> Result<Pool, String> {
        if n <= 1 {
            return Ok(Pool { threads: None });
        }
        let named = rayon::ThreadPoolBuilder::new().num_threads(n).thread_name(|i| format!("farthing-{i}"));
        Ok(Pool { threads: Some(named.build().map_err(|e| e.to_string())?) })
    }

    /// Runs `work` inside the pool: entering it takes tens of microseconds, so a series of launches enters once.
    pub(super) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.threads {
            None => work(),
            Some(pool) => pool.install(work),
        }
    }

    /// Calls `work` with 0..`n`, each on a thread of its own where there are as many. One alone runs where it is.
    pub(super) fn each(&self, n: usize, work: impl Fn(usize) + Sync) {
        if n <= 1 || self.threads.is_none() {
            (0..n).for_each(work);
            return;
        }
        rayon::scope(|scope| {
            let work = &work;
            for worker in 1..n {
                scope.spawn(move |_| work(worker));
            }
            work(0);
        });
    }
}
