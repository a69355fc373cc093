import { IcecoreError } from '../errors.ts';

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The 16 big-endian bytes of a UUID's text. Throws BAD_USER_INPUT where it is none. */
export function uuidBytes(text: string): Uint8Array {
  if (!shape.test(text)) {
    throw new IcecoreError('BAD_USER_INPUT', `"${text}" is not a UUID. Write it like f79c3e09-677c-4bbd-a479-3f349cb785e7.`);
  }
  return Uint8Array.from(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

/** The lower-case text of a UUID's 16 bytes. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
