import { IcecoreError } from '../../errors.ts';
import type { TableIdentifier } from '../../iceberg/identifier.ts';
import type { IcebergRequest } from './route.ts';

/** Between the parts of a namespace in a path or a query parameter (REST specification: `namespace-separator`, its default). */
export const namespaceSeparator = '\u001f';

export function parseNamespace(text: string): readonly string[] {
  return text.split(namespaceSeparator);
}

/** The namespace that the path names. */
export function namespaceOf({ parameters }: IcebergRequest): readonly string[] {
  return parseNamespace(parameter(parameters, 'namespace'));
}

/** The table that the path names. */
export function tableOf(request: IcebergRequest): TableIdentifier {
  return { namespace: namespaceOf(request), name: parameter(request.parameters, 'table') };
}

/** The view that the path names. */
export function viewOf(request: IcebergRequest): TableIdentifier {
  return { namespace: namespaceOf(request), name: parameter(request.parameters, 'view') };
}

/** A variable of the route's path. */
export function parameter(parameters: Readonly<Record<string, string>>, name: string): string {
  const value = parameters[name];
  if (value === undefined) throw new IcecoreError('INTERNAL', `The route has no variable ${name}.`);
  return value;
}
