import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface DemoOutcome {
  readonly exitCode: number | null;
  /** Standard output, then standard error. */
  readonly output: string;
}

/** `npm run demo -- --rows 20000 --once --yes` on a store of its own, as a user's terminal would run it. */
export async function runDemo(
  store: string,
  options: { readonly args?: readonly string[]; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<DemoOutcome> {
  const script = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
  const args = [script, '--rows', '20000', '--once', '--yes', '--store', store, '--port', '0', ...(options.args ?? [])];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  const parts: Record<'out' | 'error', string> = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    parts.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    parts.error += text;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, output: parts.out + parts.error };
}
