import { IcecoreError } from '../errors.ts';
import type { Action, Command } from './command.ts';
import type { Console } from './console.ts';
import { feedCommand } from './feed/feed-command.ts';
import { parseFlags } from './flags.ts';
import { commandHelp, overview } from './help.ts';
import { lineageCommand } from './lineage-command.ts';
import { printableLines } from './printable.ts';
import { Refusal, Unreachable } from './refusal.ts';
import { sqlCommand } from './sql-command.ts';
import { tablesCommand } from './tables-command.ts';

/** Done; refused or failed; not understood. */
const [done, failed, misunderstood] = [0, 1, 2];

/** A command that is run elsewhere, and is told about here. */
type TaughtCommand = Omit<Command, 'prepare'>;

const serveCommand: TaughtCommand = {
  name: 'serve',
  summary: 'run the server',
  usage: ['icecore serve [flags]'],
  details: ['Each flag is also an environment variable, ICECORE_HOST and so on. Without any, data lies under ./icecore-data.'],
  flags: [
    { name: 'host', value: 'HOST', help: '127.0.0.1; another only with ICECORE_API_KEYS' },
    { name: 'port', value: 'PORT', help: '4000; 0 for any that is free' },
    { name: 'warehouse', value: 'DIR|s3://…', help: 'where tables lie' },
    { name: 'catalog', value: 'sqlite:FILE', help: 'which tables there are' },
    { name: 'allow-local-approval', help: 'let a server without access control approve models' },
  ],
};

const commands: readonly Command[] = [sqlCommand, tablesCommand, lineageCommand, feedCommand];
const taught: readonly TaughtCommand[] = [serveCommand, ...commands];

/**
 * Runs one command of the command line, `serve` apart, and gives the exit code: 0 when it is done, 1 where the server refused or could
 * not be reached, 2 where the command line was not understood. Every failure is a line of `err`.
 */
export async function runCommandLine([name = 'help', ...args]: readonly string[], console: Console): Promise<number> {
  const helped = helpOf(name, args);
  if (helped !== null) {
    console.out(helped);
    return done;
  }
  let action: Action;
  try {
    const command = commands.find((each) => each.name === name);
    if (command === undefined) throw unknownCommand(name);
    action = command.prepare(parseFlags(args, command.flags), console.environment);
  } catch (error) {
    if (!IcecoreError.is(error)) throw error;
    complain(error.message, console);
    return misunderstood;
  }
  try {
    await action(console);
    return done;
  } catch (error) {
    complain(messageOf(error), console);
    return failed;
  }
}

/** Null where no help was asked for. */
function helpOf(name: string, args: readonly string[]): string | null {
  if (['help', '--help', '-h'].includes(name)) {
    const about = taught.find((command) => command.name === args[0]);
    return about === undefined ? overview(taught) : commandHelp(about);
  }
  const asked = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length);
  if (!asked.includes('--help') && !asked.includes('-h')) return null;
  const about = taught.find((command) => command.name === name);
  return about === undefined ? null : commandHelp(about);
}

function unknownCommand(name: string): IcecoreError {
  const known = taught.map((command) => command.name).join(', ');
  return new IcecoreError('BAD_USER_INPUT', `There is no command "${name}"; there is: ${known}, help.`);
}

function messageOf(error: unknown): string {
  if (error instanceof Refusal) {
    const hint = error.code === 'UNAUTHENTICATED' ? ' Give one with ICECORE_KEY or --key.' : '';
    return `${error.message}${hint} (${error.code})`;
  }
  if (error instanceof Unreachable || IcecoreError.is(error)) return error.message;
  throw error;
}

function complain(message: string, console: Console): void {
  console.err(`icecore: ${printableLines(message)}\n`);
}
