import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

const operations = new URL('../../schema/operations/', import.meta.url);

/** Everything is in the page: it works offline, and may not load anything from elsewhere. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'img-src data: blob:',
  'font-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** GraphiQL, with the documents of `schema/operations` as its tabs and, where given, a key filled into the headers of each. */
export class GraphiqlPage {
  readonly #headers: string | undefined;
  #page: Promise<Buffer> | null = null;

  constructor(key: string | undefined) {
    this.#headers = key === undefined ? undefined : JSON.stringify({ Authorization: `Bearer ${key}` }, null, 2);
  }

  async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    // Nine megabytes that most processes never need: made when first asked for.
    this.#page ??= this.#render();
    const zipped = await this.#page;
    res.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-encoding': 'gzip',
      'content-length': zipped.byteLength,
      'content-security-policy': contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    res.end(req.method === 'HEAD' ? undefined : zipped);
  }

  async #render(): Promise<Buffer> {
    const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
    const headers = this.#headers;
    const tabs = tabDocuments().map((query) => ({ query, ...(headers === undefined ? {} : { headers }) }));
    const page = renderGraphiQL({
      title: 'Icecore',
      subscriptionsProtocol: 'SSE',
      ...(tabs.length > 0 ? { defaultTabs: tabs } : {}),
      ...(headers === undefined ? {} : { headers, defaultHeaders: headers, shouldPersistHeaders: false }),
    });
    return gzipSync(page, { level: 6 });
  }
}

/** The curated documents in the order of their file names. */
function tabDocuments(): readonly string[] {
  const names = readdirSync(operations).filter((name) => name.endsWith('.graphql'));
  return names.toSorted().map((name) => readFileSync(new URL(name, operations), 'utf8'));
}

/** A browser that opens the address, rather than a client that queries it. */
export function asksForPage({ method, headers, url }: IncomingMessage): boolean {
  const read = method === 'GET' || method === 'HEAD';
  return read && (headers.accept ?? '').includes('text/html') && !new URL(url ?? '/', 'http://host').searchParams.has('query');
}
