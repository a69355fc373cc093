import { spawnSync } from 'node:child_process';

/** What a command prints. Throws with what it complained of where it fails. */
export function output(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return result.stdout;
  const complaint = [result.stdout, result.stderr, result.error?.message ?? ''].join('\n').trim();
  throw new Error(`${command} ${args.join(' ')} failed: ${complaint.slice(-4000)}`);
}
