import { IcecoreError } from '../../errors.ts';
import type { Method, Route } from './route.ts';

export interface FoundRoute {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Pattern {
  readonly segments: readonly string[];
  readonly byMethod: Map<string, Route>;
}

/** The routes of the server by path. There is one warehouse a server, so `{prefix}` takes no room in a path. */
export class RouteTable {
  readonly #byLength = new Map<number, Pattern[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const segments = route.path.replace('/{prefix}/', '/').split('/').slice(1);
      const patterns = this.#byLength.get(segments.length) ?? [];
      this.#byLength.set(segments.length, patterns);
      const same = patterns.find((pattern) => pattern.segments.join('/') === segments.join('/'));
      const pattern: Pattern = same ?? { segments, byMethod: new Map() };
      if (same === undefined) patterns.push(pattern);
      pattern.byMethod.set(route.method, route);
    }
  }

  /**
   * The route of a path below `/iceberg`, as it was sent, not decoded. Throws NOT_FOUND (`missing: 'endpoint'`) for a path that is none,
   * and BAD_USER_INPUT with the methods that are `allowed` where there are others.
   */
  find(method: string, path: string): FoundRoute {
    const segments = path.split('/').slice(1);
    const pattern = this.#byLength.get(segments.length)?.find((candidate) => fits(candidate.segments, segments));
    if (pattern === undefined) {
      throw new IcecoreError('NOT_FOUND', `There is no endpoint ${path}; GET /v1/config lists those of this server.`, {
        context: { missing: 'endpoint' },
      });
    }
    const route = pattern.byMethod.get(method);
    if (route === undefined) {
      const allowed = [...pattern.byMethod.keys()];
      throw new IcecoreError('BAD_USER_INPUT', `${method} is not served at ${path}; ${allowed.join(', ')} is.`, {
        context: { allowed },
      });
    }
    return { route, parameters: parametersOf(pattern.segments, segments) };
  }
}

/** Those of a list that are advertised, such as `GET /v1/{prefix}/namespaces/{namespace}`. */
export function endpointOf({ method, path }: { readonly method: Method; readonly path: string }): string {
  return `${method} ${path}`;
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.every((part, index) => (part.startsWith('{') ? segments[index] !== '' : part === segments[index]));
}

function parametersOf(pattern: readonly string[], segments: readonly string[]): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {};
  pattern.forEach((part, index) => {
    if (part.startsWith('{')) parameters[part.slice(1, -1)] = decodeSegment(segments[index] ?? '');
  });
  return parameters;
}

/** Java's clients write a space as `+`, as in forms, and a plus sign as `%2B`; no client leaves a plus sign bare. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment.replaceAll('+', ' '));
  } catch (cause) {
    throw new IcecoreError('BAD_USER_INPUT', `"${segment}" in the path is not percent-encoded UTF-8.`, { cause });
  }
}
