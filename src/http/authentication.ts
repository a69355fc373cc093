import { type ExecutionArgs, type GraphQLError, getOperationAST, Kind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { graphqlError } from './graphql-error.ts';
import type { RequestContext } from './request-context.ts';

/** Answers callers that are not known nothing but `{ __typename }`, by which load balancers and conformance tests ask who is there. */
export function authenticationRequired(): Plugin<RequestContext> {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const error = refusal(args, args.contextValue);
      if (error !== null) setResultAndStopExecution({ errors: [error] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const error = refusal(args, args.contextValue);
      if (error !== null) setResultAndStopExecution({ errors: [error] });
    },
  };
}

function refusal(args: ExecutionArgs, context: RequestContext): GraphQLError | null {
  if (context.refused === null || asksOnlyTypename(args)) return null;
  // Counted, one entry a minute (semantics, section 8).
  void context.icecore.audit.refused(null, 'authenticate', 'server', context.refused);
  return graphqlError(context.refused, { withStatus: true });
}

function asksOnlyTypename({ document, operationName }: ExecutionArgs): boolean {
  const operation = getOperationAST(document, operationName);
  return (
    operation?.operation === 'query' &&
    operation.selectionSet.selections.every((selection) => selection.kind === Kind.FIELD && selection.name.value === '__typename')
  );
}
