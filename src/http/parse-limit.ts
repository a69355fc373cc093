import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { IcecoreError } from '../errors.ts';
import { queryTokensMax } from '../limits.ts';
import { graphqlError } from './graphql-error.ts';

/** Refuses documents that are too long to be parsed in good time, or nested deeper than the parser's stack; callers are not known yet. */
export function parseLimit(): Plugin {
  return {
    onParse({ parseFn, setParseFn }) {
      setParseFn((source: unknown, options: unknown) => {
        try {
          return parseFn(source, { ...(typeof options === 'object' ? options : {}), maxTokens: queryTokensMax });
        } catch (error) {
          throw refusal(error);
        }
      });
    },
  };
}

function refusal(error: unknown): unknown {
  if (error instanceof RangeError) return refused('BAD_USER_INPUT', 'This document is nested too deeply to be read.');
  if (error instanceof GraphQLError && error.message.includes(`more that ${queryTokensMax} tokens`)) {
    return refused(
      'COST_EXCEEDED',
      `This document has more than ${queryTokensMax} tokens: send long values as variables, and rows in bulk by POST /tables/NAME/rows.`,
    );
  }
  return error;
}

function refused(code: 'BAD_USER_INPUT' | 'COST_EXCEEDED', message: string): GraphQLError {
  return graphqlError(new IcecoreError(code, message), { withStatus: true });
}
