import { clearAllDataLoaders } from '@pothos/plugin-dataloader';
import type { Plugin } from 'graphql-yoga';

/** One context serves all events of a subscription, so what was loaded for one event is forgotten before the next. */
export function loadersPerEvent(): Plugin {
  return {
    onSubscribe({ args }) {
      return {
        onSubscribeResult() {
          return {
            onNext() {
              if (typeof args.contextValue === 'object' && args.contextValue !== null) clearAllDataLoaders(args.contextValue);
            },
          };
        },
      };
    },
  };
}
