import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromiumPath, describeWith } from '../environment/tool.ts';
import { startTestServer, type TestServer } from './test-server.ts';

describeWith(['chromium'], 'GraphiQL in a browser', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    await server.ask(
      'mutation { createTable(input: { name: "raw.shown", columns: [{ name: "a", type: "int" }] }) { table { id } } }',
    );
  });
  afterAll(() => server.close());

  it('opens with the curated tabs, asks nobody else for anything, and runs one', async () => {
    const browser = await chromium.launch({ executablePath: chromiumPath() ?? '', args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage();
      const elsewhere: string[] = [];
      await page.route('**/*', (route) => {
        const url = route.request().url();
        if (url.startsWith(server.origin) || url.startsWith('blob:') || url.startsWith('data:')) return route.continue();
        elsewhere.push(url);
        return route.abort();
      });
      const violations: string[] = [];
      page.on('console', (message) => {
        if (/Content Security Policy/i.test(message.text())) violations.push(message.text());
      });
      await page.goto(`${server.origin}/graphql`);
      await page.getByText('AuditTrail', { exact: false }).first().waitFor();
      await page.getByText('Lineage', { exact: false }).first().waitFor();
      await page.getByRole('button', { name: /execute query/i }).click();
      await page.locator('.graphiql-response').getByText('icecore.audit_log', { exact: false }).first().waitFor();
      expect(elsewhere).toEqual([]);
      expect(violations).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
