import { readFileSync, writeFileSync } from 'node:fs';

/** Of Linux's clock for processes. */
const ticksPerSecond = 100;

/** Seconds of CPU: of the process's own code, and of the system's for it. */
export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** Of a process, all of its threads, since it started. */
export function cpuSecondsOf(pid: number): CpuSeconds {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { user: Number(fields[11]) / ticksPerSecond, system: Number(fields[12]) / ticksPerSecond };
}

/** The most resident memory of a process, in bytes, since it started or `forgetPeak`. */
export function peakBytesOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
