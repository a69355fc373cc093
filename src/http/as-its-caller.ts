import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from './request-context.ts';

/**
 * Operations run for the caller that asks, subscriptions for as long as they last: what may not be read is not there for them. Whoever is
 * not known stays nobody, as the listener began.
 */
export function asItsCaller(): Plugin<RequestContext> {
  return {
    onExecute({ args, executeFn, setExecuteFn }) {
      const { icecore, caller, refused } = args.contextValue;
      if (refused !== null || !icecore.access.inForce) return;
      setExecuteFn((given) => icecore.access.asCaller(caller, () => executeFn(given)));
    },
    onSubscribe({ args, subscribeFn, setSubscribeFn }) {
      const { icecore, caller, refused } = args.contextValue;
      if (refused !== null || !icecore.access.inForce) return;
      setSubscribeFn(async (given) => {
        const result: unknown = await icecore.access.asCaller(caller, () => subscribeFn(given));
        return isStream(result) ? icecore.access.streamAsCaller(caller, result) : result;
      });
    },
  };
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
