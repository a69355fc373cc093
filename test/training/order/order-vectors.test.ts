import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseFeedCursor, printFeedCursor } from '../../../src/training/feed/feed-cursor.ts';
import { orderVectors } from './order-vectors.ts';

const vectorsFile = join(import.meta.dirname, 'order-vectors.json');

describe('The published vectors of the order', () => {
  test('are what this server makes', () => {
    expect(JSON.parse(JSON.stringify(orderVectors()))).toEqual(JSON.parse(readFileSync(vectorsFile, 'utf8')));
  });

  test('hold cursors that are read back', () => {
    const { cursors } = JSON.parse(readFileSync(vectorsFile, 'utf8')) as { cursors: { text: string; position: string }[] };
    for (const { text, position } of cursors) {
      const cursor = parseFeedCursor(text);
      expect(String(cursor.position)).toBe(position);
      expect(printFeedCursor(cursor)).toBe(text);
      expect(() => parseFeedCursor(printFeedCursor(cursor, 'icecore-order/0'))).toThrow(
        'The cursor is of the order icecore-order/0',
      );
    }
  });
});
