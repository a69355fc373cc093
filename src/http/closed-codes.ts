import type { Plugin } from 'graphql-yoga';
import { graphqlError } from './graphql-error.ts';

/** Documents that cannot be parsed or are not valid are refused under a code of the API's own (semantics, section 9), not the library's. */
export function closedCodes(): Plugin {
  return {
    onResultProcess({ result, setResult }) {
      if (typeof result !== 'object' || result === null || !('errors' in result) || result.errors === undefined) return;
      if (!result.errors.some(({ extensions }) => String(extensions.code).startsWith('GRAPHQL_'))) return;
      setResult({ ...result, errors: result.errors.map((error) => graphqlError(error)) });
    },
  };
}
