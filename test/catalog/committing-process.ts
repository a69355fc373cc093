/**
 * A process that commits: `node committing-process.ts CATALOG NAME COUNT`. Each commit moves the table `raw.counter` on,
 * adds an entry and a link, and is acknowledged by a line with the entry's sequence number and the number of the commit.
 */
import { writeSync } from 'node:fs';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { IcecoreError } from '../../src/errors.ts';
import { auditLink } from './chain.ts';

const [uri = '', name = '', count = '0'] = process.argv.slice(2);
const identifier = { namespace: ['raw'], name: 'counter' };
const catalog = await openCatalog(uri, systemClock);

for (let made = 0; made < Number(count); ) {
  const pointer = await catalog.load(identifier);
  if (pointer === null) throw new Error('raw.counter is missing');
  const { uuid, metadataLocation: from } = pointer;
  try {
    const { seqs } = await catalog.commit({
      pointers: [{ kind: 'swap', identifier, uuid, from, to: String(Number(from) + 1) }],
      entries: [{ table: 'icecore.runs', subject: `run/${name}`, row: JSON.stringify({ name, made }) }],
      links: [auditLink(`${name}/${made}`)],
    });
    writeSync(1, `${seqs[0]} ${made}\n`);
    made += 1;
  } catch (error) {
    if (!IcecoreError.is(error, 'CONFLICT')) throw error;
  }
}
await catalog.close();
