import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseFeedCursor } from '../../../src/training/feed-cursor.ts';
import { orderName } from '../../../src/training/order/order-hash.ts';
import { orderVectors } from './order-vectors.ts';

const vectorsFile = join(import.meta.dirname, 'order-vectors.json');

describe('The published vectors of the order', () => {
  test('are what this server makes', () => {
    expect(JSON.parse(JSON.stringify(orderVectors()))).toEqual(JSON.parse(readFileSync(vectorsFile, 'utf8')));
  });

  test('hold cursors that are read back', () => {
    const { cursors } = JSON.parse(readFileSync(vectorsFile, 'utf8')) as { cursors: { text: string; position: string }[] };
    for (const { text, position } of cursors) {
      expect(String(parseFeedCursor(text, orderName).position)).toBe(position);
      expect(() => parseFeedCursor(text)).toThrow('The cursor is of the order icecore-order/1');
    }
  });
});
