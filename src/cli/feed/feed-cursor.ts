/** Rows of the order that lie before a cursor (docs/order.md, "The cursor"); 0 for none, null for one that is not understood. */
export function cursorPosition(cursor: string | null): number | null {
  if (cursor === null) return 0;
  try {
    const [body = ''] = cursor.split('.');
    const members: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    const position = Array.isArray(members) ? Number(members.at(-1)) : Number.NaN;
    return Number.isSafeInteger(position) && position >= 0 ? position : null;
  } catch {
    return null;
  }
}
