import { output } from '../environment/command.ts';
import { pythonEnvironment } from '../environment/python.ts';

const lock = new URL('../python/httpfs.lock', import.meta.url).pathname;

/** The directory that holds DuckDB's extension `httpfs`: it comes as a package too, for where DuckDB's own site cannot be reached. */
export function httpfsDirectory(): string {
  const script = 'import duckdb_extension_httpfs as e, glob; print(glob.glob(list(e.__path__)[0] + "/extensions/*")[0])';
  return output(pythonEnvironment(lock), ['-c', script]).trim();
}
