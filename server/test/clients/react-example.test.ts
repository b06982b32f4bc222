/**
 * `examples/react` and `examples/app-server` as their READMEs run them, against a real server, in Chromium: a person signs
 * in at the page of `@logto/react`, chooses an organization, and the app server does what the person's role there allows.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { noBrowser, openBrowser, type RealBrowser, signInOn } from '../browser.ts';
import { admin, eachEngine, freePort, startServer, type TestServer } from '../harness.ts';

const root = join(import.meta.dirname, '../../..');
const vite = join(root, 'node_modules/vite/bin/vite.js');
const example = (file: string) => ['--conditions=sekisho-source', join(root, 'examples', file)];
/** Where the pictures of a run go; nothing is taken without it. */
const pictures = process.env.PICTURES;

/** Starts a program of the examples; resolves with the address that it says it listens on. */
async function start(args: string[], env: Record<string, string>, cwd = root) {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += text;
    // Up to what follows the port: it may come in two pieces.
    const address = /http:\/\/[a-z0-9.]+:\d+(?=\D)/.exec(said.replace(/\x1b\[\d+m/g, ''));
    if (address !== null) return { address: address[0], child };
  }
  throw new Error(`It ended: ${said}`);
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

eachEngine('the page of the example', (engine) => {
  describe('in Chromium', { skip: noBrowser }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-page-'));
    let server: TestServer;
    let site: { address: string; child: ChildProcess };
    let app: { address: string; child: ChildProcess };
    let origin: string;
    let person: { email: string; password: string };
    before(async () => {
      server = await startServer({ engine });
      const port = await freePort();
      origin = `http://localhost:${port}`;
      const env: Record<string, string> = {
        PATH: process.env.PATH ?? '',
        ISSUER: server.issuer,
        CLIENT_ID: admin.clientId,
        CLIENT_SECRET: admin.clientSecret,
        PAGE_ORIGIN: origin,
      };
      for (const file of ['app-server/setup.ts', 'react/setup.ts']) {
        const { stdout } = await promisify(execFile)(process.execPath, example(file), { env });
        for (const [, name, value] of stdout.matchAll(/^export (\w+)=(\S+)$/gm)) env[name as string] = value as string;
      }
      person = { email: env.PERSON_EMAIL as string, password: env.PERSON_PASSWORD as string };
      app = await start(example('app-server/server.ts'), { ...env, PORT: '0' });
      Object.assign(env, { VITE_ENDPOINT: server.origin, VITE_APP_SERVER: app.address, PORT: String(port) });
      const cwd = join(root, 'examples/react');
      await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', folder], { cwd, env });
      site = await start([vite, 'preview', '--outDir', folder], env, cwd);
    });
    after(async () => {
      await stop(site?.child);
      await stop(app?.child);
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const shot = async (page: Page, name: string): Promise<void> => {
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${engine}-${name}.png`) });
    };

    async function signedIn(browser: RealBrowser): Promise<Page> {
      const { page } = browser;
      await page.goto(origin);
      await shot(page, '1-start');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(`${server.origin}/interaction/**`);
      await shot(page, '2-sign-in');
      await signInOn(page, person);
      await page.waitForURL(`${origin}/`);
      await page.getByText('Hanako Sekino').waitFor();
      return page;
    }

    const choose = (page: Page, name: string) => page.getByLabel('Organization').selectOption({ label: name });

    test('a person signs in, makes and deletes a team in an organization, and signs out', async () => {
      const browser = await openBrowser();
      try {
        const page = await signedIn(browser);
        assert.deepEqual((await page.getByLabel('Organization').locator('option').allTextContents()).sort(), [
          'Acme',
          'Blue',
          'Choose…',
        ]);
        await choose(page, 'Acme');
        await page.getByText('There are no teams yet.').waitFor();
        await page.getByLabel('New team').fill('東京');
        await page.getByRole('button', { name: 'Add' }).click();
        await page.getByRole('listitem').filter({ hasText: '東京' }).waitFor();
        await shot(page, '3-team');
        const made = (await server.rows('organizations')).find(({ name }) => name === '東京');
        assert.ok(made !== undefined, 'the app server made it');

        await page.reload();
        await page.getByText('Hanako Sekino').waitFor();
        await choose(page, 'Acme');
        await page.getByRole('button', { name: 'Delete 東京' }).click();
        await page.getByText('There are no teams yet.').waitFor();
        assert.ok(!(await server.rows('organizations')).some(({ id }) => id === made.id));

        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.waitForURL(`${origin}/`);
        await page.getByRole('button', { name: 'Sign in' }).waitFor();
        await shot(page, '5-signed-out');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.waitForURL(`${server.origin}/interaction/**`);
        await page.locator('input[name=password]').waitFor();
        const origins = [origin, server.origin, app.address];
        assert.deepEqual(
          [...browser.origins].filter((one) => !origins.includes(one) && one !== 'null'),
          [],
        );
        assert.deepEqual(browser.complaints, []);
      } finally {
        await browser.close();
      }
    });

    test('where the role is a guest’s, the app server refuses, and nothing is made', async () => {
      const browser = await openBrowser({ colorScheme: 'dark', viewport: { width: 360, height: 640 } });
      try {
        const page = await signedIn(browser);
        await choose(page, 'Blue');
        await page.getByText('There are no teams yet.').waitFor();
        const before = (await server.rows('organizations')).length;
        await page.getByLabel('New team').fill('Osaka');
        await page.getByRole('button', { name: 'Add' }).click();
        await page.getByRole('alert').filter({ hasText: 'does not allow' }).waitFor();
        await shot(page, '4-refused');
        assert.equal((await server.rows('organizations')).length, before);
        // What she may do elsewhere is not lost by it.
        await choose(page, 'Acme');
        await page.getByLabel('New team').fill('Kobe');
        await page.getByRole('button', { name: 'Add' }).click();
        await page.getByRole('listitem').filter({ hasText: 'Kobe' }).waitFor();
      } finally {
        await browser.close();
      }
    });
  });
});
