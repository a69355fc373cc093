import { readAirports } from '../airports.ts';
import type { Api } from '../api.ts';
import type { Delivery } from '../flight-files.ts';
import { count } from '../run-progress.ts';
import type { Terminal } from '../terminal.ts';

const createTable = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name uuid } } }';
const writeRows = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded snapshot { snapshotId } } }';

/** `raw.flights` by day, one commit for each delivery; `raw.airports` as JSON rows. */
export async function makeRawTables(api: Api, terminal: Terminal, deliveries: readonly Delivery[]): Promise<void> {
  await api.ask(createTable, {
    input: {
      idempotencyKey: 'create-flights',
      name: 'raw.flights',
      columns: [
        { name: 'date', type: 'timestamp', required: true, doc: 'Scheduled departure.' },
        { name: 'delay', type: 'long', required: true, doc: 'Minutes late; negative where it left early.' },
        { name: 'distance', type: 'long', required: true, doc: 'Miles.' },
        { name: 'origin', type: 'string', required: true },
        { name: 'destination', type: 'string', required: true },
      ],
      partitionBy: [{ column: 'date', transform: 'day' }],
    },
  });
  terminal.begin('raw.flights, a month at a time');
  let rows = 0n;
  for (const delivery of deliveries) {
    rows += await append(api, delivery);
    terminal.progress(`${delivery.name}: ${count(rows)} flights`);
  }
  terminal.done(`raw.flights: ${count(rows)} flights by day, ${deliveries.length} commits`);

  await api.ask(createTable, {
    input: {
      idempotencyKey: 'create-airports',
      name: 'raw.airports',
      columns: [
        { name: 'iata', type: 'string', required: true },
        { name: 'name', type: 'string' },
        { name: 'city', type: 'string' },
        { name: 'state', type: 'string' },
        { name: 'latitude', type: 'double' },
        { name: 'longitude', type: 'double' },
      ],
    },
  });
  terminal.begin('raw.airports, as JSON');
  const answer = await api.ask<{ writeRows: { rowsAdded: string } }>(writeRows, {
    input: { idempotencyKey: 'write-airports', table: 'raw.airports', rows: { json: readAirports() } },
  });
  terminal.done(`raw.airports: ${count(answer.writeRows.rowsAdded)} airports`);
}

/** Appends one delivery; gives the rows added. */
export async function append(api: Api, { name, file }: Delivery): Promise<bigint> {
  const answer = await api.ask<{ writeRows: { rowsAdded: string } }>(writeRows, {
    input: { idempotencyKey: `write-flights-${name}`, table: 'raw.flights', rows: { file } },
  });
  return BigInt(answer.writeRows.rowsAdded);
}
