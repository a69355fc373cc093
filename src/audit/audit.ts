import { Access } from '../access/access.ts';
import type { Caller } from '../access/caller.ts';
import { serverCaller } from '../access/local-caller.ts';
import { visiblePage } from '../access/visible-page.ts';
import type { Catalog, ChainLink } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { canonicalJson } from '../ledger/canonical-json.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerCell } from '../ledger/ledger-query.ts';
import { checkpointIntervalMs, pageRowsMax, unknownRefusalsIntervalMs } from '../limits.ts';
import type { Anchor } from './anchor.ts';
import { type AuditRow, auditChain, auditLog, sealFact } from './audit-entry.ts';
import { inChainOrder } from './chain-order.ts';
import { type ChainVerification, verifyChain } from './chain-verification.ts';
import { type Checkpoint, signCheckpoint } from './checkpoint.ts';
import type { SigningKey } from './signing-key.ts';

export interface AuditOptions {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly signingKey: SigningKey;
  /** Null where no outside anchor is configured: then the chain proves only that it is consistent in itself. */
  readonly anchor: Anchor | null;
  /** Public keys (PEM) of earlier signing keys whose checkpoints still count. */
  readonly formerKeys?: readonly string[];
  /** The entries that the caller at hand may see, without what they may not. All of them where left out. */
  readonly shown?: (rows: readonly AuditRow[]) => Promise<readonly AuditRow[]>;
  readonly access?: Access;
  /** Where a verification sorts the chain on disk. */
  readonly workDirectory: string;
}

export interface AuditEvent {
  readonly caller: Caller;
  readonly action: string;
  /** As `auditSubject` prints it. */
  readonly subject: string;
  readonly outcome: string;
  /** Anything JSON; 64-bit integers may be bigints. No personal data: digests and pseudonyms. */
  readonly payload: unknown;
}

export interface AuditFilter {
  /** Exactly this subject, or a version of it: `table/UUID` also finds `table/UUID@SNAPSHOT`. */
  readonly subject?: string | null;
  readonly actor?: string | null;
  /** Inclusive. */
  readonly fromMicros?: bigint | null;
  /** Exclusive. */
  readonly toMicros?: bigint | null;
  readonly first?: number | null;
  /** Only entries older than the one with this number. */
  readonly afterSeq?: bigint | null;
}

