import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'vitest';

/** Software of the machine that some tests need and npm cannot bring. */
export type Tool = 'python3' | 'java' | 'mvn' | 'chromium';

const chromiumPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function chromiumPath(): string | null {
  return process.env.CHROMIUM ?? chromiumPaths.find((path) => existsSync(path)) ?? null;
}

function isPresent(tool: Tool): boolean {
  if (tool === 'chromium') return chromiumPath() !== null;
  const flag = tool === 'java' ? '-version' : '--version';
  return spawnSync(tool, [flag], { stdio: 'ignore' }).status === 0;
}

/**
 * `describe` for tests that need `tools`. Where one is missing they are skipped with a line that says so; under CI=true nothing may be
 * skipped, so the missing tool is a failure there.
 */
export function describeWith(tools: readonly Tool[], name: string, body: () => void): void {
  const missing = tools.filter((tool) => !isPresent(tool));
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const line = `${name}: needs ${missing.join(' and ')}, which this machine does not have`;
  if (process.env.CI === 'true') {
    describe(name, () => {
      test('its tools are installed', () => {
        throw new Error(`${line}; under CI=true nothing may be skipped`);
      });
    });
    return;
  }
  console.log(`skipped: ${line}`);
  describe.skip(name, body);
}
