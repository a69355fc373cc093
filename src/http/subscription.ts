import type { GraphQLParams } from 'graphql-yoga';

/**
 * Whether a request is meant to have no end. Only a guess from the text, and only for the deadline: a query that holds the word loses its
 * deadline, not a check.
 */
export function isSubscription(params: GraphQLParams): boolean {
  return /\bsubscription\b/.test(params.query ?? '');
}
