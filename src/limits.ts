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
/** Entries forgotten in one transaction: a few milliseconds of the write lock. */
export const catalogTrimEntriesMax = 2_000;
/** How often a process looks for other processes' commits in the same catalog. */
export const catalogPollMs = 200;
/** Requests of one call to storage that are under way at once: hides latency without exhausting sockets or descriptors. */
export const storageRequestsMax = 16;
/** Entities that a tie's message names: enough to find the fault, short enough to read. */
export const tiedEntitiesShownMax = 5;
/** Disk space for copies of remote objects that an engine must have as files. */
export const storageCacheBytesMax = 16 * 1024 * 1024 * 1024;
/** One request's share of a download or an upload: large enough to hide latency, small enough to repeat, and to hold a few in memory. */
export const storagePartBytes = 8 * 1024 * 1024;
/** Parts of one object under way at once. */
export const storagePartsMax = 4;
/** An object store allows at most so many parts an upload. */
export const storageUploadPartsMax = 10_000;
/** Keys of one delete request, and of one page of a listing (S3's own limits). */
export const storageKeysPerRequestMax = 1000;
export const storageAttemptsMax = 5;
/** To open a connection; to the first byte of an answer; between two bytes. */
export const storageConnectMsMax = 5_000;
export const storageRequestMsMax = 60_000;
export const storageIdleMsMax = 30_000;
/** Connections of a thread to the object store; further requests wait for one. So many others receive ranges in place. */
export const storageSocketsMax = 64;
/** Connections that ranges are received by in place, as far as they are kept open between two; and how long none is tried where one was refused. */
export const storageReceivedIdleMax = 32;
export const storageReceiverRestMs = 10_000;
/** A manifest or manifest list is read whole. Writers aim at 8 MiB; beyond this it is damage or malice. */
export const avroFileBytesMax = 512 * 1024 * 1024;
/** What one block of an Avro file may inflate to; writers aim at 64 KiB. Guards against a small file that inflates without end. */
export const avroBlockBytesMax = 128 * 1024 * 1024;
/** Bytes of a block before it is compressed. Java and Avro's own tools write blocks of about this size. */
export const avroBlockBytesTarget = 64 * 1024;
/** Nesting of an Avro schema: a manifest needs six. */
export const avroDepthMax = 64;
/** Parts of an Avro schema, a named type counted wherever it is used: one that names itself twice would double without end. */
export const avroSchemaPartsMax = 100_000;
/** Structs, lists and maps in one another: deeper is no honest schema, and would exhaust the stack. */
export const typeDepthMax = 64;
/** The greatest id a column may have; above it are the format's reserved columns (spec: "Reserved Field IDs"). */
export const columnIdMax = 2_147_483_447;
/** A key is remembered for days: this bounds what a caller can have stored. */
export const idempotencyKeyBytesMax = 255;
/** Journal entries that the local index takes over at a time: keeps the event loop free in between. */
export const ledgerBatchRowsMax = 1000;
/** Rows that one read of the ledger gives at most: pages and batches stay below it. */
export const ledgerSelectRowsMax = 100_000;
/** Another process may fill the same index; its transactions hold a batch and are short. */
export const ledgerIndexBusyMsMax = 10_000;
/** Statements that run in one DuckDB instance at a time; each takes memory, and threads are shared anyway. */
export const duckDbLeasesMax = 16;
/** Statements that wait for a connection before new ones are turned away. */
export const duckDbWaitingMax = 256;
/** How often an aborted statement is interrupted again until it has stopped. */
export const duckDbInterruptIntervalMs = 20;
/** What a streamed result may run ahead of its reader: 1.85 to 2.97 M rows/s measured from the buffer alone. */
export const duckDbStreamingBufferBytes = 100 * 1000 * 1000;
/** Who moves journal entries renews its lease table by table; a server that died is taken over after this. */
export const ledgerFlushLeaseMs = 15_000;
/** Who waits for entries to be moved by another server gives up after this. */
export const ledgerFlushWaitMsMax = 30_000;
/** A ledger table is looked over for small files after so many flushes. */
export const ledgerTidyFlushes = 50;
/** A SELECT is written by people and tools; longer ones are data in disguise. */
export const sqlStatementBytesMax = 1024 * 1024;
/** Parsed table metadata kept, counted as the bytes of its JSON: parsed it takes about four times that. */
export const metadataCacheBytesMax = 32 * 1024 * 1024;
/** Manifests and manifest lists kept as they lie in storage. */
export const manifestCacheBytesMax = 256 * 1024 * 1024;
/** Manifests kept decompressed, with where their entries lie by partition: those that filters on partitions went through. */
export const manifestIndexCacheBytesMax = 128 * 1024 * 1024;
/** Metadata files read at a time, where many tables are loaded. */
export const metadataReadsInFlightMax = 16;
/** Rows of a row group that Icecore writes: what DuckDB decodes as one piece of work. */
export const rowGroupRowsMax = 122_880;
/** A SELECT that runs longer is not what a person waits for; jobs set their own. */
export const sqlTimeoutMs = 5 * 60 * 1000;
/** JSON of one SELECT's answer, in UTF-16 units of its values; more travels as Arrow. */
export const sqlResultBytesMax = 32 * 1024 * 1024;

