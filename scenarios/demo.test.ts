import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WafleetClient } from '@wafleet/client';
import { sentMessageSchema } from '@wafleet/contract';
import { SimulatorControl } from '@wafleet/simulator';
import { startProxy, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ClientProgram, codeBlocks, endPrograms, pythonWithSocketIo } from './support/client-programs.js';
import { Demo } from './support/demo.js';
import { twoPorts } from './support/two-ports.js';

/**
 * What a new user sees: `npm start` prints its banner on the ports that the contract's examples name. The programs of
 * the contract and of the README, extracted byte for byte, work against it.
 */
const python = pythonWithSocketIo();
const contract = 'docs/websocket-events.md';
const ADMIN_TOKEN = 'the-token-of-this-demo';
let demo: Demo;

/** The port that the programs name, or another one if it is in use, for example by a demo that already runs. */
const [firstPort, secondPort] = await twoPorts(3000);

beforeAll(async () => {
  demo = await Demo.start(fileURLToPath(new URL('../', import.meta.url)), {
    PORT: String(firstPort),
    ADMIN_TOKEN,
    PROXY_ALLOW: '127.0.0.1',
  });
});

afterAll(async () => {
  endPrograms();
  await demo?.kill();
});

/** The program, pointed at an edge. At most the port changes. */
function againstEdge(port: number, code: string): string {
  return code.replaceAll('localhost:3000', `localhost:${port}`);
}

/** The simulator's address in the banner. */
function simulatorUrl(): string {
  return /Simulator (http:\S+):/.exec(demo.output)?.[1] ?? '';
}

test('the banner shows the edges, the key and clients in both languages', () => {
  for (const text of [
    `http://localhost:${firstPort}`,
    `http://localhost:${secondPort}`,
    'your-api-key',
    '/docs',
    'socket.io-client',
  ]) {
    expect(demo.output).toContain(text);
  }
  expect(demo.output).toContain('import socketio');
});

test('it logs no warning about the settings of its own Redis', () => {
  expect(demo.output).not.toContain('append-only');
});

test('ADMIN_TOKEN is the administrator’s token', async () => {
  const { status } = await fetch(`http://localhost:${firstPort}/api/tenants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Acme' }),
  });
  expect(status).toBe(201);
});

test('PROXY_ALLOW lets a session connect through a proxy on this machine', async () => {
  const proxy = await startProxy({ kind: 'http' });
  onTestFinished(() => proxy.stop());
  const client = new WafleetClient({ url: `http://localhost:${firstPort}`, key: 'your-api-key' });
  await client.call('create-session', { body: { id: 'proxied', proxy: proxy.url() } });
  await waitForStatus(client, 'proxied', 'awaiting_link');
  expect(proxy.targets).toContain(new URL(simulatorUrl()).host);
});

// A bare machine may lack curl; the test then counts as skipped.
test.skipIf(spawnSync('curl', ['--version']).status !== 0)(
  'the commands of docs/linking.md link phones of the simulator in the banner',
  () => {
    const blocks = codeBlocks('docs/linking.md', 'sh').map((code) => againstEdge(firstPort, code));
    const run = (code = '') => {
      const text = code.replaceAll('http://127.0.0.1:8080', simulatorUrl());
      const { stdout, stderr, status } = spawnSync('sh', ['-euc', text], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '', API_KEY: 'your-api-key' },
      });
      expect(`${status} ${stderr}`, stdout).toBe('0 ');
      return stdout;
    };
    const [, , settings = '', qr, code, passkey] = blocks;
    for (const link of [qr, code, passkey]) expect(run(settings + link)).toContain('"clientVersion"');
  },
);

describe.each([firstPort, secondPort])('against the edge on port %i', (port) => {
  test('the contract’s JavaScript program prints messages and connection changes', async () => {
    const code = codeBlocks(contract, 'javascript').join('\n');
    const program = new ClientProgram('javascript', againstEdge(port, code));
    await program.prints(['Connected', 'New message from ', 'Connection status: ']);
    expect(program.output).not.toContain('Connection status: undefined');
    program.kill();
  });

  test.skipIf(python === undefined)('the contract’s Python program receives both events', async () => {
    const [code = ''] = codeBlocks(contract, 'python');
    const program = new ClientProgram('python', againstEdge(port, code), python);
    await program.prints(['Received event "messages.upsert"', 'Received event "connection.update"']);
    program.kill();
  });
});

test.skipIf(spawnSync('curl', ['--version']).status !== 0)(
  'the README’s command sends a picture with a caption to a simulated phone',
  async () => {
    const code = codeBlocks('README.md', 'sh').find((block) => block.includes('file=@')) ?? '';
    const { stdout, stderr, status } = spawnSync('sh', ['-euc', againstEdge(firstPort, code)], {
      cwd: fileURLToPath(new URL('../', import.meta.url)),
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '' },
    });
    expect(`${status} ${stderr}`, stdout).toBe('0 ');
    const { messageId } = sentMessageSchema.parse(JSON.parse(stdout));
    const ben = (await new SimulatorControl(simulatorUrl()).phones()).find(({ name }) => name === 'Ben');
    const inbox = await ben?.received();
    expect(inbox?.find(({ id }) => id === messageId)?.message).toMatchObject({
      imageMessage: { caption: 'Hello from Wafleet', mimetype: 'image/png' },
    });
  },
);

test('the README’s JavaScript example prints what it subscribed to', async () => {
  const [code = ''] = codeBlocks('README.md', 'javascript');
  const program = new ClientProgram('javascript', againstEdge(firstPort, code));
  await program.prints(['subscribed', 'ok: true', 'conversation']);
  program.kill();
});

test.skipIf(python === undefined)('the README’s Python example prints messages', async () => {
  const [code = ''] = codeBlocks('README.md', 'python');
  const program = new ClientProgram('python', againstEdge(firstPort, code), python);
  await program.prints(['conversation']);
  program.kill();
});

test('Ctrl-C stops every process and disconnects the clients', async () => {
  const program = new ClientProgram(
    'javascript',
    againstEdge(firstPort, codeBlocks(contract, 'javascript')[0] ?? ''),
  );
  await program.prints(['Connected']);
  const descendants = demo.descendants();
  expect(descendants.length).toBeGreaterThanOrEqual(7);
  expect(await demo.interrupt()).toBe(0);
  await program.prints(['Disconnected']);
  await waitFor(() => descendants.every((pid) => !isAlive(pid)), { what: 'every process ended' });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
