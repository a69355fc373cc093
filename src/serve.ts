import { parseConfig } from './config.ts';
import { HttpServer } from './http/server.ts';
import { Icecore } from './icecore.ts';

/** Serves until SIGTERM or SIGINT: then it takes no more, ends what is in flight, and lets go of the store. */
export async function serve(args: readonly string[]): Promise<void> {
  const config = parseConfig(args, process.env);
  const icecore = await Icecore.open(config);
  const server = await HttpServer.start(icecore, config).catch(async (error: unknown) => {
    await icecore.close();
    throw error;
  });
  const callers = icecore.keys.inForce ? 'callers are known by their keys' : 'without access control, for this machine alone';
  if (icecore.access.inForce && config.grants === undefined) {
    console.warn(
      'No grants are given, so nobody sees any table: set ICECORE_GRANTS to say who may read and write what (docs/access.md).',
    );
  }
  console.log(`Icecore listens, ${callers}. GraphiQL: ${server.origin}/graphql`);

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    try {
      await server.close();
      await icecore.close();
      process.exit(0);
    } catch (error) {
      console.error(error);
      process.exit(1);
    }
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  // For a parent that may be killed and could not tell: the demo, and tests.
  if (process.env.ICECORE_STOP_WITH_PARENT === 'true') process.on('disconnect', stop);
}
