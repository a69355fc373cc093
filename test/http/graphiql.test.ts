import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { chromiumPath, describeWith } from '../environment/tool.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const keys = [
  { key: 'key-of-ada', subject: 'ada', kind: 'HUMAN', roles: ['scientist'] },
  { key: 'key-of-vera', subject: 'vera', kind: 'HUMAN', roles: ['viewer'] },
];

/** A browser asks for updates and much else by itself; here it may ask nobody but us. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describeWith(['chromium'], 'GraphiQL in Chromium', () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  const requested: string[] = [];
  const faults: string[] = [];

  beforeAll(async () => {
    server = await startTestServer({ keys: JSON.stringify(keys), graphiqlKey: 'key-of-vera' });
    await makeModel(server);
    browser = await chromium.launch({ executablePath: chromiumPath() ?? '', args: quiet });
    page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    page.on('request', (request) => requested.push(request.url()));
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(`${server.origin}/graphql`);
    await page.getByRole('tab', { name: 'Lineage' }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it('has a tab for each curated operation', async () => {
    const tabs = await page.getByRole('tab').allInnerTexts();
    for (const name of ['Tables', 'PredictionsByCity', 'Lineage', 'AuditTrail', 'ExplainPredictions', 'Models'])
      expect(tabs).toContain(name);
  });

  it('shows the lineage of a model down to its raw table, asked with the key it was given', async () => {
    const answer = await run('Lineage');
    expect(answer).toContain('"complete": true');
    expect(answer).toContain('"name": "raw.flights"');
  });

  it('shows the audit trail', async () => {
    const answer = await run('AuditTrail');
    expect(answer).toContain('"complete": true');
    expect(answer).toContain('"kind": "writeRows"');
  });

  it('works offline: everything comes from this server, and nothing is in fault', () => {
    expect(requested.length).toBeGreaterThan(1);
    const elsewhere = requested.filter((url) => !url.startsWith(server.origin) && !/^(blob|data):/.test(url));
    expect(elsewhere).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('opens no door: without the key there is no answer', async () => {
    const answer = await server.ask('{ tables { edges { node { name } } } }');
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  /** Opens the tab, runs its operation, and gives what the page then shows as the answer. */
  async function run(tab: string): Promise<string> {
    // By the keyboard: the mouse first drags.
    await page.locator('.graphiql-tab-button', { hasText: tab }).focus();
    await page.keyboard.press('Enter');
    await vi.waitFor(async () => expect(await shown(page.locator('.view-lines').first())).toContain(`query ${tab}`), {
      timeout: 10_000,
    });
    // GraphiQL takes over the new tab's operation a moment after it shows it, and until then runs the other.
    const { data } = await vi.waitFor(
      async () => {
        const ofTab = page.waitForResponse((response) => response.request().postData()?.includes(`query ${tab}`) === true, {
          timeout: 2_000,
        });
        await Promise.all([ofTab, page.getByRole('button', { name: /execute query/i }).click({ timeout: 2_000 })]);
        return (await (await ofTab).json()) as { readonly data: Readonly<Record<string, unknown>> };
      },
      { timeout: 20_000 },
    );
    const answer = page.locator('.result-window .view-lines');
    await vi.waitFor(async () => expect(await shown(answer)).toContain(`"${Object.keys(data)[0]}"`), { timeout: 10_000 });
    return await shown(answer);
  }
});

/** The editor writes spaces that do not break. */
async function shown(editor: Locator): Promise<string> {
  return (await editor.innerText()).replaceAll('\u00a0', ' ');
}

/** A version of the model that the curated operations are about. */
async function makeModel(server: TestServer): Promise<void> {
  const ask = async (query: string) => expect((await server.ask(query, {}, 'key-of-ada')).errors).toBeUndefined();
  await ask(
    'mutation { createTable(input: { name: "raw.flights", columns: [{ name: "delay", type: "int" }] }) { table { id } } }',
  );
  await ask(
    'mutation { writeRows(input: { table: "raw.flights", mode: APPEND, rows: { json: [{ delay: 4 }] } }) { rowsAdded } }',
  );
  await ask('mutation { registerModel(input: { name: "flight-late" }) { model { id } } }');
  await ask(`mutation { registerModelVersion(input: { model: "flight-late", trainedOn: { table: { name: "raw.flights" } },
    artifactSha256: "${'0'.repeat(64)}", signature: { inputs: [{ name: "delay", type: "int" }], outputs: [{ name: "p", type: "double" }] } })
    { modelVersion { id } } }`);
}
