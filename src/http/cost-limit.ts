import { type ExecutionArgs, type GraphQLError, getOperationAST, getVariableValues } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { IcecoreError } from '../errors.ts';
import { queryCostMax, queryDepthMax } from '../limits.ts';
import { graphqlError } from './graphql-error.ts';
import { queryCost } from './query-cost.ts';

/** Refuses what costs too much, with its variables, before anything is read. Not a rule of validation: those are cached without variables. */
export function costLimit(): Plugin {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const error = refusal(args);
      if (error !== null) setResultAndStopExecution({ errors: [error] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const error = refusal(args);
      if (error !== null) setResultAndStopExecution({ errors: [error] });
    },
  };
}

function refusal(args: ExecutionArgs): GraphQLError | null {
  const operation = getOperationAST(args.document, args.operationName);
  if (!operation) return null;
  const variables = getVariableValues(args.schema, operation.variableDefinitions ?? [], args.variableValues ?? {});
  // Wrong variables are refused by the execution itself.
  if (variables.errors !== undefined) return null;
  const { cost, depth } = queryCost(args.schema, args.document, operation, variables.coerced);
  if (depth > queryDepthMax) {
    return exceeded(
      `This document is nested ${depth} deep, and ${queryDepthMax} is allowed: ask in several steps, by the ids of the first answer.`,
      {
        depth,
        depthMax: queryDepthMax,
      },
    );
  }
  if (cost > queryCostMax) {
    return exceeded(
      `This document costs ${cost}, and ${queryCostMax} is allowed: ask for fewer items with \`first\`, or for fewer fields of each.`,
      {
        cost,
        costMax: queryCostMax,
      },
    );
  }
  return null;
}

function exceeded(message: string, context: Readonly<Record<string, unknown>>): GraphQLError {
  return graphqlError(new IcecoreError('COST_EXCEEDED', message, { context }), { withStatus: true });
}