/** One call of a model's endpoint, from sending to the last byte of the answer. */
export const endpointCallMsMax = 30_000;
/** Attempts at one batch before its run fails. */
export const endpointAttemptsMax = 6;
/** First pause after a refused or broken call; doubles, with jitter, up to the longest. */
export const endpointPauseMsMin = 100;
export const endpointPauseMsMax = 10_000;
/** An endpoint's answer to one batch. */
export const endpointAnswerBytesMax = 64 * 1024 * 1024;
/** Rows of one call of an endpoint. */
export const scoringBatchRowsMax = 65_536;
/** Calls of one run under way at once. */
export const scoringConcurrencyMax = 64;
/** Data files moved to storage at a time; each waits for a disk or a store, none needs the processor. */
export const filesPublishedAtOnce = 8;
/** Manifests read ahead of the one whose files are handed out: hides a store's latency. A few, about 8 MiB each, or more that are small. */
export const manifestsReadAheadMin = 4;
export const manifestsReadAheadMax = 16;
export const manifestsReadAheadBytesMax = 32 * 1024 * 1024;
/** How much of the audit chain may be unanchored at most, in time. */
export const checkpointIntervalMs = 60_000;
/** A line of the anchor, at most: what a crash cut off while it was written is looked for in so much of its end. */
export const anchorLineBytesMax = 4096;
/** Refusals of unknown callers are counted for so long and then are one entry (semantics, section 8). */
export const unknownRefusalsIntervalMs = 60_000;
/** Data files opened at a time for one scan; on local disk that is a look at the directory, on S3 a download. */
export const dataFilesOpenedAtOnce = 16;
/** Runs worked at at a time by one server: the heavy part of each uses all cores by itself. */
export const runsInFlightMax = 4;
/** How often a server looks for runs whose server died. */
export const runRecoveryIntervalMs = 2000;
/** A run that outlived so many servers is likely what ends them. */
export const runAttemptsMax = 5;
/** What one GraphQL document may cost: about one a field answered, lists counted by `first`. A page of 1,000 tables with all fields fits. */
export const queryCostMax = 250_000;
/** Items that a list without `first` is counted as; such lists are short by nature (contract). */
export const queryCostBareListItems = 10;
/** What a field costs that makes the engine read: so that one document cannot fill the queue for the engine's connections. */
export const queryCostHeavyField = 1000;
/** A GraphQL request's body has to be here by then; bulk uploads have `uploadMsMax`. */
export const requestBodyMsMax = 60_000;
/** Headers have to be here by then: a connection that sends nothing is not held. */
export const requestHeadersMsMax = 30_000;
/** One upload of rows, from its first byte to its last. */
export const uploadMsMax = 60 * 60 * 1000;
/** One query or mutation; long work answers with its run, and subscriptions have no end. */
export const operationMsMax = 10 * 60 * 1000;
/** A client that takes no byte of a raw Arrow response for so long has its connection reset. */
export const arrowResponseStallMsMax = 10 * 60 * 1000;
/** Requests in flight get so long to end when the server is told to stop. */
export const drainMsMax = 10_000;
/** Tables looked through at a time, where those of one kind are listed. */
export const tablesListedAtOnce = 200;
/** Steps of a lineage walk where the caller names no number (contract), and at most. */
export const lineageDepthDefault = 10;
export const lineageDepthMax = 100;
/** Nodes of one lineage answer where the caller names no number (contract), and at most. */
export const lineageNodesDefault = 500;
export const lineageNodesMax = 10_000;
/** Edges that one level of a lineage walk may hold: bounds its memory where a node has very many. */
export const lineageEdgesMax = 50_000;
/** A lineage walk that takes longer answers what it has, and says so. */
export const lineageWalkMsMax = 10_000;
/** A record batch is gathered whole before it is read. Writers make them of a few MiB. */
export const arrowMessageBytesMax = 256 * 1024 * 1024;
/** Data files that one query for a page of rows reads at most; the next files are looked at only where these have too few matches. */
export const pageFilesMax = 64;
/** A statement of a run, such as a materialisation: nobody waits at a screen, and cancelling the run ends it at once. */
export const jobStatementMsMax = 6 * 60 * 60 * 1000;
/** Keys of an upsert by which files are left out one by one; of more, their range has to do. */
export const keyValuesPrunedMax = 200;
/** A file of a ledger table below this is small, and so many small ones are merged into one. */
export const ledgerSmallFileBytes = 8n * 1024n * 1024n;
export const ledgerFilesTidied = 50;
/** Snapshots of ledger tables stay so long, for whoever reads them meanwhile. Their rows stay for good. */
export const ledgerHistoryMs = 24 * 60 * 60 * 1000;
/** Rows a file of a training set: few files to plan, and pieces of a size that several readers can share out. */
export const trainingFileRows = 1_000_000;
/** A file without a reference may be one that a writer is about to commit; Spark's procedure draws the same line. */
export const orphanAgeMsMin = 24 * 60 * 60 * 1000;
/** Orphan files that an answer names; the rest is counted. */
export const orphanFilesListedMax = 1000;
/** One call to remove files; S3 takes as many. */
export const orphanFilesRemovedAtOnce = 1000;
/** Iceberg's own default of `write.target-file-size-bytes`. */
export const dataFileBytesDefault = 512 * 1024 * 1024;
/** Objects named in one removal; S3 takes a thousand. */
export const objectsRemovedAtOnce = 1000;
/** Rows that a drifted reproduction names for each column; the rest is counted. */
export const differingRowsShownMax = 5;
/** Entities of one call of featureVectors; more is a training set. */
export const featureVectorEntitiesMax = 10_000;
/** Columns of an Arrow schema, nested ones counted: as many as any table that is not a mistake. */
export const arrowColumnsMax = 10_000;
/** Bins of a column's histogram: what a page shows at a glance. */
export const histogramBins = 20;
/** Rows of one Arrow body; a table of them is kept on disk until it is written. */
export const arrowBodyRowsMax = 1_000_000_000;
/** Rows of one SELECT's JSON answer; more travels as Arrow. */
export const sqlRowsMax = 100_000;
/** The longest that `expireSnapshots` and `removeOrphanFiles` keep their caller waiting for the lists that they answer with. */
export const maintenanceAnswerMsMax = 10 * 60 * 1000;
/** Rows of a row group of a scoring run's staged rows, and what is read ahead of the model at a time. */
export const scoringRowGroupRows = 16_384;
/** A run that never ends lets go of the snapshots it reads after this. */
export const scoringHoldMs = 30 * 24 * 60 * 60 * 1000;
/** Tries to create a predictions table while others create it too. */
export const scoringCommitAttemptsMax = 3;
/** Predictions that an explanation compares, where several rows of a source have the same keys and moment. */
export const explanationRowsMax = 1000;
/** Names of the columns of data files without field ids: few tables have such files, and each is looked into once. */
export const parquetShapeCacheBytesMax = 8 * 1024 * 1024;
/** Rows of one batch of a training feed: it is gathered in memory before it is sent. */
export const feedBatchRowsMax = 1_048_576;
/** As the contract has it. */
export const feedLanesMax = 64;
/** Ranks of one training job. */
export const feedWorldSizeMax = 65_536;

