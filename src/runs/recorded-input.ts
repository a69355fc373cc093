/**
 * A run's input as it was given: a recorded one is JSON, where 64-bit integers are strings. `members` are the names of those that were
 * bigints, at any depth.
 */
export function recordedInput(value: unknown, members: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => recordedInput(item, members));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      members.has(name) && typeof member === 'string' ? BigInt(member) : recordedInput(member, members),
    ]),
  );
}
