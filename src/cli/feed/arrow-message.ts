import { Unreachable } from '../refusal.ts';
import { FlatTable } from './flat-table.ts';

/** An encapsulated message of an Arrow IPC stream (format: "Encapsulated message format"), as it came. */
export interface ArrowMessage {
  /** The marker, the length and the FlatBuffer, with what pads it. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

/** What the head of a message says. */
export interface MessageHead {
  readonly kind: 'SCHEMA' | 'DICTIONARY' | 'BATCH';
  /** The table of that kind. */
  readonly table: FlatTable;
  readonly bodyBytes: number;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Bytes in front of the FlatBuffer: a marker and a length. */
export const prefixBytes = 8;
const continuation = 0xffffffff;
const kinds: Readonly<Record<number, MessageHead['kind']>> = { 1: 'SCHEMA', 2: 'DICTIONARY', 3: 'BATCH' };

/** Bytes of the FlatBuffer behind a prefix; 0 is the end of the stream. Throws Unreachable for what is no prefix. */
export function flatBytes(prefix: Uint8Array, bytesMax: number): number {
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes);
  const bytes = view.getUint32(4, true);
  if (view.getUint32(0, true) !== continuation || bytes > bytesMax) throw notArrow();
  return bytes;
}

/** Reads a head, with its prefix. Throws Unreachable for what is none. */
export function messageHead(head: Uint8Array): MessageHead {
  return fromArrow(() => {
    const message = FlatTable.root(head.subarray(prefixBytes));
    const kind = kinds[message.byte(1)];
    const table = message.table(2);
    const bodyBytes = Number(message.long(3));
    if (kind === undefined || table === null || bodyBytes < 0) throw notArrow();
    return { kind, table, bodyBytes, metadata: metadataOf(message, 4) };
  });
}

/** What `read` gives. Throws Unreachable where it meets what leads nowhere. */
export function fromArrow<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw notArrow();
    throw error;
  }
}

/** A vector of keys and values. */
export function metadataOf(table: FlatTable, field: number): ReadonlyMap<string, string> {
  return new Map(table.tables(field).map((pair) => [pair.text(0) ?? '', pair.text(1) ?? '']));
}

function notArrow(): Unreachable {
  return new Unreachable('What came is no Arrow stream: is there something between here and the server that changes answers?');
}