/** The audit chain (semantics, section 8): entries join it in the commit of what they tell about. */
export class Audit {
  readonly #options: AuditOptions;
  readonly #access: Access;
  #unknownRefusals = new Map<string, number>();
  #unknownTimer: NodeJS.Timeout | null = null;
  #checkpointTimer: NodeJS.Timeout | null = null;
  #checkpointedSeq = 0n;
  #verified: { readonly state: string; readonly result: ChainVerification } | null = null;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#access = options.access ?? Access.unrestricted();
  }

  /** Checkpoints every now and then, until `close`. */
  start(intervalMs = checkpointIntervalMs): void {
    this.#checkpointTimer ??= setInterval(() => {
      this.checkpoint().catch((error: unknown) => process.emitWarning(`The audit anchor could not be written: ${String(error)}`));
    }, intervalMs).unref();
  }

  /** The link to commit together with what it tells about. */
  link({ caller, action, subject, outcome, payload }: AuditEvent): ChainLink {
    const { ledger, clock } = this.#options;
    const fact = {
      atMicros: clock.nowMicros(),
      actorId: caller.actor.id,
      actorName: caller.actor.name,
      actorKind: caller.actor.kind,
      action,
      subject: subject.toWellFormed(),
      outcome,
      payload: canonicalJson(payload ?? {}),
    };
    return {
      chain: auditChain,
      seal: (previous) => {
        const row = sealFact(fact, previous);
        return { hash: row.hash, entry: ledger.draft(auditLog, row) };
      },
    };
  }

  /**
   * Records that a known caller was refused, in a commit of its own; that of an unknown one (null) is counted, and comes as one entry a
   * minute. Never throws: the refusal is what the caller is to hear.
   */
  async refused(caller: Caller | null, action: string, subject: string, error: unknown): Promise<void> {
    const code = error instanceof IcecoreError ? error.code : 'INTERNAL';
    if (caller === null) return this.#countUnknown(code);
    await this.#record({ caller, action, subject, outcome: code, payload: {} });
  }

  /** Newest first, at most `pageRowsMax`. */
  async entries(filter: AuditFilter): Promise<{ readonly entries: readonly AuditRow[]; readonly hasNextPage: boolean }> {
    const conditions: string[] = ['TRUE'];
    const args: LedgerCell[] = [];
    const add = (text: string, ...values: readonly LedgerCell[]): void => {
      conditions.push(text);
      args.push(...values);
    };
    const { subject, actor, fromMicros, toMicros } = filter;
    // '@' begins the version, and 'A' is the next character: a range, so that the index serves it.
    if (subject != null) add('(subject = ? OR (subject > ? AND subject < ?))', subject, `${subject}@`, `${subject}A`);
    if (actor != null) add('actor_id = ?', actor);
    if (fromMicros != null) add('at >= ?', fromMicros);
    if (toMicros != null) add('at < ?', toMicros);
    const first = Math.min(filter.first ?? pageRowsMax, pageRowsMax);
    const rows = await visiblePage(
      this.#access,
      first + 1,
      async (last: AuditRow | null, limit) => {
        const after = last?.seq ?? filter.afterSeq ?? null;
        const place = after === null ? [] : [after];
        return await this.#options.ledger.select(auditLog, {
          sql: { text: [...conditions, ...place.map(() => 'seq < ?')].join(' AND '), args: [...args, ...place] },
          orderBy: 'seq DESC',
          limit,
        });
      },
      (entries) => this.shown(entries),
    );
    return { entries: rows.slice(0, first), hasNextPage: rows.length > first };
  }

  /** Those of the entries that the caller at hand may see, without what they may not. */
  async shown(rows: readonly AuditRow[]): Promise<readonly AuditRow[]> {
    return (await this.#options.shown?.(rows)) ?? rows;
  }

  /**
   * Checks the whole chain, from the Iceberg table and the journal, not from the local index, against the anchor and the catalog's own
   * head. Asked again while nothing changed, it gives the same answer without reading.
   */
  async verify(): Promise<ChainVerification> {
    const { catalog, ledger, anchor, signingKey, formerKeys, workDirectory } = this.#options;
    const head = await catalog.chainHead(auditChain);
    const checkpoints = anchor === null ? null : await anchor.read();
    // Whoever may not read the log may know whether it is whole.
    const pointer = await this.#access.asServer(() => catalog.load({ namespace: ['icecore'], name: 'audit_log' }));
    const state = JSON.stringify([
      head.seq.toString(),
      head.hash,
      pointer?.metadataLocation,
      checkpoints?.map((point) => point?.signature),
    ]);
    if (this.#verified?.state === state) return this.#verified.result;
    const anchored =
      anchor === null || checkpoints === null
        ? null
        : { name: anchor.name, checkpoints, publicKeys: [signingKey.publicKey, ...(formerKeys ?? [])] };
    const rows = inChainOrder(justRows(ledger.recorded(auditLog)), workDirectory);
    const result = await verifyChain(rows, anchored, head);
    this.#verified = { state, result };
    return result;
  }

  /** Signs the chain's head and appends it to the anchor; null where there is none, or nothing new. */
  async checkpoint(): Promise<Checkpoint | null> {
    const { catalog, anchor, clock, signingKey } = this.#options;
    if (anchor === null) return null;
    const { seq, hash } = await catalog.chainHead(auditChain);
    if (seq === this.#checkpointedSeq) return null;
    const checkpoint = signCheckpoint(signingKey, { chain: auditChain, seq, hash, atMicros: clock.nowMicros() });
    await anchor.append(checkpoint);
    this.#checkpointedSeq = seq;
    return checkpoint;
  }

  /** Records what was counted, and anchors the chain's head. */
  async close(): Promise<void> {
    if (this.#checkpointTimer !== null) clearInterval(this.#checkpointTimer);
    this.#checkpointTimer = null;
    await this.recordUnknownRefusals();
    await this.checkpoint();
  }

  /** Records the refusals of unknown callers that were counted since the last time; nothing where there were none. */
  async recordUnknownRefusals(): Promise<void> {
    if (this.#unknownTimer !== null) clearTimeout(this.#unknownTimer);
    this.#unknownTimer = null;
    if (this.#unknownRefusals.size === 0) return;
    const counts = Object.fromEntries(this.#unknownRefusals);
    this.#unknownRefusals = new Map();
    await this.#record({
      caller: serverCaller,
      action: 'refuseUnknownCallers',
      subject: 'server',
      outcome: 'UNAUTHENTICATED',
      payload: { counts },
    });
  }

  #countUnknown(code: string): void {
    this.#unknownRefusals.set(code, (this.#unknownRefusals.get(code) ?? 0) + 1);
    this.#unknownTimer ??= setTimeout(() => void this.recordUnknownRefusals(), unknownRefusalsIntervalMs).unref();
  }

  async #record(event: AuditEvent): Promise<void> {
    try {
      await this.#options.catalog.commit({ links: [this.link(event)] });
    } catch (error) {
      process.emitWarning(`A refused attempt (${event.action}, ${event.outcome}) could not be recorded: ${String(error)}`);
    }
  }
}

async function* justRows(batches: AsyncIterable<readonly { readonly row: AuditRow }[]>): AsyncIterable<readonly AuditRow[]> {
  for await (const batch of batches) yield batch.map(({ row }) => row);
}
