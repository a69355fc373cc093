import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ClientFigures } from './figures.ts';

const icecorePackage = fileURLToPath(new URL('../../python', import.meta.url));
const script = fileURLToPath(new URL('./measure.py', import.meta.url));

export interface Reader {
  readonly python: string;
  /** Of `readers/`. */
  readonly module: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Starts a Python that loads a reader. What it gives back reads all there is, once. Throws with what Python says where it ends before. */
export async function startReader({ python, module, options }: Reader, timeoutMs: number): Promise<() => Promise<ClientFigures>> {
  const child = spawn(python, [script, module, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: icecorePackage, PYTHONDONTWRITEBYTECODE: '1' },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const lineThat = async (isWanted: (line: string) => boolean): Promise<string> => {
    for (;;) {
      const line = await lines.next();
      if (line.done === true)
        throw new Error(`the reader ${module} ended early: ${complaints.trim() || `it had ${timeoutMs} ms`}`);
      if (isWanted(line.value)) return line.value;
    }
  };
  await lineThat((line) => line === 'ready');
  return async () => {
    child.stdin.write('go\n');
    return JSON.parse(await lineThat((line) => line.startsWith('{'))) as ClientFigures;
  };
}
