import { type Api, ApiError } from './api.ts';
import type { Terminal } from './terminal.ts';

export interface RunState {
  readonly id: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly rowsDone: string;
  readonly rowsTotal: string | null;
  readonly error: string | null;
}

const query = 'query ($id: ID!) { run(id: $id) { id status rowsDone rowsTotal error } }';

/** Waits for a run to end, telling how far it is. Throws ApiError where it failed. */
export async function finish(api: Api, terminal: Terminal, id: string): Promise<RunState> {
  for (let pauseMs = 20; ; pauseMs = Math.min(300, pauseMs * 1.5)) {
    const { run } = await api.ask<{ run: RunState }>(query, { id });
    if (run.status === 'SUCCEEDED') return run;
    if (run.status !== 'RUNNING')
      throw new ApiError(run.error ?? `The run was ${run.status.toLowerCase()}.`, 'FAILED_PRECONDITION');
    terminal.progress(run.rowsTotal === null ? count(run.rowsDone) : `${count(run.rowsDone)} of ${count(run.rowsTotal)} rows`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** `1,234,567` */
export function count(value: string | number | bigint): string {
  return BigInt(value).toLocaleString('en-US');
}
