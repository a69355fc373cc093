/** The head of a response of HTTP/1.1. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; of several with one name the last. */
  readonly headers: Readonly<Record<string, string>>;
  /** With the empty line at its end. */
  readonly byteLength: number;
}

const headBytesMax = 64 * 1024;
const end = Buffer.from('\r\n\r\n');
const statusLine = /^HTTP\/1\.1 (\d{3})(?: |$)/;
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/**
 * The head at the beginning of bytes: null where its end is not among them, and `odd` where it is none, or what follows it is not a plain
 * run of bytes.
 */
export function readResponseHead(bytes: Uint8Array): ResponseHead | 'odd' | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, headBytesMax));
  const at = buffer.indexOf(end);
  if (at < 0) return bytes.length < headBytesMax ? null : 'odd';
  const [first = '', ...lines] = buffer.toString('latin1', 0, at).split('\r\n');
  const status = statusLine.exec(first)?.[1];
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined) return 'odd';
    headers[name.toLowerCase()] = value;
  }
  if (status === undefined || 'transfer-encoding' in headers || 'content-encoding' in headers) return 'odd';
  return { status: Number(status), headers, byteLength: at + end.length };
}
