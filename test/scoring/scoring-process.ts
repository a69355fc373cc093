/** A server that scores and is killed: `node test/scoring/scoring-process.ts DIRECTORY ORIGIN LEASE_MS`. Tells its parent the run's id. */
import { Store } from '../environment/store.ts';
import { ada, call } from '../models/registered-model.ts';
import { batchInput } from './scored-model.ts';

const [directory = '', origin = '', leaseMs = ''] = process.argv.slice(2);
const store = await Store.open({ modelOrigins: [origin], runLeaseMs: Number(leaseMs) }, directory);
const run = await store.scoring.scoreBatch(call(ada), batchInput());
process.send?.(run.id);
