import { IcecoreError } from '../errors.ts';

/** Cookies of the portable format: without and with run containers. */
const plainCookie = 12346;
const runCookie = 12347;
/** With runs, so few containers have no offsets. */
const offsetsFrom = 4;
const arrayCardinalityMax = 4096;
const bitmapBytes = 8192;

/**
 * The values of a 32-bit roaring bitmap in the portable format, ascending, and where it ends. `valuesMax` bounds what a few bytes of runs may
 * stand for. Throws BAD_USER_INPUT where the bytes are none, or hold more.
 * Layout: cookie and container count; a bit a container for runs; (key, cardinality - 1) a container; offsets; the containers.
 */
export function decodeRoaring(
  bytes: DataView,
  start: number,
  valuesMax: number,
): { readonly values: Uint32Array; readonly end: number } {
  const need = (at: number, length: number): number => {
    if (at + length > bytes.byteLength) throw broken(`ends at byte ${bytes.byteLength}, before a container does`);
    return at;
  };
  const cookie = bytes.getUint32(need(start, 4), true);
  const hasRuns = (cookie & 0xffff) === runCookie;
  if (!hasRuns && cookie !== plainCookie) throw broken(`begins with ${cookie}, which is no cookie of the portable format`);
  const count = hasRuns ? (cookie >>> 16) + 1 : bytes.getUint32(need(start + 4, 4), true);
  if (count > 65_536) throw broken(`says that it has ${count} containers, and 65536 are possible`);
  const runFlags = start + 4;
  const header = hasRuns ? runFlags + Math.ceil(count / 8) : start + 8;
  need(header, 4 * count);
  let total = 0;
  for (let i = 0; i < count; i++) total += bytes.getUint16(header + 4 * i + 2, true) + 1;
  if (total > valuesMax) throw broken(`holds ${total} values, and ${valuesMax} are possible`);
  const values = new Uint32Array(total);
  let at = header + 4 * count + (!hasRuns || count >= offsetsFrom ? 4 * count : 0);
  let filled = 0;
  let previousKey = -1;
  for (let i = 0; i < count; i++) {
    const key = bytes.getUint16(header + 4 * i, true);
    if (key <= previousKey) throw broken('has containers that are not in order');
    previousKey = key;
    const cardinality = bytes.getUint16(header + 4 * i + 2, true) + 1;
    const high = key * 65_536;
    const end = filled + cardinality;
    if (hasRuns && (bytes.getUint8(runFlags + (i >> 3)) & (1 << (i & 7))) !== 0) {
      const runs = bytes.getUint16(need(at, 2), true);
      need(at + 2, 4 * runs);
      for (let run = 0; run < runs; run++) {
        const first = bytes.getUint16(at + 2 + 4 * run, true);
        const length = bytes.getUint16(at + 4 + 4 * run, true) + 1;
        if (first + length > 65_536 || filled + length > end) throw broken('has a run that does not fit its container');
        for (let low = first; low < first + length; low++) values[filled++] = high + low;
      }
      at += 2 + 4 * runs;
    } else if (cardinality <= arrayCardinalityMax) {
      need(at, 2 * cardinality);
      for (let j = 0; j < cardinality; j++) values[filled++] = high + bytes.getUint16(at + 2 * j, true);
      at += 2 * cardinality;
    } else {
      need(at, bitmapBytes);
      for (let word = 0; word < bitmapBytes / 4; word++) {
        let bits = bytes.getUint32(at + 4 * word, true);
        while (bits !== 0) {
          if (filled === end) throw broken('has a bitmap with more values than it says');
          values[filled++] = high + 32 * word + (31 - Math.clz32(bits & -bits));
          bits &= bits - 1;
        }
      }
      at += bitmapBytes;
    }
    if (filled !== end) throw broken('has a container with fewer values than it says');
  }
  for (let i = 1; i < total; i++) {
    if ((values[i - 1] ?? 0) >= (values[i] ?? 0)) throw broken('has values that are not in order');
  }
  return { values, end: at };
}

/** Up to 65,536 values that share their upper 16 bits. */
export interface RoaringContainer {
  readonly key: number;
  readonly cardinality: number;
  readonly isRun: boolean;
  readonly bytes: Uint8Array;
}

/** The portable form of ascending, distinct values: each container as runs, an array or a bitmap, whichever is shortest. */
export function encodeRoaring(values: Uint32Array): Uint8Array {
  const containers: RoaringContainer[] = [];
  for (let from = 0; from < values.length; ) {
    const key = (values[from] ?? 0) >>> 16;
    let to = from + 1;
    while (to < values.length && (values[to] ?? 0) >>> 16 === key) to++;
    containers.push(roaringContainer(key, values.subarray(from, to)));
    from = to;
  }
  return joinContainers(containers);
}

/** The same of containers in order of their keys. */
export function joinContainers(containers: readonly RoaringContainer[]): Uint8Array {
  const count = containers.length;
  const hasRuns = containers.some(({ isRun }) => isRun);
  const flagBytes = hasRuns ? Math.ceil(count / 8) : 0;
  const headerAt = hasRuns ? 4 + flagBytes : 8;
  const offsetsAt = headerAt + 4 * count;
  const hasOffsets = !hasRuns || count >= offsetsFrom;
  let at = offsetsAt + (hasOffsets ? 4 * count : 0);
  const out = new Uint8Array(at + containers.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  const view = new DataView(out.buffer);
  if (hasRuns) view.setUint32(0, runCookie | ((count - 1) << 16), true);
  else {
    view.setUint32(0, plainCookie, true);
    view.setUint32(4, count, true);
  }
  for (const [i, { key, cardinality, isRun, bytes }] of containers.entries()) {
    if (isRun) out[4 + (i >> 3)] = (out[4 + (i >> 3)] ?? 0) | (1 << (i & 7));
    view.setUint16(headerAt + 4 * i, key, true);
    view.setUint16(headerAt + 4 * i + 2, cardinality - 1, true);
    if (hasOffsets) view.setUint32(offsetsAt + 4 * i, at, true);
    out.set(bytes, at);
    at += bytes.byteLength;
  }
  return out;
}

/** Of at least one value, ascending, of which the lower 16 bits count. */
export function roaringContainer(key: number, values: Uint32Array): RoaringContainer {
  const cardinality = values.length;
  let runs = 0;
  for (let i = 0; i < cardinality; i++) if (i === 0 || values[i] !== (values[i - 1] ?? 0) + 1) runs++;
  const plainBytes = cardinality <= arrayCardinalityMax ? 2 * cardinality : bitmapBytes;
  if (2 + 4 * runs < plainBytes) return { key, cardinality, isRun: true, bytes: runBytes(values, runs) };
  const bytes = new Uint8Array(plainBytes);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) {
    const low = value & 0xffff;
    if (cardinality <= arrayCardinalityMax) view.setUint16(2 * i, low, true);
    else bytes[low >> 3] = (bytes[low >> 3] ?? 0) | (1 << (low & 7));
  }
  return { key, cardinality, isRun: false, bytes };
}

function runBytes(values: Uint32Array, runs: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 + 4 * runs));
  view.setUint16(0, runs, true);
  let run = -1;
  let first = 0;
  for (const [i, value] of values.entries()) {
    if (i === 0 || value !== (values[i - 1] ?? 0) + 1) {
      run++;
      first = value;
      view.setUint16(2 + 4 * run, value & 0xffff, true);
    }
    view.setUint16(4 + 4 * run, value - first, true);
  }
  return new Uint8Array(view.buffer);
}

function broken(how: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The roaring bitmap ${how}.`);
}
