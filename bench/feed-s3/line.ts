/** `line.ts STORE BYTES_PER_SECOND ROUND_TRIP_MS`: a slow line to an object store, whose URL goes to the parent. */
import { ObjectStoreProxy } from '../../test/environment/object-store-proxy.ts';

const [store = '', bytesPerSecond, roundTripMs] = process.argv.slice(2);
const proxy = await ObjectStoreProxy.start(store, { bytesPerSecond: Number(bytesPerSecond), roundTripMs: Number(roundTripMs) });
process.send?.(proxy.url);
process.once('disconnect', () => process.exit());
