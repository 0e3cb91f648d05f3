import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Cluster, startCluster, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** The project's Markdown files, as paths from its root. */
function documents(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return ['node_modules', 'dist', '.git', '.turbo', '.wafleet'].includes(entry.name)
        ? []
        : documents(path);
    }
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

describe.each(documents())('%s', (document) => {
  test('links to files that exist', () => {
    const text = readFileSync(join(root, document), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link]) => link ?? '');
    const missing = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => !existsSync(resolve(root, dirname(document), link)));
    expect(missing).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');

  /** The variables in the table below a heading. */
  function variablesUnder(heading: string): string[] {
    const section = text.split(`### ${heading}\n`)[1]?.split(/^#/m)[0] ?? '';
    return [...section.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name ?? '');
  }

  test.each(['edge', 'worker', 'placer'])('lists the variables of the %s as its --help does', (app) => {
    const { stdout } = spawnSync(process.execPath, [join(root, `apps/${app}/dist/main.js`), '--help'], {
      encoding: 'utf8',
      env: {},
    });
    const inHelp = [...stdout.matchAll(/^ {2}([A-Z_]+)$/gm)].map(([, name]) => name ?? '');
    const heading = `${app.charAt(0).toUpperCase()}${app.slice(1)}`;
    expect([...variablesUnder('All'), ...variablesUnder(heading)].sort()).toEqual(inHelp.sort());
  });

  describe('its commands', () => {
    let cluster: Cluster;
    const folder = mkdtempSync(join(tmpdir(), 'wafleet-operations-'));

    beforeAll(async () => {
      cluster = await startCluster();
    });

    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await cluster?.stop();
    });

    // A bare machine may lack curl; the test then counts as skipped.
    test.skipIf(!hasCurl)('make a tenant, keys and a session, draw its QR code, and send', async () => {
      const blocks = codeBlocks('docs/operations.md', 'sh');
      const [admin = '', limited = '', tenant = '', send = '', removal = ''] = blocks;
      const withEdge = (commands: string) =>
        commands.replaceAll('http://localhost:3000', cluster.edges[0]?.url ?? '');
      const run = (commands: string, env: Record<string, string>) => {
        const { stdout, stderr, status } = spawnSync('sh', ['-euc', withEdge(commands)], {
          encoding: 'utf8',
          cwd: folder,
          env: { PATH: process.env.PATH ?? '', ...env },
        });
        expect(`${status} ${stderr}`).toBe('0 ');
        return stdout;
      };
      const [makeTenant = '', makeKey = ''] = admin.split(/(?<=\n)(?=curl.*\/api\/keys)/);
      const { id } = JSON.parse(run(makeTenant, { ADMIN_TOKEN: cluster.adminToken }));
      const asAdmin = { ADMIN_TOKEN: cluster.adminToken, TENANT_ID: id };
      const { key } = JSON.parse(run(makeKey, asAdmin));

      const [makeLimited = '', listKeys = '', revokeKey = ''] = limited
        .split(/(?<=\n)(?=curl.*\/keys)/)
        .slice(1);
      const dashboard = JSON.parse(run(makeLimited, asAdmin));
      expect(dashboard).toMatchObject({ scopes: ['events:read'], sessions: ['shop', 'office'] });
      expect(JSON.parse(run(listKeys, asAdmin))).toMatchObject({
        items: [{}, { id: dashboard.id, name: 'dashboard' }],
      });
      run(revokeKey, { ...asAdmin, KEY_ID: dashboard.id });
      expect(JSON.parse(run(listKeys, asAdmin)).items).toHaveLength(1);

      const [create = '', ...rest] = tenant.split(/(?<=\n)(?=curl)/);
      expect(JSON.parse(run(create, { API_KEY: key }))).toEqual({ id: 'shop', status: 'queued' });
      const client = cluster.client(key);
      await waitFor(() => client.call('get-qr', { params: { id: 'shop' } }), { what: 'a QR code' });
      expect(JSON.parse(run(rest.join(''), { API_KEY: key }))).toMatchObject({
        id: 'shop',
        status: 'awaiting_link',
      });
      expect(statSync(join(folder, 'qr.png')).size).toBeGreaterThan(500);

      const recipient = /"to":"(\d+)"/.exec(send)?.[1] ?? '';
      cluster.simulator.addPhone({ name: 'Recipient', number: recipient });
      const phone = cluster.simulator.addPhone({ name: 'Shop' });
      await phone.scan((await client.call('get-qr', { params: { id: 'shop' } })).qr);
      await waitForStatus(client, 'shop', 'open');
      // Without blocking this process: the simulator, which answers the session, is part of it.
      const sending = await execute('sh', ['-euc', withEdge(send)], {
        env: { PATH: process.env.PATH ?? '', API_KEY: key },
      });
      expect(JSON.parse(sending.stdout)).toMatchObject({ messageId: expect.any(String) });
      expect(phone.devices.size).toBe(1);
      await execute('sh', ['-euc', withEdge(removal)], { env: { PATH: process.env.PATH ?? '', ...asAdmin } });
      await expect(client.call('get-usage')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
      await waitFor(() => phone.devices.size === 0, { what: 'the phone lists no device' });
    });
  });
});
