import { runCommandLine } from './cli/command-line.ts';
import { processConsole } from './cli/console.ts';
import { IcecoreError } from './errors.ts';

const [major = 0] = process.versions.node.split('.').map(Number);

/** `serve` runs the server; everything else is a client of one, and need not load it. */
async function main([command = 'serve', ...args]: readonly string[]): Promise<void> {
  if (major < 24) {
    throw new IcecoreError('FAILED_PRECONDITION', `Icecore needs Node 24, and this is ${process.version}: start it by npm.`);
  }
  if (command !== 'serve' || args.includes('--help') || args.includes('-h')) {
    process.exitCode = await runCommandLine([command, ...args], processConsole());
    return;
  }
  const { serve } = await import('./serve.ts');
  await serve(args);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(IcecoreError.is(error) ? error.message : error);
  // 2 where the command line or the environment was not understood, as for the other commands.
  process.exit(IcecoreError.is(error, 'BAD_USER_INPUT') ? 2 : 1);
});
