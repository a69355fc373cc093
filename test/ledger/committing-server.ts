import { localCaller } from '../../src/access/local-caller.ts';
import { note, noteLog, notes } from './notes-table.ts';
import { openStoreServer } from './store-server.ts';

/** Commits notes one after the other, each with an audit entry, and prints the id of each once it is acknowledged; until it is killed. */
const [directory = '', name = ''] = process.argv.slice(2);
const { catalog, ledger, audit } = await openStoreServer(directory, 'index', 15);
for (let count = 0; ; count++) {
  const id = `${name}-${count}`;
  await catalog.commit({
    entries: [ledger.draft(noteLog, note(id)), ledger.draft(notes, note(`${count % 5}`, { topic: id }))],
    links: [audit.link({ caller: localCaller, action: 'note', subject: `note/${id}`, outcome: 'SUCCEEDED', payload: {} })],
  });
  process.stdout.write(`${id}\n`);
}
