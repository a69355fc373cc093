import { joinContainers, type RoaringContainer, roaringContainer } from '../../iceberg/roaring-bitmap.ts';

const containerRows = 65_536;
const containersPerPart = 65_536;

/**
 * Positions of rows in a file as a 64-bit roaring bitmap in the portable format: a count, and for each the upper 32 bits and a 32-bit bitmap,
 * little-endian (as a deletion vector has it between its magic and its checksum). Given ascending, group by group.
 */
export class SkippedRows {
  /** Of the container that is being filled; made for the first row, since most files have none. */
  #values: Uint32Array = new Uint32Array(0);
  readonly #containers: { readonly part: number; readonly container: RoaringContainer }[] = [];
  #count = 0;
  /** The number of the container that is being filled. */
  #at = 0;

  /** All rows of a run. */
  addAll(firstRow: number, rowCount: number): void {
    for (let row = firstRow; row < firstRow + rowCount; row++) this.#add(row);
  }

  /** The rows of a run whose bit is not set, the lowest bit of a byte first. */
  addUnset(firstRow: number, rowCount: number, bits: Uint8Array): void {
    for (let byte = 0; byte < bits.length; byte++) {
      const rows = Math.min(8, rowCount - 8 * byte);
      for (let unset = ~(bits[byte] as number) & ((1 << rows) - 1); unset !== 0; unset &= unset - 1) {
        this.#add(firstRow + 8 * byte + 31 - Math.clz32(unset & -unset));
      }
    }
  }

  /** Null where none was added. */
  encode(): Uint8Array | null {
    this.#close();
    const parts = [...Map.groupBy(this.#containers, ({ part }) => part)].map(([part, containers]) => ({
      part,
      bytes: joinContainers(containers.map(({ container }) => container)),
    }));
    if (parts.length === 0) return null;
    const out = new Uint8Array(8 + parts.reduce((sum, { bytes }) => sum + 4 + bytes.length, 0));
    const view = new DataView(out.buffer);
    view.setBigUint64(0, BigInt(parts.length), true);
    let at = 8;
    for (const { part, bytes } of parts) {
      view.setUint32(at, part, true);
      out.set(bytes, at + 4);
      at += 4 + bytes.length;
    }
    return out;
  }

  #add(row: number): void {
    const container = Math.floor(row / containerRows);
    if (container !== this.#at) this.#close();
    this.#at = container;
    if (this.#values.length === 0) this.#values = new Uint32Array(containerRows);
    this.#values[this.#count++] = row % containerRows;
  }

  #close(): void {
    if (this.#count === 0) return;
    const container = roaringContainer(this.#at % containersPerPart, this.#values.subarray(0, this.#count));
    this.#containers.push({ part: Math.floor(this.#at / containersPerPart), container });
    this.#count = 0;
  }
}
