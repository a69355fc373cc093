/** `line.ts STORE BYTES_PER_SECOND ROUND_TRIP_MS`: a slow line to an object store, whose URL goes to the parent. */
import { SlowLine } from './slow-line.ts';

const [store = '', bytesPerSecond, roundTripMs] = process.argv.slice(2);
const line = await SlowLine.start(store, { bytesPerSecond: Number(bytesPerSecond), roundTripMs: Number(roundTripMs) });
process.send?.(line.url);
process.once('disconnect', () => process.exit());