/** Rows of one batch of a SELECT's result as Arrow. */
export const sqlBatchRows = 65_536;
/** Training feeds that are read at the same time: each holds its groups, 20 bytes of each, and a small piece of a batch while its client stalls. */
export const feedsReadAtOnceMax = 500;
/** Threads that decode and shuffle: more of them wait for memory and disk. */
export const feedWorkersMax = 8;
/** Of those threads, beside the server's others (`nice`): a third of their share where there is not enough for all. */
export const feedWorkerNiceness = 5;
/** Of them, those that make one batch together, some of its columns each: every one works out the order of its rows. */
export const feedMakersMax = 4;
/** What is smaller is made by one thread. */
export const feedSplitBytesMin = 1024 * 1024;
/** How often a feed looks how busy the threads are, to make its batches with more or fewer of them. */
export const feedMakersLookMs = 1000;
/** Of a worker's heap, beside the bytes of columns, blocks and batches. */
export const feedWorkerHeapBytesMax = 512 * 1024 * 1024;
/**
 * What such a heap may grow to before it is swept at all. Every batch that comes and goes counts towards it: from V8's own 30 MiB on, each
 * second one would sweep, a third of the thread's time.
 */
export const feedWorkerHeapBytesMin = 48 * 1024 * 1024;
/** Of what such a heap holds of late: three half-spaces of which one is used at a time, and all stay. */
export const feedWorkerYoungBytesMax = 16 * 1024 * 1024;
/** Blocks that all workers keep in memory: those that a few feeds of ordinary rows are in. Others are read again from the cache's files. */
export const feedBlocksBytesMax = 384 * 1024 * 1024;
/** Blocks that the rows of one batch lie in, which a worker has in memory together: a batch is no larger, and so many doubles are 268 million. */
export const feedBatchBlocksBytesMax = 2 * 1024 ** 3;
/** Memory of blocks and batches that a worker is through with, for those to come: new pages are slow to write. */
export const feedBlockMemoryKeptMax = 64 * 1024 * 1024;
/** Memory that a worker keeps for what it does is free once it did none of it for so long; a server without feeds ends its workers then. */
export const feedRestMs = 10_000;
/** The same of decoding, where other work goes on. */
export const feedDecodeRestMs = 2_000;
/** Rows of a block that are shuffled at a time, at least: it is read from its file for each piece. */
export const feedPieceRowsMin = 1024;
/** Orders of blocks that a worker keeps while it shuffles them piece by piece, 128 KiB each. */
export const feedShuffledRowsBytesMax = 16 * 1024 * 1024;
/** Files of the cache that a worker holds open. */
export const feedFilesOpenMax = 128;
/** Footers of Parquet files that are kept parsed: by who finds the groups of tables, and by each worker. */
export const feedFootersBytesMax = 16 * 1024 * 1024;
/** Groups that a worker decodes in turn: while the columns of one are on their way, another's are decoded. */
export const feedDecodesPerWorkerMin = 2;
/** More of them where they are small, in Arrow: a store that is far away is kept busy by many requests. */
export const feedDecodesPerWorkerMax = 8;
export const feedDecodeBytesPerWorker = 128 * 1024 * 1024;
/** Groups that a feed has decoded ahead, for each worker there is. */
export const feedGroupsAheadPerWorker = 2;
/** Decoded, of the groups that a feed has decoded ahead beyond those that it reads: lanes come to the ends of theirs together. */
export const feedGroupsAheadBytes = 512 * 1024 * 1024;
/** Rows behind a batch in which a feed looks for the groups to read ahead. */
export const feedAheadRows = 4 * 1024 * 1024;
/** Tries at a group whose file of live rows goes under our hands, or whose block file does, and at a batch whose block files do. */
export const feedDecodeTriesMax = 8;
export const feedBatchTriesMax = 8;
/** Before the second try; each further one waits twice as long. Who empties a large directory takes a second or two. */
export const feedTryAgainMs = 10;
/** Small batches are made ahead of their reader up to so many bytes, and no more than so many; of larger ones it is one. */
export const feedAheadBytes = 1024 * 1024;
export const feedAheadBatchesMax = 64;
/** Encoded batches of all feeds that wait for their clients, beyond which those of stalled clients are let go and made again later. */
export const feedEncodedBytesMax = 256 * 1024 * 1024;
/** A client that takes nothing for so long has stalled; also how long another's batch waits for its room at most. */
export const feedIdleBatchMs = 100;
/** What is written to a client at a time, some 0.3 ms of the event loop's; others have their turn between two of them. */
export const feedPieceBytes = 1024 * 1024;
/** Batches below this are written together with those behind them that are ready. */
export const arrowSmallBatchBytesMax = 256 * 1024;
/** Rows of a SELECT that the command line shows where it is not told how many. */
export const cliRowsDefault = 1000;
/** A statement that the command line reads from its input. */
export const cliStatementBytesMax = 1024 * 1024;
/** Tables, or snapshots and refs of one, that the command line asks for at a time. */
export const cliPageSize = 200;
/** Of one table's snapshots and refs, what the command line shows. */
export const cliSnapshotsShownMax = 10;
export const cliRefsShownMax = 50;
/** Of the head of an Arrow message that the command line reads: some hundred bytes a column. */
export const cliFeedHeadBytesMax = 64 * 1024 * 1024;
/** Of a batch that the command line writes: it is held in memory until it is there as a whole. */
export const cliFeedBodyBytesMax = 4 * 1024 ** 3;
/** Smaller batches than this are written to one page of a Parquet file together: a page costs its header, and its compression a beginning. */
export const cliFeedPageRows = 65_536;
/** Of a row group of a Parquet file that the command line writes, which is held in memory until it is whole. */
export const cliFeedRowGroupRows = 1024 * 1024;
export const cliFeedRowGroupBytes = 64 * 1024 * 1024;
/** A feed that brings nothing for so long is asked for anew: before its first batch the server may have matches to count. */
export const cliFeedSilenceMsMax = 10 * 60 * 1000;
/** A feed that broke off is asked for again until nothing has come for so long, after pauses that double up to a limit. */
export const cliFeedPatienceMs = 5 * 60 * 1000;
export const cliFeedPauseMsMin = 200;
export const cliFeedPauseMsMax = 15_000;
/** SELECTs streamed at the same time: each holds one of the guarded connections while its reader takes its time. */
export const sqlStreamsAtOnceMax = 10;
/** Journal entries that one flush moves: they are held in memory, and the lease has to last until they are committed. */
export const ledgerFlushRowsMax = 10_000;
/** Tokens of one GraphQL document: parsing and validating so many takes under a second, and comes before it is known who asks. */
export const queryTokensMax = 100_000;
/** Characters of a table's location: a path of most file systems has 4,096 bytes, and files' names come on top. */
export const locationLengthMax = 2048;

