import { getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from './request-context.ts';

/** All fields of a query see one version of each table, also under several aliases and in SQL (design, invariant 2). Mutations see their own effects. */
export function oneVersionPerAnswer(): Plugin<RequestContext> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      if (getOperationAST(args.document, args.operationName)?.operation !== 'query') return;
      const { versions } = args.contextValue.icecore.tables;
      setExecuteFn((given) => versions.run(() => executeFn(given)));
    },
  };
}
