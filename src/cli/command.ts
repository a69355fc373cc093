import type { Console } from './console.ts';
import type { FlagDefinition, Flags } from './flags.ts';

/** Everything that a command line can be checked for is checked before anything is done. */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** How it is called, a line each. */
  readonly usage: readonly string[];
  /** What else there is to know, a paragraph each. */
  readonly details: readonly string[];
  readonly flags: readonly FlagDefinition[];
  /** Gives what is to be done. Throws BAD_USER_INPUT for words or flags that it does not understand. */
  prepare(flags: Flags, environment: Console['environment']): Action;
}

/** Throws IcecoreError with the API's code where that refuses, Unreachable where there is nobody to ask. */
export type Action = (console: Console) => Promise<void>;
