import { GraphQLError, type ValueNode } from 'graphql';

/** The contract's forms for what JSON has none for: long integers, not-a-number, infinities and bytes become text. */
export function toJson(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (value instanceof Map) return [...value].map(toJson);
  const object: Record<string, unknown> = {};
  // defineProperty: a column may be named __proto__.
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__') Object.defineProperty(object, name, { value: toJson(member), enumerable: true });
    else object[name] = toJson(member);
  }
  return object;
}

/** A literal of a document as JSON. A whole number beyond 2^53 stays exact as text, the contract's form of a long. */
export function literalToJson(node: ValueNode, variables?: Readonly<Record<string, unknown>> | null): unknown {
  switch (node.kind) {
    case 'NullValue':
      return null;
    case 'StringValue':
    case 'EnumValue':
      return node.value;
    case 'BooleanValue':
      return node.value;
    case 'IntValue':
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.value;
    case 'FloatValue':
      return Number(node.value);
    case 'ListValue':
      return node.values.map((item) => literalToJson(item, variables));
    case 'ObjectValue':
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literalToJson(field.value, variables)]));
    case 'Variable': {
      const value = variables?.[node.name.value];
      if (value === undefined)
        throw new GraphQLError(`Variable $${node.name.value} inside a JSON literal has no value.`, {
          extensions: { code: 'BAD_USER_INPUT' },
        });
      return value;
    }
  }
}
