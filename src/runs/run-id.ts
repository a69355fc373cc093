import { randomBytes } from 'node:crypto';
import { uuidText } from '../iceberg/uuid.ts';

/** A UUID of version 7 (RFC 9562): milliseconds first, so that ids rise with time and new rows lie together in their table. */
export function newRunId(nowMs: number): string {
  const bytes = new Uint8Array(randomBytes(16));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(nowMs / 0x1_0000));
  view.setUint16(4, nowMs % 0x1_0000);
  view.setUint8(6, (view.getUint8(6) & 0x0f) | 0x70);
  view.setUint8(8, (view.getUint8(8) & 0x3f) | 0x80);
  return uuidText(bytes);
}