/** Of one deletion vector, as stored: a bitmap of two thousand million rows has about this size. */
export const deletionVectorBytesMax = 268_435_456;
/** Rows of a data file whose deletion vector is read: its positions are in memory, eight bytes each. */
export const deletionVectorRowsMax = 134_217_728;
/** Nesting of a JSON body of the REST catalog: a schema of a hundred structs in each other fits, and what follows it by recursion does not overflow. */
export const restJsonDepthMax = 500;
/** REST answers from here on are compressed where the client takes that: below, it costs more time than the bytes on a network do. */
export const restGzipBytesMin = 32 * 1024;
/** Answers to loads of tables kept as bytes, ready to send: a metadata file is read and compressed once while many engines load the table. */
export const restLoadsCacheBytesMax = 64 * 1024 * 1024;
/** Parsed metadata of views kept, counted as the bytes of its JSON: a view has a few kilobytes. */
export const viewMetadataCacheBytesMax = 8 * 1024 * 1024;
/** A view's metadata file, inflated. It is read and written whole: queries are kilobytes, and ten versions are kept unless more are wanted. */
export const viewMetadataBytesMax = 16 * 1024 * 1024;
/** Nesting of a filter in the REST protocol: honest ones name many values by `in`; each level takes a stack frame in every pass. */
export const expressionDepthMax = 1000;
/** What a plan's token unpacks to: the filter that came in a request, and a little more. */
export const planTokenBytesMax = 17 * 1024 * 1024;
/** A plan's id travels in paths and queries, and servers bound those: the id of a plan with a longer filter answers no GET. */
export const planIdBytesMax = 4096;
/** Tasks of one answer: a few MiB of JSON; further ones come by plan tasks. */
export const scanTasksPerAnswerMax = 5000;
/** Data manifests that one answer reads, so that it comes soon whatever the filter leaves of them; about 8 MiB each. */
export const scanManifestsPerAnswerMax = 32;
/** Live files of the manifests of one answer under a filter, most of which it is thought to rule out. */
export const scanFilesPerAnswerMax = 100_000;
/** Plan tasks of one answer: each is a request of the client's. */
export const planTasksPerAnswerMax = 1000;
/** All plan tasks of one answer: each holds the filter, and with a long one there are fewer, of more manifests each. */
export const planTasksBytesMax = 1024 * 1024;
/** Parts of a namespace that a REST client creates: far beyond what people nest. */
export const namespaceDepthMax = 32;
/** Characters of one part of a name that a REST client gives. */
export const namePartLengthMax = 128;
/** The properties of a namespace as JSON: they are read with every look at it, and a page of a list looks at a thousand. */
export const namespacePropertiesBytesMax = 32 * 1024;

