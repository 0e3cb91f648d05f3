import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../lib/root.mjs';

const REDIS = 'Redis connections are made by the factory of packages/store only.';
const LOGGER = 'Loggers are made by packages/runtime only; take one as an argument.';
const CAST = 'This silences the type checker: narrow the value by a check or a schema instead.';
const MOCK = 'Tests run against the real thing: packages/testkit starts it.';

/** A line of code, the lint's finding (a rule's name or a project message), and the paths in which it is allowed. */
interface Case {
  code: string;
  finding: string;
  allowedIn?: string;
}

const CASES: readonly Case[] = [
  { code: 'export const a = new Redis();', finding: REDIS, allowedIn: 'packages/store/src' },
  { code: 'export const b = new Redis(url, { db: 1 });', finding: REDIS, allowedIn: 'packages/store/src' },
  { code: 'export const c = new Redis.Cluster([]);', finding: REDIS, allowedIn: 'packages/store/src' },
  { code: 'export const d = pino();', finding: LOGGER, allowedIn: 'packages/runtime/src' },
  { code: "export const e = pino({ level: 'info' });", finding: LOGGER, allowedIn: 'packages/runtime/src' },
  {
    code: 'export const f = process.env.PORT;',
    finding: 'lint/style/noProcessEnv',
    allowedIn: 'packages/runtime/src',
  },
  { code: 'export const g = value as unknown as number;', finding: CAST },
  { code: 'export const h = vi.fn();', finding: MOCK },
  { code: "vi.mock('ioredis', () => ({}));", finding: MOCK },
  { code: "vi.spyOn(target, 'method');", finding: MOCK },
  { code: 'export const i = (value: any) => value;', finding: 'lint/suspicious/noExplicitAny' },
  { code: 'export const j = list[0]!;', finding: 'lint/style/noNonNullAssertion' },
  {
    code: "export { makeWASocket } from '@whiskeysockets/baileys';",
    finding: 'lint/style/noRestrictedImports',
    allowedIn: 'packages/session/src/baileys',
  },
  {
    code: "import { initAuthCreds } from '@whiskeysockets/baileys';\nexport const k = initAuthCreds();",
    finding: 'lint/style/noRestrictedImports',
    allowedIn: 'packages/session/src/baileys',
  },
  { code: "console.log('ready');", finding: 'lint/suspicious/noConsole' },
];

let tree: string;
let findings: Map<string, string>;

const elsewhere = (index: number) => `apps/edge/src/example-${index}.ts`;
const inItsPlace = (folder: string, index: number) => `${folder}/example-${index}.ts`;

beforeAll(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), 'wafleet-lint-rules-')));
  cpSync(join(ROOT, 'biome.json'), join(tree, 'biome.json'));
  cpSync(join(ROOT, 'scripts/lint'), join(tree, 'scripts/lint'), { recursive: true });
  for (const [index, { code, allowedIn }] of CASES.entries()) {
    write(elsewhere(index), code);
    if (allowedIn !== undefined) write(inItsPlace(allowedIn, index), code);
  }
  findings = lint();
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

function write(path: string, code: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), `${code}\n`);
}

/** The findings of the project's lint by file path, one per line. */
function lint(): Map<string, string> {
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const options = [
    '--vcs-enabled=false',
    '--diagnostic-level=error',
    '--max-diagnostics=none',
    '--reporter=github',
  ];
  const args = [biome, 'lint', ...options, 'apps', 'packages'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8' });
  const found = new Map<string, string>();
  for (const [, title = '', file = '', message = ''] of stdout.matchAll(
    /^::error title=([^,]+),file=([^,]+),.*?::(.*)$/gm,
  )) {
    const finding = title === 'plugin' ? message : title;
    const path = relative(tree, file);
    found.set(path, [...(found.get(path)?.split('\n') ?? []), finding].join('\n'));
  }
  return found;
}

it.each(CASES.map((example, index) => ({ ...example, index })))('$code', ({ index, finding, allowedIn }) => {
  expect(findings.get(elsewhere(index))).toBe(finding);
  if (allowedIn !== undefined) expect(findings.get(inItsPlace(allowedIn, index))).toBeUndefined();
});
