import { readConfig } from './config.ts';
import { IcecoreError } from './errors.ts';
import { HttpServer } from './http/server.ts';
import { Icecore } from './icecore.ts';

/** `serve`, the default: the server on its store until it is told to stop. */
async function serve(args: readonly string[]): Promise<void> {
  const config = readConfig(args, process.env);
  const icecore = await Icecore.open(config);
  const server = await HttpServer.start(icecore, config);
  console.log(`Icecore serves ${config.warehouse}; GraphiQL is at ${server.origin}/graphql`);
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await server.close();
    await icecore.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop().catch(fail));
  if (config.stopWithParent) process.on('disconnect', () => void stop().catch(fail));
}

function fail(error: unknown): void {
  console.error(IcecoreError.is(error) ? error.message : error);
  process.exit(1);
}

async function main([command = 'serve', ...args]: readonly string[]): Promise<void> {
  if (command === 'serve') return serve(args);
  throw new IcecoreError('BAD_USER_INPUT', `There is no command "${command}"; there is: serve.`);
}

main(process.argv.slice(2)).catch(fail);
