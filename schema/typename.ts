/**
 * Which object type a value is, where a field's type is an interface. Kept beside the values, never in them: they are readonly and may
 * be shared by caches.
 */
const typenames = new WeakMap<object, string>();

export function named<T extends object>(typename: string, value: T): T {
  typenames.set(value, typename);
  return value;
}

export function typenameOf(value: object): string | undefined {
  return typenames.get(value);
}