/** Connections of one server to a Postgres catalog for reading; beside them one writes and one listens. Postgres allows 100 by default. */
export const catalogConnectionsMax = 8;
/** Reads of one server that wait for one of them; beyond this the answer is OVERLOADED, not a growing queue. */
export const catalogReadsWaitingMax = 10_000;
/** To connect to Postgres, or to wait for one of the connections. */
export const catalogConnectMsMax = 10_000;
/** A statement of the catalog; longer than the wait for the write lock, which is one. */
export const catalogStatementMsMax = 40_000;
/** A server that stands still in the middle of a commit holds the write lock of all others: Postgres ends its transaction then. */
export const catalogIdleTransactionMsMax = 15_000;
/** How long a server tries to reach a Postgres that restarts, or to learn what became of a commit, before the caller hears of it. */
export const catalogUnreachableMsMax = 15_000;
/** Between two tries; doubles, with jitter, up to the longest. */
export const catalogReconnectPauseMsMin = 20;
export const catalogReconnectPauseMsMax = 1000;
/** For saying goodbye to Postgres; a network that is gone would keep a server from stopping. */
export const catalogGoodbyeMsMax = 3_000;
/** Postgres tells of commits by itself; a server looks nonetheless, in case it was told over a connection that died silently. */
export const catalogWatchPollMs = 5_000;

