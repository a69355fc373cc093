import type { ChainHead } from '../catalog/catalog.ts';
import { sha256Hex } from '../ledger/canonical-json.ts';
import { type AuditRow, linkHash } from './audit-entry.ts';
import { type Checkpoint, isSigned } from './checkpoint.ts';

/** What the chain proves, and no more (contract, `ChainVerification`; semantics, section 8). */
export interface ChainVerification {
  /** Every link follows from the one before, from the first to the head, and agrees with what the anchor holds. */
  readonly consistent: boolean;
  /** The last link seen; 0 for an empty chain. */
  readonly headSeq: bigint;
  /** Nothing up to here was changed, removed, inserted, reordered or cut; null without an anchor that says so. */
  readonly verifiedThroughSeq: bigint | null;
  /** The anchor's name; null where there is none. */
  readonly anchor: string | null;
  readonly firstFault: string | null;
}

/** What an outside anchor says. */
export interface AnchoredCheckpoints {
  readonly name: string;
  readonly checkpoints: readonly (Checkpoint | null)[];
  /** PEM (SPKI) of the keys that may sign checkpoints. */
  readonly publicKeys: readonly string[];
}

const hashBeforeFirst = '0'.repeat(64);

/**
 * Checks a chain from its first link on, link by link, holding one at a time besides the checkpoints. `rows` come in the order of
 * their `seq`; `anchored` is what an outside anchor holds, `catalogHead` where the
 * catalog says that the chain ended before `rows` were read. Pure but for reading `rows`.
 */
export async function verifyChain(
  rows: AsyncIterable<AuditRow> | Iterable<AuditRow>,
  anchored: AnchoredCheckpoints | null = null,
  catalogHead: ChainHead | null = null,
): Promise<ChainVerification> {
  const points = new CheckpointTrail(anchored, catalogHead);
  let head = { seq: 0n, hash: hashBeforeFirst };
  let fault = points.fault;
  for await (const row of rows) {
    if (fault === null) {
      fault = linkFault(row, head) ?? points.faultAt(row);
      if (fault === null) points.pass(row.seq);
    }
    if (row.seq > head.seq) head = { seq: row.seq, hash: row.hash };
  }
  fault ??= points.faultBeyond(head.seq);
  return {
    consistent: fault === null,
    headSeq: head.seq,
    verifiedThroughSeq: points.verifiedThroughSeq,
    anchor: anchored?.name ?? null,
    firstFault: fault,
  };
}

function linkFault(row: AuditRow, previous: { readonly seq: bigint; readonly hash: string }): string | null {
  if (row.seq !== previous.seq + 1n) {
    return row.seq <= previous.seq
      ? `Entry ${row.seq} comes after entry ${previous.seq}: an entry was inserted, repeated or moved.`
      : `Entry ${row.seq} comes after entry ${previous.seq}: what was between them was removed.`;
  }
  if (row.previous_hash !== previous.hash) {
    return `Entry ${row.seq} does not follow from entry ${previous.seq}: its previous hash is ${row.previous_hash}, and should be ${previous.hash}.`;
  }
  const hash = linkHash(row);
  if (hash !== row.hash) return `Entry ${row.seq} was changed: its hash is ${row.hash}, and its content gives ${hash}.`;
  if (row.payload !== null && sha256Hex(row.payload) !== row.payload_sha256) {
    return `Entry ${row.seq} was changed: its payload does not have the digest ${row.payload_sha256}.`;
  }
  return null;
}

/** The checkpoints by place, and how far they bear the chain out. */
class CheckpointTrail {
  fault: string | null = null;
  verifiedThroughSeq: bigint | null = null;
  readonly #bySeq = new Map<bigint, string>();
  readonly #catalogHead: ChainHead | null;
  #last = 0n;

  constructor(anchored: AnchoredCheckpoints | null, catalogHead: ChainHead | null) {
    this.#catalogHead = catalogHead;
    for (const [index, point] of (anchored?.checkpoints ?? []).entries()) {
      const where = `Checkpoint ${index + 1} of ${anchored?.name}`;
      if (point === null) this.fault ??= `${where} is not readable.`;
      else if (!isSigned(point, anchored?.publicKeys ?? []))
        this.fault ??= `${where}, for entry ${point.seq}, is not signed by a known key.`;
      else this.#add(point, where);
    }
  }

  faultAt({ seq, hash }: AuditRow): string | null {
    const head = this.#catalogHead;
    if (head?.seq === seq && head.hash !== hash) {
      return `Entry ${seq} has the hash ${hash}, and the catalog says ${head.hash}: the table or the catalog was put back or replaced.`;
    }
    const expected = this.#bySeq.get(seq);
    if (expected === undefined || expected === hash) return null;
    return `Entry ${seq} has the hash ${hash}, and the anchor's checkpoint says ${expected}: the chain up to it is not the one that was anchored.`;
  }

  pass(seq: bigint): void {
    if (this.#bySeq.has(seq)) this.verifiedThroughSeq = seq;
  }

  faultBeyond(headSeq: bigint): string | null {
    if (this.#last > headSeq) {
      return `The chain ends at entry ${headSeq}, and the anchor holds a checkpoint for entry ${this.#last}: it was cut.`;
    }
    const head = this.#catalogHead;
    if (head === null || head.seq <= headSeq) return null;
    return `The chain ends at entry ${headSeq}, and the catalog knows of entry ${head.seq}: it was cut.`;
  }

  #add(point: Checkpoint, where: string): void {
    const other = this.#bySeq.get(point.seq);
    if (other !== undefined && other !== point.hash) {
      this.fault ??= `${where} contradicts an earlier one for entry ${point.seq}.`;
    }
    this.#bySeq.set(point.seq, point.hash);
    if (point.seq > this.#last) this.#last = point.seq;
  }
}
