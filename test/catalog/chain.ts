import { createHash } from 'node:crypto';
import type { Catalog, ChainLink, JournalEntry } from '../../src/catalog/catalog.ts';

/** A link of the chain `audit` that says who made it and after which link. */
export function auditLink(by: string): ChainLink {
  return {
    chain: 'audit',
    seal: (previous) => ({
      hash: hashAfter(previous.hash, by),
      entry: {
        table: 'icecore.audit_log',
        subject: 'chain/audit',
        row: JSON.stringify({ link: String(previous.seq + 1n), after: previous.hash, by }),
      },
    }),
  };
}

export async function wholeJournal(catalog: Catalog): Promise<readonly JournalEntry[]> {
  return (await catalog.journalAfter(0n, 1_000_000)).entries;
}

/** Who made each link, in order. Throws unless the links are one unbroken chain that ends at the catalog's head. */
export async function chainAuthors(catalog: Catalog): Promise<readonly string[]> {
  const links = (await wholeJournal(catalog)).filter((entry) => entry.subject === 'chain/audit');
  const authors: string[] = [];
  let hash = '0'.repeat(64);
  for (const entry of links) {
    const { link, after, by } = JSON.parse(entry.row);
    if (link !== String(authors.length + 1) || after !== hash) throw new Error(`the chain breaks at link ${link}`);
    hash = hashAfter(hash, by);
    authors.push(by);
  }
  const head = await catalog.chainHead('audit');
  if (head.seq !== BigInt(links.length) || head.hash !== hash) throw new Error('the head is not the last link');
  return authors;
}

function hashAfter(previous: string, by: string): string {
  return createHash('sha256').update(`${previous}${by}`).digest('hex');
}
