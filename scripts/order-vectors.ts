/** Writes the published vectors of `icecore-order/1` (docs/order.md): `node scripts/order-vectors.ts`. Both test suites read them. */
import { writeFileSync } from 'node:fs';
import { orderVectors } from '../test/training/order/order-vectors.ts';

const file = new URL('../test/training/order/order-vectors.json', import.meta.url);
const lines = Object.entries(orderVectors()).map(
  ([name, cases]) => `${JSON.stringify(name)}: [\n${cases.map((each: unknown) => `  ${JSON.stringify(each)}`).join(',\n')}\n]`,
);
writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`);
