import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';

/** A compiled file in a tree that this test creates, and the rules that its imports break. */
interface Case {
  what: string;
  file: string;
  imports: readonly string[];
  breaks: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: 'a package below is imported',
    file: 'packages/session/dist/session.js',
    imports: ['@whiskeysockets/baileys', '../../store/dist/keys.js'],
    breaks: [],
  },
  {
    what: 'a test imports the test kit',
    file: 'packages/store/dist/keys.test.js',
    imports: ['../../testkit/dist/redis.js', './keys.js'],
    breaks: [],
  },
  {
    what: 'a package above is imported',
    file: 'packages/contract/dist/upwards.js',
    imports: ['../../store/dist/keys.js'],
    breaks: ['packages/contract-imports-one-way'],
  },
  {
    what: 'an app imports another',
    file: 'apps/worker/dist/sideways.js',
    imports: ['../../edge/dist/plain.js'],
    breaks: ['apps/worker-imports-one-way'],
  },
  {
    what: 'a test imports what its room and tests may not',
    file: 'packages/store/dist/session.test.js',
    imports: ['../../session/dist/session.js'],
    breaks: ['packages/store-tests-import-one-way'],
  },
  {
    what: 'production imports the test kit',
    file: 'packages/store/dist/kit.js',
    imports: ['../../testkit/dist/redis.js'],
    breaks: ['packages/store-imports-one-way'],
  },
  {
    what: 'production imports test code',
    file: 'packages/store/dist/helped.js',
    imports: ['./testing/helper.js'],
    breaks: ['no-test-code-in-production'],
  },
  {
    what: 'a library is loaded outside its place',
    file: 'packages/runtime/dist/queue.js',
    imports: ['bullmq'],
    breaks: ['bullmq-in-its-place'],
  },
  {
    what: 'a package loads Baileys, but may import only its types',
    file: 'packages/store/dist/auth/auth-state.js',
    imports: ['@whiskeysockets/baileys'],
    breaks: ['@whiskeysockets/baileys-in-its-place'],
  },
  {
    what: 'the edge reaches Baileys through another package',
    file: 'apps/edge/dist/main.js',
    imports: ['../../../packages/store/dist/auth/auth-state.js'],
    breaks: ['edge-and-placer-never-load-baileys'],
  },
  {
    what: 'the client loads a module of Node.js',
    file: 'packages/client/dist/agent.js',
    imports: ['node:http', '../../contract/dist/plain.js'],
    breaks: ['client-runs-in-browsers'],
  },
  {
    what: 'a script of the passkey helper loads what only Node.js has',
    file: 'apps/passkey-helper/dist/panel/main.js',
    imports: ['node:fs'],
    breaks: ['passkey-helper-runs-in-browsers'],
  },
  {
    what: 'a script of the passkey helper loads what packs it',
    file: 'apps/passkey-helper/dist/relay/main.js',
    imports: ['../packaging/zip.js'],
    breaks: ['passkey-helper-runs-in-browsers'],
  },
  {
    what: 'imports go in a circle',
    file: 'apps/placer/dist/one.js',
    imports: ['./two.js'],
    breaks: ['no-cycles'],
  },
  {
    what: 'a circle of imports closes, and is reported once',
    file: 'apps/placer/dist/two.js',
    imports: ['./one.js'],
    breaks: [],
  },
  {
    what: 'the imported file does not exist',
    file: 'packages/runtime/dist/broken.js',
    imports: ['./gone.js'],
    breaks: ['everything-resolves'],
  },
  {
    what: 'a room has no rules',
    file: 'packages/surprise/dist/index.js',
    imports: ['../../contract/dist/plain.js'],
    breaks: ['every-room-is-known'],
  },
];

/** Files that are imported by others and have no imports. */
const PLAIN = [
  'packages/contract/dist/plain.js',
  'packages/store/dist/keys.js',
  'packages/store/dist/testing/helper.js',
  'packages/testkit/dist/redis.js',
  'apps/edge/dist/plain.js',
  'apps/passkey-helper/dist/packaging/zip.js',
];

interface Violation {
  from: string;
  rule: { name: string };
}

let tree: string;
let violations: Violation[];

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'wafleet-dependency-rules-'));
  cpSync(join(ROOT, '.dependency-cruiser.mjs'), join(tree, '.dependency-cruiser.mjs'));
  cpSync(join(ROOT, 'scripts/dependency-rules'), join(tree, 'scripts/dependency-rules'), { recursive: true });
  write('package.json', '{ "type": "module" }');
  for (const library of ['@whiskeysockets/baileys', 'bullmq']) {
    write(`node_modules/${library}/package.json`, `{ "name": "${library}", "main": "index.js" }`);
    write(`node_modules/${library}/index.js`, 'module.exports = {};');
  }
  for (const file of PLAIN) write(file, 'export {};');
  for (const { file, imports } of CASES) write(file, imports.map((name) => `import '${name}';`).join('\n'));

  const cruiser = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [
    '--config',
    '.dependency-cruiser.mjs',
    '--output-type',
    'json',
    'packages/*/dist',
    'apps/*/dist',
  ];
  const { stdout } = spawnSync(process.execPath, [cruiser, ...args], { cwd: tree, encoding: 'utf8' });
  violations = JSON.parse(stdout).summary.violations;
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

it.each(CASES)('$what', ({ file, breaks }) => {
  const broken = violations.filter(({ from }) => from === file).map(({ rule }) => rule.name);
  expect(broken).toEqual(breaks);
});

it('nothing else is found', () => {
  const files = CASES.map(({ file }) => file);
  expect(violations.filter(({ from }) => !files.includes(from))).toEqual([]);
});
