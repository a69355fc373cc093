import { IcecoreError } from '../errors.ts';

/** Ends an Arrow IPC stream: the continuation mark and a length of zero (Arrow columnar format, "IPC Streaming Format"). */
export const endOfStream: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

export interface IpcParts {
  /** The encapsulated schema message. */
  readonly schema: Uint8Array;
  /** What follows up to the end of the stream: dictionary and record batches, each encapsulated. */
  readonly batches: Uint8Array;
}

/** Cuts one whole Arrow IPC stream in two; views, no copies. Throws INTERNAL where it is none. */
export function splitIpcStream(ipc: Uint8Array): IpcParts {
  const view = new DataView(ipc.buffer, ipc.byteOffset, ipc.byteLength);
  if (ipc.byteLength < 16 || view.getUint32(0, true) !== 0xffffffff) throw noStream();
  // A schema message has no body: its metadata's length, padding included, is all there is.
  const schemaEnd = 8 + view.getInt32(4, true);
  const end = ipc.byteLength - endOfStream.byteLength;
  if (schemaEnd > end || view.getUint32(end, true) !== 0xffffffff || view.getUint32(end + 4, true) !== 0) throw noStream();
  return { schema: ipc.subarray(0, schemaEnd), batches: ipc.subarray(schemaEnd, end) };
}

function noStream(): IcecoreError {
  return new IcecoreError('INTERNAL', 'A batch is not one whole Arrow IPC stream.');
}