/** Names that a list reads at a time to find those that its caller may see. */
export const pointersLookedThrough = 1000;
/** The same of things that have entries of their own; doubles, since who sees little of much has to go through it all. */
export const entriesLookedThroughMin = 100;
export const entriesLookedThroughMax = 2000;
/** Characters of the address of a request that is signed for a client: a key has at most 1,024 bytes, each escaped by three characters, and a query comes on top. */
export const signedUriLengthMax = 8192;
/** Tables that one transaction of a REST client changes: each is a metadata file to write before any of them is committed. */
export const transactionTablesMax = 1000;
/** An access token is renewed by its client about so often; one that leaked is good for no longer. */
export const accessTokenMsMax = 60 * 60 * 1000;
/** A token can be renewed by itself for so long; then the API key has to be shown again. */
export const accessTokenChainMsMax = 24 * 60 * 60 * 1000;
/** A request for an access token: a few names, a key and at most two tokens. Whoever asks is not known yet. */
export const oauthBodyBytesMax = 64 * 1024;
/** A table that is staged is written within so long; then its files are no longer signed for, until it is committed. */
export const stagingTicketMsMax = 24 * 60 * 60 * 1000;
/** What an engine reports of one scan or commit: mostly the names of columns; a few kilobytes are usual. */
export const metricsReportBytesMax = 128 * 1024;
/** One request to a foreign catalog, from sending to the last byte of the answer: loads of tables with long histories are megabytes. */
export const foreignRequestMsMax = 60_000;
/** Attempts at one request to a foreign catalog that is busy or not to be reached, and the pauses between them. */
export const foreignAttemptsMax = 4;
export const foreignPauseMsMin = 100;
export const foreignPauseMsMax = 2000;
/** An answer of a foreign catalog is held in memory; a table of 10,000 snapshots takes about ten megabytes. */
export const foreignAnswerBytesMax = 256 * 1024 * 1024;
/** Tables of a foreign catalog that are loaded at a time, where many are asked for: it gives each by a request of its own. */
export const foreignLoadsInFlightMax = 16;
/** Names asked for at a time where a foreign catalog is listed. */
export const foreignPageSize = 1000;
/** A foreign catalog tells nobody of commits: who waits for some looks again this often. */
export const foreignPollMs = 2000;
/** A foreign catalog finds no table by its uuid. A uuid that was not found is looked for in all of its tables again only after so long. */
export const foreignSearchPauseMsMin = 10_000;
/** Tables of a foreign catalog whose names are remembered by their uuids; others are searched for. */
export const foreignNamesMax = 100_000;
/** REST clients are told that they may repeat a request under its key for so long. Java's send a key with every change. */
export const restKeyPromisedMs = 30 * 60 * 1000;
/** So long such keys are remembered. Not for days: each takes a line of the catalog. */
export const restKeyLifetimeMs = 60 * 60 * 1000;
/** A table's metadata file, inflated: some 400,000 snapshots. It is read whole. */
export const tableMetadataBytesMax = 256 * 1024 * 1024;
/** A REST client that takes no byte of a list for so long has its connection reset: a page of it is held in memory. */
export const restResponseStallMsMax = 60_000;

