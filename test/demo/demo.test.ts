import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DemoOutcome, runDemo } from './run-demo.ts';

const demoMsMax = 180_000;

describe('the demo with 20,000 rows', { timeout: demoMsMax }, () => {
  let directory = '';
  let demo: DemoOutcome = { exitCode: null, output: '' };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-demo-'));
    demo = await runDemo(join(directory, 'store'));
  }, demoMsMax);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const says = (pattern: RegExp) => expect(demo.output).toMatch(pattern);

  test('ends with exit code 0', () => expect(demo, demo.output).toMatchObject({ exitCode: 0 }));

  test('prints the AUC of the model, which beats the best single feature', () => {
    const [, model, feature] =
      /AUC on [\d,]+ later flights: ([\d.]+); best single feature \(\w+\): ([\d.]+)/.exec(demo.output) ?? [];
    expect(Number(model)).toBeGreaterThan(Number(feature));
    expect(Number(feature)).toBeGreaterThan(0.5);
  });

  test("has the author's own approval refused before another approves", () => {
    says(/refused: .*author/i);
    expect(demo.output.indexOf('refused: ')).toBeLessThan(demo.output.indexOf('approved by grace, and champion'));
  });

  test('scores later flights in one snapshot, and joins the predictions with airports', () => {
    says(/predictions\.flight_late: [\d,]+ predictions in one snapshot/);
    says(/[A-Z]{3} {2}\S.* % likely late/);
  });

  test('follows one prediction back to raw.flights, and derives its features again', () => {
    says(/lineage of one prediction: \d+ nodes, complete: true, back to raw\.flights at snapshot \d+/);
    says(/derived again from their snapshots: the same; approved by grace/);
  });

  test('shows an audit trail that is complete, in a chain that is consistent', () => {
    says(/audit trail: \d+ steps, complete: true; chain of \d+ entries consistent/);
  });

  test('expires snapshots, and reproduces the training set to its digest', () => {
    says(/raw\.flights expired: [1-9]\d* snapshots gone/);
    const [, digest = 'no digest'] = /^ *digest ([0-9a-f]{64})$/m.exec(demo.output) ?? [];
    says(new RegExp(`made again from its pins: EXACT, digest ${digest.slice(0, 16)}`));
  });

  test('ends with the keys, the addresses and three queries to paste', () => {
    for (const caller of ['ada', 'grace', 'vera']) says(new RegExp(`^ {2}${caller} .* demo-${caller}-\\S+$`, 'm'));
    says(/GraphiQL +http:\/\/127\.0\.0\.1:\d+\/graphql/);
    for (const query of ['sql(statement:', 'lineage(of:', 'predictions(table:']) expect(demo.output).toContain(`{ ${query}`);
  });
});
