import { IcecoreError } from './errors.ts';

const [major = 0] = process.versions.node.split('.').map(Number);

async function main([command = 'serve', ...args]: readonly string[]): Promise<void> {
  if (major < 24) {
    throw new IcecoreError('FAILED_PRECONDITION', `Icecore needs Node 24, and this is ${process.version}: start it by npm.`);
  }
  if (command !== 'serve') throw new IcecoreError('BAD_USER_INPUT', `There is no command "${command}"; there is: serve.`);
  const { serve } = await import('./serve.ts');
  await serve(args);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(IcecoreError.is(error) ? error.message : error);
  process.exit(1);
});