/** Writers of one table who share a commit: each adds a snapshot to its metadata file, and waits for those of all. */
export const commitsSharedMax = 64;
/** Files that one manifest may list. The reference's writers stop at some ten thousand; of a few bytes it could be claimed of any number. */
export const manifestEntriesMax = 2_000_000;
/** Manifests of one snapshot. */
export const snapshotManifestsMax = 1_000_000;

/** Structs and lists of a Parquet header in one another: honest ones have seven. */
export const thriftDepthMax = 32;
/** A Parquet footer is read whole: 100 columns of 10,000 row groups take about as much. */
export const parquetFooterBytesMax = 256 * 1024 * 1024;
/** Rows of a row group, which is decoded whole: PyArrow writes no larger ones. Writers aim at a million or less. */
export const parquetGroupRowsMax = 64 * 1024 * 1024;
/** What a page may inflate to; writers aim at 1 MiB, a dictionary may take more. Guards against a page that inflates without end. */
export const parquetPageBytesMax = 512 * 1024 * 1024;
/** Memory for inflated pages that a thread keeps for the next ones; what writers aim at, and DuckDB's pages of 122,880 texts, are smaller. */
export const parquetPageKeptBytesMax = 16 * 1024 * 1024;
/** Memory of columns and ranges that were done with, which a thread of the Parquet reader uses again: two of a large row group's requests, and some columns. */
export const parquetKeptBytesMax = 64 * 1024 * 1024;
/** One column of one row group as it is decoded. Arrow's offsets reach to 2 GiB. */
export const parquetColumnBytesMax = 1024 * 1024 * 1024;
/** The wanted columns of one row group together, in the file and as they are decoded: whoever wants more at a time asks for fewer columns. */
export const parquetGroupBytesMax = 4 * 1024 * 1024 * 1024;
/** What may lie between two columns that one request reads: about what a store sends while another request would begin. */
export const parquetGapBytesMax = 512 * 1024;
/** A request that joins several columns; larger ones leave no work for others beside them, and the first of their columns waits for the last. */
export const parquetRangeBytesMax = 4 * 1024 * 1024;
/** Bytes and requests that are under way for all row groups that one thread reads: some times what a line of a gigabit has on its way within 30 ms. */
export const parquetUnderWayBytesMax = 24 * 1024 * 1024;
export const parquetUnderWayMax = 64;
/** Bytes of one row group that are requested or lie read while its columns are decoded one by one: some requests, and no more than a column needs. */
export const parquetAheadBytesMax = 64 * 1024 * 1024;
/** Changes of one table or view in one commit, removals of snapshots counted once: each copies what it changes, and all are made in one go. */
export const metadataUpdatesMax = 1000;
/** Characters of a refusal over REST: it may name what the client sent, and that may be megabytes. Under an idempotency key it is kept. */
export const restErrorCharactersMax = 4000;
/** Commits to one table that wait for their turn in one process, each with what it asks for; beyond this the answer is OVERLOADED, not a growing queue. */
export const commitsWaitingMax = 1000;

