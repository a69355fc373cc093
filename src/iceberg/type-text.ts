import { IcecoreError } from '../errors.ts';
import { typeDepthMax } from '../limits.ts';
import { assignTypeIds } from './field-id.ts';
import type { NestedField, Type } from './type.ts';
import { parsePrimitiveType, unknownType } from './type-json.ts';

const simpleName = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/**
 * The text of a type as people write it: `long`, `list<double>`, `map<string, long>`, `struct<a: int, b: string>`. Ids and
 * requiredness are not in it.
 */
export function printTypeText(type: Type): string {
  if (typeof type === 'string') return type;
  switch (type.kind) {
    case 'list':
      return `list<${printTypeText(type.element)}>`;
    case 'map':
      return `map<${printTypeText(type.key)}, ${printTypeText(type.value)}>`;
    case 'struct':
      return `struct<${type.fields.map((field) => `${printName(field.name)}: ${printTypeText(field.type)}`).join(', ')}>`;
  }
}

function printName(name: string): string {
  return simpleName.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/**
 * The type of such a text. Elements, values and fields of structs are optional; nested ids come from `assignId`, level by
 * level. Throws BAD_USER_INPUT with what is wrong.
 */
export function parseTypeText(text: string, assignId: () => number): Type {
  const reader = new TypeTextReader(text);
  const type = reader.type(0);
  reader.end();
  return assignTypeIds(type, assignId);
}

/** Reads a type's text from left to right. */
class TypeTextReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  type(depth: number): Type {
    if (depth > typeDepthMax) throw this.#wrong(`more than ${typeDepthMax} types in one another`);
    const nested = this.#match(/\s*(list|map|struct)\s*</iy);
    if (nested === null) return this.#primitive();
    switch (nested.toLowerCase().replace(/[\s<]/g, '')) {
      case 'list': {
        const element = this.type(depth + 1);
        this.#expect('>');
        return { kind: 'list', elementId: 0, element, elementRequired: false };
      }
      case 'map': {
        const key = this.type(depth + 1);
        this.#expect(',');
        const value = this.type(depth + 1);
        this.#expect('>');
        return { kind: 'map', keyId: 0, key, valueId: 0, value, valueRequired: false };
      }
      default:
        return { kind: 'struct', fields: this.#fields(depth) };
    }
  }

  end(): void {
    this.#match(/\s*/y);
    if (this.#at < this.#text.length) throw this.#wrong(`"${this.#text.slice(this.#at, this.#at + 20)}" is too much`);
  }

  #fields(depth: number): readonly NestedField[] {
    const fields: NestedField[] = [];
    do {
      const name = this.#name();
      this.#expect(':');
      if (fields.some((field) => field.name === name)) throw this.#wrong(`the name ${name} occurs twice`);
      fields.push({ id: 0, name, type: this.type(depth + 1), required: false });
    } while (this.#match(/\s*,/y) !== null);
    this.#expect('>');
    return fields;
  }

  #name(): string {
    const quoted = this.#match(/\s*"(?:[^"]|"")+"/y);
    if (quoted !== null) return quoted.trimStart().slice(1, -1).replaceAll('""', '"');
    const name = this.#match(/\s*[\p{L}_][\p{L}\p{N}_]*/uy);
    if (name === null) throw this.#wrong('a field name is missing');
    return name.trim();
  }

  #primitive(): Type {
    const text = this.#match(/\s*[a-z_]+(?:\s*\([^)]*\)|\s*\[[^\]]*\])?/iy);
    if (text === null) throw this.#wrong('a type is missing');
    const type = parsePrimitiveType(text);
    if (type === null) throw unknownType(text.trim(), `The type ${this.#text}`);
    return type;
  }

  #expect(mark: string): void {
    this.#match(/\s*/y);
    if (this.#text[this.#at] !== mark) throw this.#wrong(`"${mark}" is missing`);
    this.#at++;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #wrong(reason: string): IcecoreError {
    const shown = this.#text.length > 80 ? `${this.#text.slice(0, 80)}…` : this.#text;
    return new IcecoreError(
      'BAD_USER_INPUT',
      `"${shown}" is not a type: ${reason} at character ${this.#at + 1}. Write it like list<double> or struct<a: int, b: string>.`,
    );
  }
}
