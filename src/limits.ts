/** Every limit and time-out of the server, with its unit in its name and its reason beside it. */

/** A JSON request larger than this is a bulk write, which belongs on `POST /tables/NAME/rows`. */
export const requestBodyBytesMax = 16 * 1024 * 1024;
/** An Arrow body is spooled to disk, so this guards the disk, not the memory. */
export const arrowBodyBytesMax = 16 * 1024 * 1024 * 1024;
/** Idempotency keys are remembered this long (contract: seven days). */
export const idempotencyKeyLifetimeMs = 7 * 24 * 60 * 60 * 1000;
/** Attempts at one commit before the conflict is the caller's to see. */
export const commitAttemptsMax = 12;
/** First pause between attempts; doubles, with jitter, up to the longest. */
export const commitPauseMsMin = 5;
export const commitPauseMsMax = 1000;
/** A run whose lease is not renewed for this long is taken over. */
export const runLeaseMs = 10_000;
/** Entries wait in the journal at most this long before they move to their Iceberg table. */
export const journalFlushIntervalMs = 1000;
/** Entries already flushed stay in the journal this long, so that other servers' indexes can catch up cheaply. */
export const journalRetentionMs = 10 * 60 * 1000;
/** Rows a page of any connection holds at most. */
export const pageRowsMax = 1000;
export const pageRowsDefault = 100;
/** Nesting of a GraphQL document. */
export const queryDepthMax = 15;
/** SQLite itself waits this long for another process's commit; longer waits give the event loop its turn between tries. */
export const catalogBusySliceMs = 100;
/** After this long behind other processes a commit gives up and says so. */
export const catalogBusyMsMax = 30_000;
/** Commits that share one transaction and so one fsync: enough to amortise it, few enough to hold the event loop briefly. */
export const catalogBatchCommitsMax = 256;
/** Commits waiting for the catalog in one process; beyond this the answer is OVERLOADED, not a growing queue. */
export const catalogQueueCommitsMax = 20_000;
/** How often a process looks for other processes' commits in the same catalog. */
export const catalogPollMs = 200;