/** Compiled writers of Avro, of one schema each: two a table and partition spec in use. */
export const avroWritersCachedMax = 256;
/** Footers of a feed's files that are read at the same time: each is one request, or two. */
export const feedFootersReadAtOnce = 32;
/** What is kept of footers and of counts of matching rows, a hundred bytes a file: a million files' worth on disk, a large table's in memory. */
export const feedRecordsBytesMax = 256 * 1024 * 1024;
export const feedRecordsMemoryBytesMax = 32 * 1024 * 1024;
/** The groups of tables that feeds were opened over, some 1,000 bytes a file: kept for the next page, rank or epoch. */
export const feedGroupsMemoryBytesMax = 256 * 1024 * 1024;
/** Rows that one statement counts the matching ones of, and their files: a bit each is held for them. */
export const feedCountRowsMax = 64 * 1024 * 1024;
export const feedCountFilesMax = 256;
/** Bits of the rows that match, on local disk: those of 32 billion rows. */
export const feedMatchesBytesMax = 4 * 1024 * 1024 * 1024;

/** The feed's decoded columns on local disk, where nobody says how many bytes: a share of what the disk has free, and not more than this. */
export const feedCacheDiskShare = 0.5;
export const feedCacheBytesDefaultMax = 64 * 1024 * 1024 * 1024;
/** A file of the feed cache that was begun and not written to for so long has no writer any more. */
export const feedCacheLeftOverMs = 60 * 60 * 1000;
/** The use of a file of the feed cache is written to its time once in so long: that is how fine uses are known after a restart, and to others. */
export const feedCacheTouchedMs = 10 * 60 * 1000;
/** What a server knows of parts of block files that it wrote or has checked: eight bytes each, and of what it wrote eight a file. */
export const feedCheckedPartsBytesMax = 4 * 1024 * 1024;
/** Files that went by SQL in a feed and are counted one by one; of others only that there were some is known. */
export const feedSqlFilesCountedMax = 1000;
/** A bucket of a full shuffle, decoded: most of its columns fit the processor's cache while they are put in order. */
export const fullShuffleBucketBytes = 16 * 1024 * 1024;
/** Buckets of a full shuffle: more would have too few of the rows that are dealt at a time. Of larger tables they are larger. */
export const fullShuffleBucketsMax = 1024;
/** Decoded rows that a dealer of a full shuffle holds until they are worth a write to each bucket. */
export const fullShuffleRoundBytes = 48 * 1024 * 1024;
/** How long the URLs of a training plan are good, as the keys that engines get: readers ask for others. */
export const planUrlLifetimeMs = 60 * 60 * 1000;
/** Bitmaps and row groups of one page of a training plan's files. A page has one file at least. */
export const planPageBytesMax = 16 * 1024 * 1024;
/** Groups that a dealer of a full shuffle has decoded ahead. */
export const fullShuffleGroupsAhead = 2;
/** Groups by which a full shuffle learns how long rows are. */
export const fullShuffleSampledGroups = 4;
/** A full shuffle that nobody reads any more goes on for so long: readers that lost their connection come back. */
export const fullShuffleLingerMs = 60_000;
/** Deletion vectors of a feed's files that are read at the same time: each is in memory as positions. */
export const feedVectorsReadAtOnce = 4;
/** Files of one such statement where the engine cannot read objects where they are, and has copies of them in the cache meanwhile. */
export const feedCountCopiesBytesMax = 4 * 1024 * 1024 * 1024;
