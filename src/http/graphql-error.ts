import { GraphQLError, type GraphQLErrorExtensions } from 'graphql';
import { problemOf, statusOf } from './problem.ts';

/**
 * An error of a GraphQL answer: the message, where it happened, `extensions.code` and the context beside it. `withStatus` gives the
 * whole response the code's HTTP status, for what is refused before it is executed.
 */
export function graphqlError(error: unknown, options: { readonly withStatus?: boolean } = {}): GraphQLError {
  const { code, message, context } = problemOf(error);
  const outer = error instanceof GraphQLError ? error : null;
  const http = outer?.extensions.http ?? (options.withStatus ? { status: statusOf(code) } : undefined);
  const extensions: GraphQLErrorExtensions = { code, ...context };
  if (http !== undefined) extensions.http = http;
  return new GraphQLError(message, {
    nodes: outer?.nodes ?? null,
    source: outer?.source ?? null,
    positions: outer?.positions ?? null,
    path: outer?.path ?? null,
    extensions,
  });
}
